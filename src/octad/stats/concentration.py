"""A handful of users can carry a mean: who they are must be seen before the mean is believed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "HeavyTail",
    "heavy_tail",
    "leave_top_out",
    "skewness",
    "users_for_normality",
    "winsor_threshold",
]

FloatArray = NDArray[np.float64]

DOMINANT = 0.1
"""Share of an arm's variance from which one user counts as dominating it: that user alone then
moves the mean by about a third of its standard error."""


def leave_top_out(top: ArrayLike, total: ArrayLike, n: ArrayLike, k: int = 1) -> FloatArray:
    """Means by arm without the k largest users of all arms together.

    The k are counted over all arms, so that the cut is the same in every arm: whoever takes the
    largest user out of one arm only has chosen a result.

    Args:
        top: (A, K) each arm's largest values, falling; NaN where an arm has fewer users.
        total: (A,) each arm's sum over all users.
        n: (A,) users.
        k: How many to leave out, at most K.

    Returns:
        (A,) means; 0 in an arm with nobody left.

    Raises:
        ValueError: When k is negative or more than K.

    >>> leave_top_out([[100.0, 3.0], [4.0, 2.0]], [106.0, 8.0], [4, 4]).tolist()
    [2.0, 2.0]
    """
    values = np.atleast_2d(np.asarray(top, dtype=np.float64))
    sums, users = np.asarray(total, dtype=np.float64), np.asarray(n, dtype=np.float64)
    if not 0 <= k <= values.shape[1]:
        msg = f"k must be between 0 and the {values.shape[1]} values that are known"
        raise ValueError(msg)
    known = np.where(np.isnan(values), -np.inf, values).ravel()
    # A stable sort keeps arms in order among equal values, so that the cut can be repeated.
    largest = np.argsort(-known, kind="stable")[:k]
    largest = largest[np.isfinite(known[largest])]
    arm = largest // values.shape[1]
    gone = np.bincount(arm, minlength=len(users)).astype(np.float64)
    weight = np.bincount(arm, weights=known[largest], minlength=len(users))
    left = users - gone
    return np.where(left > 0, (sums - weight) / np.where(left > 0, left, 1.0), 0.0)


@dataclass(frozen=True, slots=True)
class HeavyTail:
    """How much of an arm hangs on its largest users.

    Attributes:
        share_of_sum: Share of the sum that the largest user holds.
        share_of_variance: Share of the sum of squared deviations that the largest user makes.
        skewness: From the largest users known alone: a lower bound for a metric that is never
            negative, and close to the whole when a few users dominate.
        users_needed: Users at which the mean's error is near normal (Kohavi's rule).
        dominated: One user makes a tenth of the variance or more.
        too_few: There are fewer users than `users_needed`.
    """

    share_of_sum: float
    share_of_variance: float
    skewness: float
    users_needed: float
    dominated: bool
    too_few: bool


def heavy_tail(top: ArrayLike, n: float, mean: float, variance: float) -> HeavyTail:
    """Say how heavy an arm's upper tail is, from its largest values and its variance.

    Args:
        top: (K,) largest values, falling; NaN where there are fewer users.
        n: Users.
        mean: The arm's mean.
        variance: The variance between users.
    """
    values = np.asarray(top, dtype=np.float64)
    away = np.maximum(values[np.isfinite(values)] - mean, 0.0)
    squares = variance * max(n - 1, 0.0)
    first = float(away[0]) if away.size else 0.0
    share = min(first**2 / squares, 1.0) if squares > 0 else 0.0
    skew = float((away**3).sum() / (n * variance**1.5)) if variance > 0 and n > 0 else 0.0
    needed = users_for_normality(skew)
    total = mean * n
    return HeavyTail(
        share_of_sum=(first + mean) / total if total > 0 and away.size else 0.0,
        share_of_variance=share,
        skewness=skew,
        users_needed=needed,
        dominated=share >= DOMINANT,
        too_few=n < needed,
    )


def skewness(values: ArrayLike) -> float:
    """Third standardised moment; 0 when all values are equal.

    >>> skewness([0, 0, 0, 4])
    1.1547005383792515
    """
    rows = np.asarray(values, dtype=np.float64).ravel()
    if rows.size == 0:
        return 0.0
    away = rows - rows.mean()
    variance = float((away**2).mean())
    # Equal values leave rounding only, whose skewness would be a made-up number.
    if variance <= (8 * np.finfo(np.float64).eps * float(np.abs(rows).max())) ** 2:
        return 0.0
    return float((away**3).mean() / variance**1.5)


def users_for_normality(skew: float) -> float:
    """Users per arm from which a mean's error is near normal: 355·skewness².

    Kohavi, Deng, Longbotham, Xu (2014), "Seven rules of thumb for web site experimenters", rule 7.
    It is for one arm; the skewness of equal arms cancels in their difference, so it errs on the
    safe side.

    >>> users_for_normality(5.0)
    8875.0
    """
    return 355.0 * skew**2


def winsor_threshold(values: ArrayLike, level: float) -> float:
    """The value above which users' totals are cut: one for every arm.

    Args:
        values: (n,) totals of the users of *all* arms; NaN is left out.
        level: Such as .999. A threshold for each arm would cut the arms differently, and a
            treatment that makes heavy users heavier would hide its own effect.

    Returns:
        An order statistic, so a value that some user has; infinite without users.

    Raises:
        ValueError: When the level is not above 0 and at most 1.

    >>> winsor_threshold([1, 2, 3, 100], 0.75)
    3.0
    """
    if not 0 < level <= 1:
        msg = "a winsorising level lies above 0 and is at most 1, such as 0.999"
        raise ValueError(msg)
    rows = np.asarray(values, dtype=np.float64).ravel()
    rows = rows[~np.isnan(rows)]
    if rows.size == 0:
        return float("inf")
    return float(np.quantile(rows, level, method="inverted_cdf"))
