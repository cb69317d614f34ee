"""Times: one rule a column, and every time as UTC without a zone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import pyarrow as pa

from octad.data import written
from octad.data.blanks import blank_as_null
from octad.data.engines.base import abilities_of, refuse
from octad.data.functions import INSTANT, from_micros, on_clock, strptime, to_instant, whole_part
from octad.data.looks import WHOLE, Look
from octad.errors import DataError, Where, nearest

__all__ = ["EARLIEST", "LATEST", "TimeRule", "check_zone", "decide", "time_rule", "to_utc"]

EARLIEST = datetime(2008, 1, 1)  # noqa: DTZ001 - every time here is UTC without a zone
"""The app stores opened in 2008; an earlier time is a clock that was never set."""

LATEST = datetime(2100, 1, 1)  # noqa: DTZ001
"""Later is no time at all; `intake` finds the newest plausible time from the data."""

_UTC = {"UTC", "Etc/UTC", "GMT"}
_MICROS = {"s": 10**6, "ms": 10**3, "us": 1}
_BELOW = {"s": 5e9, "ms": 5e12, "us": 5e15}
_ORDERED = r"^(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4}|\d{2})(\D.*)?$"
_PROBES = 300


@dataclass(frozen=True, slots=True)
class TimeRule:
    """How a column is read as times, decided once for the whole column.

    Attributes:
        kind: ``time`` (no zone), ``instant`` (zoned), ``epoch``, ``text``, or ``written``: text
            that any engine reads, see `octad.data.written`.
        zone: The zone of times that carry none.
        unit: Of an epoch: ``s``, ``ms``, ``us`` or ``ns``; ``day`` for 20240131.
        zoned: For text: whether some carry a zone of their own.
        formats: For text that is not ISO 8601: the formats tried, in order.
        numbers: For text: whether some are epochs.
        notes: What was assumed, in words.
    """

    kind: str
    zone: str = "UTC"
    unit: str = "s"
    zoned: bool = False
    formats: tuple[str, ...] = ()
    numbers: bool = False
    notes: tuple[str, ...] = ()


def check_zone(zone: str | None, where: Where | None) -> None:
    """Refuse a time zone that is none.

    Raises:
        DataError: With the nearest zone there is.
    """
    if zone is not None and zone not in available_timezones():
        raise DataError(
            f"timezone: '{zone}' is no time zone.",
            where=where,
            mend=nearest(zone, available_timezones()),
        )


def time_rule(
    table: ir.Table,
    value: ir.Value,
    name: str,
    zone: str | None,
    *,
    where: Where | None = None,
    look: Look = WHOLE,
) -> TimeRule:
    """Look at a column once and say how it is read as times.

    Args:
        table: Where the column is.
        value: The column, of any type that may hold times.
        name: What it is called, for the notes.
        zone: The source's `timezone`; UTC is assumed, and said, when it is absent.
        where: The file and line, for the error.
        look: Looks at the column.

    Raises:
        DataError: When its type cannot hold times.
    """
    kind = value.type()
    if not isinstance(kind, dt.Timestamp | dt.Date | dt.Integer | dt.Floating | dt.String):
        raise DataError(
            f"The column '{name}' holds no times.", where=where, mend="Name another as the time."
        )
    engine = abilities_of(table)
    if isinstance(kind, dt.String) and not engine.words:
        return _written_rule(table, value, name, zone, where=where, look=look)
    if isinstance(kind, dt.Timestamp) and engine.moments:
        return TimeRule("instant")
    counts = look.sums(table, f"time {name}", _sums(value))
    formats: tuple[str, ...] = ()
    if counts.get("rest"):
        counts |= look.sums(table, f"order {name}", _order_sums(value))
        text = blank_as_null(value)
        found = look.each(table, f"formats {name}", lambda rows: {"all": _probe(rows, text)})
        formats = tuple(found["all"])
    rule = decide(kind, counts, name, zone, formats)
    if rule.unit == "day" and not engine.words:
        refuse(engine.spoken, "days", what=name, where=where)
    return rule


def _written_rule(
    table: ir.Table,
    value: ir.Value,
    name: str,
    zone: str | None,
    *,
    where: Where | None,
    look: Look,
) -> TimeRule:
    """How text is read on an engine that parses times otherwise than DuckDB, or fails at them.

    Raises:
        RefusedError: When a cell might be a time, but is not written in a way that has one meaning.
    """
    engine = abilities_of(table)
    if not engine.tried:
        refuse(engine.spoken, "times", what=name, where=where)
    text, iso, figures = blank_as_null(value), written.iso(value), written.figures(value)
    other = text.notnull() & iso.isnull() & figures.isnull()
    counts = look.sums(
        table,
        f"written time {name}",
        {
            "given": text.count(),
            "iso": iso.count(),
            "zoned": written.zoned(iso).sum(),
            "epoch": figures.count(),
            "middle": figures.cast("float64").abs().approx_median(),
            "weight": figures.count(),
            "doubtful": (other & text.re_search("[0-9]")).sum(),
        },
    )
    read = int(counts["iso"] or 0) + int(counts["epoch"] or 0)
    if counts["doubtful"] or (counts["given"] and not read):
        refuse(engine.spoken, "times", what=name, where=where)
    return replace(decide(dt.string, counts, name, zone), kind="written")


def _iso(text: ir.StringValue) -> ir.StringValue:
    # The engine would take 1/9/13 for the thirteenth of September of the year 1.
    year = text.substr(4, 1).isin(("-", "/")) & text.substr(0, 4).try_cast("int16").notnull()
    return year.ifelse(text, ibis.null("string"))


def _zoned(text: ir.StringValue) -> ir.BooleanValue:
    """Whether an ISO time ends in a zone; without regular expressions, which cost the most."""
    clock = text.substr(10)
    named = (
        clock.endswith("Z") | clock.endswith("z") | clock.endswith("UTC") | clock.endswith("GMT")
    )
    return named | clock.contains("+") | clock.contains("-")


def _figures(text: ir.StringValue) -> ir.StringValue:
    """Text that is an epoch: nine digits or more, perhaps with a fraction."""
    digits = text.length().between(9, 22) & text.try_cast("float64").notnull()
    return digits.ifelse(text, ibis.null("string"))


def _sums(value: ir.Value) -> dict[str, ir.Value]:
    """The sums that decide how a column is read; none when its type says all."""
    kind = value.type()
    if isinstance(kind, dt.Integer | dt.Floating):
        return {"middle": value.cast("float64").abs().approx_median(), "weight": value.count()}
    if not isinstance(kind, dt.String):
        return {}
    text = blank_as_null(value)
    iso = _iso(text).try_cast(INSTANT).notnull()
    figures = _figures(text)
    return {
        "given": text.count(),
        "iso": iso.sum(),
        "zoned": (iso & _zoned(text)).sum(),
        "epoch": figures.count(),
        "middle": figures.try_cast("float64").approx_median(),
        "weight": figures.count(),
        "rest": (text.notnull() & ~iso & figures.isnull()).sum(),
    }


def _order_sums(value: ir.StringValue) -> dict[str, ir.Value]:
    """The sums that tell whether the day or the month comes first in 1/9/2025."""
    text = blank_as_null(value)
    rest = text.notnull() & _iso(text).try_cast(INSTANT).isnull() & _figures(text).isnull()
    ordered = rest & text.re_search(_ORDERED)
    first = text.re_extract(_ORDERED, 1).try_cast("int16")
    second = text.re_extract(_ORDERED, 2).try_cast("int16")
    return {
        "ordered": ordered.sum(),
        "dots": (ordered & text.re_search(r"^\d{1,2}\.")).sum(),
        "first_over": (ordered & (first > 12)).sum(),
        "second_over": (ordered & (second > 12)).sum(),
        "first_mask": _bit(first).bit_or(where=ordered),
        "second_mask": _bit(second).bit_or(where=ordered),
    }


def _bit(number: ir.IntegerValue) -> ir.IntegerValue:
    """One bit for every number up to 31: which there are, in a form that files can be merged in."""
    return ibis.literal(1, "int64") << number.clip(lower=0, upper=31).cast("int64")


_CLOCKS = ("", " %H:%M:%S", " %H:%M", " %I:%M:%S %p", " %I:%M %p", " %H:%M:%S.%f")
_ORDERS = (("%d/%m/%y", "%d/%m/%Y"), ("%m/%d/%y", "%m/%d/%Y"))
_WORDED = (
    "%b %d %Y",
    "%B %d %Y",
    "%d %b %Y",
    "%d %B %Y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%Y年%m月%d日",
    "%Y.%m.%d",
    "%a %d %b %Y",
    "%A %B %d %Y",
)
_ODD = ("%Y%m%d", "%a %d %b %Y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y", "%Y%m%dT%H%M%SZ")
_ALL = (*(day + clock for day in _WORDED for clock in _CLOCKS), *_ODD)
_NUMERIC = tuple(day + clock for order in _ORDERS for day in order for clock in _CLOCKS)


def _spaced(text: ir.StringValue) -> ir.StringValue:
    """One spelling for all separators, so that few formats serve many writers."""
    return (
        text.re_replace(r"^(\d{1,2})[.\-/](\d{1,2})[.\-/](\d{2,4})", r"\1/\2/\3")
        .re_replace(r"[,\s]+", " ")
        .strip()
    )


def _probe(table: ir.Table, text: ir.StringValue) -> tuple[str, ...]:
    """The formats that fit any row, found from one example of every shape of text there is."""
    spaced = _spaced(text)
    shape = spaced.re_replace(r"[^\W\d_]{2,}", "A").re_replace(r"\d{4,}", "Y")
    shape = shape.re_replace(r"\d+", "9")
    unread = table.mutate(_text=spaced, _shape=shape).filter(
        text.notnull() & _iso(text).try_cast(INSTANT).isnull() & _figures(text).isnull()
    )
    shapes = unread.group_by("_shape").aggregate(
        low=unread["_text"].min(), high=unread["_text"].max(), n=unread.count()
    )
    rows = shapes.order_by(ibis.desc("n")).limit(_PROBES).to_pyarrow().to_pylist()
    texts = [text for row in rows for text in (row["low"], row["high"])]
    examples = ibis.memtable(pa.table({"text": pa.array(texts, pa.string())}))
    hits = {
        f"f{place}": strptime(examples["text"], [format_]).count()
        for place, format_ in enumerate((*_NUMERIC, *_ALL))
    }
    backend = table.get_backend()
    found = backend.to_pyarrow(examples.aggregate(**hits)).to_pylist()[0]
    return tuple(f for place, f in enumerate((*_NUMERIC, *_ALL)) if found[f"f{place}"])


def _ordered_formats(formats: tuple[str, ...], day_first: bool) -> tuple[str, ...]:
    """The formats in the order they are tried; the doubtful day-month pairs as decided."""
    clocks = {clock for clock in _CLOCKS for f in formats if f in _NUMERIC and f[8:] == clock}
    orders = _ORDERS if day_first else _ORDERS[::-1]
    numeric = (day + clock for order in orders for day in order for clock in _CLOCKS)
    kept = [f for f in numeric if f[8:] in clocks]
    return (*kept, *(f for f in formats if f not in _NUMERIC))


def _day_order(counts: dict[str, Any], name: str) -> tuple[bool, str]:
    """Whether the day comes first, and why, from the whole column."""
    first, second = int(counts["first_over"] or 0), int(counts["second_over"] or 0)
    if first and second:
        day_first = first > second
        return day_first, (
            f"'{name}' mixes day-first and month-first dates: {first} rows can only be day-first, "
            f"{second} only month-first; the doubtful ones are read "
            f"{'day' if day_first else 'month'}-first"
        )
    if first or second:
        return bool(first), (
            f"'{name}' is read {'day' if first else 'month'}-first: the "
            f"{'first' if first else 'second'} number goes above 12 in {first or second} rows"
        )
    if counts["dots"] == counts["ordered"]:
        return True, f"'{name}' is read day-first, as dates with dots are; no row proves it"
    kinds = [int(counts[f"{place}_mask"] or 0).bit_count() for place in ("first", "second")]
    day_first = kinds[0] > kinds[1]
    return day_first, (
        f"'{name}' may be day-first or month-first: no number goes above 12. It is read "
        f"{'day' if day_first else 'month'}-first; write the dates as 2024-01-31 to be sure"
    )


def decide(
    kind: dt.DataType,
    counts: dict[str, Any],
    name: str,
    zone: str | None,
    formats: tuple[str, ...] = (),
) -> TimeRule:
    """Decide how a column is read as times from its type and sums.

    >>> decide(dt.int64, {"middle": 1767225768053}, "at", None).unit
    'ms'
    """
    assumed = () if zone else (f"'{name}' carries no time zone; read as UTC",)
    if isinstance(kind, dt.Timestamp) and kind.timezone is not None:
        return TimeRule("instant")
    if isinstance(kind, dt.Timestamp | dt.Date):
        return TimeRule("time", zone or "UTC", notes=assumed)
    unit = _unit(counts.get("middle"))
    if not isinstance(kind, dt.String):
        notes = assumed if unit == "day" else ()
        return TimeRule("epoch", zone or "UTC", unit=unit, notes=notes)
    return _decide_text(counts, name, zone, unit, formats)


def _unit(middle: float | None) -> str:
    """The unit of an epoch by its size: 10 digits are seconds, 13 milli-, 16 micro-, 19 nano-."""
    size = float(middle or 0.0)
    if 19_000_101 <= size <= 21_001_231:
        return "day"
    return next((unit for unit, edge in _BELOW.items() if size < edge), "ns")


def _decide_text(
    counts: dict[str, Any], name: str, zone: str | None, unit: str, formats: tuple[str, ...]
) -> TimeRule:
    def count(what: str) -> int:
        return int(counts.get(what) or 0)

    notes: list[str] = []
    if count("rest"):
        day_first = False
        if count("ordered"):
            day_first, why = _day_order(counts, name)
            notes.append(why)
        formats = _ordered_formats(formats, day_first)
    kinds = [count("iso"), count("epoch"), count("ordered"), count("rest") - count("ordered")]
    if formats and sum(1 for n in kinds if n) > 1:
        notes.append(f"'{name}' mixes ways of writing dates; each row is read by the one it fits")
    if not zone and count("zoned") + count("epoch") < count("given"):
        notes.append(f"'{name}' carries no time zone; read as UTC")
    return TimeRule(
        "text",
        zone or "UTC",
        unit=unit,
        zoned=count("zoned") > 0,
        formats=formats,
        numbers=count("epoch") > 0,
        notes=tuple(notes),
    )


def _local(value: ir.Value, zone: str) -> ir.Value:
    return value if zone in _UTC else on_clock("UTC", to_instant(zone, value))


def _epoch(value: ir.Value, unit: str, zone: str) -> ir.Value:
    if unit == "day":
        return _local(strptime(value.try_cast("int64").cast("string"), ["%Y%m%d"]), zone)
    # Bounded before it is multiplied and cast: no product overflows, and no cast can fail.
    if unit == "ns":
        micros = whole_part(_within(value, _FAR * 1000).cast("int64"), 1000)
    elif isinstance(value.type(), dt.Integer):
        micros = _within(value, _FAR // _MICROS[unit]).cast("int64") * _MICROS[unit]
    else:
        micros = _within((value * _MICROS[unit]).round(), _FAR).cast("int64")
    return from_micros(micros)


def _within(value: ir.Value, far: int) -> ir.Value:
    return value.between(-far, far).ifelse(value, ibis.null(value.type()))


_FAR = 200 * 366 * 86400 * 10**6
"""200 years about 1970, in microseconds: within it every number is a time the engine can hold."""


def to_utc(value: ir.Value, rule: TimeRule) -> ir.TimestampValue:
    """A column as UTC times without a zone; what cannot be read is null."""
    if rule.kind == "instant":
        return on_clock("UTC", value.cast(INSTANT))
    if rule.kind == "time":
        return _local(value.cast("timestamp"), rule.zone)
    if rule.kind == "epoch":
        return _epoch(value, rule.unit, rule.zone)
    if rule.kind == "written":
        return _written(value, rule)
    text = blank_as_null(value)
    reading = _local(_iso(text).try_cast("timestamp"), rule.zone)
    if rule.zoned:
        # A cast to a time without a zone drops an offset in silence; an instant does not.
        instant = on_clock("UTC", _iso(text).try_cast(INSTANT))
        reading = instant if rule.zone in _UTC else _zoned(text).ifelse(instant, reading)
    readings = [reading]
    if rule.numbers:
        figures: ir.Value = _figures(text)
        # Floats hold seconds with a fraction; micro- and nanoseconds need all 64 bits.
        figures = figures.try_cast("int64" if rule.unit in {"us", "ns"} else "float64")
        readings.append(_epoch(figures, rule.unit, rule.zone))
    if rule.formats:
        readings.append(_local(strptime(_spaced(text), list(rule.formats)), rule.zone))
    return ibis.coalesce(*readings) if len(readings) > 1 else reading


def _written(value: ir.Value, rule: TimeRule) -> ir.TimestampValue:
    text = written.iso(value)
    reading = _local(written.clock(text), rule.zone)
    if rule.zoned:
        moment = written.instant(text)
        reading = moment if rule.zone in _UTC else written.zoned(text).ifelse(moment, reading)
    if not rule.numbers:
        return reading
    figures = written.figures(value)
    exact = rule.unit in {"us", "ns"}
    if exact:  # what is finer than a microsecond is no time that can be held
        figures = figures.contains(".").ifelse(ibis.null("string"), figures)
    return ibis.coalesce(
        reading, _epoch(figures.cast("int64" if exact else "float64"), rule.unit, rule.zone)
    )
