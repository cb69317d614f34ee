"""The table of numbers: ``python -m tests.reference.table [--json] [--only WORD]``.

Every module ``rows_*.py`` beside this one is imported; each of its public functions that is
annotated ``-> list[Row]`` and needs no argument gives rows. Exit code 1 when any row is off.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import sys
from pathlib import Path

from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tests.reference.row import Row

__all__ = ["collect", "main"]


def collect(only: str = "") -> list[Row]:
    """Every row, module by module in the order of their names.

    Args:
        only: Keep the modules whose name has this in it.
    """
    rows: list[Row] = []
    for path in sorted(Path(__file__).parent.glob("rows_*.py")):
        if only not in path.stem:
            continue
        module = importlib.import_module(f"tests.reference.{path.stem}")
        for name, function in vars(module).items():
            public = not name.startswith("_") and inspect.isfunction(function)
            if not public or function.__module__ != module.__name__:
                continue
            if function.__annotations__.get("return") in ("list[Row]", list[Row]):
                rows.extend(function())
    return rows


def show(rows: list[Row]) -> Table:
    """The rows as one table for the terminal."""
    table = Table(title=f"{len(rows)} numbers, {sum(not r.ok for r in rows)} off", box=SIMPLE)
    for heading in ("statistic", "ours", "reference", "difference", "allowed", "", "source"):
        numeric = heading in ("ours", "reference", "difference", "allowed")
        table.add_column(
            heading, justify="right" if numeric else "left", no_wrap=numeric or not heading
        )
    for r in rows:
        verdict = "[green]ok[/]" if r.ok else "[red]off[/]"
        numbers = (f"{r.ours:.8g}", f"{r.reference:.8g}", f"{r.difference:.1e}")
        table.add_row(escape(r.name), *numbers, f"{r.tolerance:.0e}", verdict, escape(r.source))
    return table


def main(arguments: list[str] | None = None) -> int:
    """Print the table; 1 when any row is off, else 0."""
    parser = argparse.ArgumentParser(prog="numbers", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.add_argument("--only", default="", metavar="WORD", help="only modules named like this")
    chosen = parser.parse_args(arguments)
    rows = collect(chosen.only)
    if chosen.json:
        sys.stdout.write(json.dumps([r.as_dict() for r in rows], indent=1) + "\n")
    else:
        console = Console(width=None if sys.stdout.isatty() else 160)
        console.print(show(rows))
    return int(not rows or any(not r.ok for r in rows))


if __name__ == "__main__":
    sys.exit(main())
