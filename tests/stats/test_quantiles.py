"""Quantiles: ties, users, histograms, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from octad.stats.moments import Moments
from octad.stats.quantiles import (
    compare_quantiles,
    from_histogram,
    levels_around,
    quantile,
    share_error,
)
from octad.stats.refusal import NotEstimable


@given(
    st.lists(st.integers(-50, 50), min_size=2, max_size=60),
    st.sampled_from([0.1, 0.5, 0.9, 0.99]),
)
def test_the_bracket_holds_the_value_and_is_finite(rows: list[int], p: float) -> None:
    found = quantile(rows, p=p)
    assert found.low <= found.value <= found.high
    assert found.value in rows
    assert np.isfinite(found.se)
    assert found.value == np.quantile(rows, p, method="inverted_cdf")


@given(st.integers(0, 100))
def test_the_order_of_rows_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, users = rng.exponential(size=80), rng.integers(0, 20, 80)
    order = rng.permutation(80)
    assert quantile(rows, users, p=0.9) == quantile(rows[order], users[order], p=0.9)


def test_an_outlier_beyond_the_bracket_changes_nothing() -> None:
    rows = np.arange(1000.0)
    wild = rows.copy()
    wild[-1] = 1e12
    assert quantile(rows, p=0.9) == quantile(wild, p=0.9)


def test_events_of_one_user_count_once() -> None:
    rng = np.random.default_rng(0)
    own = rng.normal(size=200)
    alone = quantile(own, np.arange(200), p=0.5)
    repeated = quantile(np.repeat(own, 50), np.repeat(np.arange(200), 50), p=0.5)
    assert repeated.se == pytest.approx(alone.se, rel=0.05)
    assert quantile(np.repeat(own, 50), p=0.5).se < 0.2 * alone.se


def test_names_of_users_may_be_text() -> None:
    found = quantile([1.0, 2.0, 3.0], ["a", "b", "a"], p=0.5)
    assert (found.n, found.events, found.value) == (2, 3, 2.0)


def test_equal_values_are_certain() -> None:
    found = quantile([4.0] * 30, p=0.5)
    assert (found.value, found.se, found.low, found.high) == (4, 0, 4, 4)


def test_a_histogram_comes_close_to_the_rows() -> None:
    rng = np.random.default_rng(3)
    owner = np.repeat(np.arange(400), 5)
    rows = rng.gamma(3.0, 1.0, 400)[owner] + rng.exponential(1.0, 2000)
    edges = np.linspace(0, rows.max() + 1e-9, 500)
    table = np.stack([np.histogram(rows[owner % 50 == b], edges)[0] for b in range(50)])
    fine, binned = quantile(rows, owner, p=0.95), from_histogram(edges, table, p=0.95, users=400)
    assert binned.value == pytest.approx(fine.value, abs=edges[1])
    assert binned.se == pytest.approx(fine.se, rel=0.4)
    assert (binned.n, binned.events) == (400, 2000)


def test_share_error_equals_the_binomial_when_each_user_has_one_event() -> None:
    below = np.array([1.0] * 30 + [0.0] * 70)
    share = Moments.from_rows(np.stack([below, np.ones(100)], axis=1))
    assert float(share_error(share)) == pytest.approx(np.sqrt(0.3 * 0.7 / 99))
    assert share_error(Moments.empty((), 2)) == 0


@given(st.floats(0.01, 0.99), st.floats(0, 0.5))
def test_levels_stay_between_zero_and_one(p: float, error: float) -> None:
    low, high = levels_around(p, error)
    assert 0 <= low <= p + 1e-12
    assert p - 1e-12 <= high <= 1


def test_two_arms() -> None:
    found = compare_quantiles([100.0, 110.0], [2.0, 2.0], [500, 500])
    assert found.value == pytest.approx(0.1)
    assert found.low > 0
    assert "quantiles" in found.method


def test_what_cannot_be_known_is_refused() -> None:
    with pytest.raises(NotEstimable, match="two users"):
        quantile([1.0, 2.0], [7, 7], p=0.5)
    with pytest.raises(NotEstimable, match="finite"):
        quantile([1.0, np.nan], p=0.5)
    with pytest.raises(NotEstimable, match="Too few"):
        from_histogram([0, 1, 2], [[1, 1], [0, 0]], p=0.5, users=5)
    with pytest.raises(ValueError, match="level"):
        quantile([1.0, 2.0], p=1.0)
    with pytest.raises(ValueError, match="rising edges"):
        from_histogram([0, 1, 1], [[1, 1], [1, 1]], p=0.5, users=5)
