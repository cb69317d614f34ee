"""Who is read: every role, both arms, the same each time."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from octad.data.readers_choice import COMPLAINED, HURT, TYPICAL, UNLIKE, WORST, People, choose


def _people(n: int = 400, seed: int = 2) -> People:
    rng = np.random.default_rng(seed)
    return People(
        features=rng.poisson(4, (n, 6)).astype(float),
        arm=rng.integers(0, 2, n),
        band=rng.integers(0, 3, n),
        trouble=np.where(rng.random(n) < 0.2, rng.random(n), 0.0),
        complained=rng.random(n) < 0.05,
        hurt=rng.random(n) < 0.1,
        order=rng.permutation(n),
    )


def test_every_role_is_read_in_each_arm_as_often() -> None:
    people = _people()
    chosen = choose(people, 20)
    assert len({i for i, _ in chosen}) == 20
    roles = Counter((why, int(people.arm[i])) for i, why in chosen)
    for arm in (0, 1):
        assert {r: roles[r, arm] for r in (TYPICAL, UNLIKE, WORST, COMPLAINED, HURT)} == {
            TYPICAL: 4, UNLIKE: 2, WORST: 2, COMPLAINED: 1, HURT: 1,
        }  # fmt: skip


def test_the_chosen_fit_their_role() -> None:
    people = _people()
    cut = np.quantile(people.trouble, 0.9)
    for i, why in choose(people, 40):
        assert why != WORST or people.trouble[i] >= cut
        assert why != COMPLAINED or people.complained[i]
        assert why != HURT or people.hurt[i]


def test_typical_users_come_from_every_band_of_use() -> None:
    people = _people()
    typical = [i for i, why in choose(people, 20) if why == TYPICAL]
    assert set(people.band[typical]) == {0, 1, 2}


def test_the_choice_is_the_same_whatever_the_order_of_rows() -> None:
    people = _people()
    shuffle = np.random.default_rng(9).permutation(400)
    moved = People(*(getattr(people, name)[shuffle] for name in People.__slots__))
    names = {(int(people.order[i]), why) for i, why in choose(people, 20)}
    assert {(int(moved.order[i]), why) for i, why in choose(moved, 20)} == names


def test_where_nobody_fits_a_typical_user_takes_the_place() -> None:
    people = _people()
    none = np.zeros(400, dtype=bool)
    calm = replace(people, complained=none, hurt=none, trouble=np.zeros(400))
    assert {why for _, why in choose(calm, 20)} == {TYPICAL, UNLIKE}
    assert len(choose(calm, 20)) == 20


def test_few_people_are_all_read_and_none_are_none() -> None:
    assert len(choose(_people(3), 10)) == 3
    assert choose(_people(0), 10) == []


def test_one_empty_arm_does_not_keep_the_other_from_being_read() -> None:
    people = replace(_people(40), arm=np.array([0] * 39 + [1]))
    assert len(choose(people, 10)) == 10
