"""What `octad check` and `octad plan` print."""

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
    from octad.lifecycle.sizing import MetricSize, PlanReport

__all__ = ["show_check", "show_plan"]

MOST = 6
MOST_GAPS = 3


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


def _long(days: int) -> str:
    """How long, without pretending to know the day ten years ahead."""
    return f"{count(days)} days" if days <= 3650 else "more than ten years"


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


def show_plan(found: PlanReport, console: Console) -> None:
    """Print what a launch would be able to see, and where it would have nothing to say."""
    head = Text(clean(found.launch), "bold")
    if found.as_of is not None:
        head.append(f" · sized from your own data up to {day(found.as_of)}")
    console.print(head, soft_wrap=True)
    if found.users is not None and found.a_day is not None:
        days = f"{found.enrolment} days" if found.enrolment != 1 else "one day"
        words = (
            f"About {count(found.users)} users would enter in {days}, "
            f"{count(round(found.a_day))} on an average day."
        )
        hanging(console, Text("  "), words, 2)
    console.print()
    for metric in found.metrics:
        _sized(metric, console)
    if found.silent:
        console.print()
        for name, lacks in found.silent.items():
            head = Text("  ").append(f"{name:<13}", "bold").append("silent", "bright_black")
            hanging(console, head, f"needs {clean(lacks)}", 26)
    if found.precedents:
        console.print()
        for name, verdict, decided in found.precedents:
            then = f"; the team decided: {clean(decided)}" if decided else ""
            words = f"{clean(name)}, with the same KPI: {clean(verdict)}{then}"
            hanging(console, Text("  ").append("Before:   ", "bright_black"), words, 12)
    console.print()
    for warning in found.warnings:
        hanging(console, Text("  ").append("Mind this: ", "yellow"), clean(warning), 13)
    hanging(console, Text("  "), f"When it says what you mean: octad seal {clean(found.launch)}", 2)


def _sized(metric: MetricSize, console: Console) -> None:
    """One metric: the smallest change it would show, and what its margin asks for."""
    head = Text("  ").append(f"{clean(metric.metric, limit=40):<13}", "bold")
    head.append(f"{metric.role:<11}")
    if metric.why_not:
        hanging(console, head, f"cannot be sized: {clean(metric.why_not)}", 26, "bright_black")
        return
    facts = []
    if metric.visible is not None:
        facts.append(f"would see a change of {share(metric.visible)} or more")
    if metric.margin is not None and metric.users is not None:
        margin = f"{metric.margin * 100:.3g}%"
        time = f", {_long(metric.days)}" if metric.days is not None else ""
        facts.append(f"a loss within {margin} takes {count(metric.users)} users{time} to show")
    if metric.reduction >= 0.01:
        facts.append(f"users’ own past takes away {share(metric.reduction, 0)} of the noise")
    hanging(console, head, " · ".join(facts) or "nothing can be said of it yet", 26)
