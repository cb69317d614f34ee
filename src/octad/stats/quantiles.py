"""Quantiles of events whose users have many of them.

The waiting times of one user resemble one another, so a quantile over events is less sure than
its number of events suggests. The error is taken from order statistics (Deng, Knoblich, Lu 2018,
"Applying the delta method in metric analytics", section 4): the share of events below the quantile
is a ratio metric by user, whose standard error is known; that error, turned into levels around p
and read off the sorted events, brackets the quantile. No density is estimated, and outliers beyond
the bracket do not matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from octad.stats.effects import Effect, compare_levels
from octad.stats.moments import Moments
from octad.stats.refusal import NotEstimable

__all__ = [
    "Quantile",
    "bracket",
    "compare_quantiles",
    "error_of",
    "from_histogram",
    "levels_around",
    "quantile",
    "rank_of",
    "share_error",
]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Quantile:
    """One quantile.

    Attributes:
        value: The quantile: an order statistic, a value that was seen.
        se: Half the bracket over its normal reach.
        low, high: The bracket itself, at `level`; it need not be symmetric.
        n: Users; `events` how many values they have.
    """

    value: float
    se: float
    low: float
    high: float
    level: float
    n: int
    events: int


def share_error(share: Moments) -> FloatArray:
    """Standard error of the share of events below a value, clustered by user.

    Args:
        share: Leading shape (...,), two columns by user: events below the value, and events.

    Returns:
        (...,) by the delta method for a ratio; 0 with fewer than two users.
    """
    mean = share.mean
    events = np.where(mean[..., 1] == 0, 1.0, mean[..., 1])
    ratio = mean[..., 0] / events
    cov = share.covariance()
    variance = cov[..., 0, 0] - 2 * ratio * cov[..., 0, 1] + ratio**2 * cov[..., 1, 1]
    users = np.where(share.n > 1, share.n, np.inf)
    return np.asarray(np.sqrt(np.maximum(variance, 0.0) / users) / events)


def levels_around(p: float, error: ArrayLike, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
    """Levels whose quantiles bracket the p-quantile.

    As with ranks of independent values, the bracket is p ± 1.96·error (Woodruff 1952): the error
    is that of the share at p, so it is known whatever the truth. At the edges it is cut at 0 and
    1, and the quantile then has no bound that the data could give.

    Args:
        p: The quantile's level.
        error: (...,) from `share_error`.
        level: Coverage of the bracket.

    >>> low, high = levels_around(0.9, 0.01)
    >>> round(float(low), 4), round(float(high), 4)
    (0.8804, 0.9196)
    """
    reach = special.ndtri(0.5 + level / 2) * np.asarray(error, dtype=np.float64)
    return np.maximum(p - reach, 0.0), np.minimum(p + reach, 1.0)


def quantile(
    values: ArrayLike, user: ArrayLike | None = None, *, p: float, level: float = 0.95
) -> Quantile:
    """A quantile of values that belong to users.

    Args:
        values: (m,) finite values of events.
        user: (m,) whose each is; everyone has one when absent.
        p: Its level, between 0 and 1.
        level: Coverage of the bracket.

    Raises:
        NotEstimable: With fewer than two users or values that are not finite.
        ValueError: When p is not between 0 and 1.
    """
    _check(p)
    rows = np.asarray(values, dtype=np.float64).ravel()
    if not np.isfinite(rows).all():
        raise NotEstimable("Some values are not finite numbers.")
    codes = np.arange(len(rows)) if user is None else _coded(np.asarray(user))
    events = np.bincount(codes)
    there = events > 0
    users = int(there.sum())
    if users < 2:
        raise NotEstimable("Fewer than two users have a value, so its spread cannot be known.")
    # Only the values at three ranks are needed, and no others in their order.
    rank = rank_of(p, len(rows))
    parted = np.partition(rows, rank)
    value = float(parted[rank])
    below = events - np.bincount(codes[rows > value], minlength=len(events))
    share = _two_columns(below[there], events[there])
    ends = [_of_rank(parted, rank, rank_of(end, len(rows))) for end in bracket(share, p, level)]
    return _built(value, (ends[0], ends[1]), level, n=users, events=len(rows))


def _of_rank(parted: FloatArray, known: int, rank: int) -> float:
    """The value of a rank, where those on either side of another rank are apart already."""
    if rank <= known:
        return float(np.partition(parted[: known + 1], rank)[rank])
    return float(np.partition(parted[known:], rank - known)[rank - known])


def _two_columns(below: NDArray[np.int64], events: NDArray[np.int64]) -> Moments:
    """`Moments.from_rows` of two columns of whole numbers, whose sums are exact."""
    rows = np.stack([below, events])
    mean = rows.sum(axis=1) / len(below)
    centred = rows - mean[:, None]
    return Moments(np.asarray(float(len(below))), mean, centred @ centred.T)


def _coded(user: NDArray[Any]) -> NDArray[np.int64]:
    """Users as numbers from 0; those that lie close together already need no sorting."""
    if not (len(user) and user.dtype.kind in "iu" and user.min() >= 0):
        return np.unique(user, return_inverse=True)[1].astype(np.int64)
    if int(user.max()) > 8 * len(user):
        return np.unique(user, return_inverse=True)[1].astype(np.int64)
    return user.astype(np.int64, copy=False)


def from_histogram(
    edges: ArrayLike, counts: ArrayLike, *, p: float, users: int, level: float = 0.95
) -> Quantile:
    """A quantile from counts by value bin and hash bucket, all that one pass can bring over.

    Buckets of users take the place of users: they too are independent, so the error is clustered
    rightly, with one bucket's degree of freedom each. Within a bin, values are spread evenly, so
    the answer is off by at most a bin's width.

    Args:
        edges: (bins + 1,) rising.
        counts: (buckets, bins) events.
        p: The quantile's level.
        users: How many users the events belong to.
        level: Coverage of the bracket.

    Raises:
        NotEstimable: With fewer than two buckets that hold events.
        ValueError: When p is not between 0 and 1, or shapes do not fit.
    """
    _check(p)
    table, bounds = np.asarray(counts, dtype=np.float64), np.asarray(edges, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] + 1 != len(bounds) or (np.diff(bounds) <= 0).any():
        msg = "a histogram needs rising edges, one more than it has bins"
        raise ValueError(msg)
    table = table[table.sum(axis=1) > 0]
    if len(table) < 2:
        raise NotEstimable("Too few users have a value, so its spread cannot be known.")
    total = table.sum(axis=0)
    cumulative = np.concatenate([[0.0], total.cumsum()]) / total.sum()
    value = float(np.interp(p, cumulative, bounds))
    part = np.concatenate([np.zeros((len(table), 1)), table.cumsum(axis=1)], axis=1)
    below = np.array([np.interp(value, bounds, row) for row in part])
    share = Moments.from_rows(np.stack([below, table.sum(axis=1)], axis=1))
    ends = levels_around(p, _never_zero(float(share_error(share)), p, len(table)), level)
    low, high = (float(np.interp(float(end), cumulative, bounds)) for end in ends)
    return _built(value, (low, high), level, n=users, events=int(total.sum()))


def compare_quantiles(
    value: ArrayLike,
    se: ArrayLike,
    n: ArrayLike,
    *,
    relative: bool = True,
    level: float = 0.95,
    planned_n: float | None = None,
) -> Effect:
    """Compare a quantile between two arms.

    Args:
        value: (2,) control and treatment.
        se: (2,) their errors, clustered by user.
        n: (2,) users.
        relative: Divide by the control's level.
        level: Coverage of the intervals.
        planned_n: Users expected at the end, both arms; tunes the anytime interval.

    Raises:
        NotEstimable: As `octad.stats.effects.compare`.
    """
    return compare_levels(
        value,
        se,
        n,
        what="Difference of quantiles",
        relative=relative,
        level=level,
        planned_n=planned_n,
    )


def _check(p: float) -> None:
    if not 0 < p < 1:
        msg = "a quantile's level lies between 0 and 1, such as 0.95"
        raise ValueError(msg)


def rank_of(level: float, n: int) -> int:
    """The rank, from 0, of the smallest of n values that at least this share does not exceed.

    >>> rank_of(0.5, 4), rank_of(0.9, 10)
    (1, 8)
    """
    at = int(np.ceil(level * n - 1e-9)) - 1
    return min(max(at, 0), n - 1)


def bracket(share: Moments, p: float, level: float = 0.95) -> tuple[float, float]:
    """The levels whose quantiles bracket the p-quantile, from users' shares below it.

    Args:
        share: As for `share_error`, of one group.
        p: The quantile's level.
        level: Coverage of the bracket.
    """
    error = _never_zero(float(share_error(share)), p, int(share.n))
    low, high = levels_around(p, error, level)
    return float(low), float(high)


def error_of(value: float, ends: tuple[float, float], level: float = 0.95) -> float:
    """A quantile's standard error: half its bracket over its normal reach."""
    low, high = min(ends[0], value), max(ends[1], value)
    return (high - low) / (2 * float(special.ndtri(0.5 + level / 2)))


def _never_zero(error: float, p: float, clusters: int) -> float:
    """Ties at the quantile can make every user's share alike; then the binomial error stands in.

    Without this a quantile in a spike of equal values would be certain.
    """
    return error if error > 0 else float(np.sqrt(p * (1 - p) / clusters))


def _built(
    value: float, ends: tuple[float, float], level: float, *, n: int, events: int
) -> Quantile:
    low, high = min(ends[0], value), max(ends[1], value)
    return Quantile(value, error_of(value, ends, level), low, high, level, n, events)
