"""Numbers and JSON in words, for engines whose own reading fails at them, or guesses."""

from __future__ import annotations

from typing import Any

import sqlglot.expressions as sge

from octad.data.engines.base import template

__all__ = ["FIGURE", "keys", "number", "openable"]

FIGURE = "^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]{1,2})?$"
"""What every engine takes for the same number; more of an exponent than that, some fail at."""

_NUMBER = {
    "postgres": "CAST(CASE WHEN TRIM(:a) ~ '{0}' THEN TRIM(:a) END AS DOUBLE PRECISION)",
    "spark": "CAST(CASE WHEN TRIM(:a) RLIKE '{0}' THEN TRIM(:a) END AS DOUBLE)",
    "clickhouse": "toFloat64OrNull(if(match(trimBoth(:a), '{0}'), trimBoth(:a), NULL))",
}


def number(engine: str, dialect: Any, text: Any) -> Any:
    """A text as a 64-bit float in SQL; null where it is no number."""
    return template(_NUMBER[engine].format(FIGURE), dialect)(text)


def keys(pointer: Any) -> list[str]:
    """The keys of a JSON pointer (RFC 6901) that stands in a query.

    >>> keys(sge.convert("/a~1b/c"))
    ['a/b', 'c']
    """
    text = pointer.this if isinstance(pointer, sge.Literal) else str(pointer)
    return [key.replace("~1", "/").replace("~0", "~") for key in text.split("/")[1:]]


def openable(path: list[str]) -> bool:
    """Whether all engines take these for keys: a number might be a place in a list to some.

    >>> openable(["plan", "$browser"]), openable(["items", "0"]), openable(["it's"])
    (True, False, False)
    """
    return all(key and not key.isdigit() and not set(key) & set("'\"*[]\\") for key in path)
