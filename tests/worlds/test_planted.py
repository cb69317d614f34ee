"""The gallery's worlds: what is planted is there, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from octad.worlds.base import Categorical, World
from octad.worlds.planted import DAY, EVENTS, FAULTS, START, Fault, look_days, plant

BY_NAME = {fault.name: fault for fault in FAULTS}


def counts(made: World, name: str, first: int, last: int) -> tuple[float, float]:
    """Events of a kind on days since exposure, a user: control, treatment."""
    events: Any = made.tables["events"]
    seen: Any = made.tables["exposures"]
    arms, kinds = seen["arm"], events["name"]
    since = np.full(12_000, np.iinfo(np.int64).max // 2)
    since[seen["user"]] = (seen["at"] - START).astype(np.int64)
    arm = np.full(12_000, -1)
    arm[seen["user"]] = arms.codes
    of = kinds.is_(name)
    user = events["user"][of]
    after = (events["at"][of] - START).astype(np.int64) - since[user]
    kept = (after >= first * DAY) & (after < last * DAY)
    found = [float((arm[user[kept]] == one).sum() / (arm == one).sum()) for one in (0, 1)]
    return found[0], found[1]


@cache
def world(name: str) -> World:
    return plant(BY_NAME[name])


def rise(name: str, event: str, first: int, last: int) -> float:
    control, treatment = counts(world(name), event, first, last)
    return treatment / control - 1


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_world_is_the_same_each_time_and_its_files_are_whole(fault: Fault) -> None:
    one, two = plant(fault, users=500), plant(fault, users=500)
    assert one.files == two.files
    assert f"launches/{fault.name}.yml" in one.files
    for name, table in one.tables.items():
        for column, values in table.items():
            other: Any = two.tables[name][column]
            if isinstance(values, Categorical):
                assert np.array_equal(values.codes, other.codes)
            else:
                assert np.array_equal(values, other)


def test_what_is_planted_is_there() -> None:
    # Poisson noise of some 40,000 events an arm is under 1%.
    assert rise("reminders", "open", 0, 14) == pytest.approx(0.25, abs=0.03)
    assert rise("reminders", "save", 0, 28) == pytest.approx(0.0, abs=0.03)
    assert rise("badges", "open", 0, 1) > 0.25
    assert rise("badges", "open", 20, 28) == pytest.approx(0.0, abs=0.03)
    # 40% of the saves of a sixteenth of the users.
    assert rise("gestures", "save", 0, 28) == pytest.approx(-0.025, abs=0.02)
    assert rise("icon", "open", 0, 28) == pytest.approx(0.0, abs=0.03)


def test_exposures_are_lost_where_that_is_the_fault() -> None:
    seen = world("redirect").tables["exposures"]["arm"]
    assert isinstance(seen, Categorical)
    control, treatment = np.bincount(seen.codes)
    assert treatment / control == pytest.approx(0.88, abs=0.04)


def test_without_a_fault_nothing_is_planted() -> None:
    quiet = plant(replace(BY_NAME["icon"], looks=(), seed=2))
    for first, last in ((-28, 0), (0, 14), (14, 28)):
        for event in EVENTS[:2]:
            control, treatment = counts(quiet, event, first, last)
            assert treatment / control == pytest.approx(1.0, abs=0.04)


def test_the_days_of_looking() -> None:
    assert [day.isoformat() for day in look_days(BY_NAME["icon"])] == [
        "2026-03-15",
        "2026-03-16",
        "2026-03-17",
    ]
