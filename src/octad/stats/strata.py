"""Comparisons inside strata: Cochran–Mantel–Haenszel, and the paradox of sums.

An overall difference can point one way while the difference inside every stratum points the
other (Simpson 1951), because the groups fill the strata differently.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from octad.stats.refusal import NotEstimable

__all__ = ["MantelHaenszel", "Simpson", "mantel_haenszel", "simpson"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MantelHaenszel:
    """A common odds ratio over strata, and the test that it is 1.

    Attributes:
        statistic: χ² with one degree of freedom.
        p: Its p-value.
        odds_ratio: Mantel–Haenszel estimate of the common odds ratio, first group to second.
        low, high: Interval by the variance of Robins, Breslow and Greenland (1986).
        level: Coverage.
        homogeneity: Breslow–Day statistic that the odds ratio is the same in every stratum.
        homogeneity_p: Its p-value, with one degree of freedom fewer than strata; 1 for one.
        strata: Strata that tell anything.
    """

    statistic: float
    p: float
    odds_ratio: float
    low: float
    high: float
    level: float
    homogeneity: float
    homogeneity_p: float
    strata: int


@dataclass(frozen=True, slots=True, eq=False)
class Simpson:
    """An overall difference of means beside the one inside strata. First group minus second.

    Attributes:
        overall, overall_se: The plain difference and its standard error.
        adjusted, adjusted_se: The difference inside strata, each stratum weighted alike in both
            groups by ``n₁n₀/(n₁+n₀)``.
        by_stratum, by_stratum_se: (S,); NaN-free: strata that one group lacks hold 0 and inf.
        opposed: Strata whose own difference has the sign opposite to `overall`.
        compared: Strata that hold both groups.
        reversed: Whether overall and adjusted point opposite ways, and both intervals leave zero.
        hidden: Whether one of the two leaves zero and the other does not, or points elsewhere.
    """

    overall: float
    overall_se: float
    adjusted: float
    adjusted_se: float
    by_stratum: FloatArray
    by_stratum_se: FloatArray
    opposed: int
    compared: int
    reversed: bool
    hidden: bool


def mantel_haenszel(
    tables: ArrayLike, level: float = 0.95, *, continuity: bool = True
) -> MantelHaenszel:
    """Cochran–Mantel–Haenszel test of K tables of two by two.

    Args:
        tables: (K, 2, 2) counts; rows are the groups, columns the outcome (yes, no).
        level: Coverage of the odds ratio's interval.
        continuity: Take ½ off the absolute difference, as R's ``mantelhaen.test`` does.

    Returns:
        Test, common odds ratio and the test that it is common.

    Raises:
        NotEstimable: When no stratum has both groups and both outcomes, or the odds ratio is 0
            or infinite because one cell is empty in every stratum.
    """
    counts = np.asarray(tables, dtype=np.float64)
    if counts.ndim != 3 or counts.shape[1:] != (2, 2):
        raise NotEstimable("the tables must be K times two by two")
    if not np.isfinite(counts).all() or (counts < 0).any():
        raise NotEstimable("the tables must hold counts: finite and not negative")
    useful = (counts.sum(axis=1) > 0).all(axis=1) & (counts.sum(axis=2) > 0).all(axis=1)
    counts = counts[useful]
    if not len(counts):
        raise NotEstimable("no stratum has both groups and both outcomes")
    a, b, c, d = counts[:, 0, 0], counts[:, 0, 1], counts[:, 1, 0], counts[:, 1, 1]
    n = a + b + c + d
    expected = (a + b) * (a + c) / n
    # Hypergeometric variance; a stratum of one has none (n = 1 cannot be useful).
    variance = float(((a + b) * (c + d) * (a + c) * (b + d) / (n**2 * (n - 1))).sum())
    away = abs(float((a - expected).sum()))
    if continuity:
        away = max(0.0, away - 0.5)
    statistic = away**2 / variance
    agree, cross = a * d / n, b * c / n
    top, bottom = float(agree.sum()), float(cross.sum())
    if top <= 0 or bottom <= 0:
        raise NotEstimable("a cell is empty in every stratum, so the odds ratio has no limit")
    ratio = top / bottom
    share, other = (a + d) / n, (b + c) / n
    spread = (
        float((share * agree).sum()) / (2 * top**2)
        + float((share * cross + other * agree).sum()) / (2 * top * bottom)
        + float((other * cross).sum()) / (2 * bottom**2)
    )
    # Beyond e^±300 there are no numbers left; no table of counts comes near.
    half = min(300.0, float(special.ndtri((1 + level) / 2) * np.sqrt(spread)))
    bd = _breslow_day(a, a + b, c + d, a + c, ratio)
    return MantelHaenszel(
        statistic,
        float(special.chdtrc(1, statistic)),
        ratio,
        float(ratio * np.exp(-half)),
        float(ratio * np.exp(half)),
        level,
        bd,
        float(special.chdtrc(len(n) - 1, bd)) if len(n) > 1 else 1.0,
        len(n),
    )


def _breslow_day(
    a: FloatArray, row1: FloatArray, row2: FloatArray, column: FloatArray, ratio: float
) -> float:
    """Breslow–Day statistic: observed against the cell fitted under the common odds ratio."""
    if abs(ratio - 1) < 1e-12:
        fitted = row1 * column / (row1 + row2)
    else:
        # Ψ = A(r₂−c+A) / ((r₁−A)(c−A)) solved for A: (1−ψ)A² + (r₂ − c + ψ(r₁ + c))A − ψ r₁ c = 0.
        qa = 1 - ratio
        qb = row2 - column + ratio * (row1 + column)
        qc = -ratio * row1 * column
        root = np.sqrt(np.maximum(qb**2 - 4 * qa * qc, 0.0))
        # The stable form of the root that lies between the cell's bounds.
        fitted = -2 * qc / (qb + root)
    cells = np.stack([fitted, row1 - fitted, column - fitted, row2 - column + fitted])
    if (cells <= 0).any():
        cells = np.maximum(cells, 1e-300)
    return float(((a - fitted) ** 2 * (1 / cells).sum(axis=0)).sum())


def simpson(n: ArrayLike, mean: ArrayLike, variance: ArrayLike, level: float = 0.95) -> Simpson:
    """Compare an overall difference with the difference inside strata.

    Args:
        n: (2, S) people in each group and stratum.
        mean: (2, S) their means; anything finite where nobody is.
        variance: (2, S) variances of one person's value (``p(1−p)`` for a share).
        level: An interval of this coverage decides whether a difference leaves zero.

    Returns:
        Both differences, and whether the paradox is there.

    Raises:
        NotEstimable: When a group is empty or no stratum holds both groups.

    >>> n, hits = np.array([[90., 10.], [10., 90.]]), np.array([[81., 1.], [10., 18.]])
    >>> rate = hits / n
    >>> found = simpson(n, rate, rate * (1 - rate))
    >>> round(found.overall, 2), round(found.adjusted, 2), found.opposed
    (0.54, -0.1, 2)
    """
    size, level_of, spread = (np.asarray(x, dtype=np.float64) for x in (n, mean, variance))
    if not (size.shape == level_of.shape == spread.shape) or size.ndim != 2 or len(size) != 2:
        raise NotEstimable("people, means and variances must all be two groups by strata")
    if not all(np.isfinite(x).all() for x in (size, level_of, spread)) or (spread < 0).any():
        raise NotEstimable("people, means and variances must be finite, variances not negative")
    if (size.sum(axis=1) <= 0).any():
        raise NotEstimable("one of the groups has nobody in it")
    both = (size > 0).all(axis=0)
    if not both.any():
        raise NotEstimable("no stratum holds people of both groups")
    share = size / size.sum(axis=1, keepdims=True)
    means = (share * level_of).sum(axis=1)
    # Law of total variance: spread inside the strata and between them.
    total = (share * (spread + (level_of - means[:, None]) ** 2)).sum(axis=1)
    overall = float(means[0] - means[1])
    overall_se = float(np.sqrt((total / size.sum(axis=1)).sum()))
    safe = np.where(size > 0, size, 1.0)
    gap = np.where(both, level_of[0] - level_of[1], 0.0)
    gap_variance = np.where(both, (spread / safe).sum(axis=0), 0.0)
    weight = np.where(both, size[0] * size[1] / np.maximum(size.sum(axis=0), 1e-300), 0.0)
    weight = weight / weight.sum()
    adjusted = float(weight @ gap)
    adjusted_se = float(np.sqrt((weight**2) @ gap_variance))
    z = float(special.ndtri((1 + level) / 2))
    clear = abs(overall) > z * overall_se
    clear_inside = abs(adjusted) > z * adjusted_se
    opposite = overall * adjusted < 0
    return Simpson(
        overall,
        overall_se,
        adjusted,
        adjusted_se,
        gap,
        np.where(both, np.sqrt(gap_variance), np.inf),
        int((both & (gap * overall < 0)).sum()),
        int(both.sum()),
        bool(opposite and clear and clear_inside),
        bool((clear != clear_inside) or (opposite and clear)),
    )
