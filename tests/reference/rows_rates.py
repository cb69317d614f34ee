"""Rates, their models, and terms that rose: R's examples and statsmodels."""

from __future__ import annotations

import math

import numpy as np
import statsmodels.api as sm
from statsmodels.stats.rates import test_poisson_2indep as poisson_2indep

from octad.stats.logodds import log_odds
from octad.stats.rates import (
    actions_to_meet,
    fit_rates,
    rate_ratio,
    share_trend,
    usage_weighted_mean,
)
from tests.reference.row import Row, exact, row, worst

__all__ = ["intensity", "models", "ratios", "terms"]


def ratios() -> list[Row]:
    """Two rates."""
    r = "R's example(poisson.test): 11/800 against 21/3011"
    found = rate_ratio((11, 21), (800, 3011))
    smokers = share_trend([83, 90, 129, 70], [86, 93, 136, 82])
    fleiss = "R's example(prop.trend.test), Fleiss (1981)"
    cases = np.random.default_rng(0).integers(1, 80, (60, 4))
    ours = [rate_ratio((a, b), (c, d), method="score").p for a, b, c, d in cases]
    theirs = [poisson_2indep(a, c, b, d, method="score").pvalue for a, b, c, d in cases]
    return [
        row("rate ratio, exact", found.ratio, 1.971488, tolerance=5e-7, source=r),
        row("rate ratio, exact, low", found.low, 0.8584264, tolerance=5e-8, source=r),
        row("rate ratio, exact, high", found.high, 4.2772659, tolerance=5e-8, source=r),
        worst("rate ratio, score p", ours, theirs, source="statsmodels test_poisson_2indep"),
        row("trend of shares, χ²", smokers.statistic, 8.2249, tolerance=5e-5, source=fleiss),
        row("trend of shares, p", smokers.p, 0.004132, tolerance=5e-7, source=fleiss),
    ]


def models() -> list[Row]:
    """Poisson and negative binomial with an offset, five random data sets."""
    poisson: list[tuple[float, float]] = []
    errors: list[tuple[float, float]] = []
    negative: list[tuple[float, float]] = []
    alphas: list[tuple[float, float]] = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        x = np.column_stack([np.ones(200), rng.integers(0, 2, 200), rng.normal(size=200)])
        e = rng.gamma(2, 20, 200)
        y = rng.poisson(np.exp(x @ [-2, 0.4, 0.2]) * e * rng.gamma(2, 0.5, 200))
        ours = fit_rates(y, x, e, family="poisson")
        theirs = sm.GLM(y, x, family=sm.families.Poisson(), exposure=e).fit()
        poisson += zip(ours.coefficients, theirs.params, strict=True)
        errors += zip(np.sqrt(np.diag(ours.covariance)), theirs.bse, strict=True)
        wide = fit_rates(y, x, e, family="negative binomial")
        full = sm.NegativeBinomial(y, x, exposure=e).fit(disp=0, maxiter=500, gtol=1e-7)
        negative += zip(wide.coefficients, full.params[:-1], strict=True)
        alphas.append((wide.alpha, full.params[-1]))
    glm, nb = "statsmodels GLM Poisson with exposure", "statsmodels NegativeBinomial with exposure"

    def split(pairs: list[tuple[float, float]]) -> tuple[list[float], list[float]]:
        return [a for a, _ in pairs], [b for _, b in pairs]

    # Two optimisers stop at slightly different places of a flat top: 1e-5, not rounding.
    return [
        worst("Poisson coefficients", *split(poisson), source=glm),
        worst("Poisson standard errors", *split(errors), source=glm),
        worst("negative binomial coefficients", *split(negative), source=nb, relative=1e-5),
        worst("negative binomial α", *split(alphas), source=nb, relative=1e-5),
    ]


def intensity() -> list[Row]:
    """Closed forms."""
    use = np.random.default_rng(1).lognormal(1, 1.5, 1000)
    weighted = usage_weighted_mean(use.mean(), use.var())
    return [
        exact("usage-weighted mean", weighted, use @ use / use.sum(), source="Σx²/Σx, row by row"),
        exact("actions to meet 1% with 95%", actions_to_meet(0.01), 299, source="1 − .99ⁿ ≥ .95"),
    ]


def terms() -> list[Row]:
    """A table of two groups worked by hand: prior 10 documents of which 2 hold the term."""
    found = log_odds([30], [10], (100, 100), background=[0.2], rare_terms=True)
    delta = math.log(32 / 78) - math.log(12 / 98)
    source = "Monroe, Colaresi & Quinn (2008), by hand"
    return [
        exact("log-odds δ", found.delta[0], delta, source=source),
        exact("log-odds z", found.z[0], delta / math.sqrt(1 / 32 + 1 / 12), source=source),
    ]
