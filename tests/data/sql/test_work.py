"""Added up inside the engine, a launch has the numbers that it has when it is added up here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from octad.data.connect import connect
from octad.data.fold_here import work_here
from octad.data.sql.work import EngineWork
from octad.data.work import MetricWork, Work
from octad.model.inputs import Inputs
from octad.model.needs import Needs
from octad.model.plan import Plan
from tests.data.small import START, World, plan_of, random_world, write_world
from tests.data.sql.both import assert_same, assert_sample, both, everything, made_by

CHARTER = {
    "jobs": {"buy": {"events": ["pay", "cart"]}, "look": {"events": ["open"]}, "rest": {}},
    "errors": ["crash", "never seen"],
}


def _plan(world: World, **more: Any) -> Plan:
    return plan_of(world, project={"charter": CHARTER}, **more)


Both = tuple[Inputs, EngineWork, Path, Plan]


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """Enough users for slices of two values."""
    world = random_world(5, users=2_400)
    root = write_world(world, tmp_path_factory.mktemp("large"))
    plan = _plan(world)
    inputs, work, engine = both(root, plan)
    yield inputs, work, root, plan
    engine.close()


def test_every_product_is_the_same(large: Both) -> None:
    inputs, work, _, _ = large
    assert len(inputs.metrics["opens"].slices) > 10
    assert_same(inputs, work)


def test_it_is_a_work(large: Both) -> None:
    work: Work = large[1]
    assert work.arms == ("control", "treatment", "second")
    assert work.query in large[1].tape.queries


def test_every_number_has_its_query(large: Both) -> None:
    work = large[1]
    made = work.metric("spend")
    assert isinstance(made, MetricWork)
    assert made.cells.query in work.tape.queries
    text = work.tape.queries[made.cells.query or ""][1]
    assert "CREATE TEMP TABLE seen" in text


def test_the_sample_is_the_same_people(large: Both) -> None:
    _, work, root, plan = large
    with connect(plan.project, root) as engine:
        expected = made_by(work_here, engine, plan, everything(plan)).sample()
    found = work.sample()
    assert_sample(found, expected)


@pytest.mark.parametrize("seed", [11, 23])
def test_small_worlds_by_seed(seed: int, tmp_path: Path) -> None:
    world = random_world(seed, users=160)
    inputs, work, engine = both(write_world(world, tmp_path), _plan(world))
    with engine:
        assert_same(inputs, work)


def test_a_launch_for_everyone(tmp_path: Path) -> None:
    world = random_world(7, users=300)
    metrics = {k: m for k, m in world.metrics.items() if "quantile" not in m}
    world = World(world.events, [], world.users, {}, metrics)
    day = (START + timedelta(days=3)).date()
    plan = _plan(world)
    launch = plan.launch.model_dump(exclude_unset=True) | {"design": {"everyone": day}}
    launch = {k: v for k, v in launch.items() if k not in ("arms", "starts")}
    plan = Plan(project=plan.project, launch=type(plan.launch).model_validate(launch))
    inputs, work, engine = both(write_world(world, tmp_path), plan)
    with engine:
        assert_same(inputs, work)


def test_numbers_below_zero_are_cut_and_ranked_alike(tmp_path: Path) -> None:
    world = random_world(3, users=400)
    rng = np.random.default_rng(1)
    events = [
        (*e[:3], None if e[3] is None else float(rng.normal(-2, 20)), *e[4:]) for e in world.events
    ]
    metrics = {"spend": world.metrics["spend"], "spend_cut": world.metrics["spend_cut"]}
    world = World(events, world.exposures, world.users, {}, metrics)
    inputs, work, engine = both(write_world(world, tmp_path), plan_of(world))
    with engine:
        assert inputs.tails["spend"].top.shape == (3, 50)
        assert_same(inputs, work)


def test_a_window_that_nobody_has_ended(tmp_path: Path) -> None:
    world = random_world(3, users=80)
    world = World(
        world.events, world.exposures, world.users, {}, {"far": {"count": "open", "window": "90d"}}
    )
    needs = Needs(totals=frozenset({"far"}))
    inputs, work, engine = both(write_world(world, tmp_path), plan_of(world), needs)
    with engine:
        assert work.metric("far") == inputs.absent["far"]
