"""Who serves a demand better, and which demand nobody serves, from stars.

Stars by demand and product are few and lie at the ends of their scale, so the variance of every
cell has one review of each end added to it: four reviews of one star are no proof that the fifth
gives one too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from octad.stats.multiplicity import holm
from octad.stats.refusal import NotEstimable

__all__ = ["Serving", "Unserved", "serving", "unserved"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

ENDS = (1.0, 5.0)


@dataclass(frozen=True, slots=True, eq=False)
class Serving:
    """Our stars minus each rival's, by demand; NaN where a side is too thin.

    Where they were taken beside something, the stars are what is above it.

    Attributes:
        value, se, low, high: (K, P−1) difference, Welch's standard error, interval one at a time.
        p: (K, P−1) two-sided.
        p_adjusted: (K, P−1) Holm over all that were compared.
        compared: How many there are.
    """

    value: FloatArray
    se: FloatArray
    low: FloatArray
    high: FloatArray
    p: FloatArray
    p_adjusted: FloatArray
    compared: int


@dataclass(frozen=True, slots=True, eq=False)
class Unserved:
    """Whether every product's stars lie below a ceiling, by demand.

    Attributes:
        best: (K,) the best product's stars; NaN where fewer than two products are known.
        p: (K,) the largest of the products' one-sided p-values (intersection–union; Berger 1982),
            which needs no correction for the number of products.
        p_adjusted: (K,) Holm over the demands that were tested.
    """

    best: FloatArray
    p: FloatArray
    p_adjusted: FloatArray


def _cells(
    n: ArrayLike, mean: ArrayLike, variance: ArrayLike, fewest: int
) -> tuple[FloatArray, FloatArray, FloatArray, BoolArray]:
    """Reviews, means, variances of the means, and which cells hold enough."""
    size, level, spread = (np.asarray(x, dtype=np.float64) for x in (n, mean, variance))
    if size.ndim != 2 or not size.shape == level.shape == spread.shape:
        raise NotEstimable("reviews, stars and variances must all be demands by products")
    known = (size >= fewest) & np.isfinite(level) & np.isfinite(spread)
    safe, middle = np.where(known, size, 1.0), np.where(known, level, 0.0)
    ends = sum((end - middle) ** 2 for end in ENDS)
    wide = (np.where(known, spread, 0.0) * safe + ends) / (safe + len(ENDS))
    return size, np.where(known, level, np.nan), wide / safe, known


def _adjusted(p: FloatArray) -> FloatArray:
    result = np.full(p.shape, np.nan)
    told = np.isfinite(p)
    if told.any():
        result[told] = holm(p[told])
    return result


def serving(
    n: ArrayLike,
    mean: ArrayLike,
    variance: ArrayLike,
    *,
    beside: tuple[ArrayLike, ArrayLike, ArrayLike] | None = None,
    fewest: int = 10,
    level: float = 0.95,
) -> Serving:
    """Compare our stars with each rival's on every demand.

    A product whose reviewers are harsh has fewer stars on everything. Beside its other reviews,
    what is compared is how far a demand's stars lie above them: a difference of differences.

    Args:
        n: (K, P) rated voices on a demand, by product; ours is the first column.
        mean: (K, P) their mean stars.
        variance: (K, P) variance of one voice's stars.
        beside: The same three of each product's voices on all but the demand.
        fewest: A cell with fewer voices is not compared.
        level: Coverage of the intervals.

    Returns:
        Differences, ours first.

    Raises:
        NotEstimable: When the shapes differ.
    """
    size, stars, error, known = _cells(n, mean, variance, fewest)
    # Welch–Satterthwaite; thin cells have heavier tails than a normal.
    each = error**2 / np.maximum(size - 1, 1)
    if beside is not None:
        others, usual, more, there = _cells(*beside, fewest)
        if others.shape != size.shape:
            raise NotEstimable("reviews and those beside them must all be demands by products")
        stars, error, known = stars - usual, error + more, known & there
        each = each + more**2 / np.maximum(others - 1, 1)
    both = known[:, :1] & known[:, 1:]
    value = np.where(both, stars[:, :1] - stars[:, 1:], np.nan)
    total = error[:, :1] + error[:, 1:]
    se = np.where(both, np.sqrt(total), np.nan)
    freedom = np.maximum(total**2 / np.maximum(each[:, :1] + each[:, 1:], 1e-300), 1.0)
    p = np.where(both, 2 * special.stdtr(freedom, -np.abs(value / se)), np.nan)
    half = special.stdtrit(freedom, (1 + level) / 2) * se
    return Serving(value, se, value - half, value + half, p, _adjusted(p), int(both.sum()))


def unserved(
    n: ArrayLike, mean: ArrayLike, variance: ArrayLike, *, ceiling: float, fewest: int = 10
) -> Unserved:
    """Test that no product reaches a ceiling on a demand.

    Args:
        n: (K, P) rated voices on a demand, by product.
        mean: (K, P) their mean stars.
        variance: (K, P) variance of one voice's stars.
        ceiling: Stars that a demand which is served would reach.
        fewest: A product with fewer voices on a demand says nothing of it.

    Returns:
        The test by demand; NaN where fewer than two products are known.

    Raises:
        NotEstimable: When the shapes differ.
    """
    size, stars, error, known = _cells(n, mean, variance, fewest)
    t = (stars - ceiling) / np.sqrt(error)
    each = np.where(known, special.stdtr(np.maximum(size - 1, 1), np.where(known, t, 0.0)), -1.0)
    enough = known.sum(axis=1) >= 2
    p = np.where(enough, each.max(axis=1), np.nan)
    best = np.where(enough, np.where(known, stars, -np.inf).max(axis=1), np.nan)
    return Unserved(best, p, _adjusted(p))
