"""Stars in every way of writing them."""

from __future__ import annotations

import ibis
import pyarrow as pa
import pytest

from octad.data.numbers import as_number, number_rule
from octad.data.ratings import bare_stars


def read(cells: list[str | None]) -> list[float | None]:
    table = ibis.memtable(pa.table({"x": pa.array(cells, pa.string())}))
    plain = bare_stars(table, table["x"])
    rule = number_rule(table, plain, "x")
    found: list[float | None] = table.select(x=as_number(plain, rule)).to_pyarrow()["x"].to_pylist()
    return found


@pytest.mark.parametrize(
    ("cell", "stars"),
    [
        ("4", 4.0),
        (" 4.0 ", 4.0),
        ("4,0", 4.0),
        ("4/5", 4.0),
        ("8/10", 4.0),
        ("4,5 / 5", 4.5),
        ("4 out of 5 stars", 4.0),
        ("4 von 5 Sternen", 4.0),
        ("4 stars", 4.0),
        ("1 star", 1.0),
        ("4 Sterne", 4.0),
        ("4 bintang", 4.0),
        ("4星", 4.0),
        ("★★★★", 4.0),
        ("★★★★☆", 4.0),
        ("⭐⭐⭐", 3.0),
        ("⭐️⭐️", 2.0),
        ("5★", 5.0),
        ("3 (★★★☆☆)", 3.0),
        ("FIVE", 5.0),
        ("FOUR_STARS", 4.0),
        ("four stars", 4.0),
        ("", None),
        (None, None),
        ("N/A", None),
        ("good", None),
        ("4 apples", None),
        ("4/0", None),
        ("2024-01-04", None),
    ],
)
def test_one_cell(cell: str | None, stars: float | None) -> None:
    # Beside plain cells, since a column is read as a whole.
    assert read([cell, "5", "1"]) == [stars, 5.0, 1.0]


def test_ways_that_are_mixed() -> None:
    cells = ["4 stars", "★★★★★", "3/5", "2,0", "1", "4.5", None]
    assert read(cells) == [4.0, 5.0, 3.0, 2.0, 1.0, 4.5, None]


def test_numbers_are_left_alone() -> None:
    table = ibis.memtable(pa.table({"x": [1, 5]}))
    assert bare_stars(table, table["x"]).equals(table["x"])
