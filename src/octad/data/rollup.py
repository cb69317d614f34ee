"""The one scan: events joined to who is compared, added up by user and day since exposure.

Everything the readings ask of events, but for samples, quantiles and funnels, comes from this one
table. It is additive: the next look's new day is only added to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
from numpy.typing import NDArray

from octad.data.clock import DAY, day_since, micros
from octad.data.days import DayRows
from octad.data.population import Population
from octad.data.primitives import PRE_DAYS, Part, Primitive, Recipe, aggregate
from octad.data.tape import Tape

__all__ = ["ACTIVE", "DailyRows", "Rollup", "Units", "roll_up"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

ACTIVE = Primitive()
"""Every event: whether a user was there at all."""


@dataclass(frozen=True, slots=True)
class Units:
    """Sums per user.

    Attributes:
        columns: Part to (n,) numbers, 0 for users without events.
        first_day: (n,) earliest day with any event, as far back as the scan looked; the largest
            integer for users without one.
    """

    columns: Mapping[Part, FloatArray]
    first_day: IntArray
    query: str


@dataclass(frozen=True, slots=True)
class DailyRows:
    """Users' days since exposure on which they did anything.

    Attributes:
        metrics: By metric, one row a user and day.
        uid: (rows,) `day` (rows,) the users and days.
    """

    metrics: Mapping[str, DayRows]
    uid: IntArray
    day: IntArray
    query: str


@dataclass(frozen=True, slots=True)
class Rollup:
    """The table in the engine, one row a user and day with events; `p0, p1, …` by primitive."""

    table: ibis.Table
    names: Mapping[Primitive, str]
    population: Population

    @property
    def days(self) -> int:
        """Days since exposure that anybody was observed, the last one perhaps not whole."""
        frame = self.population.frame
        return max(1, -(-(frame.until - int(self.population.exposed.min())) // DAY))

    def observed_days(self) -> IntArray:
        """(n,) whole days since exposure that each user was observed."""
        return np.asarray((self.population.frame.until - self.population.exposed) // DAY)

    def units(self, tape: Tape, parts: Iterable[Part]) -> Units:
        """Add up over days, per user."""
        wanted = tuple(dict.fromkeys(parts))
        t = self.table

        def term(part: Part) -> Any:
            inside = (t.day >= part.first) & (t.day < part.last)
            value = t[self.names[part.primitive]]
            if part.how == "days":
                return t.count(where=inside & (value > 0)).cast("float64")
            return value.sum(where=inside)

        sums = {f"s{i}": term(part) for i, part in enumerate(wanted)}
        expr = t.group_by("uid").agg(first_day=t.day.min(), **sums)
        rows, key = tape.read("sums per user", expr)
        uid = rows["uid"].to_numpy()
        n = self.population.n
        columns: dict[Part, FloatArray] = {}
        for i, part in enumerate(wanted):
            values = np.zeros(n)
            values[uid] = rows[f"s{i}"].fill_null(0.0).to_numpy()
            columns[part] = (values > 0).astype(np.float64) if part.how == "any" else values
        first = np.full(n, np.iinfo(np.int32).max, dtype=np.int64)
        first[uid] = rows["first_day"].to_numpy()
        return Units(columns, first, key)

    def daily(self, tape: Tape, recipes: Mapping[str, Recipe]) -> DailyRows:
        """Bring the days since exposure over, with what is drawn by day."""
        drawn = {name: recipe for name, recipe in recipes.items() if recipe.daily}
        t = self.table.filter(self.table.day >= 0)
        wanted = dict.fromkeys(self.names[p] for r in drawn.values() for p in r.daily)
        rows, key = tape.read("users' days since exposure", t.select("uid", "day", *wanted))
        uid = rows["uid"].to_numpy().astype(np.int64)
        day = rows["day"].to_numpy().astype(np.int64)
        metrics = {}
        for name, recipe in drawn.items():
            values = [rows[self.names[p]].to_numpy() for p in recipe.daily]
            if recipe.daily_any:
                values = [(v > 0).astype(np.float64) for v in values]
            metrics[name] = DayRows(uid, day, values[0], values[1] if len(values) == 2 else None)
        return DailyRows(metrics, uid, day, key)


def roll_up(
    tape: Tape,
    population: Population,
    events: ibis.Table,
    primitives: Iterable[Primitive],
    *,
    back: int = PRE_DAYS,
) -> Rollup:
    """Read the events once.

    Args:
        tape: Runs the query and keeps its text.
        population: Who is compared.
        events: user, time, event, and whatever the primitives name.
        primitives: What to add up; `ACTIVE` always is.
        back: Days before exposure that are kept.
    """
    wanted = tuple(dict.fromkeys([ACTIVE, *primitives]))
    names = {p: f"p{i}" for i, p in enumerate(wanted)}
    who = population.table.select("uid", "user", "exposed")
    joined = events.join(who, "user")
    at = micros(joined.time)
    since = at - joined.exposed
    joined = joined.filter((since >= -back * DAY) & (at < population.frame.until))
    joined = joined.mutate(
        day=day_since(micros(joined.time), joined.exposed),
        since=micros(joined.time) - joined.exposed,
    )
    expr = joined.group_by("uid", "day").agg(
        **{name: aggregate(joined, p, joined.since) for p, name in names.items()}
    )
    table = tape.step("rollup", expr)
    return Rollup(table, names, population)
