"""What is summed up of a metric: its columns and their products, of the users who have any.

Of most metrics most users have nothing: they did not pay, not in that week, or their window has
not ended. They add nothing to any sum but that of users, which is taken by itself. So where they
are many they are left out before anything is multiplied or added.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

__all__ = ["BITS", "Terms", "terms_of", "width"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

BITS = 52
"""Whole numbers of so many bits are exact as doubles."""
_MOST = 0.7
"""Share of users above which leaving the others out saves less than finding out who they are."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Columns and their products, in the order of users.

    Attributes:
        varied: Which of the columns are not the same for everybody; places below are among these.
        columns: (m,) each, 0 for users who are not counted.
        products: By place of both; `alike` those that equal a column, as 0 and 1 do their squares.
        rows: (m,) rising places in the order of those who have anything; None for everybody.
    """

    varied: tuple[int, ...]
    columns: tuple[FloatArray, ...]
    products: dict[tuple[int, int], FloatArray]
    alike: dict[tuple[int, int], int]
    rows: IntArray | None

    @property
    def finite(self) -> bool:
        """Whether every value and every square of one can be reckoned with."""
        # A sum is finite unless a term is not, or it overflows, which is no better.
        with np.errstate(over="ignore", invalid="ignore"):
            return all(bool(np.isfinite(t.sum())) for t in (*self.columns, *self.products.values()))


def terms_of(columns: Sequence[FloatArray], counted: BoolArray, order: IntArray) -> Terms:
    """Put columns and products in order.

    Args:
        columns: k columns, (n,) each.
        counted: (n,) users who are counted at all.
        order: (n,) users.
    """
    varied = tuple(i for i, column in enumerate(columns) if not _constant(column))
    every = bool(counted.all())
    any_ = np.zeros(len(counted), dtype=bool)
    for i in varied:
        any_ |= columns[i] != 0
    if not every:
        any_ &= counted
    rows = None
    if np.count_nonzero(any_) <= _MOST * len(any_):
        rows = np.flatnonzero(any_[order])
        who = order[rows]
        held = tuple(columns[i][who] for i in varied)
    elif every:
        held = tuple(columns[i][order] for i in varied)
    else:
        held = tuple(np.where(counted, columns[i], 0.0)[order] for i in varied)
    products, alike = {}, {}
    with np.errstate(over="ignore", invalid="ignore"):
        for i, j in combinations_with_replacement(range(len(held)), 2):
            if i == j and _is_share(held[i]):
                alike[i, j] = i
            else:
                products[i, j] = held[i] * held[j]
    return Terms(varied, held, products, alike, rows)


def _is_share(column: FloatArray) -> bool:
    """Whether a column is 0 or 1 for everybody, and so its own square."""
    if column.max(initial=0.0) > 1 or column.min(initial=0.0) < 0:
        return False
    return bool(((column == 0) | (column == 1)).all())


def _constant(column: FloatArray) -> bool:
    if len(column) > 1 and column[0] != column[-1]:
        return False
    return not len(column) or bool((column == column[0]).all())


def width(column: FloatArray, totals: FloatArray) -> int:
    """Bits that the sums of a column take; `BITS` unless it is whole.

    Args:
        column: Of users.
        totals: Its sums.
    """
    if not len(column) or column.min() < 0 or (column != np.floor(column)).any():
        return BITS
    most = round(float(totals.max()))
    return min(BITS, most.bit_length() + 1) if most < 1 << BITS else BITS
