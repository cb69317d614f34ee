"""Cells that say nothing."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

__all__ = ["blank_as_null", "one_of", "spellings"]

_BLANKS = ("", "null", "none", "nan", "na", "n/a", "#n/a", "nil", "\\n", "-", "<na>", "nat")
"""How exports write that nothing is there, in lower case."""

_LONGEST_BLANK = max(map(len, _BLANKS))


def spellings() -> tuple[str, ...]:
    """Every way of writing nothing, in small, large and title letters."""
    return tuple(dict.fromkeys(w for b in _BLANKS for w in (b, b.upper(), b.title(), "NaN", "NaT")))


def one_of(value: ir.StringValue, words: Sequence[str]) -> ir.BooleanValue:
    """Whether a text is one of some words.

    DuckDB turns an IN of more than a few words into a join, and a thousand columns into a
    thousand joins; a list it only looks through.
    """
    return ibis.array(list(words)).contains(value)


def blank_as_null(text: ir.StringValue) -> ir.StringValue:
    """Trimmed text, with every way of writing "nothing" turned into null."""
    trimmed = text.strip()
    # Long cells, the most of them, are settled by their length.
    blank = (trimmed.length() <= _LONGEST_BLANK) & one_of(trimmed.lower(), _BLANKS)
    return blank.ifelse(ibis.null("string"), trimmed)
