"""KPI and result over past launches, measurement error removed."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from octad.stats.proxies import (
    divergence,
    effect_covariance,
    optimal_proxy,
    rolling_slopes,
    slope_on_kpi,
)
from octad.stats.refusal import NotEstimable

FloatArray = NDArray[np.float64]
TRUE = np.array([[1.0, -0.5], [-0.5, 1.0]])
NOISE = np.array([[1.0, 0.8], [0.8, 1.0]])


def _past(
    rng: np.random.Generator, k: int, true: FloatArray = TRUE
) -> tuple[FloatArray, FloatArray]:
    effects = rng.multivariate_normal([0.2, 0.0], true, k)
    noisy = effects + rng.multivariate_normal([0.0, 0.0], NOISE, k)
    return noisy, np.tile(NOISE, (k, 1, 1))


def test_noise_hides_that_the_kpi_harms_the_result() -> None:
    rng = np.random.default_rng(1)
    runs = [effect_covariance(*_past(rng, 60)) for _ in range(200)]
    error = np.std([r.covariance for r in runs], axis=0).max() / np.sqrt(200)
    np.testing.assert_allclose(
        np.mean([r.covariance for r in runs], axis=0), TRUE, atol=4 * error + 0.02
    )
    np.testing.assert_allclose(
        np.mean([r.naive for r in runs], axis=0), TRUE + NOISE, atol=4 * error
    )
    # The naive correlation is positive, the true one negative: the surrogate paradox, planted.
    assert np.mean([r.naive[0, 1] for r in runs]) > 0.2
    assert np.mean([r.covariance[0, 1] for r in runs]) < -0.4


def test_slope_covers() -> None:
    rng = np.random.default_rng(2)
    held = 0
    for _ in range(200):
        found = slope_on_kpi(effect_covariance(*_past(rng, 60, 3 * TRUE)))
        held += found.low <= -0.5 <= found.high
    assert held / 200 > 0.95 - 3 * 0.0154


@settings(max_examples=30)
@given(st.integers(0, 2**31), st.integers(5, 12), st.integers(1, 4))
def test_never_a_negative_variance(seed: int, k: int, m: int) -> None:
    rng = np.random.default_rng(seed)
    effects = rng.normal(size=(k, m))
    found = effect_covariance(effects, np.tile(2.0 * np.eye(m), (k, 1, 1)))
    assert np.linalg.eigvalsh(found.covariance)[0] >= -1e-10
    assert np.isfinite(found.correlation).all()
    assert (np.abs(found.correlation) <= 1).all()


def test_a_correlation_of_nothing_but_noise_is_not_reported() -> None:
    rng = np.random.default_rng(3)
    told = 0
    for _ in range(100):
        noisy, errors = _past(rng, 20, 1e-9 * TRUE)
        with contextlib.suppress(NotEstimable):
            slope_on_kpi(effect_covariance(noisy, errors))
            told += 1
    # A slope needs a KPI that varies at the 5% level; three Monte-Carlo errors.
    assert told <= 5 + 3 * 2.2


def test_optimal_proxy_is_the_regression_on_what_will_be_seen() -> None:
    rng = np.random.default_rng(4)
    root = rng.normal(size=(3, 3))
    true, noise = root @ root.T, np.diag([0.5, 3.0, 1.0])
    effects = rng.multivariate_normal(np.zeros(3), true, 200_000)
    for size in (1.0, 10.0):
        seen = effects[:, :2] + rng.normal(size=(200_000, 2)) * np.sqrt(np.diag(noise)[:2] / size)
        fitted = np.linalg.lstsq(seen, effects[:, 2], rcond=None)[0]
        found = optimal_proxy(true, noise, result=2, proxies=(0, 1), size=size)
        # The regression on 200,000 rows is itself good to about .01.
        np.testing.assert_allclose(found.weights, fitted, atol=0.02)
        quality = np.corrcoef(seen @ found.weights, effects[:, 2])[0, 1]
        assert found.quality == pytest.approx(quality, abs=0.01)
        assert found.quality >= np.abs(found.single).max() - 1e-12


def test_more_data_shifts_weight_to_the_noisy_metric() -> None:
    true = np.array([[1.0, 0.3, 0.3], [0.3, 1.0, 0.9], [0.3, 0.9, 1.0]])
    noise = np.diag([0.01, 20.0, 1.0])
    small = optimal_proxy(true, noise, result=2, proxies=(0, 1), size=1)
    large = optimal_proxy(true, noise, result=2, proxies=(0, 1), size=1000)
    assert small.weights[0] > small.weights[1]
    assert large.weights[1] > large.weights[0]
    with pytest.raises(NotEstimable, match="do not vary"):
        optimal_proxy(0 * true, noise, result=2, proxies=(0, 1))


def test_gap_by_hand_and_by_simulation() -> None:
    errors = np.array([[0.04, 0.01], [0.01, 0.09]])
    found = divergence(1.0, -0.4, errors, slope=0.5)
    assert found.gap == pytest.approx(-0.9)
    assert found.se == pytest.approx(np.sqrt(0.09 - 2 * 0.5 * 0.01 + 0.25 * 0.04))
    rng = np.random.default_rng(5)
    pairs = rng.multivariate_normal([1.0, 0.5], errors, 4000)
    p = np.array([divergence(a, b, errors, slope=0.5).p for a, b in pairs])
    assert (p < 0.05).mean() == pytest.approx(0.05, abs=3 * 0.0035)
    wide = divergence(1.0, -0.4, errors, slope=0.5, slope_se=0.3, spread=0.1)
    assert wide.se > found.se


def test_rolling_slopes_see_the_link_turn() -> None:
    rng = np.random.default_rng(6)
    turned = TRUE * np.array([[1, -1], [-1, 1]])
    first, errors = _past(rng, 60, 20 * turned)
    second, _ = _past(rng, 60, 20 * TRUE)
    slopes = rolling_slopes(
        np.concatenate([first, second]), np.concatenate([errors, errors]), window=40
    )
    assert slopes[5] is None
    assert slopes[59] is not None
    assert slopes[119] is not None
    assert slopes[59].low > 0
    assert slopes[119].high < 0


def test_leaving_out_one_launch_in_closed_form() -> None:
    rng = np.random.default_rng(7)
    y, s = rng.normal(size=(8, 2)), rng.uniform(0, 0.2, (8, 2))[:, :, None] * np.eye(2)
    found = effect_covariance(y, s)
    for i in range(8):
        rest = np.delete(np.arange(8), i)
        np.testing.assert_allclose(
            found.jackknife[i], np.cov(y[rest].T) - s[rest].mean(axis=0), atol=1e-12
        )


def test_refuses() -> None:
    with pytest.raises(NotEstimable, match="at least 5"):
        effect_covariance(np.zeros((4, 2)), np.zeros((4, 2, 2)))
    with pytest.raises(NotEstimable, match="their covariance"):
        effect_covariance(np.zeros((6, 2)), np.zeros((6, 2)))
    with pytest.raises(NotEstimable, match="negative"):
        effect_covariance(np.zeros((6, 1)), -np.ones((6, 1, 1)))
    with pytest.raises(NotEstimable, match="chance"):
        slope_on_kpi(effect_covariance(np.zeros((6, 2)), np.zeros((6, 2, 2))))
    with pytest.raises(NotEstimable, match="no error"):
        divergence(1.0, 1.0, np.zeros((2, 2)), slope=1.0)
    with pytest.raises(NotEstimable, match="joint covariance"):
        divergence(1.0, 1.0, [1.0, 1.0], slope=1.0)
