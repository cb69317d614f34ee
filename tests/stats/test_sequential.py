"""Looks: boundaries rise and fall as they must, and bad looks are refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from octad.stats.sequential import (
    anytime_multiplier,
    anytime_p,
    anytime_radius,
    best_rho,
    group_sequential,
    mixture_bound,
    obrien_fleming_spending,
    pocock_spending,
)


@given(st.floats(1, 1e8), st.floats(1, 1e8), st.sampled_from([0.9, 0.95, 0.99]))
def test_the_anytime_interval_is_always_wider_than_the_fixed_one(
    n: float, planned: float, level: float
) -> None:
    reach = float(anytime_multiplier(n, level=level, planned_n=planned))
    assert reach > {0.9: 1.645, 0.95: 1.96, 0.99: 2.576}[level]


def test_it_is_tightest_near_what_was_planned() -> None:
    n = np.geomspace(100, 1e6, 200)
    radius = anytime_multiplier(n, planned_n=10_000) / np.sqrt(n)
    tuned = [float(mixture_bound(1e4, rho=best_rho(p, 0.05), error=0.05)) for p in (3e3, 1e4, 3e4)]
    assert tuned[1] < tuned[0]
    assert tuned[1] < tuned[2]
    assert (np.diff(radius) < 0).all()


def test_nobody_yet_gives_no_bound_and_no_error_gives_no_width() -> None:
    assert np.isinf(anytime_multiplier(0))
    assert anytime_radius(0.0, 0) == 0
    assert anytime_radius(0.0, 100) == 0


@given(st.floats(-8, 8), st.floats(10, 1e6))
def test_anytime_p_and_interval_agree(z: float, n: float) -> None:
    reach = float(anytime_multiplier(n, planned_n=5000))
    p = float(anytime_p(z, n, planned_n=5000))
    assert 0 <= p <= 1
    if abs(abs(z) - reach) > 1e-9:
        assert (p < 0.05) == (abs(z) > reach)


def test_spending_ends_at_the_whole_error() -> None:
    for spend in (obrien_fleming_spending, pocock_spending):
        spent = [spend(t, 0.025) for t in np.linspace(0.05, 1, 20)]
        assert (np.diff(spent) > 0).all()
        assert spent[-1] == pytest.approx(0.025)


def test_one_look_is_the_fixed_test() -> None:
    assert group_sequential([1.0])[0] == pytest.approx(1.959964, abs=1e-6)


def test_boundaries_fall_and_many_looks_cost_more() -> None:
    few, many = group_sequential(np.arange(1, 4) / 3), group_sequential(np.arange(1, 15) / 14)  # type: ignore[arg-type]
    assert (np.diff(few) < 0).all()
    assert (np.diff(many) < 0).all()
    assert many[-1] > few[-1] > 1.96


def test_a_first_look_so_early_that_nothing_is_spent_has_no_boundary() -> None:
    bounds = group_sequential([1e-3, 1.0])
    assert np.isinf(bounds[0])
    assert bounds[1] == pytest.approx(1.959964, abs=1e-5)


@pytest.mark.parametrize("looks", [[], [0.0, 1.0], [0.5, 0.5], [0.5, 1.2], [1.0, 0.5]])
def test_looks_that_do_not_rise_are_refused(looks: list[float]) -> None:
    with pytest.raises(ValueError, match="looks must rise"):
        group_sequential(looks)
