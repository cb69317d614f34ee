"""Visits counted by the engine equal those counted by hand, one user at a time."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from octad.data.visits import deep_events
from octad.model.inputs import Visits
from octad.model.metric import CountMetric
from octad.model.needs import Needs
from tests.data.small import (
    UNTIL,
    World,
    bucket,
    gathered,
    plan_of,
    random_world,
    span_of,
    write_world,
)

CHARTER = {
    "charter": {"jobs": {"paying": {"events": ["pay"]}, "looking": {"events": ["cart", "open"]}}}
}


def by_hand(world: World, name: str, deep: set[str] | None) -> Visits:
    """Visits, shallow ones, and the metric's events in them."""
    metric = world.metrics[name]
    kinds = {metric["count"]} if isinstance(metric["count"], str) else set(metric["count"])
    by_user = defaultdict(list)
    for event in world.events:
        by_user[event[0]].append(event)
    out = np.zeros((5, 3, 512))
    window = span_of(metric)
    for user, (arm, at) in world.arms().items():
        if window is not None and at + window > UNTIL:
            continue
        end = UNTIL if window is None else min(UNTIL, at + window)
        place = (arm, bucket(user))
        out[4][place] += 1
        visits: list[list[Any]] = []
        for event in sorted((e for e in by_user[user] if at <= e[1] < end), key=lambda e: e[1]):
            if visits and event[1] - visits[-1][-1][1] <= timedelta(minutes=30):
                visits[-1].append(event)
            else:
                visits.append([event])
        for visit in visits:
            own = [_own(e, metric, kinds) for e in visit]
            other = [not o for o in own] if deep is None else [e[2] in deep for e in visit]
            out[0][place] += 1
            out[1][place] += not any(other)
            out[2][place] += sum(own)
            out[3][place] += sum(own) if not any(other) else 0
    return Visits(out[0], out[1], out[2], out[3], users=out[4])


def _own(event: Any, metric: dict[str, Any], kinds: set[str]) -> bool:
    if event[2] not in kinds:
        return False
    return "where" not in metric or (event[3] is not None and event[3] > 10 and event[5] == "it's")


@pytest.mark.parametrize(
    ("name", "charter"),
    [("opens_36h", False), ("opens_ever", True), ("either", True)],
)
def test_visits_are_those_counted_by_hand(tmp_path: Path, name: str, charter: bool) -> None:
    world = random_world(11)
    plan = plan_of(world, kpi=name, project=CHARTER if charter else {}, jobs=["looking"] * charter)
    seen = gathered(write_world(world, tmp_path), plan, Needs(visits=True)).visits
    metric = plan.metric(name)
    assert isinstance(metric, CountMetric)
    deep = set(deep_events(plan, metric)) or None
    expected = by_hand(world, name, deep)
    assert seen is not None
    assert seen.users is not None
    assert expected.users is not None
    # All of so few users are in the sample; they are dealt to buckets by their order.
    for part in ("users", "visits", "shallow", "kpi", "kpi_shallow"):
        assert getattr(seen, part).sum(axis=1).tolist() == getattr(expected, part).sum(1).tolist()
    assert (seen.users > 0).sum() > 0.9 * min(expected.users.sum(), 512)
    assert seen.visits.sum() > 300
    assert 0 < seen.shallow.sum() < seen.visits.sum()


def test_the_launchs_own_job_makes_no_visit_deep() -> None:
    world = random_world(1, 10)
    kpi = CountMetric(count=("open",))
    served = plan_of(world, project=CHARTER, jobs=["looking"])
    assert deep_events(served, kpi) == ("pay",)
    assert deep_events(plan_of(world, project=CHARTER), kpi) == ("pay", "cart")
    assert deep_events(plan_of(world), kpi) == ()


def test_nobody_whose_window_has_ended_means_no_visits(tmp_path: Path) -> None:
    world = random_world(2, 60)
    world.metrics["long"] = {"count": "open", "window": "60d"}
    plan = plan_of(world, kpi="long")
    assert gathered(write_world(world, tmp_path), plan, Needs(visits=True)).visits is None


def test_a_condition_is_more_than_a_sample_of_names_can_tell(tmp_path: Path) -> None:
    world = random_world(3, 60)
    seen = gathered(write_world(world, tmp_path), plan_of(world, kpi="big"), Needs(visits=True))
    assert seen.visits is None
