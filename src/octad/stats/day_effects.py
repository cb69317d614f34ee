"""The effect on every day since exposure at once, with how the days' errors go together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from octad.stats.buckets import jackknife_arms, relative_lift
from octad.stats.novelty import Band, simultaneous_band
from octad.stats.refusal import NotEstimable

__all__ = ["DayEffects", "day_effects"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class DayEffects:
    """Relative effects by day.

    Attributes:
        value: (D,) second arm over first, less one.
        covariance: (D, D) of them, as the buckets give it.
        weighing: (D, D) the same, enlarged so that its inverse is right on average (Hartlap, Simon
            & Schneider 2007): an inverse of an estimated covariance is too large. For fits that
            weigh days by it.
        band: Holds all days at once.
    """

    value: FloatArray
    covariance: FloatArray
    weighing: FloatArray
    band: Band


def day_effects(by_bucket: ArrayLike, *, level: float = 0.95, stretch: float = 1.0) -> DayEffects:
    """Effects by day from sums by bucket, with a band over all days.

    Args:
        by_bucket: (2, B, D, 3) by arm, bucket and day: users observed through the day, the sum of
            the numerator, and of the denominator.
        level: Coverage of the whole band.
        stretch: Multiplies the band's width, for looks before the end.

    Raises:
        NotEstimable: When on some day an arm has no use to compare, or there are hardly more
            buckets than days.
    """
    s = np.asarray(by_bucket, dtype=np.float64)
    arms, buckets, days = s.shape[:3]
    if (s[..., 1:].sum(axis=1)[0] <= 0).any() or (s[..., 2].sum(axis=1) <= 0).any():
        raise NotEstimable("on some day there is nothing in control to compare with")
    flat = np.concatenate(
        [s[..., 0].max(axis=2)[..., None], s[..., 1].reshape(arms, buckets, days), s[..., 2]], 2
    )

    def statistic(totals: FloatArray) -> FloatArray:
        t = np.moveaxis(totals, -2, 0)
        return relative_lift(t[..., 1 : 1 + days], t[..., 1 + days :])

    found = jackknife_arms(flat, statistic)
    freedom = float(np.median(found.df))
    if freedom <= days + 2:
        raise NotEstimable("there are hardly more groups of users than days")
    band = simultaneous_band(found.value, found.covariance, level)
    half = (band.high - found.value) * stretch
    wide = Band(found.value - half, found.value + half, band.critical * stretch, band.level)
    enlarged = found.covariance * freedom / (freedom - days - 1)
    return DayEffects(found.value, found.covariance, enlarged, wide)
