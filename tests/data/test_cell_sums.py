"""Sums by slice, arm and bucket equal two passes over every user, whatever the values are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from octad.data.attributes import Attribute
from octad.data.cell_sums import Grouping
from octad.data.population import BUCKETS
from octad.data.segments import Slices, cross, make_slices
from octad.stats.moments import Moments

KINDS = ["few", "many", "shares", "money", "far", "negative", "constant", "none", "huge"]


def _column(rng: np.random.Generator, kind: str, n: int) -> NDArray[np.float64]:
    match kind:
        case "few":
            return rng.poisson(0.4, n).astype(float)
        case "many":
            return (rng.pareto(0.7, n) * 1000).round()
        case "shares":
            return (rng.random(n) < 0.3).astype(float)
        case "money":
            return np.where(rng.random(n) < 0.2, rng.gamma(0.5, 40.0, n), 0.0)
        case "far":
            return 1e8 + rng.normal(0, 1e-3, n)
        case "negative":
            return rng.integers(-5, 6, n).astype(float)
        case "constant":
            return np.full(n, 1.0)
        case "none":
            return np.zeros(n)
        case _:
            return rng.integers(0, 2**40, n).astype(float)


def _world(
    seed: int, n: int
) -> tuple[np.random.Generator, Grouping, Slices, list[NDArray[np.int64]]]:
    rng = np.random.default_rng(seed)
    arm, bucket = rng.integers(0, 3, n), rng.integers(0, BUCKETS, n)
    attributes = [
        Attribute("a", ("x", "y", "(unknown)"), rng.integers(0, 3, n)),
        Attribute("b", ("p", "q"), rng.integers(0, 2, n)),
    ]
    slices = make_slices(attributes, arm, fewest=2)
    deep = tuple(np.flatnonzero(rng.random(n) < 0.3) for _ in range(2))
    names = (*slices.slices, slices.slices[0], slices.slices[0])
    slices = replace(slices, slices=names, deep=deep)
    finding = rng.random(BUCKETS) < 0.5
    return rng, Grouping.of(arm, bucket, 3, slices, finding), slices, [arm, bucket]


@settings(max_examples=60)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(0, 400),
    st.lists(st.sampled_from(KINDS), min_size=4, max_size=4),
)
def test_fast_sums_are_the_careful_ones(seed: int, n: int, kinds: list[str]) -> None:
    rng, grouping, slices, (arm, bucket) = _world(seed, n)
    columns = [_column(rng, kind, n) for kind in kinds]
    counted = rng.random(n) < 0.8
    everyone, parts = grouping.moments(columns, counted)
    assert parts is not None
    rows = np.stack(columns, axis=1)
    inside = [np.isin(np.arange(n), who) for who in slices.deep]
    for s in range(len(slices.slices)):
        if s >= len(slices.slices) - 2:
            mine = inside[s - len(slices.slices)]
        else:
            mine = np.any([number[cross(group)] == s for group, number in slices.numbers], axis=0)
            mine |= s == 0
        keep = np.flatnonzero(mine & counted)
        own = rows[keep].reshape(-1, 4)
        cell = arm[keep] * BUCKETS + bucket[keep]
        by_bucket = Moments.from_rows(own, cell, 3 * BUCKETS)
        assert np.array_equal(parts.n[s].ravel(), by_bucket.n)
        for column, total in zip(
            parts.sums, (by_bucket.n[:, None] * by_bucket.mean).T, strict=True
        ):
            size = np.abs(total).max(initial=1.0)
            np.testing.assert_allclose(column[s].ravel(), total, rtol=1e-9, atol=1e-12 * size)
        half = arm[keep] * 2 + ~grouping.finding[bucket[keep]]
        _alike(parts.halves[s], Moments.from_rows(own, half, 6), own)
        if s == 0:
            _alike(everyone[0], by_bucket, own)


def _alike(found: Moments, expected: Moments, rows: NDArray[np.float64]) -> None:
    size = np.abs(rows).max(initial=1.0)
    assert np.array_equal(found.n.ravel(), expected.n)
    np.testing.assert_allclose(found.mean.reshape(-1, 4), expected.mean, rtol=1e-9)
    # What is lost of a cell's second moment is measured by all that the slice has of it.
    np.testing.assert_allclose(
        found.comoment.reshape(-1, 4, 4),
        expected.comoment,
        rtol=1e-9,
        atol=1e-9 * max(1e-6 * size**2, np.abs(expected.comoment).max(initial=0.0)),
    )


def test_whole_numbers_lose_nothing() -> None:
    rng, grouping, _, _ = _world(3, 2_000)
    column = rng.integers(0, 50, 2_000).astype(float)
    one = np.ones(2_000)
    _, found = grouping.moments([column, one, column * 2, one], one > 0)
    assert found is not None
    assert np.array_equal(found.sums[0], np.round(found.sums[0]))
    assert np.array_equal(found.sums[0] * 2, found.sums[2])
    everyone, parts = grouping.moments([one * 7, one, one * 0, one], one > 0)
    assert parts is not None
    for same in (everyone, parts.halves):
        assert not same.comoment.any()
        assert set(np.unique(same.mean[..., 0])) <= {0.0, 7.0}


def test_values_that_cannot_be_squared_are_refused() -> None:
    grouping = Grouping.of(np.zeros(50, dtype=np.int64), np.zeros(50, dtype=np.int64), 1)
    one = np.ones(50)
    for bad, why in ((1e200, "square"), (np.inf, "finite"), (np.nan, "finite")):
        column = np.arange(50.0)
        column[3] = bad
        with pytest.raises(ValueError, match=why):
            grouping.moments([column, one, one * 0, one], one > 0)


def test_users_of_a_window_are_counted_once() -> None:
    rng, grouping, _, _ = _world(2, 300)
    one, ended = np.ones(300), rng.random(300) < 0.5
    _, first = grouping.moments([rng.random(300), one, one * 0, one], ended)
    _, second = grouping.moments([rng.random(300), one, one * 0, one], ended.copy())
    assert first is not None
    assert second is not None
    assert first.n is second.n
