"""What the one scan adds up equals a slow, obvious reference."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from octad.model.inputs import Inputs
from octad.model.needs import Needs
from octad.stats.effects import compare
from octad.stats.moments import Moments
from octad.stats.quantiles import quantile
from tests.data.small import (
    DAY,
    METRICS,
    UNTIL,
    World,
    bucket,
    gathered,
    plan_of,
    random_world,
    reference,
    turned,
    write_world,
)

SUMS = [name for name in METRICS if "quantile" not in METRICS[name]]


def _close(found: ArrayLike, expected: ArrayLike) -> None:
    # Sums of a few hundred doubles in another order differ in the last digits only.
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected), rtol=1e-9, atol=1e-9)


@pytest.fixture(scope="module")
def world() -> World:
    return random_world(11)


@pytest.fixture(scope="module")
def inputs(world: World, tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    root = write_world(world, tmp_path_factory.mktemp("small"))
    return gathered(root, plan_of(world))


def _same(found: Moments, rows: NDArray[np.float64]) -> None:
    expected = Moments.from_rows(rows.reshape(-1, 4))
    assert found.n == expected.n
    _close(found.mean, expected.mean)
    _close(found.comoment, expected.comoment)


@pytest.mark.parametrize("name", SUMS)
def test_every_kind_of_metric_equals_the_reference(name: str, world: World, inputs: Inputs) -> None:
    rows, arms = reference(world, name), world.arms()
    cells = inputs.metrics[name]
    assert cells.waiting == len(arms) - len(rows)
    for arm in range(3):
        mine = {u: row for u, row in rows.items() if arms[u][0] == arm}
        _same(cells.moments[0, arm].total(0), np.array(list(mine.values())))
        in_bucket = defaultdict(list)
        for user, row in mine.items():
            in_bucket[bucket(user)].append(row)
        for b, some in in_bucket.items():
            _same(cells.moments[0, arm, b], np.array(some))


def test_a_second_world_by_seed(tmp_path: Path) -> None:
    world = random_world(23, users=150)
    inputs = gathered(write_world(world, tmp_path), plan_of(world))
    for name in SUMS:
        rows, arms = reference(world, name), world.arms()
        for arm in range(3):
            mine = [row for u, row in rows.items() if arms[u][0] == arm]
            _same(inputs.metrics[name].moments[0, arm].total(0), np.array(mine))


def test_exact_edges_are_in_the_world(world: World) -> None:
    arms = world.arms()
    gaps = {e[1] - arms[e[0]][1] for e in world.events if e[0] in arms}
    tick = timedelta(microseconds=1)
    for edge in (timedelta(0), 7 * DAY, 14 * DAY, -28 * DAY, 1.5 * DAY, timedelta(hours=30)):
        assert {edge - tick, edge, edge + tick} <= gaps


def test_slices_add_up_to_everyone_of_whom_something_is_known(world: World, tmp_path: Path) -> None:
    big = random_world(5, users=2_000)
    plan = plan_of(big, segments=["region"])
    cells = gathered(write_world(big, tmp_path), plan).metrics["spend"]
    region = {user: where for user, where, _, _ in big.users}
    rows, arms = reference(big, "spend"), big.arms()
    found = {
        dict(s.values).get("region"): i for i, s in enumerate(cells.slices) if len(s.values) == 1
    }
    assert {"north", "south", "it's"} <= set(found)
    for name in ("north", "south", "it's"):
        for arm in range(3):
            mine = [r for u, r in rows.items() if arms[u][0] == arm and region[u] == name]
            _same(cells.totals[found[name], arm], np.array(mine))


def test_days_equal_the_reference(world: World, inputs: Inputs) -> None:
    events = defaultdict(list)
    for e in world.events:
        events[e[0]].append(e)
    for name, kinds, is_any in (("opens", {"open"}, False), ("paid", {"pay"}, True)):
        daily = inputs.daily[name]
        for arm in range(3):
            people = [(u, at) for u, (a, at) in world.arms().items() if a == arm]
            for day in (0, 1, 6, 13):
                y = []
                for user, at in people:
                    if at + (day + 1) * DAY > UNTIL:
                        continue
                    times = sum(
                        at + day * DAY <= e[1] < at + (day + 1) * DAY and e[2] in kinds
                        for e in events[user]
                    )
                    y.append((float(times > 0) if is_any else float(times), 1.0, 0.0, 1.0))
                _same(daily.moments[arm, day], np.array(y))


def test_retention_counts_users_seen_on_a_day(world: World, inputs: Inputs) -> None:
    assert inputs.retention is not None
    seen = defaultdict(set)
    arms = world.arms()
    for user, time, *_ in world.events:
        if user in arms and time < UNTIL:
            seen[user].add((time - arms[user][1]) // DAY)
    for arm in range(3):
        people = [u for u, (a, _) in arms.items() if a == arm]
        for day in (0, 3, 20):
            watched = [u for u in people if arms[u][1] + (day + 1) * DAY <= UNTIL]
            assert inputs.retention.observed[arm, day] == len(watched)
            assert inputs.retention.active[arm, day] == sum(day in seen[u] for u in watched)


def test_halves_are_means_per_day_of_one_user(world: World, inputs: Inputs) -> None:
    daily = inputs.daily["opens_ever"]
    assert daily.spans is not None
    assert daily.halves is not None
    arms, spans = world.arms(), daily.spans
    for arm in range(3):
        rows = []
        for user, (a, at) in arms.items():
            if a != arm or at + spans[1][1] * DAY > UNTIL:
                continue
            days = [(e[1] - at) // DAY for e in world.events if e[0] == user and e[2] == "open"]
            rows.append([sum(s <= d < e for d in days) / (e - s) for s, e in spans])
        expected = Moments.from_rows(rows)
        assert daily.halves.n[arm] == expected.n
        _close(daily.halves.mean[arm], expected.mean)


def test_a_quantile_equals_the_quantile_of_the_values(world: World, inputs: Inputs) -> None:
    found = inputs.metrics["wait"].quantiles
    assert found is not None
    arms = world.arms()
    for arm in range(3):
        values, who = [], []
        for user, time, name, _, wait, _ in world.events:
            if user not in arms or arms[user][0] != arm or name != "open" or wait is None:
                continue
            at = arms[user][1]
            if at <= time < at + 14 * DAY and at + 14 * DAY <= UNTIL:
                values.append(wait)
                who.append(user)
        expected = quantile(np.array(values), np.unique(who, return_inverse=True)[1], p=0.9)
        assert found.n[arm] == len(set(who))
        np.testing.assert_allclose([found.value[arm], found.se[arm]], [expected.value, expected.se])


def test_files_and_row_order_do_not_matter(world: World, inputs: Inputs, tmp_path: Path) -> None:
    again = gathered(write_world(turned(world), tmp_path, files=5), plan_of(world))
    assert again.arms == inputs.arms
    assert again.exposure is not None
    assert inputs.exposure is not None
    assert again.exposure.counts.tolist() == inputs.exposure.counts.tolist()
    for name in SUMS:
        one, two = inputs.metrics[name].moments, again.metrics[name].moments
        assert np.array_equal(one.n, two.n)
        _close(one.mean, two.mean)
        _close(one.comoment, two.comoment)
        assert inputs.metrics[name].slices == again.metrics[name].slices


def test_two_halves_of_the_users_merge_to_the_whole(
    world: World, inputs: Inputs, tmp_path: Path
) -> None:
    parts = []
    for half in (0, 1):
        keep = {u for u, *_ in world.users if bucket(u) % 2 == half}
        some = World(
            [e for e in world.events if e[0] in keep or e[0] == "nobody" or e[2] == "rare"],
            [e for e in world.exposures if e[0] in keep],
            world.users,
        )
        needs = Needs(totals=frozenset({"opens", "spend", "crash_rate"}))
        parts.append(gathered(write_world(some, tmp_path / str(half)), plan_of(some), needs))
    for name in ("opens", "spend", "crash_rate"):
        whole = inputs.metrics[name].moments[:1]
        merged = parts[0].metrics[name].moments + parts[1].metrics[name].moments
        assert np.array_equal(whole.n, merged.n)
        _close(whole.mean, merged.mean)
        _close(whole.comoment, merged.comoment)


def test_swapping_arms_turns_effects_round(inputs: Inputs) -> None:
    for name in ("opens", "spend", "crash_rate", "paid", "through"):
        one, two = (inputs.metrics[name].moments[0, arm].total(0) for arm in (0, 1))
        there = compare(one, two, relative=False)
        back = compare(two, one, relative=False)
        assert there.value == pytest.approx(-back.value, rel=1e-9, abs=1e-12)
        assert there.p == pytest.approx(back.p, rel=1e-6)


def test_tails_hold_the_largest_users(world: World, inputs: Inputs) -> None:
    tail = inputs.tails["spend"]
    rows, arms = reference(world, "spend"), world.arms()
    for arm in range(3):
        mine = sorted((r[0] for u, r in rows.items() if arms[u][0] == arm), reverse=True)
        assert tail.n[arm] == len(mine)
        _close(tail.top[arm][:50], mine[:50])
        assert tail.total[arm] == pytest.approx(sum(mine))


def test_a_metric_without_events_among_the_compared_is_zero(inputs: Inputs) -> None:
    moments = inputs.metrics["never"].moments
    assert moments.n.sum() > 100
    assert not moments.mean[..., 0].any()
