"""Walk the lattice of attribute values: which combinations score highest, exactly.

The lattice is walked level by level, as in SliceLine (Sagadeeva and Boehm 2021): first single
values, then pairs, then triples. What is known of a slice bounds whatever lies inside it; when no
slice inside can reach the K-th best score so far, none is looked at.

Two things make it fast. Rows are read once for a *block* of attributes, not once for a slice: the
table of five attributes of eight values holds ten tables of three, and a few dozen blocks cover
all 220 triples of twelve attributes. And a table of which no slice can reach the list is not made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Column", "Grid", "Group", "Level", "Scan", "Score", "Slice", "even", "scan"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer[Any]]
BoolArray = NDArray[np.bool_]

Group = tuple[int, ...]
"""Attributes, by number, in rising order."""

Slice = tuple[tuple[int, int], ...]
"""(attribute, value) that must hold, attributes in rising order."""

CELLS = 1 << 18
"""Cells of one block's table: small enough to stay in the processor's cache."""

SLACK = 1e-9
"""Share by which a bound is raised before it prunes: sums of a million rows in another order
differ by up to 1e-13, and a slice as good as the K-th must not be lost to that."""


@dataclass(frozen=True, slots=True)
class Column:
    """What is summed up in every cell: `values` (n,), or one for each row when None.

    With `largest` a cell holds the largest value in it, or 0, instead of the sum.
    """

    values: FloatArray | None
    largest: bool = False


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


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows on the grid of their attributes' values.

    Attributes:
        codes: (n,) for each attribute; below 0 where the value may not make a slice.
        sizes: How many values each attribute has.
        lead: (n,) a code that splits every slice, such as the arm.
        leads: How many of those.
    """

    codes: Sequence[IntArray]
    sizes: tuple[int, ...]
    lead: IntArray
    leads: int
    hidden: tuple[bool, ...] = field(init=False)
    _places: dict[Group, IntArray] = field(init=False, default_factory=dict)
    _counts: dict[Group, FloatArray] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        hidden = tuple(bool(len(c)) and int(c.min()) < 0 for c in self.codes)
        object.__setattr__(self, "hidden", hidden)

    def width(self, attribute: int) -> int:
        """Values of an attribute, and one more where some rows have none of them."""
        return self.sizes[attribute] + self.hidden[attribute]

    def table(self, block: Group, columns: Sequence[Column]) -> FloatArray:
        """(columns, leads, *widths): every column summed up in every cell of the block.

        Where the rows lie, and how many lie in each cell, is worked out once: one grid serves many
        scores.
        """
        where = self._where(block)
        shape = (self.leads, *(self.width(a) for a in block))
        cells = int(np.prod(shape))
        out = np.empty((len(columns), cells))
        for row, column in zip(out, columns, strict=True):
            if column.values is None:
                if block not in self._counts:
                    self._counts[block] = np.bincount(where, minlength=cells).astype(np.float64)
                row[:] = self._counts[block]
            elif column.largest:
                row[:] = 0.0
                np.maximum.at(row, where, column.values)
            else:
                row[:] = np.bincount(where, column.values, cells)
        return out.reshape(len(columns), *shape)

    def _where(self, block: Group) -> IntArray:
        """(n,) each row's cell in a block."""
        if block not in self._places:
            where = self.lead.astype(np.int32)
            for attribute in block:
                where *= self.width(attribute)
                where += self.codes[attribute].astype(np.int32) + self.hidden[attribute]
            self._places[block] = where
        return self._places[block]

    def shown(self, group: Group, table: FloatArray) -> FloatArray:
        """The table without the rows that may not make a slice."""
        keep = tuple(slice(1, None) if self.hidden[a] else slice(None) for a in group)
        return table[(slice(None), slice(None), *keep)]


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
        for block, inside in _cover(ways, self.grid):
            table = self.grid.table(block, columns)
            self.passes += 1
            for group, part in _parts(block, inside, table, columns):
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


def _cover(groups: list[Group], grid: Grid) -> list[tuple[Group, list[Group]]]:
    """Blocks of attributes whose tables hold every group; greedily few of them.

    Returns:
        Each block, and the groups to be taken from it; every group once.
    """
    left = dict.fromkeys(groups)
    room = min(CELLS, max(4 * len(grid.lead), 4096)) // grid.leads
    blocks = []
    while left:
        block = next(iter(left))
        inside = [block]
        while True:
            size = int(np.prod([grid.width(a) for a in block]))
            best: tuple[int, Group, list[Group]] | None = None
            for attribute in range(len(grid.sizes)):
                if attribute in block or size * grid.width(attribute) > room:
                    continue
                wider = tuple(sorted((*block, attribute)))
                more = [g for g in combinations(wider, len(inside[0])) if g in left]
                if len(more) > len(inside) and (best is None or len(more) > best[0]):
                    best = len(more), wider, more
            if best is None:
                break
            _, block, inside = best
        blocks.append((block, inside))
        for group in inside:
            del left[group]
    return blocks


def _parts(
    block: Group, inside: list[Group], table: FloatArray, columns: Sequence[Column]
) -> list[tuple[Group, FloatArray]]:
    """Each group's table, by adding up the block's over its other attributes."""
    made: dict[Group, FloatArray] = {block: table}

    def part(group: Group) -> FloatArray:
        if group not in made:
            # One attribute more, in a fixed order, so that halfway tables are shared.
            extra = next(a for a in reversed(block) if a not in group)
            wider = tuple(sorted((*group, extra)))
            whole = part(wider)
            axis = 2 + wider.index(extra)
            if not any(c.largest for c in columns):
                made[group] = whole.sum(axis=axis)
            else:
                made[group] = np.stack(
                    [
                        piece.max(axis=axis - 1) if c.largest else piece.sum(axis=axis - 1)
                        for piece, c in zip(whole, columns, strict=True)
                    ]
                )
        return made[group]

    return [(group, part(group)) for group in inside]
