"""Does the effect last? Late minus early, learning and decay curves, bands over days.

The same users are followed: an average over whoever is active mixes the effect with who stays.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from octad.stats.moments import Moments
from octad.stats.refusal import NotEstimable

__all__ = [
    "Band",
    "LateMinusEarly",
    "LearningCurve",
    "daily_covariance",
    "day_correlation",
    "late_minus_early",
    "learning_curve",
    "simultaneous_band",
]

FloatArray = NDArray[np.float64]

DRAWS = 20_000
"""Gaussian draws for a maximum: their Monte-Carlo error moves a 95% critical value by about .01."""


@dataclass(frozen=True, slots=True)
class LateMinusEarly:
    """Treatment minus control in a late span, minus the same in an early one, same users.

    Attributes:
        early, late: The two effects, and `early_se`, `late_se`.
        change: Late minus early.
        se: Standard error of the change, from the joint moments.
        low, high: Its interval.
        p: Two-sided.
        kept: Late over early; None when the early effect is not clear of zero.
        kept_low, kept_high: Fieller interval of `kept`.
        level: Coverage.
        n: Users, control and treatment.
    """

    early: float
    late: float
    early_se: float
    late_se: float
    change: float
    se: float
    low: float
    high: float
    p: float
    kept: float | None
    kept_low: float | None
    kept_high: float | None
    level: float
    n: tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class LearningCurve:
    """``U(t) = U∞ + (U₀ − U∞)·e^(−t/τ)`` fitted to daily effects.

    Attributes:
        start: U₀, the effect on day 0 (0 for the shape ``from zero``).
        limit: U∞, the effect that would be left for good; `limit_low`, `limit_high` its interval.
        tau: τ in days.
        half_life: Days in which half of the passing part is gone, ``τ·ln 2``; None when no change
            over time is shown.
        half_life_low, half_life_high: Profile interval; 0 and infinity where the data set no end.
        at: The horizon asked for, in days, and the effect there (`level_there`, `there_low`,
            `there_high`).
        p: That the effect does not change over time.
        misfit: Weighted sum of squares left over; about days minus three when the shape fits.
        fitted: (D,) the curve on the days given.
    """

    start: float
    limit: float
    limit_low: float
    limit_high: float
    tau: float
    half_life: float | None
    half_life_low: float
    half_life_high: float
    at: float
    level_there: float
    there_low: float
    there_high: float
    p: float
    misfit: float
    fitted: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """A band that holds the whole curve at once.

    Attributes:
        low, high: (D,) its edges.
        critical: Multiplier of the standard errors; the pointwise one would be 1.96.
        level: Coverage of the whole curve.
    """

    low: FloatArray
    high: FloatArray
    critical: float
    level: float


def late_minus_early(halves: Moments, level: float = 0.95) -> LateMinusEarly:
    """Change of the effect between two spans in the same users (after Sadeghi et al. 2021).

    The variance is that of the user-level difference: ``var(late) + var(early) − 2·cov``.

    Args:
        halves: Leading shape (2,), control and treatment; two columns, a user's mean in the early
            and in the late span.
        level: Coverage.

    Raises:
        NotEstimable: With fewer than two users in an arm, or when nobody varies.
    """
    if halves.shape != (2,) or halves.k != 2:
        raise NotEstimable("late minus early compares two arms over two spans")
    if (halves.n < 2).any():
        raise NotEstimable("an arm has fewer than two users that were observed in both spans")
    covariance = (halves.covariance() / halves.n[:, None, None]).sum(axis=0)
    early, late = (float(x) for x in halves.mean[1] - halves.mean[0])
    v_early, v_late, shared = (
        float(covariance[0, 0]),
        float(covariance[1, 1]),
        float(covariance[0, 1]),
    )
    # From the contrast itself, not as a difference of large sums that cancel.
    contrast = halves.linear([[-1.0, 1.0]])
    variance = float((contrast.covariance()[:, 0, 0] / contrast.n).sum())
    if variance <= 0:
        raise NotEstimable("no user changed differently from another, so no error can be given")
    z = float(special.ndtri((1 + level) / 2))
    change, se = late - early, math.sqrt(variance)
    kept = kept_low = kept_high = None
    a = early**2 - z**2 * v_early
    if a > 0:
        b = late * early - z**2 * shared
        root = math.sqrt(max(0.0, b**2 - a * (late**2 - z**2 * v_late)))
        kept, kept_low, kept_high = late / early, (b - root) / a, (b + root) / a
    return LateMinusEarly(
        early,
        late,
        math.sqrt(max(0.0, v_early)),
        math.sqrt(max(0.0, v_late)),
        change,
        se,
        change - z * se,
        change + z * se,
        float(2 * special.ndtr(-abs(change / se))),
        kept,
        kept_low,
        kept_high,
        level,
        (int(halves.n[0]), int(halves.n[1])),
    )


def day_correlation(halves: Moments, daily_variance: ArrayLike) -> float:
    """How alike a user's days are: correlation of two days of one user, from two spans.

    When all pairs of days correlate alike, the covariance of two disjoint span means is ``ρσ²``.

    Args:
        halves: As `late_minus_early`; the arms are pooled.
        daily_variance: Variance between users of one day's value, over days and arms.

    Returns:
        Between 0 and .99.
    """
    v = np.asarray(daily_variance, dtype=np.float64)
    v = v[np.isfinite(v) & (v > 0)]
    freedom = np.maximum(halves.n - 1, 0)
    if not v.size or freedom.sum() <= 0:
        return 0.0
    shared = float(halves.comoment[..., 0, 1].sum() / freedom.sum())
    return min(0.99, max(0.0, shared / float(v.mean())))


def daily_covariance(se: ArrayLike, correlation: float) -> FloatArray:
    """(D, D) covariance of daily effects whose days all correlate alike."""
    s = np.asarray(se, dtype=np.float64)
    if not 0 <= correlation < 1:
        raise NotEstimable("the correlation of days lies between 0 and 1")
    return np.asarray(np.outer(s, s) * (correlation + (1 - correlation) * np.eye(len(s))))


def _whitener(covariance: ArrayLike, size: int) -> FloatArray:
    """W with ``W·V·Wᵀ = I`` on the space where V is not nil."""
    v = np.asarray(covariance, dtype=np.float64)
    v = np.diag(v**2) if v.ndim == 1 else v
    if v.shape != (size, size) or not np.isfinite(v).all():
        raise NotEstimable("errors must be finite, one per day, or a covariance of the days")
    values, vectors = np.linalg.eigh((v + v.T) / 2)
    if values.max(initial=0.0) <= 0 or values.min() < 1e-12 * values.max():
        raise NotEstimable("some combination of days has no error, so days cannot be weighed")
    return np.asarray((vectors / np.sqrt(values)).T)


def learning_curve(
    days: ArrayLike,
    effect: ArrayLike,
    covariance: ArrayLike,
    *,
    horizon: float = 90.0,
    shape: Literal["free", "from zero"] = "free",
    level: float = 0.95,
) -> LearningCurve:
    """Fit a curve that settles (Hohnhold, O'Brien & Tang 2015), by profile over τ.

    For each τ the curve is linear in its ends, so generalised least squares is exact; τ runs over
    a grid from a quarter of the smallest step to three times the span, refined where the fit is
    good. Intervals are profile
    likelihood, so they are lopsided where the data are: slower changes than the grid's end cannot
    be told from a straight line, and their half-life has no upper end. `p` is that of the largest
    improvement over all τ, by Gaussian draws, because τ means nothing under no change.

    Args:
        days: (D,) days since exposure.
        effect: (D,) effect on that day, of the same users throughout.
        covariance: (D, D) of the effects, or (D,) standard errors of independent ones. Effects on
            the same users are not independent: see `daily_covariance`.
        horizon: Day for which the effect is wanted.
        shape: ``free`` has any start: novelty or learning. ``from zero`` starts at nothing,
            ``U∞(1 − e^(−t/τ))``.
        level: Coverage.

    Raises:
        NotEstimable: With fewer than five days, or errors that cannot be weighed.
    """
    t, y = np.asarray(days, dtype=np.float64), np.asarray(effect, dtype=np.float64)
    if t.shape != y.shape or t.ndim != 1 or not (np.isfinite(t).all() and np.isfinite(y).all()):
        raise NotEstimable("each day needs a finite effect")
    if len(np.unique(t)) < 5:
        raise NotEstimable("a curve over time needs at least five days")
    w = _whitener(covariance, len(t))
    white = w @ y
    step = float(np.diff(np.unique(t)).min())
    z = float(special.ndtri((1 + level) / 2))
    coarse = np.geomspace(step / 4, 3 * float(np.ptp(t)), 80)
    taus = _finer(coarse, _fit_at(coarse, t, w, white, shape)[0], z)
    parts = _fit_at(taus, t, w, white, shape)
    left = parts[0]
    best = int(left.argmin())
    tau = float(taus[best])
    inside = left <= left[best] + z**2
    gain = _flat(w, white) - float(left[best])
    p = _p_change(w @ np.exp(-t[:, None] / coarse), w @ np.ones(len(t)), gain, shape)
    low = float(taus[inside].min()) if not inside[0] else 0.0
    high = float(taus[inside].max()) if not inside[-1] else math.inf
    limit_low, limit_high = _profile(parts, z, np.array([[1.0, 0.0]]))
    weight = np.stack([1 - np.exp(-horizon / taus), np.exp(-horizon / taus)], axis=-1)
    there_low, there_high = _profile(parts, z, weight)
    ends = parts[1][best]
    decay = np.exp(-t / tau)
    return LearningCurve(
        float(ends[1]),
        float(ends[0]),
        limit_low,
        limit_high,
        tau,
        tau * math.log(2) if p < 1 - level else None,
        low * math.log(2),
        high * math.log(2),
        horizon,
        float(weight[best] @ ends),
        there_low,
        there_high,
        p,
        float(left[best]),
        np.asarray(ends[0] * (1 - decay) + ends[1] * decay),
    )


Parts = tuple[FloatArray, FloatArray, FloatArray]
"""By τ: (T,) sum of squares left over; (T, 2) the ends U∞ and U₀; (T, 2, 2) their covariance."""


def _fit_at(taus: FloatArray, t: FloatArray, w: FloatArray, white: FloatArray, shape: str) -> Parts:
    """Generalised least squares of both ends, at every τ at once."""
    decay = np.exp(-t / taus[:, None])
    design = np.stack([1 - decay, decay], axis=1) @ w.T
    if shape != "free":
        design[:, 1] = 0.0
    # With a τ far below a day a column may vanish: the pseudo-inverse leaves its end at 0.
    gram = design @ design.transpose(0, 2, 1)
    covariance: FloatArray = np.asarray(np.linalg.pinv(gram, rcond=1e-12, hermitian=True), float)
    ends = np.einsum("tij,tj->ti", covariance, design @ white)
    left = ((white - np.einsum("ti,tid->td", ends, design)) ** 2).sum(axis=1)
    return left, ends, covariance


def _finer(coarse: FloatArray, left: FloatArray, z: float) -> FloatArray:
    """A fine grid over the part of a coarse one where the fit is good."""
    near = np.flatnonzero(left <= left.min() + z**2)
    first, last = max(0, int(near[0]) - 1), min(len(coarse) - 1, int(near[-1]) + 1)
    return np.geomspace(coarse[first], coarse[last], 150)


def _profile(parts: Parts, z: float, weight: FloatArray) -> tuple[float, float]:
    """Profile interval of a linear function of the ends, (T, 2) or (1, 2): the union over τ."""
    left, ends, covariance = parts
    room = left.min() + z**2 - left
    keep = room >= 0
    rows = np.broadcast_to(weight, ends.shape)[keep]
    value = (rows * ends[keep]).sum(axis=1)
    variance = np.einsum("ti,tij,tj->t", rows, covariance[keep], rows)
    half = np.sqrt(room[keep] * np.maximum(0.0, variance))
    return float((value - half).min()), float((value + half).max())


@lru_cache(maxsize=2)
def _draws(count: int, size: int) -> FloatArray:
    """Standard normal draws, the same each time; kept, because a page asks for a few sizes."""
    draws = np.random.default_rng([19, size]).standard_normal((count, size))
    draws.flags.writeable = False
    return draws


def _flat(w: FloatArray, white: FloatArray) -> float:
    """Sum of squares that a constant leaves over."""
    one = w @ np.ones(w.shape[1])
    return float(((white - one * (one @ white) / (one @ one)) ** 2).sum())


def _p_change(curves: FloatArray, one: FloatArray, gain: float, shape: str) -> float:
    """How often noise about a constant gains as much from the best of the curves (D, taus)."""
    if shape != "free":  # A constant is the limit τ → 0, on the edge: half a χ².
        return float(special.chdtrc(1, gain)) / 2 if gain > 0 else 1.0
    one = one / np.linalg.norm(one)
    curves = curves - one[:, None] * (one @ curves)
    size = np.linalg.norm(curves, axis=0)
    curves = curves[:, size > 1e-9] / size[size > 1e-9]
    if not curves.shape[1]:
        return 1.0
    draws = _draws(4000, len(one))
    share = float((((draws @ curves) ** 2).max(axis=1) >= gain).mean())
    # Beyond what draws can show, a bound: the curves are nearly one direction, four at the most.
    rare = 4 * float(special.chdtrc(1, max(0.0, gain)))
    return share if share > 0.002 else min(0.002, rare)


def simultaneous_band(estimate: ArrayLike, covariance: ArrayLike, level: float = 0.95) -> Band:
    """A band that holds the whole curve with the stated chance, from its covariance alone.

    The multiplier is the quantile of the largest |z| of a Gaussian vector with the estimates'
    correlation (Montiel Olea & Plagborg-Møller 2019, sup-t), by seeded draws: no bootstrap, and the
    same data always give the same band.

    Args:
        estimate: (D,).
        covariance: (D, D), or (D,) standard errors, taken as independent (the widest band).
        level: Coverage of the whole curve.

    Raises:
        NotEstimable: When values are not finite or nothing varies.
    """
    e, v = np.asarray(estimate, dtype=np.float64), np.asarray(covariance, dtype=np.float64)
    v = np.diag(v**2) if v.ndim == 1 else v
    if e.ndim != 1 or v.shape != (len(e), len(e)) or not len(e):
        raise NotEstimable("a band needs an estimate and an error for each day")
    if not (np.isfinite(e).all() and np.isfinite(v).all()) or (np.diag(v) < 0).any():
        raise NotEstimable("estimates and errors must be finite")
    se = np.sqrt(np.diag(v))
    free = se > 0
    if not free.any():
        raise NotEstimable("no day has an error, so no band can be drawn")
    critical = float(special.ndtri((1 + level) / 2))
    if free.sum() > 1:
        r = v[np.ix_(free, free)] / np.outer(se[free], se[free])
        values, vectors = np.linalg.eigh((r + r.T) / 2)
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        draws = _draws(DRAWS, int(free.sum())) @ root.T
        critical = max(critical, float(np.quantile(np.abs(draws).max(axis=1), level)))
    return Band(e - critical * se, e + critical * se, critical, level)
