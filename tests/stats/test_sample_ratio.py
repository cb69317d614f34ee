"""Sample ratio: direction, days, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from octad.stats.refusal import NotEstimable
from octad.stats.sample_ratio import sample_ratio


@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_swapping_arms_changes_nothing(a: int, b: int) -> None:
    one, two = sample_ratio([a, b]), sample_ratio([b, a])
    assert one.p == pytest.approx(two.p)
    assert one.anytime_p == pytest.approx(two.anytime_p)
    assert 0 <= one.p <= 1
    assert 0 <= one.anytime_p <= 1


def test_the_anytime_p_is_the_weaker_one() -> None:
    seen = sample_ratio([44700, 45489])
    assert seen.p < 0.01 < seen.anytime_p


def test_days_keep_the_worst_look() -> None:
    # A fault on the first days that was mended is still remembered by the anytime p.
    daily = np.array([[9000, 7000], [8000, 10000]])
    assert sample_ratio(daily).p == 1
    assert sample_ratio(daily).anytime_p < 1e-6
    assert sample_ratio(daily.sum(axis=0)).anytime_p == 1


def test_an_unequal_split_is_weighed() -> None:
    assert sample_ratio([900, 100], [9, 1]).p == 1
    assert sample_ratio([900, 100], [1, 1]).p < 1e-9
    assert sample_ratio([900, 100], [0.9, 0.1]).expected == (900, 100)


@pytest.mark.parametrize(
    ("counts", "split"),
    [([5], None), ([0, 0], None), ([5, -1], None), ([5, 5], [1, 0]), ([5, 5], [1, 1, 1])],
)
def test_what_cannot_be_compared_is_refused(counts: list[int], split: list[float] | None) -> None:
    with pytest.raises(NotEstimable):
        sample_ratio(counts, split)
