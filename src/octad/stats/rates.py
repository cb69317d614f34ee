"""Rates of events that are met by acting: ratios, trends, and what heavy users live with."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from octad.stats.rate_fit import RateFit, events_and_exposure, fit_rates
from octad.stats.refusal import NotEstimable

__all__ = [
    "RateFit",
    "RateRatio",
    "Trend",
    "actions_to_meet",
    "chance_met",
    "fit_rates",
    "rate_ratio",
    "rate_trend",
    "share_trend",
    "usage_weighted_mean",
]

FloatArray = NDArray[np.float64]

EXACT_BELOW = 100
"""Fewer events than this in both groups together are compared exactly by default."""


@dataclass(frozen=True, slots=True)
class RateRatio:
    """A rate over another rate.

    Attributes:
        ratio: First rate over second; infinite when only the second has no events.
        low, high: Interval; `high` is infinite when the second group has no events.
        p: Two-sided, that the ratio is 1.
        first, second: The rates, events per unit of exposure.
        level: Coverage.
        method: ``exact`` (conditional binomial, Clopper–Pearson) or ``score``.
    """

    ratio: float
    low: float
    high: float
    p: float
    first: float
    second: float
    level: float
    method: str


@dataclass(frozen=True, slots=True)
class Trend:
    """A trend over ordered bands.

    Attributes:
        slope: Change per band: of the log rate, or of the share.
        se: Its standard error.
        statistic: χ² with one degree of freedom that there is no trend.
        p: Its p-value.
        per_band: Rate ratio from a band to the next, or the slope again for shares.
        low, high: Interval of `per_band`.
    """

    slope: float
    se: float
    statistic: float
    p: float
    per_band: float
    low: float
    high: float


def rate_ratio(
    events: tuple[float, float],
    exposure: tuple[float, float],
    *,
    level: float = 0.95,
    dispersion: float = 1.0,
    method: Literal["auto", "exact", "score"] = "auto",
) -> RateRatio:
    """Compare two Poisson rates.

    Given the sum of events, the first count is binomial with odds ``ratio · e₁/e₀``
    (Przyborowski & Wilenski 1940). Exact: Clopper–Pearson limits and twice the smaller tail.
    Score: Wilson limits of the same binomial, its variance multiplied by `dispersion`.

    Args:
        events: Events of the first and second group.
        exposure: Actions, user-days or users behind them.
        level: Coverage.
        dispersion: Variance over mean of the counts, at least 1 (see `RateFit.dispersion`).
        method: ``auto`` is exact below 100 events in all and without overdispersion.

    Returns:
        First rate over second, with interval and p.

    Raises:
        NotEstimable: Without any event, without exposure, or exact with overdispersion.

    >>> found = rate_ratio((11, 21), (800, 3011))
    >>> round(found.ratio, 3), round(found.low, 3), round(found.high, 3)
    (1.971, 0.858, 4.277)
    """
    y, e = events_and_exposure(events, exposure)
    if (e <= 0).any():
        raise NotEstimable("one of the groups did nothing, so it has no rate")
    total = float(y.sum())
    if total <= 0:
        raise NotEstimable("neither group met a single event, so their rates cannot be compared")
    if not (math.isfinite(dispersion) and dispersion > 0):
        raise NotEstimable("the dispersion must be a positive number")
    phi = max(1.0, dispersion)
    if method == "auto":
        method = "exact" if total < EXACT_BELOW and phi <= 1 else "score"
    if method == "exact" and phi > 1:
        raise NotEstimable("no exact comparison exists for counts spread wider than Poisson")
    low, high, p = _exact(y, e, level) if method == "exact" else _score(y, e, level, phi)
    rates, scale = y / e, e[1] / e[0]
    return RateRatio(
        float(rates[0] / rates[1]) if y[1] > 0 else math.inf,
        float(low / (1 - low) * scale),
        float(high / (1 - high) * scale) if high < 1 else math.inf,
        p,
        float(rates[0]),
        float(rates[1]),
        level,
        method,
    )


def _exact(y: FloatArray, e: FloatArray, level: float) -> tuple[float, float, float]:
    """Clopper–Pearson limits of the first group's share of events, and p."""
    even, odd = (float(x) for x in e / e.sum())
    tail = (1 - level) / 2
    low = float(special.betaincinv(y[0], y[1] + 1, tail)) if y[0] > 0 else 0.0
    high = float(special.betaincinv(y[0] + 1, y[1], 1 - tail)) if y[1] > 0 else 1.0
    below = float(special.betainc(y[1], y[0] + 1, odd)) if y[1] > 0 else 1.0
    above = float(special.betainc(y[0], y[1] + 1, even)) if y[0] > 0 else 1.0
    return low, high, min(1.0, 2 * min(below, above))


def _score(y: FloatArray, e: FloatArray, level: float, phi: float) -> tuple[float, float, float]:
    """Wilson limits of the first group's share of events, and p."""
    even, odd = (float(x) for x in e / e.sum())
    total = float(y.sum())
    z2 = float(special.ndtri((1 + level) / 2)) ** 2 * phi
    middle = (y[0] + z2 / 2) / (total + z2)
    half = math.sqrt(z2) * math.sqrt(y[0] * y[1] / total + z2 / 4) / (total + z2)
    low = 0.0 if y[0] == 0 else max(0.0, float(middle) - half)
    high = 1.0 if y[1] == 0 else min(1.0, float(middle) + half)
    gap = (y[0] - total * even) / math.sqrt(phi * total * even * odd)
    return low, high, float(2 * special.ndtr(-abs(gap)))


def rate_trend(
    events: ArrayLike, exposure: ArrayLike, scores: ArrayLike | None = None, level: float = 0.95
) -> Trend:
    """Does the rate rise or fall over ordered bands? A log-linear Poisson trend.

    The error is widened by the Pearson dispersion when that is above 1, since bands are coarse.

    Args:
        events: (I,) events by band.
        exposure: (I,) actions by band.
        scores: (I,) place of each band; 0, 1, 2, … by default.
        level: Coverage.

    Raises:
        NotEstimable: With fewer than three bands with exposure, or no events.
    """
    y, e = events_and_exposure(events, exposure)
    s = np.arange(len(y), dtype=np.float64) if scores is None else np.asarray(scores, np.float64)
    if len(y[e > 0]) < 3:
        raise NotEstimable("a trend needs at least three bands with any use")
    fit = fit_rates(y, np.column_stack([np.ones(len(y)), s]), e, family="poisson")
    slope = float(fit.coefficients[1])
    se = float(np.sqrt(fit.covariance[1, 1] * max(1.0, fit.dispersion)))
    half = float(special.ndtri((1 + level) / 2)) * se
    statistic = (slope / se) ** 2
    return Trend(
        slope,
        se,
        statistic,
        float(special.chdtrc(1, statistic)),
        *(math.exp(min(700.0, max(-700.0, slope + side * half))) for side in (0, -1, 1)),
    )


def share_trend(
    met: ArrayLike, users: ArrayLike, scores: ArrayLike | None = None, level: float = 0.95
) -> Trend:
    """Cochran–Armitage trend of a share over ordered bands (R's ``prop.trend.test``).

    Args:
        met: (I,) users who met it.
        users: (I,) users.
        scores: (I,) place of each band; 1, 2, 3, … by default.
        level: Coverage of the slope's interval.

    Raises:
        NotEstimable: With fewer than two bands, or when nobody or everybody met it.
    """
    y, n = events_and_exposure(met, users)
    if (y > n).any():
        raise NotEstimable("more users met it than there are")
    s = np.arange(1.0, len(y) + 1) if scores is None else np.asarray(scores, np.float64)
    y, s, n = y[n > 0], s[n > 0], n[n > 0]
    total = float(n.sum())
    if len(n) < 2 or not 0 < y.sum() < total:
        raise NotEstimable("a trend needs two bands, and some who met it and some who did not")
    share, centre = float(y.sum()) / total, float(s @ n) / total
    spread = float(n @ (s - centre) ** 2)
    if spread <= 0:
        raise NotEstimable("all bands have the same place, so there is no order")
    slope = float((s - centre) @ y) / spread
    se = math.sqrt(share * (1 - share) / spread)
    half = float(special.ndtri((1 + level) / 2)) * se
    statistic = (slope / se) ** 2
    return Trend(
        slope, se, statistic, float(special.chdtrc(1, statistic)), slope, slope - half, slope + half
    )


def chance_met(rate: ArrayLike, actions: ArrayLike) -> FloatArray:
    """Chance to have met something at least once: ``1 − (1 − p)ⁿ``, exact for tiny p.

    >>> float(chance_met(0.001, 1000).round(3))
    0.632
    """
    p, n = np.asarray(rate, dtype=np.float64), np.asarray(actions, dtype=np.float64)
    if not ((p >= 0) & (p <= 1)).all() or not (n >= 0).all():
        raise NotEstimable("a chance lies between 0 and 1, and actions are not negative")
    return np.asarray(-np.expm1(special.xlog1py(n, -p)))


def actions_to_meet(rate: float, chance: float = 0.95) -> float:
    """Actions after which `chance` of users have met it; infinite when it never happens.

    >>> actions_to_meet(0.01)
    299.0
    """
    if not 0 <= rate <= 1 or not 0 < chance < 1:
        raise NotEstimable("a chance lies between 0 and 1")
    if rate == 0:
        return math.inf
    if rate == 1:
        return 1.0
    # Rounding must not add an action when the quotient is whole.
    return float(math.ceil(math.log1p(-chance) / math.log1p(-rate) - 1e-9))


def usage_weighted_mean(mean: float, variance: float) -> float:
    """Mean use of the user behind a random action: ``μ(1 + CV²) = E[X²]/E[X]``.

    A team that looks at users sees μ; a team that looks at actions sees this.

    Args:
        mean: Mean use per user.
        variance: Variance between users (divided by n, to equal the weighted mean exactly).

    Raises:
        NotEstimable: When nobody uses anything.
    """
    if not (math.isfinite(mean) and math.isfinite(variance)) or mean <= 0 or variance < 0:
        raise NotEstimable("nobody used it, so there is no user behind an action")
    return mean + variance / mean
