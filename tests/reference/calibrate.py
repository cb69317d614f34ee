"""How often answers are right: ``python -m tests.reference.calibrate [--json] [--repetitions N]``.

A/A comparisons and planted effects, simulated by the thousand. Each line gives the share that was
measured, the share that was promised, and the Monte-Carlo error of the measurement. A line more
than three such errors off is a defect, unless it says why it must be off. Exit code 1 on a defect.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tests.reference.chance import Measured

__all__ = ["main", "run", "simulations"]

Simulation = Callable[[np.random.Generator, int], list[Measured]]

SEED = 20260301


def simulations() -> list[Simulation]:
    """Every simulation there is.

    Those are the public functions of ``simulations_*.py`` and ``calibrate_*.py`` that take
    `rng` and `repetitions` and give ``list[Measured]``.
    """
    here = Path(__file__).parent
    found: list[Simulation] = []
    for path in sorted([*here.glob("simulations_*.py"), *here.glob("calibrate_*.py")]):
        module = importlib.import_module(f"tests.reference.{path.stem}")
        for name, function in vars(module).items():
            if name.startswith("_") or not inspect.isfunction(function):
                continue
            if function.__module__ == module.__name__ and _takes_chance(function):
                found.append(function)
    return found


def _takes_chance(function: Callable[..., object]) -> bool:
    takes = list(inspect.signature(function).parameters)
    gives = function.__annotations__.get("return")
    return takes == ["rng", "repetitions"] and gives in ("list[Measured]", list[Measured])


def run(
    repetitions: int, *, only: str = "", tell: Callable[[str], None] = lambda _: None
) -> list[Measured]:
    """Every simulation, each with its own stream of chance, so that one more changes no other.

    Args:
        repetitions: Of the cheap ones; the dear ones take a fixed part of it.
        only: Keep the simulations whose name (``module.function``) has this in it.
        tell: Is told each simulation's name and seconds as it ends.
    """
    rows: list[Measured] = []
    for simulation in simulations():
        name = f"{simulation.__module__.rpartition('.')[2]}.{simulation.__name__}"
        if only not in name:
            continue
        begun = time.process_time()
        stream = np.random.default_rng([SEED, *simulation.__name__.encode()])
        rows.extend(simulation(stream, repetitions))
        tell(f"{name}: {time.process_time() - begun:.1f} s")
    return rows


def show(rows: list[Measured]) -> Table:
    """The rows as one table for the terminal."""
    off = sum(not r.ok for r in rows)
    table = Table(title=f"{len(rows)} measured, {off} off", box=SIMPLE)
    for heading in ("what", "measured", "promised", "±", "off by", "runs", ""):
        numeric = heading in ("measured", "promised", "±", "off by", "runs")
        table.add_column(heading, justify="right" if numeric else "left", no_wrap=numeric)
    sign = {"equal": "", "at most": "≤ ", "at least": "≥ "}
    for r in rows:
        away = (r.measured - r.nominal) / r.error if r.error else 0.0
        verdict = "explained: " + escape(r.note) if r.note else ("ok" if r.ok else "[red]off[/]")
        table.add_row(
            escape(r.name),
            f"{r.measured:.4f}",
            f"{sign[r.bound]}{r.nominal:.4g}",
            f"{r.error:.4f}",
            f"{away:+.1f} se",
            f"{r.repetitions:,}",
            verdict,
        )
    return table


def main(arguments: list[str] | None = None) -> int:
    """Print the measurements; 1 when any is off and unexplained, else 0."""
    parser = argparse.ArgumentParser(prog="calibrate", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.add_argument("--repetitions", type=int, default=4000, metavar="N")
    parser.add_argument(
        "--only", default="", metavar="WORD", help="only simulations named like this"
    )
    chosen = parser.parse_args(arguments)
    speak = Console(stderr=True, quiet=chosen.json)
    rows = run(chosen.repetitions, only=chosen.only, tell=speak.print)
    if chosen.json:
        sys.stdout.write(json.dumps([asdict(r) for r in rows], indent=1) + "\n")
    else:
        Console(width=None if sys.stdout.isatty() else 160).print(show(rows))
    return int(not rows or any(not r.ok for r in rows))


if __name__ == "__main__":
    sys.exit(main())
