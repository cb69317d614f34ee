"""Corrections: order does not matter, nothing gets smaller, bad p-values are refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from octad.stats.multiplicity import benjamini_hochberg, holm, risk_split

families = st.lists(st.floats(0, 1), min_size=0, max_size=20)


@given(families)
def test_order_does_not_matter_and_nothing_gets_smaller(p: list[float]) -> None:
    order = np.random.default_rng(len(p)).permutation(len(p))
    for adjust in (holm, benjamini_hochberg):
        found = adjust(p)
        assert (found >= np.asarray(p)).all()
        assert (found <= 1).all()
        np.testing.assert_array_equal(adjust(np.asarray(p)[order]), found[order])
    assert (benjamini_hochberg(p) <= holm(p) + 1e-15).all()


def test_one_test_needs_no_correction() -> None:
    assert holm([0.04]).tolist() == benjamini_hochberg([0.04]).tolist() == [0.04]


@pytest.mark.parametrize("bad", [[-0.1], [1.1], [np.nan]])
def test_what_is_no_probability_is_refused(bad: list[float]) -> None:
    for adjust in (holm, benjamini_hochberg):
        with pytest.raises(ValueError, match="between 0 and 1"):
            adjust(bad)


def test_guardrails_do_not_split_the_error_but_raise_the_power() -> None:
    split = risk_split(0, 5, error=0.05, power=0.8)
    assert split.guardrail_error == split.success_error == 0.05
    assert split.power == pytest.approx(0.96)
    assert risk_split(3, 0).success_error == pytest.approx(0.05 / 3)
    assert risk_split(3, 0).power == pytest.approx(0.8)
    with pytest.raises(ValueError, match="at least one metric"):
        risk_split(0, 0)
    with pytest.raises(ValueError, match="between 0 and 1"):
        risk_split(1, 1, power=1.0)
