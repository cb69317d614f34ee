"""What was read: rows kept and left out, why, and what a careful reader should know."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

__all__ = ["Example", "Intake", "Reject"]


@dataclass(frozen=True, slots=True)
class Example:
    """A row that was left out: its line in the file, where known, and its raw content."""

    line: int | None
    raw: str


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
        source: ``events``, ``users``, ``exposures``, ``reviews``, ``releases`` or ``units``.
        table: As `octad.yml` names it.
        read: Rows in the files.
        kept: Rows that are used.
        rejects: Rows left out, by reason.
        duplicates: Later copies that were dropped.
        first: The earliest time kept.
        last: The latest time kept.
        users: How many users; None where the source has none, approximate before `check`.
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
    roles: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    files: int = 1
