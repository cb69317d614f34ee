"""Numbers that are written as text: thousands separators, per cent signs, decimal commas."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, cast

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

__all__ = ["NumberRule", "as_number", "decide_number", "number", "number_counts", "typed"]

_BLANK = r"(?i)^\s*(|null|none|nan|na|n/a|#n/a|nil|\\n|-|<na>|nat)\s*$"
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
        style: ``plain``; ``comma`` (1,234.5); ``european`` (1.234,5).
        percent: Whether 80% is among them; it is read as 0.8.
        notes: What a reader of the numbers should know, in words.
    """

    style: str = "plain"
    percent: bool = False
    notes: tuple[str, ...] = ()


def _filled(text: ir.StringValue) -> ir.StringValue:
    return text.re_search(_BLANK).ifelse(ibis.null("string"), text.strip())


def _bare(text: ir.StringValue) -> ir.StringValue:
    return text.re_replace(_MONEY, "").re_replace("%$", "")


def number_counts(value: ir.Value, prefix: str) -> dict[str, ir.Value]:
    """The sums that decide how a text column is read as numbers; empty for other types."""
    if not isinstance(value.type(), dt.String):
        return {}
    text = _filled(value)
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
    text = _filled(value.cast("string"))
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
    doubtful: list[str] = []
    for name, seen in _quick_look(table, texts).items():
        if not seen["given"]:
            continue
        if seen["flags"] == seen["given"]:
            values[name] = _flag_words(table[name])
        elif seen["plain"] == seen["given"] and not seen["leading"]:
            plain = as_number(table[name], NumberRule())
            values[name] = plain if seen["pointed"] else plain.try_cast("int64")
        elif not seen["leading"] and seen["digits"] >= seen["given"] * _MOSTLY:
            doubtful.append(name)
    for name in doubtful:
        found, said = _long_look(table, name)
        if found is not None:
            values[name] = found
            notes += said
    return values, notes


def _quick_look(table: ir.Table, names: Sequence[str]) -> dict[str, dict[str, int]]:
    """Sums over each text column that settle most of them without a look at how they are cut."""
    seen: dict[str, dict[str, int]] = {}
    for start in range(0, len(names), _CHUNK):
        chunk = names[start : start + _CHUNK]
        sums: dict[str, ir.Value] = {}
        for place, name in enumerate(chunk):
            text = _filled(table[name])
            sums |= {
                f"{place}_given": text.count(),
                f"{place}_plain": text.try_cast("float64").count(),
                f"{place}_pointed": text.re_search(r"[.eEnN]").sum(),
                f"{place}_leading": text.re_search(r"^[+-]?0\d").sum(),
                f"{place}_digits": text.re_search(r"^[^A-Za-z:]*\d[^A-Za-z:]*$").sum(),
                f"{place}_flags": text.lower().isin(("true", "false")).sum(),
            }
        row = table.aggregate(**sums).to_pyarrow().to_pylist()[0]
        for place, name in enumerate(chunk):
            seen[name] = {
                what: int(row[f"{place}_{what}"] or 0)
                for what in ("given", "plain", "pointed", "leading", "digits", "flags")
            }
    return seen


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
    word = cast("ir.StringValue", text).strip().lower()
    return ibis.cases((word == "true", True), (word == "false", False), else_=ibis.null("boolean"))
