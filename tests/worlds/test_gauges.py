from __future__ import annotations

import numpy as np
import pytest

from octad.worlds.gauges import GAUGES, Gauge, power


def test_an_effect_is_relative_and_a_comparison_errs_as_its_people_vary() -> None:
    rng = np.random.default_rng(1)
    n = 20_000
    off, on = ({"x": rng.poisson(rate, n).astype(float)} for rate in (2.0, 2.2))
    every = np.ones(n, dtype=np.bool_)
    gauge = Gauge("x")
    # se of the mean of Poisson(2) is 0.01, five thousandths of its level, in each arm
    assert gauge.effect(off, on, every) == pytest.approx(0.1, abs=0.02)
    expected = np.sqrt((1 / 2.0 + 1 / 2.2) / (n / 2))
    assert gauge.error(off, on, every, 0.5) == pytest.approx(expected, rel=0.03)
    assert gauge.noise(off, off, every) == 0.0


def test_a_ratio_errs_by_the_delta_method() -> None:
    rng = np.random.default_rng(2)
    n, tries = 40_000, 300
    opens = rng.poisson(5.0, n).astype(float)
    crashes = rng.binomial(opens.astype(int), 0.03).astype(float)
    sums = {"crashes": crashes, "all_opens": opens}
    every = np.ones(n, dtype=np.bool_)
    told = GAUGES["crash_rate"].error(sums, sums, every, 0.5)
    drawn = []
    for _ in range(tries):
        arm = rng.random(n) < 0.5
        rates = [crashes[a].sum() / opens[a].sum() for a in (~arm, arm)]
        drawn.append(rates[1] / rates[0] - 1)
    # 300 draws know a standard deviation to 4%
    assert told == pytest.approx(float(np.std(drawn)), rel=0.15)


def test_less_of_a_crash_is_a_gain() -> None:
    assert GAUGES["crash_rate"].gain(-0.1) == 0.1
    assert GAUGES["payments"].gain(-0.1) == -0.1


def test_power_is_four_fifths_at_two_point_eight_errors() -> None:
    assert power(2.8016, 1.0) == pytest.approx(0.8, abs=1e-3)
    assert power(0.1, float("inf")) == 0.0


def test_nobody_has_no_effect_and_no_power() -> None:
    sums = {"opens": np.zeros(3)}
    nobody = np.zeros(3, dtype=np.bool_)
    gauge = GAUGES["opens"]
    assert gauge.effect(sums, sums, nobody) == 0.0
    assert gauge.error(sums, sums, nobody, 0.5) == float("inf")
    assert gauge.effect(sums, sums, ~nobody) == 0.0
