"""The effect of a launch on a metric, from cells alone.

One path serves every metric. A metric is a ratio of sums, y over d, per user (d = 1 for a mean).
It is linearised (delta method; Deng, Knoblich, Lu 2018): a user's share in the ratio R = ȳ/d̄ is
(y − R·d)/d̄. The pre-period ratio x over w, linearised likewise, is the covariate of CUPED (Deng,
Xu, Kohavi, Walker 2013) with one coefficient θ for both arms. What follows is a comparison of two
adjusted levels with a known 2 × 2 covariance.

Choices, and why:

* **t, not z.** Critical values come from Student's t with Welch and Satterthwaite's degrees of
  freedom for the difference (a relative effect has the same ones when there is no effect). With large arms that is z; with small ones it is the honest one. No cut-off to argue on.
* **Shares.** For an absolute difference of two shares (0 or 1 a user), z and p are those of the
  pooled score test, the usual one; the interval is Wald's. At the very edge of significance the
  two may disagree by a hair.
* **Delta or Fieller.** A relative effect divides by the control's level. While that level is far
  from zero, delta and Fieller agree. Finney's g = (t·se/level)² says how far: from g = .05 on the
  delta interval is too symmetric, and Fieller's is taken. From g = 1 on the control's level cannot
  be told from zero, no bounded interval exists, and the answer is refused.
* **A rise is a rise.** The relative effect divides by the absolute control level, so that a metric
  below zero (a loss) that grows is a positive effect.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from octad.stats.moments import Moments
from octad.stats.refusal import NotEstimable
from octad.stats.sequential import anytime_multiplier

__all__ = [
    "REASONS",
    "Effect",
    "Effects",
    "change",
    "compare",
    "compare_many",
    "of_shares",
    "of_sums",
]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Interval = Literal["auto", "delta", "fieller"]

WEAK = 0.05
"""Finney's g from which the control's level counts as weak (Finney 1978, Statistical Method in
Biological Assay, section 4.6: below it, Fieller's interval and the delta method's agree)."""

_ROUNDING = 64 * np.finfo(np.float64).eps
_Y, _D, _X, _W = 0, 1, 2, 3

REASONS = {
    1: "An arm has fewer than two users, so its spread cannot be known.",
    2: "The metric's denominator is zero, or cannot be told from zero, in an arm.",
    3: "The control's level is zero or cannot be told from zero, so a relative change has no"
    " meaning; look at the absolute difference.",
    4: "No value varies within either arm, so there is nothing to judge the difference by.",
    5: "The sums are not finite.",
}
"""Why an estimate is refused, by code; 0 is none."""


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


@dataclass(frozen=True, slots=True, eq=False)
class Effects:
    """Many effects at once; every array has the leading shape of the moments given.

    Attributes:
        ok: Where an estimate exists; elsewhere the numbers are 0 (p is 1).
        reason: Code of the refusal, 0 where `ok`; see `REASONS`.
        df: Degrees of freedom of the t distribution behind `low`, `high` and `p`.
        fieller: Where the interval is Fieller's.
        theta: CUPED's coefficient; 0 where it was not used.
        anytime_low, anytime_high: NaN where unbounded.

    The others are as in `Effect`.
    """

    value: FloatArray
    se: FloatArray
    low: FloatArray
    high: FloatArray
    p: FloatArray
    z: FloatArray
    df: FloatArray
    control: FloatArray
    treatment: FloatArray
    n_control: FloatArray
    n_treatment: FloatArray
    anytime_low: FloatArray
    anytime_high: FloatArray
    reduction: FloatArray
    theta: FloatArray
    fieller: BoolArray
    ok: BoolArray
    reason: NDArray[np.int8]
    level: float
    relative: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Arm:
    """One arm's ratios, and the covariance of the two ratios' estimates.

    Shapes: n, ratio, pre (...,); cov (..., 2, 2); reason (...,).
    """

    n: FloatArray
    ratio: FloatArray
    pre: FloatArray
    has_pre: BoolArray
    cov: FloatArray
    reason: NDArray[np.int8]


@dataclass(frozen=True, slots=True, eq=False)
class _Levels:
    """Two adjusted levels and their covariance, ready to be compared.

    `grad_c` and `grad_t` (2 levels, 2 sources, ..., 2): how the control's and the treatment's
    level depend on each source's two ratios; `covs` (2 sources, ..., 2, 2). `ns` (2, ...).
    """

    level: FloatArray
    grad: FloatArray
    covs: FloatArray
    ns: FloatArray


def _divide(top: FloatArray, bottom: FloatArray) -> FloatArray:
    """Divide, 0 where the bottom is 0."""
    return np.asarray(np.where(bottom != 0, top / np.where(bottom != 0, bottom, 1.0), 0.0))


def _arm(moments: Moments) -> _Arm:
    mean, comoment = moments.mean, moments.comoment
    n = np.asarray(moments.n, dtype=np.float64)
    finite = (
        np.isfinite(n) & np.isfinite(mean).all(axis=-1) & np.isfinite(comoment).all(axis=(-1, -2))
    )
    mean = np.where(finite[..., None], mean, 0.0)
    comoment = np.where(finite[..., None, None], comoment, 0.0)
    ratio, pre = _divide(mean[..., _Y], mean[..., _D]), _divide(mean[..., _X], mean[..., _W])
    rows = np.zeros((*n.shape, 2, 4))
    rows[..., 0, _Y] = _divide(np.ones_like(ratio), mean[..., _D])
    rows[..., 0, _D] = -ratio * rows[..., 0, _Y]
    rows[..., 1, _X] = _divide(np.ones_like(pre), mean[..., _W])
    rows[..., 1, _W] = -pre * rows[..., 1, _X]
    scale = np.where(n > 1, n * np.maximum(n - 1, 1.0), np.inf)
    cov = np.einsum("...ik,...kl,...jl->...ij", rows, comoment, rows)
    # Terms of the linearised variance can cancel (y = 3d exactly): what is left is rounding.
    size = np.einsum("...ik,...kl,...il->...i", np.abs(rows), np.abs(comoment), np.abs(rows))
    variance = np.diagonal(cov, axis1=-2, axis2=-1)
    dead = variance <= _ROUNDING * size
    cov = np.where(dead[..., :, None] | dead[..., None, :], 0.0, cov) / scale[..., None, None]
    reason = np.zeros(n.shape, dtype=np.int8)
    denominator = np.sqrt(np.maximum(comoment[..., _D, _D], 0.0) / scale)
    weak = np.abs(mean[..., _D]) <= 1.96 * denominator
    reason[(mean[..., _D] == 0) | weak] = 2
    reason[n < 2] = 1
    reason[~finite] = 5
    return _Arm(n, ratio, pre, mean[..., _W] != 0, cov, reason)


def _theta(control: _Arm, treatment: _Arm) -> FloatArray:
    """CUPED's coefficient: the one that makes the variance of the difference smallest."""
    both = control.cov + treatment.cov
    usable = control.has_pre & treatment.has_pre
    return np.asarray(np.where(usable, _divide(both[..., 0, 1], both[..., 1, 1]), 0.0))


def _adjusted(control: _Arm, treatment: _Arm, theta: FloatArray) -> _Levels:
    """Both arms' levels, moved to the pre-period level of both together.

    That common level is itself estimated, so each adjusted level depends on both arms; the
    gradients keep this, and the relative effect's error is exact to first order.
    """
    total = np.maximum(control.n + treatment.n, 1.0)
    share = control.n / total, treatment.n / total
    common = share[0] * control.pre + share[1] * treatment.pre
    level = np.stack(
        [
            control.ratio - theta * (control.pre - common),
            treatment.ratio - theta * (treatment.pre - common),
        ]
    )
    one, zero = np.ones_like(theta), np.zeros_like(theta)
    grad = np.stack(
        [
            np.stack(
                [np.stack([one, -theta * share[1]], -1), np.stack([zero, theta * share[1]], -1)]
            ),
            np.stack(
                [np.stack([zero, theta * share[0]], -1), np.stack([one, -theta * share[0]], -1)]
            ),
        ]
    )
    return _Levels(
        level, grad, np.stack([control.cov, treatment.cov]), np.stack([control.n, treatment.n])
    )


def _spread(levels: _Levels, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Variance and Satterthwaite's degrees of freedom of weights · levels; weights (2, ...)."""
    gradient = np.einsum("l...,ls...k->s...k", weights, levels.grad)
    parts = np.einsum("s...i,s...ij,s...j->s...", gradient, levels.covs, gradient)
    parts = np.maximum(parts, 0.0)
    variance = parts.sum(axis=0)
    freedom = np.maximum(levels.ns - 1, 1.0)
    return variance, np.maximum(
        np.where(variance > 0, _divide(variance**2, (parts**2 / freedom).sum(axis=0)), 1.0), 1.0
    )


def _fieller(levels: _Levels, reach: FloatArray) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Fieller's bounds of treatment over control; the flag says where they are bounded."""
    control, treatment = levels.level
    gradient = levels.grad
    cov = np.einsum("ls...i,s...ij,ms...j->lm...", gradient, levels.covs, gradient)
    square = reach**2
    a = control**2 - square * cov[0, 0]
    b = control * treatment - square * cov[0, 1]
    c = treatment**2 - square * cov[1, 1]
    bounded = a > 0
    root = np.sqrt(np.maximum(b**2 - a * c, 0.0))
    safe = np.where(bounded, a, 1.0)
    return (b - root) / safe, (b + root) / safe, bounded


def _pool_shares(found: Effects, control: Moments, treatment: Moments) -> Effects:
    """For a difference of two shares, take z and p from the pooled variance (the score test).

    Under no effect both arms have one share, and its variance is known from the share. The test
    keeps its size when events are rare, and is the one every textbook gives.
    """
    binary = _is_share(control) & _is_share(treatment) & found.ok & (found.theta == 0)
    n = np.where(binary, found.n_control, 1.0), np.where(binary, found.n_treatment, 1.0)
    pooled = (n[0] * found.control + n[1] * found.treatment) / (n[0] + n[1])
    variance = np.maximum(pooled * (1 - pooled), 0.0) * (1 / n[0] + 1 / n[1])
    z = np.where(binary, _divide(found.value, np.sqrt(variance)), found.z)
    p = np.where(binary, 2 * special.ndtr(-np.abs(z)), found.p)
    return replace(found, z=z, p=p)


def _is_share(moments: Moments) -> BoolArray:
    """Where y is 0 or 1 for everyone and d is 1: then Σ(y − ȳ)² = n·ȳ(1 − ȳ), and only then."""
    share = moments.mean[..., _Y]
    spread = moments.n * share * (1 - share)
    alone = (moments.mean[..., _D] == 1) & (moments.comoment[..., _D, _D] == 0)
    close = np.abs(moments.comoment[..., _Y, _Y] - spread) <= 1e-9 * np.maximum(spread, 1e-9)
    return np.asarray(alone & close & (share >= 0) & (share <= 1))


def _critical(df: FloatArray, level: float) -> FloatArray:
    return np.asarray(special.stdtrit(df, 0.5 + level / 2), dtype=np.float64)


def _finish(
    levels: _Levels,
    reason: NDArray[np.int8],
    *,
    relative: bool,
    level: float,
    planned_n: float | None,
    users: FloatArray,
    interval: Interval,
    reduction: FloatArray,
    theta: FloatArray,
) -> Effects:
    control, treatment = levels.level
    reason = reason.copy()
    one = np.ones_like(control)
    variance, df = _spread(levels, np.stack([-one, one]))
    z = _divide(treatment - control, np.sqrt(variance))
    tail = _critical(df, level)
    reach = anytime_multiplier(users, level=level, planned_n=planned_n)
    fieller = np.zeros(control.shape, dtype=bool)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        if relative:
            size = np.abs(control)
            value = _divide(treatment - control, size)
            weights = _divide(one, size)
            ratio = _divide(treatment, control)
            wide, _ = _spread(levels, np.stack([-ratio * weights, weights]))
            lone, _ = _spread(levels, np.stack([one, 0 * one]))
            g = _divide(tail**2 * lone, control**2)
            reason[((control == 0) | (g >= 1)) & (reason == 0)] = 3
            fieller = (g >= WEAK) if interval == "auto" else np.full(g.shape, interval == "fieller")
            se = np.sqrt(wide)
            z = np.where(fieller, z, _divide(value, se))
        else:
            value, se = treatment - control, np.sqrt(variance)
        low, high = value - tail * se, value + tail * se
        any_low, any_high = value - reach * se, value + reach * se
        if fieller.any():
            sign = np.sign(control)
            for reached, lower, upper in ((tail, low, high), (reach, any_low, any_high)):
                first, last, bounded = _fieller(levels, reached)
                edges = np.sort(np.stack([sign * (first - 1), sign * (last - 1)]), axis=0)
                edges = np.where(bounded, edges, np.nan)
                lower[...] = np.where(fieller, edges[0], lower)
                upper[...] = np.where(fieller, edges[1], upper)
    p = np.where(se > 0, 2 * special.stdtr(df, -np.abs(z)), 1.0)
    reason[(se == 0) & (value != 0) & (reason == 0)] = 4
    ok = reason == 0

    def shown(array: FloatArray, otherwise: float = 0.0) -> FloatArray:
        return np.asarray(np.where(ok, array, otherwise))

    return Effects(
        value=shown(value),
        se=shown(se),
        low=shown(low),
        high=shown(high),
        p=shown(p, 1.0),
        z=shown(z),
        df=df,
        control=shown(control),
        treatment=shown(treatment),
        n_control=levels.ns[0],
        n_treatment=levels.ns[-1],
        anytime_low=shown(any_low, np.nan),
        anytime_high=shown(any_high, np.nan),
        reduction=shown(reduction),
        theta=shown(theta),
        fieller=fieller,
        ok=ok,
        reason=reason,
        level=level,
        relative=relative,
    )


def compare_many(
    control: Moments,
    treatment: Moments,
    *,
    relative: bool = True,
    adjust: bool = True,
    level: float = 0.95,
    planned_n: float | None = None,
    theta: Literal["own", "first"] | FloatArray = "own",
    interval: Interval = "auto",
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
        interval: Delta, Fieller, or by the rule at the head of this module.

    Returns:
        Arrays of that leading shape; groups that cannot be estimated are not `ok`.
    """
    first, second = _arm(control), _arm(treatment)
    plain = _adjusted(first, second, np.zeros(first.n.shape))
    coefficient = np.zeros(first.n.shape)
    if adjust:
        if isinstance(theta, str):
            coefficient = _theta(first, second)
            if theta == "first" and coefficient.ndim:
                coefficient = np.broadcast_to(coefficient[:1], coefficient.shape)
        else:
            coefficient = np.broadcast_to(np.asarray(theta, dtype=np.float64), first.n.shape)
        coefficient = np.where(first.has_pre & second.has_pre, coefficient, 0.0)
    levels = _adjusted(first, second, coefficient)
    contrast = np.stack([-np.ones(first.n.shape), np.ones(first.n.shape)])
    raw, _ = _spread(plain, contrast)
    left, _ = _spread(levels, contrast)
    reduction = np.where(coefficient != 0, 1 - _divide(left, raw), 0.0)
    found = _finish(
        levels,
        np.maximum(first.reason, second.reason),
        relative=relative,
        level=level,
        planned_n=planned_n,
        users=first.n + second.n,
        interval=interval,
        reduction=reduction,
        theta=coefficient,
    )
    return found if relative else _pool_shares(found, control, treatment)


def compare(
    control: Moments,
    treatment: Moments,
    *,
    relative: bool = True,
    adjust: bool = True,
    level: float = 0.95,
    planned_n: float | None = None,
    interval: Interval = "auto",
) -> Effect:
    """Compare two arms on one metric.

    Args:
        control: Leading shape (), columns y, d, x, w (`octad.model.inputs.COLUMNS`).
        treatment: The same.
        relative: Divide by the control's level.
        adjust: Use the pre-period (CUPED) where it varies.
        level: Coverage of the intervals.
        planned_n: Users expected at the end, both arms; tunes the anytime interval.
        interval: Delta, Fieller, or by the rule at the head of this module.

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
    return _single(many, what)


def change(
    before_after: Moments,
    *,
    relative: bool = True,
    level: float = 0.95,
    planned_n: float | None = None,
    interval: Interval = "auto",
) -> Effect:
    """How the same users changed: y/d (after) against x/w (before).

    A change is no effect: what else happened in between is in it. In the result, `control` is
    the level before and `treatment` the level after, of the same `n` users.

    Args:
        before_after: Leading shape (), columns y, d, x, w.
        relative: Divide by the level before.
        level: Coverage of the intervals.
        planned_n: Users expected at the end; tunes the anytime interval.
        interval: Delta, Fieller, or by the rule at the head of this module.

    Raises:
        NotEstimable: As `compare`.
    """
    arm = _arm(before_after[None])
    reason = np.where((arm.reason == 0) & ~arm.has_pre, 2, arm.reason).astype(np.int8)
    zero, one = np.zeros(arm.n.shape), np.ones(arm.n.shape)
    grad = np.stack([np.stack([zero, one], -1)[None], np.stack([one, zero], -1)[None]])
    levels = _Levels(np.stack([arm.pre, arm.ratio]), grad, arm.cov[None], arm.n[None])
    many = _finish(
        _Levels(levels.level, levels.grad, levels.covs, np.stack([arm.n])),
        reason,
        relative=relative,
        level=level,
        planned_n=planned_n,
        users=arm.n,
        interval=interval,
        reduction=zero,
        theta=zero,
    )
    return _single(many, "Change in the same users")


def of_shares(hits: float, n: float) -> Moments:
    """Moments of a proportion without a pre-period, in the four columns.

    >>> of_shares(14, 28).mean.tolist()
    [0.5, 1.0, 0.0, 1.0]
    """
    return of_sums(hits, hits, n)


def of_sums(total: float, squares: float, n: float) -> Moments:
    """Moments of a mean from a sum and a raw sum of squares, in the four columns.

    Raw squares cancel when values are large beside their spread; this is for published tables.
    """
    if n <= 0:
        return Moments.empty((), 4)
    mean = np.array([total / n, 1.0, 0.0, 1.0])
    comoment = np.zeros((4, 4))
    comoment[0, 0] = max(squares - total**2 / n, 0.0)
    return Moments(np.asarray(float(n)), mean, comoment)


def _varies(moments: Moments) -> bool:
    return bool(moments.comoment[..., _D, _D].any() or (moments.mean[..., _D] != 1).any())


def _single(many: Effects, what: str) -> Effect:
    if not many.ok[0]:
        raise NotEstimable(REASONS[int(many.reason[0])])
    method = [what, "relative to the control's level" if many.relative else "absolute"]
    if many.theta[0] != 0:
        method.append(f"adjusted by the pre-period ({float(many.reduction[0]):.0%} less variance)")
    if many.relative:
        method.append("Fieller's interval" if many.fieller[0] else "delta method")
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
    )
