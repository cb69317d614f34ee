"""Who is tied to whom: from files to what those do whose friends have the launch."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from octad.data.population import Frame, Population
from octad.data.reach import chances
from octad.model.inputs import Exposure, Inputs
from octad.model.needs import Needs
from octad.model.plan import Launch, Plan, Project
from octad.stats.spillover import Spillover
from tests.data.small import DAY, START, World, gathered, plan_of, write_world

USERS = 1_200
ASKED = Needs(totals=frozenset({"pays", "rate"}), reach=frozenset({"pays", "rate", "wait"}))
METRICS: dict[str, dict[str, Any]] = {
    "pays": {"count": "pay", "window": "7d"},
    "rate": {"ratio": ["pay", "open"], "window": "7d"},
    "wait": {"quantile": 0.9, "of": "wait", "on": "open"},
}


def _lived(slope: float) -> tuple[World, list[tuple[str, str]]]:
    """Users on a ring, each tied to the six around them; those who have it drive friends off."""
    rng = np.random.default_rng(7)
    arm = (rng.random(USERS) < 0.5).astype(int)
    steps = np.array([1, 2, 3])
    pairs = [(i, int((i + s) % USERS)) for i in range(USERS) for s in steps]
    around = np.zeros(USERS)
    for a, b in pairs:
        around[a] += arm[b] / 6
        around[b] += arm[a] / 6
    events: list[Any] = []
    for i in range(USERS):
        use = rng.gamma(4, 1)
        for name, mean, when in (
            ("open", 4.0, 1),
            ("pay", use, -8),
            ("pay", use * (1 + slope * around[i]), 1),
        ):
            for _ in range(int(rng.poisson(mean))):
                at = START + when * DAY + timedelta(minutes=int(rng.integers(0, 7_000)))
                events.append((f"u{i}", at, name, 1.0, 1.0, None))
    # Life goes on, or the last day would look like a clock that runs ahead.
    events += [("nobody", START + k * DAY / 9, "open", 1.0, 1.0, None) for k in range(9 * 28)]
    exposures = [(f"u{i}", START + DAY, ["off", "on"][arm[i]]) for i in range(USERS)]
    launch = {"arms": {"control": "off", "treatment": "on"}}
    world = World(events, exposures, [("x", None, None, True)], launch, metrics=METRICS)
    return world, [(f"u{a}", f"u{b}") for a, b in pairs]


def _read(root: Path, slope: float, rows: list[str] | None = None, header: str = "") -> Inputs:
    world, pairs = _lived(slope)
    write_world(world, root)
    lines = [",".join(pair) for pair in pairs] if rows is None else rows
    text = "\n".join([header or "user_id,other_id", *lines])
    (root / "data" / "links.csv").write_text(text + "\n")
    plan = plan_of(world)
    links = {"links": {"table": "data/links.csv"}}
    sources = plan.project.sources.model_validate(
        plan.project.sources.model_dump(exclude_none=True) | links
    )
    plan = plan.model_copy(update={"project": plan.project.model_copy(update={"sources": sources})})
    return gathered(root, plan, ASKED)


def test_what_friends_lose_is_found_without_reading_the_events_again(tmp_path: Path) -> None:
    inputs = _read(tmp_path, -0.6)
    reach = inputs.reach
    assert reach is not None
    assert reach.by_chance is not None
    assert (reach.ties, reach.late, reach.unread) == (3 * USERS, 0, "")
    assert reach.by_chance.p > 0.001
    pays = reach.metrics["pays"]
    assert isinstance(pays, Spillover)
    assert pays.relative == pytest.approx(-0.6, abs=4 * pays.se / 4)
    assert pays.p < 0.001
    assert reach.before["pays"].p > 0.001
    # A ratio is a number per user too; a quantile is not, and is left out.
    assert isinstance(reach.metrics["rate"], Spillover)
    assert "wait" not in reach.metrics
    _, stages = inputs.cost
    assert sum("events" in stage for stage, _, _ in stages) == 1


def test_the_sums_are_those_of_every_user(tmp_path: Path) -> None:
    inputs = _read(tmp_path, 0.0)
    assert inputs.reach is not None
    pays = inputs.reach.metrics["pays"]
    assert isinstance(pays, Spillover)
    assert sum(pays.n) == USERS
    mean = inputs.metrics["pays"].totals.mean[0, :, 0]
    # Both adjust for the past, in which the arms differ a little.
    assert pays.direct == pytest.approx(mean[1] / mean[0] - 1, abs=0.1)
    assert pays.p > 0.001


def test_ties_no_older_than_the_launch_are_left_out(tmp_path: Path) -> None:
    rows = ["u1,u2,2026-02-01", "u2,u3,2026-03-01", "u3,u4,2026-03-09", "u4,u5,"]
    inputs = _read(tmp_path, 0.0, rows, "user_id,other_id,since")
    assert inputs.reach is not None
    assert (inputs.reach.ties, inputs.reach.late) == (2, 2)
    few = "too few users of a side have a friend in the experiment (1)"
    assert inputs.reach.metrics["pays"] == few


def test_ties_of_strangers_are_told(tmp_path: Path) -> None:
    inputs = _read(tmp_path, 0.0, ["a,b", "u1,b", "u1,u1"])
    assert inputs.reach is not None
    assert inputs.reach.unread == "no tie of sources.links joins two users of the experiment"


def _people(exposed: np.ndarray[Any, Any], arm: np.ndarray[Any, Any]) -> Population:
    frame = Frame(START.replace(tzinfo=None), 0, 0, 0, final=True)
    none = Exposure(np.zeros(2, int), np.zeros(0, "datetime64[D]"), np.zeros((0, 2), int))
    day = 86_400_000_000
    made: Any = None
    return Population(made, ("off", "on"), arm, arm * 0, exposed * day, none, frame)


def test_a_split_opened_by_steps_gives_each_day_its_chance() -> None:
    rng = np.random.default_rng(1)
    exposed = np.repeat([0, 1, 2, 3], [5_000, 5_000, 100, 100])
    arm = (rng.random(len(exposed)) < np.where(exposed == 0, 0.1, 0.5)).astype(np.int64)
    chance = chances(_people(exposed, arm))
    assert chance[0] == pytest.approx(arm[:5_000].mean())
    # The last two days are too few to be days of their own.
    assert len(np.unique(chance)) == 2
    assert chance[-1] == pytest.approx(arm[5_000:].mean())
    assert chance.mean() == pytest.approx(arm.mean())


def test_a_few_users_are_one_day() -> None:
    arm = np.array([0, 1, 1, 1])
    assert chances(_people(np.array([0, 5, 9, 9]), arm)).tolist() == [0.75] * 4


def test_ties_beside_one_row_a_user_are_refused_by_name(tmp_path: Path) -> None:
    rows = [f"u{i},{('off', 'on')[i % 2]},1" for i in range(18)]
    (tmp_path / "u.csv").write_text("\n".join(["user,arm,kept", *rows]) + "\n")
    (tmp_path / "l.csv").write_text("user_id,other_id\nu1,u2\n")
    project = Project.model_validate(
        {
            "product": "P",
            "sources": {"units": {"table": "u.csv"}, "links": {"table": "l.csv"}},
            "metrics": {"kept": {"column": "kept"}},
        }
    )
    launch = Launch(launch="x", arms={"control": "off", "treatment": "on"}, kpi="kept")
    found = gathered(
        tmp_path, Plan(project=project, launch=launch), Needs(reach=frozenset({"kept"}))
    )
    assert found.reach is not None
    assert "not read with a table of one row a user" in found.reach.unread
