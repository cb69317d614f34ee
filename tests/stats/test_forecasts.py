"""Scores of forecasts."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from octad.stats.forecasts import (
    brier_score,
    calibration,
    interval_coverage,
    interval_score,
    log_score,
)
from octad.stats.refusal import NotEstimable

FloatArray = NDArray[np.float64]


@pytest.mark.real
@pytest.mark.parametrize(("sport", "published"), [("nba", 0.215), ("nfl", 0.220)])
def test_fivethirtyeight(shared_data: Path, sport: str, published: float) -> None:
    rows = np.genfromtxt(
        shared_data / "fivethirtyeight" / f"{sport}_games.csv",
        delimiter=",",
        skip_header=1,
        usecols=(4, 5),
    )
    found = brier_score(rows[:, 0], rows[:, 1])
    assert found.value == pytest.approx(published, abs=5.1e-4)  # printed to three places
    split = calibration(rows[:, 0], rows[:, 1])
    assert split.miscalibration - split.discrimination + split.uncertainty == pytest.approx(
        found.value, abs=1e-14
    )
    assert split.miscalibration < 0.01
    assert split.discrimination > 0.02


pairs = st.integers(50, 90).flatmap(
    lambda n: st.tuples(
        hnp.arrays(np.float64, n, elements=st.floats(0, 1)),
        hnp.arrays(np.float64, n, elements=st.sampled_from([0.0, 1.0])),
    )
)


@given(pairs)
def test_decomposition_adds_up_and_the_curve_rises(pair: tuple[FloatArray, FloatArray]) -> None:
    p, y = pair
    split = calibration(p, y)
    whole = split.miscalibration - split.discrimination + split.uncertainty
    assert whole == pytest.approx(brier_score(p, y).value, abs=1e-12)
    assert (np.diff(split.recalibrated) >= -1e-12).all()
    again = calibration(split.recalibrated, y[np.argsort(p, kind="stable")])
    assert again.miscalibration == pytest.approx(0, abs=1e-12)  # recalibrating twice adds nothing


def test_pooling_agrees_with_brute_force() -> None:
    # Isotonic fit at i is max over j ≤ i of min over k ≥ i of the mean of j..k (Barlow 1972).
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, 60).astype(float)
    p = np.linspace(0.01, 0.99, 60)
    brute = [
        max(min(y[j : k + 1].mean() for k in range(i, 60)) for j in range(i + 1)) for i in range(60)
    ]
    np.testing.assert_allclose(calibration(p, y).recalibrated, brute, atol=1e-12)


def test_a_calibrated_forecaster_and_one_too_sure() -> None:
    rng = np.random.default_rng(2)
    truth = rng.beta(2, 2, 20_000)
    y = (rng.random(20_000) < truth).astype(float)
    honest = calibration(truth, y)
    said = np.clip(0.5 + 2 * (truth - 0.5), 0, 1)
    sure = calibration(said, y)
    assert honest.miscalibration < 0.002  # falls like n^(-2/3)
    # What the overstatement costs by the law of total variance, in the blocks it leaves.
    ends = [truth[said == end].mean() for end in (0, 1)]
    ideal = np.select([said == 0, said == 1], ends, truth)
    assert sure.miscalibration == pytest.approx(((said - ideal) ** 2).mean(), abs=0.003)
    assert sure.miscalibration > 10 * honest.miscalibration
    assert abs(honest.excess_sure) < 0.015


def test_scores_by_hand() -> None:
    assert brier_score([0.8, 0.9], [1, 0]).value == pytest.approx((0.04 + 0.81) / 2)
    assert log_score([0.8, 0.9], [1, 0]).value == pytest.approx(-(math.log(0.8 * 0.1)) / 2)
    assert log_score([1.0, 0.0], [1, 0]).value == 0
    assert brier_score([0.5], [0.5]).value == 0  # a tie
    assert brier_score([0.8], [1]).se is None


def test_refuses() -> None:
    for p, y, reason in (
        ([], [], "no forecasts"),
        ([1.2], [1], "between 0 and 1"),
        ([float("nan")], [1], "between 0 and 1"),
        ([0.5], [2], "came true"),
        ([0.5], [1, 0], "paired"),
    ):
        with pytest.raises(NotEstimable, match=reason):
            brier_score(p, y)
    with pytest.raises(NotEstimable, match="impossible"):
        log_score([0.0], [1])
    with pytest.raises(NotEstimable, match="at least 50"):
        calibration([0.5] * 49, [1] * 49)
    assert calibration([0.5] * 50, [1] * 50).uncertainty == 0


def test_coverage_of_normal_intervals() -> None:
    rng = np.random.default_rng(3)
    kept = 0
    for _ in range(300):
        y = rng.normal(size=100)
        kept += interval_coverage(np.full(100, -1.281552), np.full(100, 1.281552), y, 0.8).p < 0.05
    assert kept / 300 < 0.05 + 3 * 0.0126
    found = interval_coverage([0, 0], [1, 1], [0.5, 3], 0.5)
    assert found.share == 0.5
    assert found.p == 1.0
    assert interval_coverage([-math.inf], [1], [0], 0.9).share == 1
    with pytest.raises(NotEstimable, match="in order"):
        interval_coverage([1], [0], [0.5], 0.9)
    with pytest.raises(NotEstimable, match="no intervals"):
        interval_coverage([], [], [], 0.9)


def test_interval_score_by_hand_and_best_at_the_truth() -> None:
    # Width 2, one unit outside, α = .2: 2 + 10.
    assert interval_score([0], [2], [3], 0.8).value == pytest.approx(12)
    y = np.random.default_rng(4).normal(size=50_000)
    scores = [
        interval_score(np.full(50_000, -h), np.full(50_000, h), y, 0.8).value
        for h in (0.9, 1.2816, 1.7)
    ]
    assert scores[1] == min(scores)
    with pytest.raises(NotEstimable, match="without an end"):
        interval_score([-math.inf], [1], [0], 0.9)
