"""Stars as people and tools write them: 4, 4,0, 4/5, 4 stars, ★★★★☆, 4星."""

from __future__ import annotations

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from octad.data.blanks import blank_as_null
from octad.data.engines.base import abilities_of

__all__ = ["bare_stars"]

_FULL = ("★", "⭐", "🌟")
_NUMBER = r"([0-9]+(?:[.,][0-9]+)?)"
_OF = rf"^\s*{_NUMBER}\s*(?:/|out of|of|von|sur|de|dari)\s*{_NUMBER}\s*(?:[^0-9.,/]*)$"
_NAMED = (
    rf"(?i)^\s*{_NUMBER}\s*-?\s*(?:stars?|sterne?|étoiles?|estrellas?|estrelas?|stelle|bintang"
    r"|星级?|颗星|つ星|점|[★⭐🌟]️?|\(?[★☆⭐🌟️ ]+\)?)\s*$"
)
_WORDS = {"one": "1", "two": "2", "three": "3", "four": "4", "five": "5"}
_BEST = 5


def bare_stars(table: ir.Table, value: ir.Value) -> ir.Value:
    """A column of ratings with the words and signs around the numbers taken off.

    Stars out of another number than five are put on five's scale (8/10 is 4). A comma is a
    decimal one, for no rating has thousands. What is no rating stays as it is, so that it is
    counted as none.

    Args:
        table: Whose column it is.
        value: The column; anything but text is left alone.
    """
    if not isinstance(value.type(), dt.String) or not abilities_of(table).words:
        return value
    text = blank_as_null(value)
    small = text.lower()
    bare = small.re_replace(r"[\s\-_]*stars?$", "")
    whole = _figure(text.re_extract(_OF, 1))
    scale = _figure(text.re_extract(_OF, 2))
    named = text.re_extract(_NAMED, 1).replace(",", ".")
    drawn: ir.Value = ibis.literal(0)
    for star in _FULL:
        drawn += text.length() - text.replace(star, "").length()
    only_drawn = text.re_search(r"^[★☆⭐🌟️\s]+$")
    return ibis.cases(
        (only_drawn, drawn.cast("string")),
        (scale > 0, (whole * _BEST / scale).cast("string")),
        (named != "", named),
        *((bare == word, figure) for word, figure in _WORDS.items()),
        (text.re_search(r"^\s*[0-9],[0-9]+\s*$"), text.replace(",", ".")),
        else_=text,
    )


def _figure(text: ir.Value) -> ir.Value:
    return text.replace(",", ".").try_cast("float64")
