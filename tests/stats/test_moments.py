"""Moments: what adding, splitting, centring and rounding must not change."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from octad.stats.moments import Moments

Rows = NDArray[np.float64]

finite = st.floats(-1e6, 1e6, allow_nan=False, width=32)
tables = st.integers(0, 30).flatmap(lambda n: arrays(np.float64, (n, 3), elements=finite))
TIGHT = 1e-9
"""Sums of thirty values below 1e6 in another order differ by rounding only."""


def _same(one: Moments, two: Moments) -> None:
    scale = max(1.0, float(np.abs(one.mean).max(initial=0.0)))
    assert np.array_equal(one.n, two.n)
    np.testing.assert_allclose(one.mean, two.mean, rtol=TIGHT, atol=TIGHT * scale)
    size = max(1.0, float(np.abs(one.comoment).max(initial=0.0)), scale**2)
    np.testing.assert_allclose(one.comoment, two.comoment, rtol=TIGHT, atol=TIGHT * size)


@given(tables)
def test_equals_numpy(rows: Rows) -> None:
    found = Moments.from_rows(rows)
    assert found.n == len(rows)
    if len(rows) > 1:
        np.testing.assert_allclose(found.mean, rows.mean(axis=0), rtol=TIGHT, atol=1e-6)
        expected = np.cov(rows, rowvar=False)
        size = max(1.0, float(np.abs(expected).max()))
        np.testing.assert_allclose(found.covariance(), expected, atol=TIGHT * size)
    else:
        assert not found.comoment.any()


@given(tables, tables)
def test_merging_two_halves_equals_the_whole(first: Rows, second: Rows) -> None:
    whole = Moments.from_rows(np.concatenate([first, second]))
    _same(whole, Moments.from_rows(first) + Moments.from_rows(second))
    _same(Moments.from_rows(second) + Moments.from_rows(first), whole)


@given(tables, tables)
def test_taking_a_part_away_leaves_the_rest(first: Rows, second: Rows) -> None:
    whole = Moments.from_rows(np.concatenate([first, second]))
    # A difference of large sums is as exact as the sums, not as the difference.
    size = max(1.0, float(np.abs(whole.comoment).max()), float(np.abs(whole.mean).max()) ** 2)
    left, expected = whole - Moments.from_rows(first), Moments.from_rows(second)
    assert left.n == expected.n
    np.testing.assert_allclose(left.comoment, expected.comoment, atol=1e-7 * size)
    assert (np.diagonal(left.comoment) >= 0).all()
    np.testing.assert_allclose(left.mean, expected.mean, atol=1e-8 * np.sqrt(size))


@given(tables, st.integers(1, 5))
def test_groups_in_any_order_merge_to_the_whole(rows: Rows, size: int) -> None:
    codes = np.random.default_rng(len(rows)).integers(0, size, len(rows))
    grouped = Moments.from_rows(rows, codes, size)
    assert grouped.shape == (size,)
    _same(Moments.from_rows(rows), grouped.total(0))
    _same(grouped[::-1].total(0), grouped.total(0))


@given(tables, st.floats(-1e3, 1e3))
def test_a_constant_moves_the_mean_alone(rows: Rows, shift: float) -> None:
    one, two = Moments.from_rows(rows), Moments.from_rows(rows + shift)
    size = max(1.0, float(np.abs(one.comoment).max(initial=0.0)), 1e6)
    np.testing.assert_allclose(one.comoment, two.comoment, rtol=1e-8, atol=TIGHT * size)


@given(tables)
def test_linear_combinations_equal_those_of_the_rows(rows: Rows) -> None:
    weights = np.array([[1.0, -2.0, 0.5], [0.0, 1.0, 3.0]])
    _same(Moments.from_rows(rows @ weights.T), Moments.from_rows(rows).linear(weights))


sizes = st.floats(1e-150, 1e12) | st.floats(-1e12, -1e-150) | st.just(0.0)


@given(sizes, st.integers(1, 40), st.integers(1, 7))
def test_equal_values_have_no_spread_at_all(value: float, n: int, groups: int) -> None:
    rows = np.full((n, 1), value)
    codes = np.arange(n) % groups
    grouped = Moments.from_rows(rows, codes, groups)
    assert not grouped.comoment.any()
    merged = grouped.total(0)
    assert merged.mean == value
    assert merged.comoment == 0


def test_small_spread_on_a_large_level_survives() -> None:
    # 1e9 and its next neighbours: raw squares would lose the spread altogether.
    step = 2.0**-20
    offsets = np.arange(-50, 51) * step
    rows = (1e9 + offsets)[:, None]
    grouped = Moments.from_rows(rows, np.arange(101) % 8, 8).total(0)
    expected = float((offsets**2).sum())
    assert float(Moments.from_rows(rows).comoment[0, 0]) == pytest.approx(expected, rel=1e-9)
    # Each group's mean is itself rounded to 1.2e-7, which is an eighth of the step.
    assert float(grouped.comoment[0, 0]) == pytest.approx(expected, rel=1e-4)


def test_total_over_several_axes_equals_one_by_one() -> None:
    rng = np.random.default_rng(3)
    rows, codes = rng.normal(size=(400, 2)), rng.integers(0, 24, 400)
    flat = Moments.from_rows(rows, codes, 24)
    cube = Moments(
        flat.n.reshape(2, 3, 4), flat.mean.reshape(2, 3, 4, 2), flat.comoment.reshape(2, 3, 4, 2, 2)
    )
    _same(cube.total((0, 2)), cube.total(2).total(0))
    _same(cube.total((-1, 0)), cube.total((0, 2)))
    _same(cube.total((0, 1, 2)), Moments.from_rows(rows))


def test_empty_groups_stay_empty() -> None:
    found = Moments.from_rows(np.ones((2, 2)), [1, 1], 3)
    assert found.n.tolist() == [0, 2, 0]
    assert not found.mean[0].any()
    both = Moments.empty((3,), 2) + found
    _same(both, found)
    assert not Moments.empty((), 2).covariance().any()


def test_columns_are_kept_in_the_order_given() -> None:
    rows = np.random.default_rng(1).normal(size=(20, 3))
    _same(Moments.from_rows(rows).columns((2, 0)), Moments.from_rows(rows[:, [2, 0]]))


@pytest.mark.parametrize("bad", [[[np.nan]], [[np.inf]], [[1e200], [-1e200]], [1.0, 2.0]])
def test_bad_rows_are_refused(bad: list[object]) -> None:
    with pytest.raises(ValueError, match=r"rows must|too large"):
        Moments.from_rows(bad)  # type: ignore[arg-type]


def test_groups_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="every row needs a group"):
        Moments.from_rows([[1.0]], [3], 2)
    with pytest.raises(ValueError, match="every row needs a group"):
        Moments.from_rows([[1.0], [2.0]], [0], 2)


@settings(max_examples=30)
@given(tables, tables, tables)
def test_merging_is_associative(one: Rows, two: Rows, three: Rows) -> None:
    a, b, c = (Moments.from_rows(t) for t in (one, two, three))
    _same((a + b) + c, a + (b + c))


def test_a_part_of_the_buckets_is_merged_without_copying_as_by_indexing() -> None:
    rng = np.random.default_rng(8)
    cells = Moments.from_rows(rng.normal(3, 2, (4_000, 4)), rng.integers(0, 60, 4_000), 60)
    cube = Moments(
        cells.n.reshape(3, 2, 10), cells.mean.reshape(3, 2, 10, 4),
        cells.comoment.reshape(3, 2, 10, 4, 4),
    )  # fmt: skip
    for keep in (np.arange(10) % 3 == 0, np.ones(10, dtype=bool), np.zeros(10, dtype=bool)):
        found, wanted = cube.total_of(keep), cube[:, :, keep].total(2) if keep.any() else None
        if wanted is None:
            assert not found.n.any()
            assert not found.comoment.any()
            continue
        np.testing.assert_array_equal(found.n, wanted.n)
        np.testing.assert_allclose(found.mean, wanted.mean, rtol=1e-13)
        # Sums of some hundreds of products, taken in another order.
        np.testing.assert_allclose(found.comoment, wanted.comoment, rtol=1e-11, atol=1e-9)
