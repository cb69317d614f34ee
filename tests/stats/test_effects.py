"""Effects: signs, scales, refusals, and the same answer as the row-level computation."""

from __future__ import annotations

import contextlib
import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from octad.stats.effects import (
    Effect,
    change,
    compare,
    compare_levels,
    compare_many,
    of_shares,
    of_sums,
)
from octad.stats.moments import Moments
from octad.stats.refusal import NotEstimable

Rows = NDArray[np.float64]


def _mean(values: Rows, before: Rows | None = None) -> Moments:
    n = len(values)
    one, x = np.ones(n), np.zeros(n) if before is None else before
    return Moments.from_rows(np.stack([values, one, x, one], axis=1))


def _pair(seed: int, n: int = 300) -> tuple[Rows, Rows]:
    rng = np.random.default_rng(seed)
    rows = rng.gamma(2.0, 2.0, (2, n, 4)) + 0.5
    rows[..., 0] += 0.6 * rows[..., 2]
    return rows[0], rows[1]


seeds = st.integers(0, 10_000)


@given(seeds)
def test_swapping_arms_flips_the_absolute_effect(seed: int) -> None:
    one, two = (Moments.from_rows(rows) for rows in _pair(seed))
    there, back = compare(one, two, relative=False), compare(two, one, relative=False)
    assert there.value == pytest.approx(-back.value, abs=1e-12)
    assert there.low == pytest.approx(-back.high, abs=1e-12)
    assert there.se == pytest.approx(back.se)
    assert there.p == pytest.approx(back.p)


@given(seeds, st.floats(0.01, 1e4))
def test_a_change_of_unit_changes_no_relative_number(seed: int, unit: float) -> None:
    control, treatment = _pair(seed)
    scale = np.array([unit, 1.0, 3.0 * unit, 1.0])
    plain = compare(Moments.from_rows(control), Moments.from_rows(treatment))
    other = compare(Moments.from_rows(control * scale), Moments.from_rows(treatment * scale))
    for name in ("value", "se", "low", "high", "p", "reduction"):
        assert getattr(other, name) == pytest.approx(getattr(plain, name), rel=1e-8, abs=1e-12)


@given(seeds, st.floats(-1e3, 1e3))
def test_a_constant_added_to_a_mean_leaves_the_difference(seed: int, shift: float) -> None:
    control, treatment = (rows[:, 0] for rows in _pair(seed))
    plain = compare(_mean(control), _mean(treatment), relative=False)
    moved = compare(_mean(control + shift), _mean(treatment + shift), relative=False)
    assert moved.value == pytest.approx(plain.value, abs=1e-9)
    assert moved.se == pytest.approx(plain.se, rel=1e-7)


@given(seeds)
def test_a_constant_added_to_the_pre_period_changes_nothing(seed: int) -> None:
    control, treatment = _pair(seed)
    plain = compare(_mean(control[:, 0], control[:, 2]), _mean(treatment[:, 0], treatment[:, 2]))
    moved = compare(
        _mean(control[:, 0], control[:, 2] + 50), _mean(treatment[:, 0], treatment[:, 2] + 50)
    )
    assert moved.value == pytest.approx(plain.value, rel=1e-9)
    assert moved.se == pytest.approx(plain.se, rel=1e-9)


@given(seeds)
def test_cuped_never_widens_the_absolute_interval(seed: int) -> None:
    one, two = (Moments.from_rows(rows) for rows in _pair(seed))
    adjusted, plain = (
        compare(one, two, relative=False),
        compare(one, two, relative=False, adjust=False),
    )
    assert adjusted.se <= plain.se * (1 + 1e-12)
    assert adjusted.reduction == pytest.approx(1 - (adjusted.se / plain.se) ** 2)
    assert plain.reduction == 0


@given(seeds)
def test_many_equals_one_by_one(seed: int) -> None:
    control, treatment = _pair(seed)
    codes = np.arange(len(control)) % 3
    first, second = Moments.from_rows(control, codes, 3), Moments.from_rows(treatment, codes, 3)
    many = compare_many(first, second)
    for k in range(3):
        single = compare(first[k], second[k])
        assert many.value[k] == pytest.approx(single.value)
        assert many.low[k] == pytest.approx(single.low)
        assert many.anytime_high[k] == pytest.approx(single.anytime_high)


def test_the_ratio_equals_a_linearised_regression() -> None:
    control, treatment = _pair(5)
    found = compare(
        Moments.from_rows(control), Moments.from_rows(treatment), relative=False, adjust=False
    )
    ratios = [rows[:, 0].sum() / rows[:, 1].sum() for rows in (control, treatment)]
    parts = [
        (rows[:, 0] - r * rows[:, 1]) / rows[:, 1].mean()
        for rows, r in zip((control, treatment), ratios, strict=True)
    ]
    assert found.value == pytest.approx(ratios[1] - ratios[0])
    assert found.se == pytest.approx(math.sqrt(sum(p.var(ddof=1) / len(p) for p in parts)))


def test_the_relative_error_with_cuped_equals_the_jackknife() -> None:
    control, treatment = _pair(6, n=400)
    theta = compare_many(Moments.from_rows(control)[None], Moments.from_rows(treatment)[None]).theta

    def effect(one: Rows, two: Rows) -> float:
        first, second = Moments.from_rows(one)[None], Moments.from_rows(two)[None]
        return float(compare_many(first, second, theta=theta).value[0])

    n = len(control)
    left = np.array([effect(np.delete(control, i, 0), treatment) for i in range(n)])
    right = np.array([effect(control, np.delete(treatment, i, 0)) for i in range(n)])
    jackknife = math.sqrt((n - 1) ** 2 / n * (left.var(ddof=1) + right.var(ddof=1)))
    # Jackknife and delta agree to first order; with 400 users the second order is below 1%.
    found = compare(Moments.from_rows(control), Moments.from_rows(treatment))
    assert found.se == pytest.approx(jackknife, rel=0.01)


def test_theta_can_come_from_everyone() -> None:
    control, treatment = _pair(7)
    codes = np.arange(len(control)) % 2
    first, second = Moments.from_rows(control, codes, 2), Moments.from_rows(treatment, codes, 2)
    shared = compare_many(first, second, theta="first")
    own = compare_many(first, second)
    assert shared.theta[0] == shared.theta[1] == own.theta[0]
    assert own.theta[1] != own.theta[0]


def test_fieller_agrees_with_its_definition() -> None:
    control, treatment = of_sums(20.0, 80.0, 100), of_sums(60.0, 300.0, 100)
    found = compare(control, treatment)
    assert "Fieller" in found.method
    # A bound b of treatment/control is where the test of treatment - b·control is just significant.
    c, t = 0.2, 0.6
    vc, vt = (np.array([80 - 100 * c**2, 300 - 100 * t**2]) / 99 / 100).tolist()
    reach = stats.t.ppf(0.975, found.df)
    for bound in (found.low + 1, found.high + 1):
        assert abs(t - bound * c) / math.sqrt(vt + bound**2 * vc) == pytest.approx(reach)
    absolute = compare(control, treatment, relative=False)
    assert found.p == pytest.approx(absolute.p)
    assert "delta" in compare(control, treatment, interval="delta").method


@given(seeds)
def test_p_and_interval_agree(seed: int) -> None:
    rng = np.random.default_rng(seed)
    control, treatment = rng.exponential(1.0, 40), rng.exponential(1.0 + rng.random(), 40)
    for relative in (True, False):
        found = compare(_mean(control), _mean(treatment), relative=relative)
        assert (found.p < 0.05) == (found.low > 0 or found.high < 0)


@given(seeds)
def test_the_anytime_interval_holds_the_fixed_one(seed: int) -> None:
    one, two = (Moments.from_rows(rows) for rows in _pair(seed, n=50))
    found = compare(one, two, planned_n=1000)
    assert found.anytime_low is not None
    assert found.anytime_high is not None
    assert found.anytime_low < found.low < found.high < found.anytime_high


def test_a_loss_that_shrinks_is_a_rise() -> None:
    rng = np.random.default_rng(2)
    found = compare(_mean(rng.normal(-10, 1, 200)), _mean(rng.normal(-8, 1, 200)))
    assert found.value == pytest.approx(0.2, abs=0.05)
    assert found.low > 0


def test_shares_take_the_score_test_and_means_do_not() -> None:
    shares = compare(of_shares(30, 100), of_shares(45, 100), relative=False)
    pooled = math.sqrt(0.375 * 0.625 * 2 / 100)
    assert shares.z == pytest.approx(0.15 / pooled)
    values = compare(_mean(np.arange(50.0)), _mean(np.arange(50.0) + 3), relative=False)
    assert values.z == pytest.approx(values.value / values.se)


def test_change_equals_the_paired_test() -> None:
    rng = np.random.default_rng(8)
    before = rng.gamma(3.0, 2.0, 80)
    after = 0.7 * before + rng.gamma(2.0, 1.0, 80)
    moments = Moments.from_rows(np.stack([after, np.ones(80), before, np.ones(80)], axis=1))
    found = change(moments, relative=False)
    theirs = stats.ttest_rel(after, before)
    assert found.z == pytest.approx(theirs.statistic)
    assert found.p == pytest.approx(theirs.pvalue)
    assert found.low == pytest.approx(theirs.confidence_interval().low)
    assert (found.n_control, found.n_treatment) == (80, 80)
    relative = change(moments)
    assert relative.value == pytest.approx(after.mean() / before.mean() - 1)


def test_levels_with_known_errors() -> None:
    found = compare_levels([10.0, 12.0], [0.3, 0.4], [1000, 1000], relative=False)
    assert found.value == 2
    assert found.se == pytest.approx(0.5)
    with pytest.raises(NotEstimable, match="fewer than two users"):
        compare_levels([1.0, 2.0], [0.1, 0.1], [1, 5])
    with pytest.raises(NotEstimable, match="not finite"):
        compare_levels([1.0, math.nan], [0.1, 0.1], [5, 5])


def _all_finite(effect: Effect) -> bool:
    numbers = [v for v in dataclasses.astuple(effect) if isinstance(v, float)]
    return all(math.isfinite(v) for v in numbers)


def test_identical_constants_have_no_effect_and_no_doubt() -> None:
    for value in (0.1, 7.0, 1e9):
        arm = _mean(np.full(11, value)), _mean(np.full(17, value))
        for relative in (True, False):
            found = compare(*arm, relative=relative)
            assert (found.value, found.se, found.p, found.low, found.high) == (0, 0, 1, 0, 0)
            assert _all_finite(found)


@pytest.mark.parametrize(
    ("control", "treatment", "relative", "words"),
    [
        (Moments.empty((), 4), of_shares(3, 9), False, "fewer than two users"),
        (of_shares(1, 1), of_shares(3, 9), False, "fewer than two users"),
        (of_shares(0, 50), of_shares(5, 50), True, "control's level is zero"),
        (of_shares(1, 50), of_shares(5, 50), True, "cannot be told from zero"),
        (of_shares(0, 50), of_shares(50, 50), False, "No value varies"),
        (
            Moments.from_rows(np.array([[1.0, 0, 0, 1], [2, 0, 0, 1]])),
            Moments.from_rows(np.array([[1.0, 1, 0, 1], [2, 3, 0, 1]])),
            False,
            "denominator is zero",
        ),
        (
            Moments(np.array(5.0), np.array([np.nan, 1, 0, 1]), np.zeros((4, 4))),
            of_shares(3, 9),
            False,
            "not finite",
        ),
    ],
)
def test_what_cannot_be_estimated_is_refused(
    control: Moments, treatment: Moments, relative: bool, words: str
) -> None:
    with pytest.raises(NotEstimable, match=words) as caught:
        compare(control, treatment, relative=relative)
    assert caught.value.reason.endswith(".")


def test_an_empty_arm_in_absolute_form_still_compares() -> None:
    found = compare(of_shares(0, 50), of_shares(5, 50), relative=False)
    assert found.control == 0
    assert found.value == pytest.approx(0.1)
    assert found.p < 0.05


def test_large_levels_with_small_differences() -> None:
    rng = np.random.default_rng(4)
    # Steps of 2^-20 are exact at 1e9, so what is compared is known to the last bit.
    noise = rng.integers(-200, 200, (2, 500)) * 2.0**-20
    control, treatment = 1e9 + noise[0], 1e9 + noise[1] + 2.0**-15
    found = compare(_mean(control), _mean(treatment), relative=False)
    exact = compare(_mean(noise[0]), _mean(noise[1] + 2.0**-15), relative=False)
    assert found.se == pytest.approx(exact.se, rel=1e-6)
    # A mean near 1e9 is itself stored in steps of 1.2e-7.
    assert found.value == pytest.approx(exact.value, abs=2.5e-7)


def test_a_ratio_that_never_varies_has_no_error() -> None:
    rng = np.random.default_rng(4)
    d = rng.integers(1, 9, (2, 100)).astype(float)
    arms = [
        Moments.from_rows(np.stack([3 * row, row, np.zeros(100), np.ones(100)], axis=1))
        for row in d
    ]
    found = compare(arms[0], arms[1])
    assert (found.value, found.se, found.p) == (0, 0, 1)


def test_one_user_with_half_the_total() -> None:
    values = np.ones(1000)
    values[0] = 1000
    found = compare(_mean(values), _mean(np.ones(1000)), relative=False)
    assert _all_finite(found)
    assert found.p > 0.3


@settings(max_examples=60)
@given(
    st.lists(st.floats(-1e6, 1e6, width=32), min_size=0, max_size=5),
    st.lists(st.floats(-1e6, 1e6, width=32), min_size=0, max_size=5),
    st.booleans(),
)
def test_any_small_arms_give_a_finite_answer_or_a_refusal(
    control: list[float], treatment: list[float], relative: bool
) -> None:
    with contextlib.suppress(NotEstimable):
        found = compare(_mean(np.array(control)), _mean(np.array(treatment)), relative=relative)
        assert _all_finite(found)
        assert 0 <= found.p <= 1
        assert found.low <= found.value <= found.high
