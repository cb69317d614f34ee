"""What `octad check` and `octad plan` print."""

from __future__ import annotations

from collections.abc import Sequence
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


def show_check(found: CheckReport, console: Console) -> None:
    """Print each source: what was read and kept, and what a careful reader should know."""
    for name, intake in found.intake.items():
        _source(intake, console)
        _columns(intake, found.columns.get(name, ()), console)
        if name in found.rejects:
            where = f"These rows are in {clean(found.rejects[name])}."
            hanging(console, Text("  "), where, 2)
        console.print()
    words = (
        "Every row can be used."
        if found.sound
        else "A review goes on with what is sound, and says what it left out."
    )
    hanging(console, Text(), words, 0, "bold")


def _columns(intake: Intake, notes: Sequence[ColumnNote], console: Console) -> None:
    """Which column plays which part, and which are often empty."""
    parts = [f"{clean(role)} is {clean(name)}" for role, name in intake.roles.items()]
    if parts:
        head = Text("  ").append("Read as:  ", "bright_black")
        hanging(console, head, ", ".join(parts), 12)
    empty = [
        f"{clean(note.name)} {share(note.empty, 0 if note.empty >= 0.01 else 2)}"
        for note in notes
        if note.empty > 0
    ]
    if empty:
        more = f", and {len(empty) - MOST} more columns" if len(empty) > MOST else ""
        head = Text("  ").append("Empty in: ", "bright_black")
        hanging(console, head, ", ".join(empty[:MOST]) + more, 12)


def _source(intake: Intake, console: Console) -> None:
    console.print(
        Text(f"{intake.source}  ", "bold").append(clean(intake.table), ""), soft_wrap=True
    )
    facts = [f"{count(intake.read)} rows read, {count(intake.kept)} kept"]
    if intake.first is not None and intake.last is not None:
        facts.append(f"{day(intake.first)} to {day(intake.last)}")
    facts += [f"{count(intake.users)} users"] if intake.users is not None else []
    facts += [f"{intake.files} files"] if intake.files > 1 else []
    hanging(console, Text("  "), " · ".join(facts), 2)
    if intake.duplicates:
        hanging(console, Text("  "), f"{count(intake.duplicates)} later copies were dropped.", 2)
    for reject in intake.rejects:
        head = Text("  ").append("Left out: ", "yellow")
        hanging(console, head, f"{count(reject.rows)} rows: {clean(reject.reason)}", 12)
        for example in reject.examples:
            at = f"line {example.line}: " if example.line is not None else ""
            words = f"{at}{clean(example.raw, limit=160)}"
            hanging(console, Text(" " * 12), words, 12, "bright_black")
    for first, last in intake.gaps[:MOST]:
        span = day(first) if first == last else f"{day(first)} to {day(last)}"
        hanging(console, Text("  ").append("No rows: ", "yellow"), span, 12)
    if len(intake.gaps) > MOST:
        hanging(console, Text("  "), f"and {len(intake.gaps) - MOST} more gaps", 12)
    for warning in intake.warnings:
        hanging(console, Text("  ").append("Mind this: ", "yellow"), clean(warning), 13)
