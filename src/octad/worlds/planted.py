"""Small, quiet products with one thing wrong in each, for the gallery.

A note-taking app with a few thousand users: nothing changes but what is planted. The bigger worlds
live through mechanisms; here a single fault is put in by hand, so that a review can be held to
finding it and to claiming nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from octad.worlds.base import Bools, Categorical, Floats, Ints, Random, Table, World, pick, poisson

__all__ = ["FAULTS", "Fault", "look_days", "plant"]

START = np.datetime64("2026-03-01T00:00:00", "us")
FIRST, LAST, ENROL = -28, 38, 10
"""Days since the launch's start: first events, the day after the last, days of enrolment."""
DAY = 86_400_000_000

REGIONS = ("north", "south", "east", "west")
AGES = ("under 30", "30 to 44", "45 to 59", "60 and over")
DEVICES = ("new", "mid", "old")
EVENTS = ("open", "save", "fail")

PROJECT = """\
product: Notes
simulated: true
charter:
  purpose: Keep what people write down.
  jobs:
    keep: {events: [save], core: true}
  errors: [fail]
sources:
  events:    {table: data/events.parquet, user: user, time: at, event: name}
  users:     {table: data/users.parquet, user: user, attributes: [region, age_band, device]}
  exposures: {table: data/exposures.parquet, user: user, time: at, arm: arm}
metrics:
  opens:     {count: open, window: 14d}
  saves:     {count: save, window: 28d}
  fail_rate: {ratio: [fail, save], window: 28d, better: down}
"""

PLAN = """\
launch: NAME
what: WHAT
arms: {control: "off", treatment: "on"}
starts: 2026-03-01
enrol_until: 2026-03-10
ends: 2026-04-07
kpi: opens
results: {saves: MARGIN}
guardrails: {fail_rate: 30%}
horizon: 30d
signed: {product: Mei}
"""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        name: The launch's name too.
        title: What it is called in the gallery; `what` the launch, in a sentence.
        planted: What was put in, in a sentence.
        margin: The loss of saves that its plan tolerates.
        lure: Extra opens of the treated, as a share, fading to 1/e in `lure_days` (never when 0).
        harm: The share of saves that the treated of `segment` lose.
        unexposed: The share of the treated whose exposure is never recorded.
        unlogged: The share of the treated's events that are lost on `days`, counted from 0.
        looks: Days on which somebody looks early; the last of them is what the gallery shows.
        seed: Which of its endless variants.
    """

    name: str
    title: str
    what: str
    planted: str
    margin: str = "5%"
    lure: float = 0.0
    lure_days: float = 0.0
    harm: float = 0.0
    segment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    unexposed: float = 0.0
    unlogged: float = 0.0
    days: tuple[int, ...] = ()
    looks: tuple[int, ...] = ()
    seed: int = 2


FAULTS = (
    Fault(
        name="redirect",
        title="A broken ratio",
        what="A new start page, reached by a redirect.",
        planted="Of every hundred users who were sent to the new page, twelve were never recorded.",
        unexposed=0.12,
    ),
    Fault(
        name="badges",
        title="Novelty",
        what="A badge for each day somebody opens the app.",
        planted="Opens rise by 40% on the first day, and the gain halves about every three days.",
        lure=0.4,
        lure_days=4.0,
    ),
    Fault(
        name="gestures",
        title="One harmed segment",
        what="Gestures take the place of buttons.",
        planted="People of 60 and over in the north lose 40% of their saves; nobody else does.",
        harm=0.4,
        segment=MappingProxyType({"region": "north", "age_band": "60 and over"}),
    ),
    Fault(
        name="reminders",
        title="A KPI without its result",
        what="Reminders to open the app.",
        planted="Opens rise by a quarter and stay there; nobody saves one note more.",
        margin="0.5%",
        lure=0.25,
        seed=3,
    ),
    Fault(
        name="icon",
        title="Peeking",
        what="A new icon.",
        planted="Nothing at all. The numbers are looked at on three days in a row; this variant "
        "was picked because on the third the fixed interval happens to leave out zero.",
        looks=(14, 15, 16),
        seed=336,
    ),
    Fault(
        name="batching",
        title="Dropped logging",
        what="Events are sent in batches.",
        planted="In the last eight days, 30% of what the treated did was never logged.",
        unlogged=0.3,
        days=tuple(range(30, 38)),
    ),
)


def plant(fault: Fault, *, users: int = 12_000) -> World:
    """Simulate the product with one thing wrong.

    Args:
        fault: What is wrong.
        users: How many people there are.

    Returns:
        The world: three tables, its files, and what is true of it.
    """
    random = Random(fault.seed)
    who = np.arange(users)
    traits = {
        "region": pick(random.uniform("region", who), [0.25] * 4),
        "age_band": pick(random.uniform("age", who), [0.25] * 4),
        "device": pick(random.uniform("device", who), [0.4, 0.4, 0.2]),
    }
    treated = random.uniform("arm", who) < 0.5
    since = (random.uniform("enters", who) * ENROL * DAY).astype(np.int64)
    tables = {
        "events": _events(random, fault, treated, since, _hit(fault, traits)),
        "users": _users(who, traits),
        "exposures": _exposures(random, fault, who, treated, since),
    }
    plan = PLAN.replace("NAME", fault.name).replace("WHAT", fault.what)
    files = {
        "octad.yml": PROJECT,
        f"launches/{fault.name}.yml": plan.replace("MARGIN", fault.margin),
    }
    return World(tables, files, {"launch": fault.name, "planted": fault.planted})


def look_days(fault: Fault) -> tuple[date, ...]:
    """The days on which somebody looks early."""
    return tuple(date(2026, 3, 1) + timedelta(days=day) for day in fault.looks)


def _hit(fault: Fault, traits: Mapping[str, NDArray[np.int32]]) -> Bools:
    """Who is of the segment that is harmed."""
    names = {"region": REGIONS, "age_band": AGES, "device": DEVICES}
    hit = np.ones(len(traits["region"]), dtype=np.bool_)
    for name, value in fault.segment.items():
        hit &= traits[name] == names[name].index(value)
    return hit


def _events(random: Random, fault: Fault, treated: Bools, since: Ints, hit: Bools) -> Table:
    """Live day by day: everyone opens and saves at a rate of their own."""
    who = np.arange(len(treated))
    keen = np.exp(0.5 * random.normal("keen", who))
    found: list[tuple[Ints, Ints, Ints]] = []
    for day in range(FIRST, LAST):
        for code, rate in ((0, 0.45 * keen), (1, 0.25 * keen)):
            user, at = _times(random, EVENTS[code], who, day, rate)
            kept = np.ones(len(user), dtype=np.bool_)
            if code == 1 and fault.harm:
                lost = random.chance("harm", fault.harm, user, day, at % 1_000_003)
                kept = ~(lost & treated[user] & hit[user] & (at >= since[user]))
            found.append((user[kept], at[kept], np.full(int(kept.sum()), code)))
            if code == 1:
                slips = kept & random.chance("slip", 0.03, user, day, at % 1_000_003)
                found.append((user[slips], at[slips] + 1_000_000, np.full(int(slips.sum()), 2)))
        if fault.lure and day >= 0:
            user, at = _times(random, "lured", who, day, 0.45 * keen * _lure(fault, day, since))
            kept = treated[user] & (at >= since[user])
            found.append((user[kept], at[kept], np.zeros(int(kept.sum()), dtype=np.int64)))
    whose, when, which = (np.concatenate(parts) for parts in zip(*found, strict=True))
    if fault.unlogged:
        lost = random.chance("unlogged", fault.unlogged, whose, 0, when % 1_000_003)
        lost &= treated[whose] & (when >= since[whose]) & np.isin(when // DAY, fault.days)
        whose, when, which = whose[~lost], when[~lost], which[~lost]
    order = np.argsort(when, kind="stable")
    return {
        "user": whose[order],
        "at": START + when[order].astype("timedelta64[us]"),
        "name": Categorical(which[order].astype(np.int32), EVENTS),
    }


def _lure(fault: Fault, day: int, since: Ints) -> Floats:
    days = np.maximum(day - since // DAY, 0)
    fades = np.exp(-days / fault.lure_days) if fault.lure_days else np.ones(len(since))
    return np.asarray(fault.lure * fades)


def _times(random: Random, name: str, who: Ints, day: int, rate: Floats) -> tuple[Ints, Ints]:
    """Whose event it is and when, for one day and one kind."""
    times = poisson(random.uniform(name, who, day), rate)
    user = np.repeat(who, times)
    which = np.arange(len(user)) - np.repeat(np.cumsum(times) - times, times)
    hour = random.uniform(f"{name} at", user, day, which)
    return user, day * DAY + (hour * DAY).astype(np.int64)


def _users(who: Ints, traits: Mapping[str, NDArray[np.int32]]) -> Table:
    return {
        "user": who,
        "region": Categorical(traits["region"], REGIONS),
        "age_band": Categorical(traits["age_band"], AGES),
        "device": Categorical(traits["device"], DEVICES),
    }


def _exposures(random: Random, fault: Fault, who: Ints, treated: Bools, since: Ints) -> Table:
    unseen = treated & random.chance("unexposed", fault.unexposed, who)
    kept = np.flatnonzero(~unseen)
    return {
        "user": who[kept],
        "at": START + since[kept].astype("timedelta64[us]"),
        "arm": Categorical(treated[kept].astype(np.int32), ("off", "on")),
    }
