from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from octad.stats.refusal import NotEstimable
from octad.stats.release_study import (
    Daily,
    around,
    base_rate,
    quiet_days,
    set_beside_quiet,
)

CALM = np.array([0.2, 0.05, 0.1, 0.15, 0.5])
ANGRY = np.array([0.6, 0.1, 0.1, 0.1, 0.1])


def world(
    rng: np.random.Generator,
    *,
    products: int = 4,
    days: int = 420,
    rough: float = 0.0,
    shock: tuple[int, float] | None = None,
    launch: tuple[int, float, NDArray[np.float64]] | None = None,
) -> Daily:
    """Daily reviews; `rough` is the spread of each product's own slow wandering (log scale)."""
    base = np.log(rng.uniform(20, 40, products))[:, None] + np.zeros((products, days))
    if rough:
        steps = rng.normal(0, rough, (products, days))
        for t in range(1, days):
            steps[:, t] += 0.9 * steps[:, t - 1]
        base = base + steps
    if shock is not None:
        base[:, shock[0] :] += np.log(shock[1])
    mix = np.broadcast_to(CALM, (products, days, 5)).copy()
    if launch is not None:
        base[0, launch[0] :] += np.log(launch[1])
        mix[0, launch[0] :] = launch[2]
    count = rng.poisson(np.exp(base))
    stars = rng.multinomial(count, mix).astype(np.float64)
    return Daily(count.astype(np.float64), stars, np.zeros(products, dtype=np.int64))


def test_a_planted_release_is_measured_and_a_shared_shock_cancels() -> None:
    rng = np.random.default_rng(1)
    daily = world(rng, shock=(350, 3.0), launch=(350, 2.0, ANGRY))
    found = around(daily, 0, 350)
    assert found.controls == (1, 2, 3)
    # Planted: twice the talk beside a shock of three times; 3.7 to 2.0 stars.
    assert np.exp(found.own_volume) == pytest.approx(6, rel=0.15)  # Poisson noise
    assert abs(found.volume - np.log(2)) < 3 * found.volume_se
    assert abs(found.stars - (ANGRY - CALM) @ np.arange(1, 6)) < 3 * found.stars_se
    assert found.moved == pytest.approx(1.7, abs=0.15)  # sampling noise of 2,000 reviews
    assert found.p < 1e-6


def test_without_a_release_the_test_holds_its_level_where_days_are_independent() -> None:
    rng = np.random.default_rng(2)
    alarms = base_rate(world(rng, days=14 * 202), [(0, 14 * k) for k in range(1, 201)])
    assert alarms.dates == 200
    # At a true 5%, 200 dates give 19 or fewer in 995 of 1,000; windows share half their days.
    assert alarms.significant <= 19


def test_where_talk_wanders_significance_is_cheap_and_quiet_dates_say_so() -> None:
    rng = np.random.default_rng(3)
    cheap = dates = shown = 0
    rounds = 60
    for _ in range(rounds):
        daily = world(rng, rough=0.12)
        quiet = quiet_days(daily, 0, 400, [])
        rate = base_rate(daily, [(0, int(d)) for d in quiet])
        cheap, dates = cheap + rate.significant, dates + rate.dates
        volume, _ = set_beside_quiet(daily, 0, 400, quiet)
        assert volume is not None
        shown += volume.p <= 0.05
    assert cheap / dates > 0.1  # a test at 5% that is wrong more than twice as often
    # 60 rounds at a true 5% give 8 or fewer in 995 of 1,000 (binomial).
    assert shown <= 8


def test_a_planted_release_stands_out_from_quiet_dates() -> None:
    daily = world(np.random.default_rng(4), rough=0.05, launch=(400, 3.0, ANGRY))
    quiet = quiet_days(daily, 0, 400, [100, 101])
    assert len(quiet) >= 20
    assert not ((quiet <= 100) & (quiet + 14 > 100)).any()
    assert all((400 - d) % 7 == 0 for d in quiet)
    volume, stars = set_beside_quiet(daily, 0, 400, quiet)
    assert volume is not None
    assert stars is not None
    assert volume.p == volume.resolution
    assert stars.p == stars.resolution


def test_thin_sides_are_refused() -> None:
    daily = world(np.random.default_rng(5))
    with pytest.raises(NotEstimable, match="seven days"):
        around(daily, 0, 415)
    thin = Daily(daily.reviews / 100, daily.stars / 100, daily.first)
    with pytest.raises(NotEstimable, match="fewer than 20 reviews"):
        around(thin, 0, 200)


def test_without_stars_there_is_still_volume() -> None:
    daily = world(np.random.default_rng(6), launch=(350, 2.0, CALM))
    bare = Daily(daily.reviews, np.zeros_like(daily.stars), daily.first)
    found = around(bare, 0, 350)
    assert np.isnan(found.stars)
    assert found.p < 1e-6
    volume, stars = set_beside_quiet(bare, 0, 350, quiet_days(bare, 0, 350, []))
    assert volume is not None
    assert stars is None


def test_a_launch_that_sends_people_to_a_control_is_distorted_and_the_control_is_named() -> None:
    """Planted: our talk falls to .6 because people go to product 2, whose talk grows to 1.8."""
    rng = np.random.default_rng(8)
    daily = world(rng, products=5)
    moved = daily.reviews.copy()
    moved[0, 350:] = rng.binomial(moved[0, 350:].astype(int), 0.6)
    moved[2, 350:] = rng.poisson(1.8 * moved[2, 350:])
    found = around(Daily(moved, np.zeros_like(daily.stars), daily.first), 0, 350)
    assert found.of_stars is None
    assert [found.controls[k] for k in found.of_volume.opposed] == [2]
    assert found.of_volume.heaviest is not None
    assert found.controls[found.of_volume.heaviest] == 2
    at = found.controls.index(2)
    # Poisson noise of two weeks on each side, 300 to 500 reviews, leaves about a tenth.
    assert np.exp(found.of_volume.without[at]) == pytest.approx(0.6, rel=0.2)
    assert found.volume < found.of_volume.without[at]
