"""Times written as words, read the same by every engine: by places and whole numbers alone.

Engines parse times each in its own way: PostgreSQL 15 fails at the thirtieth of February, Spark
takes ``2026-3``, ClickHouse guesses. What is read here is the part of ISO 8601 that has one
meaning, and numbers that are epochs. A row is read by cutting it at fixed places and counting
days, so that no engine has a say in it, and none can fail; the result is DuckDB's, which the tests
hold. Whatever else has a figure in it is refused, for DuckDB might read it as a time.
"""

from __future__ import annotations

from typing import Any

import ibis
import ibis.expr.types as ir

from octad.data.blanks import blank_as_null
from octad.data.functions import from_micros, whole_part

__all__ = ["clock", "figures", "instant", "iso", "zoned"]

_DAY = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9]"
_SECONDS = ":[0-5][0-9]([.][0-9]{1,9})?"
_ZONE = "(Z| UTC|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?)"
_ISO = f"^{_DAY}([T ]{_CLOCK}({_SECONDS}{_ZONE}?)?)?$"
"""A day; a day and a clock; with seconds, perhaps a zone. DuckDB reads no zone after minutes."""

_EPOCH = "^-?([0-9]{9,18}|[0-9]{9,13}[.][0-9]{1,6}|1[0-9]{18})$"
"""Nine figures or more, as for DuckDB; no more than 64 bits hold, no finer than microseconds."""


def iso(value: ir.Value) -> ir.StringValue:
    """The text where it is written as an ISO 8601 time; else null."""
    return _if(blank_as_null(value), _ISO)


def figures(value: ir.Value) -> ir.StringValue:
    """The text where it is an epoch written in figures; else null."""
    return _if(blank_as_null(value), _EPOCH)


def zoned(text: ir.StringValue) -> ir.BooleanValue:
    """Whether an ISO time says its zone; null where the text is."""
    return text.re_search("(Z|UTC|[+-][0-9]{2}(:?[0-9]{2})?)$") & (text.length() > _DATE)


def clock(text: ir.StringValue) -> ir.TimestampValue:
    """What an ISO time's clock shows, whatever its zone; null for a day that its month has not."""
    return from_micros(_clock_micros(text))


def instant(text: ir.StringValue) -> ir.TimestampValue:
    """The moment of an ISO time in UTC; where it says no zone, its clock shows UTC."""
    return from_micros(_clock_micros(text) - _offset_micros(text))


_DATE = 10
"""Letters of a date."""


def _if(text: ir.StringValue, pattern: str) -> ir.StringValue:
    return text.re_search(pattern).ifelse(text, ibis.null("string"))


def _number(text: ir.StringValue) -> ir.IntegerValue:
    return text.cast("int64")


def _part(text: ir.StringValue, at: int, size: int, none: str) -> ir.IntegerValue:
    """The number at a place; `none` where the text ends before."""
    there = text.length() >= at + size
    return _number(there.ifelse(text.substr(at, size), none))


def _clock_micros(text: ir.StringValue) -> ir.IntegerValue:
    year, month = _number(text.substr(0, 4)), _number(text.substr(5, 2))
    day = _number(text.substr(8, 2))
    leap = ((year % 4 == 0) & (year % 100 != 0)) | (year % 400 == 0)
    short = ibis.cases((month == 2, leap.ifelse(29, 28)), (month.isin((4, 6, 9, 11)), 30), else_=31)
    there = (day <= short).ifelse(_days(year, month, day), ibis.null("int64"))
    hour, minute = _part(text, 11, 2, "00"), _part(text, 14, 2, "00")
    second = _part(text, 17, 2, "00")
    seconds = ((there * 24 + hour) * 60 + minute) * 60 + second
    return seconds * 1_000_000 + _fraction(text)


def _days(year: Any, month: Any, day: Any) -> Any:
    """Days since 1970, by whole numbers.

    The year is taken to begin in March, so that a leap day is its last; then months before one
    have (153 m + 2) div 5 days (H. F. Fliegel and T. C. Van Flandern, "A machine algorithm for
    processing calendar dates", CACM 11(10), 1968). All numbers are positive, for engines round the
    quotient of negative ones in different ways.
    """
    early = (month <= 2).ifelse(1, 0).cast("int64")
    years = year + 4800 - early
    months = month + 12 * early - 3
    days = day + whole_part((months * 153 + 2).cast("int64"), 5) + years * 365
    leaps = whole_part(years, 4) - whole_part(years, 100) + whole_part(years, 400)
    return days + leaps - 2472633


def _fraction(text: ir.StringValue) -> ir.IntegerValue:
    """Microseconds behind the point; finer ones are cut off, as DuckDB does."""
    tail = text.re_search("^.{19}[.]").ifelse(text.substr(20, 6), "")
    # Figures end where the zone begins: what is no figure is taken out, and noughts added.
    plain = tail.replace("Z", "+").replace(" ", "+").replace("-", "+")
    plain = plain.re_replace("[+].*$", "")
    return _number((plain + "000000").substr(0, 6))


def _offset_micros(text: ir.StringValue) -> ir.IntegerValue:
    """What a zone such as +07:00 is ahead of UTC; nothing where there is none."""
    has = (text.length() > _DATE) & text.re_search("[+-][0-9]{2}(:?[0-9]{2})?$")
    # Five letters at least come before it, so the colon is the zone's own.
    tail = has.ifelse(text.substr(19).re_replace("^[.][0-9]+", "").replace(":", ""), "+0000")
    ahead = tail.startswith("-").ifelse(-1, 1).cast("int64")
    padded = tail + "00"
    minutes = _number(padded.substr(1, 2)) * 60 + _number(padded.substr(3, 2))
    return ahead * minutes * 60_000_000
