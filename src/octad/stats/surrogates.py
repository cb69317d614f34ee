"""The long-term effect foretold from short-term ones, by a surrogate index."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from octad.stats.refusal import NotEstimable

__all__ = ["LongTerm", "SurrogateIndex", "fit_index", "foretell"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class SurrogateIndex:
    """A linear rule from short-term behaviour to the long-term result.

    Attributes:
        coefficients: (m,) β, one for each surrogate; the intercept cancels in a difference.
        intercept: For the level.
        covariance: (m, m) of β, robust to unequal spread.
        r2: Share of the long-term result's variance that the surrogates explain among users.
        n: Users it was learned from.
    """

    coefficients: FloatArray
    intercept: float
    covariance: FloatArray
    r2: float
    n: int


@dataclass(frozen=True, slots=True)
class LongTerm:
    """The foretold long-term effect.

    Attributes:
        value: τ_L = β′ΔS.
        se: From the surrogates' effects, the error of β, and the shared error of prediction.
        low, high: Interval.
        p: Two-sided.
        from_effects, from_index, from_bias: The three parts of the variance, as shares of it.
        level: Coverage.
    """

    value: float
    se: float
    low: float
    high: float
    p: float
    from_effects: float
    from_index: float
    from_bias: float
    level: float


def fit_index(surrogates: ArrayLike, outcome: ArrayLike) -> SurrogateIndex:
    """Learn the rule from past users whose long term is known (Athey et al. 2019).

    Ordinary least squares with errors robust to unequal spread (HC1).

    Args:
        surrogates: (n, m) short-term behaviour of each user.
        outcome: (n,) the long-term result of the same users.

    Raises:
        NotEstimable: With too few users, or surrogates that explain one another.
    """
    s, y = np.asarray(surrogates, dtype=np.float64), np.asarray(outcome, dtype=np.float64)
    if s.ndim != 2 or y.shape != (len(s),):
        raise NotEstimable("each past user needs the surrogates and the long-term result")
    n, m = s.shape
    if n < 10 * (m + 1):
        raise NotEstimable(f"{m} surrogates need at least {10 * (m + 1)} past users; there are {n}")
    if not (np.isfinite(s).all() and np.isfinite(y).all()):
        raise NotEstimable("surrogates and results must be finite")
    centre = s.mean(axis=0)
    away, target = s - centre, y - y.mean()
    scale = np.sqrt((away**2).mean(axis=0))
    if (scale <= 1e-12 * np.maximum(1e-300, np.abs(s).max(axis=0))).any():
        raise NotEstimable("a surrogate is the same for all users")
    design = away / scale
    gram = design.T @ design
    if np.linalg.cond(gram) > 1e12:
        raise NotEstimable("the surrogates explain one another")
    inverse = np.linalg.inv(gram)
    beta = inverse @ (design.T @ target)
    left = target - design @ beta
    meat = (design * left[:, None] ** 2).T @ design
    covariance = inverse @ meat @ inverse * n / (n - m - 1)
    total = float(target @ target)
    r2 = 1 - float(left @ left) / total if total > 0 else 0.0
    beta, covariance = beta / scale, covariance / np.outer(scale, scale)
    return SurrogateIndex(beta, float(y.mean() - centre @ beta), covariance, r2, n)


def foretell(
    effects: ArrayLike,
    errors: ArrayLike,
    index: SurrogateIndex,
    *,
    bias_sd: float = 0.0,
    level: float = 0.95,
) -> LongTerm:
    """Long-term effect of a launch, ``τ_L = β′ΔS`` (Athey et al. 2019; Zhang et al. 2023).

    ``Var = β′Var(ΔS)β + ΔS′Var(β)ΔS + b²``; the third term is for what no sample size mends. With
    estimates in place of true values the first two come out too large by the trace of the product
    of the two covariances (Goodman 1960), which is left in: a little wide, never narrow.

    It holds when all of the launch's long-term effect passes through the surrogates, and when the
    rule learned from the past still holds (comparability). Neither can be tested on the launch.

    Args:
        effects: (m,) effects on the surrogates.
        errors: (m, m) their covariance.
        index: From `fit_index`, from other users.
        bias_sd: Standard deviation of a prediction error shared by a whole arm, learned from past
            launches whose long term is known; it does not shrink with users.
        level: Coverage.

    Raises:
        NotEstimable: When the shapes differ or nothing has an error.
    """
    d, v = np.asarray(effects, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    beta = index.coefficients
    if d.shape != beta.shape or v.shape != (len(d), len(d)):
        raise NotEstimable("the launch's effects must be those of the index's surrogates")
    if not (np.isfinite(d).all() and np.isfinite(v).all() and bias_sd >= 0):
        raise NotEstimable("effects and their errors must be finite")
    parts = (
        float(beta @ v @ beta),
        float(d @ index.covariance @ d),
        bias_sd**2,
    )
    variance = sum(parts)
    if variance <= 0:
        raise NotEstimable("nothing here has an error, so none can be given")
    value, se = float(beta @ d), math.sqrt(variance)
    half = float(special.ndtri((1 + level) / 2)) * se
    a, b, c = (part / variance for part in parts)
    p = float(2 * special.ndtr(-abs(value / se)))
    return LongTerm(value, se, value - half, value + half, p, a, b, c, level)
