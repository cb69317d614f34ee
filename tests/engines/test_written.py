"""Times written as words, read alike by every engine; what is not sure to be is refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pytest

from octad.data.connect import connect
from octad.data.engines.base import RefusedError
from octad.data.times import TimeRule, time_rule, to_utc
from tests.engines.conftest import Place
from tests.engines.test_refusals import project

# py4j and Spark leave the sockets they read from to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed.*socket:ResourceWarning")

ISO = (
    "2026-03-01",
    " 2026-03-01 ",
    "2024-02-29",
    "2023-02-29",
    "1900-02-29",
    "2000-02-29 23:59:59",
    "1969-12-31 23:59:59",
    "2026-04-31",
    "2026-02-30 10:00:00",
    "2026-03-01 12:00",
    "2026-03-01T12:00:05",
    "2026-03-01 12:00:05.1",
    "2026-03-01 12:00:05.1234567",
    "2026-03-01 12:00:05.999999999",
    None,
    "",
    "NULL",
    "yesterday",
)
ZONED = (
    "2026-03-01 12:00:05Z",
    "2026-03-01 12:00:05 UTC",
    "2026-03-01 12:00:05+07",
    "2026-03-01 12:00:05+0700",
    "2026-03-01 12:00:05-07:30",
    "2026-03-01T12:00:05.123+0700",
    "2026-03-01 12:00:05.5 UTC",
    "2026-12-31T23:59:59.123456-03:30",
)
COLUMNS: dict[str, tuple[str | None, ...]] = {
    "iso": ISO,
    "zoned": ZONED,
    "both": ISO + ZONED,
    "seconds": ("1767225768", "1767225768.5", "1767225768.123456", None, "2026-03-01", "-"),
    "milliseconds": ("1767225768053", "1767225768053.5", "999999999", "-1767225768053"),
    "microseconds": ("1767225768053001", "1767225768053002"),
    "nanoseconds": ("1767225768053001999", "1767225768053002001"),
}


ZONES = (None, "Asia/Jakarta", "America/New_York")
REFUSED = (
    "1/9/2026",
    "2026-3-1",
    "2026/03/01",
    "20260301",
    "1 March 2026",
    "2026-03-01 24:00:00",
    "2026-03-01 12:00:05+07:30:15",
    "12345678901234567890",
)


def _read(table: ir.Table, column: str, zone: str | None) -> tuple[list[Any], TimeRule]:
    rule = time_rule(table, table[column], column, zone)
    found = table.select("n", at=to_utc(table[column], rule)).order_by("n").to_pyarrow()
    return found["at"].to_pylist(), rule


def _rows(columns: Mapping[str, tuple[str | None, ...]]) -> pa.Table:
    most = max(map(len, columns.values()))
    filled = {name: [*cells, *[None] * (most - len(cells))] for name, cells in columns.items()}
    return pa.table({"n": range(most)} | {n: pa.array(v, pa.string()) for n, v in filled.items()})


def test_an_engine_reads_the_times_that_duckdb_reads(other: Place, tmp_path: Path) -> None:
    rows = _rows(COLUMNS)
    own = ibis.memtable(rows)
    with connect(project(other), tmp_path) as engine:
        laid = engine.backend.create_table("written_times", rows, temp=True, overwrite=True)
        for column in COLUMNS:
            for zone in ZONES if column == "both" else ZONES[:2]:
                truth, known = _read(own, column, zone)
                found, rule = _read(laid, column, zone)
                assert found == truth, (column, zone)
                assert (rule.notes, rule.zoned, rule.numbers) == (
                    known.notes,
                    known.zoned,
                    known.numbers,
                )
                assert any(found)


def test_what_might_be_read_otherwise_is_refused(other: Place, tmp_path: Path) -> None:
    rows = _rows({f"t{i}": ("2026-03-01", cell) for i, cell in enumerate(REFUSED)})
    with connect(project(other), tmp_path) as engine:
        laid = engine.backend.create_table("written_times", rows, temp=True, overwrite=True)
        for i in range(len(REFUSED)):
            said = rf"'t{i}': on .*2026-03-01 12:00:05 \(ISO 8601\)"
            with pytest.raises(RefusedError, match=said):
                time_rule(laid, laid[f"t{i}"], f"t{i}", None)
