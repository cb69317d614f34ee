"""Margins: directions mirror, and no power is never safety."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from octad.stats.effects import Effect, compare, compare_levels, of_shares
from octad.stats.moments import Moments
from octad.stats.noninferiority import against_margin, equivalence


def _effect(value: float, se: float) -> Effect:
    return compare_levels(
        [10.0, 10.0 + value], [se / math.sqrt(2)] * 2, [5000, 5000], relative=False
    )


@given(st.floats(-3, 3), st.floats(0.01, 2), st.floats(0.01, 2))
def test_up_and_down_mirror_each_other(value: float, se: float, margin: float) -> None:
    up, down = _effect(value, se), _effect(-value, se)
    one, two = against_margin(up, margin, "up"), against_margin(down, margin, "down")
    assert (one.safe, one.worse, one.beyond) == (two.safe, two.worse, two.beyond)
    assert one.p_safe == pytest.approx(two.p_safe, abs=1e-9)
    assert one.needed == pytest.approx(two.needed)
    assert (one.safe_anytime, one.worse_anytime) == (two.safe_anytime, two.worse_anytime)


@given(st.floats(-3, 3), st.floats(0.01, 2), st.floats(0.01, 2))
def test_safe_is_the_interval_on_the_near_side(value: float, se: float, margin: float) -> None:
    effect = _effect(value, se)
    seen = against_margin(effect, -margin)
    if abs(effect.low + margin) > 1e-9 and abs(effect.high) > 1e-9:
        assert seen.safe == (effect.low > -margin)
        assert seen.worse == (effect.high < 0)
    assert not (seen.safe and seen.beyond)
    assert not seen.safe_anytime or seen.safe
    assert not seen.worse_anytime or seen.worse


def test_no_power_is_unknown_not_safe() -> None:
    seen = against_margin(_effect(0.0, 1.0), 0.5)
    assert not seen.known
    assert seen.power < 0.1
    assert seen.needed == pytest.approx(((1.96 + 0.8416) / 0.5) ** 2, rel=1e-3)


def test_that_many_users_would_have_the_power() -> None:
    seen = against_margin(_effect(0.0, 1.0), 0.5)
    assert seen.needed is not None
    later = against_margin(_effect(0.0, 1.0 / math.sqrt(seen.needed)), 0.5)
    assert later.power == pytest.approx(0.8, abs=1e-3)


def test_a_small_loss_can_be_shown_and_still_be_tolerable() -> None:
    seen = against_margin(_effect(-0.3, 0.1), 1.0)
    assert seen.safe
    assert seen.worse
    assert not seen.beyond
    assert against_margin(_effect(-3.0, 0.1), 1.0).beyond


def test_a_margin_of_zero_can_never_be_shown() -> None:
    seen = against_margin(_effect(0.0, 1.0), 0.0)
    assert seen.needed is None
    assert seen.power == pytest.approx(0.025)


def test_constants_are_safe_when_equal() -> None:
    arm = Moments.from_rows(np.tile([3.0, 1, 0, 1], (20, 1)))
    seen = against_margin(compare(arm, arm), 0.01)
    assert seen.safe
    assert seen.safe_anytime
    assert not seen.worse
    assert seen.power == 1
    assert seen.needed == 0


def test_smallest_visible_loss_is_seen_four_times_in_five() -> None:
    effect = compare(of_shares(5000, 10000), of_shares(5000, 10000), relative=False)
    seen = against_margin(effect, 0.01)
    rng = np.random.default_rng(0)
    values = rng.normal(-seen.smallest_visible, effect.se, 20000)
    # 20,000 draws know a share of .8 to .003.
    assert np.mean(values < -1.96 * effect.se) == pytest.approx(0.8, abs=0.01)


def test_bad_margins_are_refused() -> None:
    effect = _effect(0.0, 1.0)
    with pytest.raises(ValueError, match="finite"):
        against_margin(effect, math.nan)
    with pytest.raises(ValueError, match="between 0 and 1"):
        against_margin(effect, 1.0, one_sided_error=0)


@given(st.floats(-3, 3), st.floats(0.01, 2), st.floats(0.01, 2))
def test_equivalence_is_safety_on_both_sides(value: float, se: float, margin: float) -> None:
    effect = _effect(value, se)
    both = [against_margin(effect, margin, better, 0.05).safe for better in ("up", "down")]
    found = equivalence(effect, margin)
    assert found.shown == all(both)
    assert 0 <= found.power <= 1
    assert equivalence(_effect(-value, se), margin).p == pytest.approx(found.p, abs=1e-9)


def test_equivalence_has_the_power_it_says() -> None:
    rng = np.random.default_rng(0)
    runs = [equivalence(_effect(v, 1.0), 2.5) for v in rng.normal(0, 1, 2000)]
    # 2,000 draws know a share of .6 to ±.011.
    assert np.mean([r.shown for r in runs]) == pytest.approx(runs[0].power, abs=0.035)
    assert equivalence(_effect(0.0, 1.0), 1.0).power == 0
    with pytest.raises(ValueError, match="finite"):
        equivalence(_effect(0.0, 1.0), math.inf)
