from __future__ import annotations

import json

import numpy as np

from octad.worlds import World
from octad.worlds.base import Random
from octad.worlds.change import FEED, Change, Rollout
from octad.worlds.life import Life
from octad.worlds.people import born
from octad.worlds.truth import before, both_arms, effects, later, years


def test_its_truth_is_what_was_planted(wallet: World) -> None:
    effects = wallet.truth["relative_effects"]
    everyone, fragile = effects["everyone"], effects["north, 60 and over"]
    # read off under both arms with shared draws, so nearly free of noise even at 8,000 users
    assert 0.045 < everyone["opens"] < 0.085
    assert -0.05 < everyone["payments"] < -0.02
    assert -0.03 < everyone["retained"] < -0.005
    assert -0.08 < everyone["crash_rate"] < 0.02
    assert abs(everyone["pay_success"]) < 0.005
    assert fragile["payments"] < -0.06
    assert effects["tenure over 3 years"]["payments"] < effects["tenure under 1 year"]["payments"]
    opens = wallet.truth["by_day"]["opens"]
    assert np.mean(opens[1:4]) > 0.1  # novelty
    assert np.mean(opens[21:28]) < 0.02  # fades
    assert wallet.truth["later"]["day 364"]["payments"] < -0.05
    assert json.loads(json.dumps(wallet.truth)) == wallet.truth


def test_a_launch_that_does_nothing_has_no_effect_at_all() -> None:
    random, n = Random(5), 2000
    life = Life(random, born(random, n), Change(), Rollout(), np.zeros(n, dtype=np.bool_))
    off, on = both_arms(life, 30)
    assert set(effects(off, on, off.since >= 0).values()) == {0.0}


def test_reading_off_leaves_the_world_as_it_was() -> None:
    random, n = Random(5), 500
    life = Life(random, born(random, n), FEED, Rollout(), np.zeros(n, dtype=np.bool_))
    both_arms(life, 3)
    assert (life.state.since == -1).all()


def test_slowness_without_a_lure_is_harm_early_and_late() -> None:
    change = Change(slow=(2.0, 4.0, 8.0), hidden=4.0, feed=True)
    off, on = years(before(Random(5), 1500, change, Rollout()), 74)
    found = later(off, on, {"early": (0, 14), "late": (60, 74)})
    assert found["early"]["payments"] < -0.02
    assert found["late"]["payments"] < -0.02
