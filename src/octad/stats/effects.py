"""The effect of a launch on a metric, from cells alone.

One path serves every metric. A metric is a ratio of sums, y over d, per user (d = 1 for a mean).
`octad.stats.levels` linearises it and adjusts it by the pre-period (CUPED: Deng, Xu, Kohavi,
Walker 2013); `octad.stats.intervals` says how far the two levels are apart and how surely.

For two shares (0 or 1 a user), z and p are those of the pooled score
test, the usual one; the interval is Wald's. At the very edge of significance the two may disagree
by a hair.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from octad.stats.intervals import REASONS, Effects, Interval, finish
from octad.stats.levels import (
    NOT_FINITE,
    TOO_FEW,
    Arm,
    D,
    Levels,
    Y,
    adjusted,
    best_theta,
    divide,
    linearise,
    of_shares,
    of_sums,
    price_of_theta,
    spread,
)
from octad.stats.moments import Moments
from octad.stats.refusal import NotEstimable

__all__ = [
    "REASONS",
    "Effect",
    "Effects",
    "change",
    "compare",
    "compare_levels",
    "compare_many",
    "of_shares",
    "of_sums",
    "one_effect",
]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Effect:
    """A treatment's effect on one metric.

    Attributes:
        value: Treatment minus control; divided by the control's absolute level if `relative`.
        se: Standard error of `value` (by the delta method if `relative`).
        low, high: Interval at `level`, for one look on a day named beforehand.
        level: Coverage of the intervals.
        p: Two-sided, against no effect; it agrees with `low` and `high` (for shares: nearly).
        z: The test statistic (value in standard errors).
        control, treatment: The arms' levels, adjusted for the pre-period when CUPED was used.
        n_control, n_treatment: Users.
        relative: Whether `value` is a fraction of the control's level.
        anytime_low, anytime_high: Interval that holds at every look at once; None when unbounded.
        reduction: Share of the difference's variance that CUPED removed; 0 without.
        method: How it was computed, in plain words.
        df: Degrees of freedom of Student's t behind the interval.
    """

    value: float
    se: float
    low: float
    high: float
    level: float
    p: float
    z: float
    control: float
    treatment: float
    n_control: int
    n_treatment: int
    relative: bool
    anytime_low: float | None
    anytime_high: float | None
    reduction: float
    method: str
    df: float = math.inf


def _pool_shares(found: Effects, control: Moments, treatment: Moments) -> Effects:
    """For two shares, take z and p from the pooled variance (the score test).

    Under no effect both arms have one share, and its variance is known from the share. The test
    keeps its size when events are rare, and is the one every textbook gives.
    """
    binary = _is_share(control) & _is_share(treatment) & found.ok & (found.theta == 0)
    n = np.where(binary, found.n_control, 1.0), np.where(binary, found.n_treatment, 1.0)
    pooled = (n[0] * found.control + n[1] * found.treatment) / (n[0] + n[1])
    variance = np.maximum(pooled * (1 - pooled), 0.0) * (1 / n[0] + 1 / n[1])
    z = np.where(binary, divide(found.treatment - found.control, np.sqrt(variance)), found.z)
    p = np.where(binary, 2 * special.ndtr(-np.abs(z)), found.p)
    return replace(found, z=z, p=p)


def _is_share(moments: Moments) -> BoolArray:
    """Where y is 0 or 1 for everyone and d is 1: then Σ(y − ȳ)² = n·ȳ(1 − ȳ), and only then.

    Up to rounding, for engines sum in their own order.
    """
    share, n = moments.mean[..., Y], moments.n
    spread = n * share * (1 - share)
    alone = np.abs(moments.mean[..., D] - 1) <= 1e-12
    alone &= moments.comoment[..., D, D] <= 1e-12 * n
    close = np.abs(moments.comoment[..., Y, Y] - spread) <= 1e-9 * np.maximum(spread, 1e-9)
    return np.asarray(alone & close & (share >= 0) & (share <= 1))


def compare_many(
    control: Moments,
    treatment: Moments,
    *,
    relative: bool = True,
    adjust: bool = True,
    level: float = 0.95,
    planned_n: float | None = None,
    theta: Literal["own", "first"] | FloatArray = "own",
    interval: Interval = "fieller",
) -> Effects:
    """Compare arms in many groups at once, such as segments or days.

    Args:
        control: Leading shape (...,), at least one axis; columns y, d, x, w.
        treatment: The same shape.
        relative: Divide by the control's level.
        adjust: Use the pre-period (CUPED) where it varies.
        level: Coverage of the intervals.
        planned_n: Users expected at the end, both arms; tunes the anytime interval.
        theta: CUPED's coefficient: each group's own, that of the first group along the first
            axis (steadier in small segments), or given.
        interval: Fieller's, or the delta method's (see `octad.stats.intervals`).

    Returns:
        Arrays of that leading shape; groups that cannot be estimated are not `ok`.
    """
    first, second = linearise(control), linearise(treatment)
    still = np.zeros(first.n.shape)
    coefficient, price = _theta(first, second, theta) if adjust else (still, still + 1)
    contrast = np.stack([still - 1, still + 1])
    raw, _ = spread(adjusted(first, second, still), contrast)
    left, _ = spread(adjusted(first, second, coefficient), contrast)
    if isinstance(theta, str) and theta == "own":
        # A covariate that does not earn the price of its coefficient is left out.
        coefficient = np.where(price * left < raw, coefficient, 0.0)
    price = np.where(coefficient != 0, price, 1.0)
    levels = adjusted(first, second, coefficient)
    found = finish(
        replace(levels, covs=levels.covs * price[..., None, None]),
        np.maximum(first.reason, second.reason),
        relative=relative,
        level=level,
        planned_n=planned_n,
        interval=interval,
        reduction=np.where(coefficient != 0, 1 - divide(price * left, raw), 0.0),
        theta=coefficient,
    )
    if relative and interval == "delta":
        return found
    return _pool_shares(found, control, treatment)


def _theta(
    first: Arm, second: Arm, theta: Literal["own", "first"] | FloatArray
) -> tuple[FloatArray, FloatArray]:
    """CUPED's coefficient for every group, and the factor that estimating it costs."""
    still = np.zeros(first.n.shape)
    coefficient, price = still, still + 1
    if not isinstance(theta, str):
        coefficient = np.broadcast_to(np.asarray(theta, dtype=np.float64), still.shape)
    else:
        coefficient, price = best_theta(first, second), price_of_theta(first, second)
        if theta == "first":
            coefficient = np.broadcast_to(coefficient[:1], still.shape)
            # To the other groups it is a number from outside, whose own error is far smaller.
            price[1:] = 1.0
    return np.where(first.has_pre & second.has_pre, coefficient, 0.0), price


def compare(
    control: Moments,
    treatment: Moments,
    *,
    relative: bool = True,
    adjust: bool = True,
    level: float = 0.95,
    planned_n: float | None = None,
    interval: Interval = "fieller",
) -> Effect:
    """Compare two arms on one metric.

    Args:
        control: Leading shape (), columns y, d, x, w (`octad.model.inputs.COLUMNS`).
        treatment: The same.
        relative: Divide by the control's level.
        adjust: Use the pre-period (CUPED) where it varies.
        level: Coverage of the intervals.
        planned_n: Users expected at the end, both arms; tunes the anytime interval.
        interval: Fieller's, or the delta method's (see `octad.stats.intervals`).

    Raises:
        NotEstimable: With fewer than two users in an arm, a denominator of zero, sums that are
            not finite, a control level that cannot be told from zero (relative only), or arms
            that differ but do not vary.

    >>> kept = compare(of_shares(8502, 44700), of_shares(8279, 45489), relative=False)
    >>> f"{100 * kept.value:.2f} points, z {kept.z:.3f}, p {kept.p:.5f}"
    '-0.82 points, z -3.164, p 0.00155'
    """
    many = compare_many(
        control[None],
        treatment[None],
        relative=relative,
        adjust=adjust,
        level=level,
        planned_n=planned_n,
        interval=interval,
    )
    what = "Ratio of sums" if _varies(control) or _varies(treatment) else "Difference of means"
    return one_effect(many, what, interval)


def change(
    before_after: Moments,
    *,
    relative: bool = True,
    level: float = 0.95,
    planned_n: float | None = None,
    interval: Interval = "fieller",
) -> Effect:
    """How the same users changed: y/d (after) against x/w (before).

    A change is no effect: what else happened in between is in it. In the result, `control` is
    the level before and `treatment` the level after, of the same `n` users.

    Args:
        before_after: Leading shape (), columns y, d, x, w.
        relative: Divide by the level before.
        level: Coverage of the intervals.
        planned_n: Users expected at the end; tunes the anytime interval.
        interval: Fieller's, or the delta method's (see `octad.stats.intervals`).

    Raises:
        NotEstimable: As `compare`.
    """
    arm = linearise(before_after[None])
    reason = np.where((arm.reason == 0) & ~arm.has_pre, 2, arm.reason).astype(np.int8)
    zero = np.zeros(arm.n.shape)
    grad = np.zeros((2, 1, *arm.n.shape, 2))
    grad[0, ..., 1] = grad[1, ..., 0] = 1.0
    many = finish(
        Levels(np.stack([arm.pre, arm.ratio]), grad, arm.cov[None], arm.n[None]),
        reason,
        relative=relative,
        level=level,
        planned_n=planned_n,
        interval=interval,
        reduction=zero,
        theta=zero,
    )
    return one_effect(many, "Change in the same users", interval)


def compare_levels(
    value: ArrayLike,
    se: ArrayLike,
    n: ArrayLike,
    *,
    what: str = "Difference of levels",
    relative: bool = True,
    level: float = 0.95,
    planned_n: float | None = None,
    interval: Interval = "fieller",
) -> Effect:
    """Compare two levels whose errors are known, such as quantiles.

    Args:
        value: (2,) control and treatment, independent of each other.
        se: (2,) their standard errors.
        n: (2,) users.
        what: The method's name, for the reader.
        relative: Divide by the control's level.
        level: Coverage of the intervals.
        planned_n: Users expected at the end, both arms; tunes the anytime interval.
        interval: Fieller's, or the delta method's (see `octad.stats.intervals`).

    Raises:
        NotEstimable: As `compare`.
    """
    levels, errors, users = (np.asarray(a, dtype=np.float64) for a in (value, se, n))
    finite = np.isfinite(levels).all() and np.isfinite(errors).all() and np.isfinite(users).all()
    code = NOT_FINITE if not finite else (TOO_FEW if users.min() < 2 else 0)
    if code:
        raise NotEstimable(REASONS[code])
    grad = np.zeros((2, 2, 1, 2))
    grad[0, 0, ..., 0] = grad[1, 1, ..., 0] = 1.0
    covs = np.zeros((2, 1, 2, 2))
    covs[:, 0, 0, 0] = errors**2
    many = finish(
        Levels(levels[:, None], grad, covs, users[:, None]),
        np.zeros(1, dtype=np.int8),
        relative=relative,
        level=level,
        planned_n=planned_n,
        interval=interval,
        reduction=np.zeros(1),
        theta=np.zeros(1),
    )
    return one_effect(many, what, interval)


def _varies(moments: Moments) -> bool:
    return bool(moments.comoment[..., D, D].any() or (moments.mean[..., D] != 1).any())


def one_effect(many: Effects, what: str, interval: Interval) -> Effect:
    """The first of many effects, with its method in words.

    Args:
        many: Leading shape (1,).
        what: The method's name, for the reader.
        interval: The interval that was asked for.

    Raises:
        NotEstimable: When it could not be estimated.
    """
    if not many.ok[0]:
        raise NotEstimable(REASONS[int(many.reason[0])])
    method = [what, "relative to the control's level" if many.relative else "absolute"]
    if many.theta[0] != 0:
        method.append(f"adjusted by the pre-period ({float(many.reduction[0]):.0%} less variance)")
    if many.relative:
        method.append("Fieller's interval" if interval == "fieller" else "delta method")
    low, high = float(many.anytime_low[0]), float(many.anytime_high[0])
    bounded = bool(np.isfinite(low) and np.isfinite(high))
    return Effect(
        value=float(many.value[0]),
        se=float(many.se[0]),
        low=float(many.low[0]),
        high=float(many.high[0]),
        level=many.level,
        p=float(many.p[0]),
        z=float(many.z[0]),
        control=float(many.control[0]),
        treatment=float(many.treatment[0]),
        n_control=int(many.n_control[0]),
        n_treatment=int(many.n_treatment[0]),
        relative=many.relative,
        anytime_low=low if bounded else None,
        anytime_high=high if bounded else None,
        reduction=float(many.reduction[0]),
        method=", ".join(method),
        df=float(many.df[0]),
    )
