"""Strata: equal to sums over rows and to saturated least squares; small ones are merged."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from octad.stats.adjustment import compare_adjusted
from octad.stats.effects import compare
from octad.stats.moments import Moments
from octad.stats.poststratification import PostStratified, compare_strata
from octad.stats.refusal import NotEstimable

Rows = NDArray[np.float64]
Codes = NDArray[np.int64]


def _rows(rng: np.random.Generator, n: int, strata: int, *, k: int = 0) -> tuple[Rows, Codes]:
    code = rng.integers(0, strata, n)
    x = rng.normal(size=(n, k))
    y = 10 + 2.0 * code + x.sum(axis=1) + rng.normal(size=n) * (1 + code)
    return np.column_stack([y, np.ones(n), x]), code


def _compare(
    first: tuple[Rows, Codes], second: tuple[Rows, Codes], strata: int, *, relative: bool = False
) -> PostStratified:
    """With strata as small as can be, so that none is merged."""
    one, two = (Moments.from_rows(rows, code, strata) for rows, code in (first, second))
    return compare_strata(one, two, relative=relative, fewest=2)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 5))
def test_equals_the_rows_one_by_one(seed: int, strata: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = _rows(rng, 90, strata), _rows(rng, 60, strata)
    found = _compare(first, second, strata)
    value = variance = 0.0
    for s in range(strata):
        a, b = (rows[code == s, 0] for rows, code in (first, second))
        weight = (len(a) + len(b)) / 150
        value += weight * (b.mean() - a.mean())
        variance += weight**2 * (a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))
    assert found.effect.value == pytest.approx(value, abs=1e-10)
    assert found.conditional == pytest.approx(variance, rel=1e-9)
    assert found.effect.se**2 == pytest.approx(variance + found.weights_variance, rel=1e-9)
    assert found.weights.sum() == pytest.approx(1.0)
    # With few users in a stratum 1/n is convex: random splits cost more than the mean one.
    assert found.unconditional > 0


@pytest.mark.parametrize("seed", range(3))
def test_conditional_error_is_hc2_of_the_saturated_regression(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = _rows(rng, 200, 4), _rows(rng, 150, 4)
    found = _compare(first, second, 4)
    code, arm = np.concatenate([first[1], second[1]]), np.repeat([0, 1], [200, 150])
    cell = np.eye(8)[code + 4 * arm]
    fit = sm.OLS(np.concatenate([first[0], second[0]])[:, 0], cell).fit(cov_type="HC2")
    contrast = np.concatenate([-found.weights, found.weights])
    theirs = fit.t_test(contrast)
    assert found.effect.value == pytest.approx(float(theirs.effect[0]), rel=1e-9)
    assert np.sqrt(found.conditional) == pytest.approx(float(theirs.sd[0, 0]), rel=1e-9)


def test_one_stratum_is_the_plain_or_the_adjusted_comparison() -> None:
    rng = np.random.default_rng(4)
    first, second = _rows(rng, 80, 1, k=2), _rows(rng, 50, 1, k=2)
    one, two = (Moments.from_rows(r, c, 1) for r, c in (first, second))
    for relative in (False, True):
        found = compare_strata(one, two, relative=relative).effect
        assert (found.n_control, found.n_treatment) == (80, 50)
        theirs = compare_adjusted(one[0], two[0], relative=relative).effect
        for name in ("value", "se", "low", "high", "p", "df", "reduction", "anytime_low"):
            assert getattr(found, name) == pytest.approx(getattr(theirs, name), rel=1e-10)


def test_a_covariate_within_strata_is_least_squares_with_stratum_by_arm_intercepts() -> None:
    rng = np.random.default_rng(5)
    code = np.repeat(np.arange(3), 20)  # the same split in every stratum, equal arms
    pair = []
    for _ in range(2):
        x = rng.normal(size=60) + code
        y = 5 + code + 2 * x + rng.normal(size=60)
        pair.append((np.column_stack([y, np.ones(60), x]), code))
    found = _compare(pair[0], pair[1], 3)
    rows = np.concatenate([pair[0][0], pair[1][0]])
    cell = np.eye(6)[np.concatenate([code, code + 3])]
    fit = sm.OLS(rows[:, 0], np.column_stack([cell, rows[:, 2]])).fit()
    contrast = np.concatenate([-found.weights, found.weights, [0.0]])
    assert found.slopes[0] == pytest.approx(fit.params[-1], rel=1e-9)
    assert found.effect.value == pytest.approx(float(fit.t_test(contrast).effect[0]), abs=1e-9)
    error = np.sqrt(found.effect.se**2 - found.weights_variance)
    assert error == pytest.approx(float(fit.t_test(contrast).sd[0, 0]), rel=1e-9)
    assert found.used == (0,)


def test_ratios_and_relative_effects_are_the_jackknifes() -> None:
    rng = np.random.default_rng(6)
    pair = []
    for lift in (1.0, 1.3):
        code = rng.integers(0, 3, 240)
        d = 1.0 + rng.poisson(2.0 + code)
        y = lift * rng.binomial(d.astype(np.int64), 0.2 + 0.2 * code)
        pair.append((np.column_stack([y, d]), code))
    found = _compare(pair[0], pair[1], 3, relative=True).effect

    def without(a: int, i: int) -> float:
        left = [(np.delete(r, i, 0), np.delete(c, i)) if b == a else (r, c)
                for b, (r, c) in enumerate(pair)]  # fmt: skip
        return _compare(left[0], left[1], 3, relative=True).effect.value

    spread = sum(np.var([without(a, i) for i in range(240)], ddof=1) for a in range(2))
    # First order beside second: strata of some eighty users an arm, terms of order 1/80.
    assert found.se == pytest.approx(np.sqrt(239**2 / 240 * spread), rel=0.03)


def test_the_unconditional_variance_is_that_of_random_splits() -> None:
    rng = np.random.default_rng(7)
    code = np.repeat([0, 1, 2], [8, 20, 32])
    y = 3.0 * code + rng.normal(size=60) * (1 + code)  # the same in both arms: no effect
    values, estimates = [], []
    for _ in range(1500):
        arm = rng.permutation(np.repeat([0, 1], 30))
        parts = [
            Moments.from_rows(np.column_stack([y, np.ones(60)])[arm == a], code[arm == a], 3)
            for a in range(2)
        ]
        if min(m.n.min() for m in parts) < 2:
            continue
        found = compare_strata(*parts, relative=False, fewest=2)
        values.append(found.effect.value)
        estimates.append(found.unconditional)
    # 1,500 splits give a variance to 3.7%, one standard error; three are allowed.
    assert np.mean(estimates) == pytest.approx(np.var(values), rel=0.11)


def test_small_strata_are_merged_and_empty_ones_named() -> None:
    counts = np.array([[30, 25], [1, 4], [5, 0], [0, 0], [12, 9], [0, 0]])
    rng = np.random.default_rng(8)
    parts = []
    for a in range(2):
        code = np.repeat(np.arange(6), counts[:, a])
        parts.append(
            Moments.from_rows(np.stack([rng.normal(size=len(code)), 0 * code + 1], 1), code, 6)
        )
    found = compare_strata(*parts, relative=False, fewest=2)
    assert compare_strata(*parts, relative=False).strata == ((0,), (1, 2, 4))
    assert found.strata == ((0,), (1, 2), (4,))
    assert found.left_out == (3, 5)
    np.testing.assert_allclose(found.weights, [55 / 86, 10 / 86, 21 / 86])
    with pytest.raises(NotEstimable, match="2 strata have"):
        compare_strata(*parts, relative=False, merge=False)
    # Merged with the smallest whole one when that is not enough.
    alone = compare_strata(parts[0][[0, 2, 4]], parts[1][[0, 2, 4]], relative=False)
    assert alone.strata == ((0,), (1, 2))


def test_disjoint_strata_become_the_plain_comparison() -> None:
    rng = np.random.default_rng(9)
    rows = [np.column_stack([rng.normal(5, 1, 20), np.ones(20)]) for _ in range(2)]
    parts = [Moments.from_rows(r, np.full(20, a), 2) for a, r in enumerate(rows)]
    found = compare_strata(*parts, relative=False)
    whole = [Moments.from_rows(np.column_stack([r, np.zeros(20), np.ones(20)])) for r in rows]
    assert found.strata == ((0, 1),)
    assert found.effect.se == pytest.approx(compare(*whole, relative=False).se)


def test_odd_inputs_are_answered_or_refused() -> None:
    rng = np.random.default_rng(10)
    good = Moments.from_rows(*_rows(rng, 40, 3), 3)
    for n in (0, 1):
        with pytest.raises(NotEstimable):
            compare_strata(good, Moments.from_rows(*_rows(rng, n, 3), 3))
    with pytest.raises(NotEstimable):
        compare_strata(Moments.empty((0,), 2), Moments.empty((0,), 2))
    tiny = [Moments.from_rows(*_rows(rng, 2, 2), 2) for _ in range(2)]
    two = compare_strata(*tiny, relative=False)
    assert np.isfinite([two.effect.low, two.effect.high]).all()
    still = Moments.from_rows(np.tile([1e9, 1.0], (40, 1)), np.arange(40) % 3, 3)
    same = compare_strata(still, still)
    assert (same.effect.value, same.effect.se, same.effect.p) == (0.0, 0.0, 1.0)
    assert same.weights_variance == 0
    broken = Moments(good.n * np.nan, good.mean, good.comoment)
    with pytest.raises(NotEstimable):
        compare_strata(broken, good)


def test_small_differences_on_large_values_survive() -> None:
    rng = np.random.default_rng(11)
    first, second = _rows(rng, 300, 3), _rows(rng, 300, 3)
    scale, base = np.array([1e-6, 1.0]), np.array([1e9, 0.0])
    plain = _compare(first, second, 3)
    one, two = ((rows * scale + base, code) for rows, code in (first, second))
    far = _compare(one, two, 3)
    # At 1e9 the last binary digit is 1.2e-7, a tenth of what differs: that much is lost.
    assert far.effect.se == pytest.approx(plain.effect.se * 1e-6, rel=0.1)
    assert abs(far.effect.value - plain.effect.value * 1e-6) < 3e-7
