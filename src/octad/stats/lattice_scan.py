"""Walk the lattice of attribute values: which combinations score highest, exactly.

The lattice is walked level by level, as in SliceLine (Sagadeeva and Boehm 2021): first single
values, then pairs, then triples. What is known of a slice bounds whatever lies inside it; when no
slice inside can reach the K-th best score so far, none is looked at.

Two things make it fast. Rows are read once for a *block* of attributes, not once for a slice
(`octad.stats.lattice_grid`). And a table of which no slice can reach the list is not made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from octad.stats.lattice_grid import CELLS, Column, Grid, Group, cover, parts

__all__ = ["Level", "Scan", "Score", "Slice", "even", "scan"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer[Any]]
BoolArray = NDArray[np.bool_]

Slice = tuple[tuple[int, int], ...]
"""(attribute, value) that must hold, attributes in rising order."""

SLACK = 1e-9
"""Share by which a bound is raised before it prunes: sums of a million rows in another order
differ by up to 1e-13, and a slice as good as the K-th must not be lost to that."""


@dataclass(frozen=True, slots=True)
class Level:
    """What became of the combinations of so many attributes.

    Attributes:
        depth: How many attributes are combined.
        looked: Scored.
        pruned: Not looked at, since no score that is high enough was possible.
        small: With too few users, or none.
    """

    depth: int
    looked: int
    pruned: int
    small: int


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """The best slices, best first.

    Attributes:
        slices: At most K.
        score: Of each slice.
        levels: What became of all others.
        passes: How often the rows were read.
    """

    slices: tuple[Slice, ...]
    score: FloatArray
    levels: tuple[Level, ...]
    passes: int


class Score(Protocol):
    """How slices are judged. Tables are (columns, lead, *values of the attributes)."""

    def columns(self) -> Sequence[Column]:
        """What to sum up."""

    def judge(self, group: Group, table: FloatArray) -> tuple[FloatArray, BoolArray, BoolArray]:
        """(*values) scores; which slices are large enough; which may be on the list."""

    def limits(self, table: FloatArray) -> FloatArray:
        """(limits, *values) what holds of every slice inside; of several, the least holds."""

    def ceiling(self, limits: FloatArray) -> tuple[FloatArray, BoolArray]:
        """(*values) the highest score within the limits; and which slices can be large enough.

        It must not fall when a limit rises: then what is pruned takes all inside it along.
        """


def scan(
    grid: Grid,
    score: Score,
    *,
    keep: int,
    deepest: int,
    least: float,
    shallowest: int = 1,
    distinct: bool = False,
) -> Scan:
    """The `keep` best slices: the same that scoring every slice would give.

    Args:
        grid: The rows.
        score: How slices are judged.
        keep: How many to find.
        deepest: How many attributes a slice may combine.
        least: Slices that score no higher are not wanted.
        shallowest: List only slices of at least this many attributes.
        distinct: Leave out a slice when a wider one around it scores as high: it says nothing new.
    """
    last = min(deepest, len(grid.sizes))
    walk = _Walk(grid, score, keep, least, shallowest, distinct, last)
    levels = tuple(walk.level(depth) for depth in range(1, last + 1))
    return Scan(*walk.best(), levels, walk.passes)


@dataclass(frozen=True, slots=True, eq=False)
class _Frame:
    """All slices of one depth in one row, group after group.

    Attributes:
        groups: In order; `starts` (groups + 1,) where each begins, and the end.
        parents: For each attribute left out, (slices,) the slice around it, one level above.
    """

    groups: tuple[Group, ...]
    starts: NDArray[np.int64]
    parents: tuple[NDArray[np.int64], ...]

    @property
    def size(self) -> int:
        """How many slices there are."""
        return int(self.starts[-1])

    def piece(self, place: int, sizes: tuple[int, ...]) -> Slice:
        """A slice by name."""
        at = int(np.searchsorted(self.starts, place, side="right")) - 1
        group = self.groups[at]
        shape = tuple(sizes[a] for a in group)
        values = np.unravel_index(place - int(self.starts[at]), shape)
        return tuple((a, int(v)) for a, v in zip(group, values, strict=True))


@lru_cache(maxsize=8)
def _frame(sizes: tuple[int, ...], depth: int) -> _Frame:
    """The slices of one depth."""
    groups = tuple(combinations(range(len(sizes)), depth))
    lengths = [int(np.prod([sizes[a] for a in group])) for group in groups]
    starts = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    if depth == 1:
        return _Frame(groups, starts, ())
    above = _frame(sizes, depth - 1)
    first = dict(zip(above.groups, above.starts.tolist(), strict=False))
    parents: list[list[NDArray[np.int64]]] = [[] for _ in range(depth)]
    for group in groups:
        values = np.indices([sizes[a] for a in group]).reshape(depth, -1)
        for gone, into in enumerate(parents):
            rest = [i for i in range(depth) if i != gone]
            shape = tuple(sizes[group[i]] for i in rest)
            inside = np.ravel_multi_index(tuple(values[i] for i in rest), shape)
            into.append(first[tuple(group[i] for i in rest)] + inside)
    return _Frame(groups, starts, tuple(np.concatenate(p) for p in parents))


@dataclass(slots=True)
class _Walk:
    """The walk so far: the list, its bar, and what the level above taught.

    Attributes:
        limits: (limits, slices of the level above) what holds of all inside them.
        around: (slices of the level above,) the best score of them and of those around them.
    """

    grid: Grid
    score: Score
    keep: int
    least: float
    shallowest: int
    distinct: bool
    last: int
    passes: int = 0
    limits: FloatArray = field(default_factory=lambda: np.zeros((0, 0)))
    around: FloatArray = field(default_factory=lambda: np.zeros(0))
    found: list[tuple[float, int, Slice, float]] = field(default_factory=list)
    bar: float = -np.inf

    def level(self, depth: int) -> Level:
        """Look at all slices of one depth; what is learnt of them bounds the next."""
        frame = _frame(self.grid.sizes, depth)
        limits, around = self._known(frame)
        able, high = self._open(depth, limits, frame.size)
        wanted = np.logical_or.reduceat(able & high, frame.starts[:-1])
        counts = np.zeros(3, dtype=np.int64)
        shut = np.repeat(~wanted, np.diff(frame.starts))
        counts += 0, int((shut & able & ~high).sum()), int((shut & ~able).sum())
        self.limits, self.around = limits, np.full(frame.size, -np.inf)
        places = {g: slice(*frame.starts[i : i + 2]) for i, g in enumerate(frame.groups)}
        ways = [group for group, way in zip(frame.groups, wanted, strict=True) if way]
        columns = self.score.columns()
        lot: list[tuple[Group, FloatArray]] = []
        held = 0
        for block, inside in cover(ways, self.grid):
            table = self.grid.table(block, columns)
            self.passes += 1
            for group, part in parts(block, inside, table, columns):
                shown = self.grid.shown(group, part)
                lot.append((group, shown.reshape(*shown.shape[:2], -1)))
                held += lot[-1][1].shape[-1]
            if held > CELLS:
                counts += self._look(frame, lot, places, able & high, around)
                lot, held = [], 0
        if lot:
            counts += self._look(frame, lot, places, able & high, around)
        looked, pruned, small = counts.tolist()
        return Level(depth, looked, pruned, small)

    def _known(self, frame: _Frame) -> tuple[FloatArray, FloatArray]:
        """What the slices around each slice say of it: its limits, and their best score."""
        if not frame.parents:
            return np.full((1, frame.size), np.inf), np.full(frame.size, -np.inf)
        limits = np.minimum.reduce([self.limits[:, place] for place in frame.parents])
        return limits, np.maximum.reduce([self.around[place] for place in frame.parents])

    def _look(
        self,
        frame: _Frame,
        lot: list[tuple[Group, FloatArray]],
        places: dict[Group, slice],
        may: BoolArray,
        ancestors: FloatArray,
    ) -> IntArray:
        """Score some groups' slices; how many were looked at, pruned, too small.

        Args:
            frame: All slices of this depth.
            lot: Groups with their tables, (columns, leads, slices).
            places: Where each group's slices lie.
            may: (slices,) which could be large enough, and high enough.
            ancestors: (slices,) the best score around each.
        """
        at = np.concatenate([np.arange(places[g].start, places[g].stop) for g, _ in lot])
        cells = np.concatenate([table for _, table in lot], axis=2)
        group, open_, around = lot[0][0], may[at], ancestors[at]
        score, large, listed = self.score.judge(group, cells)
        live = large & open_
        new = live & listed & (score > self.least)
        if self.distinct:
            new &= score > around + SLACK * np.abs(np.where(np.isfinite(around), around, 0.0))
        if len(group) >= self.shallowest:
            self._add(frame, at, score, new)
        if len(group) < self.last:
            own = self.score.limits(cells)
            if len(self.limits) != len(own):
                self.limits = np.full((len(own), frame.size), np.inf)
            self.limits[:, at] = np.minimum(own, self.limits[:, at])
            self.around[at] = np.maximum(np.where(large & listed, score, -np.inf), around)
        return np.array([live.sum(), (large & ~live).sum(), (~large).sum()])

    def _open(self, depth: int, limits: FloatArray, size: int) -> tuple[BoolArray, BoolArray]:
        """(slices,) which can be large enough, and which can score high enough."""
        if depth == 1:
            every = np.ones(size, dtype=bool)
            return every, every
        ceiling, able = self.score.ceiling(limits)
        return able, ceiling + SLACK * np.abs(ceiling) >= max(self.bar, self.least)

    def _add(self, frame: _Frame, at: NDArray[np.int64], score: FloatArray, new: BoolArray) -> None:
        """Put slices on the list, and raise the bar to the K-th best."""
        new &= score + SLACK * np.abs(score) >= self.bar
        chosen = np.flatnonzero(new)
        if len(chosen) > self.keep:
            # Of more than can be kept, only those that come near the K-th best need a name.
            most = np.partition(score[chosen], -self.keep)[-self.keep]
            chosen = chosen[score[chosen] + SLACK * np.abs(score[chosen]) >= most]
        values = score[chosen]
        for rank, value, place in zip(
            (-even(values)).tolist(), values.tolist(), at[chosen].tolist(), strict=True
        ):
            piece = frame.piece(place, self.grid.sizes)
            self.found.append((rank, len(piece), piece, value))
        if len(chosen) and len(self.found) >= self.keep:
            self.found.sort()
            self.bar = self.found[self.keep - 1][3]
            floor = self.bar - SLACK * abs(self.bar)
            self.found = [f for f in self.found if f[3] >= floor]

    def best(self) -> tuple[tuple[Slice, ...], FloatArray]:
        """The list."""
        top = sorted(self.found)[: self.keep]
        return tuple(f[2] for f in top), np.array([f[3] for f in top], dtype=np.float64)


def even(score: FloatArray) -> FloatArray:
    """Scores without the digits that rounding makes, so that equals are equal.

    Of equals the wider slice comes first, then the one with the lower numbers.

    >>> even(np.array([1.0, 1.0 + 1e-15])).tolist()
    [1.0, 1.0]
    """
    share, power = np.frexp(score)
    return np.asarray(np.ldexp(np.round(share, 10), power))
