"""Rates: ratios, trends, and what heavy users meet."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from statsmodels.stats.rates import confint_poisson_2indep, test_poisson_2indep

from octad.stats.rates import (
    actions_to_meet,
    chance_met,
    fit_rates,
    rate_ratio,
    rate_trend,
    share_trend,
    usage_weighted_mean,
)
from octad.stats.refusal import NotEstimable

FloatArray = NDArray[np.float64]
theirs_test = test_poisson_2indep
theirs_test.__test__ = False


def test_exact_interval_of_rs_poisson_test() -> None:
    # R's example(poisson.test): breast cancer with and without fluoroscopy, 11/800 and 21/3011.
    found = rate_ratio((11, 21), (800, 3011))
    assert found.method == "exact"
    np.testing.assert_allclose(
        [found.ratio, found.low, found.high], [1.971488, 0.8584264, 4.2772659], rtol=1e-6
    )


@given(st.integers(0, 60), st.integers(1, 60), st.floats(1, 1e4), st.floats(1, 1e4))
def test_score_agrees_with_statsmodels(y1: int, y0: int, e1: float, e0: float) -> None:
    ours = rate_ratio((y1, y0), (e1, e0), method="score")
    assert ours.p == pytest.approx(
        theirs_test(y1, e1, y0, e0, method="score").pvalue, rel=1e-9, abs=1e-12
    )
    if y1 > 0:
        low, high = confint_poisson_2indep(y1, e1, y0, e0, method="score", compare="ratio")
        # statsmodels finds its limits by a search that stops at about 1e-8 absolute.
        np.testing.assert_allclose([ours.low, ours.high], [low, high], rtol=1e-4, atol=1e-7)


@given(
    st.integers(0, 200),
    st.integers(0, 200),
    st.floats(0.1, 1e6),
    st.floats(0.1, 1e6),
    st.sampled_from(["exact", "score"]),
)
def test_swapping_groups_inverts(y1: int, y0: int, e1: float, e0: float, method: str) -> None:
    if y1 + y0 == 0:
        return
    there = rate_ratio((y1, y0), (e1, e0), method=method)  # type: ignore[arg-type]
    back = rate_ratio((y0, y1), (e0, e1), method=method)  # type: ignore[arg-type]
    assert there.p == pytest.approx(back.p, rel=1e-6, abs=1e-12)
    assert there.low <= there.ratio <= there.high
    if math.isfinite(there.high):
        assert back.low == pytest.approx(1 / there.high, rel=1e-6)


@pytest.mark.parametrize("method", ["exact", "score"])
def test_interval_covers(method: str) -> None:
    rng = np.random.default_rng(4)
    y1, y0 = rng.poisson(12, 2000), rng.poisson(20, 2000)
    hits = 0
    for a, b in zip(y1, y0, strict=True):
        found = rate_ratio((a, b), (600, 2000), method=method)  # type: ignore[arg-type]
        hits += found.low <= 2.0 <= found.high
    # Exact is conservative; score is right on average. Three Monte-Carlo errors are .015.
    assert 0.935 < hits / 2000 < (0.995 if method == "exact" else 0.965)


def test_no_events_on_one_side_leave_one_limit_open() -> None:
    found = rate_ratio((0, 10), (100, 100))
    assert found.ratio == 0
    assert found.low == 0
    assert 0 < found.high < 1
    other = rate_ratio((10, 0), (100, 100))
    assert other.ratio == math.inf
    assert other.high == math.inf
    assert other.low > 1


def test_dispersion_widens() -> None:
    plain = rate_ratio((200, 150), (1000, 1000))
    wide = rate_ratio((200, 150), (1000, 1000), dispersion=4)
    assert wide.low < plain.low < plain.high < wide.high
    assert wide.p > plain.p
    with pytest.raises(NotEstimable, match="exact"):
        rate_ratio((2, 1), (10, 10), dispersion=2, method="exact")


def _overdispersed(seed: int, n: int = 300) -> tuple[FloatArray, FloatArray, FloatArray]:
    rng = np.random.default_rng(seed)
    x = np.column_stack([np.ones(n), rng.integers(0, 2, n), rng.normal(size=n)])
    e = rng.gamma(2, 20, n)
    y = rng.poisson(np.exp(x @ [-2, 0.4, 0.2]) * e * rng.gamma(2, 0.5, n))
    return y.astype(np.float64), x, e


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_models_agree_with_statsmodels(seed: int) -> None:
    y, x, e = _overdispersed(seed)
    ours = fit_rates(y, x, e, family="poisson")
    theirs = sm.GLM(y, x, family=sm.families.Poisson(), exposure=e).fit()
    np.testing.assert_allclose(ours.coefficients, theirs.params, rtol=1e-8)
    np.testing.assert_allclose(np.sqrt(np.diag(ours.covariance)), theirs.bse, rtol=1e-8)
    assert ours.dispersion == pytest.approx(theirs.pearson_chi2 / theirs.df_resid)
    assert ours.log_likelihood == pytest.approx(theirs.llf)
    ours = fit_rates(y, x, e)
    assert ours.family == "negative binomial"
    full = sm.NegativeBinomial(y, x, exposure=e).fit(disp=0, maxiter=500, gtol=1e-7)
    # Two optimisers stop at slightly different places of a flat top.
    np.testing.assert_allclose(ours.coefficients, full.params[:-1], rtol=1e-5)
    assert ours.alpha == pytest.approx(full.params[-1], rel=1e-5)
    assert ours.log_likelihood == pytest.approx(full.llf, rel=1e-9)
    glm = sm.GLM(y, x, family=sm.families.NegativeBinomial(alpha=ours.alpha), exposure=e).fit(
        cov_type="nonrobust"
    )
    # Ours is the expected information, statsmodels' GLM takes the same at its own last step.
    np.testing.assert_allclose(np.sqrt(np.diag(ours.covariance)), glm.bse, rtol=0.01)


def test_poisson_counts_stay_poisson() -> None:
    rng = np.random.default_rng(6)
    y = rng.poisson(3, 400)
    found = fit_rates(y, np.ones((400, 1)), np.ones(400))
    assert found.family == "poisson"
    assert found.coefficients[0] == pytest.approx(math.log(y.mean()))


def test_models_refuse() -> None:
    ones = np.ones((4, 1))
    with pytest.raises(NotEstimable, match="single event"):
        fit_rates([0, 0, 0, 0], ones, [1, 1, 1, 1])
    with pytest.raises(NotEstimable, match="not more counts"):
        fit_rates([1], [[1.0]], [1])
    with pytest.raises(NotEstimable, match="explain one another"):
        fit_rates([1, 2, 3, 4], np.ones((4, 2)), [1, 1, 1, 1])
    with pytest.raises(NotEstimable, match="no limit"):
        fit_rates([0, 0, 3, 4], np.column_stack([ones, [0, 0, 1, 1]]), [1, 1, 1, 1])
    groups = np.array([[1, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 0], [1, 0, 1], [1, 0, 1]])
    with pytest.raises(NotEstimable, match="did not settle"):
        fit_rates([0, 0, 3, 4, 5, 6], groups, np.ones(6))
    with pytest.raises(NotEstimable, match="same length"):
        fit_rates([1, 2], ones, [1])


def test_trend_in_shares_is_rs() -> None:
    # R's example(prop.trend.test): smokers among lung patients in four studies (Fleiss 1981).
    found = share_trend([83, 90, 129, 70], [86, 93, 136, 82])
    assert round(found.statistic, 4) == 8.2249
    assert round(found.p, 6) == 0.004132


def test_trend_in_rates_finds_the_planted_slope() -> None:
    rng = np.random.default_rng(9)
    e = np.array([1e4, 2e4, 4e4, 8e4])
    slopes, covered = [], 0
    for _ in range(500):
        found = rate_trend(rng.poisson(e * 0.01 * 1.3 ** np.arange(4)), e)
        slopes.append(found.slope)
        covered += found.low <= 1.3 <= found.high
    assert np.mean(slopes) == pytest.approx(math.log(1.3), abs=0.005)
    # Never narrower than Poisson, so a little conservative.
    assert 0.93 < covered / 500 <= 1
    with pytest.raises(NotEstimable, match="three bands"):
        rate_trend([1, 2], [3, 4])
    with pytest.raises(NotEstimable, match="some who did not"):
        share_trend([0, 0], [3, 4])
    with pytest.raises(NotEstimable, match="same place"):
        share_trend([1, 2], [3, 4], [1, 1])


@given(st.floats(1e-9, 0.999), st.floats(0.01, 0.999))
def test_actions_to_meet_is_the_first_that_is_enough(rate: float, chance: float) -> None:
    n = actions_to_meet(rate, chance)
    assert float(chance_met(rate, n)) >= chance - 1e-9
    assert float(chance_met(rate, n - 1)) <= chance + 1e-9


def test_chances_at_the_ends() -> None:
    assert float(chance_met(0, 1000)) == 0
    assert float(chance_met(1, 0)) == 0
    assert float(chance_met(1, 1)) == 1
    assert float(chance_met(1e-15, 10)) == pytest.approx(1e-14)
    assert actions_to_meet(0) == math.inf
    assert actions_to_meet(1) == 1
    assert actions_to_meet(0.5, 0.75) == 2
    with pytest.raises(NotEstimable):
        chance_met(1.2, 1)
    with pytest.raises(NotEstimable):
        actions_to_meet(0.1, 1.0)


def test_usage_weighted_mean_is_that_of_the_user_behind_an_action() -> None:
    use = np.random.default_rng(1).lognormal(1, 1.5, 1000)
    assert usage_weighted_mean(use.mean(), use.var()) == pytest.approx(use @ use / use.sum())
    with pytest.raises(NotEstimable, match="nobody"):
        usage_weighted_mean(0, 0)
