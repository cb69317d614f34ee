"""A log-linear model of counts with an offset: Poisson, or negative binomial when overdispersed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special

from octad.stats.refusal import NotEstimable

__all__ = ["RateFit", "events_and_exposure", "fit_rates"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class RateFit:
    """A log-linear model of counts with an offset.

    Attributes:
        coefficients: (k,) on the log scale.
        covariance: (k, k).
        dispersion: Pearson χ² over degrees of freedom; about 1 when the model's spread is right.
        alpha: Negative binomial overdispersion, ``Var = μ + αμ²``; 0 for Poisson.
        log_likelihood: At the estimates.
        overdispersion_p: That there is none, by likelihood ratio (half a χ², since α ≥ 0);
            None when only the Poisson model was fitted.
        family: ``poisson`` or ``negative binomial``.
    """

    coefficients: FloatArray
    covariance: FloatArray
    dispersion: float
    alpha: float
    log_likelihood: float
    overdispersion_p: float | None
    family: str


def events_and_exposure(values: ArrayLike, exposure: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Two lists of the same length, finite and not negative; else `NotEstimable`."""
    y, e = np.asarray(values, dtype=np.float64), np.asarray(exposure, dtype=np.float64)
    if y.shape != e.shape or y.ndim != 1:
        raise NotEstimable("events and exposure must be two lists of the same length")
    if not (np.isfinite(y).all() and np.isfinite(e).all()) or (y < 0).any() or (e < 0).any():
        raise NotEstimable("events and exposure must be finite and not negative")
    return y, e


def _log_likelihood(y: FloatArray, mu: FloatArray, alpha: float) -> float:
    poisson = special.xlogy(y, mu) - mu - special.gammaln(y + 1)
    if alpha <= 0:
        return float(poisson.sum())
    size = 1 / alpha
    return float(
        (
            special.gammaln(y + size)
            - special.gammaln(size)
            - special.gammaln(y + 1)
            + special.xlogy(y, alpha * mu)
            - (y + size) * np.log1p(alpha * mu)
        ).sum()
    )


def _iterate(
    y: FloatArray, design: FloatArray, offset: FloatArray, alpha: float, start: FloatArray | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Iteratively reweighted least squares with a log link; returns β, covariance and μ."""
    eta = np.log(y + 0.5 * y.mean() + 1e-09) if start is None else design @ start + offset
    beta = np.zeros(design.shape[1])
    for _ in range(100):
        mu = np.exp(eta)
        weight = mu / (1 + alpha * mu)
        information = design.T @ (weight[:, None] * design)
        score = design.T @ (weight * (eta - offset + (y - mu) / mu))
        try:
            new = np.linalg.solve(information, score)
        except np.linalg.LinAlgError:
            break
        step = float(np.abs(new - beta).max())
        beta = new
        # Far outside what counts can be, and safe from overflow while a start is poor.
        eta = np.clip(design @ beta + offset, -300, 300)
        if step < 1e-11 * (1 + float(np.abs(beta).max())):
            return beta, np.linalg.inv(information), np.asarray(np.exp(eta))
    raise NotEstimable("the model of rates did not settle: some group may have no events")


def fit_rates(
    events: ArrayLike,
    design: ArrayLike,
    exposure: ArrayLike,
    *,
    family: Literal["auto", "poisson", "negative binomial"] = "auto",
) -> RateFit:
    """Fit ``log E[events] = design·β + log exposure`` by maximum likelihood.

    Negative binomial is NB2 (``Var = μ + αμ²``); β and α are orthogonal, so the covariance of β
    is that at the fitted α (Lawless 1987).

    Args:
        events: (n,) counts, a user or a cell each.
        design: (n, k) columns, the constant included.
        exposure: (n,) actions; rows without any are left out.
        family: ``auto`` is negative binomial when a test of overdispersion is below .05.

    Returns:
        Coefficients on the log scale and their covariance.

    Raises:
        NotEstimable: With no events, columns that explain one another, fewer rows than columns,
            or a group without events, whose log rate has no limit.
    """
    y, e = events_and_exposure(events, exposure)
    x = np.asarray(design, dtype=np.float64)
    if x.ndim != 2 or len(x) != len(y) or not np.isfinite(x).all():
        raise NotEstimable("the design must be finite, one row for each count")
    y, x, e = y[e > 0], x[e > 0], e[e > 0]
    if len(y) <= x.shape[1]:
        raise NotEstimable("there are not more counts than coefficients")
    if y.sum() <= 0:
        raise NotEstimable("there is not a single event")
    if np.linalg.matrix_rank(x) < x.shape[1]:
        raise NotEstimable("the columns of the design explain one another")
    for column in range(x.shape[1]):
        _refuse_separation(y, x[:, column])
    offset = np.log(e)
    beta, covariance, mu = _iterate(y, x, offset, 0.0, None)
    poisson = _log_likelihood(y, mu, 0.0)
    alpha, best, p = 0.0, poisson, None
    if family != "poisson":
        fitted, candidate = _fit_alpha(y, x, offset, beta)
        statistic = max(0.0, 2 * (candidate - poisson))
        p = float(special.chdtrc(1, statistic)) / 2 if statistic > 0 else 1.0
        if statistic > 0 and (family == "negative binomial" or p < 0.05):
            alpha, best = fitted, candidate
            beta, covariance, mu = _iterate(y, x, offset, alpha, beta)
    pearson = float(((y - mu) ** 2 / (mu * (1 + alpha * mu))).sum()) / (len(y) - x.shape[1])
    name = "negative binomial" if alpha > 0 or family == "negative binomial" else "poisson"
    return RateFit(beta, covariance, pearson, alpha, best, p, name)


def _refuse_separation(y: FloatArray, column: FloatArray) -> None:
    """A yes-or-no column whose one side has no events drives its coefficient to infinity."""
    values = np.unique(column)
    if len(values) == 2 and any(y[column == v].sum() <= 0 for v in values):
        raise NotEstimable("one of the groups met no event, so its log rate has no limit")


def _fit_alpha(
    y: FloatArray, x: FloatArray, offset: FloatArray, start: FloatArray
) -> tuple[float, float]:
    """The α of highest profile likelihood, and that log-likelihood."""

    def loss(log_alpha: float) -> float:
        alpha = math.exp(log_alpha)
        try:
            _, _, mu = _iterate(y, x, offset, alpha, start)
        except NotEstimable:
            return _WORST
        return -_log_likelihood(y, mu, alpha)

    # Below e⁻¹⁴ it is Poisson for any count a product sees; above e⁵ nothing is left to estimate.
    found = optimize.minimize_scalar(loss, bounds=(-14.0, 5.0), method="bounded",
                                     options={"xatol": 1e-9})  # fmt: skip
    if float(found.fun) >= _WORST:
        raise NotEstimable("no amount of overdispersion fits these counts")
    return math.exp(float(found.x)), -float(found.fun)


_WORST = 1e100
"""A loss worse than any; finite, because the search takes differences."""
