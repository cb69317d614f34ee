"""How strong would something unseen have to be to explain the effect away?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from octad.stats.refusal import NotEstimable
from octad.stats.shrinkage import random_effects

__all__ = [
    "Adjusted",
    "Calibrated",
    "Confounding",
    "EValue",
    "NegativeControls",
    "adjusted_for_confounder",
    "calibrate",
    "e_value",
    "negative_controls",
    "ratio_from_standardised",
    "robustness",
]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class EValue:
    """Smallest risk ratio that a hidden cause would need with both launch and outcome.

    Attributes:
        point: To explain the whole estimate away; 1 needs nothing.
        limit: To make the interval reach 1; 1 when it already does. None without limits.
    """

    point: float
    limit: float | None


@dataclass(frozen=True, slots=True)
class Confounding:
    """Strength of hidden confounding that a regression's effect withstands.

    Attributes:
        partial_r2: Share of the outcome's leftover variance that the treatment explains; what
            something explaining *all* of the outcome would need to explain of the treatment.
        robustness: RV: share that a confounder must explain of both treatment and outcome to
            bring the estimate to 0 (or down by the share q).
        robustness_significant: The same to bring the interval to 0.
        t: The estimate over its error.
    """

    partial_r2: float
    robustness: float
    robustness_significant: float
    t: float


@dataclass(frozen=True, slots=True)
class Adjusted:
    """An estimate after a hypothetical confounder of given strength was taken out."""

    value: float
    se: float
    t: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class NegativeControls:
    """Where effects fall that should be zero.

    Attributes:
        mean: Systematic error μ; `mean_se` its standard error.
        sd: Spread σ of systematic errors.
        n: Controls.
        p: That no control moved at all (χ² with n degrees of freedom).
        smallest: Smallest p of a single control, Holm-corrected.
    """

    mean: float
    mean_se: float
    sd: float
    n: int
    p: float
    smallest: float


@dataclass(frozen=True, slots=True)
class Calibrated:
    """An estimate with systematic error taken into account.

    Attributes:
        value: Estimate minus the controls' mean.
        low, high: Interval with the spread of systematic error added.
        p: Two-sided against what the controls show nothing looks like.
        level: Coverage.
    """

    value: float
    low: float
    high: float
    p: float
    level: float


def e_value(risk_ratio: float, low: float | None = None, high: float | None = None) -> EValue:
    """``RR + √(RR·(RR−1))``, for a ratio below 1 after turning it over (VanderWeele & Ding 2017).

    Args:
        risk_ratio: Above 0. For odds of something common, or means, convert first.
        low: Lower limit of its interval.
        high: Upper limit.

    Raises:
        NotEstimable: When the ratio is not a positive number.

    >>> found = e_value(3.9, 1.8, 8.7)
    >>> round(found.point, 2), round(found.limit, 2)
    (7.26, 3.0)
    """
    if not (math.isfinite(risk_ratio) and risk_ratio > 0):
        raise NotEstimable("an E-value needs a risk ratio above 0")

    def strength(ratio: float) -> float:
        over = max(ratio, 1 / ratio)
        return over + math.sqrt(over * (over - 1))

    limit = None
    if low is not None and high is not None:
        if not 0 <= low <= risk_ratio <= high:
            raise NotEstimable("the interval must hold the ratio, and not go below 0")
        near = low if risk_ratio > 1 else high
        crossed = low <= 1 <= high
        limit = 1.0 if crossed else strength(near)
    return EValue(strength(risk_ratio), limit)


def ratio_from_standardised(difference: float) -> float:
    """Approximate risk ratio of a difference in standard deviations: ``exp(0.91·d)``.

    VanderWeele & Ding (2017), after Chinn (2000); lets means have an E-value.
    """
    if not math.isfinite(difference):
        raise NotEstimable("the standardised difference must be a number")
    return math.exp(0.91 * difference)


def robustness(
    estimate: float, se: float, freedom: float, *, q: float = 1.0, alpha: float = 0.05
) -> Confounding:
    """Robustness values and partial R² (Cinelli & Hazlett 2020).

    ``RV = ½(√(f⁴ + 4f²) − f²)`` with ``f = q·|t|/√df``; for the interval, f loses
    ``t*/√(df − 1)``.

    Args:
        estimate: Coefficient of the treatment.
        se: Its standard error (classical).
        freedom: Residual degrees of freedom.
        q: Share of the estimate to be explained away.
        alpha: Two-sided level for the interval's value.

    Raises:
        NotEstimable: When the error is not positive or too few degrees of freedom are left.

    >>> found = robustness(0.09731582, 0.02325654, 783)
    >>> round(found.robustness, 5), round(found.partial_r2, 5)
    (0.13878, 0.02187)
    """
    if not (math.isfinite(estimate) and math.isfinite(se) and se > 0 and freedom > 1):
        raise NotEstimable("robustness needs an estimate with a positive error and freedom left")
    if not (q > 0 and 0 < alpha < 1):
        raise NotEstimable("the share must be positive and the level between 0 and 1")
    t = estimate / se
    f = q * abs(t) / math.sqrt(freedom)
    crit = float(special.stdtrit(freedom - 1, 1 - alpha / 2)) / math.sqrt(freedom - 1)
    return Confounding(t**2 / (t**2 + freedom), _robustness(f, 0.0), _robustness(f, crit), t)


def _robustness(f: float, crit: float) -> float:
    reduced = f - crit
    if reduced <= 0:
        return 0.0
    if crit > 0 and f > 1 / crit:  # The bound binds: sensemakr's second case.
        return (f**2 - crit**2) / (1 + f**2)
    # The same as ½(√(f⁴ + 4f²) − f²), without its cancellation for large f.
    return 2 * reduced / (reduced + math.hypot(reduced, 2.0))


def adjusted_for_confounder(
    estimate: float,
    se: float,
    freedom: float,
    *,
    with_treatment: float,
    with_outcome: float,
    alpha: float = 0.05,
) -> Adjusted:
    """What would be left of the estimate beside a confounder of stated strength.

    Cinelli & Hazlett (2020), as sensemakr does; the bias is taken towards zero.

    Args:
        estimate: Coefficient of the treatment.
        se: Its standard error.
        freedom: Residual degrees of freedom.
        with_treatment: Partial R² of the confounder with the treatment, below 1.
        with_outcome: Partial R² of the confounder with the outcome.
        alpha: One minus the coverage of the interval.

    Raises:
        NotEstimable: As `robustness`, or for an R² outside [0, 1).
    """
    if not (0 <= with_treatment < 1 and 0 <= with_outcome <= 1):
        raise NotEstimable("a partial R² lies between 0 and 1")
    robustness(estimate, se, freedom, alpha=alpha)
    spread = se * math.sqrt(freedom)
    bias = spread * math.sqrt(with_outcome * with_treatment / (1 - with_treatment))
    value = math.copysign(1.0, estimate) * (abs(estimate) - bias)
    new = spread * math.sqrt((1 - with_outcome) / (1 - with_treatment) / (freedom - 1))
    half = float(special.stdtrit(freedom - 1, 1 - alpha / 2)) * new
    t = value / new if new > 0 else math.copysign(math.inf, value) if value else 0.0
    return Adjusted(value, new, t, value - half, value + half)


def negative_controls(effects: ArrayLike, se: ArrayLike) -> NegativeControls:
    """Fit the distribution of effects that should be zero: ``θ̂ᵢ ~ N(μ, σ² + seᵢ²)``.

    Schuemie et al. (2014); μ and σ by maximum likelihood, σ = 0 allowed.

    Args:
        effects: (n,) effects on metrics (or at placebo dates) the launch cannot have moved.
        se: (n,) their standard errors.

    Raises:
        NotEstimable: With fewer than two controls.
    """
    fit = random_effects(effects, se, "ML")
    y, s = np.asarray(effects, dtype=np.float64), np.asarray(se, dtype=np.float64)
    if s.min() > 0:
        z = y / s
        p = float(special.chdtrc(len(y), float(z @ z)))
        single = np.sort(2 * special.ndtr(-np.abs(z)))
        smallest = min(1.0, float(single[0]) * len(y))
    else:  # Known exactly: any movement is movement.
        p = smallest = float(not (y[s == 0] != 0).any())
    return NegativeControls(fit.mean, fit.mean_se, fit.tau, len(y), p, smallest)


def calibrate(
    estimate: float, se: float, controls: NegativeControls, level: float = 0.95
) -> Calibrated:
    """Judge an estimate by what nothing looks like: ``N(μ, σ² + se²)`` instead of ``N(0, se²)``.

    The error of μ is counted too, which the paper's plug-in leaves out; that of σ is not: with
    fewer than some thirty controls the answer is rough. The interval assumes that systematic error
    does not depend on the true effect.

    Args:
        estimate: The effect.
        se: Its standard error.
        controls: From `negative_controls`.
        level: Coverage.

    Raises:
        NotEstimable: When there is no error at all to judge by.
    """
    spread = math.hypot(controls.sd, controls.mean_se, se)
    if not (math.isfinite(estimate) and math.isfinite(spread) and spread > 0):
        raise NotEstimable("neither the estimate nor the controls have any error to judge by")
    value = estimate - controls.mean
    half = float(special.ndtri((1 + level) / 2)) * spread
    p = float(2 * special.ndtr(-abs(value) / spread))
    return Calibrated(value, value - half, value + half, p, level)
