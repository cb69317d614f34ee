"""Least squares from rows, from compressed cells and from bucket moments, with honest errors.

Rows that share their regressors need not be kept: their count, mean and spread carry the same
coefficients and the same standard errors (Wong, Forsell, Lewis, Mao and Wardrop 2021, *You Only
Compress Once*, sections 3 to 5). The mean and the *centred* sum of squares are kept instead of
raw sums, so large values with small differences do not cancel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from octad.stats.moments import Moments
from octad.stats.refusal import NotEstimable

__all__ = ["Cells", "Errors", "Fit", "compress", "ols", "ols_cells", "ols_moments"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Errors = Literal["classical", "HC0", "HC1", "CR0", "CR1"]
"""How the error is reckoned: equal variances; White (HC0, HC1); by cluster (CR0, CR1)."""

_RANK = 1e-10
"""Columns whose smallest singular value is below this share of the largest count as collinear."""

_LARGEST = 1e140


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A least-squares fit.

    Attributes:
        coefficients: (p,) in the outcome's unit per unit of the column.
        covariance: (p, p) of the coefficients.
        se: (p,) square roots of its diagonal.
        df: Degrees of freedom of the t-distribution: rows less columns, or clusters less one.
        n: Rows behind the fit.
        clusters: Clusters behind the covariance; None without clusters.
        residual_variance: Sum of squared residuals over rows less columns.
        errors: How the covariance was made.
    """

    coefficients: FloatArray
    covariance: FloatArray
    se: FloatArray
    df: float
    n: float
    clusters: int | None
    residual_variance: float
    errors: Errors

    def contrast(self, weights: ArrayLike) -> tuple[float, float]:
        """Value and standard error of a weighted sum of the coefficients (weights (p,))."""
        w = np.asarray(weights, dtype=np.float64)
        return float(w @ self.coefficients), float(
            np.sqrt(max(float(w @ self.covariance @ w), 0.0))
        )

    def interval(self, column: int, level: float = 0.95) -> tuple[float, float]:
        """The two-sided t-interval of one coefficient."""
        reach = float(stats.t.ppf(0.5 + level / 2, self.df)) * float(self.se[column])
        middle = float(self.coefficients[column])
        return middle - reach, middle + reach

    def p_value(self, column: int) -> float:
        """Two-sided p-value against a coefficient of zero; 1 or 0 when its error is zero."""
        middle, se = float(self.coefficients[column]), float(self.se[column])
        if se == 0.0:
            return 1.0 if middle == 0.0 else 0.0
        return float(2 * stats.t.sf(abs(middle) / se, self.df))


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Rows compressed to the distinct values of their regressors (and cluster).

    Attributes:
        design: (c, p) the regressors of each cell.
        n: (c,) rows in it.
        mean: (c,) mean outcome.
        spread: (c,) sum of squared deviations of the outcome from the cell's mean.
        cluster: (c,) the cell's cluster, from 0; None without clusters.
    """

    design: FloatArray
    n: FloatArray
    mean: FloatArray
    spread: FloatArray
    cluster: IntArray | None = None


def compress(design: ArrayLike, outcome: ArrayLike, cluster: ArrayLike | None = None) -> Cells:
    """Compress rows to cells that give the same fit.

    Args:
        design: (n, p) regressors.
        outcome: (n,).
        cluster: (n,) whole numbers or names; rows of one cell then share their cluster too.

    Returns:
        One cell per distinct row of regressors (and cluster).

    Raises:
        NotEstimable: When a value is missing or not finite.

    >>> cells = compress([[1, 0], [1, 1], [1, 1]], [3.0, 5.0, 7.0])
    >>> cells.n, cells.mean, cells.spread
    (array([1., 2.]), array([3., 6.]), array([0., 2.]))
    """
    x, y = _checked(design, outcome)
    codes, _ = _codes(cluster, len(y))
    keyed = x if codes is None else np.column_stack([x, codes])
    distinct, where = np.unique(keyed, axis=0, return_inverse=True)
    moments = Moments.from_rows(y[:, None], where.ravel(), len(distinct))
    return Cells(
        design=distinct[:, : x.shape[1]],
        n=moments.n,
        mean=moments.mean[:, 0],
        spread=moments.comoment[:, 0, 0],
        cluster=None if codes is None else distinct[:, -1].astype(np.int64),
    )


def ols(
    design: ArrayLike,
    outcome: ArrayLike,
    *,
    errors: Errors = "HC1",
    cluster: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    parameters: int | None = None,
) -> Fit:
    """Least squares from rows.

    Args:
        design: (n, p) regressors; a constant is the caller's to add.
        outcome: (n,).
        errors: `CR0` and `CR1` need `cluster`.
        cluster: (n,) the cluster of each row: the unit that was assigned.
        weights: (n,) analytic weights above zero: a row's error variance is taken as 1/weight.
        parameters: Parameters counted in the small-sample factor, when it is not p (fixed
            effects nested in clusters are left out by convention).

    Returns:
        The fit. CR1 multiplies by G/(G−1)·(n−1)/(n−p), HC1 by n/(n−p).

    Raises:
        NotEstimable: When columns are collinear, rows or clusters too few, or values missing.
    """
    x, y = _checked(design, outcome)
    w = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=np.float64)
    if w.shape != y.shape or not np.isfinite(w).all() or (w <= 0).any():
        raise NotEstimable("Every row needs a finite weight above zero.")
    codes, groups = _codes(cluster, len(y))
    fit = _Solved.of(x, y, w)
    if errors.startswith("CR"):
        scores = _sum_by(x * (w * fit.residual)[:, None], codes, groups)
        meat = scores.T @ scores
    elif errors == "classical":
        meat = np.empty(0)
    else:
        meat = (x * ((w * fit.residual) ** 2)[:, None]).T @ x
    rss = float(w @ fit.residual**2)
    return _finish(
        fit, meat, rss=rss, n=float(len(y)), groups=groups, errors=errors, parameters=parameters
    )


def ols_cells(cells: Cells, *, errors: Errors = "HC1", parameters: int | None = None) -> Fit:
    """Least squares from compressed cells: equal to `ols` on the rows behind them.

    Args:
        cells: From `compress`, or summed by an engine.
        errors: As in `ols`; `CR0` and `CR1` need cells that know their cluster.
        parameters: As in `ols`.

    Returns:
        The fit of the rows.

    Raises:
        NotEstimable: As `ols`.
    """
    keep = cells.n > 0
    x, y = _checked(cells.design[keep], cells.mean[keep])
    n, spread = cells.n[keep], cells.spread[keep]
    codes, groups = _codes(None if cells.cluster is None else cells.cluster[keep], len(y))
    fit = _Solved.of(x, y, n)
    squares = n * fit.residual**2 + spread
    if errors.startswith("CR"):
        scores = _sum_by(x * (n * fit.residual)[:, None], codes, groups)
        meat = scores.T @ scores
    elif errors == "classical":
        meat = np.empty(0)
    else:
        meat = (x * squares[:, None]).T @ x
    return _finish(
        fit,
        meat,
        rss=float(squares.sum()),
        n=float(n.sum()),
        groups=groups,
        errors=errors,
        parameters=parameters,
    )


def ols_moments(
    moments: Moments,
    outcome: int,
    regressors: tuple[int, ...],
    *,
    errors: Literal["classical", "CR0", "CR1"] = "CR1",
) -> Fit:
    """Least squares of one column on others and a constant, from the moments of each bucket.

    The buckets serve as clusters. White's errors need the rows, and are not to be had from sums.

    Args:
        moments: Leading shape (B,): one entry per bucket (or per cluster).
        outcome: Column to explain.
        regressors: Columns that explain; the constant comes first in the answer.
        errors: By bucket, or with equal variances.

    Returns:
        The fit of the rows behind the moments, coefficients (1 + len(regressors),).

    Raises:
        NotEstimable: As `ols`.
    """
    kept = moments[moments.n > 0].columns((outcome, *regressors))
    if kept.n.size == 0:
        raise NotEstimable("There are no rows to fit.")
    total = kept.total(0)
    p = len(regressors) + 1
    n = float(total.n)
    if n <= p:
        raise NotEstimable(f"{n:g} rows cannot carry {p} coefficients.")
    sxx, sxy = total.comoment[1:, 1:], total.comoment[1:, 0]
    scale = np.sqrt(np.where(np.diag(sxx) > 0, np.diag(sxx), 1.0))
    inverse = _inverse(sxx / np.outer(scale, scale)) / np.outer(scale, scale)
    slope = inverse @ sxy
    # Work about the overall means: there the constant is orthogonal to the slopes.
    away = kept.mean - total.mean
    left = away[:, 0] - away[:, 1:] @ slope
    scores = np.column_stack(
        [
            kept.n * left,
            kept.comoment[:, 1:, 0]
            - np.einsum("bij,j->bi", kept.comoment[:, 1:, 1:], slope)
            + kept.n[:, None] * away[:, 1:] * left[:, None],
        ]
    )
    bread = np.zeros((p, p))
    bread[0, 0] = 1 / n
    bread[1:, 1:] = inverse
    rss = max(float(total.comoment[0, 0] - slope @ sxy), 0.0)
    # Back from the centred constant to the constant at zero.
    back = np.eye(p)
    back[0, 1:] = -total.mean[1:]
    value = back @ np.concatenate([[total.mean[0]], slope])
    solved = _Solved(value, back @ bread @ back.T, np.empty(0))
    meat = np.linalg.inv(back).T @ (scores.T @ scores) @ np.linalg.inv(back)
    return _finish(solved, meat, rss=rss, n=n, groups=len(kept.n), errors=errors, parameters=None)


@dataclass(frozen=True, slots=True, eq=False)
class _Solved:
    """Coefficients (p,), bread (p, p) = (X'WX)⁻¹ and residuals (n,)."""

    coefficients: FloatArray
    bread: FloatArray
    residual: FloatArray

    @classmethod
    def of(cls, x: FloatArray, y: FloatArray, w: FloatArray) -> _Solved:
        root = np.sqrt(w)
        weighted = x * root[:, None]
        scale = np.sqrt((weighted**2).sum(axis=0))
        if (scale == 0).any():
            raise NotEstimable("A column of the regression is zero in every row.")
        u, s, vt = np.linalg.svd(weighted / scale, full_matrices=False)
        if len(y) < x.shape[1] or s[-1] <= _RANK * s[0]:
            raise NotEstimable(
                "The regression's columns cannot be told apart: one is a sum of others."
            )
        inverse = (vt.T / s) / scale[:, None]
        # Solve about the first outcome when a constant is among the columns: 1e9 ± 1e-6 survives.
        ones = np.round(inverse @ (u.T @ root))
        shift = float(y[0]) if (x @ ones == 1).all() else 0.0
        slim = inverse @ (u.T @ (root * (y - shift)))
        residual = (y - shift) - x @ slim
        # One refinement step takes out most of the rounding that is left.
        correction = inverse @ (u.T @ (root * residual))
        return cls(slim + correction + shift * ones, inverse @ inverse.T, residual - x @ correction)


def _finish(
    fit: _Solved,
    meat: FloatArray,
    *,
    rss: float,
    n: float,
    groups: int | None,
    errors: Errors,
    parameters: int | None,
) -> Fit:
    """Sandwich and small-sample factors, the same for rows, cells and moments."""
    p = len(fit.coefficients) if parameters is None else parameters
    if n <= p:
        raise NotEstimable(f"{n:g} rows cannot carry {p} coefficients.")
    clusters = groups if errors.startswith("CR") else None
    if errors.startswith("CR") and groups is None:
        raise NotEstimable("Errors by cluster need to know each row's cluster.")
    if clusters is not None and clusters < 2:
        raise NotEstimable("One cluster alone says nothing about how clusters vary.")
    residual_variance = rss / (n - p)
    if errors == "classical":
        covariance = fit.bread * residual_variance
    else:
        covariance = fit.bread @ meat @ fit.bread
        if errors == "HC1":
            covariance = covariance * (n / (n - p))
        if errors == "CR1" and clusters is not None:
            covariance = covariance * (clusters / (clusters - 1) * (n - 1) / (n - p))
    return Fit(
        coefficients=fit.coefficients,
        covariance=covariance,
        se=np.sqrt(np.clip(np.diag(covariance), 0.0, None)),
        df=float(n - p if clusters is None else clusters - 1),
        n=n,
        clusters=clusters,
        residual_variance=residual_variance,
        errors=errors,
    )


def _checked(design: ArrayLike, outcome: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """The arrays as floats: (n, p) and (n,), finite and not empty."""
    x = np.asarray(design, dtype=np.float64)
    y = np.asarray(outcome, dtype=np.float64)
    if x.ndim != 2 or y.shape != (len(x),):
        msg = f"design must be (n, p) and outcome (n,); got {x.shape} and {y.shape}"
        raise ValueError(msg)
    if x.size == 0:
        raise NotEstimable("There are no rows to fit.")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise NotEstimable("Some rows have a missing or infinite value; leave them out first.")
    if max(np.abs(x).max(initial=0.0), np.abs(y).max(initial=0.0)) > _LARGEST:
        raise NotEstimable("Some values are so large that their squares cannot be reckoned.")
    return x, y


def _codes(cluster: ArrayLike | None, n: int) -> tuple[IntArray | None, int | None]:
    """Cluster codes from 0, and how many there are."""
    if cluster is None:
        return None, None
    names, codes = np.unique(np.asarray(cluster), return_inverse=True)
    if codes.shape != (n,):
        msg = f"cluster must have one entry per row; got {codes.shape} for {n}"
        raise ValueError(msg)
    return codes.astype(np.int64), len(names)


def _sum_by(scores: FloatArray, codes: IntArray | None, groups: int | None) -> FloatArray:
    """(G, p) sums of row scores by cluster."""
    if codes is None or groups is None:
        raise NotEstimable("Errors by cluster need to know each row's cluster.")
    return np.stack([np.bincount(codes, column, groups) for column in scores.T], axis=1)


def _inverse(matrix: FloatArray) -> FloatArray:
    """Inverse of a scaled cross-product, refused when columns are collinear."""
    if matrix.size == 0:
        return matrix
    values, vectors = np.linalg.eigh(matrix)
    if values[0] <= _RANK * values[-1] or (np.diag(matrix) == 0).any():
        raise NotEstimable("The regression's columns cannot be told apart: one is a sum of others.")
    return np.asarray((vectors / values) @ vectors.T)
