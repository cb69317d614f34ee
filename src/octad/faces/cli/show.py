"""What `octad check` and `octad plan` print."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from rich.console import Console
from rich.text import Text

from octad.data.intake import Intake
from octad.faces.numbers import count, day
from octad.faces.safe import clean
from octad.faces.terminal import hanging

__all__ = ["show_check"]

MOST = 6


class Checked(Protocol):
    """What `check` found."""

    @property
    def sources(self) -> Iterable[Intake]: ...
    @property
    def rejects_file(self) -> Path | None: ...


def show_check(found: Checked, console: Console) -> None:
    """Print each source: what was read and kept, and what a careful reader should know."""
    for intake in found.sources:
        _source(intake, console)
    if found.rejects_file is not None:
        hanging(console, Text(), f"Rows left out are in {found.rejects_file}.", 0)


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
        hanging(console, head, f"{count(reject.rows)}: {clean(reject.reason)}", 12)
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
    console.print()
