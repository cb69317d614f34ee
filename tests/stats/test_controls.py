from __future__ import annotations

import numpy as np
import pytest

from octad.stats.controls import compare_with, pool


def test_the_pooled_mean_is_dersimonian_and_laird_s() -> None:
    # Worked by hand: w = (100, 25, 4), mean .0403, Q = 3.98, tau2 = (3.98 - 2) / (129 - 10641/129).
    delta, noise = np.array([0.1, -0.2, 0.05]), np.array([0.01, 0.04, 0.25])
    w = 1 / noise
    mean = (w @ delta) / w.sum()
    tau2 = max(0.0, (w @ (delta - mean) ** 2 - 2) / (w.sum() - (w @ w) / w.sum()))
    again = 1 / (noise + tau2)
    found = pool(delta, noise)
    assert found.mean == pytest.approx((again @ delta) / again.sum(), rel=1e-12)
    assert found.error == pytest.approx(tau2 + 1 / again.sum(), rel=1e-12)
    assert pool([], []) == pool(np.array([]), np.array([]))
    assert pool([], []).error == 0


def test_a_rival_that_moves_by_itself_is_not_our_doing() -> None:
    """Ours stand still; the one rival gained half a star: the difference is clear, but not ours."""
    found = compare_with(-0.02, 0.001, [0.5], [0.001])
    assert found.value == pytest.approx(-0.52)
    assert abs(found.value) > 5 * found.se
    assert not found.holds
    assert found.without[0] == pytest.approx(-0.02)
    assert found.opposed == ()


def test_a_control_that_the_launch_moved_is_named() -> None:
    """Planted: we lose half our talk to the second rival, who doubles; others stand still."""
    found = compare_with(np.log(0.5), 0.002, [0.01, np.log(2), -0.02], [0.002, 0.002, 0.002])
    assert found.opposed == (1,)
    assert found.heaviest == 1
    # With it the fall is overstated; without it the planted half comes back.
    assert np.exp(found.value) < 0.41
    assert np.exp(found.without[1]) == pytest.approx(0.5, abs=0.01)


def test_what_stands_without_any_one_control_holds() -> None:
    found = compare_with(-0.4, 0.003, [0.02, -0.03, 0.01], [0.003, 0.003, 0.003])
    assert found.holds
    assert found.opposed == ()
    assert found.heaviest is None


def test_chance_alone_seldom_names_a_control() -> None:
    rng = np.random.default_rng(11)
    rounds = 2000
    named = opposed = 0
    for _ in range(rounds):
        own, theirs = rng.normal(0, 0.1), rng.normal(0, 0.1, 4)
        found = compare_with(own, 0.01, theirs, [0.01] * 4)
        opposed += bool(found.opposed)
        named += found.holds
    # Ours and one of four must both leave zero at 95% by chance: below 1 in 100.
    assert opposed / rounds < 0.01
    # All of it must stand without each control: no more often than the 5% of the difference.
    assert named / rounds < 0.05
