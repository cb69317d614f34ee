"""What `octad review LAUNCH --explain` prints: sources, stages, queries, nothing of the data."""

from __future__ import annotations

import io
import sys
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.text import Text

from octad.faces.cost import bytes_text
from octad.faces.safe import clean
from octad.faces.terminal import hanging, make_console
from octad.lifecycle.session import Session
from octad.model.explanation import Explanation, SourcePlan
from octad.model.numbers import count
from octad.project.atomic import write_text

__all__ = ["explain", "show"]

_MOST_SQL = 20_000


def explain(folder: Path, launch: str, *, style: str, out: Path | None, as_of: date | None) -> None:
    """Say what a review would read; as JSON where that is asked for, else as plain text."""
    found = Session.open(folder).explain(launch, as_of=as_of)
    if style == "json":
        text = f"{found.model_dump_json(indent=2)}\n"
    elif out is None and style == "terminal":
        show(found, make_console())
        return
    else:
        sink = io.StringIO()
        show(found, make_console(sink, width=100))
        text = sink.getvalue()
    if out is not None and str(out) != "-":
        write_text(out, text)
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8"))
    sys.stdout.buffer.flush()


def show(found: Explanation, console: Console) -> None:
    """Print it."""
    head = Text(clean(found.launch), "bold").append(": what a review of it will read")
    console.print(head, soft_wrap=True)
    hanging(console, Text(), _how(found), 0)
    console.print()
    _sources(found, console)
    if found.stages:
        console.print(Text("  Stages", "bold"))
        for number, stage in enumerate(found.stages, start=1):
            about = "" if _exact(found, stage.of) else "about "
            reads = f", {about}{count(stage.rows)} rows" if stage.rows else ""
            reads += f" of {clean(stage.of)}" if reads and stage.of else ""
            hanging(console, Text(f"  {number:>3}  "), f"{clean(stage.name)}{reads}", 7)
        console.print()
    if found.rows is not None:
        about = "" if all(source.exact for source in found.sources) else "About "
        said = f"{about}{count(found.rows)} rows will be read in all."
        hanging(console, Text("  "), said, 2, "bold")
    for note in found.notes:
        hanging(console, Text("  ").append("Mind this: ", "yellow"), clean(note), 13)
    told: set[str] = set()
    for query in found.queries.values():
        console.print()
        console.print(Text(f"  {clean(query.what)}", "bold"), soft_wrap=True)
        for statement in query.sql.split("\n\n"):
            if statement not in told:  # what several queries build on is shown with the first
                _statement(statement, console)
            told.add(statement)


def _how(found: Explanation) -> str:
    """What was done to know this."""
    if found.engine == "DuckDB":
        return "Nothing was read but the files' own accounts; no look is logged."
    return (
        f"No row of yours was read: {found.engine} was asked how large its tables are, and the "
        "queries ran on a few invented users in temporary tables. No look is logged."
    )


def _exact(found: Explanation, name: str) -> bool:
    return all(source.exact for source in found.sources if source.name == name)


def _statement(sql: str, console: Console) -> None:
    for line in clean(sql, limit=_MOST_SQL, lines=True).splitlines():
        console.print(Text(f"    {line}", "bright_black"), soft_wrap=True)


def _sources(found: Explanation, console: Console) -> None:
    """A line for each source, and one for the columns that are read."""
    rows = [_cells(source) for source in found.sources]
    wide = [max((len(row[i]) for row in rows), default=0) for i in range(4)]
    for source, (name, files, read, size) in zip(found.sources, rows, strict=True):
        line = f"  {name:<{wide[0]}}  {files:>{wide[1]}}  {read:>{wide[2]}}  {size:>{wide[3]}}"
        console.print(Text(line), soft_wrap=True)
        columns = ", ".join(clean(column) for column in source.columns)
        what = f"{clean(source.table)}{': ' if columns else ''}{columns}"
        hanging(console, Text("      "), what, 6, "bright_black")
    if found.kept_from is not None:
        kept = f"Kept from the look at {clean(found.kept_from)}; only what is new is read."
        hanging(console, Text("  "), kept, 2)
    console.print()


def _cells(source: SourcePlan) -> tuple[str, str, str, str]:
    files = f"{count(source.files)} file{'' if source.files == 1 else 's'}"
    if not source.files:
        files = "table"
    elif source.files_kept:
        files = f"{count(source.files - source.files_kept)} of {files} new"
    # Of text the bytes are known and the rows not; of an engine's tables both are estimates.
    about = "" if source.exact or source.rows is None else "about "
    read = "rows unknown" if source.rows is None else f"{about}{count(source.rows)} rows"
    size = "" if source.bytes is None else f"{about}{bytes_text(source.bytes)}"
    return clean(source.name), files, read, size
