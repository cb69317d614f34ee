"""CUPED with several covariates: equal to `compare` with one, and to least squares with more."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from octad.stats.adjustment import Adjusted, compare_adjusted
from octad.stats.effects import Effect, compare
from octad.stats.moments import Moments
from octad.stats.refusal import NotEstimable

Rows = NDArray[np.float64]
FIELDS = ("value", "se", "low", "high", "p", "z", "df", "reduction", "control", "treatment")


def _rows(rng: np.random.Generator, n: int, k: int, *, ratio: bool = False) -> Rows:
    x = rng.normal(3.0, 1.0, (n, k))
    y = 5 + x @ np.linspace(1.0, 2.0, k) + rng.normal(size=n)
    d = 1.0 + rng.poisson(3.0, n) if ratio else np.ones(n)
    return np.column_stack([y, d, x])


def _compare(
    first: Rows, second: Rows, *, relative: bool = True, interacted: bool = False
) -> Adjusted:
    one, two = Moments.from_rows(first), Moments.from_rows(second)
    return compare_adjusted(one, two, relative=relative, interacted=interacted)


def _same(one: Effect, two: Effect) -> None:
    for name in FIELDS:
        assert getattr(one, name) == pytest.approx(getattr(two, name), rel=1e-9, abs=1e-12), name
    assert (one.anytime_low is None) == (two.anytime_low is None)
    if one.anytime_low is not None:
        assert one.anytime_low == pytest.approx(two.anytime_low, rel=1e-9)


@pytest.mark.parametrize("sizes", [(300, 300), (40, 25), (3, 2)])
@pytest.mark.parametrize("ratio", [False, True])
@pytest.mark.parametrize("relative", [False, True])
def test_with_one_covariate_it_is_compare(
    sizes: tuple[int, int], ratio: bool, relative: bool
) -> None:
    rng = np.random.default_rng(1)
    first, second = (_rows(rng, n, 1, ratio=ratio) for n in sizes)
    found = _compare(first, second, relative=relative).effect
    four = [Moments.from_rows(np.column_stack([r, np.ones(len(r))])) for r in (first, second)]
    _same(found, compare(*four, relative=relative))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(8, 60))
def test_equal_arms_are_least_squares(seed: int, k: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = _rows(rng, n, k), _rows(rng, n, k)
    found = _compare(first, second, relative=False)
    y, x = np.concatenate([first, second])[:, 0], np.concatenate([first, second])[:, 2:]
    arm = np.repeat([0.0, 1.0], n)
    theirs = sm.OLS(y, np.column_stack([np.ones(2 * n), arm, x])).fit()
    assert found.used == tuple(range(k))
    assert found.effect.value == pytest.approx(theirs.params[1], abs=1e-9)
    assert found.effect.se == pytest.approx(theirs.bse[1], rel=1e-9)
    np.testing.assert_allclose(found.slopes, np.tile(theirs.params[2:], (2, 1)), rtol=1e-7)


def test_unequal_arms_are_least_squares_weighed_by_their_error() -> None:
    rng = np.random.default_rng(3)
    first, second = _rows(rng, 300, 3), _rows(rng, 60, 3)
    first[:, 0] += 2 * first[:, 2]  # the arms' slopes differ, so that the weights matter
    rows = np.concatenate([first, second])
    arm = np.repeat([0.0, 1.0], [300, 60])
    weights = np.where(arm == 0, 1 / (300 * 299), 1 / (60 * 59))
    design = np.column_stack([np.ones(360), arm, rows[:, 2:]])
    found = _compare(first, second, relative=False)
    theirs = sm.WLS(rows[:, 0], design, weights=weights).fit()
    assert found.effect.value == pytest.approx(theirs.params[1], abs=1e-10)
    # Ordinary least squares weighs arms by their users, and is another (wider) estimate here.
    plain = sm.OLS(rows[:, 0], design).fit(cov_type="HC1")
    assert abs(plain.params[1] - theirs.params[1]) > 1e-3
    assert found.effect.se < plain.bse[1]


def test_slopes_by_arm_are_lins_regression() -> None:
    rng = np.random.default_rng(4)
    first, second = _rows(rng, 900, 2), _rows(rng, 400, 2)
    second[:, 0] += second[:, 2] + 3
    rows, arm = np.concatenate([first, second]), np.repeat([0.0, 1.0], [900, 400])
    x = rows[:, 2:] - rows[:, 2:].mean(axis=0)
    design = np.column_stack([np.ones(1300), arm, x, x * arm[:, None]])
    theirs = sm.OLS(rows[:, 0], design).fit(cov_type="HC2")
    found = _compare(first, second, relative=False, interacted=True)
    assert found.effect.value == pytest.approx(theirs.params[1], abs=1e-9)
    # HC2 holds the covariates' mean fixed; a sample's mean adds its own error times the gap.
    gap = found.slopes[1] - found.slopes[0]
    inside = sum((n / 1300) ** 2 * np.cov(r[:, 2:].T) / n for r, n in ((first, 900), (second, 400)))
    known = np.sqrt(found.effect.se**2 - gap @ inside @ gap)
    # Fourth moments enter HC2 through the arms' distance: of the order of 1/n.
    assert known == pytest.approx(theirs.bse[1], rel=0.01)


def test_slopes_by_arm_equal_the_arms_own_predictions() -> None:
    rng = np.random.default_rng(5)
    first, second = _rows(rng, 12, 2), _rows(rng, 9, 2)
    both = np.concatenate([first, second])[:, 2:]
    at = np.concatenate([[1.0], both.mean(axis=0)])
    found = _compare(first, second, relative=False, interacted=True)
    variance = 0.0
    for rows, level in ((first, found.effect.control), (second, found.effect.treatment)):
        fit = sm.OLS(rows[:, 0], sm.add_constant(rows[:, 2:])).fit()
        seen = fit.get_prediction(at)
        assert level == pytest.approx(seen.predicted_mean[0], abs=1e-9)
        variance += float(seen.se_mean[0]) ** 2
    gap = found.slopes[1] - found.slopes[0]
    parts = [(len(r) / 21) ** 2 * np.cov(r[:, 2:].T) / len(r) for r in (first, second)]
    assert found.effect.se**2 == pytest.approx(variance + gap @ sum(parts) @ gap, rel=1e-9)


def test_relative_errors_are_the_jackknifes() -> None:
    rng = np.random.default_rng(6)
    first, second = _rows(rng, 200, 3, ratio=True), _rows(rng, 200, 3, ratio=True)
    found = _compare(first, second).effect
    left = [_compare(np.delete(first, i, 0), second).effect.value for i in range(200)]
    right = [_compare(first, np.delete(second, i, 0)).effect.value for i in range(200)]
    jackknife = np.sqrt(199**2 / 200 * (np.var(left, ddof=1) + np.var(right, ddof=1)))
    # First order beside second: terms of order k/n, here 3 of 400.
    assert found.se == pytest.approx(jackknife, rel=0.03)


def test_what_cannot_help_is_dropped_and_named() -> None:
    rng = np.random.default_rng(7)
    first, second = _rows(rng, 50, 2), _rows(rng, 50, 2)

    def more(rows: Rows) -> Rows:
        return np.column_stack([rows, rows[:, 2] - 2 * rows[:, 3] + 1, np.full(len(rows), 7.0)])

    plain, found = _compare(first, second), _compare(more(first), more(second))
    assert found.used == (0, 1)
    assert [j for j, _ in found.dropped] == [2, 3]
    _same(found.effect, plain.effect)
    assert (found.slopes[:, 2:] == 0).all()
    few = _compare(_rows(rng, 3, 6), _rows(rng, 3, 6), relative=False)
    assert len(few.used) <= 3
    assert {"there are too few users for one more"} <= {why for _, why in few.dropped}


def test_noise_does_not_earn_its_slopes() -> None:
    rng = np.random.default_rng(8)
    first, second = (np.column_stack([r[:, :2], rng.normal(size=(12, 4))])
                     for r in (_rows(rng, 12, 1), _rows(rng, 12, 1)))  # fmt: skip
    found = _compare(first, second)
    assert found.used == ()
    assert found.effect.reduction == 0
    assert len(found.dropped) == 4
    _same(found.effect, _compare(first[:, :2], second[:, :2]).effect)


def test_swapping_arms_and_changing_units() -> None:
    rng = np.random.default_rng(9)
    first, second = _rows(rng, 80, 3), _rows(rng, 50, 3)
    there, back = _compare(first, second, relative=False), _compare(second, first, relative=False)
    assert there.effect.value == pytest.approx(-back.effect.value, abs=1e-12)
    assert there.effect.low == pytest.approx(-back.effect.high, abs=1e-12)
    unit = np.array([1.0, 1.0, 1e6, 1e-6, 3.0])
    shift = np.array([0.0, 0.0, 1e7, 5.0, -2.0])
    other = _compare(first * unit + shift, second * unit + shift, relative=False)
    assert other.effect.value == pytest.approx(there.effect.value, rel=1e-7)
    assert other.effect.se == pytest.approx(there.effect.se, rel=1e-7)


def test_small_differences_on_large_values_survive() -> None:
    rng = np.random.default_rng(10)
    first, second = _rows(rng, 400, 2), _rows(rng, 400, 2)
    scale, base = np.array([1e-6, 1.0, 1e-6, 1.0]), np.array([1e9, 0.0, 1e9, 0.0])
    plain = _compare(first, second, relative=False).effect
    far = _compare(first * scale + base, second * scale + base, relative=False).effect
    # At 1e9 the last binary digit is 1.2e-7, a tenth of what differs: that much is lost.
    assert far.se == pytest.approx(plain.se * 1e-6, rel=0.05)
    assert abs(far.value - plain.value * 1e-6) < 2.4e-7


def test_odd_inputs_are_answered_or_refused() -> None:
    rng = np.random.default_rng(11)
    for n in (0, 1):
        with pytest.raises(NotEstimable):
            _compare(_rows(rng, n, 2), _rows(rng, 30, 2))
    two = _compare(_rows(rng, 2, 2), _rows(rng, 2, 2), relative=False)
    assert np.isfinite([two.effect.low, two.effect.high]).all()
    still = np.tile([4.0, 1.0, 2.0, 3.0], (20, 1))
    same = _compare(still, still)
    assert (same.effect.value, same.effect.se, same.effect.p, same.used) == (0.0, 0.0, 1.0, ())
    with pytest.raises(NotEstimable):
        _compare(still, still * [2, 1, 1, 1])
    broken = Moments.from_rows(_rows(rng, 30, 2))
    broken.mean[2] = np.nan
    with pytest.raises(NotEstimable):
        compare_adjusted(broken, broken)
