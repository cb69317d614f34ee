"""Many launches at once: random effects, shrinkage, and the winner's curse."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special

from octad.stats.refusal import NotEstimable

__all__ = [
    "JointEffects",
    "RandomEffects",
    "WinnersCurse",
    "james_stein",
    "joint_random_effects",
    "random_effects",
    "winners_curse",
]

FloatArray = NDArray[np.float64]
Method = Literal["REML", "ML"]


@dataclass(frozen=True, slots=True, eq=False)
class RandomEffects:
    """Effects θᵢ ~ N(μ, τ²), measured with error.

    Attributes:
        mean: μ, and `mean_se`, `low`, `high`.
        tau2: τ², variance of the true effects; `tau` its root.
        q: Cochran's statistic that all effects are equal, infinite when an effect is known
            exactly; `q_p` its p-value.
        i2: Share of the spread that is not measurement error, ``τ²/(τ²+s²)``.
        shrunk: (k,) each effect pulled towards the mean, by as much as its error asks for.
        shrunk_se: (k,) their errors, that of the mean included, that of τ² not.
        weight: (k,) how much of its own measurement each kept.
        log_likelihood: Restricted for REML, the design's ½·log|XᵀX| included (as metafor does).
    """

    mean: float
    mean_se: float
    low: float
    high: float
    tau2: float
    tau: float
    q: float
    q_p: float
    i2: float
    shrunk: FloatArray
    shrunk_se: FloatArray
    weight: FloatArray
    log_likelihood: float


@dataclass(frozen=True, slots=True, eq=False)
class JointEffects:
    """Effects on m metrics at once, θᵢ ~ N(μ, T).

    Attributes:
        mean: (m,) μ; `mean_cov` (m, m) its covariance.
        between: (m, m) T, covariance of the true effects.
        correlation: (m, m) of the true effects; 0 where a metric's effects do not vary.
        shrunk: (k, m) posterior means given μ and T.
        log_likelihood: Restricted for REML.
    """

    mean: FloatArray
    mean_cov: FloatArray
    between: FloatArray
    correlation: FloatArray
    shrunk: FloatArray
    log_likelihood: float


@dataclass(frozen=True, slots=True)
class WinnersCurse:
    """What was promised by the launches that won, and what is left of it.

    Attributes:
        claimed: Sum of the estimated effects of those launched.
        bias: Estimated excess of that sum.
        corrected: claimed − bias.
        launched: How many were launched, of `tests`.
        tests: How many were run.
    """

    claimed: float
    bias: float
    corrected: float
    launched: int
    tests: int


def _effects(effects: ArrayLike, se: ArrayLike, fewest: int) -> tuple[FloatArray, FloatArray]:
    y, s = np.asarray(effects, dtype=np.float64), np.asarray(se, dtype=np.float64)
    if y.shape != s.shape or y.ndim != 1:
        raise NotEstimable("each effect needs its standard error")
    if len(y) < fewest:
        raise NotEstimable(f"this needs at least {fewest} launches; there are {len(y)}")
    if not (np.isfinite(y).all() and np.isfinite(s).all()) or (s < 0).any():
        raise NotEstimable("effects and their errors must be finite, errors not negative")
    return y, s


def _profile(y: FloatArray, v: FloatArray, tau2: float, method: str) -> tuple[float, float]:
    """Log-likelihood with μ profiled out, and its slope in τ²."""
    w = 1 / (v + tau2)
    mean = (w @ y) / w.sum()
    away = y - mean
    value = -0.5 * (len(y) * math.log(2 * math.pi) - np.log(w).sum() + w @ away**2)
    slope = 0.5 * (w**2 @ away**2 - w.sum())
    if method == "REML":
        value += 0.5 * (math.log(2 * math.pi) - math.log(w.sum()) + math.log(len(y)))
        slope += 0.5 * (w @ w) / w.sum()
    return float(value), float(slope)


def _tau2(y: FloatArray, v: FloatArray, method: str) -> float:
    """The τ² of highest likelihood: the best of 0 and the roots of the slope on a grid."""
    top = float(np.var(y)) * len(y) + float(np.ptp(y)) ** 2
    if top <= 0:
        return 0.0
    floor = 0.0 if v.min() > 0 else top * 1e-12
    grid = np.concatenate([[floor], top * np.geomspace(1e-8, 1.0, 60)])
    slopes = [_profile(y, v, t, method)[1] for t in grid]
    best, found = _profile(y, v, floor, method)[0], floor
    for i in range(len(grid) - 1):
        if slopes[i] > 0 >= slopes[i + 1]:
            root = float(
                optimize.brentq(
                    lambda t: _profile(y, v, t, method)[1], grid[i], grid[i + 1], xtol=1e-15 * top
                )
            )
            value = _profile(y, v, root, method)[0]
            if value > best:
                best, found = value, root
    return found


def random_effects(
    effects: ArrayLike,
    se: ArrayLike,
    method: Method = "REML",
    *,
    level: float = 0.95,
    knapp_hartung: bool = False,
) -> RandomEffects:
    """Random-effects meta-analysis, and each effect shrunk to the mean (empirical Bayes).

    Args:
        effects: (k,) estimated effects.
        se: (k,) their standard errors; 0 for effects known exactly.
        method: Restricted or plain maximum likelihood for τ².
        level: Coverage of the mean's interval.
        knapp_hartung: Scale the mean's error by the weighted spread, never down, and use t with
            k − 1 degrees of freedom (Knapp & Hartung 2003; Röver, Knapp & Friede 2015): honest with
            few launches.

    Raises:
        NotEstimable: With fewer than two launches, or unusable numbers.
    """
    y, s = _effects(effects, se, 2)
    v = s**2
    tau2 = _tau2(y, v, method)
    if tau2 <= 0 and v.min() <= 0:
        mean, exact = float(y.mean()), np.zeros(len(y))
        return RandomEffects(
            mean, 0.0, mean, mean, 0.0, 0.0, 0.0, 1.0, 0.0, y.copy(), exact, exact + 1.0, 0.0
        )
    w = 1 / (v + tau2)
    mean = float((w @ y) / w.sum())
    variance = 1 / float(w.sum())
    crit = float(special.ndtri((1 + level) / 2))
    if knapp_hartung:
        variance *= max(1.0, float(w @ (y - mean) ** 2) / (len(y) - 1))
        crit = float(special.stdtrit(len(y) - 1, (1 + level) / 2))
    half = crit * math.sqrt(variance)
    weight = tau2 * w
    shrunk_variance = (1 - weight) * tau2 + (1 - weight) ** 2 / float(w.sum())
    q, i2 = _heterogeneity(y, v, tau2)
    return RandomEffects(
        mean,
        math.sqrt(variance),
        mean - half,
        mean + half,
        tau2,
        math.sqrt(tau2),
        q,
        float(special.chdtrc(len(y) - 1, q)) if math.isfinite(q) else 0.0,
        i2,
        mean + weight * (y - mean),
        np.sqrt(shrunk_variance),
        weight,
        _profile(y, v, tau2, method)[0],
    )


def _heterogeneity(y: FloatArray, v: FloatArray, tau2: float) -> tuple[float, float]:
    """Cochran's Q and I² with the typical error variance of Higgins & Thompson (2002)."""
    if v.min() <= 0:
        return math.inf, 1.0
    w = 1 / v
    q = float(w @ (y - (w @ y) / w.sum()) ** 2)
    # (Σw)² − Σw², from shares, so that one very exact effect does not cancel it to nothing.
    share = w / w.sum()
    rest = float(w.sum()) * float(share @ (1 - share))
    if rest <= 0 or tau2 <= 0:
        return q, 1.0 if tau2 > 0 else 0.0
    return q, tau2 / (tau2 + (len(y) - 1) / rest)


def joint_random_effects(
    effects: ArrayLike, covariance: ArrayLike, method: Method = "REML"
) -> JointEffects:
    """Multivariate random effects with an unstructured covariance of the true effects.

    T is parametrised by its Cholesky factor without logarithms, so that a metric whose effects do
    not vary (T singular) can be reached.

    Args:
        effects: (k, m) estimated effects of k launches on m metrics.
        covariance: (k, m, m) of their errors.
        method: Restricted or plain maximum likelihood.

    Raises:
        NotEstimable: With fewer launches than metrics plus one, or covariances that are not.
    """
    y, s = np.asarray(effects, dtype=np.float64), np.asarray(covariance, dtype=np.float64)
    if y.ndim != 2 or s.shape != (*y.shape, y.shape[1]):
        raise NotEstimable("each launch needs its effects and their covariance")
    k, m = y.shape
    if k < m + 1:
        raise NotEstimable(f"{m} metrics at once need at least {m + 1} launches; there are {k}")
    if not (np.isfinite(y).all() and np.isfinite(s).all()):
        raise NotEstimable("effects and their covariances must be finite")
    if (np.linalg.eigvalsh(s)[:, 0] <= 0).any():
        raise NotEstimable("a covariance of errors must be positive definite")
    # One scale for all metrics, so that the optimiser's steps mean the same in each.
    scale = np.sqrt(y.var(axis=0) + np.einsum("kii->ki", s).mean(axis=0))
    y, s = y / scale, s / np.outer(scale, scale)
    between = _between(y, s, method)
    value, mean, mean_cov = _joint_likelihood(y, s, between, method)
    shrunk = np.array(
        [
            mean + between @ np.linalg.solve(between + c, row - mean)
            for row, c in zip(y, s, strict=True)
        ]
    )
    sd = np.sqrt(np.diag(between))
    safe = np.where(sd > 1e-6, sd, np.inf)
    correlation = between / np.outer(safe, safe)
    np.fill_diagonal(correlation, 1.0)
    jacobian = (k - (method == "REML")) * float(np.log(scale).sum())
    return JointEffects(
        mean * scale,
        mean_cov * np.outer(scale, scale),
        between * np.outer(scale, scale),
        correlation,
        shrunk * scale,
        value - jacobian,
    )


def _between(y: FloatArray, s: FloatArray, method: str) -> FloatArray:
    """The T of highest likelihood."""
    m = y.shape[1]
    lower = np.tril_indices(m)

    def squared(free: FloatArray) -> FloatArray:
        root = np.zeros((m, m))
        root[lower] = free
        return np.asarray(root @ root.T)

    def loss(free: FloatArray) -> float:
        return -_joint_likelihood(y, s, squared(free), method)[0]

    spread = np.cov(y.T, ddof=1).reshape(m, m)
    starts = [0.8 * np.linalg.cholesky(spread + 1e-6 * np.eye(m)), 0.2 * np.eye(m)]
    runs = [
        optimize.minimize(loss, start[lower], method="BFGS", options={"gtol": 1e-7})
        for start in starts
    ]
    best = min(runs, key=lambda run: float(run.fun))
    # The slope is taken by differences; a search without slopes finishes the last digits.
    polished = optimize.minimize(
        loss, best.x, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-13}
    )
    return squared(np.asarray(polished.x, dtype=np.float64))


def _joint_likelihood(
    y: FloatArray, s: FloatArray, between: FloatArray, method: str
) -> tuple[float, FloatArray, FloatArray]:
    """Log-likelihood with μ profiled out; μ; its covariance."""
    inverse = np.linalg.inv(s + between)
    information = inverse.sum(axis=0)
    mean_cov = np.linalg.inv(information)
    mean = mean_cov @ np.einsum("kij,kj->i", inverse, y)
    away = y - mean
    k, m = y.shape
    value = -0.5 * (
        k * m * math.log(2 * math.pi)
        - np.linalg.slogdet(inverse)[1].sum()
        + np.einsum("ki,kij,kj->", away, inverse, away)
    )
    if method == "REML":
        value += 0.5 * (m * math.log(2 * math.pi * k) - np.linalg.slogdet(information)[1])
    return float(value), mean, mean_cov


def james_stein(values: ArrayLike, se: float) -> FloatArray:
    """Pull equally precise values to their mean: ``x̄ + (1 − (k−3)σ²/Σ(x−x̄)²)₊(x − x̄)``.

    Efron & Morris (1975), with the positive part.

    Args:
        values: (k,) at least four.
        se: Their common standard error.

    Raises:
        NotEstimable: With fewer than four values.
    """
    x, s = _effects(values, np.full(np.shape(values), se), 4)
    away = x - x.mean()
    spread = float(away @ away)
    if spread <= 0:
        return x.copy()
    keep = max(0.0, 1 - (len(x) - 3) * float(s[0]) ** 2 / spread)
    return np.asarray(x.mean() + keep * away)


def winners_curse(
    effects: ArrayLike,
    se: ArrayLike,
    *,
    threshold: float = 1.959963984540054,
    launched: ArrayLike | None = None,
) -> WinnersCurse:
    """How much the launches that won promise too much (Lee & Shen 2018).

    A test is launched when its z exceeds a threshold. The sum over those launched is too large by
    ``Σ σᵢ·φ((bᵢσᵢ − aᵢ)/σᵢ)`` over *all* tests, run but not launched included; the estimate puts
    the measured effects in place of the true aᵢ, which overcorrects a little.

    Args:
        effects: (k,) estimated effects of every test that was run, good being positive.
        se: (k,) standard errors.
        threshold: The z above which a test is launched (bᵢ).
        launched: (k,) whether it was, when the rule was not followed to the letter; used for the
            sum that was claimed, while the correction keeps to the rule.

    Raises:
        NotEstimable: Without tests, or with errors of 0.
    """
    x, s = _effects(effects, se, 1)
    if (s <= 0).any():
        raise NotEstimable("a test without error has no winner's curse; leave it out")
    if not math.isfinite(threshold):
        raise NotEstimable("the threshold must be a number")
    won = x / s > threshold if launched is None else np.asarray(launched, dtype=bool)
    if won.shape != x.shape:
        raise NotEstimable("each test needs to say whether it was launched")
    bias = float((s * np.exp(-0.5 * (threshold - x / s) ** 2) / math.sqrt(2 * math.pi)).sum())
    claimed = float(x[won].sum())
    return WinnersCurse(claimed, bias, claimed - bias, int(won.sum()), len(x))
