"""What each command does: call the life of a launch, show what comes back."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from pathlib import Path

from rich.text import Text

from octad.errors import FileError
from octad.faces.cli.progress import progress
from octad.faces.cli.show import show_check
from octad.faces.safe import clean
from octad.faces.terminal import hanging, make_console, terminal
from octad.lifecycle.session import Session
from octad.model.review import Review
from octad.project import scaffold
from octad.project.atomic import write_text

__all__ = ["check", "decide", "demo", "init", "list_worlds", "reflect", "review"]

REVIEWS = "reviews"


def _now() -> datetime:
    return datetime.now(UTC)


def _out(text: str = "", style: str = "") -> None:
    make_console().print(Text(text, style), soft_wrap=True)


def _note(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def init(folder: Path, preset: str, product: str) -> None:
    """Write a project to begin from, and say what to do next."""
    written = scaffold.create(folder, preset, product)
    for path in written:
        _out(f"  {clean(path)}")
    _out()
    _out("Next: say in octad.yml where your tables lie, and run 'octad check'.")


def check(folder: Path, *, quiet: bool) -> int:
    """Read every source and show what was found.

    Returns:
        0 when a review can go on; 2 when a name is misspelt or a source holds nothing.
    """
    session = Session.open(folder)
    with progress(quiet=quiet) as report:
        found = session.check(report)
    show_check(found, make_console())
    return 2 if found.doubts or not all(i.kept for i in found.intake.values()) else 0


def _written(review: Review, style: str) -> str:
    """A review as the text of a file."""
    if style == "json":
        from octad.faces.json import json_text  # noqa: PLC0415 - only what is asked for

        return json_text(review)
    if style == "md":
        from octad.faces.markdown import markdown  # noqa: PLC0415 - only what is asked for

        return markdown(review)
    if style == "html":
        from octad.faces.report import report  # noqa: PLC0415 - only what is asked for

        return report(review)
    from octad.faces.terminal import terminal_text  # noqa: PLC0415 - only what is asked for

    return terminal_text(review)


def _report(made: Review, root: Path) -> Path | None:
    """Write the full report; a review is worth reading even where it cannot be kept."""
    path = root / REVIEWS / f"{made.launch}.html"
    try:
        write_text(path, _written(made, "html"))
    except FileError as error:
        _note(f"The full review could not be written. {clean(error)}")
        return None
    return path


def _shown(path: Path) -> str:
    """A path as a person standing here would write it."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


def review(
    folder: Path,
    launch: str,
    *,
    style: str,
    out: Path | None,
    as_of: date | None,
    report: bool,
    unread: bool,
    quiet: bool,
) -> int:
    """Review a launch, show it, keep it.

    Returns:
        The verdict's exit code.
    """
    session = Session.open(folder)
    with progress(quiet=quiet) as tell:
        made = session.review(launch, as_of=as_of, unread=unread, progress=tell)
        kept = _report(made, session.root) if report else None
    if out is not None and str(out) != "-":
        write_text(out, _written(made, style))
        _note(f"Written: {clean(_shown(out))}")
    elif style == "terminal" and out is None:
        terminal(made, make_console(), full=_shown(kept) if kept else None)
    else:
        # Files and pipes are UTF-8 whatever the terminal is.
        sys.stdout.flush()
        sys.stdout.buffer.write(_written(made, style).encode("utf-8"))
        sys.stdout.buffer.flush()
    return made.verdict.exit_code


def decide(
    folder: Path, launch: str, decision: str, *, by: str, why: str, against: list[str]
) -> None:
    """Record a decision in the ledger."""
    session = Session.open(folder)
    session.decide(launch, decision, who=by, why=why, against=tuple(against), now=_now())
    _out(f"Recorded: {clean(by)} decided to {clean(decision)} {clean(launch)}.", "bold")
    if against:
        _out(f"Against: {', '.join(clean(name) for name in against)}.")
    _out("It is in ledger.jsonl, with the reason.")
    look = session.last_look(launch)
    if look is None:
        _out("Mind this: nobody has looked at its numbers yet.")
    elif look.verdict != decision:
        spoke = f", and {', '.join(look.against)} spoke against it" if look.against else ""
        _out(f"Mind this: the last look said {clean(look.verdict)}{clean(spoke)}.")


def reflect(folder: Path, launch: str, *, quiet: bool) -> None:
    """Score the forecasts and show how they came out."""
    session = Session.open(folder)
    with progress(quiet=quiet) as tell:
        scored = session.reflect(launch, progress=tell)
    if not scored:
        _out("Nothing is scored: what was forecast was not measured, or is too close to call.")
        return
    for outcome in scored:
        came = "it did" if outcome.happened >= 0.5 else "it did not"
        _out(
            f"  {clean(outcome.metric)}: {clean(outcome.change)}, "
            f"{outcome.sure * 100:.0f}% sure; {came}."
        )
    _out("It is in ledger.jsonl, for the next plan to learn from.")


def list_worlds() -> None:
    """Say which worlds `octad demo` can make, and what happens in each."""
    from octad import worlds  # noqa: PLC0415 - heavy

    kinds = worlds.kinds()
    usual = max((kind.strengths for kind in kinds), key=len)
    console = make_console()
    for kind in kinds:
        head = Text(f"{clean(kind.name):<19}", "bold")
        only = f" Only {', '.join(kind.strengths)}." if kind.strengths != usual else ""
        hanging(console, head, f"{clean(kind.title)}. {clean(kind.about)}{only}", 19)
    _out()
    _out(f"Make one with: octad demo FOLDER --world NAME --strength {'|'.join(usual)}")


def demo(folder: Path, world: str, *, strength: str, users: int, seed: int, quiet: bool) -> None:
    """Make the worked example, review its launch, and say where everything lies.

    It ends with exit code 0: the verdict of an example is not a failure.
    """
    from octad.lifecycle import demo as worked_example  # noqa: PLC0415 - simulates a world

    with progress(quiet=quiet) as tell:
        root = worked_example.create(
            folder, world, seed=seed, users=users, strength=strength, progress=tell
        )
    session = Session.open(root)
    for launch in session.launches:
        code = review(
            root,
            launch,
            style="terminal",
            out=None,
            as_of=None,
            report=True,
            unread=False,
            quiet=quiet,
        )
        _out()
        _out(f"  In a pipeline, 'octad review {launch}' would have exited with {code}.")
    _out(f"  The example lies in {_shown(root)}. Look at octad.yml and launches/ there.")
