"""Columns by name, plain and nested."""

from __future__ import annotations

import ibis
import pyarrow as pa
import pytest

from octad.data.columns import as_flag, as_id, column, has_column, known_columns, number
from octad.errors import UnknownNameError, Where


def table(**columns: object) -> ibis.Table:
    return ibis.memtable(pa.table(columns))


def values(table: ibis.Table, value: ibis.Value) -> list[object]:
    return list(table.select(x=value).to_pyarrow()["x"].to_pylist())


def test_a_plain_name_a_dotted_name_and_a_name_with_a_dot_in_it() -> None:
    t = table(**{"a": [1], "s": [{"b": {"c": 2}}], "s.b": [3]})
    assert values(t, column(t, "a")) == [1]
    assert values(t, column(t, "s.b")) == [3]
    assert has_column(t, "a")
    assert not has_column(t, "s.b.c")


def test_a_struct_reaches_down() -> None:
    t = table(s=[{"b": {"c": 2}}])
    assert values(t, column(t, "s.b.c")) == [2]
    with pytest.raises(UnknownNameError, match="no field 'd' in 's'") as caught:
        column(t, "s.b.d", where=Where("octad.yml", 7))
    assert str(caught.value).startswith("octad.yml:7: ")


def test_json_in_a_text_with_keys_of_any_kind() -> None:
    t = table(p=['{"$v": "1.2", "a/b": 5, "x~y": {"\'; drop": true}}', "{cut", None])
    assert values(t, column(t, "p.$v")) == ["1.2", None, None]
    assert values(t, number(column(t, "p.a/b"))) == [5.0, None, None]
    assert values(t, column(t, "p.x~y.'; drop")) == ["true", None, None]
    assert values(t, column(t, "p.none")) == [None, None, None]


def test_a_map_reaches_down() -> None:
    kind = pa.map_(pa.string(), pa.string())
    t = ibis.memtable(pa.table({"m": pa.array([[("a", "x")], []], kind)}))
    assert values(t, column(t, "m.a")) == ["x", None]


def test_a_missing_column_names_the_nearest() -> None:
    t = table(user_id=["a"], _octad_line=[1])
    with pytest.raises(UnknownNameError) as caught:
        column(t, "userid")
    assert "Did you mean 'user_id'?" in caught.value.mend
    with pytest.raises(UnknownNameError):
        column(t, "user_id2.a")
    assert known_columns(t) == ["user_id"]


def test_a_number_has_nothing_inside() -> None:
    t = table(n=[1])
    with pytest.raises(UnknownNameError, match="nothing inside"):
        column(t, "n.a")


def test_case_does_not_matter_where_it_is_clear() -> None:
    t = table(User=["a"])
    assert values(t, column(t, "user")) == ["a"]


def test_ids_are_text_without_decimal_points() -> None:
    t = table(f=[116.0, 1.5, None], i=[-7, 2**62, None], s=[" a ", "NaN", "007"])
    assert values(t, as_id(t["f"])) == ["116", "1.5", None]
    assert values(t, as_id(t["i"])) == ["-7", str(2**62), None]
    assert values(t, as_id(t["s"])) == ["a", None, "007"]
    assert values(t, as_id(t["s"], loose=False)) == [" a ", None, "007"]


def test_flags_from_words_and_numbers() -> None:
    t = table(w=["Yes", "false", None], n=[2, 0, None], b=[True, False, None])
    for name in ("w", "n", "b"):
        assert values(t, as_flag(t[name])) == [True, False, False]
