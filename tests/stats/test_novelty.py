"""Late minus early, curves that settle, and bands over days."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import special, stats

from octad.stats.moments import Moments
from octad.stats.novelty import (
    daily_covariance,
    day_correlation,
    late_minus_early,
    learning_curve,
    simultaneous_band,
)
from octad.stats.refusal import NotEstimable

FloatArray = NDArray[np.float64]
DAYS = np.arange(28.0)


def _users(rng: np.random.Generator, n: int, late: float) -> FloatArray:
    """(n, 2) a user's means in both spans; the same taste in both."""
    taste = rng.exponential(1.0, n)
    return np.column_stack([taste + rng.exponential(1, n), taste + late + rng.exponential(1, n)])


def _halves(control: FloatArray, treated: FloatArray) -> Moments:
    rows = np.concatenate([control, treated])
    return Moments.from_rows(rows, np.repeat([0, 1], [len(control), len(treated)]), 2)


@given(st.integers(2, 60), st.integers(2, 60), st.integers(0, 2**31))
def test_equals_the_user_level_difference(n0: int, n1: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    control, treated = _users(rng, n0, 0), _users(rng, n1, 0.3)
    found = late_minus_early(_halves(control, treated))
    d0, d1 = control[:, 1] - control[:, 0], treated[:, 1] - treated[:, 0]
    assert found.change == pytest.approx(d1.mean() - d0.mean(), abs=1e-12)
    welch = stats.ttest_ind(d1, d0, equal_var=False)
    assert found.change / found.se == pytest.approx(welch.statistic, rel=1e-9)


def test_swapping_the_arms_flips_the_sign_and_a_constant_changes_nothing() -> None:
    rng = np.random.default_rng(1)
    control, treated = _users(rng, 50, 0), _users(rng, 70, 0.5)
    there, back = (
        late_minus_early(_halves(control, treated)),
        late_minus_early(_halves(treated, control)),
    )
    assert back.change == pytest.approx(-there.change)
    shifted = late_minus_early(_halves(control + 1e9, treated + 1e9))
    # Values of 1e9 carry seven digits after the point.
    assert shifted.change == pytest.approx(there.change, abs=1e-6)
    assert shifted.se == pytest.approx(there.se, rel=1e-6)


def test_kept_share_covers() -> None:
    rng = np.random.default_rng(2)
    held = 0
    for _ in range(500):
        control, treated = _users(rng, 400, 0), _users(rng, 400, 0) + np.array([1.0, 0.4])
        found = late_minus_early(_halves(control, treated))
        assert found.kept_low is not None
        assert found.kept_high is not None
        held += found.kept_low <= 0.4 <= found.kept_high
    assert held / 500 == pytest.approx(0.95, abs=3 * 0.0097)
    control = _users(rng, 400, 0)
    flat = late_minus_early(_halves(control, control + rng.normal(0, 1e-3, control.shape)))
    assert flat.kept is None


def test_late_minus_early_refuses() -> None:
    with pytest.raises(NotEstimable, match="fewer than two"):
        late_minus_early(_halves(np.ones((1, 2)), np.ones((3, 2))))
    with pytest.raises(NotEstimable, match="no user changed"):
        late_minus_early(_halves(np.ones((4, 2)), np.ones((3, 2))))
    with pytest.raises(NotEstimable, match="two arms"):
        late_minus_early(Moments.empty((3,), 2))


def test_day_correlation_is_recovered() -> None:
    rng = np.random.default_rng(3)
    taste = rng.normal(size=(4000, 1)) * math.sqrt(0.3)
    days = taste + rng.normal(size=(4000, 30)) * math.sqrt(0.7)
    rows = np.column_stack([days[:, :10].mean(1), days[:, 20:].mean(1)])
    halves = _halves(rows[:2000], rows[2000:])
    assert day_correlation(halves, days.var(axis=0)) == pytest.approx(0.3, abs=0.03)
    assert day_correlation(Moments.empty((2,), 2), [0.0]) == 0
    covariance = daily_covariance([1.0, 2.0], 0.3)
    np.testing.assert_allclose(covariance, [[1, 0.6], [0.6, 4]])
    with pytest.raises(NotEstimable):
        daily_covariance([1.0], 1.0)


def test_exact_curves_come_back_exactly() -> None:
    for start, limit, tau in ((0.06, 0.01, 8.0), (0.0, 0.05, 5.0), (-0.02, 0.03, 12.0)):
        curve = limit + (start - limit) * np.exp(-DAYS / tau)
        found = learning_curve(DAYS, curve, np.full(28, 1e-4), horizon=60)
        assert found.tau == pytest.approx(tau, rel=0.01)
        assert found.limit == pytest.approx(limit, abs=5e-4)
        assert found.start == pytest.approx(start, abs=5e-4)
        np.testing.assert_allclose(found.fitted, curve, atol=2e-4)
        assert found.half_life is not None
        assert found.half_life_low < tau * math.log(2) < found.half_life_high


def test_learning_from_zero_recovers_limit_and_tau() -> None:
    curve = 0.05 * -np.expm1(-DAYS / 5)
    found = learning_curve(DAYS, curve, np.full(28, 1e-3), shape="from zero")
    assert found.limit == pytest.approx(0.05, abs=1e-4)
    assert found.tau == pytest.approx(5, rel=0.01)
    assert found.start == 0
    assert found.p < 1e-6
    flat = learning_curve(DAYS[1:], np.full(27, 0.05), np.full(27, 1e-3), shape="from zero")
    assert flat.p > 0.4


@pytest.mark.parametrize("correlation", [0.0, 0.3])
def test_intervals_cover_the_planted_curve(correlation: float) -> None:
    rng = np.random.default_rng(4)
    covariance = daily_covariance(np.full(28, 0.006), correlation)
    root = np.linalg.cholesky(covariance)
    tau = 6 / math.log(2)
    truth = 0.01 + 0.05 * np.exp(-np.append(DAYS, 90) / tau)
    held = np.zeros(3)
    runs = 80
    for _ in range(runs):
        noisy = truth[:-1] + root @ rng.normal(size=28)
        found = learning_curve(DAYS, noisy, covariance)
        held += [
            found.half_life_low <= 6 <= found.half_life_high,
            found.limit_low <= 0.01 <= found.limit_high,
            found.there_low <= truth[-1] <= found.there_high,
        ]
    # Three Monte-Carlo errors of 80 runs; 200 other runs gave .935 to .965.
    assert (held / runs > 0.95 - 3 * 0.024).all()


def test_no_change_is_called_change_at_its_level() -> None:
    rng = np.random.default_rng(5)
    p = [
        learning_curve(DAYS, 0.03 + 0.01 * rng.normal(size=28), np.full(28, 0.01)).p
        for _ in range(150)
    ]
    assert np.mean(np.array(p) < 0.05) < 0.05 + 3 * 0.018
    assert np.mean(np.array(p) < 0.5) > 0.3  # and it is not merely always large


def test_curve_refuses_and_stays_finite() -> None:
    with pytest.raises(NotEstimable, match="five days"):
        learning_curve([0, 1, 2], [1, 2, 3], [1, 1, 1])
    with pytest.raises(NotEstimable, match="finite effect"):
        learning_curve(DAYS, DAYS * np.nan, DAYS)
    with pytest.raises(NotEstimable, match="no error"):
        learning_curve(DAYS, DAYS, np.zeros(28))
    with pytest.raises(NotEstimable, match="finite, one per day"):
        learning_curve(DAYS, DAYS, np.ones(3))
    flat = learning_curve(DAYS, np.zeros(28), np.ones(28))
    assert flat.half_life is None
    assert flat.p > 0.9
    assert np.isfinite([flat.limit, flat.limit_low, flat.limit_high, flat.there_high]).all()


def test_band_of_independent_days_is_sidaks() -> None:
    for d in (1, 5, 30):
        band = simultaneous_band(np.zeros(d), np.ones(d))
        # Monte-Carlo error of a 95% quantile from 20,000 draws is about .01.
        assert band.critical == pytest.approx(special.ndtri((1 + 0.95 ** (1 / d)) / 2), abs=0.03)


def test_band_of_two_correlated_days_agrees_with_integration() -> None:
    r = np.array([[1.0, 0.8], [0.8, 1.0]])
    c = simultaneous_band([0, 0], r).critical
    inside = stats.multivariate_normal([0, 0], r).cdf([c, c], lower_limit=[-c, -c])
    assert inside == pytest.approx(0.95, abs=0.003)  # the same Monte-Carlo error, as a chance
    assert simultaneous_band([0, 0], np.ones((2, 2))).critical == pytest.approx(1.96, abs=0.03)


def test_band_holds_the_whole_curve_and_refuses() -> None:
    rng = np.random.default_rng(6)
    covariance = daily_covariance(np.linspace(1, 2, 10), 0.5)
    root = np.linalg.cholesky(covariance)
    width = simultaneous_band(np.zeros(10), covariance).high
    runs = (np.abs(rng.normal(size=(5000, 10)) @ root.T) <= width).all(axis=1)
    assert runs.mean() == pytest.approx(0.95, abs=3 * 0.0031 + 0.003)
    still = simultaneous_band([1.0, 2.0], np.diag([0.0, 1.0]))
    assert still.low[0] == still.high[0] == 1.0
    with pytest.raises(NotEstimable, match="no day has an error"):
        simultaneous_band([1.0], [0.0])
    with pytest.raises(NotEstimable, match="finite"):
        simultaneous_band([math.nan], [1.0])
