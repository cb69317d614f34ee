"""The search of combinations of three values, its tables made in the engine.

`octad.stats.lattice` reads users; here each table that it would make of them is a query, and what
it makes of the tables is the same. A table has a cell for every combination of a few attributes'
values, kept so coarse that a cell holds some dozen users.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import special

from octad.data.deep import MOST_EACH, Deep, deep_of, searchable, shallowest, silent
from octad.data.sql.cells import Cut, chosen
from octad.data.sql.layout import ROLES, Key
from octad.data.sql.slices import Sliced
from octad.data.sql.units import Units
from octad.data.tape import Tape
from octad.model.plan import Plan
from octad.stats.lattice import finding_half
from octad.stats.lattice_grid import Column, Grid, Group
from octad.stats.lattice_scan import Scan, scan
from octad.stats.lattice_scores import HarmScore
from octad.stats.levels import ROUNDING, divide
from octad.stats.moments import Moments
from octad.stats.refusal import NotEstimable
from octad.stats.segments import EXPLORE, FEWEST_USERS

__all__ = ["deepened"]

FloatArray = NDArray[np.float64]
_USERS_A_CELL = 100
"""The walk makes its tables at most a 1/25th of the rows that it is told of."""


@dataclass(frozen=True, slots=True)
class _Weights:
    """A user's outcome as a sum over y, d, x and w; large is bad."""

    of: Mapping[str, float]

    def outcome(self, table: Any) -> Any:
        """As an expression over a table with the four columns."""
        first, *rest = [table[role] * weight for role, weight in self.of.items()]
        total = first
        for term in rest:
            total = total + term
        return total

    def value(self, row: Mapping[str, float]) -> float:
        """Of one user."""
        return sum(weight * row[role] for role, weight in self.of.items())


def weights(moments: Moments, sign: float) -> _Weights:
    """What `octad.stats.lattice.outcomes` does to each user, from moments by arm.

    That is (y − R·d) − θ·(x − S·w): R and S from the sums of all, θ from the covariance within
    arms.

    Args:
        moments: (2,) control and treatment, columns y, d, x, w.
        sign: -1 where more is better.
    """
    total = (moments.n[:, None] * moments.mean).sum(axis=0)
    y, d, x, w = total
    ratio, before = float(divide(y, d)), float(divide(x, w))
    after_row = np.array([1.0, -ratio, 0.0, 0.0])
    before_row = np.array([0.0, 0.0, 1.0, -before])
    both = moments.linear(np.stack([after_row, before_row])).comoment.sum(axis=0)
    squares = (moments.comoment[:, 2, 2] + moments.n * moments.mean[:, 2] ** 2).sum()
    row = after_row
    if both[1, 1] > ROUNDING * squares:
        row = after_row - float(both[0, 1] / both[1, 1]) * before_row
    return _Weights(dict(zip(ROLES, (sign * row).tolist(), strict=True)))


@dataclass(frozen=True, slots=True)
class _Sought:
    """One metric in one arm, to be searched.

    Attributes:
        key: The metric; `cut` where it is cut.
        treated: The arm's code.
        half: (B,) the buckets on which harm is found.
        weighed: Each user's outcome; `nothing` that of a user without a row.
    """

    key: Key
    cut: Cut
    treated: int
    half: NDArray[np.bool_]
    weighed: _Weights
    nothing: float


@dataclass(frozen=True, slots=True)
class _Tables:
    """Tables of all that is searched, each made by one query when it is first asked for.

    Attributes:
        rows: search (its number), side (0 control, 1 treatment), h (the outcome, centred and
            scaled), and a code for each attribute, ``k0, k1, …``, 0 where it makes no slice.
    """

    tape: Tape
    rows: ibis.Table
    made: dict[Group, pa.Table]

    def of(self, block: Group, search: int) -> pa.Table:
        """The cells of one search."""
        if block not in self.made:
            t = self.rows
            sums = {"n": t.count(), "s": t.h.sum(), "ss": (t.h * t.h).sum()}
            grouped = t.group_by("search", "side", *(f"k{a}" for a in block)).agg(**sums)
            what = "combinations of attributes, searched for harm"
            self.made[block] = self.tape.read(what, grouped)[0]
        found = self.made[block]
        return found.filter(pa.array(found["search"].to_numpy() == search))


@dataclass(frozen=True, slots=True)
class _EngineGrid(Grid):
    """A grid whose rows stay in the engine.

    Attributes:
        tables: Where its tables come from; `search` which of them are its own.
        mute: For each attribute, whether some values make no slice.
    """

    tables: _Tables
    search: int
    mute: tuple[bool, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "hidden", self.mute)

    def table(self, block: Group, columns: Sequence[Column]) -> FloatArray:
        """(columns, leads, *widths): users, and the sums of h and of h² in every cell."""
        got = self.tables.of(block, self.search)
        out = np.zeros((len(columns), self.leads, *(self.width(a) for a in block)))
        at = tuple(got[c].to_numpy() for c in ("side", *(f"k{a}" for a in block)))
        for row, name in zip(out, ("n", "s", "ss"), strict=True):
            row[at] = got[name].to_numpy()
        return out


def deepened(
    tape: Tape,
    plan: Plan,
    units: Units,
    sliced: Sliced,
    cuts: Mapping[Key, Cut],
    whole: Mapping[Key, Moments],
) -> Deep:
    """Search every combination of three values (or two) that is not a slice yet.

    Args:
        tape: Runs the queries.
        plan: For the metrics' direction and the halving.
        units: The users' numbers, with the codes of attributes beside them.
        sliced: The slices there are.
        cuts: The metrics in which harm is looked for, each with where it is cut.
        whole: Their moments by arm and bucket.
    """
    every = sliced.chosen.whole
    numbers = searchable([a.values for a in sliced.attributes], whole=every)
    asked = [
        sought
        for key, cut in cuts.items()
        for treated in range(1, len(units.seen.people.arms))
        if numbers and (sought := _sought(plan, units, key, cut, whole[key], treated)) is not None
    ]
    if not asked:
        return Deep((), (), 0)
    attributes = [(sliced.attributes[i].name, sliced.attributes[i].values) for i in numbers]
    parts = [
        _rows(tape, units, sliced, numbers, search, sought) for search, sought in enumerate(asked)
    ]
    rows = tape.step("sought", ibis.union(*parts) if len(parts) > 1 else parts[0])
    values = [values for _, values in attributes]
    return deep_of(
        sliced.slices, attributes, _scans(tape, rows, values, len(asked), every=every), whole=every
    )


def _sought(
    plan: Plan, units: Units, key: Key, cut: Cut, whole: Moments, treated: int
) -> _Sought | None:
    """None where the users fall into too few buckets for halves."""
    arms = np.array([0, treated])
    unit = units.units[units.number(key)]
    try:
        half = finding_half(units.ended[unit.reach][arms].sum(axis=0) > 0, plan.launch.halving)
    except NotEstimable:
        return None
    sign = -1.0 if plan.metric(key[1]).better == "up" else 1.0
    weighed = weights(whole[arms][:, half].total(1), sign)
    one = float(unit.plain)
    nothing = weighed.value({"y": 0.0, "d": one, "x": 0.0, "w": one})
    return _Sought(key, cut, treated, half, weighed, nothing)


def _rows(
    tape: Tape, units: Units, sliced: Sliced, numbers: Sequence[int], search: int, sought: _Sought
) -> ibis.Table:
    """Each user of the finding half: side, outcome and codes."""
    unit = units.units[units.number(sought.key)]
    own = chosen(tape, units, {sought.key: sought.cut}, f"sought_cuts_{search}")
    own = own.select(_uid=own.uid, h=sought.weighed.outcome(own))
    t = sliced.table
    buckets = np.flatnonzero(sought.half).tolist()
    t = t.filter(t.code.isin([0, sought.treated]) & t.bucket.isin(buckets))
    if unit.reach is not None:
        t = t.filter(units.seen.people.has_ended(t, unit.reach))
    t = t.left_join(own, t.uid == own["_uid"])
    names = [sliced.attributes[i].values for i in numbers]
    codes = {
        f"k{j}": _spoken(t[f"c{i}"], values)
        for j, (i, values) in enumerate(zip(numbers, names, strict=True))
    }
    return t.select(
        search=ibis.literal(search, "int32"),
        side=ibis.ifelse(t.code == 0, 0, 1).cast("int32"),
        h=t.h.fill_null(sought.nothing),
        **codes,
    )


def _spoken(code: Any, values: Sequence[str]) -> Any:
    """A code as the walk has it: 0 for values of which nothing is known, where there are any."""
    hush = silent(values)
    if not hush.any():
        return code
    quiet = [i for i, mute in enumerate(hush) if mute]
    return ibis.ifelse(code.isin(quiet), 0, code + 1).cast("int32")


def _scans(
    tape: Tape,
    rows: ibis.Table,
    attributes: Sequence[Sequence[str]],
    searches: int,
    *,
    every: bool,
) -> Iterator[Scan]:
    """Walk each search; outcomes are counted from their mean, in units of their largest."""
    ends, _ = tape.read(
        "outcomes of the finding half",
        rows.group_by("search", "side").agg(
            n=rows.count(), s=rows.h.sum(), low=rows.h.min(), high=rows.h.max()
        ),
    )
    found = [_Ends.of(ends, search) for search in range(searches)]
    scales = tape.place(
        "sought_scales",
        pa.table(
            {
                "search": pa.array(range(searches), pa.int32()),
                "centre": pa.array([e.centre for e in found], pa.float64()),
                "scale": pa.array([e.scale for e in found], pa.float64()),
            }
        ),
    )
    joined = rows.join(scales, "search")
    joined = joined.mutate(h=(joined.h - joined.centre) / joined.scale).drop("centre", "scale")
    tables = _Tables(tape, joined, {})
    none = np.zeros(0)
    for search, own in enumerate(found):
        grid = _EngineGrid(
            codes=(),
            sizes=tuple(len(values) for values in attributes),
            lead=np.zeros(own.n // _USERS_A_CELL, dtype=np.int64),
            leads=2,
            tables=tables,
            search=search,
            mute=tuple(bool(silent(values).any()) for values in attributes),
        )
        score = HarmScore(
            h=none,
            total=grid.table((), (Column(None), Column(none), Column(none))),
            top=own.top,
            floor=np.full(2, np.inf),
            fewest=float(max(FEWEST_USERS, 2)),
            rest=False,
        )
        yield scan(
            grid,
            score,
            keep=MOST_EACH,
            deepest=3,
            shallowest=shallowest(whole=every),
            least=float(special.ndtri(1 - EXPLORE)),
            distinct=True,
        )


@dataclass(frozen=True, slots=True)
class _Ends:
    """The mean of a search's outcomes, and how far they reach on each side."""

    n: int
    centre: float
    scale: float
    top: FloatArray

    @classmethod
    def of(cls, ends: pa.Table, search: int) -> _Ends:
        """From users, sums and extremes by search and side."""
        mine = ends.filter(pa.array(ends["search"].to_numpy() == search))
        side, n, s, low, high = (mine[c].to_numpy() for c in ("side", "n", "s", "low", "high"))
        users = int(n.sum())
        centre = float(s.sum() / users) if users else 0.0
        reach = np.concatenate([np.abs(low - centre), np.abs(high - centre)])
        scale = float(reach.max(initial=0.0)) or 1.0
        top = np.zeros(2)
        # Large is bad: of the treated the highest, of the control the lowest, turned around.
        top[side] = np.maximum(np.where(side == 1, high - centre, centre - low) / scale, 0.0)
        return cls(users, centre, scale, top)
