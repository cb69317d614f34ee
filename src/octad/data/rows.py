"""Whole rows: a digest that tells two apart, and their text for the file of rejected rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import add, or_

import ibis
import ibis.expr.types as ir

from octad.data.engines.base import abilities_of
from octad.data.functions import digest

__all__ = ["row_digest", "row_text"]

_ESCAPES = (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"))


def row_digest(table: ir.Table, values: Sequence[ir.Value]) -> ir.Value:
    """A digest of some values of a row; null where all of them are empty.

    DuckDB digests one value in 64 bits, several as a struct. Other engines have no struct that
    casts to text, or none that tells an empty text from nothing, so each value goes in behind its
    length.

    Args:
        table: Whose values they are.
        values: At least one.
    """
    filled = reduce(or_, (value.notnull() for value in values))
    if abilities_of(table).words:
        text = (
            values[0].cast("string")
            if len(values) == 1
            else ibis.struct({f"k{place}": v for place, v in enumerate(values)}).cast("string")
        )
        return filled.ifelse(digest(text), ibis.null("uint64"))
    words = [value.cast("string") for value in values]
    parts = [word.isnull().ifelse("~", word.length().cast("string") + ":" + word) for word in words]
    return filled.ifelse(reduce(add, parts).hexdigest("md5"), ibis.null("string"))


def row_text(table: ir.Table, columns: Mapping[str, ir.Value]) -> ir.StringValue:
    """A row as JSON, for a person to read; on engines beside DuckDB every value is a text in it.

    Args:
        table: Whose row it is.
        columns: Their names and values.
    """
    if abilities_of(table).words:
        return ibis.struct(dict(columns)).cast("json").cast("string")
    parts = [
        ibis.literal(f'"{_escaped(name)}": ')
        + value.isnull().ifelse("null", '"' + _escape(value.cast("string")) + '"')
        for name, value in columns.items()
    ]
    return "{" + reduce(lambda left, right: left + ", " + right, parts) + "}"


def _escape(text: ir.StringValue) -> ir.StringValue:
    return reduce(lambda so_far, pair: so_far.replace(*pair), _ESCAPES, text)


def _escaped(name: str) -> str:
    return reduce(lambda so_far, pair: so_far.replace(*pair), _ESCAPES, name)
