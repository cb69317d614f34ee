"""Progress on stderr, for anything that takes more than a moment."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from octad.faces.safe import clean

__all__ = ["Report", "progress"]


class Report(Protocol):
    """Told the stage's name, and how much of it is done (0 to 1; None when unknown)."""

    def __call__(self, stage: str, done: float | None = None, /) -> None:
        """Take note of it."""


PATIENCE = 0.6
"""Seconds before anything is shown: what is quicker needs no progress."""


class _Bar:
    """A bar for each stage, on a terminal."""

    def __init__(self, console: Console) -> None:
        self.progress = Progress(
            SpinnerColumn(style="bold"),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=28),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self.began = time.monotonic()
        self.showing = False
        self.stage = ""
        self.task = self.progress.add_task("", total=1.0, visible=False)

    def __call__(self, stage: str, done: float | None = None, /) -> None:
        if not self.showing and time.monotonic() - self.began > PATIENCE:
            self.progress.start()
            self.showing = True
        if stage != self.stage:
            self.stage = stage
            self.progress.update(self.task, description=clean(stage, limit=60), visible=True)
        self.progress.update(self.task, completed=done or 0.0, total=None if done is None else 1.0)

    def stop(self) -> None:
        if self.showing:
            self.progress.stop()


class _Lines:
    """One line a stage, for a log."""

    def __init__(self) -> None:
        self.stage = ""
        self.began = time.monotonic()

    def __call__(self, stage: str, _done: float | None = None, /) -> None:
        if stage != self.stage:
            self.stage = stage
            seconds = time.monotonic() - self.began
            sys.stderr.write(f"{seconds:6.1f} s  {clean(stage, limit=60)}\n")
            sys.stderr.flush()

    def stop(self) -> None:
        """Nothing to take away."""


@contextmanager
def progress(*, quiet: bool) -> Iterator[Report | None]:
    """Give a callback that shows how far the work has come.

    Args:
        quiet: Show nothing at all.

    Yields:
        The callback, or None when quiet.
    """
    if quiet:
        yield None
        return
    shown = _Bar(Console(stderr=True)) if sys.stderr.isatty() else _Lines()
    try:
        yield shown
    finally:
        shown.stop()
