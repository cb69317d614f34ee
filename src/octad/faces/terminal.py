"""A review in a terminal: the verdict, the KPI, the eight readings, and what would change it."""

from __future__ import annotations

import sys
from typing import IO

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from octad.faces.safe import clean
from octad.faces.view import NBSP, ReadingView, ReviewView, view
from octad.model.review import Review

__all__ = ["terminal", "terminal_text"]

_VERDICT_STYLE = {
    "ship": "bold white on green",
    "hold": "bold black on yellow",
    "roll back": "bold white on red",
    "cannot tell": "bold black on white",
}
_STANCE_STYLE = {"for": "green", "against": "red", "mixed": "yellow", "silent": "bright_black"}
NARROW, WIDE = 60, 120
MOST_LEFT_OUT = 8


def _wrap(text: str, width: int) -> list[str]:
    """Break a text into lines of cells (a Chinese character takes two), at spaces when it can."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):  # a no-break space keeps an interval together
        joined = f"{line} {word}" if line else word
        if cell_len(joined) <= width:
            line = joined
            continue
        if line:
            lines.append(line)
        line = word
        while cell_len(line) > width:
            cut = 1
            while cut < len(line) and cell_len(line[: cut + 1]) <= width:
                cut += 1
            lines.append(line[:cut])
            line = line[cut:]
    made = [*lines, line] if line or not lines else lines
    return [line.replace(NBSP, " ") for line in made]


def hanging(console: Console, head: Text, body: str, indent: int, style: str = "") -> None:
    """Print a head and a body whose further lines hang below the first."""
    width = max(console.width - indent, 20)
    first, *rest = _wrap(body, width)
    head.pad_right(max(indent - head.cell_len, 0))
    head.append(first, style)
    console.print(head, soft_wrap=True)
    for line in rest:
        console.print(Text(" " * indent).append(line, style), soft_wrap=True)


def _inside(sentence: str) -> str:
    """A sentence inside a line: begun small, unless its first word is a name such as "iOS"."""
    first = sentence.split(maxsplit=1)[0] if sentence.split() else ""
    plain_word = first[1:] == first[1:].lower()
    return f"{sentence[:1].lower()}{sentence[1:]}" if plain_word else sentence


def _header(console: Console, shown: ReviewView) -> None:
    name = Text().append(shown.launch, "bold")
    if shown.what:
        name.append(f" · {_inside(shown.what)}", "")
    facts = " · ".join(shown.facts)
    gap = console.width - name.cell_len - cell_len(facts)
    if gap >= 3:
        console.print(name.append(" " * min(gap, 24)).append(facts, "bright_black"), soft_wrap=True)
        return
    hanging(console, Text(), name.plain, 0, "bold")
    hanging(console, Text(), facts, 0, "bright_black")


def _row(console: Console, reading: ReadingView, kpi_metric: str) -> None:
    is_kpi = reading.name == "kpi"
    middle = kpi_metric if is_kpi and kpi_metric and len(kpi_metric) <= 10 else reading.stance
    summary = reading.summary
    if middle == kpi_metric:
        summary = summary.removeprefix(f"{kpi_metric} ").removeprefix(f"{kpi_metric}: ")
    head = Text("  ").append(f"{reading.title if is_kpi else reading.name:<13}", "bold")
    if console.width < 72:
        head.append(middle, "" if is_kpi else _STANCE_STYLE[reading.stance])
        console.print(head, soft_wrap=True)
        hanging(console, Text(), summary, 4)
        return
    head.append(f"{middle:<11}", "" if is_kpi else _STANCE_STYLE[reading.stance])
    hanging(console, head, summary, 26)


def _verdict(console: Console, shown: ReviewView) -> None:
    badge = Text("  ").append(
        f" {shown.verdict.upper()} " if console.color_system else shown.verdict.upper(),
        _VERDICT_STYLE[shown.verdict],
    )
    badge.append("   ")
    indent = badge.cell_len
    if console.width < 72:
        console.print(badge, soft_wrap=True)
        badge, indent = Text("  "), 2
    hanging(console, badge, shown.headline, indent, "bold")
    for reason in shown.reasons:
        hanging(console, Text(), reason, indent)


def _beneath(console: Console, shown: ReviewView) -> None:
    """Warnings, deviations and rows left out: what a careful reader looks at last."""
    for warning in shown.warnings:
        hanging(console, Text("  ").append("Mind this: ", "yellow"), warning, 13)
    for what, before, after in shown.deviations:
        change = f": {before or 'nothing'} → {after or 'nothing'}" if before or after else ""
        hanging(console, Text("  ").append("Changed:   ", "yellow"), f"{what}{change}", 13)
    for source, why, rows in shown.left_out[:MOST_LEFT_OUT]:
        words = f"{rows} of {source}: {why}"
        hanging(console, Text("  ").append("Left out:  ", "bright_black"), words, 13)
    if len(shown.left_out) > MOST_LEFT_OUT:
        more = len(shown.left_out) - MOST_LEFT_OUT
        console.print(Text(f"{'':13}and {more} more kinds, all in the full review"), soft_wrap=True)


def terminal(review: Review, console: Console, *, full: str | None = None) -> None:
    """Print a review.

    Args:
        review: What `octad review` made.
        console: Where to; its width and colours are honoured.
        full: Where the whole report lies, if it was written.
    """
    shown = view(review)
    if shown.simulated:
        hanging(console, Text(), shown.simulated_note, 0, "italic")
    _header(console, shown)
    console.print()
    _verdict(console, shown)
    console.print()
    for reading in (shown.kpi, *shown.readings):
        _row(console, reading, shown.kpi_metric)
    console.print()
    wide = console.width >= 72
    if shown.case:
        lead = Text("  ").append("The case against: ", "bold")
        hanging(console, lead, shown.case, 26 if wide else lead.cell_len)
    for i, sentence in enumerate(shown.next):
        label = "What would change this: " if i == 0 else ""
        lead = Text("  ").append(label, "bold")
        hanging(console, lead, sentence, 26 if wide else lead.cell_len)
    hanging(console, Text("  ").append("Verdict table: ", "bold"), shown.rule, 17)
    if full:
        console.print(Text("  Full review: ").append(clean(full), "bold"), soft_wrap=True)
    if shown.warnings or shown.deviations or shown.left_out:
        console.print()
        _beneath(console, shown)
    if shown.cost:
        console.print()
        hanging(console, Text("  "), f"{shown.cost}.", 2, "bright_black")


class _Console(Console):
    """A console that lets the command line settle what a closed pipe means."""

    def on_broken_pipe(self) -> None:
        """Pass it on; Rich itself would exit with 1, which here says a fault of ours."""
        raise BrokenPipeError


def make_console(file: IO[str] | None = None, *, width: int | None = None) -> Console:
    """A console that keeps quiet about colours where nobody can see them.

    Rich itself looks at NO_COLOR, TERM and whether the file is a terminal. Where it is not one,
    lines are as wide as the page people read logs on.
    """
    out = file or sys.stdout
    if width is None and not out.isatty():
        width = WIDE
    made = _Console(file=out, width=width, highlight=False, markup=False, emoji=False)
    made.width = max(made.width, NARROW - 20)
    return made


def terminal_text(review: Review, *, width: int = 100, full: str | None = None) -> str:
    """A review as plain text, as a terminal without colours shows it."""
    console = Console(
        width=width, no_color=True, color_system=None, highlight=False, markup=False, emoji=False
    )
    with console.capture() as capture:
        terminal(review, console, full=full)
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"
