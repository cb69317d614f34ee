"""Numbers and JSON in words: what every engine finds as DuckDB does, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pytest

from octad.data.columns import as_text, column, number
from octad.data.connect import connect
from octad.data.engines.base import RefusedError
from octad.data.expression import condition
from octad.data.numbers import as_number, number_rule
from tests.engines.conftest import Place
from tests.engines.test_refusals import project

# py4j and Spark leave the sockets they read from to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed.*socket:ResourceWarning")

JSON = (
    '{"plan": "pro", "amount": 12, "$os": "iOS", "device": {"model name": "it\'s \\"x\\""}}',
    '{"plan": "free", "amount": 2.5, "new": true, "device": {"model name": null}}',
    '{"plan": null, "amount": "7.25", "new": false, "device": {}}',
    '{"plan": "\\u4ed8 caf\\u00e9", "amount": "a lot", "device": "none"}',
    '{"plan": 12345678901, "amount": -1.5e2}',
    "{}",
    "[1, 2]",
    None,
)
BROKEN = ("", "no JSON", '{"plan": "pro"')
WORDS = ("plan", "$os", "new", "device.model name", "device.absent")


def _answers(table: ir.Table) -> dict[str, list[Any]]:
    asked: dict[str, Any] = {word: as_text(column(table, f"props.{word}")) for word in WORDS}
    asked["amount"] = number(column(table, "props.amount"))
    asked["met"] = condition(table, 'props.plan == "pro" and props.amount > 5')
    asked["new or not"] = condition(table, "props.new")
    found = table.select("n", **asked).order_by("n").to_pyarrow()
    return {name: found[name].to_pylist() for name in asked}


def _rows(cells: tuple[str | None, ...]) -> pa.Table:
    return pa.table({"n": range(len(cells)), "props": pa.array(cells, pa.string())})


def test_an_engine_finds_in_json_what_duckdb_finds(other: Place, tmp_path: Path) -> None:
    # A column of JSON holds no text that is none.
    cells = JSON if other.kind == "postgres" else JSON + BROKEN
    truth = _answers(ibis.memtable(_rows(cells)))
    with connect(project(other), tmp_path) as engine:
        laid = engine.backend.create_table("props", _rows(cells), temp=True, overwrite=True)
        if other.kind == "postgres":
            con = engine.backend.con
            con.execute(
                "CREATE TEMPORARY TABLE typed AS SELECT n, props::jsonb AS props FROM props"
            )
            laid = engine.backend.table("typed")
        found = _answers(laid)
    assert found == truth
    assert truth["amount"][:5] == [12, 2.5, 7.25, None, -150]
    assert truth["met"][0]


@pytest.mark.parametrize("path", ["items.0", "it's", "a.*"])
def test_keys_that_engines_take_otherwise_are_refused(
    other: Place, path: str, tmp_path: Path
) -> None:
    with connect(project(other), tmp_path) as engine:
        laid = engine.backend.create_table("props", _rows(JSON), temp=True, overwrite=True)
        with pytest.raises(RefusedError, match="look into a column that holds several things"):
            column(laid, f"props.{path}")


FIGURES = ("12", "-3.5", " 7 ", "1e3", ".5", "5.", "+2", "", "NULL", None)


def test_an_engine_reads_the_numbers_that_duckdb_reads(other: Place, tmp_path: Path) -> None:
    def read(table: ir.Table) -> list[Any]:
        rule = number_rule(table, table["props"], "props")
        found = table.select("n", v=as_number(table["props"], rule)).order_by("n")
        return list(found.to_pyarrow()["v"].to_pylist())

    truth = read(ibis.memtable(_rows(FIGURES)))
    with connect(project(other), tmp_path) as engine:
        laid = engine.backend.create_table("props", _rows(FIGURES), temp=True, overwrite=True)
        assert read(laid) == truth
        odd = _rows(("1,234.5", "12"))
        laid = engine.backend.create_table("odd", odd, temp=True, overwrite=True)
        with pytest.raises(RefusedError, match="such as 1,234 or 80%"):
            read(laid)
    assert truth[:2] == [12, -3.5]
