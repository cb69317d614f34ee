"""The slope on friends' arms: what was planted is found, and as often missed as it says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse

from octad.stats.refusal import NotEstimable
from octad.stats.spillover import (
    Spillover,
    Together,
    net_of,
    spillover,
    ties_by_chance,
    together,
)

FloatArray = NDArray[np.float64]
RUNS = 300


def _net(rng: np.random.Generator, n: int, *, hubs: bool) -> sparse.csr_array:
    """Villages of fifty, a fifth of the ties missing; and ten people whom hundreds know."""
    home, place = np.arange(n) // 50 * 50, np.arange(n) % 50
    one = np.repeat(np.arange(n), 3)
    other = np.repeat(home, 3) + (np.repeat(place, 3) + np.tile([1, 7, 18], n)) % 50
    keep = rng.random(len(one)) < 0.8
    one, other = one[keep], other[keep]
    if hubs:
        one = np.concatenate([one, np.repeat(np.arange(10), 400)])
        other = np.concatenate([other, rng.integers(0, n, 4_000)])
    return net_of(one, other, n)


def _lived(
    rng: np.random.Generator, slope: float = 0.0, *, hubs: bool = False, uneven: float = 0.0
) -> tuple[FloatArray, FloatArray, sparse.csr_array, NDArray[np.int64]]:
    """Outcome, past, ties and arms; villages are alike, and so is what the launch does to them."""
    n = 3_000
    net = _net(rng, n, hubs=hubs)
    arm = (rng.random(n) < 0.5).astype(np.int64)
    use, village = rng.gamma(2, 1, n), np.repeat(rng.normal(0, 0.5, n // 50), 50)
    share = (net @ arm) / np.maximum(net.sum(axis=1), 1)
    past = rng.poisson(3 * use).astype(float)
    mean = 3 * use * (1 + 0.1 * arm * (1 + uneven * village) + slope * share) + village
    return rng.normal(mean, 1.5 * np.sqrt(3 * use)), past, net, arm


def _found(seed: int, **how: Any) -> tuple[Spillover, float]:
    y, past, net, arm = _lived(np.random.default_rng(seed), **how)
    chance = np.full(len(y), arm.mean())
    return spillover(y, net, arm, chance, before=past), ties_by_chance(net, arm, chance).p


# Bounds are three binomial errors of 300 runs about 5%, or 95%.
@pytest.mark.parametrize("how", [{}, {"hubs": True}, {"uneven": 3.0}])
def test_where_nothing_spills_over_five_in_a_hundred_say_it_does(how: dict[str, Any]) -> None:
    found = [_found(seed, **how) for seed in range(RUNS)]
    assert 0.012 <= np.mean([s.p < 0.05 for s, _ in found]) <= 0.088
    assert np.mean([p < 0.05 for _, p in found]) <= 0.088  # Bonferroni: at most


@pytest.mark.parametrize("hubs", [False, True])
def test_what_is_planted_is_found_without_bias_and_within_its_interval(hubs: bool) -> None:
    planted = -0.2 * 6  # three times the mean of use, which is two
    found = [_found(seed, slope=-0.2, hubs=hubs)[0] for seed in range(RUNS)]
    values = np.array([s.value for s in found])
    assert abs(values.mean() - planted) < 3 * values.std() / np.sqrt(RUNS)
    assert 0.912 <= np.mean([s.low <= planted <= s.high for s in found]) <= 0.988
    assert np.mean([s.p < 0.05 for s in found]) > 0.8
    # The reckoned error is the true one; that of 300 runs is known to a twelfth.
    assert np.mean([s.se for s in found]) == pytest.approx(values.std(), rel=0.12)


def test_everybody_against_nobody_is_what_it_would_be() -> None:
    found = [_found(seed, slope=-0.2)[0] for seed in range(RUNS)]
    # Almost everybody has a tie; a launch of +10% by itself, -20% through friends.
    assert np.mean([s.everyone for s in found]) == pytest.approx(-0.1, abs=0.01)
    assert 0.912 <= np.mean([s.everyone_low <= -0.1 <= s.everyone_high for s in found]) <= 0.988
    assert np.mean([s.direct for s in found]) > 0.05


def _both(seed: int, slope: float) -> Together:
    """Two outcomes that share much of their chance, the second better when it falls."""
    rng = np.random.default_rng(seed)
    y, past, net, arm = _lived(rng, slope=slope, hubs=True)
    chance = np.full(len(y), arm.mean())
    other = 40 - y + rng.normal(0, 2, len(y))
    found = [spillover(y, net, arm, chance, before=past), spillover(other, net, arm, chance)]
    whole = together(found, [1, -1])
    assert whole is not None
    return whole


def test_outcomes_together_keep_their_error_and_see_what_each_does() -> None:
    calm = [_both(seed, 0.0) for seed in range(RUNS)]
    assert 0.012 <= np.mean([t.p < 0.05 for t in calm]) <= 0.088
    assert np.std([t.z for t in calm]) == pytest.approx(1, abs=0.13)  # three errors
    harmed = [_both(seed, -0.2) for seed in range(30)]
    assert np.mean([t.z < 0 and t.p < 0.05 for t in harmed]) > 0.6


def test_one_outcome_is_not_several() -> None:
    assert together([_found(1)[0]], [1]) is None


def test_the_error_is_that_of_arms_drawn_again() -> None:
    """With outcomes as they are and arms drawn anew, the slope varies as much as it says."""
    rng = np.random.default_rng(5)
    y, past, net, arm = _lived(rng, hubs=True)
    chance = np.full(len(y), 0.5)
    said = spillover(y, net, arm, chance, before=past)
    drawn = [
        spillover(y, net, (rng.random(len(y)) < 0.5).astype(int), chance, before=past).value
        for _ in range(400)
    ]
    assert said.se == pytest.approx(np.std(drawn), rel=0.15)  # 400 draws know it to a fourteenth


def test_a_few_with_very_many_friends_leave_few_degrees_of_freedom() -> None:
    rng = np.random.default_rng(2)
    y, past, _, arm = _lived(rng)
    star = net_of(np.repeat(np.arange(4), 700), rng.integers(4, 3_000, 2_800), 3_000)
    assert spillover(y, star, arm, np.full(3_000, 0.5), before=past).df < 20
    assert _found(1)[0].df > 500


def test_ties_that_the_launch_made_are_told() -> None:
    rng = np.random.default_rng(3)
    _, _, _, arm = _lived(rng)
    chance = np.full(len(arm), arm.mean())
    having, without = np.flatnonzero(arm), np.flatnonzero(arm == 0)
    some = rng.integers(0, len(arm), 3_000)
    more = net_of(rng.choice(having, 3_000), some, len(arm))
    assert ties_by_chance(more, arm, chance).degree > 5
    pairs = [rng.choice(side, (1_500, 2)) for side in (having, without)]
    one, other = np.concatenate(pairs).T
    alike = net_of(one, other, len(arm))
    assert ties_by_chance(alike, arm, chance).alike > 5


def test_a_tie_counts_once_and_nobody_is_tied_to_themselves() -> None:
    net = net_of([0, 1, 0, 2], [1, 0, 1, 2], 3)
    assert net.toarray().tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 0]]


def test_those_whose_outcome_is_not_known_still_count_as_friends() -> None:
    y, past, net, arm = _lived(np.random.default_rng(8), slope=-0.3)
    known = np.random.default_rng(9).random(len(y)) < 0.5
    strange = np.where(known, y, 1e9)
    chance = np.full(len(y), 0.5)
    some = spillover(strange, net, arm, chance, before=past, counted=known)
    assert sum(some.n) < known.sum() + 1
    assert some.relative == pytest.approx(-0.3, abs=4 * some.se / 6)


def test_it_refuses_what_cannot_be_told() -> None:
    y, _, net, arm = _lived(np.random.default_rng(1))
    chance = np.full(len(y), 0.5)
    with pytest.raises(NotEstimable, match=r"too few users of a side .* \(0\)"):
        spillover(y, net_of([], [], len(y)), arm, chance)
    with pytest.raises(NotEstimable, match="than another"):
        spillover(np.ones(len(y)), net, arm, chance)
    with pytest.raises(NotEstimable, match="do nothing"):
        spillover(y - y.mean() - 10, net, arm, chance)
