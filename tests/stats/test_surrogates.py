"""The surrogate index."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray

from octad.stats.refusal import NotEstimable
from octad.stats.surrogates import SurrogateIndex, fit_index, foretell

FloatArray = NDArray[np.float64]
BETA = np.array([0.5, -0.3, 1.0])


def _past(rng: np.random.Generator, n: int) -> tuple[FloatArray, FloatArray]:
    s = rng.normal(size=(n, 3)) @ np.array([[1, 0.5, 0], [0, 1, 0.2], [0, 0, 1]]) + 5
    return s, s @ BETA + rng.normal(size=n) * (1 + np.abs(s[:, 0] - 5))


def test_agrees_with_statsmodels() -> None:
    rng = np.random.default_rng(1)
    s, y = _past(rng, 400)
    ours = fit_index(s, y)
    theirs = sm.OLS(y, sm.add_constant(s)).fit(cov_type="HC1")
    np.testing.assert_allclose(ours.coefficients, theirs.params[1:], rtol=1e-9)
    np.testing.assert_allclose(ours.covariance, theirs.cov_params()[1:, 1:], rtol=1e-8, atol=1e-14)
    assert ours.intercept == pytest.approx(theirs.params[0])
    assert ours.r2 == pytest.approx(theirs.rsquared)


def test_interval_covers_the_long_term_effect() -> None:
    rng = np.random.default_rng(2)
    effect, held = np.array([0.2, 0.1, -0.05]), 0
    v = 0.002 * np.eye(3)
    for _ in range(400):
        index = fit_index(*_past(rng, 200))
        found = foretell(rng.multivariate_normal(effect, v), v, index)
        held += found.low <= BETA @ effect <= found.high
    assert held / 400 == pytest.approx(0.95, abs=3 * 0.0109 + 0.01)  # a little wide by design


def test_a_shared_error_does_not_shrink() -> None:
    index = SurrogateIndex(BETA, 0.0, np.zeros((3, 3)), 0.5, 1000)
    tiny = foretell([0.1, 0.1, 0.1], 1e-12 * np.eye(3), index, bias_sd=0.02)
    assert tiny.se == pytest.approx(0.02, rel=1e-6)
    assert tiny.from_bias == pytest.approx(1, abs=1e-6)
    assert tiny.from_effects + tiny.from_index + tiny.from_bias == pytest.approx(1)


def test_units_do_not_matter() -> None:
    rng = np.random.default_rng(3)
    s, y = _past(rng, 300)
    scale = np.array([1e6, 1.0, 1e-6])
    here = foretell([0.1, 0.2, 0.3], 0.01 * np.eye(3), fit_index(s, y))
    there = foretell(
        np.array([0.1, 0.2, 0.3]) * scale, 0.01 * np.diag(scale**2), fit_index(s * scale, y)
    )
    assert there.value == pytest.approx(here.value)
    assert there.se == pytest.approx(here.se)


def test_refuses() -> None:
    rng = np.random.default_rng(4)
    s, y = _past(rng, 60)
    with pytest.raises(NotEstimable, match="at least 40"):
        fit_index(s[:20], y[:20])
    with pytest.raises(NotEstimable, match="explain one another"):
        fit_index(np.column_stack([s, s[:, 0]]), y)
    with pytest.raises(NotEstimable, match="same for all"):
        fit_index(np.column_stack([s[:, :2], np.ones(60)]), y)
    with pytest.raises(NotEstimable, match="finite"):
        fit_index(s * np.nan, y)
    flat = fit_index(s, np.ones(60))
    with pytest.raises(NotEstimable, match="nothing here has an error"):
        foretell([0, 0, 0], np.zeros((3, 3)), flat)
    with pytest.raises(NotEstimable, match="index's surrogates"):
        foretell([0.1], [[0.1]], flat)
