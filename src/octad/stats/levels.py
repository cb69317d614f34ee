"""Levels of a metric in two arms, linearised, adjusted by the pre-period, with their covariance.

The part of a comparison that comes before any choice of interval. Notation: a metric is the ratio
R = ȳ/d̄ of two sums; a user's share in it is (y − R·d)/d̄ (delta method; Deng, Knoblich, Lu 2018).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from octad.stats.moments import Moments

__all__ = [
    "Arm",
    "Levels",
    "adjusted",
    "best_theta",
    "divide",
    "fieller",
    "linearise",
    "of_shares",
    "of_sums",
    "price_of_theta",
    "spread",
]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
CodeArray = NDArray[np.int8]

Y, D, X, W = 0, 1, 2, 3
"""The columns of every metric's moments (`octad.model.inputs.COLUMNS`)."""

TOO_FEW, NO_DENOMINATOR, NO_LEVEL, NO_SPREAD, NOT_FINITE = 1, 2, 3, 4, 5

ROUNDING = 1e-12
"""Share of the terms it is made of below which a difference is rounding: sums of a million values
lose up to four of their sixteen digits."""


@dataclass(frozen=True, slots=True, eq=False)
class Arm:
    """One arm's ratios, and the covariance of their estimates.

    Attributes:
        n: (...,) users.
        ratio: (...,) the metric.
        pre: (...,) the metric before exposure; `has_pre` where there is one.
        cov: (..., 2, 2) covariance of the estimates (ratio, pre).
        reason: (...,) code of a refusal, 0 where there is none.
    """

    n: FloatArray
    ratio: FloatArray
    pre: FloatArray
    has_pre: BoolArray
    cov: FloatArray
    reason: CodeArray


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """Two levels that are smooth functions of the ratios in one or two groups of users.

    Attributes:
        level: (2, ...) the control's and the treatment's (or: before and after).
        grad: (2, G, ..., 2) how each level depends on each group's two ratios.
        covs: (G, ..., 2, 2) covariance of each group's two ratios.
        ns: (G, ...) users in each group.
    """

    level: FloatArray
    grad: FloatArray
    covs: FloatArray
    ns: FloatArray

    def cov(self) -> FloatArray:
        """(2, 2, ...) covariance of the two levels."""
        return np.asarray(np.einsum("lg...i,g...ij,mg...j->lm...", self.grad, self.covs, self.grad))


def divide(top: FloatArray, bottom: FloatArray) -> FloatArray:
    """Divide; 0 where the bottom is 0.

    >>> divide(np.array([1.0, 1.0]), np.array([2.0, 0.0])).tolist()
    [0.5, 0.0]
    """
    return np.asarray(np.where(bottom != 0, top / np.where(bottom != 0, bottom, 1.0), 0.0))


def linearise(moments: Moments) -> Arm:
    """Ratios and the covariance of their estimates, from moments in columns y, d, x, w."""
    n = np.asarray(moments.n, dtype=np.float64)
    finite = (
        np.isfinite(n)
        & np.isfinite(moments.mean).all(axis=-1)
        & np.isfinite(moments.comoment).all(axis=(-1, -2))
    )
    mean = np.where(finite[..., None], moments.mean, 0.0)
    comoment = np.where(finite[..., None, None], moments.comoment, 0.0)
    n = np.where(finite, n, 0.0)
    ratio, pre = divide(mean[..., Y], mean[..., D]), divide(mean[..., X], mean[..., W])
    rows = np.zeros((*n.shape, 2, 4))
    rows[..., 0, Y] = divide(np.ones_like(ratio), mean[..., D])
    rows[..., 0, D] = -ratio * rows[..., 0, Y]
    rows[..., 1, X] = divide(np.ones_like(pre), mean[..., W])
    rows[..., 1, W] = -pre * rows[..., 1, X]
    scale = np.where(n > 1, n * np.maximum(n - 1, 1.0), np.inf)
    cov = np.einsum("...ik,...kl,...jl->...ij", rows, comoment, rows)
    # Terms of the linearised variance can cancel (y = 3d exactly): what is left is rounding.
    size = np.einsum("...ik,...kl,...il->...i", np.abs(rows), np.abs(comoment), np.abs(rows))
    dead = np.diagonal(cov, axis1=-2, axis2=-1) <= ROUNDING * size
    cov = np.where(dead[..., :, None] | dead[..., None, :], 0.0, cov) / scale[..., None, None]
    reason = np.zeros(n.shape, dtype=np.int8)
    wobble = 1.96 * np.sqrt(np.maximum(comoment[..., D, D], 0.0) / scale)
    reason[np.abs(mean[..., D]) <= wobble] = NO_DENOMINATOR
    reason[n < 2] = TOO_FEW
    reason[~finite] = NOT_FINITE
    return Arm(n, ratio, pre, mean[..., W] != 0, cov, reason)


def best_theta(control: Arm, treatment: Arm) -> FloatArray:
    """CUPED's coefficient, one for both arms: θ = Cov(R, pre)/Var(pre) (Deng et al. 2013).

    Each arm's covariance counts as much as its estimate is uncertain, which is the θ that makes
    the variance of the difference smallest. Covariances are within arms: pooling the whole sample
    instead (as in `tea-tasting`) lets the effect itself leak into θ when the arms differed before.
    """
    both = control.cov + treatment.cov
    usable = control.has_pre & treatment.has_pre
    return np.asarray(np.where(usable, divide(both[..., 0, 1], both[..., 1, 1]), 0.0))


def price_of_theta(control: Arm, treatment: Arm) -> FloatArray:
    """What estimating θ from the same users costs: a factor on the variance, 1 when n is large.

    With equal variances it makes the adjusted difference that of analysis of covariance: one
    degree of freedom is lost, and the arms' own distance before the launch is multiplied by an
    uncertain θ. Without it, 15 users an arm call no effect one 6% of the time instead of 5%.
    """
    users = control.n + treatment.n
    apart = divide(
        (treatment.pre - control.pre) ** 2, control.cov[..., 1, 1] + treatment.cov[..., 1, 1]
    )
    freedom = np.maximum(users - 2, 2.0)
    return np.asarray(freedom / (freedom - 1) * (1 + apart / freedom))


def adjusted(control: Arm, treatment: Arm, theta: FloatArray) -> Levels:
    """Both arms' levels, moved to the pre-period level of both together.

    That common level is itself estimated, so each adjusted level depends on both arms; the
    gradients keep this, and a relative effect's error is exact to first order.
    """
    total = np.maximum(control.n + treatment.n, 1.0)
    share, other = control.n / total, treatment.n / total
    common = share * control.pre + other * treatment.pre
    level = np.stack(
        [
            control.ratio - theta * (control.pre - common),
            treatment.ratio - theta * (treatment.pre - common),
        ]
    )
    grad = np.zeros((2, 2, *theta.shape, 2))
    grad[0, 0, ..., 0] = grad[1, 1, ..., 0] = 1.0
    grad[0, 0, ..., 1], grad[0, 1, ..., 1] = -theta * other, theta * other
    grad[1, 0, ..., 1], grad[1, 1, ..., 1] = theta * share, -theta * share
    covs, ns = np.stack([control.cov, treatment.cov]), np.stack([control.n, treatment.n])
    return Levels(level, grad, covs, ns)


def spread(levels: Levels, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Variance of a weighted sum of the two levels, and Satterthwaite's degrees of freedom.

    Args:
        levels: The levels.
        weights: (2, ...) one for each level.
    """
    gradient = np.einsum("l...,lg...k->g...k", weights, levels.grad)
    parts = np.einsum("g...i,g...ij,g...j->g...", gradient, levels.covs, gradient)
    # A covariate that explains everything leaves rounding for a variance.
    size = np.einsum("g...i,g...ij,g...j->g...", *map(np.abs, (gradient, levels.covs, gradient)))
    parts = np.where(parts <= ROUNDING * size, 0.0, parts)
    variance = parts.sum(axis=0)
    lost = (parts**2 / np.maximum(levels.ns - 1, 1.0)).sum(axis=0)
    return variance, np.maximum(divide(variance**2, lost), 1.0)


def fieller(levels: Levels, reach: FloatArray) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Fieller's bounds of the second level over the first, less one (Fieller 1954).

    They are where the test of "second = (1 + bound)·first" is just significant. The terms of the
    quadratic's discriminant that cancel are left out on paper, so that levels of 1e9 with errors
    of 1e-6 keep their digits.

    Args:
        levels: The levels.
        reach: (...,) standard errors to each side.

    Returns:
        Lower and upper bound, and where they are bounded at all.
    """
    first, second = levels.level
    cov, k = levels.cov(), reach**2
    with np.errstate(invalid="ignore", over="ignore"):
        a = first**2 - k * cov[0, 0]
        middle = first * (second - first) - k * (cov[0, 1] - cov[0, 0])
        of_test, _ = spread(levels, np.stack([-second, first]))
        determinant = np.maximum(cov[0, 0] * cov[1, 1] - cov[0, 1] ** 2, 0.0)
        bounded = a > 0
        root = np.sqrt(np.maximum(k * (of_test - k * determinant), 0.0))
    safe = np.where(bounded, a, 1.0)
    low, high = (np.where(bounded, (middle + side * root) / safe, 0.0) for side in (-1, 1))
    return np.asarray(low), np.asarray(high), np.asarray(bounded)


def of_sums(total: float, squares: float, n: float) -> Moments:
    """Moments of a mean from a sum and a raw sum of squares, in the four columns.

    Raw squares cancel when values are large beside their spread; this is for published tables.
    """
    if n <= 0:
        return Moments.empty((), 4)
    comoment = np.zeros((4, 4))
    comoment[0, 0] = max(squares - total**2 / n, 0.0)
    return Moments(np.asarray(float(n)), np.array([total / n, 1.0, 0.0, 1.0]), comoment)


def of_shares(hits: float, n: float) -> Moments:
    """Moments of a proportion without a pre-period, in the four columns.

    >>> of_shares(14, 28).mean.tolist()
    [0.5, 1.0, 0.0, 1.0]
    """
    return of_sums(hits, hits, n)
