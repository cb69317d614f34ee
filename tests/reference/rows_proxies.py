"""KPI and result: planted truths, and statsmodels for the surrogate index."""

from __future__ import annotations

import numpy as np
import statsmodels.api as sm

from octad.stats.proxies import effect_covariance, optimal_proxy
from octad.stats.surrogates import fit_index
from tests.reference.row import Row, row, worst
from tests.reference.rows_shrinkage import berkey_data

__all__ = ["index", "planted", "proxy"]


def planted() -> list[Row]:
    """Bibaut et al. (2024): the naive covariance goes to Λ + Σ, the corrected one to Λ."""
    true, noise = np.array([[1.0, -0.5], [-0.5, 1.0]]), np.array([[1.0, 0.8], [0.8, 1.0]])
    rng = np.random.default_rng(0)
    k = 40_000
    effects = rng.multivariate_normal([0.2, 0.0], true, k)
    seen = effects + rng.multivariate_normal([0.0, 0.0], noise, k)
    found = effect_covariance(seen, np.broadcast_to(noise, (k, 2, 2)))
    # Monte-Carlo error of a covariance over 40,000 launches is about .009.
    source = "simulated, planted Λ = −.5 and Σ = .8 (after Bibaut et al. 2024)"
    return [
        row("covariance of effects, corrected", found.covariance[0, 1], -0.5, tolerance=0.03,
            source=source),
        row("covariance of effects, naive", found.naive[0, 1], 0.3, tolerance=0.03, source=source),
    ]  # fmt: skip


def proxy() -> list[Row]:
    """Weights against the regression they stand for; Berkey's trials by the closed form."""
    y, s = berkey_data()
    between, noise = np.cov(y.T), s.mean(axis=0)
    one = optimal_proxy(between, noise, result=1, proxies=(0,), size=4.0)
    hand = between[0, 1] / (between[0, 0] + noise[0, 0] / 4)
    return [
        row("optimal proxy weight, one metric", one.weights[0], hand, tolerance=1e-12,
            source="Tripuraneni et al. (2023), Λ_PN/(Λ_PP + Σ_PP/n) by hand"),
    ]  # fmt: skip


def index() -> list[Row]:
    """Coefficients and robust errors on random past users."""
    rng = np.random.default_rng(1)
    s = rng.normal(size=(500, 3)) + 5
    y = s @ np.array([0.5, -0.3, 1.0]) + rng.normal(size=500) * (1 + np.abs(s[:, 0] - 5))
    ours, theirs = fit_index(s, y), sm.OLS(y, sm.add_constant(s)).fit(cov_type="HC1")
    source = "statsmodels OLS, HC1"
    return [
        worst("surrogate index β", ours.coefficients, theirs.params[1:], source=source),
        worst("surrogate index, error of β", np.sqrt(np.diag(ours.covariance)), theirs.bse[1:],
              source=source),
    ]  # fmt: skip
