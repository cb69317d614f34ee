"""Does the KPI still stand for the result? Covariance of true effects over past launches.

Estimated effects carry noise that is shared by all metrics of one experiment. Their correlation
over past launches is therefore that of the noise unless it is taken off.
"""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from octad.stats.refusal import NotEstimable

__all__ = [
    "Gap",
    "OptimalProxy",
    "Slope",
    "TrueCovariance",
    "divergence",
    "effect_covariance",
    "optimal_proxy",
    "rolling_slopes",
    "slope_on_kpi",
]

FloatArray = NDArray[np.float64]

FEWEST = 5
"""With fewer launches a covariance of effects says nothing worth reading."""


@dataclass(frozen=True, slots=True, eq=False)
class TrueCovariance:
    """Mean and covariance of the true effects of k launches on m metrics.

    Attributes:
        mean: (m,) mean effect.
        covariance: (m, m) Λ, measurement error removed, no negative directions.
        naive: (m, m) covariance of the estimates as they are.
        noise: (m, m) mean covariance of the measurement errors.
        correlation: (m, m) of the true effects; 0 where a metric's effects do not vary.
        projected: Whether directions of negative variance had to be cut to 0: the noise then is
            about as large as the effects.
        varies_p: (m,) that the true effects on a metric do not vary at all (Cochran's Q).
        k: Launches.
        jackknife: (k, m, m) Λ with one launch left out at a time, for errors of what follows.
    """

    mean: FloatArray
    covariance: FloatArray
    naive: FloatArray
    noise: FloatArray
    correlation: FloatArray
    projected: bool
    varies_p: FloatArray
    k: int
    jackknife: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class OptimalProxy:
    """Weights on short-term metrics that follow the result best in tests of a given size.

    Attributes:
        weights: (p,) for the metrics in the order given.
        quality: Correlation of the weighted *estimate* with the true result effect, in tests of
            this size: 0 useless, 1 perfect.
        single: (p,) the same for each metric alone.
    """

    weights: FloatArray
    quality: float
    single: FloatArray


@dataclass(frozen=True, slots=True)
class Gap:
    """How far a result lies from what the KPI foretold.

    Attributes:
        expected: β times the KPI's effect, plus the intercept.
        gap: Result minus expected.
        se: Its standard error, with both effects' covariance, the error of β and the spread of
            results about the line.
        z: gap over se.
        p: Two-sided.
    """

    expected: float
    gap: float
    se: float
    z: float
    p: float


@dataclass(frozen=True, slots=True)
class Slope:
    """Slope of the true result effect on the true KPI effect.

    Attributes:
        slope: β; `se` by the jackknife over launches; `low`, `high` with t quantiles.
        intercept: Result of a launch that leaves the KPI alone.
        spread: Variance of true results about the line.
        k: Launches.
    """

    slope: float
    se: float
    low: float
    high: float
    intercept: float
    spread: float
    k: int


def _project(matrix: FloatArray) -> tuple[FloatArray, bool]:
    """Nearest matrix without negative variances (Higham 1988: eigenvalues cut at 0)."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    if values[0] >= 0:
        return matrix, False
    return np.asarray((vectors * np.maximum(values, 0)) @ vectors.T), True


def effect_covariance(
    effects: ArrayLike, errors: ArrayLike, fewest: int = FEWEST
) -> TrueCovariance:
    """Covariance of true effects with measurement error removed (Bibaut et al. 2024).

    ``Λ̂ = Cov(Δ̂) − mean(Σ̂)``, projected so that no direction has a negative variance. All launches
    weigh the same; unlaunched tests belong in, or what is kept is what looked good.

    Args:
        effects: (k, m) estimated effects.
        errors: (k, m, m) covariance of each launch's estimates, from the same users.
        fewest: Refuse with fewer launches.

    Raises:
        NotEstimable: With too few launches, or unusable numbers.
    """
    y, s = np.asarray(effects, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    if y.ndim != 2 or s.shape != (*y.shape, y.shape[1]):
        raise NotEstimable("each launch needs its effects and their covariance")
    if len(y) < max(3, fewest):
        raise NotEstimable(
            f"the link between KPI and result needs at least {max(3, fewest)} past launches; "
            f"there are {len(y)}"
        )
    if not (np.isfinite(y).all() and np.isfinite(s).all()):
        raise NotEstimable("effects and their covariances must be finite")
    if (np.einsum("kii->ki", s) < 0).any():
        raise NotEstimable("a variance cannot be negative")
    naive, noise = np.atleast_2d(np.cov(y.T)), s.mean(axis=0)
    covariance, projected = _project(naive - noise)
    sd = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    safe = np.where(sd > 1e-12 * np.sqrt(np.diag(naive) + np.diag(noise) + 1e-300), sd, np.inf)
    correlation = np.clip(covariance / np.outer(safe, safe), -1.0, 1.0)
    np.fill_diagonal(correlation, 1.0)
    # Leaving out one launch, in closed form: (k−2)·C₋ᵢ = (k−1)·C − k/(k−1)·dᵢdᵢᵀ.
    k, away = len(y), y - y.mean(axis=0)
    rest = ((k - 1) * naive - k / (k - 1) * away[:, :, None] * away[:, None, :]) / (k - 2)
    jackknife = rest - (k * noise - s) / (k - 1)
    return TrueCovariance(
        y.mean(axis=0), covariance, naive, noise, correlation, projected,
        _varies(y, np.einsum("kii->ki", s)), len(y), jackknife,
    )  # fmt: skip


def _varies(y: FloatArray, v: FloatArray) -> FloatArray:
    """P of Cochran's Q by metric; launches known exactly settle it by themselves."""
    p = np.ones(y.shape[1])
    for j in range(y.shape[1]):
        if v[:, j].min() <= 0:
            p[j] = float(np.ptp(y[:, j]) <= 0)
            continue
        w = 1 / v[:, j]
        q = float(w @ (y[:, j] - (w @ y[:, j]) / w.sum()) ** 2)
        p[j] = float(special.chdtrc(len(y) - 1, q))
    return p


def optimal_proxy(
    covariance: ArrayLike,
    noise: ArrayLike,
    *,
    result: int,
    proxies: tuple[int, ...],
    size: float = 1.0,
) -> OptimalProxy:
    """Best weights for a test of a given size (Tripuraneni et al. 2023).

    ``w ∝ (Λ_PP + Σ_PP/n)⁻¹ Λ_PN``: the best proxy depends on n, because a noisy metric is worth
    more when there is more data to quiet it.

    Args:
        covariance: (m, m) of the true effects.
        noise: (m, m) of the errors at size 1.
        result: Column of the result.
        proxies: Columns of the short-term metrics.
        size: How many times larger the new test is than that of `noise`.

    Raises:
        NotEstimable: When the result's true effects, or the proxies', do not vary.
    """
    lam, sig = np.asarray(covariance, dtype=np.float64), np.asarray(noise, dtype=np.float64)
    if lam.shape != sig.shape or lam.ndim != 2 or not proxies or not size > 0:
        raise NotEstimable("a proxy needs both covariances, its columns and a positive size")
    if not (np.isfinite(lam).all() and np.isfinite(sig).all()):
        raise NotEstimable("covariances must be finite")
    target = float(lam[result, result])
    index = list(proxies)
    whole = lam[np.ix_(index, index)] + sig[np.ix_(index, index)] / size
    link = lam[index, result]
    if target <= 0 or not (np.diag(whole) > 0).all():
        raise NotEstimable("the true effects do not vary, so nothing can follow them")
    weights = np.asarray(np.linalg.lstsq(whole, link, rcond=None)[0], dtype=np.float64)
    explained = max(0.0, float(weights @ link))
    single = link / np.sqrt(np.diag(whole) * target)
    return OptimalProxy(
        weights, min(1.0, math.sqrt(explained / target)), np.clip(single, -1.0, 1.0)
    )


def slope_on_kpi(
    true: TrueCovariance, *, kpi: int = 0, result: int = 1, level: float = 0.95
) -> Slope:
    """Slope of the true result effect on the true KPI effect, ``Λ_PN/Λ_PP``.

    Args:
        true: From `effect_covariance`.
        kpi: Column of the KPI.
        result: Column of the result.
        level: Coverage.

    Raises:
        NotEstimable: When the KPI's true effects hardly vary: the slope would be noise over noise.
    """
    variance = float(true.covariance[kpi, kpi])
    if true.varies_p[kpi] > 0.05 or variance <= 0.1 * float(true.naive[kpi, kpi]):
        raise NotEstimable(
            "past launches moved the KPI no more than chance would, so nothing can be learned of "
            "what a KPI gain is worth"
        )
    slope = float(true.covariance[kpi, result]) / variance
    below = np.maximum(true.jackknife[:, kpi, kpi], 0.05 * float(true.naive[kpi, kpi]))
    each = true.jackknife[:, kpi, result] / below
    k = true.k
    se = math.sqrt((k - 1) / k * float(((each - each.mean()) ** 2).sum()))
    half = float(special.stdtrit(k - 2, (1 + level) / 2)) * se
    spread = float(true.covariance[result, result]) - slope**2 * variance
    intercept = float(true.mean[result] - slope * true.mean[kpi])
    return Slope(slope, se, slope - half, slope + half, intercept, max(0.0, spread), k)


def divergence(
    kpi: float,
    result: float,
    errors: ArrayLike,
    *,
    slope: float,
    slope_se: float = 0.0,
    intercept: float = 0.0,
    spread: float = 0.0,
) -> Gap:
    """Does this launch's result part from what its KPI foretold? ``z = (Δ̂_N − βΔ̂_P)/se``.

    Args:
        kpi: Effect on the KPI, Δ̂_P.
        result: Effect on the result, Δ̂_N.
        errors: (2, 2) covariance of the two (KPI, result), from the same users.
        slope: β, as learned from past launches or as the team claims.
        slope_se: Its standard error.
        intercept: Result of a launch that leaves the KPI alone.
        spread: Variance of true results about the line: launches differ even without noise.

    Raises:
        NotEstimable: When there is no error at all.
    """
    v = np.asarray(errors, dtype=np.float64)
    if v.shape != (2, 2) or not np.isfinite(v).all():
        raise NotEstimable("the KPI and the result need their joint covariance")
    expected = intercept + slope * kpi
    weights = np.array([-slope, 1.0])
    # (β̂ − β)·Δ̂_P has variance se²·E[Δ̂_P²], for which its own square stands.
    variance = float(weights @ v @ weights) + spread + slope_se**2 * kpi**2
    if not (math.isfinite(variance) and math.isfinite(expected + result)) or variance <= 0:
        raise NotEstimable("KPI and result have no error, so their gap cannot be judged")
    se = math.sqrt(variance)
    z = (result - expected) / se
    return Gap(expected, result - expected, se, z, float(2 * special.ndtr(-abs(z))))


def rolling_slopes(
    effects: ArrayLike, errors: ArrayLike, window: int = 20, *, kpi: int = 0, result: int = 1
) -> tuple[Slope | None, ...]:
    """The slope over the last `window` launches, at each launch; None where it cannot be told.

    Args:
        effects: (k, m) in the order of the launches.
        errors: (k, m, m).
        window: Launches per slope.
        kpi: Column of the KPI.
        result: Column of the result.
    """
    y, s = np.asarray(effects, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    slopes: list[Slope | None] = []
    for end in range(1, len(y) + 1):
        start = max(0, end - window)
        found: Slope | None = None
        if end - start >= min(window, 10):
            # Too little to tell is an answer here, one of many.
            with contextlib.suppress(NotEstimable):
                true = effect_covariance(y[start:end], s[start:end])
                found = slope_on_kpi(true, kpi=kpi, result=result)
        slopes.append(found)
    return tuple(slopes)
