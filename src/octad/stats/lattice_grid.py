"""Rows on the grid of their attributes' values, summed up block by block of attributes.

Rows are read once for a *block*, not once for a slice: the table of five attributes of eight
values holds ten tables of three, and a few dozen blocks cover all 220 triples of twelve
attributes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["CELLS", "Column", "Grid", "Group", "cover", "parts"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer[Any]]

Group = tuple[int, ...]
"""Attributes, by number, in rising order."""

CELLS = 1 << 18
"""Cells of one block's table: small enough to stay in the processor's cache."""


@dataclass(frozen=True, slots=True)
class Column:
    """What is summed up in every cell: `values` (n,), or one for each row when None.

    With `largest` a cell holds the largest value in it, or 0, instead of the sum.
    """

    values: FloatArray | None
    largest: bool = False


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


def cover(groups: list[Group], grid: Grid) -> list[tuple[Group, list[Group]]]:
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


def parts(
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
