"""What `octad check` prints."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from octad.faces.numbers import count, day, share
from octad.faces.safe import clean
from octad.faces.terminal import hanging

if TYPE_CHECKING:
    from octad.data.check import CheckReport, ColumnNote
    from octad.data.intake import Intake

__all__ = ["show_check"]

MOST = 6
MOST_GAPS = 3
MUCH = 100_000_000
"""Bytes that are worth a word."""


def show_check(found: CheckReport, console: Console) -> None:
    """Print each source: what was read and kept, and what a careful reader should know."""
    for name, intake in found.intake.items():
        _source(intake, console)
        _columns(intake, found.columns.get(name, ()), console)
        if name in found.rejects:
            where = f"These rows are in {clean(found.rejects[name])}."
            hanging(console, Text("  "), where, 2)
        console.print()
    for doubt in found.doubts:
        head = Text("Mend this: ", "bold red")
        place = f"{clean(doubt.where)}: " if doubt.where else ""
        hanging(console, head, f"{place}{clean(doubt.what)} {clean(doubt.mend)}", 11)
    if found.kept >= MUCH:
        size = f"{found.kept / 1e9:.1f} GB" if found.kept >= 1e9 else f"{found.kept / 1e6:.0f} MB"
        kept = f"What was read before takes {size} in .octad, which can be deleted at any time."
        hanging(console, Text(), kept, 0)
    hanging(console, Text(), _closing(found), 0, "bold")


def _closing(found: CheckReport) -> str:
    empty = [name for name, intake in found.intake.items() if not intake.kept]
    if empty:
        return f"No row can be used of {' and '.join(empty)}, and a review needs some."
    if found.doubts:
        return "Mend what is named above, and run it again."
    if found.sound:
        return "Every row can be used."
    return "A review goes on with what is sound, and says what it left out."


def _columns(intake: Intake, notes: Sequence[ColumnNote], console: Console) -> None:
    """Which column plays which part, and which are often empty."""
    parts = [f"{clean(role)} is {clean(name)}" for role, name in intake.roles.items()]
    if parts:
        head = Text("  ").append("Read as:  ", "bright_black")
        hanging(console, head, ", ".join(parts), 12)
    empty = [
        f"{clean(note.name)} {share(note.empty, 0 if note.empty >= 0.01 else 2)}"
        for note in notes
        if note.empty > 0 and note.name in intake.columns
    ]
    if empty:
        more = f", and {len(empty) - MOST} more columns" if len(empty) > MOST else ""
        head = Text("  ").append("Empty in: ", "bright_black")
        hanging(console, head, ", ".join(empty[:MOST]) + more, 12)


def _rows(n: int) -> str:
    return f"{count(n)} row" if n == 1 else f"{count(n)} rows"


def _span(first: date, last: date) -> str:
    if first == last:
        return day(first)
    return f"{day(first, beside=last)} to {day(last)}"


def _source(intake: Intake, console: Console) -> None:
    console.print(
        Text(f"{intake.source}  ", "bold").append(clean(intake.table), ""), soft_wrap=True
    )
    kept = f"{count(intake.kept)} kept" if intake.kept != intake.read else "all kept"
    facts = [f"{_rows(intake.read)} read, {kept}"]
    if intake.first is not None and intake.last is not None:
        facts.append(_span(intake.first.date(), intake.last.date()))
    facts += [f"{count(intake.users)} users"] if intake.users is not None else []
    facts += [f"{intake.files} files"] if intake.files > 1 else []
    hanging(console, Text("  "), " · ".join(facts), 2)
    if intake.duplicates:
        hanging(console, Text("  "), f"{count(intake.duplicates)} later copies were dropped.", 2)
    for reject in intake.rejects:
        head = Text("  ").append("Left out: ", "yellow")
        hanging(console, head, f"{_rows(reject.rows)}: {clean(reject.reason)}", 12)
        for example in reject.examples:
            at = f"line {example.line}: " if example.line is not None else ""
            words = f"{at}{clean(example.raw, limit=160)}"
            hanging(console, Text(" " * 12), words, 12, "bright_black")
    if intake.gaps:
        shown = [_span(*gap) for gap in intake.gaps[:MOST_GAPS]]
        more = len(intake.gaps) - MOST_GAPS
        words = "; ".join(
            [*shown, *([f"and {more} more {'gap' if more == 1 else 'gaps'}"] if more > 0 else [])]
        )
        hanging(console, Text("  ").append("No rows: ", "yellow"), words, 12)
    for warning in intake.warnings:
        hanging(console, Text("  ").append("Mind this: ", "yellow"), clean(warning), 13)
