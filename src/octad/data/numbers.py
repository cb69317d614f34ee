"""Numbers that are written as text: thousands separators, per cent signs, decimal commas."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from octad.data.blanks import blank_as_null

__all__ = [
    "NumberRule",
    "as_number",
    "decide_number",
    "number",
    "number_counts",
    "number_rule",
    "typed",
]

_COMMA = r"^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$"
_EUROPEAN = r"^[+-]?\d{1,3}(\.\d{3})+,\d+$"
_DECIMAL_COMMA = r"^[+-]?\d+,(\d{1,2}|\d{4,})$"
_MONEY = r"[$€£¥￥₹\s]"
_CHUNK = 60
_MOSTLY = 0.98
"""A text column of which this share are numbers is one of numbers with slips in it."""


@dataclass(frozen=True, slots=True)
class NumberRule:
    """How a column is read as numbers, decided once for the whole column.

    Attributes:
        style: ``exact``, numbers as engines read them; ``plain``, with signs of money or per cent
            among them; ``comma`` (1,234.5); ``european`` (1.234,5).
        percent: Whether 80% is among them; it is read as 0.8.
        notes: What a reader of the numbers should know, in words.
    """

    style: str = "exact"
    percent: bool = False
    notes: tuple[str, ...] = ()


def _bare(text: ir.StringValue) -> ir.StringValue:
    return text.re_replace(_MONEY, "").re_replace("%$", "")


def number_counts(value: ir.Value, prefix: str) -> dict[str, ir.Value]:
    """The sums that decide how a text column that is no plain one is read as numbers."""
    text = blank_as_null(value)
    bare = _bare(text)
    return {
        f"{prefix}_given": text.count(),
        f"{prefix}_plain": bare.try_cast("float64").count(),
        f"{prefix}_comma": bare.re_search(_COMMA).sum(),
        f"{prefix}_european": bare.re_search(_EUROPEAN).sum(),
        f"{prefix}_decimal": bare.re_search(_DECIMAL_COMMA).sum(),
        f"{prefix}_percent": text.endswith("%").sum(),
        f"{prefix}_dotted": bare.re_search(r"^[+-]?\d*\.\d*$").sum(),
    }


def decide_number(counts: dict[str, Any], prefix: str, name: str) -> NumberRule:
    """Decide from `number_counts` how a column is read.

    A decimal comma is believed only where no cell has a decimal point, and some cell cannot be a
    number with thousands separators.
    """

    def count(what: str) -> int:
        return int(counts.get(f"{prefix}_{what}") or 0)

    notes: list[str] = []
    style = "plain"
    if count("european") + count("decimal") and not count("dotted"):
        style = "european"
        notes.append(f"'{name}' is read with a decimal comma (1,5 is one and a half)")
    elif count("comma"):
        style = "comma"
        notes.append(f"'{name}' is read with thousands separators (1,234 is 1234)")
    percent = count("percent") > 0
    if percent:
        notes.append(f"'{name}' has per cent signs: 80% is read as 0.8")
    return NumberRule(style, percent, tuple(notes))


def as_number(value: ir.Value, rule: NumberRule) -> ir.FloatingValue:
    """A column as 64-bit floats under a rule; what is no number becomes null."""
    kind = value.type()
    if isinstance(kind, dt.Boolean):
        return value.cast("int8").cast("float64")
    if isinstance(kind, dt.Numeric):
        return value.cast("float64")
    text = blank_as_null(value.cast("string"))
    if rule.style == "exact":
        return text.try_cast("float64")
    clean = bare = _bare(text)
    if rule.style == "comma":
        clean = bare.re_search(_COMMA).ifelse(bare.replace(",", ""), bare)
    elif rule.style == "european":
        clean = bare.replace(".", "").replace(",", ".")
    parsed = clean.try_cast("float64")
    if rule.percent:
        parsed = text.endswith("%").ifelse(parsed / 100, parsed)
    return parsed


def number(value: ir.Value) -> ir.FloatingValue:
    """A value as a 64-bit float as far as it is one: text that is no number becomes null."""
    kind = value.type()
    if isinstance(kind, dt.Numeric):
        return as_number(value, NumberRule())
    return value.cast("string").try_cast("float64")


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
    seen = _sums(
        table,
        texts,
        lambda text: {
            "given": text.count(),
            "plain": text.try_cast("float64").count(),
            "flags": text.lower().isin(("true", "false")).sum(),
        },
    )
    plain = [n for n in texts if seen[n]["given"] and seen[n]["plain"] == seen[n]["given"]]
    shapes = _sums(table, plain, _shape_sums)
    for name in texts:
        given = seen[name]["given"]
        if name in shapes and not shapes[name]["leading"]:
            exact = table[name].nullif("").try_cast("float64")
            values[name] = exact if shapes[name]["pointed"] else exact.try_cast("int64")
        elif given and seen[name]["flags"] == given:
            values[name] = _flag_words(table[name])
        elif given > seen[name]["plain"] and _may_be_numbers(table[name]):
            found, said = _long_look(table, name)
            if found is not None:
                values[name] = found
                notes += said
    return values, notes


def _sums(
    table: ir.Table,
    names: Sequence[str],
    of: Callable[[ir.StringValue], dict[str, ir.Value]],
) -> dict[str, dict[str, int]]:
    """Sums over text columns, some columns at a time."""
    found: dict[str, dict[str, int]] = {}
    for start in range(0, len(names), _CHUNK):
        chunk = names[start : start + _CHUNK]
        sums = {
            f"{place}_{what}": value
            for place, name in enumerate(chunk)
            for what, value in of(table[name].nullif("")).items()
        }
        row = table.aggregate(**sums).to_pyarrow().to_pylist()[0]
        for key, value in row.items():
            place, _, what = key.partition("_")
            found.setdefault(chunk[int(place)], {})[what] = int(value or 0)
    return found


def _shape_sums(text: ir.StringValue) -> dict[str, ir.Value]:
    """Among cells that are numbers: those that begin with a zero, and those that are not whole."""
    bare = text.lstrip().replace("-", "")
    leading = bare.startswith("0") & (bare.length() > 1) & ~bare.startswith("0.")
    pointed = text.contains(".") | text.lower().contains("e") | text.lower().contains("n")
    return {"leading": leading.sum(), "pointed": pointed.sum()}


_SAMPLE = 2000
_LIKE_NUMBERS = r"^[^A-Za-z:]*\d[^A-Za-z:]*$"


def _may_be_numbers(value: ir.StringValue) -> bool:
    """Whether most of the first cells that engines read as no number look like one all the same."""
    some = value.as_table().limit(_SAMPLE)
    text = blank_as_null(some[some.columns[0]])
    sums = {"n": text.count(), "like": text.re_search(_LIKE_NUMBERS).sum()}
    row = some.aggregate(**sums).to_pyarrow().to_pylist()[0]
    return bool(row["n"]) and int(row["like"] or 0) > row["n"] / 2


def number_rule(table: ir.Table, value: ir.Value, name: str) -> NumberRule:
    """Look at a column once and say how it is read as numbers."""
    if not isinstance(value.type(), dt.String):
        return NumberRule()
    text = blank_as_null(value)
    sums = {"given": text.count(), "plain": text.try_cast("float64").count()}
    row = table.aggregate(**sums).to_pyarrow().to_pylist()[0]
    if row["given"] == row["plain"]:
        return NumberRule()
    counts = table.aggregate(**number_counts(value, "n")).to_pyarrow().to_pylist()[0]
    return decide_number(counts, "n", name)


def _long_look(table: ir.Table, name: str) -> tuple[ir.Value | None, list[str]]:
    counts = table.aggregate(**number_counts(table[name], "n")).to_pyarrow().to_pylist()[0]
    rule = decide_number(counts, "n", name)
    found = as_number(table[name], rule)
    parsed = int(table.aggregate(n=found.count()).to_pyarrow().to_pylist()[0]["n"])
    asked = int(counts["n_given"])
    if parsed < asked * _MOSTLY:
        return None, []
    notes = list(rule.notes)
    if parsed < asked:
        notes.append(f"'{name}': {asked - parsed} cells are no numbers, and are left empty")
    return found, notes


def _flag_words(text: ir.Value) -> ir.BooleanValue:
    word = text.strip().lower()
    return ibis.cases((word == "true", True), (word == "false", False), else_=ibis.null("boolean"))
