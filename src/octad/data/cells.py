"""From a user's numbers to cells: moments by arm, bucket and slice. Nothing personal leaves."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from octad.data.cell_sums import Grouping
from octad.data.population import BUCKETS
from octad.data.segments import Slices
from octad.errors import DataError
from octad.model.inputs import MetricCells, Tail
from octad.stats.concentration import winsor_threshold
from octad.stats.segments import halves

__all__ = [
    "TOP",
    "UnitValues",
    "cells_by",
    "cells_of",
    "choices",
    "tail_of",
    "variants_of",
    "winsorized",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
TOP = 50


@dataclass(frozen=True, slots=True)
class UnitValues:
    """A metric's four columns for every user; `ended` marks those whose window is complete."""

    metric: str
    y: FloatArray
    d: FloatArray
    x: FloatArray
    w: FloatArray
    ended: NDArray[np.bool_]
    paired: bool
    query: str | None = None

    @property
    def columns(self) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Each (n,), in the order of `octad.model.inputs.COLUMNS`."""
        return self.y, self.d, self.x, self.w

    @property
    def rows(self) -> FloatArray:
        """(n, 4) in the order of `octad.model.inputs.COLUMNS`."""
        return np.stack([self.y, self.d, self.x, self.w], axis=1)


def winsorized(values: UnitValues, quantile: float) -> tuple[UnitValues, float | None]:
    """Cut a mean's largest users at one value for every arm, before and after alike.

    The cut is the quantile of all users together: one per arm would move the arms apart. Where
    so few users have anything that the quantile is 0, nothing is cut, since nothing would be left.
    """
    y, cut = _cut(values.y, values.ended, quantile)
    x, _ = _cut(values.x, values.ended, quantile)
    return replace(values, y=y, x=x), cut


def _cut(
    column: FloatArray, counted: NDArray[np.bool_], quantile: float
) -> tuple[FloatArray, float | None]:
    known = column[counted]
    cut = winsor_threshold(known, quantile) if len(known) else 0.0
    if cut <= 0:
        return column, None
    return np.minimum(column, cut), cut


def cells_of(
    values: UnitValues,
    arm: IntArray,
    bucket: IntArray,
    arms: int,
    slices: Slices | None = None,
    *,
    winsor: float | None = None,
    halving: int = 0,
) -> MetricCells:
    """Sum users up by arm and bucket, and by slice, arm and half.

    Args:
        values: The metric, per user.
        arm: (n,) arm codes.
        bucket: (n,) buckets.
        arms: How many arms there are.
        slices: Only everyone when absent.
        winsor: The value at which totals were cut, if they were.
        halving: The launch's seed, by which buckets are halved.

    Raises:
        DataError: When values are infinite, or too large to square.
    """
    finding = halves(BUCKETS, halving)
    return cells_by(values, Grouping.of(arm, bucket, arms, slices, finding), winsor=winsor)


def cells_by(values: UnitValues, grouping: Grouping, *, winsor: float | None = None) -> MetricCells:
    """`cells_of`, over users who were put in order once for many metrics.

    Raises:
        DataError: When values are infinite, or too large to square.
    """
    try:
        moments, parts = grouping.moments(values.columns, values.ended)
    except ValueError as error:
        raise DataError(
            f"the metric '{values.metric}' has values that cannot be reckoned with: {error}.",
            mend="Look at its column's largest values, or winsorize it.",
        ) from error
    return MetricCells(
        metric=values.metric,
        moments=moments,
        slices=grouping.slices,
        waiting=int((~values.ended).sum()),
        paired=values.paired,
        winsor=winsor,
        searched=grouping.searched,
        query=values.query,
        parts=parts,
    )


def tail_of(values: UnitValues, arm: IntArray, arms: int) -> Tail:
    """The largest users of each arm, without their names."""
    top = np.full((arms, TOP), np.nan)
    total, n, share = np.zeros(arms), np.zeros(arms, dtype=np.int64), np.zeros(arms)
    for a in range(arms):
        mine = values.y[values.ended & (arm == a)]
        n[a], total[a] = len(mine), mine.sum()
        count = min(TOP, len(mine))
        hundredth = max(1, len(mine) // 100)
        if not count:
            continue
        largest = -np.sort(-mine)[: max(count, hundredth)]
        top[a, :count] = largest[:count]
        share[a] = largest[:hundredth].sum() / total[a] if total[a] > 0 else 0.0
    return Tail(values.metric, top, total, n, share)


def variants_of(
    values: UnitValues, planned: float | None, everyone: Grouping
) -> dict[str, MetricCells]:
    """The metric under other choices that could be defended: where the largest users are cut.

    Args:
        values: The metric per user, nothing cut.
        planned: The quantile at which the plan cuts, if it does; that one is left out.
        everyone: The users, in one slice.
    """
    found = {}
    for label, quantile in choices(planned).items():
        some, edge = (values, None) if quantile is None else winsorized(values, quantile)
        found[label] = cells_by(some, everyone, winsor=edge)
    return found


def choices(planned: float | None) -> dict[str, float | None]:
    """Where else the largest users could be cut: what that is called, and the quantile.

    >>> choices(0.99)
    {'nothing cut': None, 'largest 0.1% cut': 0.999}
    """
    other: dict[str, float | None] = {
        f"largest {100 * (1 - q):g}% cut": q for q in (0.999, 0.99) if q != planned
    }
    return other if planned is None else {"nothing cut": None, **other}
