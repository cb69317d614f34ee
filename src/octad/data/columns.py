"""Columns by name, nested ones too, and columns read as ids, words and flags."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import ibis.expr.types as ir

from octad.data.blanks import blank_as_null, one_of
from octad.data.engines.base import Abilities, abilities_of, refuse
from octad.data.engines.words import openable
from octad.data.functions import json_text, try_text
from octad.data.numbers import number
from octad.errors import UnknownNameError, Where, nearest

__all__ = [
    "COMMON_BLANKS",
    "as_flag",
    "as_id",
    "as_text",
    "column",
    "given",
    "has_column",
    "is_nested",
    "known_columns",
    "number",
]

COMMON_BLANKS = ("", "null", "NULL", "None", "none", "nan", "NaN", "N/A")
"""How typed files say nothing; their text needs no trimming, and plain comparisons are fast."""

_VALUE_FIELDS = ("string_value", "int_value", "float_value", "double_value")
_TRUE = ("true", "t", "yes", "y", "1", "1.0", "是")


def _pointer(parts: Iterable[str]) -> str:
    """Write a JSON pointer (RFC 6901), which holds any key whatever.

    >>> _pointer(["a/b", "c"])
    '/a~1b/c'
    """
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


def _split(table: ir.Table, name: str) -> tuple[str, list[str]] | None:
    """The column a dotted name starts with, longest first, and the path below it."""
    folded: dict[str, str] = {}
    for known in table.columns:
        folded.setdefault(known.lower(), known)
    parts = name.split(".")
    for size in range(len(parts), 0, -1):
        head = ".".join(parts[:size])
        if head in table.columns:
            return head, parts[size:]
        if head.lower() in folded:  # engines do not tell case apart, so neither does a plan
            return folded[head.lower()], parts[size:]
    return None


def known_columns(table: ir.Table) -> list[str]:
    """The table's columns, without ours that begin with ``_octad``."""
    return [name for name in table.columns if not name.startswith("_octad")]


def has_column(table: ir.Table, name: str) -> bool:
    """Whether `column` would find the name, as far as the schema tells."""
    try:
        column(table, name)
    except UnknownNameError:
        return False
    return True


def is_nested(value: ir.Value) -> bool:
    """Whether a value comes out of JSON or key/value pairs, where text may stand for a number."""
    kind = value.type()
    inside = not isinstance(value.op(), ops.Field | ops.StructField)
    return isinstance(kind, dt.JSON) or (inside and isinstance(kind, dt.String))


def column(table: ir.Table, name: str, *, where: Where | None = None) -> ir.Value:
    """A column by its plain or dotted name.

    A dotted name reaches into a struct (``app_info.version``), into JSON, be it a JSON column or
    a text that holds JSON (``properties.$app_version``), into a map, and into an array of
    key/value structs such as GA4's (``event_params.page``). What comes out of JSON or such an
    array is text; `number` reads it as a number. JSON that cannot be read gives null.

    Args:
        table: The table.
        name: The name; a column whose own name has dots in it wins over a path.
        where: Where the name is written, for the error.

    Raises:
        UnknownNameError: When the table has no such column or field; names the nearest.
    """
    found = _split(table, name)
    if found is None:
        raise UnknownNameError(
            f"There is no column '{name}'.", where=where, mend=nearest(name, known_columns(table))
        )
    head, path = found
    value: ir.Value = table[head]
    while path:
        kind = value.type()
        if isinstance(kind, dt.Struct):
            if path[0] not in kind.names:
                raise UnknownNameError(
                    f"There is no field '{path[0]}' in '{head}'.",
                    where=where,
                    mend=nearest(path[0], kind.names),
                )
            value, path = value[path[0]], path[1:]
        elif isinstance(kind, dt.JSON | dt.String):
            if not _opens(engine := abilities_of(table), kind, path):
                refuse(engine.spoken, "nested", what=name, where=where)
            return try_text(json_text(value.cast("string"), _pointer(path)))
        elif isinstance(kind, dt.Map):
            value, path = value.get(path[0]), path[1:]
        elif _is_pairs(kind):
            if not (engine := abilities_of(table)).words:
                refuse(engine.spoken, "nested", what=name, where=where)
            return _pair(value, ".".join(path))
        else:
            raise UnknownNameError(
                f"The column '{head}' has nothing inside it, so '{name}' is not there.",
                where=where,
                mend=nearest(name, known_columns(table)),
            )
    return value


def _opens(engine: Abilities, kind: dt.DataType, path: list[str]) -> bool:
    """Whether an engine finds in JSON what DuckDB finds there."""
    if engine.words:
        return True
    opened = dt.JSON if engine.json == "typed" else dt.String
    return bool(engine.json) and isinstance(kind, opened) and openable(path)


def _is_pairs(kind: dt.DataType) -> bool:
    return (
        isinstance(kind, dt.Array)
        and isinstance(kind.value_type, dt.Struct)
        and {"key", "value"} <= set(kind.value_type.names)
    )


def _pair(pairs: ir.Value, key: str) -> ir.Value:
    """The value of a key in an array of key/value structs, as text.

    GA4 may write one parameter as an integer one day and as text the next, so all four typed
    fields are tried (GA4 BigQuery export schema).
    """
    hits = pairs.filter(lambda pair: pair["key"] == key)
    value = hits[0]["value"]
    kind = value.type()
    if isinstance(kind, dt.Struct):
        fields = [value[name].cast("string") for name in _VALUE_FIELDS if name in kind.names]
        return ibis.coalesce(*fields)
    return value.cast("string")


def given(value: ir.Value) -> ir.BooleanValue:
    """Whether a cell says anything."""
    if isinstance(value.type(), dt.String):
        return blank_as_null(value).notnull()
    return value.notnull()


def as_id(value: ir.Value, *, loose: bool = True) -> ir.StringValue:
    """An id as text: numbers without a decimal point, nothing as null.

    Args:
        value: A column of any type.
        loose: Whether to trim and to know every spelling of "nothing", as text files need; typed
            files are read faster without.
    """
    kind = value.type()
    if isinstance(kind, dt.Floating):
        whole = (value == value.round()) & (value.abs() < 2.0**63)
        number = whole.ifelse(value, ibis.null(kind)).cast("int64")
        return whole.ifelse(number.cast("string"), value.cast("string"))
    if not isinstance(kind, dt.String | dt.JSON):
        return value.cast("string")
    text = as_text(value)
    if loose:
        return blank_as_null(text)
    return one_of(text, COMMON_BLANKS).ifelse(ibis.null("string"), text)


def as_text(value: ir.Value) -> ir.StringValue:
    """Any value as text, untouched if it is text already."""
    kind = value.type()
    if isinstance(kind, dt.Floating):
        return as_id(value)
    if isinstance(kind, dt.JSON):
        return try_text(json_text(value.cast("string"), ""))
    return cast("ir.StringValue", value if isinstance(kind, dt.String) else value.cast("string"))


def as_flag(value: ir.Value) -> ir.BooleanValue:
    """Yes or no from a flag, a number or a word; what says neither is no."""
    kind = value.type()
    if isinstance(kind, dt.Boolean):
        return value.fill_null(False)
    if isinstance(kind, dt.Numeric):
        return (value != 0).fill_null(False)
    return one_of(as_text(value).strip().lower(), _TRUE).fill_null(False)
