"""Retention: the shifted beta-geometric model and the difference of curves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from octad.stats.refusal import NotEstimable
from octad.stats.retention import churn_from_survival, fit_sbg, retention_difference

FloatArray = NDArray[np.float64]
REGULAR = 10 * np.array([100, 63.1, 46.8, 38.2, 32.6, 28.9, 26.2, 24.1])


def test_fader_and_hardie() -> None:
    found = fit_sbg(*churn_from_survival(REGULAR))
    assert (round(found.alpha, 3), round(found.beta, 3)) == (0.704, 1.182)
    assert round(found.log_likelihood, 2) == -1680.27
    assert round(100 * float(found.survival(12)), 1) == 17.0
    low, high = found.survival_interval(12)
    assert low < 0.17 < high
    product = float(np.prod(found.retention(np.arange(1, 13))))
    assert product == pytest.approx(float(found.survival(12)))
    assert float(found.survival(0)) == 1


def _cohort(
    rng: np.random.Generator, n: int, alpha: float, beta: float, seen: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Losses and censored by age; each person is seen for an own number of periods."""
    left = rng.geometric(np.clip(rng.beta(alpha, beta, n), 1e-12, 1))
    last = int(seen.max())
    lost = np.bincount(left[left <= seen], minlength=last + 1)[1 : last + 1]
    still = np.bincount(seen[left > seen].astype(int), minlength=last + 1)[1 : last + 1]
    return lost.astype(float), still.astype(float)


def test_immature_cohorts_do_not_bend_the_curve() -> None:
    rng = np.random.default_rng(1)
    truth = 12.0
    seen = rng.integers(1, 9, 4000).astype(np.float64)
    held, found = 0, []
    runs = 100
    for _ in range(runs):
        fit = fit_sbg(*_cohort(rng, 4000, 0.7, 1.2, seen))
        s = float(fit.survival(truth))
        low, high = fit.survival_interval(truth)
        t = np.arange(1, 13)
        planted = float(np.prod((1.2 + t - 1) / (0.7 + 1.2 + t - 1)))
        held += low <= planted <= high
        found.append(s - planted)
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(runs) + 0.002
    assert held / runs > 0.95 - 3 * 0.0218  # three Monte-Carlo errors


def test_fit_refuses() -> None:
    with pytest.raises(NotEstimable, match="nobody has left"):
        fit_sbg([0, 0, 0], [0, 0, 10])
    with pytest.raises(NotEstimable, match="first period"):
        fit_sbg([10, 0], [0, 0])
    with pytest.raises(NotEstimable, match="two periods"):
        fit_sbg([10], [10])
    with pytest.raises(NotEstimable, match="counts"):
        fit_sbg([-1, 2], [0, 1])
    with pytest.raises(NotEstimable, match="same shape"):
        # A constant chance of leaving: everyone alike.
        fit_sbg(1e6 * 0.3 * 0.7 ** np.arange(8), [0] * 7 + [1e6 * 0.7**8])
    with pytest.raises(NotEstimable, match="may not rise"):
        churn_from_survival([10, 11])
    with pytest.raises(NotEstimable, match="counts at the start"):
        churn_from_survival([10])


def test_band_holds_the_curve_and_the_test_keeps_its_level() -> None:
    rng = np.random.default_rng(2)
    n = np.repeat(np.linspace(2000, 500, 28)[None], 2, axis=0).round()
    curve = 0.5 * np.arange(1, 29) ** -0.4
    held, false = 0, 0
    for _ in range(150):
        found = retention_difference(rng.binomial(n.astype(int), curve), n)
        held += bool(((found.low <= 0) & (found.high >= 0)).all())
        false += found.p < 0.05
    assert held / 150 == pytest.approx(0.95, abs=3 * 0.0178 + 0.005)  # and the draws of the band
    assert false / 150 < 0.05 + 3 * 0.0178


def test_a_planted_drop_is_seen_and_swapping_flips_it() -> None:
    rng = np.random.default_rng(3)
    n = np.full((2, 20), 5000.0)
    y = rng.binomial(5000, [[0.4] * 20, [0.36] * 20]).astype(float)
    there, back = retention_difference(y, n), retention_difference(y[::-1], n)
    assert there.p < 1e-4
    assert (there.high < 0).any()
    np.testing.assert_allclose(there.difference, -back.difference)
    tight = retention_difference(y, n, covariance=np.outer(there.se, there.se))
    assert tight.critical < there.critical


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=4, max_size=4))
def test_small_counts_are_finite_or_refused(pairs: list[tuple[int, int]]) -> None:
    n = np.array([[a for a, _ in pairs], [b for _, b in pairs]], dtype=float)
    y = np.minimum(n, [[1.0], [0.0]])
    try:
        found = retention_difference(y, n)
    except NotEstimable:
        assert not (n > 0).all(axis=0).any()
        return
    for values in (found.difference, found.first, found.second):
        assert np.isfinite(values).all()
    assert np.isfinite(found.low[found.used]).all()
    assert 0 <= found.p <= 1


def test_difference_refuses() -> None:
    with pytest.raises(NotEstimable, match="two arms"):
        retention_difference([1, 2], [3, 4])
    with pytest.raises(NotEstimable, match="among those"):
        retention_difference([[5], [1]], [[4], [4]])
    with pytest.raises(NotEstimable, match="no day"):
        retention_difference([[0], [0]], [[0], [4]])
    with pytest.raises(NotEstimable, match="every day"):
        retention_difference([[1], [1]], [[4], [4]], covariance=np.eye(2))
