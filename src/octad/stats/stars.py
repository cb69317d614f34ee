"""Star ratings before and after: means, shares, and the chance that a later one is better.

Stars are ordered, lumped at both ends, and come in bursts. So the whole histogram is compared, and
with a day axis the errors are those of days: a hundred reviews on one bought day are not a hundred
opinions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from octad.stats.changes import Bursts, bursts
from octad.stats.refusal import NotEstimable

__all__ = ["Bursts", "Mean", "StarChange", "bursts", "compare_stars", "mean_stars"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Mean:
    """A mean of stars.

    Attributes:
        value: The mean.
        se: Standard error.
        low, high: Interval, kept within the scale.
        n: Reviews.
        shares: (K,) share of each number of stars, one star first.
        level: Coverage.
    """

    value: float
    se: float
    low: float
    high: float
    n: int
    shares: FloatArray
    level: float


@dataclass(frozen=True, slots=True, eq=False)
class StarChange:
    """After against before.

    Attributes:
        before, after: The means.
        difference: After minus before, with `se`, `low`, `high` and `p` (Welch).
        superior: Chance that a review after has more stars than one before, ties counting half;
            .5 is no change; `superior_low`, `superior_high`, `superior_p` (Brunner & Munzel 2000).
        shift: (K,) change of each share; `shift_se` its errors.
        homogeneity_p: That both histograms are alike (χ²), reviews taken as independent.
        clustered: Whether errors are those of days.
        level: Coverage.
    """

    before: Mean
    after: Mean
    difference: float
    se: float
    low: float
    high: float
    p: float
    superior: float
    superior_low: float
    superior_high: float
    superior_p: float
    shift: FloatArray
    shift_se: FloatArray
    homogeneity_p: float
    clustered: bool
    level: float


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """One side: counts by star, days with reviews, and a way to get a mean's variance."""

    total: FloatArray
    days: FloatArray | None

    def variance(self, value: FloatArray) -> tuple[float, float]:
        """Variance of the mean of ``value`` over reviews, and its degrees of freedom."""
        n = float(self.total.sum())
        centre = float(self.total @ value) / n
        if self.days is not None:
            away = self.days @ (value - centre)
            d = len(self.days)
            return float(away @ away) * d / (d - 1) / n**2, d - 1.0
        spread = float(self.total @ (value - centre) ** 2)
        return spread / max(n - 1, 1) / n, max(n - 1, 1.0)


def _side(counts: ArrayLike) -> _Side:
    h = np.asarray(counts, dtype=np.float64)
    if h.ndim not in (1, 2) or h.shape[-1] < 2 or not np.isfinite(h).all() or (h < 0).any():
        raise NotEstimable("stars must be counts, one for each number of stars")
    if h.sum() <= 0:
        raise NotEstimable("there are no reviews with stars")
    if h.ndim == 1:
        return _Side(h, None)
    days = h[h.sum(axis=1) > 0]
    if len(days) < 2:
        raise NotEstimable("all reviews came on one day, so days give no error")
    return _Side(days.sum(axis=0), days)


def _smoothed(side: _Side) -> _Side:
    """One more review, spread over all stars: an error for reviews that all agree."""
    return _Side(side.total + 1 / len(side.total), None)


def _mean(side: _Side, level: float) -> Mean:
    stars = np.arange(1.0, len(side.total) + 1)
    n = float(side.total.sum())
    value = float(side.total @ stars) / n
    variance, freedom = side.variance(stars)
    if variance <= 0:
        variance, freedom = _smoothed(side).variance(stars)
    half = float(special.stdtrit(freedom, (1 + level) / 2)) * math.sqrt(variance)
    return Mean(
        value,
        math.sqrt(variance),
        max(1.0, value - half),
        min(float(len(stars)), value + half),
        round(n),
        side.total / n,
        level,
    )


def mean_stars(counts: ArrayLike, level: float = 0.95) -> Mean:
    """Mean of a star histogram.

    When all reviews have the same stars, the error is that with one more review spread over all
    stars: three reviews of five stars do not prove a perfect product.

    Args:
        counts: (K,) reviews by number of stars, one star first; or (D, K) by day, for errors
            clustered by day.
        level: Coverage.

    Raises:
        NotEstimable: Without reviews; with all of them on one day when days are given.

    >>> round(mean_stars([1, 0, 0, 1, 8]).value, 2)
    4.5
    """
    return _mean(_side(counts), level)


def compare_stars(before: ArrayLike, after: ArrayLike, level: float = 0.95) -> StarChange:
    """Compare two star histograms.

    Args:
        before: (K,), or (D, K) by day.
        after: The same; both with days, or both without.
        level: Coverage.

    Returns:
        Difference of means, chance of superiority, and shifts by star.

    Raises:
        NotEstimable: When a side has no reviews, or days on one side only.
    """
    one, two = _side(before), _side(after)
    if len(one.total) != len(two.total) or (one.days is None) != (two.days is None):
        raise NotEstimable("both sides need the same stars, and days on both or on neither")
    stars = np.arange(1.0, len(one.total) + 1)
    first, second = _mean(one, level), _mean(two, level)
    difference = second.value - first.value
    se, low, high, p = _welch(
        difference, _variance(one, stars), _variance(two, stars), level, null=0.0
    )
    below_one, below_two = _mid(one.total), _mid(two.total)
    superior = float(two.total @ below_one) / float(two.total.sum())
    _, s_low, s_high, s_p = _welch(
        superior, _variance(one, 1 - below_two), _variance(two, below_one), level, null=0.5
    )
    unit = np.eye(len(stars))
    shift_se = [math.sqrt(_variance(one, u)[0] + _variance(two, u)[0]) for u in unit]
    return StarChange(
        first,
        second,
        difference,
        se,
        low,
        high,
        p,
        superior,
        max(0.0, s_low),
        min(1.0, s_high),
        s_p,
        second.shares - first.shares,
        np.array(shift_se),
        _homogeneity(one.total, two.total),
        one.days is not None,
        level,
    )


def _variance(side: _Side, value: FloatArray) -> tuple[float, float]:
    """Variance of a mean, from one more review when all agree."""
    variance, freedom = side.variance(value)
    return (variance, freedom) if variance > 0 else _smoothed(side).variance(value)


def _mid(counts: FloatArray) -> FloatArray:
    """Share of reviews with fewer stars, plus half of those with as many."""
    n = counts.sum()
    return np.asarray((np.cumsum(counts) - counts / 2) / n)


def _welch(
    value: float, one: tuple[float, float], two: tuple[float, float], level: float, *, null: float
) -> tuple[float, float, float, float]:
    """Error, interval and p with Satterthwaite's degrees of freedom."""
    variance = one[0] + two[0]
    if variance <= 0:  # No placement varies at all: every star of one side beats the other's.
        return 0.0, value, value, 1.0 if value == null else 0.0
    freedom = variance**2 / (one[0] ** 2 / one[1] + two[0] ** 2 / two[1])
    se = math.sqrt(variance)
    half = float(special.stdtrit(freedom, (1 + level) / 2)) * se
    p = 2 * float(special.stdtr(freedom, -abs(value - null) / se))
    return se, value - half, value + half, p


def _homogeneity(one: FloatArray, two: FloatArray) -> float:
    table = np.stack([one, two])
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2:
        return 1.0
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    return float(
        special.chdtrc(table.shape[1] - 1, float(((table - expected) ** 2 / expected).sum()))
    )
