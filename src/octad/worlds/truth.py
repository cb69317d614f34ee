"""Truth is read off, not written down: the same world is lived on under both arms.

Both futures share every draw, so their difference is what the launch did to these very people,
with almost no noise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, TypeVar

import numpy as np

from octad.worlds.base import Bools, Floats, Ints, Random
from octad.worlds.change import Change, Rollout
from octad.worlds.faults import Faults
from octad.worlds.harms import Futures, gained, harms, measured, shown_within
from octad.worlds.launches import Launched
from octad.worlds.life import TRANSFER, Life, Sessions
from octad.worlds.people import AGE_BANDS, DEVICES, REGIONS, TENURES, People, born
from octad.worlds.right import POWER, judge
from octad.worlds.tally import SPREAD, Tally, Year

__all__ = ["LATER", "before", "both_arms", "by_day", "effects", "later", "read", "years"]

LATER = {"day 90": (83, 97), "day 180": (166, 194), "day 364": (337, 365)}
"""Spans of days since exposure over which the launch's later effect is averaged."""
YEAR_PEOPLE = 12_000
"""How many people are followed for the year, from the same first ones in a world of any size."""
_ATTRIBUTES = {
    "region": REGIONS,
    "age_band": AGE_BANDS,
    "device_class": DEVICES,
    "tenure": TENURES,
}
_CODES = {"age_band": "age", "device_class": "device"}
HEAVY = 0.9
"""The quantile of needs above which people are heavy users."""
_SOME = 20
SMALLEST = 0.05
"""The share of people below which a segment is not judged."""

_COUNTS = ("opens", "payments", "transfers", "retained")
_RATES = {"crash_rate": ("crashes", "all_opens"), "pay_success": ("good", "payments")}


_Arm = TypeVar("_Arm", Tally, Year)


def both_arms(start: Life, days: int) -> tuple[Tally, Tally]:
    """Live on from the launch's start with everyone off, and with everyone on.

    Args:
        start: The world at the start of day 0; it is left as it was.
        days: How many days to live.
    """
    amount = _amounts(start.random, start.people)
    return _lived(start, days, lambda life: Tally(life.state.since, days, amount))


def years(start: Life, days: int = Year.DAYS) -> tuple[Year, Year]:
    """Live on as `both_arms`, for the figures of a whole year since exposure.

    Args:
        start: The world at the start of day 0; it is left as it was.
        days: How many days since exposure to live at least.
    """
    rollout = start.rollout
    enrolment = min(rollout.closes, len(rollout.reach) + 7)
    return _lived(start, days + enrolment, lambda life: Year(life.state.since, life.people.amount))


def _lived(start: Life, days: int, tallied: Callable[[Life], _Arm]) -> tuple[_Arm, _Arm]:
    lives = [start.branch(np.full(len(start.people), arm)) for arm in (False, True)]
    off, on = (tallied(life) for life in lives)
    for day in range(days):  # day by day, so that the arms share what they draw alike
        for life, tally in zip(lives, (off, on), strict=True):
            tally.add(life.day(day))
    return off, on


def _amounts(random: Random, people: People) -> Callable[[Sessions, Ints], Floats]:
    """What each session's payment is worth, by the very draws that the event log writes."""

    def amount(s: Sessions, rows: Ints) -> Floats:
        user, kind = s.user[rows], s.kind[rows]
        typical = people.amount[user] + np.where(kind == TRANSFER, 1.1, 0.0)
        u = random.normal("amount", user * 5 + kind, s.day, s.turn[rows])
        return np.asarray(np.exp(typical + SPREAD * u))

    return amount


def effects(off: Tally, on: Tally, who: Bools) -> dict[str, float]:
    """Relative effects on the metrics among some people: 0.05 is five per cent more."""
    found = {name: _relative(off.value(name)[who], on.value(name)[who]) for name in _COUNTS}
    for name, (up, down) in _RATES.items():
        rates = [t.value(up)[who].sum() / max(t.value(down)[who].sum(), 1.0) for t in (off, on)]
        found[name] = round(float(rates[1] / rates[0] - 1), 5) if rates[0] else 0.0
    return found


def by_day(off: Tally, on: Tally, days: int) -> dict[str, list[float]]:
    """Relative effects on each of the first days since exposure."""
    return {
        name: [_relative(off.by_day[name][[d]], on.by_day[name][[d]]) for d in range(days)]
        for name in off.by_day
    }


def later(off: Year, on: Year, spans: Mapping[str, tuple[int, int]]) -> dict[str, dict[str, float]]:
    """Relative effects long after.

    Args:
        off: The year without the launch.
        on: The year with it.
        spans: Name to a span of days since exposure, the last excluded.
    """
    return {
        name: {
            metric: _relative(off.by_day[metric][first:last], on.by_day[metric][first:last])
            for metric in off.by_day
        }
        for name, (first, last) in spans.items()
    }


def before(
    random: Random, people: int, change: Change, rollout: Rollout, faults: Faults | None = None
) -> Life:
    """The first `people` of a world, at the launch's start, after four weeks without it."""
    nobody = np.zeros(people, dtype=np.bool_)
    life = Life(random, born(random, people), change, rollout, nobody, faults)
    for day in range(-28, 0):
        life.day(day)
    return life


def _relative(off: Floats, on: Floats) -> float:
    before = float(off.sum())
    return round(float(on.sum()) / before - 1, 5) if before else 0.0


def read(start: Life, launched: Launched, days: int) -> dict[str, Any]:
    """All that is true of a launch, for `truth.json`.

    Args:
        start: The world at the start of day 0; it is left as it was.
        launched: What was launched.
        days: How many days the plan's own tables reach.
    """
    people, change, faults = start.people, launched.change, launched.faults
    off, on = both_arms(start, days)
    ever = (off.since >= 0) & ~people.staff
    groups = {
        "everyone": ever,
        "north, 60 and over": ever & people.fragile,
        **{f"tenure {t}": ever & (people.tenure == i) for i, t in enumerate(TENURES)},
    }
    year = years(before(start.random, _followed(people), change, launched.rollout, faults))
    return {
        "world": launched.world,
        "kind": launched.kind or launched.world,
        "strength": launched.strength,
        "launch": launched.launch,
        "seed": start.random.seed,
        "users": len(people),
        **_judged(launched, start, (off, on), year),
        "harmed": dict(launched.harmed),
        "line_crossed": launched.line_crossed,
        "relative_effects": {name: effects(off, on, who) for name, who in groups.items()},
        "people": {name: int(who.sum()) for name, who in groups.items()},
        "by_day": by_day(off, on, 28),
        "later": later(*year, LATER),
        "shamed": round(float((on.value("shamed")[ever] > 0).mean()), 5),
        "met_blank_feed": round(float((on.value("blanks")[ever] > 0).mean()), 5),
        "mechanism": {**asdict(change), "slow": list(change.slow)},
    }


def _followed(people: People) -> int:
    """How many to follow for the year: in a tiny world, its own; else always the same number."""
    return len(people) if len(people) < YEAR_PEOPLE / 6 else YEAR_PEOPLE


def _judged(
    launched: Launched, start: Life, window: tuple[Tally, Tally], year: tuple[Year, Year]
) -> dict[str, Any]:
    """What is harm and what is good in it, whether these users show it, and what is right."""
    aims, faults, treated = launched.aims, launched.faults, launched.rollout.treated
    now = _futures(launched, start.people, window, treated)
    followed = start.people if len(year[0].since) == len(start.people) else None
    late = _futures(launched, followed or born(start.random, len(year[0].since)), year, treated)
    core = launched.core if launched.change.instead else {}
    harm = harms(aims, core, now, late)
    if launched.line_crossed:
        harm.append(_crossed(launched.line_crossed, window[1], now.groups["everyone"], treated))
    gain = gained(aims, late)
    good = not harm and gain != "none"
    shown = shown_within(aims, now)
    n = int(now.groups["everyone"].sum())
    seen = max((float(h["power"]) for h in harm), default=0.0) if harm else shown
    if faults.trust == "fails" and not faults.shows(n):
        seen = 0.0  # a comparison that fails unseen shows nothing, however many users it has
    found = {
        "design": launched.design,
        "trust": faults.trust,
        "trust_visible": faults.trust == "fails" and faults.shows(n),
        "randomised": faults.randomised,
        **measured(now, late),
        "harm": harm,
        "gain": gain,
        "good": good,
        "power": round(seen, 4),
        "visible": seen >= POWER,
    }
    verdict = judge(found)
    return {
        **found,
        "right": list(verdict.right),
        "rule": verdict.why,
        "errors": dict(verdict.errors),
        "verdict": launched.verdict or verdict.right[0],
        "why": list(launched.why),
    }


def _crossed(line: str, on: Tally, who: Bools, treated: float) -> dict[str, Any]:
    """A line of the charter that is crossed; it is visible when more than a few met it."""
    met = float((on.value("shamed")[who] > 0).mean())
    return {
        "what": "line crossed",
        "metric": None,
        "who": line,
        "year": None,
        "window": round(met, 5),
        "se": None,
        "power": 1.0 if met * who.sum() * treated >= _SOME else 0.0,
        "by": "reading",
    }


def _futures(
    launched: Launched,
    people: People,
    arms: tuple[Tally, Tally] | tuple[Year, Year],
    treated: float,
) -> Futures:
    off, on = arms
    who = (off.since >= 0) & ~people.staff
    groups = {"everyone": who}
    for attribute in launched.aims.segments:
        codes = getattr(people, _CODES.get(attribute, attribute))
        for code, name in enumerate(_ATTRIBUTES[attribute]):
            inside = who & (codes == code)
            if inside.sum() >= SMALLEST * who.sum():
                groups[f"{attribute}={name}"] = inside
    often = people.pay + people.transfer + people.balance
    groups["heavy users"] = who & (often > np.quantile(often, HEAVY))
    if launched.change.farms:
        groups["all but farms"] = who & ~people.farms(launched.change.farms)
    return Futures(off.sums(), on.sums(), groups, treated)
