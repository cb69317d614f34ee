"""The one scan: events joined to who is compared, added up by user and day since exposure.

Everything the readings ask of events, but for samples, quantiles and funnels, comes from this one
table. It is additive: the next look's new day is only added to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from octad.data.clock import DAY, day_since, micros
from octad.data.population import Population
from octad.data.primitives import PRE_DAYS, Part, Primitive, Recipe, aggregate
from octad.data.tape import Tape
from octad.stats.moments import Moments

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
    """Sums over users by arm and day: shape (A, D).

    Attributes:
        moments: By metric; columns `octad.model.inputs.COLUMNS`, no pre-period.
        active: Users with any event on the day, of the `observed`.
    """

    moments: Mapping[str, Moments]
    active: IntArray
    observed: IntArray
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
        """Add up over users, by arm and day, among those observed to the end of the day."""
        t = self.table.join(self.population.table.select("uid", "code", "exposed"), "uid")
        whole = (t.exposed + (t.day.cast("int64") + 1) * DAY) <= self.population.frame.until
        t = t.filter((t.day >= 0) & whole)
        drawn = {name: recipe for name, recipe in recipes.items() if recipe.daily}
        terms: dict[str, Any] = {"active": t.count()}
        for recipe in drawn.values():
            keys = [self._key(p, recipe) for p in recipe.daily]
            values = [
                (t[self.names[p]] > 0).cast("float64") if recipe.daily_any else t[self.names[p]]
                for p in recipe.daily
            ]
            for key, value in zip(keys, values, strict=True):
                terms[f"m_{key}"] = value.mean()
                terms[f"v_{key}"] = value.var(how="pop")
            if len(values) == 2:
                terms[f"c_{keys[0]}_{keys[1]}"] = values[0].cov(values[1], how="pop")
        expr = t.group_by("code", "day").agg(**terms)
        rows, key = tape.read("sums by arm and day", expr)
        return self._daily_arrays(rows, drawn, key)

    def _key(self, primitive: Primitive, recipe: Recipe) -> str:
        return self.names[primitive] + ("any" if recipe.daily_any else "")

    def _daily_arrays(self, rows: pa.Table, drawn: Mapping[str, Recipe], query: str) -> DailyRows:
        arms = len(self.population.arms)
        seen = self.observed_days()
        last = int(seen.max(initial=0))
        shape = (arms, last)
        at = (rows["code"].to_numpy(), rows["day"].to_numpy())

        def grid(column: str) -> FloatArray:
            out = np.zeros(shape)
            out[at] = rows[column].fill_null(0.0).to_numpy()
            return out

        active = grid("active")
        counts = np.stack(
            [np.bincount(seen[self.population.arm == a], minlength=last + 1) for a in range(arms)]
        )
        observed = counts[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:]
        moments: dict[str, Moments] = {}
        for name, recipe in drawn.items():
            keys = [self._key(p, recipe) for p in recipe.daily]
            present = _with_constants(active, keys, grid)
            absent = Moments.empty(shape, 4)
            absent.mean[..., 1] = 0.0 if len(keys) == 2 else 1.0
            absent.mean[..., 3] = 1.0
            # Users without any event on the day have no row, and a number of 0.
            zeros = Moments(observed - active, absent.mean, absent.comoment)
            moments[name] = present + zeros
        return DailyRows(moments, active.astype(np.int64), observed.astype(np.int64), query)


def _with_constants(
    active: FloatArray, keys: list[str], grid: Callable[[str], FloatArray]
) -> Moments:
    mean = np.zeros((*active.shape, 4))
    mean[..., 1] = mean[..., 3] = 1.0
    comoment = np.zeros((*active.shape, 4, 4))
    for column, key in enumerate(keys):
        mean[..., column] = grid(f"m_{key}")
        comoment[..., column, column] = grid(f"v_{key}") * active
    if len(keys) == 2:
        cross = grid(f"c_{keys[0]}_{keys[1]}") * active
        comoment[..., 0, 1] = comoment[..., 1, 0] = cross
    return Moments(active, mean, comoment)


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
