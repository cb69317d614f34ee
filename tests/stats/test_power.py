"""Power: more users see more, days follow the history, and what cannot be seen is said."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from octad.stats.power import (
    autocorrelation,
    days_needed,
    effective_days,
    power,
    sample_size,
    sample_size_shares,
    smallest_visible,
    smallest_visible_by_days,
)


@settings(max_examples=25)
@given(st.floats(0.05, 3), st.floats(0.2, 0.8), st.sampled_from([0.8, 0.9]))
def test_the_sample_size_is_the_first_with_the_power(
    effect: float, share: float, wanted: float
) -> None:
    n = sample_size(effect, 1.0, share=share, wanted=wanted)
    assert power(effect, 1.0, n, share=share) >= wanted - 1e-9
    if n > 4:
        assert power(effect, 1.0, n - 2, share=share) < wanted


def test_unequal_arms_and_one_side_cost_what_they_must() -> None:
    even, uneven = sample_size(0.1, 1.0), sample_size(0.1, 1.0, share=0.1)
    assert uneven / even == pytest.approx(0.25 / 0.09, rel=0.01)
    assert sample_size(0.1, 1.0, error=0.025, sides="one") == pytest.approx(even, abs=2)


def test_large_samples_join_small_ones_without_a_step() -> None:
    # The noncentral t is left for the normal at 100,000 users.
    below, above = power(0.02, 1.0, 99_999), power(0.02, 1.0, 100_010)
    assert above == pytest.approx(below, abs=1e-4)


def test_what_cannot_be_seen_is_refused_or_infinite() -> None:
    with pytest.raises(ValueError, match="effect of zero"):
        sample_size(0.0, 1.0)
    with pytest.raises(ValueError, match="effect of zero"):
        sample_size_shares(0.2, 0.2)
    with pytest.raises(ValueError, match="between 0 and 1"):
        sample_size(0.1, 1.0, wanted=1.0)
    assert smallest_visible(1.0, 2) == math.inf
    assert smallest_visible(0.0, 100) == 0
    assert power(1.0, 1.0, 2) == 0


def test_days_follow_the_fall_of_new_users() -> None:
    steady = days_needed(2000, [100.0] * 10)
    falling = days_needed(1001, 100 * 0.9 ** np.arange(10))
    assert steady == 20
    # 100/(1 - .9) = 1,000 users ever: they never quite come.
    assert falling is None
    assert days_needed(900, 100 * 0.9 ** np.arange(10)) == 22
    assert days_needed(250, [100, 100, 100], window=7) == 10
    assert days_needed(500, [0.0, 0.0]) is None
    with pytest.raises(ValueError, match="new users"):
        days_needed(10, [])


def test_correlated_days_are_worth_less() -> None:
    rng = np.random.default_rng(1)
    white = rng.normal(size=400)
    sticky = np.zeros(400)
    for t in range(1, 400):
        sticky[t] = 0.8 * sticky[t - 1] + rng.normal()
    assert effective_days(400, autocorrelation(white)) > 300
    assert effective_days(400, autocorrelation(sticky)) == pytest.approx(400 / 9, rel=0.4)
    assert autocorrelation([]).size == autocorrelation([1.0] * 9).size == 0


def test_the_smallest_step_is_seen_four_times_in_five() -> None:
    rng = np.random.default_rng(2)
    steps, seen = [], 0
    for _ in range(300):
        rows = rng.normal(100, 5, 60 + 14)
        step = smallest_visible_by_days(rows[:60], 14)
        after = rows[60:] + 4.27
        steps.append(step)
        se = math.sqrt(rows[:60].var(ddof=1) * (1 / 60 + 1 / 14))
        seen += abs(after.mean() - rows[:60].mean()) > 1.99 * se
    # A step of (1.99 + .84)·5·√(1/60 + 1/14) = 4.2 on independent days; estimated
    # autocorrelation makes the forecast a little cautious. 300 draws know .8 to ±.023.
    assert seen / 300 == pytest.approx(0.8, abs=0.07)
    assert 4.0 < float(np.median(steps)) < 5.2


def test_a_short_history_shows_nothing() -> None:
    assert smallest_visible_by_days([1.0, 2.0], 14) == math.inf
