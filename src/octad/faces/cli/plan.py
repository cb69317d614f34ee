"""`octad plan`: size what is written, or ask for it first."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.text import Text

from octad.errors import UsageError
from octad.faces.cli.progress import progress
from octad.faces.planned import plan_json, plan_markdown, show_plan
from octad.faces.safe import clean
from octad.faces.terminal import hanging, make_console
from octad.lifecycle.interview import Question, interview, not_here, refuse_taken
from octad.lifecycle.session import Session
from octad.project.atomic import write_text
from octad.project.load import LAUNCHES

__all__ = ["plan"]


def plan(
    folder: Path, launch: str, *, style: str, out: Path | None, asked: bool, quiet: bool
) -> None:
    """Size a launch and show what it will be able to say, after asking for it where wanted.

    Args:
        folder: The project's folder, or one inside it.
        launch: The launch.
        style: ``terminal``, ``md`` or ``json``.
        out: A file to write it to instead.
        asked: Whether the interview was asked for by name.
        quiet: Show no progress.
    """
    session = Session.open(folder)
    there = (session.root / LAUNCHES / f"{launch}.yml").exists()
    somebody = sys.stdin.isatty()
    plain = Path(launch).name == launch and not Path(launch).suffix
    if asked or (not there and somebody and plain):
        refuse_taken(session.root, launch)
        if not somebody:
            raise not_here(launch)
        _ask(session, launch)
    with progress(quiet=quiet) as report:
        found = session.plan(launch, report)
    if style == "terminal" and out is None:
        show_plan(found, make_console())
        return
    text = plan_json(found) if style == "json" else plan_markdown(found)
    if out is not None and str(out) != "-":
        write_text(out, text)
        sys.stderr.write(f"Written: {clean(out)}\n")
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8"))
    sys.stdout.buffer.flush()


def _ask(session: Session, launch: str) -> None:
    console = make_console()
    words = (
        f"There is no plan of {clean(launch)} yet. A few questions make one; an empty answer takes "
        "what stands in brackets, and Ctrl-C leaves everything as it is."
    )
    hanging(console, Text(), words, 0)
    path = interview(session.root, launch, _question, today=datetime.now(UTC).date())
    console.print()
    _out(f"Written: {LAUNCHES}/{clean(path.name)}. It is yours to edit until it is sealed.", "bold")
    console.print()


def _out(text: str, style: str = "") -> None:
    make_console().print(Text(text, style), soft_wrap=True)


def _question(question: Question) -> Any:
    """Ask until the answer holds.

    Raises:
        UsageError: When nobody answers any more.
    """
    console = make_console()
    console.print()
    hanging(console, Text(), clean(question.text), 0, "bold")
    if question.hint:
        hanging(console, Text("  "), clean(question.hint), 2, "bright_black")
    offered = f"[{clean(question.default)}] " if question.default else ""
    while True:
        try:
            said = input(f"  {offered}> ").strip()
        except EOFError:
            raise UsageError(
                "the answers ended before the questions did.", mend="Nothing was written."
            ) from None
        try:
            return question.read(said or question.default)
        except ValueError as error:
            why = str(error)
            hanging(console, Text("  "), f"{why[:1].upper()}{why[1:]}.".replace("..", "."), 2)
