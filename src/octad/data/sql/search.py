"""The search of combinations of three values, its tables made in the engine.

`octad.stats.lattice` reads users; here each table that it would make of them is a query, and what
it makes of the tables is the same. A table has a cell for every combination of a few attributes'
values, kept so coarse that a cell holds some dozen users.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
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
from octad.stats.lattice_scan import Column, Grid, Group, Scan, scan
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
class _EngineGrid(Grid):
    """A grid whose rows stay in the engine.

    Attributes:
        tape: Runs the queries.
        rows: side (0 control, 1 treatment), the outcome h, and a code for each attribute,
            ``k0, k1, …``, 0 where its value makes no slice.
        centre, scale: The outcome is counted from `centre` in units of `scale`.
        mute: For each attribute, whether some values make no slice.
    """

    tape: Tape
    rows: ibis.Table
    centre: float
    scale: float
    mute: tuple[bool, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "hidden", self.mute)

    def table(self, block: Group, columns: Sequence[Column]) -> FloatArray:
        """(columns, leads, *widths): users, and the sums of h and of h² in every cell."""
        h = (self.rows.h - self.centre) / self.scale
        t = self.rows.mutate(h=h)
        codes = [f"k{a}" for a in block]
        got, _ = self.tape.read(
            "combinations of attributes, searched for harm",
            t.group_by("side", *codes).agg(n=t.count(), s=t.h.sum(), ss=(t.h * t.h).sum()),
        )
        out = np.zeros((len(columns), self.leads, *(self.width(a) for a in block)))
        at = tuple(got[c].to_numpy() for c in ("side", *codes))
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
    names = [(a.name, a.values) for a in sliced.attributes]
    every = sliced.chosen.whole
    numbers = searchable([values for _, values in names], whole=every)
    if not numbers:
        return Deep((), (), 0)
    attributes = [names[i] for i in numbers]

    def scans() -> Iterator[Scan]:
        for key in cuts:
            for treated in range(1, len(units.seen.people.arms)):
                with suppress(NotEstimable):
                    yield _search(tape, plan, units, sliced, key, cuts[key], whole[key], treated)

    return deep_of(sliced.slices, attributes, scans(), whole=every)


def _search(
    tape: Tape,
    plan: Plan,
    units: Units,
    sliced: Sliced,
    key: Key,
    cut: Cut,
    whole: Moments,
    treated: int,
) -> Scan:
    arms = [0, treated]
    unit = units.units[units.number(key)]
    held = units.ended[unit.reach][arms].sum(axis=0) > 0
    half = finding_half(held, plan.launch.halving)
    sign = -1.0 if plan.metric(key[1]).better == "up" else 1.0
    weighed = weights(whole[np.array(arms)][:, half].total(1), sign)
    nothing = {"y": 0.0, "d": float(unit.plain), "x": 0.0, "w": float(unit.plain)}
    own = chosen(tape, units, {key: cut}, "sought_cuts")
    own = own.select(_uid=own.uid, h=weighed.outcome(own))
    names = [a.values for a in sliced.attributes]
    numbers = searchable(names, whole=sliced.chosen.whole)
    t = sliced.table
    t = t.filter(t.code.isin(arms) & t.bucket.isin(np.flatnonzero(half).tolist()))
    if unit.reach is not None:
        t = t.filter(units.seen.people.has_ended(t, unit.reach))
    t = t.left_join(own, t.uid == own["_uid"])
    codes = {f"k{j}": _spoken(t[f"c{i}"], names[i]) for j, i in enumerate(numbers)}
    side = ibis.ifelse(t.code == 0, 0, 1).cast("int32")
    rows = tape.step(
        "sought", t.select(side=side, h=t.h.fill_null(weighed.value(nothing)), **codes)
    )
    return _scanned(tape, rows, [names[i] for i in numbers], every=sliced.chosen.whole)


def _spoken(code: Any, values: Sequence[str]) -> Any:
    """A code as the walk has it: 0 for values of which nothing is known, where there are any."""
    hush = silent(values)
    if not hush.any():
        return code
    quiet = [i for i, mute in enumerate(hush) if mute]
    return ibis.ifelse(code.isin(quiet), 0, code + 1).cast("int32")


def _scanned(
    tape: Tape, rows: ibis.Table, attributes: Sequence[Sequence[str]], *, every: bool
) -> Scan:
    ends, _ = tape.read(
        "outcomes of the finding half",
        rows.group_by("side").agg(
            n=rows.count(), s=rows.h.sum(), low=rows.h.min(), high=rows.h.max()
        ),
    )
    n, s, low, high = (ends[c].to_numpy() for c in ("n", "s", "low", "high"))
    centre = float(s.sum() / n.sum()) if n.sum() else 0.0
    scale = float(max(np.abs(low - centre).max(), np.abs(high - centre).max(), 0.0)) or 1.0
    side = ends["side"].to_numpy()
    edges = np.zeros((2, 2))
    edges[0, side], edges[1, side] = (low - centre) / scale, (high - centre) / scale
    grid = _EngineGrid(
        codes=(),
        sizes=tuple(len(values) for values in attributes),
        lead=np.zeros(int(n.sum()) // _USERS_A_CELL, dtype=np.int64),
        leads=2,
        tape=tape,
        rows=rows,
        centre=centre,
        scale=scale,
        mute=tuple(bool(silent(values).any()) for values in attributes),
    )
    none = np.zeros(0)
    score = HarmScore(
        h=none,
        total=grid.table((), (Column(None), Column(none), Column(none))),
        top=np.array([max(-edges[0, 0], 0.0), max(edges[1, 1], 0.0)]),
        floor=np.full(2, np.inf),
        fewest=float(max(FEWEST_USERS, 2)),
        rest=False,
    )
    return scan(
        grid,
        score,
        keep=MOST_EACH,
        deepest=3,
        shallowest=shallowest(whole=every),
        least=float(special.ndtri(1 - EXPLORE)),
        distinct=True,
    )
