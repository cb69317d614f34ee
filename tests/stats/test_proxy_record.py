"""Foretelling a result from early metrics, each launch by the others."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from octad.stats.proxy_record import held_out_record
from octad.stats.refusal import NotEstimable

FloatArray = NDArray[np.float64]


def launches(
    seed: int, k: int = 60, noise: float = 0.01, follows: tuple[float, float] = (0.2, 0.8)
) -> tuple[FloatArray, FloatArray]:
    """Two early metrics and a result made of both; noise that goes together."""
    rng = np.random.default_rng(seed)
    early = rng.normal(0, 0.03, (k, 2))
    true = np.column_stack([early, early @ np.array(follows)])
    shared = noise**2 * (0.5 * np.eye(3) + 0.5)
    drawn = rng.multivariate_normal(np.zeros(3), shared, k)
    return true + drawn, np.broadcast_to(shared, (k, 3, 3))


def test_the_metric_that_matters_has_the_weight() -> None:
    record = held_out_record(*launches(1, 400))
    assert record.weights[1] > 2 * abs(record.weights[0])
    assert record.combined < record.alone < record.mean * 1.2
    assert record.p < 0.001


def test_without_noise_the_weights_are_the_truth() -> None:
    record = held_out_record(*launches(2, 60, noise=1e-6))
    assert record.weights == pytest.approx([0.2, 0.8], abs=1e-3)
    assert record.combined == pytest.approx(0, abs=1e-4)


def test_a_second_metric_that_says_nothing_is_no_better() -> None:
    """One-sided 5% of 200 is 10 ± 3; three times that allowed."""
    better = sum(
        held_out_record(*launches(seed, 30, follows=(0.8, 0.0))).p < 0.05 for seed in range(200)
    )
    assert better <= 10 + 9


def test_the_miss_is_freed_of_the_measurements_noise() -> None:
    """True misses of the best rule: launches measured with as much noise as they differ by."""
    missed = [held_out_record(*launches(seed, 80, noise=0.03)).combined for seed in range(60)]
    early, noise = 0.03**2 * np.eye(2), 0.03**2 * (0.5 * np.eye(2) + 0.5)
    link = early @ np.array([0.2, 0.8])
    best = np.array([0.2, 0.8]) @ link - link @ np.linalg.solve(early + noise, link)
    # The rule is estimated from 79 launches, which costs a little more than the best.
    assert np.sqrt(np.mean(np.square(missed))) == pytest.approx(np.sqrt(best), rel=0.15)


def test_few_launches_are_refused() -> None:
    with pytest.raises(NotEstimable, match="at least 20"):
        held_out_record(*launches(3, 19))
