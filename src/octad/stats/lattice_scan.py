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

    def __post_init__(self) -> None:
        hidden = tuple(bool(len(c)) and int(c.min()) < 0 for c in self.codes)
        object.__setattr__(self, "hidden", hidden)

    def width(self, attribute: int) -> int:
        """Values of an attribute, and one more where some rows have none of them."""
        return self.sizes[attribute] + self.hidden[attribute]

    def table(self, block: Group, columns: Sequence[Column]) -> FloatArray:
        """(columns, leads, *widths): every column summed up in every cell of the block."""
        where = self.lead.astype(np.int64)
        for attribute in block:
            where *= self.width(attribute)
            where += self.codes[attribute]
            if self.hidden[attribute]:
                where += 1
        shape = (self.leads, *(self.width(a) for a in block))
        cells = int(np.prod(shape))
        out = np.empty((len(columns), cells))
        for row, column in zip(out, columns, strict=True):
            if column.largest and column.values is not None:
                row[:] = 0.0
                np.maximum.at(row, where, column.values)
            else:
                row[:] = np.bincount(where, column.values, cells)
        return out.reshape(len(columns), *shape)

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
    walk = _Walk(grid, score, keep, least, shallowest, distinct)
    depths = range(1, min(deepest, len(grid.sizes)) + 1)
    levels = tuple(walk.level(depth) for depth in depths)
    return Scan(*walk.best(), levels, walk.passes)


@dataclass(frozen=True, slots=True, eq=False)
class _Way:
    """What is known of a group's slices before they are looked at."""

    limits: FloatArray
    open: BoolArray


@dataclass(slots=True)
class _Walk:
    """The walk so far: the list, its bar, and what the level above taught."""

    grid: Grid
    score: Score
    keep: int
    least: float
    shallowest: int
    distinct: bool
    passes: int = 0
    limits: dict[Group, FloatArray] = field(default_factory=dict)
    around: dict[Group, FloatArray] = field(default_factory=dict)
    found: list[tuple[float, int, Slice, float]] = field(default_factory=list)
    bar: float = -np.inf

    def level(self, depth: int) -> Level:
        """Look at all slices of one depth; what is learnt of them bounds the next."""
        above, self.limits = self.limits, {}
        ancestors, self.around = self.around, {}
        counts = np.zeros(3, dtype=np.int64)
        ways: dict[Group, _Way] = {}
        for group in combinations(range(len(self.grid.sizes)), depth):
            limits = self._merge(group, above, np.minimum, np.inf)
            able, high = self._open(group, limits)
            if (able & high).any():
                ways[group] = _Way(limits, able & high)
            else:
                self.limits[group] = limits
                counts += 0, int((able & ~high).sum()), int((~able).sum())
        columns = self.score.columns()
        for block, inside in _cover(list(ways), self.grid):
            table = self.grid.table(block, columns)
            self.passes += 1
            for group, part in _parts(block, inside, table, columns):
                cells = self.grid.shown(group, part)
                around = self._merge(group, ancestors, np.maximum, -np.inf)
                counts += self._look(group, cells, ways[group], around)
        looked, pruned, small = counts.tolist()
        return Level(depth, looked, pruned, small)

    def _look(self, group: Group, cells: FloatArray, way: _Way, around: FloatArray) -> IntArray:
        """Score one table's slices; how many were looked at, pruned, too small."""
        score, large, listed = self.score.judge(group, cells)
        live = large & way.open
        new = live & listed & (score > self.least)
        if self.distinct:
            new &= score > around + SLACK * np.abs(np.where(np.isfinite(around), around, 0.0))
        if len(group) >= self.shallowest:
            self._add(group, score, new)
        self.limits[group] = np.minimum(self.score.limits(cells), way.limits)
        self.around[group] = np.maximum(np.where(large & listed, score, -np.inf), around)
        return np.array([live.sum(), (large & ~live).sum(), (~large).sum()])

    def _open(self, group: Group, limits: FloatArray) -> tuple[BoolArray, BoolArray]:
        """(*values) which slices can be large enough, and which can score high enough."""
        if len(group) == 1:
            every = np.ones(limits.shape, dtype=bool)
            return every, every
        ceiling, able = self.score.ceiling(limits)
        return able, ceiling + SLACK * np.abs(ceiling) >= max(self.bar, self.least)

    def _merge(
        self, group: Group, of: dict[Group, FloatArray], merge: np.ufunc, start: float
    ) -> FloatArray:
        """Merge what is known of the slices that lie around, spread over the group's values.

        Args:
            group: The slices' attributes.
            of: (..., *values of the parent) for every parent; those without are passed over.
            merge: Takes two of them together.
            start: What holds of a slice without parents.
        """
        out = np.full(tuple(self.grid.sizes[a] for a in group), start)
        for gone, parent in enumerate(_parents(group)):
            if parent in of:
                known = of[parent]
                axis = known.ndim - (len(group) - 1) + gone
                out = merge(out, np.expand_dims(known, axis))
        return out

    def _add(self, group: Group, score: FloatArray, new: BoolArray) -> None:
        """Put slices on the list, and raise the bar to the K-th best."""
        new &= score + SLACK * np.abs(score) >= self.bar
        where = np.argwhere(new)
        values = score[new]
        for rank, value, at in zip(-even(values), values, where.tolist(), strict=True):
            piece = tuple(zip(group, at, strict=True))
            self.found.append((float(rank), len(group), piece, float(value)))
        if len(where) and len(self.found) >= self.keep:
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


def _parents(group: Group) -> list[Group]:
    """The group without its first attribute, without its second, and so on."""
    return [group[:i] + group[i + 1 :] for i in range(len(group))] if len(group) > 1 else []


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
