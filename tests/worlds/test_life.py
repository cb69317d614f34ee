from __future__ import annotations

import numpy as np

from octad.worlds.base import Random
from octad.worlds.change import FEED, Change, Rollout
from octad.worlds.life import DAY, PAY, Life, Sessions
from octad.worlds.people import born

ROLLOUT = Rollout(reach=(0.5, 1.0), closes=5)


def a_life(change: Change = FEED, n: int = 3000) -> Life:
    random = Random(5)
    return Life(random, born(random, n), change, ROLLOUT, np.zeros(n, dtype=np.bool_))


def lived(life: Life, days: int) -> list[Sessions]:
    return [life.day(day) for day in range(days)]


def test_enrolment_follows_the_rollout_and_closes() -> None:
    life = a_life()
    life.day(-1)
    assert (life.state.since == -1).all()
    lived(life, 8)
    since, ramp = life.state.since, life.people.ramp
    first_day = (since >= 0) & (since < DAY)
    assert (ramp[first_day] < 0.5).all()
    assert since.max() < 5 * DAY
    assert first_day.any()


def test_exposure_is_the_first_opening() -> None:
    life = a_life()
    days = lived(life, 4)
    at = np.concatenate([s.at for s in days])
    user = np.concatenate([s.user for s in days])
    reached = life.people.ramp[user] < np.where(at < DAY, 0.5, 1.0)
    for who in np.flatnonzero(life.state.since >= 0)[:50]:
        assert life.state.since[who] == at[(user == who) & reached].min()


def test_arms_share_their_lives_until_exposure() -> None:
    off = a_life()
    on = off.branch(np.ones(3000, dtype=np.bool_))
    for _ in range(2):
        a, b = off.day(-1), on.day(-1)
        assert np.array_equal(a.at, b.at)
        assert np.array_equal(a.done, b.done)
    assert np.array_equal(off.state.sore, on.state.sore)


def test_a_branch_leaves_its_origin_as_it_was() -> None:
    life = a_life()
    life.day(-1)
    before = life.state.sore.copy()
    lived(life.branch(np.ones(3000, dtype=np.bool_)), 3)
    assert np.array_equal(life.state.sore, before)
    assert (life.state.since == -1).all()


def test_control_meets_nothing_of_the_feed() -> None:
    for s in lived(a_life(), 10):
        for met in (s.treated, s.feed, s.blank, s.gave_up, s.shamed, s.gift, s.hid):
            assert not met.any()
        assert not s.wait.any()


def test_a_change_of_nothing_changes_nothing() -> None:
    off = a_life(Change())
    on = off.branch(np.ones(3000, dtype=np.bool_))
    for a, b in zip(lived(off, 12), lived(on, 12), strict=True):
        assert np.array_equal(a.at, b.at)
        assert np.array_equal(a.done, b.done)
        assert np.array_equal(a.left, b.left)


def test_staff_walk_the_happy_path_alone() -> None:
    life = a_life(n=8000).branch(np.ones(8000, dtype=np.bool_))
    for s in lived(life, 10):
        staff = life.people.staff[s.user]
        for met in (s.crashed, s.blank, s.gave_up, s.failed, s.shamed):
            assert not met[staff].any()


def test_slowness_alone_makes_old_phones_give_up() -> None:
    life = a_life(Change(slow=(0.2, 0.5, 6.0), feed=True), n=8000)
    life = life.branch(np.ones(8000, dtype=np.bool_))
    tried, gave_up = np.zeros(3), np.zeros(3)
    for s in lived(life, 20):
        device = life.people.device[s.user]
        came = s.treated & (s.kind == PAY)
        tried += np.bincount(device[came], minlength=3)
        gave_up += np.bincount(device[came & s.gave_up], minlength=3)
    share = gave_up / tried
    assert share[2] > 3 * share[0]


def test_soreness_makes_people_leave() -> None:
    life = a_life(n=8000)
    life.state.sore[:] = 0.0
    life.state.sore[:4000] = 2.5
    before = life.state.gone.copy()
    lived(life, 6)
    left = life.state.gone & ~before
    assert left[:4000].mean() > 4 * left[4000:].mean()
