"""Numbers written as text."""

from __future__ import annotations

import ibis
import pyarrow as pa
import pytest

from octad.data.numbers import NumberRule, as_number, number_rule, typed


def read(cells: list[str | None]) -> tuple[list[float | None], NumberRule]:
    table = ibis.memtable(pa.table({"x": pa.array(cells, pa.string())}))
    rule = number_rule(table, table["x"], "x")
    found = table.select(x=as_number(table["x"], rule)).to_pyarrow()["x"].to_pylist()
    return found, rule


@pytest.mark.parametrize(
    ("cells", "numbers", "style"),
    [
        (["1", " 2.5 ", "-3e2"], [1.0, 2.5, -300.0], "exact"),
        (["67,283", "1,234,567.5", "12"], [67283.0, 1234567.5, 12.0], "comma"),
        (["N/A", "", "-", None, "null", "4"], [None, None, None, None, None, 4.0], "exact"),
        (["1.234,5", "12,75"], [1234.5, 12.75], "european"),
        (["0,5", "3"], [0.5, 3.0], "european"),
        (["1,234", "0.5"], [1234.0, 0.5], "comma"),
        (["$1,200", "€ 30"], [1200.0, 30.0], "comma"),
        (["abc", "1"], [None, 1.0], "plain"),
    ],
)
def test_how_a_column_is_read(
    cells: list[str | None], numbers: list[float | None], style: str
) -> None:
    found, rule = read(cells)
    assert found == numbers
    assert rule.style == style


def test_a_lone_thousand_is_no_decimal() -> None:
    found, rule = read(["1,234", "5,678"])
    assert found == [1234.0, 5678.0]
    assert "thousands" in rule.notes[0]


def test_per_cent_is_a_share() -> None:
    found, rule = read(["80.00%", "5 %", "0.5"])
    assert found == [0.8, 0.05, 0.5]
    assert rule.percent


def test_columns_are_typed_but_ids_keep_their_zeros() -> None:
    table = ibis.memtable(
        pa.table(
            {
                "n": ["1", "2", ""],
                "f": ["1.5", "N/A", "2"],
                "flag": ["True", "false", ""],
                "zip": ["01234", "12345", "99999"],
                "word": ["1", "two", "3"],
                "id": ["1", "2", "3"],
                "day": ["2026-01-01", "2026-01-02", "2026-01-03"],
                "clock": ["0:01:46", "0:01:25", "0:01:05"],
                "users": ["1,234", "5,678", "N/A"],
            }
        )
    )
    found, notes = typed(table, table.columns, keep={"id"})
    kinds = {name: str(value.type()) for name, value in found.items()}
    assert kinds == {
        "n": "int64",
        "f": "float64",
        "flag": "boolean",
        "zip": "string",
        "word": "string",
        "id": "string",
        "day": "string",
        "clock": "string",
        "users": "float64",
    }
    assert notes == ["'users' is read with thousands separators (1,234 is 1234)"]


def test_two_slips_in_a_hundred_are_left_empty_and_said() -> None:
    cells = [str(n) for n in range(150)] + ["??1", "12:3x"]
    table = ibis.memtable(pa.table({"x": cells}))
    found, notes = typed(table, ["x"])
    assert str(found["x"].type()) in {"float64", "string"}
    if notes:
        assert "no numbers" in notes[-1]
