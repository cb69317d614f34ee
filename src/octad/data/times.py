"""Times: one rule a column, and every time as UTC without a zone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast
from zoneinfo import available_timezones

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from octad.data.columns import blank_as_null
from octad.errors import DataError, Where, nearest

__all__ = ["EARLIEST", "LATEST", "TimeRule", "check_zone", "decide", "time_counts", "to_utc"]

EARLIEST = datetime(2008, 1, 1)  # noqa: DTZ001 - every time here is UTC without a zone
"""The app stores opened in 2008; an earlier time is a clock that was never set."""

LATEST = datetime(2100, 1, 1)  # noqa: DTZ001
"""Later is no time at all; `intake` finds the newest plausible time from the data."""

_UTC = {"UTC", "Etc/UTC", "GMT"}
_UNITS = {"s": 10**6, "ms": 10**3, "us": 1}
_EDGE = {"s": 5 * 10**9, "ms": 5 * 10**12, "us": 5 * 10**15}


@ibis.udf.scalar.builtin(name="try_strptime")
def _strptime(value: str, formats: dt.Array(dt.string)) -> dt.timestamp:  # type: ignore[empty-body, valid-type]
    """DuckDB's try_strptime with a list: the first format that fits the whole text."""


@ibis.udf.scalar.builtin(name="timezone")
def _with_zone(zone: str, value: dt.timestamp) -> dt.Timestamp(timezone="UTC"):  # type: ignore[empty-body, valid-type]
    """A time without a zone, as the instant it names in the zone."""


@ibis.udf.scalar.builtin(name="timezone")
def _without_zone(zone: str, value: dt.Timestamp(timezone="UTC")) -> dt.timestamp:  # type: ignore[empty-body, valid-type]
    """An instant, as the clock of the zone shows it."""


@ibis.udf.scalar.builtin(name="make_timestamp")
def _from_micros(value: dt.int64) -> dt.timestamp:  # type: ignore[empty-body, valid-type]
    """A time from microseconds since 1970."""


@dataclass(frozen=True, slots=True)
class TimeRule:
    """How a column is read as times, decided once for the whole column.

    Attributes:
        kind: ``time`` (no zone), ``instant`` (zoned), ``date``, ``epoch``, ``text``.
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
    notes: tuple[str, ...] = field(default=())


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


_ZONED = r":\d{2}(\.\d+)?\s?(Z|z|UTC|GMT|[+-]\d{2}(:?\d{2})?)$"
_ORDERED = r"^(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4}|\d{2})(\D.*)?$"
_EPOCH = r"^\d{9,19}(\.\d+)?$"


def _spaced(text: ir.StringValue) -> ir.StringValue:
    """One spelling for all separators, so that few formats serve many writers."""
    return (
        text.re_replace(r"^(\d{1,2})[.\-/](\d{1,2})[.\-/](\d{2,4})", r"\1/\2/\3")
        .re_replace(r"[,\s]+", " ")
        .strip()
    )


def time_counts(value: ir.Value, prefix: str) -> dict[str, ir.Scalar]:
    """The sums that decide how a column is read as times; empty when its type says all."""
    kind = value.type()
    if isinstance(kind, dt.Integer | dt.Floating):
        return {f"{prefix}_middle": cast("ir.NumericColumn", value).abs().approx_median()}
    if not isinstance(kind, dt.String):
        return {}
    text = blank_as_null(cast("ir.StringValue", value))
    iso = _iso(text).notnull()
    epoch = text.re_search(_EPOCH)
    rest = text.notnull() & ~iso & ~epoch
    ordered = rest & text.re_search(_ORDERED)
    first = text.re_extract(_ORDERED, 1).try_cast("int16")
    second = text.re_extract(_ORDERED, 2).try_cast("int16")
    return {
        f"{prefix}_given": text.count(),
        f"{prefix}_iso": iso.sum(),
        f"{prefix}_zoned": text.re_search(_ZONED).sum(),
        f"{prefix}_epoch": epoch.sum(),
        f"{prefix}_middle": epoch.ifelse(text, ibis.null("string"))
        .try_cast("float64")
        .approx_median(),
        f"{prefix}_rest": rest.sum(),
        f"{prefix}_ordered": ordered.sum(),
        f"{prefix}_dotted": (ordered & text.re_search(r"^\d{1,2}\.")).sum(),
        f"{prefix}_first_is_day": (ordered & (first > 12)).sum(),
        f"{prefix}_second_is_day": (ordered & (second > 12)).sum(),
        f"{prefix}_first_kinds": first.nunique(where=ordered),
        f"{prefix}_second_kinds": second.nunique(where=ordered),
    }


def _iso(text: ir.StringValue) -> ir.Value:
    # 1/9/13 would pass as the ninth of January of the year 1.
    written = text.re_search(r"^\d{4}[-/]").ifelse(text, ibis.null("string"))
    return written.try_cast(dt.Timestamp(timezone="UTC"))


def _unit(middle: float | None) -> str:
    """The unit of an epoch by its size: 10 digits are seconds, 13 milli-, 16 micro-, 19 nano-."""
    size = middle or 0.0
    if 19_000_101 <= size <= 21_001_231:
        return "day"
    return next((unit for unit, edge in _EDGE.items() if size < edge), "ns")


def _day_order(counts: dict[str, Any], prefix: str, name: str) -> tuple[bool, str]:
    """Whether the day comes first, and why, from the whole column."""
    days_first = int(counts[f"{prefix}_first_is_day"] or 0)
    days_second = int(counts[f"{prefix}_second_is_day"] or 0)
    if days_first and days_second:
        day_first = days_first > days_second
        return day_first, (
            f"'{name}' mixes day-first and month-first dates: {days_first} rows can only be "
            f"day-first, {days_second} only month-first; the doubtful ones are read "
            f"{'day' if day_first else 'month'}-first"
        )
    if days_first or days_second:
        order, place = ("day", "first") if days_first else ("month", "second")
        return bool(days_first), (
            f"'{name}' is read {order}-first: the {place} number goes above 12 in "
            f"{days_first or days_second} rows"
        )
    if counts[f"{prefix}_dotted"] == counts[f"{prefix}_ordered"]:
        return True, f"'{name}' is read day-first, as dates with dots are; no row proves it"
    firsts, seconds = counts[f"{prefix}_first_kinds"], counts[f"{prefix}_second_kinds"]
    day_first = int(firsts or 0) > int(seconds or 0)
    return day_first, (
        f"'{name}' may be day-first or month-first: no number goes above 12. Read "
        f"{'day' if day_first else 'month'}-first, because the {'first' if day_first else 'second'}"
        " number takes as many values or more; write the dates as 2024-01-31 to be sure"
    )


_CLOCKS = ("", " %H:%M:%S", " %H:%M", " %I:%M:%S %p", " %I:%M %p", " %H:%M:%S.%f")


def _formats(day_first: bool) -> tuple[str, ...]:
    ordered = ("%d/%m/%y", "%d/%m/%Y"), ("%m/%d/%y", "%m/%d/%Y")
    dates = (
        *(ordered[0] + ordered[1] if day_first else ordered[1] + ordered[0]),
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
    odd = ("%Y%m%d", "%a %d %b %Y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y", "%Y%m%dT%H%M%SZ")
    return tuple(day + clock for day in dates for clock in _CLOCKS) + odd


def decide(
    kind: dt.DataType, counts: dict[str, Any], prefix: str, name: str, zone: str | None
) -> TimeRule:
    """Decide how a column is read as times.

    Args:
        kind: The column's type.
        counts: What `time_counts` summed.
        prefix: The same as there.
        name: The column's name, for the notes.
        zone: The source's `timezone`; UTC is assumed, and said, when it is absent.
    """
    assumed = () if zone else (f"'{name}' carries no time zone; read as UTC",)
    if isinstance(kind, dt.Timestamp):
        if kind.timezone is not None:
            return TimeRule("instant")
        return TimeRule("time", zone or "UTC", notes=assumed)
    if isinstance(kind, dt.Date):
        return TimeRule("date", zone or "UTC", notes=assumed)
    middle = counts.get(f"{prefix}_middle")
    if isinstance(kind, dt.Integer | dt.Floating):
        unit = _unit(None if middle is None else float(middle))
        return TimeRule("epoch", zone or "UTC", unit=unit, notes=assumed if unit == "day" else ())
    return _decide_text(counts, prefix, name, zone)


def _decide_text(counts: dict[str, Any], prefix: str, name: str, zone: str | None) -> TimeRule:
    def count(what: str) -> int:
        return int(counts[f"{prefix}_{what}"] or 0)

    notes: list[str] = []
    formats: tuple[str, ...] = ()
    if count("rest"):
        day_first = False
        if count("ordered"):
            day_first, why = _day_order(counts, prefix, name)
            notes.append(why)
        formats = _formats(day_first)
    kinds = [count("iso"), count("epoch"), count("ordered"), count("rest") - count("ordered")]
    if sum(1 for n in kinds if n) > 1 and count("iso") + count("epoch") < count("given"):
        notes.append(
            f"'{name}' mixes ways of writing dates; each row is read by the first that fits"
        )
    if not zone and count("zoned") + count("epoch") < count("given"):
        notes.append(f"'{name}' carries no time zone; read as UTC")
    middle = counts[f"{prefix}_middle"]
    return TimeRule(
        "text",
        zone or "UTC",
        unit=_unit(None if middle is None else float(middle)),
        zoned=count("zoned") > 0,
        formats=formats,
        numbers=count("epoch") > 0,
        notes=tuple(notes),
    )


def _zoned_to_utc(value: ir.Value, zone: str) -> ir.Value:
    if zone in _UTC:
        return value
    return cast("ir.Value", _without_zone("UTC", _with_zone(zone, value)))


def _epoch(value: ir.Value, unit: str, zone: str) -> ir.Value:
    if unit == "day":
        return _zoned_to_utc(_strptime(value.cast("int64").cast("string"), ["%Y%m%d"]), zone)
    number = value
    if unit == "ns":
        micros = (number // 1000).cast("int64")
    elif isinstance(number.type(), dt.Integer):
        # Decimal holds what a 64-bit product would overflow on, for rows of another unit.
        micros = (number.cast("decimal(38, 0)") * _UNITS[unit]).try_cast("int64")
    else:
        micros = (number * _UNITS[unit]).round().try_cast("int64")
    low, high = (int((t - datetime(1970, 1, 1)).total_seconds()) * 10**6 for t in (_FIRST, LATEST))  # noqa: DTZ001
    return micros.between(low, high).ifelse(_from_micros(micros), ibis.null("timestamp"))


_FIRST = datetime(1900, 1, 1)  # noqa: DTZ001


def to_utc(value: ir.Value, rule: TimeRule) -> ir.TimestampValue:
    """A column as UTC times without a zone; what cannot be read is null."""
    if rule.kind == "instant":
        found = value.cast(dt.Timestamp(timezone="UTC"))
        return cast("ir.TimestampValue", _without_zone("UTC", found))
    if rule.kind in {"time", "date"}:
        return cast("ir.TimestampValue", _zoned_to_utc(value.cast("timestamp"), rule.zone))
    if rule.kind == "epoch":
        return cast("ir.TimestampValue", _epoch(value, rule.unit, rule.zone))
    text = blank_as_null(cast("ir.StringValue", value))
    local = _without_zone("UTC", _iso(text))
    if rule.zone not in _UTC:
        written = text.re_search(r"^\d{4}[-/]").ifelse(text, ibis.null("string"))
        local = _zoned_to_utc(written.try_cast("timestamp"), rule.zone)
    readings: list[ir.Value] = [local]
    if rule.zoned:
        # A cast to a time without a zone drops the offset in silence, so those go through instants.
        instant = _without_zone("UTC", _iso(text))
        readings = [text.re_search(_ZONED).ifelse(instant, local)]
    if rule.numbers:
        figures = text.re_search(_EPOCH).ifelse(text, ibis.null("string"))
        number = (
            figures.try_cast("int64") if rule.unit in {"us", "ns"} else figures.try_cast("float64")
        )
        readings.append(_epoch(number, rule.unit, rule.zone))
    if rule.formats:
        parsed = _strptime(_spaced(text), list(rule.formats))
        readings.append(_zoned_to_utc(parsed, rule.zone))
    return cast("ir.TimestampValue", ibis.coalesce(*readings))
