"""What a Parquet file's footer proves of its rows, and what it cannot."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from octad.data.footers import Proof, proven
from octad.data.sources import open_sources
from tests.data import exports

DAY = datetime(2026, 3, 1)  # noqa: DTZ001 - times without a zone, as Octad keeps them
PROOF = Proof(
    words=frozenset({"user"}),
    counted=frozenset({"event"}),
    whole=frozenset(),
    times=frozenset({"at"}),
)


def _file(path: Path, **columns: object) -> Path:
    whole = {"user": ["u1", "u2"], "event": ["open", "pay"], "at": [DAY, DAY]} | columns
    pq.write_table(pa.table(whole), path)
    return path


def test_rows_that_are_all_in_are_proven(tmp_path: Path) -> None:
    assert proven(_file(tmp_path / "e.parquet"), PROOF)


@pytest.mark.parametrize(
    "columns",
    [
        {"user": ["u1", None]},
        {"user": ["", "u2"]},
        {"user": ["amy", "zoe"]},  # `nan` may lie between
        {"event": ["open", None]},
        {"at": [DAY, None]},
        {"at": [DAY, datetime(1970, 1, 1)]},  # noqa: DTZ001
        {"at": [DAY, datetime(2150, 1, 1)]},  # noqa: DTZ001
        {"user": [1, 2]},
        {"at": ["2026-03-01", "2026-03-02"]},
    ],
)
def test_what_may_be_out_is_not_proven(tmp_path: Path, columns: dict[str, object]) -> None:
    assert not proven(_file(tmp_path / "e.parquet", **columns), PROOF)


def test_a_column_that_is_not_there_and_a_file_that_is_none_prove_nothing(tmp_path: Path) -> None:
    pq.write_table(pa.table({"user": ["u1"]}), tmp_path / "few.parquet")
    (tmp_path / "none.parquet").write_bytes(b"PAR1")
    assert not proven(tmp_path / "few.parquet", PROOF)
    assert not proven(tmp_path / "none.parquet", PROOF)


def test_no_statistics_prove_nothing(tmp_path: Path) -> None:
    table = pa.table({"user": ["u1"], "event": ["open"], "at": [DAY]})
    pq.write_table(table, tmp_path / "e.parquet", write_statistics=False)
    assert not proven(tmp_path / "e.parquet", PROOF)


@pytest.mark.parametrize("broken", ["", "null", "N/A"])
def test_files_are_counted_alike_whether_proven_or_looked_at(tmp_path: Path, broken: str) -> None:
    """The second file has one event without a name, and the first proves itself."""
    times = [datetime(2026, 3, d, h) for d in (1, 2) for h in (13, 14)]  # noqa: DTZ001
    for name, last in (("a", "pay"), ("b", broken)):
        table = {
            "user": ["u1", "u2", "u3", "u4"],
            "time": times,
            "event": ["open", "open", "pay", last],
            "value": [1.0, None, float("inf"), 2.0],
        }
        pq.write_table(pa.table(table), tmp_path / f"{name}.parquet")
    project = exports.project({"events": {"table": "*.parquet", "value": "value"}})
    with exports.engine(tmp_path) as engine:
        tables = open_sources(engine, project)
        first, second = tables.files["events"].receipts
        events = tables.events
        assert events is not None
        rows = events.order_by("time").to_pyarrow().to_pylist()
    assert [(c.day, c.late, c.rows, c.endless) for c in first.cells] == [
        (times[0].date(), False, 1, 0),
        (times[0].date(), True, 1, 0),
        (times[2].date(), False, 1, 1),
        (times[2].date(), True, 1, 0),
    ]
    assert [c.first for c in first.cells] == times
    assert first.names == {"open": 2, "pay": 2}
    assert second.names == {"open": 2, "pay": 1}
    assert [(r.reason, r.rows) for r in second.rejects] == [("no event", 1)]
    assert len(rows) == 7
    assert {r["event"] for r in rows} == {"open", "pay"}
    assert [r["value"] for r in rows if r["user"] == "u3"] == [None, None]
