"""`octad check` and `octad plan` on every engine, beside the same on DuckDB."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from octad.lifecycle.session import Session
from tests.engines import shop
from tests.engines.conftest import Place, Places
from tests.engines.same import differences

# py4j and Spark leave the sockets they read from to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed.*socket:ResourceWarning")

# How an engine estimates how many different values there are is its own affair; `files` is how
# many it read, and a table is none.
OWN = frozenset({"kinds", "files", "table", "rejects", "columns", "warnings"})
ASSUMED = "'ts' carries no time zone; read as UTC"


def _both(place: Place, root: Path) -> dict[str, Any]:
    session = Session(shop.write_project(root, place.connection, place.tables))
    checked = session.check()
    return {
        "check": checked.intake,
        # ClickHouse's times are moments in any case, so nothing is assumed of them.
        "warnings": {n: set(i.warnings) - {ASSUMED} for n, i in checked.intake.items()},
        "columns": {
            name: {(note.name, note.kind, note.empty) for note in notes}
            for name, notes in checked.columns.items()
        },
        "doubts": [str(doubt) for doubt in checked.doubts],
        "plan": session.plan("x"),
    }


@pytest.fixture(scope="module")
def truth(places: Places, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return _both(places["duckdb"], tmp_path_factory.mktemp("truth"))


def test_check_and_plan_say_the_same(truth: dict[str, Any], other: Place, tmp_path: Path) -> None:
    found = _both(other, tmp_path)
    assert not differences(truth["check"], found["check"], leave=OWN)
    assert found["warnings"] == truth["warnings"]
    assert found["columns"] == truth["columns"]
    assert found["doubts"] == truth["doubts"]
    assert not differences(truth["plan"], found["plan"])
