"""Numbers that are written as text: thousands separators, per cent signs, decimal commas."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from octad.data.blanks import blank_as_null
from octad.data.engines.base import abilities_of, refuse
from octad.data.looks import WHOLE, Look

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
    table: ir.Table, names: Sequence[str], *, keep: Collection[str] = (), look: Look = WHOLE
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
        look,
    )
    plain = [n for n in texts if seen[n]["given"] and seen[n]["plain"] == seen[n]["given"]]
    shapes = _sums(table, plain, _shape_sums, look)
    whole = {n for n in plain if not shapes[n]["leading"]}
    flags = {n for n in texts if seen[n]["given"] and seen[n]["flags"] == seen[n]["given"]}
    doubtful = [n for n in texts if seen[n]["given"] > seen[n]["plain"] and n not in flags]
    maybe = _may_be_numbers(table, doubtful, look)
    for name in texts:
        if name in whole:
            exact = table[name].nullif("").try_cast("float64")
            values[name] = exact if shapes[name]["pointed"] else exact.try_cast("int64")
        elif name in flags:
            values[name] = _flag_words(table[name])
        elif name in maybe:
            found, said = _long_look(table, name, look)
            if found is not None:
                values[name] = found
                notes += said
    return values, notes


def _sums(
    table: ir.Table,
    names: Sequence[str],
    of: Callable[[ir.StringValue], dict[str, ir.Value]],
    look: Look,
) -> dict[str, dict[str, int]]:
    """Sums over text columns, some columns at a time."""
    found: dict[str, dict[str, int]] = {}
    for start in range(0, len(names), _CHUNK):
        sums = {
            f"{name}.{what}": value
            for name in names[start : start + _CHUNK]
            for what, value in of(table[name].nullif("")).items()
        }
        for key, value in look.sums(table, "cells", sums).items():
            name, _, what = key.rpartition(".")
            found.setdefault(name, {})[what] = int(value or 0)
    return found


def _shape_sums(text: ir.StringValue) -> dict[str, ir.Value]:
    """Among cells that are numbers: those that begin with a zero, and those that are not whole."""
    bare = text.lstrip().replace("-", "")
    leading = bare.startswith("0") & (bare.length() > 1) & ~bare.startswith("0.")
    pointed = text.contains(".") | text.lower().contains("e") | text.lower().contains("n")
    return {"leading": leading.sum(), "pointed": pointed.sum()}


_SAMPLE = 2000
_LIKE_NUMBERS = r"^[^A-Za-z:]*\d[^A-Za-z:]*$"


def _may_be_numbers(table: ir.Table, names: Sequence[str], look: Look) -> set[str]:
    """Columns of which most of the first cells, though no numbers to an engine, look like one."""

    def first_cells(rows: ir.Table) -> dict[str, int]:
        some = rows.select(*names).limit(_SAMPLE)
        sums: dict[str, ir.Value] = {}
        for place, name in enumerate(names):
            text = blank_as_null(some[name])
            sums[f"n_{place}"] = text.count()
            sums[f"like_{place}"] = text.re_search(_LIKE_NUMBERS).sum()
        row = some.aggregate(**sums).to_pyarrow().to_pylist()[0]
        return {
            f"{name}.{what}": int(row[f"{what}_{place}"] or 0)
            for place, name in enumerate(names)
            for what in ("n", "like")
        }

    if not names:
        return set()
    seen = look.each(table, "first cells of " + ", ".join(names), first_cells)
    return {n for n in names if seen[f"{n}.n"] and seen[f"{n}.like"] > seen[f"{n}.n"] / 2}


def number_rule(table: ir.Table, value: ir.Value, name: str, *, look: Look = WHOLE) -> NumberRule:
    """Look at a column once and say how it is read as numbers."""
    if not isinstance(value.type(), dt.String):
        return NumberRule()
    engine = abilities_of(table)
    if not engine.words and not engine.tried:
        refuse(engine.spoken, "numbers", what=name)
    text = blank_as_null(value)
    sums = {"given": text.count(), "plain": text.try_cast("float64").count()}
    row = look.sums(table, f"number {name}", sums)
    if row["given"] == row["plain"]:
        return NumberRule()
    if not engine.words:
        refuse(engine.spoken, "numbers", what=name)
    counts = look.sums(table, f"numbers {name}", number_counts(value, "n"))
    return decide_number(counts, "n", name)


def _long_look(table: ir.Table, name: str, look: Look) -> tuple[ir.Value | None, list[str]]:
    counts = look.sums(table, f"long {name}", number_counts(table[name], "n"))
    rule = decide_number(counts, "n", name)
    found = as_number(table[name], rule)
    asked = f"as {rule.style}{'%' if rule.percent else ''} {name}"
    parsed = int(look.sums(table, asked, {"n": found.count()})["n"] or 0)
    given = int(counts["n_given"] or 0)
    if parsed < given * _MOSTLY:
        return None, []
    notes = list(rule.notes)
    if parsed < given:
        notes.append(f"'{name}': {given - parsed} cells are no numbers, and are left empty")
    return found, notes


def _flag_words(text: ir.Value) -> ir.BooleanValue:
    word = text.strip().lower()
    return ibis.cases((word == "true", True), (word == "false", False), else_=ibis.null("boolean"))
