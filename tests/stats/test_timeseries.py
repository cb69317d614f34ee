"""A launch to everyone: planted steps are found and covered, broken measurement is refused."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from octad.stats.breaks import refuse_gap, refuse_shared_step, steps_at
from octad.stats.refusal import NotEstimable
from octad.stats.timeseries import impact
from tests.reference.quasi_worlds import LAUNCH, world

FloatArray = NDArray[np.float64]


def test_a_planted_step_is_found() -> None:
    y, x = world(0, effect=5.0)
    found = impact(y, LAUNCH, controls=x)
    # The planted step is 5; its interval is about ±1.2 wide here.
    assert found.mean == pytest.approx(5.0, abs=1.2)
    assert found.mean_low > 3
    assert found.p < 0.001
    assert found.total == pytest.approx(14 * found.mean)
    assert found.relative == pytest.approx(found.total / (y[LAUNCH:].sum() - found.total), rel=1e-3)
    assert found.running[-1] == found.total
    assert found.coefficients == pytest.approx([0.5, 0.3], abs=0.15)
    assert found.used.all()
    assert found.days == LAUNCH


@pytest.mark.parametrize(("drift", "seed"), [(0.0, 0), (0.3, 1000), (1.0, 2000)])
def test_planted_steps_are_covered(drift: float, seed: int) -> None:
    """60 series each, from steady ones to ones whose level drifts as much as the noise."""
    repetitions = 60
    inside = 0
    for k in range(repetitions):
        y, x = world(seed + k, drift=drift)
        found = impact(y, LAUNCH, controls=x, draws=1000)
        inside += found.mean_low <= 2.0 <= found.mean_high
    # Three Monte-Carlo standard errors of 60 repetitions below 95%.
    assert inside / repetitions >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / repetitions)


def test_logs_give_a_relative_effect() -> None:
    y, x = world(3, effect=0.0)
    grown = np.exp(y / 40) * np.where(np.arange(len(y)) >= LAUNCH, 1.1, 1.0)
    found = impact(grown, LAUNCH, controls=np.exp(x / 40), log=True)
    assert found.relative is not None
    assert found.relative_low is not None
    assert found.relative_high is not None
    assert found.relative_low < 0.1 < found.relative_high
    scaled = impact(1000 * grown, LAUNCH, controls=np.exp(x / 40), log=True)
    assert scaled.relative == pytest.approx(found.relative, rel=1e-6)


def test_controls_make_it_sharper() -> None:
    shares = []
    for seed in range(6):
        y, x = world(seed, drift=0.0)
        one, other = impact(y, LAUNCH, controls=x), impact(y, LAUNCH)
        shares.append((one.mean_high - one.mean_low) / (other.mean_high - other.mean_low))
    assert np.median(shares) < 0.6


def test_shifts_and_scales_carry_over() -> None:
    y, x = world(5)
    one = impact(y, LAUNCH, controls=x)
    other = impact(1e9 + 1000 * y, LAUNCH, controls=3 * x - 7)
    assert other.mean == pytest.approx(1000 * one.mean, rel=1e-4)
    assert other.mean_low == pytest.approx(1000 * one.mean_low, rel=1e-4, abs=0.5)


@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1e6])
def test_a_high_level_hides_no_small_change(scale: float) -> None:
    y, x = world(5)
    one = impact(y, LAUNCH, controls=x)
    level = 1e6 * scale  # what is left of a double's sixteen digits: ten
    other = impact(level + scale * y, LAUNCH, controls=level + scale * x)
    assert other.mean / scale == pytest.approx(one.mean, abs=1e-4)
    assert other.p == pytest.approx(one.p, rel=1e-4)


def test_missing_days_away_from_the_launch_are_left_out() -> None:
    y, x = world(6, effect=4.0)
    y[10:15] = np.nan
    y[LAUNCH + 8] = np.nan
    found = impact(y, LAUNCH, controls=x)
    assert found.mean_low < 4 < found.mean_high
    assert np.isnan(found.expected[8])
    assert found.days == LAUNCH - 5
    assert found.total == pytest.approx(13 * found.mean)


@pytest.mark.parametrize("seed", range(5))
def test_a_step_that_all_series_share_is_a_measurement_break(seed: int) -> None:
    y, x = world(seed, effect=0.0)
    after = np.arange(len(y)) >= LAUNCH
    with pytest.raises(NotEstimable, match="Measurement break: every series, also"):
        impact(y + 12 * after, LAUNCH, controls=x + 15 * after)
    with pytest.raises(NotEstimable, match="none is left to compare with"):
        impact(y, LAUNCH, controls=x + 15 * after)


def test_one_control_that_steps_is_left_out() -> None:
    y, x = world(7, effect=4.0)
    x[1, LAUNCH:] += 15
    found = impact(y, LAUNCH, controls=x)
    assert found.used.tolist() == [True, False]
    assert found.mean_low < 4 < found.mean_high


def test_false_alarms_are_rare() -> None:
    """Without a step, a control is called broken at the threshold asked for; all together never."""
    broken = []
    for seed in range(100):
        y, x = world(seed, effect=0.0)
        broken.append(steps_at(np.vstack([y, x]), LAUNCH, threshold=0.05).broken)
    # 300 tests at 5%: three Monte-Carlo standard errors.
    assert np.mean(broken) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)
    assert np.all(broken, axis=1).mean() < 0.03


@pytest.mark.parametrize("day", [LAUNCH - 2, LAUNCH, LAUNCH + 1])
def test_a_gap_at_the_launch_is_a_measurement_break(day: int) -> None:
    y, x = world(8)
    for hole in (np.nan, 0.0):
        series = y.copy()
        series[day] = hole
        with pytest.raises(NotEstimable, match=r"Measurement break.*1 of 3 series"):
            impact(series, LAUNCH, controls=x)
    everywhere = np.vstack([y, x])
    everywhere[:, day] = np.nan
    with pytest.raises(NotEstimable, match="in every series"):
        refuse_gap(everywhere, LAUNCH)


def test_rare_events_are_often_zero_and_that_is_no_gap() -> None:
    rare = np.random.default_rng(0).poisson(0.5, size=(1, 120)).astype(float)
    refuse_gap(rare, 90)


def test_other_refusals_say_why() -> None:
    y, x = world(9)
    with pytest.raises(NotEstimable, match="days after the launch"):
        impact(y, len(y), controls=x)
    with pytest.raises(NotEstimable, match="too few"):
        impact(y[80:], 10)
    with pytest.raises(NotEstimable, match="control series misses days"):
        impact(y, LAUNCH, controls=np.where(np.arange(len(y)) == 5, np.nan, x))
    with pytest.raises(NotEstimable, match="Logarithms"):
        impact(y - 200, LAUNCH, log=True)
    with pytest.raises(NotEstimable, match="all the same"):
        impact(y, LAUNCH, controls=np.full((1, len(y)), 3.0))
    with pytest.raises(NotEstimable, match="infinite"):
        impact(np.where(np.arange(len(y)) == 5, np.inf, y), LAUNCH)
    assert refuse_shared_step(y, x, LAUNCH).all()
