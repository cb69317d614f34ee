"""How good were the forecasts: Brier and log scores, calibration, interval coverage."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special

from octad.stats.refusal import NotEstimable

__all__ = [
    "Calibration",
    "Coverage",
    "Score",
    "brier_score",
    "calibration",
    "interval_coverage",
    "interval_score",
    "log_score",
]

FloatArray = NDArray[np.float64]

FEWEST = 50
"""With fewer forecasts a decomposition reads patterns into noise; show the score alone."""


@dataclass(frozen=True, slots=True)
class Score:
    """A mean score of forecasts; smaller is better.

    Attributes:
        value: The mean.
        se: Its standard error, forecasts taken as independent; None for a single forecast.
        n: Forecasts.
    """

    value: float
    se: float | None
    n: int


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """The Brier score split by isotonic recalibration (CORP; Dimitriadis, Gneiting & Jordan 2021).

    ``score = miscalibration − discrimination + uncertainty``, exactly.

    Attributes:
        score: Mean Brier score.
        miscalibration: What stating the right chances would have saved (MCB); 0 is perfect.
        discrimination: What telling cases apart gained (DSC); 0 is none.
        uncertainty: Score of always saying the base rate (UNC).
        n: Forecasts.
        forecast: (n,) the forecasts, rising.
        recalibrated: (n,) the share that came true, as an isotonic curve over `forecast`.
        excess_sure: Mean forecast minus share that came true: above 0 is too sure of success.
    """

    score: float
    miscalibration: float
    discrimination: float
    uncertainty: float
    n: int
    forecast: FloatArray
    recalibrated: FloatArray
    excess_sure: float


@dataclass(frozen=True, slots=True)
class Coverage:
    """How often stated intervals held what happened.

    Attributes:
        share: Share that held it.
        low, high: Wilson interval of the share, 95%.
        stated: The coverage that was promised.
        p: Two-sided exact p that the promise is kept (twice the smaller tail).
        n: Intervals.
    """

    share: float
    low: float
    high: float
    stated: float
    p: float
    n: int


def _pairs(forecast: ArrayLike, happened: ArrayLike) -> tuple[FloatArray, FloatArray]:
    p, y = np.asarray(forecast, dtype=np.float64), np.asarray(happened, dtype=np.float64)
    if p.shape != y.shape or p.ndim != 1:
        raise NotEstimable("each forecast needs to be paired with what happened")
    if not len(p):
        raise NotEstimable("there are no forecasts to score yet")
    if not ((p >= 0) & (p <= 1)).all():
        raise NotEstimable("a forecast is a chance between 0 and 1")
    if not ((y >= 0) & (y <= 1)).all():
        raise NotEstimable("what happened is 1 for came true, 0 for did not, between for a tie")
    return p, y


def _score(values: ArrayLike) -> Score:
    each = np.asarray(values, dtype=np.float64)
    se = float(each.std(ddof=1) / math.sqrt(len(each))) if len(each) > 1 else None
    return Score(float(each.mean()), se, len(each))


def brier_score(forecast: ArrayLike, happened: ArrayLike) -> Score:
    """Mean squared difference of chance and outcome (Brier 1950).

    0 is perfect, .25 is always saying one half.

    Args:
        forecast: (n,) chances between 0 and 1.
        happened: (n,) 1 came true, 0 did not, ½ a tie.

    Raises:
        NotEstimable: Without forecasts, or with something else than chances and outcomes.

    >>> round(brier_score([0.8, 0.9], [1, 0]).value, 3)
    0.425
    """
    p, y = _pairs(forecast, happened)
    return _score((p - y) ** 2)


def log_score(forecast: ArrayLike, happened: ArrayLike) -> Score:
    """Mean negative logarithm of the chance given to what happened (Good 1952), in nats.

    Args:
        forecast: (n,) chances between 0 and 1.
        happened: (n,) 1 came true, 0 did not, ½ a tie.

    Raises:
        NotEstimable: Also when something called impossible happened: that score is infinite.
    """
    p, y = _pairs(forecast, happened)
    if ((y > 0) & (p <= 0)).any() or ((y < 1) & (p >= 1)).any():
        raise NotEstimable(
            "something happened that a forecast had called impossible, so its log score is infinite"
        )
    return _score(-(special.xlogy(y, p) + special.xlogy(1 - y, 1 - p)))


def calibration(forecast: ArrayLike, happened: ArrayLike, fewest: int = FEWEST) -> Calibration:
    """Split the Brier score by pool-adjacent-violators recalibration.

    Args:
        forecast: (n,) chances between 0 and 1.
        happened: (n,) 1 came true, 0 did not, ½ a tie.
        fewest: Refuse with fewer forecasts than this.

    Raises:
        NotEstimable: With too few forecasts, or unusable ones.
    """
    p, y = _pairs(forecast, happened)
    if len(p) < fewest:
        raise NotEstimable(
            f"calibration needs at least {fewest} forecasts with known ends; there are {len(p)}"
        )
    _, place, count = np.unique(p, return_inverse=True, return_counts=True)
    # Equal forecasts form one block from the start: the curve is a function of the forecast.
    share = np.bincount(place, y) / count
    fitted = np.asarray(optimize.isotonic_regression(share, weights=count.astype(float)).x)
    curve = fitted[place]
    base = float(y.mean())
    score, ideal = float(((p - y) ** 2).mean()), float(((curve - y) ** 2).mean())
    uncertainty = float(((base - y) ** 2).mean())
    order = np.argsort(p, kind="stable")
    return Calibration(
        score,
        max(0.0, score - ideal),
        max(0.0, uncertainty - ideal),
        uncertainty,
        len(p),
        p[order],
        curve[order],
        float(p.mean()) - base,
    )


def interval_coverage(
    low: ArrayLike, high: ArrayLike, happened: ArrayLike, stated: float
) -> Coverage:
    """How often intervals held what happened; NaN-free, ends included.

    Args:
        low: (n,) lower ends; −inf for one-sided promises such as "at most".
        high: (n,) upper ends; inf likewise.
        happened: (n,) what came.
        stated: The share that should have been held.

    Raises:
        NotEstimable: Without intervals, with ends the wrong way round, or values that are absent.
    """
    lo, hi, y = (np.asarray(a, dtype=np.float64) for a in (low, high, happened))
    if not (lo.shape == hi.shape == y.shape) or y.ndim != 1:
        raise NotEstimable("each interval needs two ends and what happened")
    if not len(y):
        raise NotEstimable("there are no intervals to score yet")
    if np.isnan(lo).any() or np.isnan(hi).any() or not np.isfinite(y).all() or (lo > hi).any():
        raise NotEstimable("an interval's ends must be in order, and what happened a number")
    if not 0 < stated < 1:
        raise NotEstimable("the promised coverage lies between 0 and 1")
    n, held = len(y), int(((lo <= y) & (y <= hi)).sum())
    z2 = float(special.ndtri(0.975)) ** 2
    middle = (held + z2 / 2) / (n + z2)
    half = math.sqrt(z2) * math.sqrt(held * (n - held) / n + z2 / 4) / (n + z2)
    below = float(special.betainc(n - held, held + 1, 1 - stated)) if held < n else 1.0
    above = float(special.betainc(held, n - held + 1, stated)) if held > 0 else 1.0
    return Coverage(
        held / n,
        max(0.0, middle - half),
        min(1.0, middle + half),
        stated,
        min(1.0, 2 * min(below, above)),
        n,
    )


def interval_score(low: ArrayLike, high: ArrayLike, happened: ArrayLike, level: float) -> Score:
    """Width plus ``2/α`` times how far outside (Winkler 1972; Gneiting & Raftery 2007, eq. 43).

    Args:
        low: (n,) finite lower ends.
        high: (n,) finite upper ends.
        happened: (n,) what came.
        level: The interval's stated coverage, ``1 − α``.

    Raises:
        NotEstimable: As `interval_coverage`; and when an end is infinite.
    """
    interval_coverage(low, high, happened, level)
    lo, hi, y = (np.asarray(a, dtype=np.float64) for a in (low, high, happened))
    if not (np.isfinite(lo).all() and np.isfinite(hi).all()):
        raise NotEstimable("an interval without an end has no width to score")
    outside = np.maximum(lo - y, 0.0) + np.maximum(y - hi, 0.0)
    return _score(hi - lo + 2 / (1 - level) * outside)
