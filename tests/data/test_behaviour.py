"""Jobs, errors and steps equal what one counts by hand in a small random world."""

from __future__ import annotations

import itertools
from collections import defaultdict
from datetime import datetime, timedelta

import numpy as np
import pytest

from octad.data.behaviour import thirds
from octad.model.inputs import Inputs, Ways
from octad.model.needs import Needs
from tests.data.small import (
    DAY,
    UNTIL,
    World,
    gathered,
    plan_of,
    random_world,
    write_world,
)

CHARTER = {
    "charter": {
        "jobs": {"pay": {"events": ["pay"], "core": True}, "see": {"events": ["open", "cart"]}},
        "errors": ["crash", "rare"],
    }
}
JOBS = {"pay": {"pay"}, "see": {"open", "cart"}, "(other)": {"crash", "rare"}}


@pytest.fixture(scope="module")
def world() -> World:
    return random_world(31, users=240)


@pytest.fixture(scope="module")
def inputs(world: World, tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    root = write_world(world, tmp_path_factory.mktemp("jobs"))
    needs = Needs(jobs=True, errors=True, walks=True, volume=True)
    return gathered(root, plan_of(world, project=CHARTER), needs)


def _times(world: World, names: set[str]) -> dict[str, tuple[int, int]]:
    """How often each user did any of these in the 28 days before exposure, and after it."""
    arms = world.arms()
    out: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for user, time, name, *_ in world.events:
        if user in arms and name in names and time < UNTIL:
            at = arms[user][1]
            if time >= at:
                out[user][1] += 1
            elif time >= at - 28 * DAY:
                out[user][0] += 1
    return {user: (n[0], n[1]) for user, n in out.items()}


def test_jobs_are_counted_before_and_after(world: World, inputs: Inputs) -> None:
    jobs, arms = inputs.jobs, world.arms()
    assert jobs is not None
    assert jobs.jobs == tuple(JOBS)
    for j, names in enumerate(JOBS.values()):
        times = _times(world, names)
        for arm in range(3):
            mine = [n for user, n in times.items() if arms[user][0] == arm]
            for period in (0, 1):
                assert jobs.events[period, arm, :, j].sum() == sum(n[period] for n in mine)
                assert jobs.users[period, arm, :, j].sum() == sum(n[period] > 0 for n in mine)
            assert jobs.had[arm, j] == sum(n[0] > 0 for n in mine)
            assert jobs.kept[arm, j] == sum(n[0] > 0 and n[1] > 0 for n in mine)


def test_errors_add_up_over_bands_of_use(world: World, inputs: Inputs) -> None:
    errors, arms = inputs.errors, world.arms()
    assert errors is not None
    assert len(errors.bands) == 4
    crashes = _times(world, {"crash"})
    for arm in range(3):
        mine = [n[1] for user, n in crashes.items() if arms[user][0] == arm]
        assert errors.users[arm].sum() == sum(a == arm for a, _ in arms.values())
        assert errors.kinds["crash"][arm].sum() == sum(n > 0 for n in mine)
        assert errors.times["crash"][arm].sum() == sum(mine)
        assert errors.errors[arm].sum() >= sum(mine)


def _visits(world: World) -> dict[str, list[list[str]]]:
    """Visits after exposure: runs of events with no more than 30 quiet minutes between two."""
    arms = world.arms()
    by_user: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    for user, time, name, *_ in world.events:
        if user in arms and arms[user][1] <= time < UNTIL:
            by_user[user].append((time, name))
    out: dict[str, list[list[str]]] = {}
    for user, events in by_user.items():
        visits: list[list[str]] = []
        last = None
        for time, name in sorted(events):
            if last is None or time - last > timedelta(minutes=30):
                visits.append([])
            visits[-1].append(name)
            last = time
        out[user] = visits
    return out


def test_steps_and_reach_are_those_of_visits(world: World, inputs: Inputs) -> None:
    jobs, arms, visits = inputs.jobs, world.arms(), _visits(world)
    assert jobs is not None
    assert jobs.steps is not None
    assert jobs.reach is not None
    assert jobs.visits is not None
    for arm in range(3):
        mine = [v for user, some in visits.items() if arms[user][0] == arm for v in some]
        assert jobs.visits[arm] == len(mine)
        for j, names in enumerate(list(JOBS.values())[:2]):
            before = [
                next(i for i, e in enumerate(v) if e in names) for v in mine if names & set(v)
            ]
            assert jobs.reach[arm, j] == pytest.approx(len(before) / len(mine))
            assert jobs.steps[arm, j] == np.median(before)


def test_walks_are_pairs_within_a_visit(world: World, inputs: Inputs) -> None:
    pairs: dict[tuple[str, str], int] = defaultdict(int)
    for some in _visits(world).values():
        for visit in some:
            for one, two in itertools.pairwise(visit):
                pairs[one, two] += 1
    ways = inputs.ways
    assert ways is not None
    times = np.bincount(ways.way, ways.often, len(ways.steps))
    both = zip(ways.kind, ways.steps, times.astype(int).tolist(), strict=True)
    found = {steps: n for kind, steps, n in both if kind == Ways.STEP and n}
    assert found == dict(pairs)
    assert ways.team > 0


def test_volume_counts_events_and_users_of_a_day(world: World, inputs: Inputs) -> None:
    arms = world.arms()
    seen: dict[tuple[str, int], list[str]] = defaultdict(list)
    for user, time, *_ in world.events:
        if user in arms and arms[user][1] <= time < UNTIL:
            seen[str(time.date()), arms[user][0]].append(user)
    volume = inputs.volume
    assert volume is not None
    for i, day in enumerate(volume.days.astype(str)):
        for arm in range(3):
            assert volume.events[i, arm] == len(seen[day, arm])
            assert volume.users[i, arm] == len(set(seen[day, arm]))


def test_thirds_need_six_days() -> None:
    assert thirds(5) is None
    assert thirds(6) == ((0, 2), (4, 6))
    assert thirds(28) == ((0, 9), (19, 28))
