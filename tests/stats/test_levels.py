"""Levels: the delta method against the jackknife, refusals, Fieller's bounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from octad.stats.levels import (
    NO_DENOMINATOR,
    NOT_FINITE,
    TOO_FEW,
    adjusted,
    best_theta,
    divide,
    fieller,
    linearise,
    of_shares,
    of_sums,
    price_of_theta,
    spread,
)
from octad.stats.moments import Moments

Rows = NDArray[np.float64]


def _rows(seed: int, n: int = 200) -> Rows:
    rng = np.random.default_rng(seed)
    user = rng.gamma(3.0, 1.0, n)
    d, w = 1 + rng.poisson(4 * user), 1 + rng.poisson(3 * user)
    return np.stack([rng.binomial(d, 0.3), d, rng.binomial(w, 0.3), w], axis=1).astype(float)


def _ratios(rows: Rows) -> Rows:
    y, d, x, w = rows.sum(axis=0)
    return np.array([y / d, x / w])


@given(st.integers(0, 100))
def test_the_covariance_of_two_ratios_equals_the_jackknife(seed: int) -> None:
    rows = _rows(seed)
    arm = linearise(Moments.from_rows(rows))
    assert arm.ratio == pytest.approx(_ratios(rows)[0])
    assert arm.pre == pytest.approx(_ratios(rows)[1])
    left = np.array([_ratios(np.delete(rows, i, axis=0)) for i in range(len(rows))])
    jackknife = np.cov(left, rowvar=False) * (len(rows) - 1) ** 2 / len(rows)
    # Both are right to first order; with 200 users the second is a few percent.
    scale = np.sqrt(np.outer(np.diag(jackknife), np.diag(jackknife)))
    np.testing.assert_allclose(arm.cov / scale, jackknife / scale, atol=0.06)


def test_theta_makes_the_variance_smallest() -> None:
    one, two = (linearise(Moments.from_rows(_rows(seed))) for seed in (1, 2))
    theta = best_theta(one, two)
    contrast = np.array([-1.0, 1.0])
    best = spread(adjusted(one, two, theta), contrast)[0]
    for other in (theta * 0.9, theta * 1.1, 0 * theta):
        assert spread(adjusted(one, two, np.asarray(other)), contrast)[0] > best


def test_the_price_of_theta_vanishes_with_users() -> None:
    prices = [
        float(price_of_theta(*(linearise(Moments.from_rows(_rows(s, n))) for s in (1, 2))))
        for n in (10, 100, 3000)
    ]
    assert prices[0] > prices[1] > prices[2] > 1
    assert prices[2] < 1.01


def test_adjusted_levels_meet_at_the_common_pre_period() -> None:
    one, two = (linearise(Moments.from_rows(_rows(seed))) for seed in (3, 4))
    theta = np.asarray(0.7)
    levels = adjusted(one, two, theta)
    gap = levels.level[1] - levels.level[0]
    assert gap == pytest.approx((two.ratio - one.ratio) - 0.7 * (two.pre - one.pre))


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        (np.ones((1, 4)), TOO_FEW),
        (np.array([[1.0, 0, 0, 1], [2.0, 0, 0, 1]]), NO_DENOMINATOR),
        (np.array([[0.0, 0, 0, 1], [0, 0, 0, 1], [3, 1, 0, 1]]), NO_DENOMINATOR),
    ],
)
def test_refusals_carry_their_code(rows: Rows, code: int) -> None:
    assert linearise(Moments.from_rows(rows)).reason == code


def test_sums_that_are_not_finite_are_told_apart() -> None:
    bad = Moments(np.array(3.0), np.array([np.inf, 1.0, 0.0, 1.0]), np.zeros((4, 4)))
    assert linearise(bad).reason == NOT_FINITE
    assert np.isfinite(linearise(bad).cov).all()


def test_fieller_is_unbounded_when_the_control_may_be_zero() -> None:
    one, two = linearise(of_sums(5.0, 200.0, 100)), linearise(of_sums(50.0, 200.0, 100))
    levels = adjusted(one, two, np.asarray(0.0))
    assert not fieller(levels, np.asarray(1.96))[2]
    low, high, bounded = fieller(levels, np.asarray(0.1))
    assert bounded
    # The levels are .05 and .5: ten times as much, so nine times more.
    assert low < 9 < high


def test_helpers() -> None:
    assert of_sums(0.0, 0.0, 0).n == 0
    assert of_shares(3, 10).comoment[0, 0] == pytest.approx(2.1)
    assert divide(np.array([3.0]), np.array([0.0])).tolist() == [0.0]
