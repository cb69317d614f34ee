"""Heavy tails: the same cut in every arm."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from octad.stats.concentration import heavy_tail, leave_top_out, skewness, winsor_threshold

values = st.lists(st.integers(0, 1000), min_size=1, max_size=30)


@given(values, values, st.integers(0, 5))
def test_equals_sorting_everybody(one: list[int], two: list[int], k: int) -> None:
    top = np.full((2, 5), np.nan)
    for arm, rows in enumerate((one, two)):
        largest = np.sort(rows)[::-1][:5]
        top[arm, : len(largest)] = largest
    found = leave_top_out(top, [sum(one), sum(two)], [len(one), len(two)], k)
    both = sorted([(-v, 0, i) for i, v in enumerate(one)] + [(-v, 1, i) for i, v in enumerate(two)])
    for arm in (0, 1):
        left = [-v for v, a, _ in both[k:] if a == arm]
        assert found[arm] == pytest.approx(np.mean(left) if left else 0.0)


def test_more_than_is_known_is_refused() -> None:
    with pytest.raises(ValueError, match="k must be between"):
        leave_top_out([[1.0], [2.0]], [1.0, 2.0], [1, 1], 2)


def test_one_player_dominates() -> None:
    tail = heavy_tail([49_854.0, 2_961.0], 44_700, 52.4563, 256.716**2)
    assert tail.dominated
    assert tail.too_few
    assert tail.share_of_variance == pytest.approx(0.84, abs=0.01)
    assert tail.share_of_sum == pytest.approx(49_854 / 2_344_795, rel=1e-4)


def test_an_even_arm_is_not_heavy() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(100, 10, 5000)
    tail = heavy_tail(np.sort(rows)[::-1][:50], 5000, float(rows.mean()), float(rows.var()))
    assert not tail.dominated
    assert not tail.too_few


@pytest.mark.parametrize("top", [[], [np.nan], [5.0, 5.0]])
def test_constants_and_nobody_are_not_heavy(top: list[float]) -> None:
    tail = heavy_tail(top, len(top), 5.0 if top else 0.0, 0.0)
    assert not tail.dominated
    assert tail.skewness == tail.users_needed == 0
    assert np.isfinite(tail.share_of_sum)


def test_skewness_of_equal_or_no_values_is_zero() -> None:
    assert skewness([]) == 0
    assert skewness([0.1] * 7) == 0


@given(values)
def test_the_threshold_is_a_value_that_was_seen(rows: list[int]) -> None:
    assert winsor_threshold(rows, 0.9) in rows
    assert winsor_threshold(rows, 1.0) == max(rows)


def test_the_threshold_of_nobody_cuts_nothing() -> None:
    assert winsor_threshold([], 0.99) == np.inf
    assert winsor_threshold([np.nan, 2.0], 0.99) == 2
    with pytest.raises(ValueError, match="winsorising level"):
        winsor_threshold([1.0], 0.0)
