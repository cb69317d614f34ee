"""Structural time series as one Gaussian model: level, slope, season and regression.

The model of Harvey (1989) and of Brodersen et al. (2015): y_t = μ_t + γ_t + x_t'β + ε_t with a
level μ that drifts, optionally a slope, and a seasonal pattern γ. Instead of a Kalman filter the
series is taken as one Gaussian vector: what starts unknown (first level, first slope, pattern,
β) are regression coefficients with a flat prior, and the drifts are covariances between days. The
likelihood is the filter's with an exact diffuse start (and is tested to be), the joint
distribution of all days after the launch comes at once, and missing days are just left out.

Given the ratios of each drift's standard deviation to the noise's, β and the noise integrate out
exactly and leave Student's t. The ratios are integrated on a grid, so the interval knows that
they are uncertain, and nothing is sampled to find them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from octad.stats.refusal import NotEstimable

__all__ = ["Component", "Forecast", "Model", "forecast", "log_likelihood"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_RATIOS = np.concatenate([[0.0], np.geomspace(0.01, 10.0, 19)])
"""Grid of drift over noise, by standard deviation."""
_SCALE = {"level": 1.0, "slope": 0.05, "season": 0.2}
"""Half of the prior (half-Cauchy) lies below this ratio. A tighter prior on the level, such as 0.2,
narrows a steady series' interval by a fifth and covers 91% instead of 95% when the level drifts as
much as the noise; slopes and weekly patterns drift far less."""


@dataclass(frozen=True, slots=True)
class Component:
    """What drifts: `level`, `slope` or `season`."""

    name: str
    kernel: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A series' regressors and drifts over all T days.

    Attributes:
        z: (T, p) regressors with flat priors: constant, slope, pattern, then the caller's.
        drifts: Covariance between days (T, T) of each component that drifts, per unit variance;
            the level first.
    """

    z: FloatArray
    drifts: tuple[Component, ...]

    @classmethod
    def build(
        cls,
        days: int,
        *,
        regressors: FloatArray | None = None,
        season: int | None = None,
        slope: bool = False,
        moving_season: bool = False,
    ) -> Model:
        """Lay out a model over `days` days.

        Args:
            days: T.
            regressors: (T, k) known on every day.
            season: Length of the pattern in days; None for no pattern.
            slope: Whether the level has a slope, which drifts too.
            moving_season: Whether the pattern drifts.
        """
        at = np.arange(days)
        columns = [np.ones(days)]
        drifts = [Component("level", np.minimum.outer(at, at).astype(np.float64))]
        if slope:
            columns.append(at / max(days, 1))
            # A shock to the slope on day k has moved the level on day i by i − k.
            ramp = np.maximum(at[:, None] - at[None, 1:], 0).astype(np.float64)
            drifts.append(Component("slope", ramp @ ramp.T))
        if season is not None:
            dummies = (at[:, None] % season == np.arange(season)).astype(np.float64)
            columns += list((dummies[:, 1:] - dummies[:, :1]).T)
            if moving_season:
                lag = at[:, None] - at[None, 1:]
                wave = (lag % season == 0).astype(np.float64) - (lag % season == 1)
                wave = np.where(lag >= 0, wave, 0.0)
                drifts.append(Component("season", wave @ wave.T))
        if regressors is not None:
            columns += list(regressors.T)
        return cls(np.column_stack(columns), tuple(drifts))

    def covariance(self, ratios: tuple[float, ...]) -> FloatArray:
        """(T, T) per unit of noise variance, given each drift's ratio of standard deviations."""
        whole = np.eye(len(self.z))
        for ratio, drift in zip(ratios, self.drifts, strict=True):
            whole += ratio**2 * drift.kernel
        return whole


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """Mixture of t-distributions over the days that were not used, and over the coefficients.

    Attributes:
        weights: (g,) posterior weight of each point of the grid of ratios.
        ratios: (g, drifts).
        mean: (g, m) of the days forecast.
        covariance: (g, m, m) scale matrices of the t-distributions.
        coefficients: (g, p) of the regressors; `spread` (g, p, p) their scale matrices.
        df: Degrees of freedom: days used less p.
    """

    weights: FloatArray
    ratios: FloatArray
    mean: FloatArray
    covariance: FloatArray
    coefficients: FloatArray
    spread: FloatArray
    df: int

    def cdf(self, contrast: FloatArray, value: float) -> float:
        """Probability that a weighted sum of the forecast days (contrast (m,)) is below a value."""
        middle = self.mean @ contrast
        scale = np.sqrt(np.einsum("i,gij,j->g", contrast, self.covariance, contrast))
        return float(self.weights @ stats.t.cdf((value - middle) / scale, self.df))

    def coefficient_p(self, column: int) -> tuple[float, float]:
        """Posterior mean of a coefficient and twice the smaller posterior tail about zero."""
        middle = self.coefficients[:, column]
        scale = np.sqrt(self.spread[:, column, column])
        below = float(self.weights @ stats.t.cdf(-middle / scale, self.df))
        return float(self.weights @ middle), 2 * min(below, 1 - below)

    def draw(self, number: int, seed: int) -> FloatArray:
        """(number, m) draws of the days forecast."""
        rng = np.random.default_rng(seed)
        counts = rng.multinomial(number, self.weights)
        drawn = []
        for k in np.flatnonzero(counts):
            root = np.linalg.cholesky(self.covariance[k])
            normal = rng.normal(size=(int(counts[k]), self.mean.shape[1])) @ root.T
            chance = np.sqrt(self.df / rng.chisquare(self.df, size=(int(counts[k]), 1)))
            drawn.append(self.mean[k] + normal * chance)
        return np.vstack(drawn)


def log_likelihood(
    model: Model, outcome: FloatArray, ratios: tuple[float, ...], noise: float
) -> float:
    """Diffuse log-likelihood at given ratios and noise variance (restricted likelihood).

    Equal, up to a constant that depends on the regressors alone, to that of a Kalman filter with
    exact diffuse start.

    Args:
        model: Over the same days as the outcome.
        outcome: (T,) NaN where missing.
        ratios: One per drift.
        noise: Variance of ε.
    """
    seen = np.isfinite(outcome)
    fit = _Basis.of(model, outcome, seen, ~seen, ratios[1:]).at(ratios[0])
    free = int(seen.sum()) - model.z.shape[1]
    return float(-0.5 * (free * np.log(2 * np.pi * noise) + fit.log_det + fit.rss / noise))


def forecast(model: Model, outcome: FloatArray, used: BoolArray, wanted: BoolArray) -> Forecast:
    """Forecast some days from others.

    Args:
        model: Over all T days.
        outcome: (T,); read only where `used`.
        used: (T,) days to learn from; days with NaN are left out.
        wanted: (T,) days to forecast (not used).

    Returns:
        The mixture over the grid of ratios.

    Raises:
        NotEstimable: When there are fewer than 10 days more than regressors, when regressors
            cannot be told apart, or when the days used do not vary at all.
    """
    seen = used & np.isfinite(outcome)
    df = int(seen.sum()) - model.z.shape[1]
    if df < 10:
        raise NotEstimable(
            f"{int(seen.sum())} days before the launch are too few to learn what would have"
            f" happened without it; {model.z.shape[1] + 10} are needed."
        )
    # Shifted and scaled, 1e9 ± 1e-3 is as good as 0 ± 1: the constant is among the regressors.
    middle = float(np.median(outcome[seen]))
    size = float(np.abs(outcome[seen] - middle).max())
    if size < 1e-140:  # its square would vanish
        raise NotEstimable("The days before the launch are all the same, so nothing can be learnt.")
    outcome = (outcome - middle) / size
    points, fits = [], []
    for others in product(*(_RATIOS[::4].tolist() for _ in model.drifts[1:])):
        basis = _Basis.of(model, outcome, seen, wanted, others)
        points += [(ratio, *others) for ratio in _RATIOS.tolist()]
        fits += [basis.at(ratio) for ratio in _RATIOS.tolist()]
    rounding = 64 * np.finfo(np.float64).eps * (1 + abs(middle) / size)
    if fits[0].rss <= df * rounding**2:
        raise NotEstimable("The days before the launch follow the pattern without any noise.")
    score = np.array([-0.5 * (fit.log_det + df * np.log(fit.rss)) for fit in fits])
    score += np.log([_prior(model, point) for point in points])
    weights = np.exp(score - score.max())
    weights /= weights.sum()
    keep = np.flatnonzero(weights > 1e-6)
    weights = weights[keep] / weights[keep].sum()
    constant = np.eye(model.z.shape[1])[0]
    noise = np.array([fits[k].rss / df for k in keep])
    pieces = [fits[k].predict() for k in keep]
    return Forecast(
        weights=weights,
        ratios=np.array([points[k] for k in keep]),
        mean=middle + size * np.array([mean for mean, _ in pieces]),
        covariance=size**2 * noise[:, None, None] * np.array([scale for _, scale in pieces]),
        coefficients=size * np.array([fits[k].beta for k in keep]) + middle * constant,
        spread=size**2 * noise[:, None, None] * np.array([fits[k].spread for k in keep]),
        df=df,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Basis:
    """The days seen (n) and wanted (m), turned so that the level's drift is diagonal.

    With B the covariance of noise and the other drifts, and K the level's, B⁻¹ᐟ²KB⁻¹ᐟ² has
    eigenvalues `drift` (n,). Every ratio of the level then costs a scaling, not a factorisation.
    """

    drift: FloatArray
    log_det: float
    z: FloatArray
    y: FloatArray
    crosses: tuple[FloatArray, FloatArray]
    ahead: tuple[FloatArray, FloatArray]
    z_wanted: FloatArray

    @classmethod
    def of(
        cls,
        model: Model,
        outcome: FloatArray,
        seen: BoolArray,
        wanted: BoolArray,
        others: tuple[float, ...] = (),
    ) -> _Basis:
        level = model.drifts[0].kernel
        base = model.covariance((0.0, *others))
        known, kernel = base[np.ix_(seen, seen)], level[np.ix_(seen, seen)]
        root = np.eye(len(known))
        if others:
            root = np.asarray(np.linalg.inv(np.linalg.cholesky(known)), dtype=np.float64)
        drift, vectors = np.linalg.eigh(root @ kernel @ root.T)
        turn = np.asarray(vectors.T @ root, dtype=np.float64)
        across, within = np.ix_(seen, wanted), np.ix_(wanted, wanted)
        return cls(
            drift=np.clip(drift, 0.0, None),
            log_det=-2 * float(np.log(np.diag(root)).sum()),
            z=turn @ model.z[seen],
            y=turn @ outcome[seen],
            crosses=(turn @ base[across], turn @ level[across]),
            ahead=(base[within], level[within]),
            z_wanted=model.z[wanted],
        )

    def at(self, ratio: float) -> _Given:
        """Generalised least squares at one ratio of the level."""
        shrink = 1 / np.sqrt(1 + ratio**2 * self.drift)
        z, y = self.z * shrink[:, None], self.y * shrink
        size = np.sqrt((z**2).sum(axis=0))
        q, r = np.linalg.qr(z / np.where(size > 0, size, 1.0))
        diagonal = np.abs(np.diag(r))
        if (size == 0).any() or diagonal.min() < 1e-9:
            raise NotEstimable(
                "A control series is constant, or moves exactly as the others; leave it out."
            )
        inverse = np.asarray(np.linalg.inv(r) / size[:, None], dtype=np.float64)
        beta = inverse @ (q.T @ y)
        residual = np.asarray(y - z @ beta, dtype=np.float64)
        log_det = self.log_det - 2 * float(np.log(shrink).sum() - np.log(diagonal * size).sum())
        return _Given(
            self, ratio, beta, inverse @ inverse.T, float(residual @ residual), log_det,
            residual * shrink, z * shrink[:, None],
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Given:
    """Least squares at one point of the grid; `pull` (n,) and `lean` (n, p) are weighted twice."""

    basis: _Basis
    ratio: float
    beta: FloatArray
    spread: FloatArray
    rss: float
    log_det: float
    pull: FloatArray
    lean: FloatArray

    def predict(self) -> tuple[FloatArray, FloatArray]:
        """Mean (m,) and covariance (m, m) per unit of noise, of the wanted days."""
        basis, square = self.basis, self.ratio**2
        cross = basis.crosses[0] + square * basis.crosses[1]
        mean = basis.z_wanted @ self.beta + cross.T @ self.pull
        left = basis.z_wanted - cross.T @ self.lean
        known = cross / (1 + square * basis.drift)[:, None]
        ahead = basis.ahead[0] + square * basis.ahead[1]
        return mean, ahead - cross.T @ known + left @ self.spread @ left.T


def _prior(model: Model, ratios: tuple[float, ...]) -> float:
    """Prior mass of a grid point: that of the half-Cauchy between the middles of its neighbours."""
    mass = 1.0
    for ratio, drift in zip(ratios, model.drifts, strict=True):
        grid = _RATIOS if drift.name == "level" else _RATIOS[::4]
        at = int(np.flatnonzero(grid == ratio)[0])
        low = 0.0 if at == 0 else (grid[at - 1] + grid[at]) / 2
        high = np.inf if at == len(grid) - 1 else (grid[at] + grid[at + 1]) / 2
        mass *= float(np.diff(stats.halfcauchy.cdf([low, high], scale=_SCALE[drift.name]))[0])
    return mass
