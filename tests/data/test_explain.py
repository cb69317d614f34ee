"""`explain` reads no row of events, and what it foretells is what the review then reports."""

# ruff: noqa: S608 - the folders are the test's own
from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from octad.data import prints
from octad.data.connect import connect
from octad.data.explain import explain
from octad.data.gather import gather
from octad.lifecycle.review import needs_of
from octad.model.plan import Plan
from octad.project.load import load_plan

PROJECT = """
product: Small
charter:
  jobs: {pay: {events: [pay], core: true}}
  errors: [crash]
sources:
  events: {table: data/events/*.parquet, user: user_id, time: ts, event: name, value: amount}
  users: {table: data/users.parquet, user: user_id, attributes: [region]}
  exposures: {table: data/exposures.KIND, user: user_id, time: ts, launch: launch, arm: arm}
metrics:
  opens: {count: open, window: 3d}
  spend: {sum: amount, of: pay, where: amount > 1}
  slow: {quantile: 0.9, of: wait_ms, on: open}
  through: {funnel: [open, pay]}
"""
LAUNCH = """
launch: small
arms: {control: "off", treatment: "on"}
starts: 2026-03-03
kpi: opens
results: {spend: 2%}
guardrails: {slow: 5%, through: 5%}
"""


def _project(folder: Path, days: int, kind: str = "parquet") -> Path:
    (folder / "data" / "events").mkdir(parents=True)
    (folder / "launches").mkdir()
    (folder / "octad.yml").write_text(PROJECT.replace("KIND", kind))
    (folder / "launches" / "small.yml").write_text(LAUNCH)
    con = duckdb.connect()
    for day in range(days):
        _day(folder, day)
    con.execute(
        "COPY (SELECT 'u' || range AS user_id, if(range % 2 = 0, 'on', 'off') AS arm, "
        "'small' AS launch, TIMESTAMP '2026-03-03' + to_seconds(range) AS ts FROM range(300)) "
        f"TO '{folder}/data/exposures.{kind}'"
    )
    con.execute(
        "COPY (SELECT 'u' || range AS user_id, 'r' || range % 3 AS region FROM range(300)) "
        f"TO '{folder}/data/users.parquet'"
    )
    return folder


def _day(folder: Path, day: int) -> None:
    start = datetime(2026, 3, 1) + timedelta(days=day)  # noqa: DTZ001 - as files have it
    duckdb.connect().execute(
        "COPY (SELECT 'u' || range % 300 AS user_id, ['open', 'pay', 'crash'][1 + range % 3] AS "
        "name, range % 7 / 2.0 AS amount, (range % 11)::DOUBLE AS wait_ms, 'x' AS unused, "
        f"TIMESTAMP '{start}' + to_seconds(range * 30) AS ts FROM range(2000)) "
        f"TO '{folder}/data/events/d{day:02d}.parquet' (ROW_GROUP_SIZE 2048)"
    )


def _plan(folder: Path) -> Plan:
    return load_plan(folder, "small").plan


def _gather(folder: Path) -> tuple[int, set[str], list[tuple[str, int | None]]]:
    plan = _plan(folder)
    with connect(plan.project, folder) as engine:
        inputs = gather(engine, plan, needs_of(plan))
    scanned, stages = inputs.cost
    return scanned, {what for what, _ in inputs.queries.values()}, [(n, r) for n, _, r in stages]


def test_what_is_foretold_is_what_is_reported(tmp_path: Path) -> None:
    folder = _project(tmp_path, 8)
    told = explain(folder, _plan(folder), needs_of(_plan(folder)))
    scanned, queries, stages = _gather(folder)
    assert told.rows == scanned > 0
    assert {query.what for query in told.queries.values()} == queries
    assert [(s.name, s.rows) for s in told.stages] == stages
    assert told.kept_from is None
    assert told.notes == ()


def test_the_files_accounts_tell_rows_and_bytes_of_the_columns_used(tmp_path: Path) -> None:
    folder = _project(tmp_path, 2)
    told = explain(folder, _plan(folder), needs_of(_plan(folder)))
    events = next(s for s in told.sources if s.name == "events")
    assert (events.rows, events.files, events.files_kept) == (4000, 2, 0)
    assert set(events.columns) == {"user_id", "ts", "name", "amount", "wait_ms"}
    size = 0
    for path in (folder / "data" / "events").glob("*.parquet"):
        group = pq.read_metadata(path).row_group(0)
        columns = [group.column(i) for i in range(group.num_columns)]
        size += sum(c.total_compressed_size for c in columns if c.path_in_schema != "unused")
    assert events.bytes == size


def test_what_was_kept_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A file as young as these may still change unseen, and is not trusted by its state alone.
    monkeypatch.setattr(prints, "_GRAIN", 0)
    folder = _project(tmp_path, 8)
    _gather(folder)
    again = explain(folder, _plan(folder), needs_of(_plan(folder)))
    events = next(s for s in again.sources if s.name == "events")
    assert (events.files_kept, events.rows) == (8, 0)
    assert again.kept_from == "2026-03-08"
    _day(folder, 8)
    more = explain(folder, _plan(folder), needs_of(_plan(folder)))
    scanned, _, stages = _gather(folder)
    assert ("reading 1 new file of 9", 2000) in [(s.name, s.rows) for s in more.stages]
    assert ("reading 1 new file of 9", 2000) in stages
    assert more.rows == scanned


def test_no_row_of_events_is_read(tmp_path: Path) -> None:
    """The files' rows are overwritten with noise; only their account at the end is whole."""
    folder = _project(tmp_path, 3)
    for path in (folder / "data" / "events").glob("*.parquet"):
        content = bytearray(path.read_bytes())
        footer = int.from_bytes(content[-8:-4], "little") + 8
        content[4:-footer] = b"\xa5" * (len(content) - footer - 4)
        path.write_bytes(content)
    told = explain(folder, _plan(folder), needs_of(_plan(folder)))
    assert told.sources[0].rows == 6000
    assert told.queries
    assert not (folder / ".octad").exists()


def test_queries_name_the_projects_own_files(tmp_path: Path) -> None:
    folder = _project(tmp_path, 2)
    told = explain(folder, _plan(folder), needs_of(_plan(folder)))
    sql = "\n".join(query.sql for query in told.queries.values())
    assert "'data/events/*.parquet'" in sql
    assert not re.search(r"'(events|users|exposures)\.parquet'", sql)
    assert str(tmp_path) not in sql


def test_text_files_do_not_tell_their_rows(tmp_path: Path) -> None:
    folder = _project(tmp_path, 2, kind="csv")
    told = explain(folder, _plan(folder), needs_of(_plan(folder)), as_of=date(2026, 3, 4))
    exposures = next(s for s in told.sources if s.name == "exposures")
    assert exposures.rows is None
    assert not exposures.exact
    assert exposures.bytes == (folder / "data" / "exposures.csv").stat().st_size
    assert told.queries


@pytest.mark.parametrize("name", ["octad'; DROP TABLE x; --.parquet", "a[1] \\1.parquet"])
def test_a_hostile_file_name_is_written_as_it_is(tmp_path: Path, name: str) -> None:
    folder = _project(tmp_path, 2)
    (folder / "data" / "users.parquet").rename(folder / "data" / name)
    quoted = name.replace("\\", "\\\\")
    text = (folder / "octad.yml").read_text().replace("data/users.parquet", f'"data/{quoted}"')
    (folder / "octad.yml").write_text(text)
    told = explain(folder, _plan(folder), needs_of(_plan(folder)))
    sql = "\n".join(query.sql for query in told.queries.values())
    assert "'data/" + name.replace("'", "''") + "'" in sql


def test_who_is_tied_to_whom_is_foretold_too(tmp_path: Path) -> None:
    _project(tmp_path, 4)
    text = (tmp_path / "octad.yml").read_text()
    links = "  links: {table: data/links.csv, user: a, other: b}\nmetrics:"
    (tmp_path / "octad.yml").write_text(text.replace("metrics:", links, 1))
    rows = "\n".join(f"u{i},u{i + 1}" for i in range(290))
    (tmp_path / "data" / "links.csv").write_text(f"a,b\n{rows}\n")
    plan = _plan(tmp_path)
    told = explain(tmp_path, plan, needs_of(plan))
    assert [s.columns for s in told.sources if s.name == "links"] == [("a", "b")]
    assert {q.what for q in told.queries.values()} >= {"who is tied to whom"}
    with connect(plan.project, tmp_path) as engine:
        inputs = gather(engine, plan, needs_of(plan))
    assert "following who is tied to whom" in [stage for stage, _, _ in inputs.cost[1]]
    assert "following who is tied to whom" in [stage.name for stage in told.stages]
