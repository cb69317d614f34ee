"""Columns by name, nested ones too, and what text columns hold when read as ids and numbers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import cast

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from octad.errors import UnknownNameError, Where, nearest

__all__ = [
    "NULLS",
    "NumberRule",
    "as_flag",
    "as_id",
    "as_number",
    "as_text",
    "blank_as_null",
    "column",
    "decide_number",
    "has_column",
    "is_open",
    "known_columns",
    "number",
    "number_counts",
    "typed",
]

NULLS = ("", "null", "none", "nan", "na", "n/a", "#n/a", "nil", "\\n", "-", "<na>", "nat")
"""How exports write that nothing is there, in lower case."""

_VALUE_FIELDS = ("string_value", "int_value", "float_value", "double_value")


@ibis.udf.scalar.builtin(name="try")
def _try(value: str) -> str:  # type: ignore[empty-body]
    """DuckDB's TRY: null where the inner expression would fail."""


@ibis.udf.scalar.builtin(name="json_extract_string")
def _json_text(value: str, path: str) -> str:  # type: ignore[empty-body]
    """The value at a JSON pointer, as text."""


def _pointer(parts: Iterable[str]) -> str:
    """Write a JSON pointer (RFC 6901), which holds any key whatever.

    >>> _pointer(["a/b", "c"])
    '/a~1b/c'
    """
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


def _splits(table: ir.Table, name: str) -> tuple[str, list[str]] | None:
    """The column a dotted name starts with, longest first, and the path below it."""
    columns = set(table.columns)
    if name in columns:
        return name, []
    parts = name.split(".")
    for size in range(len(parts) - 1, 0, -1):
        head = ".".join(parts[:size])
        if head in columns:
            return head, parts[size:]
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


def is_open(value: ir.Value) -> bool:
    """Whether a text came out of JSON or an array, where it may stand for a number or a flag."""
    return isinstance(value.op(), ibis.expr.operations.ScalarUDF | ibis.expr.operations.Coalesce)


def column(table: ir.Table, name: str, *, where: Where | None = None) -> ir.Value:
    """A column by its plain or dotted name.

    A dotted name reaches into a struct (``app_info.version``), into JSON, be it a JSON column or
    a text that holds JSON (``properties.$app_version``), into a map, and into an array of
    key/value structs such as GA4's (``event_params.page``). What comes out of JSON or such an
    array is text; `number` reads it as a number.

    Args:
        table: The table.
        name: The name; a column whose own name has dots in it wins over a path.
        where: Where the name is written, for the error.

    Raises:
        UnknownNameError: When the table has no such column or field; names the nearest.
    """
    found = _splits(table, name)
    if found is None:
        raise UnknownNameError(
            f"There is no column '{name}'.",
            where=where,
            mend=nearest(name, known_columns(table)),
        )
    value: ir.Value = table[found[0]]
    path = found[1]
    while path:
        kind = value.type()
        if isinstance(kind, dt.Struct):
            if path[0] not in kind.names:
                raise UnknownNameError(
                    f"There is no field '{path[0]}' in '{found[0]}'.",
                    where=where,
                    mend=nearest(path[0], kind.names),
                )
            value = cast("ir.StructValue", value)[path[0]]
            path = path[1:]
        elif isinstance(kind, dt.JSON | dt.String):
            return _try(_json_text(value.cast("string"), _pointer(path)))  # type: ignore[no-any-return]
        elif isinstance(kind, dt.Map):
            value = cast("ir.MapValue", value).get(path[0])
            path = path[1:]
        elif _is_pairs(kind):
            return _pair(cast("ir.ArrayValue", value), ".".join(path))
        else:
            raise UnknownNameError(
                f"The column '{found[0]}' has nothing inside it, so '{name}' is not there.",
                where=where,
                mend=nearest(name, known_columns(table)),
            )
    return value


def _is_pairs(kind: dt.DataType) -> bool:
    return (
        isinstance(kind, dt.Array)
        and isinstance(kind.value_type, dt.Struct)
        and {"key", "value"} <= set(kind.value_type.names)
    )


def _pair(pairs: ir.ArrayValue, key: str) -> ir.Value:
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
    return cast("ir.Value", value.cast("string"))


def blank_as_null(text: ir.StringValue) -> ir.StringValue:
    """Trimmed text, with every way of writing "nothing" turned into null."""
    trimmed = text.strip()
    return trimmed.lower().isin(NULLS).ifelse(ibis.null("string"), trimmed)


def as_id(value: ir.Value) -> ir.StringValue:
    """A user id as text: numbers without a decimal point, nothing as null."""
    kind = value.type()
    if isinstance(kind, dt.Floating):
        floating = cast("ir.FloatingValue", value)
        whole = (floating == floating.round()) & (floating.abs() < 2.0**63)
        value = whole.ifelse(floating.try_cast("int64").cast("string"), floating.cast("string"))
    elif isinstance(kind, dt.JSON):
        value = _json_text(value.cast("string"), "")
    elif not isinstance(kind, dt.String):
        value = value.cast("string")
    return blank_as_null(cast("ir.StringValue", value))


def as_text(value: ir.Value) -> ir.StringValue:
    """Any value as text, untouched if it is text already."""
    if isinstance(value.type(), dt.Floating):
        return as_id(value)
    if isinstance(value.type(), dt.JSON):
        return cast("ir.StringValue", _json_text(value.cast("string"), ""))
    return cast("ir.StringValue", value.cast("string"))


def as_flag(value: ir.Value) -> ir.BooleanValue:
    """Yes or no from a flag, a number or a word; what says neither is no."""
    kind = value.type()
    if isinstance(kind, dt.Boolean):
        return cast("ir.BooleanValue", value.fill_null(False))
    if isinstance(kind, dt.Numeric):
        return cast("ir.BooleanValue", (value != 0).fill_null(False))
    word = as_text(value).strip().lower()
    return word.isin(["true", "t", "yes", "y", "1", "1.0", "是"]).fill_null(False)


# --- numbers written as text -------------------------------------------------------------------

_COMMA_THOUSANDS = r"^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$"
_DOT_THOUSANDS = r"^[+-]?\d{1,3}(\.\d{3})+,\d+$"
_DECIMAL_COMMA = r"^[+-]?\d+,(\d{1,2}|\d{4,})$"
_MONEY = r"[$€£¥￥₹]|\s"


@dataclass(frozen=True, slots=True)
class NumberRule:
    """How a column is read as numbers.

    Attributes:
        numeric: Whether it holds numbers already.
        style: ``plain``; ``comma`` (1,234.5); ``european`` (1.234,5).
        percent: Whether 80% is among them; it is read as 0.8.
        notes: What a reader of the numbers should know.
    """

    numeric: bool
    style: str = "plain"
    percent: bool = False
    notes: tuple[str, ...] = ()


def number_counts(value: ir.Value, prefix: str) -> dict[str, ir.IntegerScalar]:
    """The counts that decide how a text column is read as numbers; empty for other types."""
    if not isinstance(value.type(), dt.String):
        return {}
    text = blank_as_null(cast("ir.StringValue", value))
    bare = _bare(text)
    plain = bare.try_cast("float64").notnull()
    return {
        f"{prefix}_given": text.notnull().sum(),
        f"{prefix}_plain": plain.sum(),
        f"{prefix}_comma": bare.re_search(_COMMA_THOUSANDS).sum(),
        f"{prefix}_european": bare.re_search(_DOT_THOUSANDS).sum(),
        f"{prefix}_decimal": bare.re_search(_DECIMAL_COMMA).sum(),
        f"{prefix}_percent": text.endswith("%").sum(),
        f"{prefix}_leading": text.re_search(r"^[+-]?0\d").sum(),
        f"{prefix}_whole": bare.re_search(r"^[+-]?\d{1,15}$").sum(),
        f"{prefix}_dotted": bare.re_search(r"^[+-]?\d*\.\d*$").sum(),
    }


def _bare(text: ir.StringValue) -> ir.StringValue:
    return text.re_replace(_MONEY, "").re_replace("%$", "")


def decide_number(counts: dict[str, int], prefix: str, name: str) -> NumberRule:
    """Decide from `number_counts` how a column is read; once for the whole column."""
    if f"{prefix}_given" not in counts:
        return NumberRule(numeric=True)

    def count(what: str) -> int:
        return int(counts[f"{prefix}_{what}"] or 0)

    notes: list[str] = []
    style = "plain"
    european = count("european") + count("decimal")
    if european and not count("dotted"):
        style = "european"
        notes.append(f"'{name}' is read with a decimal comma (1,5 is one and a half)")
    elif count("comma"):
        style = "comma"
        notes.append(f"'{name}' is read with thousands separators (1,234 is 1234)")
    percent = count("percent") > 0
    if percent:
        notes.append(f"'{name}' has per cent signs: 80% is read as 0.8")
    return NumberRule(numeric=False, style=style, percent=percent, notes=tuple(notes))


def as_number(value: ir.Value, rule: NumberRule) -> ir.FloatingValue:
    """A column as 64-bit floats under a rule; what is no number becomes null."""
    kind = value.type()
    if isinstance(kind, dt.Boolean):
        return cast("ir.FloatingValue", value.cast("int8").cast("float64"))
    if isinstance(kind, dt.Numeric):
        return cast("ir.FloatingValue", value.cast("float64"))
    text = blank_as_null(as_text(value))
    bare = _bare(text)
    if rule.style == "comma":
        clean = bare.re_search(_COMMA_THOUSANDS).ifelse(bare.replace(",", ""), bare)
    elif rule.style == "european":
        clean = bare.replace(".", "").replace(",", ".")
    else:
        clean = bare
    parsed = cast("ir.FloatingValue", clean.try_cast("float64"))
    if rule.percent:
        parsed = cast("ir.FloatingValue", text.endswith("%").ifelse(parsed / 100, parsed))
    return parsed


_FLAG_WORDS = ("true", "false")
_CHUNK = 60
_MOSTLY = 0.98
"""A text column of which this share are numbers is one of numbers with slips in it."""


def typed(
    table: ir.Table, names: Sequence[str], *, keep: Collection[str] = ()
) -> tuple[dict[str, ir.Value], list[str]]:
    """Text columns as the numbers and flags they hold; all others as they are.

    A column is one of numbers when every cell is, or all but two in a hundred (the others become
    null, and a note says so); never when a number begins with a zero that means something, as in
    ``007``, nor when it is in `keep`.

    Returns:
        The columns by name, in order, and notes in words.
    """
    values: dict[str, ir.Value] = {name: table[name] for name in names}
    notes: list[str] = []
    texts = [n for n in names if isinstance(table[n].type(), dt.String) and n not in keep]
    for start in range(0, len(texts), _CHUNK):
        chunk = texts[start : start + _CHUNK]
        sums: dict[str, ir.Value] = {}
        for place, name in enumerate(chunk):
            sums |= number_counts(table[name], f"c{place}")
            word = blank_as_null(table[name].cast("string")).lower()
            sums[f"c{place}_flags"] = word.isin(_FLAG_WORDS).sum()
        counts = table.aggregate(**sums).to_pyarrow().to_pylist()[0]
        for place, name in enumerate(chunk):
            prefix = f"c{place}"
            given = counts[f"{prefix}_given"] or 0
            if given and counts[f"{prefix}_flags"] == given:
                values[name] = _flag_words(table[name])
                continue
            rule = decide_number(counts, prefix, name)
            parsed = _parsable(counts, prefix, rule)
            if not given or parsed < given * _MOSTLY or counts[f"{prefix}_leading"]:
                continue
            found = as_number(table[name], rule)
            whole = parsed == given and counts[f"{prefix}_whole"] == given
            values[name] = found.try_cast("int64") if whole else found
            notes += rule.notes
            if parsed < given:
                notes.append(f"'{name}': {given - parsed} cells are no numbers, and are left empty")
    return values, notes


def _parsable(counts: dict[str, int], prefix: str, rule: NumberRule) -> int:
    extra = {"plain": (), "comma": ("comma",), "european": ("european", "decimal")}[rule.style]
    return int(sum(counts[f"{prefix}_{part}"] or 0 for part in ("plain", *extra)))


def _flag_words(text: ir.Value) -> ir.Value:
    word = blank_as_null(cast("ir.StringValue", text)).lower()
    return ibis.cases((word == "true", True), (word == "false", False), else_=ibis.null("boolean"))


def number(value: ir.Value) -> ir.FloatingValue:
    """A value as a 64-bit float, as far as it is one: text that is no number becomes null."""
    return as_number(value, NumberRule(numeric=False))
