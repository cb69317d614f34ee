"""The one scan: events joined to who is compared, added up by user and day since exposure.

Everything the readings ask of events, but for samples, quantiles and funnels, comes from this one
table. It is additive: the next look's new day is only added to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

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
        columns: Part to (n,) sums, 0 for users without events; 0 or 1 where the part is positive.
        first_day: (n,) earliest day with any event, at most `PRE_DAYS` (or the mirror) back; the
            largest integer for users without one.
    """

    columns: Mapping[Part, FloatArray]
    first_day: IntArray
    query: str


@dataclass(frozen=True, slots=True)
class DailyRows:
    """Sums over users by arm and day: (A, D) rows, sums and centred second moments."""

    moments: Mapping[tuple[Primitive, ...], Moments]
    active: IntArray
    observed: IntArray
    query: str


@dataclass(frozen=True, slots=True)
class Rollup:
    """The table in the engine, one row a user and day with events; `p0, p1, …` by primitive."""

    table: ibis.Table
    names: Mapping[Primitive, str]
    population: Population
    back: int

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
        sums = {
            f"s{i}": t[self.names[part.primitive]].sum(
                where=(t.day >= part.first) & (t.day < part.last)
            )
            for i, part in enumerate(wanted)
        }
        expr = t.group_by("uid").agg(first_day=t.day.min(), **sums)
        rows, key = tape.read("sums per user", expr, after=("population", "rollup"))
        uid = rows["uid"].to_numpy()
        n = self.population.n
        columns: dict[Part, FloatArray] = {}
        for i, part in enumerate(wanted):
            values = np.zeros(n)
            values[uid] = rows[f"s{i}"].fill_null(0.0).to_numpy()
            columns[part] = (values > 0).astype(np.float64) if part.positive else values
        first = np.full(n, np.iinfo(np.int32).max, dtype=np.int64)
        first[uid] = rows["first_day"].to_numpy()
        return Units(columns, first, key)

    def daily(self, tape: Tape, recipes: Mapping[str, Recipe]) -> DailyRows:
        """Add up over users, by arm and day, among those observed to the end of the day."""
        t = self.table.join(self.population.table.select("uid", "code", "exposed"), "uid")
        whole = (t.exposed + (t.day.cast("int64") + 1) * DAY) <= self.population.frame.until
        t = t.filter((t.day >= 0) & whole)
        wanted = tuple(dict.fromkeys(recipe.daily for recipe in recipes.values() if recipe.daily))
        needed = tuple(dict.fromkeys(p for daily in wanted for p in daily))
        terms = {"active": t.count()}
        for p in needed:
            name = self.names[p]
            terms[f"m_{name}"] = t[name].mean()
            terms[f"v_{name}"] = t[name].var(how="pop")
        for one, two in (daily for daily in wanted if len(daily) == 2):
            a, b = self.names[one], self.names[two]
            terms[f"c_{a}_{b}"] = t[a].cov(t[b], how="pop")
        expr = t.group_by("code", "day").agg(**terms)
        rows, key = tape.read("sums by arm and day", expr, after=("population", "rollup"))
        return self._daily_arrays(rows, wanted, key)

    def _daily_arrays(
        self, rows: pa.Table, wanted: tuple[tuple[Primitive, ...], ...], key: str
    ) -> DailyRows:
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
            [
                np.bincount(np.clip(seen[self.population.arm == a], 0, last), minlength=last + 1)
                for a in range(arms)
            ]
        )
        observed = counts[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:]
        moments: dict[tuple[Primitive, ...], Moments] = {}
        for daily in wanted:
            names = [self.names[p] for p in daily]
            present = _with_constants(active, names, grid)
            absent = Moments.empty(shape, 4)
            absent.mean[..., 1] = 0.0 if len(daily) == 2 else 1.0
            absent.mean[..., 3] = 1.0
            zeros = Moments(observed - active, absent.mean, absent.comoment)
            moments[daily] = present + zeros
        return DailyRows(moments, active.astype(np.int64), observed.astype(np.int64), key)


def _with_constants(active: FloatArray, names: list[str], grid: object) -> Moments:
    get = grid
    assert callable(get)  # noqa: S101
    mean = np.zeros((*active.shape, 4))
    mean[..., 1] = mean[..., 3] = 1.0
    comoment = np.zeros((*active.shape, 4, 4))
    for column, name in enumerate(names):
        mean[..., column] = get(f"m_{name}")
        comoment[..., column, column] = get(f"v_{name}") * active
    if len(names) == 2:
        cross = get(f"c_{names[0]}_{names[1]}") * active
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
    since = micros(joined.time) - joined.exposed
    joined = joined.filter((since >= -back * DAY) & (micros(joined.time) < population.frame.until))
    joined = joined.mutate(
        day=day_since(micros(joined.time), joined.exposed),
        since=micros(joined.time) - joined.exposed,
    )
    expr = joined.group_by("uid", "day").agg(
        **{name: aggregate(joined, p, joined.since) for p, name in names.items()}
    )
    table = tape.step("rollup", expr, after=("population",))
    return Rollup(table, names, population, back)
