"""What is drawn by day and by calendar day, by bucket, by kind and by attribute."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest

from octad.model.inputs import Inputs
from octad.model.needs import Needs
from tests.data.small import (
    DAY,
    UNTIL,
    World,
    bucket,
    gathered,
    plan_of,
    random_world,
    write_world,
)

DRAWN = frozenset({"opens", "spend", "paid", "basket", "crash_rate", "either"})


@pytest.fixture(scope="module")
def world() -> World:
    return random_world(17, users=300)


@pytest.fixture(scope="module")
def inputs(world: World, tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    root = write_world(world, tmp_path_factory.mktemp("days"))
    needs = Needs(
        totals=DRAWN, daily=DRAWN, kinds=DRAWN, calendar=DRAWN, retention=True, volume=True
    )
    return gathered(root, plan_of(world), needs)


def test_days_by_bucket_add_up_to_the_days(inputs: Inputs) -> None:
    for name in DRAWN:
        daily = inputs.daily[name]
        assert daily.by_bucket is not None
        n, y, d = np.moveaxis(daily.by_bucket.sum(axis=1), -1, 0)
        assert np.array_equal(n, daily.moments.n)
        # Sums of a few hundred doubles in another order differ in the last digits only.
        np.testing.assert_allclose(y, n * daily.moments.mean[..., 0], rtol=1e-9)
        np.testing.assert_allclose(d, n * daily.moments.mean[..., 1], rtol=1e-9)


def test_a_day_in_a_bucket_is_counted_user_by_user(world: World, inputs: Inputs) -> None:
    found = inputs.daily["basket"].by_bucket
    active = inputs.retention
    assert found is not None
    assert active is not None
    assert active.by_bucket is not None
    expected = np.zeros_like(found)
    there = np.zeros_like(active.by_bucket)
    seen = set()
    for user, (arm, at) in world.arms().items():
        for day in range(found.shape[2]):
            if at + (day + 1) * DAY <= UNTIL:
                expected[arm, bucket(user), day, 0] += 1
                there[arm, bucket(user), day, 1] += 1
    for user, time, name, value, *_ in world.events:
        if user not in world.arms():
            continue
        arm, at = world.arms()[user]
        day = (time - at) // DAY
        if day < 0 or at + (day + 1) * DAY > UNTIL:
            continue
        if (user, day) not in seen:
            seen.add((user, day))
            there[arm, bucket(user), day, 0] += 1
        if name == "pay" and value is not None:
            expected[arm, bucket(user), day, 1:] += [value, 1]
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert np.array_equal(active.by_bucket, there)
    assert np.array_equal(active.by_bucket[..., 0].sum(axis=1), active.active)
    assert np.array_equal(active.by_bucket[..., 1].sum(axis=1), active.observed)


def test_kinds_of_a_count_add_up_to_it(inputs: Inputs) -> None:
    assert set(inputs.kinds) == {"either"}
    kinds = inputs.kinds["either"]
    assert set(kinds) == {"open", "pay"}
    whole = inputs.metrics["either"].moments[0]
    for column in (0, 2):
        parts = [k.moments[0].n * k.moments[0].mean[..., column] for k in kinds.values()]
        assert parts[0].sum() > 0
        np.testing.assert_allclose(sum(parts), whole.n * whole.mean[..., column], atol=1e-9)


def test_counts_and_sums_by_calendar_day(world: World, inputs: Inputs) -> None:
    volume = inputs.volume
    assert volume is not None
    assert set(volume.metrics) == {"opens", "spend", "either"}
    opens: dict[tuple[str, int], int] = defaultdict(int)
    spend: dict[tuple[str, int], float] = defaultdict(float)
    for user, time, name, value, *_ in world.events:
        if user in world.arms() and world.arms()[user][1] <= time < UNTIL:
            key = str(time.date()), world.arms()[user][0]
            opens[key] += name == "open"
            spend[key] += (value or 0.0) * (name == "pay")
    for i, day in enumerate(volume.days.astype(str)):
        for arm in range(3):
            assert volume.metrics["opens"][i, arm] == opens[day, arm]
            assert volume.metrics["spend"][i, arm] == pytest.approx(spend[day, arm], rel=1e-9)


def test_users_are_counted_by_what_was_known_of_them(tmp_path: Path, world: World) -> None:
    inputs = gathered(
        write_world(world, tmp_path), plan_of(world), Needs(totals=DRAWN, exposure=True)
    )
    assert inputs.exposure is not None
    values, counts = inputs.exposure.by_attribute["region"]
    region = {user: where for user, where, _, _ in world.users}
    for arm in range(3):
        expected = Counter(
            region[u] or "(unknown)" for u, (a, _) in world.arms().items() if a == arm
        )
        assert dict(zip(values, counts[:, arm].tolist(), strict=True)) == expected
    for values, counts in inputs.exposure.by_attribute.values():
        assert len(values) == len(counts)
        assert np.array_equal(counts.sum(axis=0), inputs.exposure.counts)
