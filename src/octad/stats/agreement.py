"""Do two people who read the same thing say the same of it?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from octad.stats.refusal import NotEstimable

__all__ = ["Agreement", "cohen_kappa", "krippendorff_alpha"]

FloatArray = NDArray[np.float64]
Level = Literal["nominal", "ordinal", "interval", "ratio"]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement beyond chance: 1 is perfect, 0 is what chance would give.

    Attributes:
        value: The coefficient.
        low, high: Interval; never above 1. Both `value` where no error could be given.
        observed: Share that agrees (Cohen), or observed disagreement (Krippendorff).
        expected: The same under chance.
        n: Things that at least two readers judged.
        level: Coverage.
    """

    value: float
    low: float
    high: float
    observed: float
    expected: float
    n: int
    level: float


def cohen_kappa(
    table: ArrayLike,
    weights: Literal["none", "linear", "quadratic"] = "none",
    level: float = 0.95,
) -> Agreement:
    """Cohen's kappa of two readers (Cohen 1960; weighted 1968).

    The error is that of Fleiss, Cohen and Everitt (1969).

    Args:
        table: (K, K) things by what the first reader said (rows) and the second (columns).
        weights: ``linear`` or ``quadratic`` when categories are ordered and near misses count less.
        level: Coverage.

    Raises:
        NotEstimable: Without things, or when both readers always say the same one thing: then
            chance alone would agree, and there is nothing to measure.
    """
    t = np.asarray(table, dtype=np.float64)
    if t.ndim != 2 or t.shape[0] != t.shape[1] or not np.isfinite(t).all() or (t < 0).any():
        raise NotEstimable("the table must hold counts, the same categories both ways")
    n = float(t.sum())
    if n <= 0:
        raise NotEstimable("nothing has been read by both")
    k = len(t)
    away = np.abs(np.subtract.outer(np.arange(k), np.arange(k))).astype(np.float64)
    loss = {"none": (away > 0).astype(np.float64), "linear": away, "quadratic": away**2}[weights]
    p = t / n
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    observed, expected = float((loss * p).sum()), float(rows @ loss @ columns)
    if expected <= 0:
        raise NotEstimable("both readers said the same one thing of everything")
    kappa = 1 - observed / expected
    # With w = 1 − loss/max, kappa is the same; the error follows Fleiss et al. (1969).
    w = 1 - loss / max(float(loss.max()), 1.0)
    chance = float(rows @ w @ columns)
    mean_of = (w @ columns)[:, None] + (rows @ w)[None, :]
    inner = float((p * (w - mean_of * (1 - kappa)) ** 2).sum())
    variance = (inner - (kappa - chance * (1 - kappa)) ** 2) / (n * (1 - chance) ** 2)
    half = float(special.ndtri((1 + level) / 2)) * math.sqrt(max(0.0, variance))
    return Agreement(
        kappa,
        kappa - half,
        min(1.0, kappa + half),
        float((w * p).sum()),
        chance,
        round(n),
        level,
    )


def krippendorff_alpha(
    ratings: ArrayLike, scale: Level = "nominal", level: float = 0.95
) -> Agreement:
    """Krippendorff's alpha of any number of readers, gaps allowed (Krippendorff 2004).

    ``α = 1 − D_o/D_e`` over all pairs of ratings of the same thing. The interval leaves out one
    thing at a time (jackknife, t quantiles).

    Args:
        ratings: (n, readers) numbers; NaN where a reader did not judge. Codes for categories.
        scale: What the numbers mean: categories, ranks, distances, or distances from a zero.
        level: Coverage.

    Raises:
        NotEstimable: With no thing judged twice, all ratings alike, or negative ratios.
    """
    x = np.asarray(ratings, dtype=np.float64)
    if x.ndim != 2 or np.isinf(x).any():
        raise NotEstimable("ratings must be things by readers, gaps as NaN")
    x = x[(~np.isnan(x)).sum(axis=1) >= 2]
    if not len(x):
        raise NotEstimable("nothing has been judged by two readers")
    values = np.unique(x[~np.isnan(x)])
    if scale == "ratio" and values[0] < 0:
        raise NotEstimable("a ratio scale has no negative values")
    if len(values) < 2:
        raise NotEstimable("all readers said the same one thing of everything")
    by_thing = np.stack([(x == v).sum(axis=1) for v in values], axis=1).astype(np.float64)
    whole, observed, expected = _alpha(by_thing, values, scale)
    low = high = whole
    if len(x) > 2:
        rest = [_alpha(np.delete(by_thing, i, axis=0), values, scale)[0] for i in range(len(x))]
        each = np.array([r for r in rest if math.isfinite(r)])
        if len(each) == len(x):
            spread = (len(x) - 1) / len(x) * float(((each - each.mean()) ** 2).sum())
            half = float(special.stdtrit(len(x) - 1, (1 + level) / 2)) * math.sqrt(spread)
            low, high = whole - half, min(1.0, whole + half)
    return Agreement(whole, low, high, observed, expected, len(x), level)


def _alpha(by_thing: FloatArray, values: FloatArray, scale: str) -> tuple[float, float, float]:
    """Alpha, observed and expected disagreement; alpha is NaN when all ratings are alike."""
    m = by_thing.sum(axis=1)
    pairs = np.einsum("uc,uk->uck", by_thing, by_thing)
    pairs -= np.einsum("uc,ck->uck", by_thing, np.eye(len(values)))
    together = (pairs / (m - 1)[:, None, None]).sum(axis=0)
    count = together.sum(axis=1)
    n = float(count.sum())
    d = _distance(values, count, scale)
    observed = float((together * d).sum()) / n
    expected = float(count @ d @ count) / (n * (n - 1))
    return (1 - observed / expected if expected > 0 else math.nan), observed, expected


def _distance(values: FloatArray, count: FloatArray, scale: str) -> FloatArray:
    if scale == "nominal":
        return 1.0 - np.eye(len(values))
    if scale == "ordinal":
        ranks = np.cumsum(count) - count / 2
        return np.asarray(np.subtract.outer(ranks, ranks) ** 2)
    gap = np.subtract.outer(values, values)
    if scale == "interval":
        return np.asarray(gap**2)
    total = np.add.outer(values, values)
    return np.asarray((gap / np.where(total > 0, total, 1.0)) ** 2)
