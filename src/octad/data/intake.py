"""What was read: rows kept and left out, why, and what a careful reader should know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Any

from octad.data.raw import FILE, LINE
from octad.data.shape import CELL

__all__ = [
    "Days",
    "Example",
    "Intake",
    "Reject",
    "example_of",
    "gaps",
    "merge_rejects",
    "plausible_end",
    "shorten",
]

_EXAMPLES = 3
_CELL_LENGTH = 120


@dataclass(frozen=True, slots=True)
class Example:
    """A row that was left out.

    Attributes:
        line: Its line in a text file, from 1; None where unknown.
        raw: The cell that put it out, or the whole line when it is no row; shortened.
        file: The file's name without its ending.
    """

    line: int | None
    raw: str
    file: str = ""


@dataclass(frozen=True, slots=True)
class Reject:
    """Rows left out for one reason, with up to three of them."""

    reason: str
    rows: int
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True)
class Intake:
    """One source as it was read.

    Attributes:
        source: ``events``, ``users``, ``exposures``, ``reviews``, ``releases``, ``units`` or
            ``links``.
        table: As `octad.yml` names it.
        read: Rows in the files, those of them that meet the source's `where`.
        kept: Rows that are used.
        rejects: Rows left out, by reason, most first.
        duplicates: Copies that were dropped.
        first: The earliest time kept.
        last: The latest time kept.
        users: How many users; None where the source has none, or until `check` counts them.
        gaps: Runs of days without a row inside the range, first and last day of each.
        columns: The columns found.
        roles: Our name to the column it is read from.
        warnings: What was assumed or looks odd, in words.
        files: How many files.
    """

    source: str
    table: str
    read: int
    kept: int
    rejects: tuple[Reject, ...] = ()
    duplicates: int = 0
    first: datetime | None = None
    last: datetime | None = None
    users: int | None = None
    gaps: tuple[tuple[date, date], ...] = ()
    columns: tuple[str, ...] = ()
    roles: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    files: int = 1

    def with_warnings(self, *more: str) -> Intake:
        """The same with more to say."""
        return replace(self, warnings=tuple(dict.fromkeys((*self.warnings, *more))))


@dataclass(frozen=True, slots=True)
class Days:
    """A table's rows by reason and day, from one pass.

    Attributes:
        out: Reason to rows that are out.
        rows: Rows that are in.
        by_day: Day to rows that are in; empty where there is no time.
        first: The earliest time that is in.
        last: The latest.
        endless: Rows that are in, with an infinite or undefined number.
    """

    out: Mapping[str, int]
    rows: int
    by_day: Mapping[date, int]
    first: datetime | None
    last: datetime | None
    endless: int


def gaps(days: Iterable[date]) -> tuple[tuple[date, date], ...]:
    """Runs of days that are missing between the first and the last.

    >>> gaps([date(2026, 1, 1), date(2026, 1, 4)])
    ((datetime.date(2026, 1, 2), datetime.date(2026, 1, 3)),)
    """
    found: list[tuple[date, date]] = []
    one = timedelta(days=1)
    listed = sorted(days)
    for before, after in pairwise(listed):
        if after - before > one:
            found.append((before + one, after - one))
    return tuple(found)


_MANY = 1000
_FEW = 0.001
_EMPTY = timedelta(days=30)
_SOME = 0.02
_HALF_YEAR = timedelta(days=180)


def plausible_end(by_day: Mapping[date, int], *, dense: bool) -> datetime | None:
    """Where the rows end, when a few lie beyond: clocks that run ahead.

    Nothing depends on the wall clock, so the end is found in the data. At most one row in a
    thousand may lie beyond it, and either an empty month lies between, or (for events, whose days
    are alike) no day beyond has a thousandth of a usual day; or at most one row in fifty lies
    beyond an empty half-year. Tables under a thousand rows tell nothing.

    Returns:
        The first moment that is too late; None when every row may stand.
    """
    total = sum(by_day.values())
    days = sorted(by_day)
    if total < _MANY or len(days) < 2:
        return None
    usual = median(by_day.values())
    beyond, end = 0, None
    for before, day in zip(reversed(days[:-1]), reversed(days[1:]), strict=True):
        beyond += by_day[day]
        if beyond > total * _SOME:
            break
        few = beyond <= total * _FEW
        thin = few and dense and by_day[day] < usual * _FEW
        if day - before > (_EMPTY if few else _HALF_YEAR) or (
            thin and (end is None or before < end)
        ):
            end = before
        elif dense and not thin:
            break
    if end is None:
        return None
    # Half a day of grace for the zone of a phone whose clock is right otherwise.
    return datetime(end.year, end.month, end.day) + timedelta(days=1, hours=14)  # noqa: DTZ001


def example_of(row: Mapping[str, Any]) -> Example:
    """A row of a shaped table as an example of what was left out."""
    file = str(row.get(FILE) or "")
    return Example(row.get(LINE), shorten(row[CELL]), file.rsplit("/", 1)[-1])


def shorten(text: str | None) -> str:
    r"""A cell for a message: one line, no control characters, of bearable length.

    >>> shorten("a\nb" + "c" * 500)[:3]
    'a b'
    """
    plain = "".join(c if c.isprintable() else " " for c in (text or ""))
    return plain if len(plain) <= _CELL_LENGTH else plain[: _CELL_LENGTH - 1] + "…"


def merge_rejects(parts: Sequence[Reject]) -> tuple[Reject, ...]:
    """Rejects of one reason together, most rows first."""
    merged: dict[str, Reject] = {}
    for part in parts:
        old = merged.get(part.reason)
        merged[part.reason] = (
            part
            if old is None
            else Reject(
                part.reason, old.rows + part.rows, (*old.examples, *part.examples)[:_EXAMPLES]
            )
        )
    return tuple(sorted(merged.values(), key=lambda r: (-r.rows, r.reason)))
