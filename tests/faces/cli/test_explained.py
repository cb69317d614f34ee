"""What `--explain` prints, and that it logs no look."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from octad.faces.cli.app import app
from octad.faces.cli.explained import show
from octad.faces.terminal import make_console
from octad.model.explanation import Explanation, SourcePlan, StagePlan
from octad.model.review import QueryRecord

EVENTS = SourcePlan(
    name="events",
    table="data/\x1b[2Jevents/*.parquet",
    kind="parquet",
    files=57,
    files_kept=56,
    rows=350_000,
    rows_all=20_000_000,
    bytes=6_250_000,
    columns=("user_id", "ts"),
)
FOUND = Explanation(
    octad="1",
    launch="circles",
    engine="DuckDB",
    kept_from="2026-03-28",
    rows=350_000,
    sources=(EVENTS,),
    stages=(
        StagePlan(name="opening the sources", rows=12_000),
        StagePlan(name="reading 1 new file of 57", rows=350_000, of="events"),
    ),
    queries={
        "a1": QueryRecord(what="users by arm", sql="CREATE VIEW v AS SELECT 1;\n\nSELECT 2;"),
        "b2": QueryRecord(what="events", sql="CREATE VIEW v AS SELECT 1;\n\nSELECT '\x1b[31m';"),
    },
    notes=("How many are new, the exposures tell.",),
)


def _shown(found: Explanation) -> str:
    sink = io.StringIO()
    show(found, make_console(sink, width=100))
    return sink.getvalue()


def test_it_says_what_is_new_and_what_will_be_read() -> None:
    text = _shown(FOUND)
    assert "1 of 57 files new  350,000 rows  6.25 MB" in text
    assert "Kept from the look at 2026-03-28" in text
    assert "  1  opening the sources, 12,000 rows\n" in text
    assert "  2  reading 1 new file of 57, 350,000 rows of events" in text
    assert "350,000 rows will be read in all." in text


def test_a_statement_that_several_queries_build_on_is_shown_once() -> None:
    text = _shown(FOUND)
    assert text.count("CREATE VIEW v") == 1
    assert "SELECT 2;" in text


def test_hostile_text_reaches_no_terminal() -> None:
    assert "\x1b" not in _shown(FOUND)


SMALL = """
product: Small
sources:
  events: {table: events.csv, user: user_id, time: ts, event: name}
  exposures: {table: exposures.csv, user: user_id, time: ts, arm: arm}
metrics:
  opens: {count: open}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "launches").mkdir()
    (tmp_path / "octad.yml").write_text(SMALL)
    (tmp_path / "launches" / "small.yml").write_text(
        'launch: small\narms: {control: "off", treatment: "on"}\nstarts: 2026-03-01\nkpi: opens\n'
    )
    (tmp_path / "events.csv").write_text("user_id,ts,name\na,2026-03-02,open\n")
    (tmp_path / "exposures.csv").write_text("user_id,ts,arm\na,2026-03-01,on\nb,2026-03-01,off\n")
    return tmp_path


def test_the_command_logs_no_look_and_leaves_nothing(project: Path) -> None:
    before = sorted(path.name for path in project.rglob("*"))
    shown = CliRunner().invoke(app, ["-C", str(project), "review", "small", "--explain"])
    assert shown.exit_code == 0, shown.output
    assert "rows unknown" in shown.output
    assert sorted(path.name for path in project.rglob("*")) == before


def test_programs_get_the_same(project: Path) -> None:
    line = ["-C", str(project), "review", "small", "--explain", "--format", "json"]
    shown = CliRunner().invoke(app, line)
    assert shown.exit_code == 0, shown.output
    found = Explanation.model_validate(json.loads(shown.output))
    assert found.launch == "small"
    assert {source.name for source in found.sources} == {"events", "exposures"}
    assert found.queries
