from __future__ import annotations

from dataclasses import fields

import numpy as np

from octad.worlds.base import Random
from octad.worlds.people import born


def test_a_larger_world_holds_the_smaller_one() -> None:
    small, large = born(Random(3), 500), born(Random(3), 2000)
    for field in fields(small):
        assert np.array_equal(getattr(small, field.name), getattr(large, field.name)[:500])


def test_ids_are_distinct_and_tell_nothing() -> None:
    people = born(Random(3), 20_000)
    assert len(np.unique(people.uid)) == 20_000
    assert people.uid.min() >= 10_000_000
    assert people.uid.max() < 100_000_000
    assert abs(np.corrcoef(people.uid, people.days)[0, 1]) < 0.03


def test_staff_use_new_phones_in_one_region() -> None:
    people = born(Random(3), 20_000)
    assert 20 < people.staff.sum() < 120
    assert set(people.device[people.staff].tolist()) == {0}
    assert not people.voice[people.staff].any()


def test_older_people_in_the_north_carry_old_phones() -> None:
    people = born(Random(3), 20_000)
    assert (people.device[people.fragile] == 2).mean() > 0.6
    assert (people.device[~people.fragile] == 2).mean() < 0.2
