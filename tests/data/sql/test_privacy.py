"""Of users, nothing but the sample leaves the engine, and no query's text names one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from octad.data.connect import connect
from octad.data.sql.work import EngineWork
from octad.data.tape import Tape
from tests.data.small import plan_of, random_world, write_world
from tests.data.sql.both import everything, in_engine

SAMPLED = {
    "the team",
    "the sampled users",
    "events of a sample of users, in order",
}


def test_only_the_samples_rows_come_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = random_world(9, users=300)
    plan = plan_of(world)
    came: list[tuple[str, pa.Table]] = []
    read = Tape.read

    def watched(self: Tape, what: str, expr: Any) -> tuple[pa.Table, str]:
        rows, key = read(self, what, expr)
        came.append((what, rows))
        return rows, key

    monkeypatch.setattr(Tape, "read", watched)
    with connect(plan.project, write_world(world, tmp_path)) as engine:
        work = in_engine(engine, plan, everything(plan))
        _everything_of(work)
    people = {what for what, rows in came if {"uid", "user"} & set(rows.column_names)}
    assert people - {"users' numbers"} == SAMPLED
    assert not any(rows.num_rows for what, rows in came if what == "users' numbers")
    ids = {user for user, *_ in world.users}
    for what, rows in came:
        if what not in SAMPLED:
            texts = [c for c in rows.columns if pa.types.is_string(c.type)]
            assert not any(ids & set(c.to_pylist()) for c in texts), what
    for what, text in work.tape.queries.values():
        assert "-é付" not in text, what


def _everything_of(work: EngineWork) -> None:
    for name in (*work.request.recipes, *work.request.funnels, *work.request.quantiles):
        work.metric(name)
    for product in (work.daily, work.retention, work.volume, work.jobs, work.errors, work.sample):
        product()
