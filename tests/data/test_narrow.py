"""Where little is asked, little is read; what is found is what a whole review finds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from octad.data.bands import TENURE, USE
from octad.model.inputs import Inputs, MetricCells
from octad.model.needs import Needs
from tests.data.small import DAY, START, World, gathered, plan_of, random_world, write_world

SUMS = ("opens", "opens_36h", "big", "spend", "paid", "back", "crash_rate", "never")


@pytest.fixture(scope="module")
def world() -> World:
    return random_world(23, users=2_000)


@pytest.fixture(scope="module")
def folder(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_world(world, tmp_path_factory.mktemp("narrow"))


@pytest.fixture(scope="module")
def whole(world: World, folder: Path) -> Inputs:
    every = frozenset(world.metrics)
    needs = Needs(totals=every, sliced=every, retention=True, volume=True, exposure=True)
    return gathered(folder, plan_of(world), needs)


def _same(one: MetricCells, two: MetricCells) -> None:
    """Everyone's cells, number for number."""
    for name in ("n", "mean", "comoment"):
        assert np.array_equal(getattr(one.moments, name)[0], getattr(two.moments, name)[0])
    assert one.paired == two.paired


@pytest.mark.parametrize("name", SUMS)
def test_a_metric_alone_is_as_in_a_whole_review(
    world: World, folder: Path, whole: Inputs, name: str
) -> None:
    alone = gathered(folder, plan_of(world), Needs(totals=frozenset({name})))
    _same(alone.metrics[name], whole.metrics[name])
    sql = " ".join(text for what, text in alone.queries.values() if what.startswith("events of"))
    assert "IN ('" in sql
    assert alone.exposure is not None
    assert alone.exposure.by_attribute == {}


@pytest.mark.parametrize("name", ["through", "wait"])
def test_funnels_and_quantiles_alone_are_as_in_a_whole_review(
    world: World, folder: Path, whole: Inputs, name: str
) -> None:
    alone = gathered(folder, plan_of(world), Needs(totals=frozenset({name}))).metrics[name]
    _same(alone, whole.metrics[name])
    if name == "wait":
        one, two = alone.quantiles, whole.metrics[name].quantiles
        assert one is not None
        assert two is not None
        assert one.value.tolist() == two.value.tolist()


def test_segments_of_attributes_alone_leave_use_out(
    world: World, folder: Path, whole: Inputs
) -> None:
    one = frozenset({"opens"})
    found = gathered(folder, plan_of(world), Needs(attributed=one)).metrics["opens"]
    _same(found, whole.metrics["opens"])
    cells = whole.metrics["opens"]
    slices = {s.values: i for i, s in enumerate(cells.slices)}
    assert len(found.slices) > 4
    for i, one_slice in enumerate(found.slices):
        assert not {TENURE, USE} & {name for name, _ in one_slice.values}
        there = cells.totals[slices[one_slice.values]]
        assert np.array_equal(found.totals[i].n, there.n)
        assert np.allclose(found.totals[i].mean, there.mean, rtol=1e-12)


def test_a_past_of_other_events_is_a_past(world: World, tmp_path: Path) -> None:
    """No user opened anything before exposure, but they did other things, or nothing at all."""
    arms = world.arms()

    def early(user: str, at: object) -> bool:
        return user in arms and bool(at < arms[user][1])  # type: ignore[operator]

    kept = [e for e in world.events if not (early(e[0], e[1]) and e[2] == "open")]
    none = [e for e in world.events if not early(e[0], e[1])]
    for place, (events, paired) in enumerate(((kept, True), (none, False))):
        root = tmp_path / str(place)
        root.mkdir()
        write_world(replace(world, events=events), root)
        one = gathered(root, plan_of(world), Needs(totals=frozenset({"opens"})))
        assert one.metrics["opens"].paired is paired


def test_long_before_anybody_counts_nothing_is_read(
    world: World, tmp_path: Path, whole: Inputs
) -> None:
    old = [("u1", START - 400 * DAY, "open", 1.0, 1.0, None)] * 50
    write_world(replace(world, events=[*world.events, *old]), tmp_path)
    needs = Needs(totals=frozenset({"opens"}), exposure=True)
    found = gathered(tmp_path, plan_of(world), needs)
    _same(found.metrics["opens"], whole.metrics["opens"])
    assert any("MAKE_TIMESTAMP(" in text for _, text in found.queries.values())
