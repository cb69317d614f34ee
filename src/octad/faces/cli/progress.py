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


_TELLING = 0.05
"""Of a stage so much must be done, and a second spent, before it tells how long the rest takes."""


def left(seconds: float, done: float | None) -> str:
    """How long the rest of a stage takes, if it goes on as it went.

    Args:
        seconds: Spent on the stage so far.
        done: How much of it is done, 0 to 1; None when nobody knows.

    Returns:
        Words, rounded as coarsely as the guess is; empty while there is too little to go by.

    >>> left(30.0, 0.25), left(2.0, 0.8), left(5.0, 0.01)
    ('about 2 min left', 'a few seconds left', '')
    """
    if done is None or done < _TELLING or seconds < 1.0:
        return ""
    rest = seconds * (1.0 - done) / done
    if rest < 5:
        return "a few seconds left"
    if rest < 55:
        return f"about {round(rest / 5) * 5:g} s left"
    return f"about {max(1, round(rest / 60)):g} min left"


class _Bar:
    """A bar for each stage, on a terminal."""

    def __init__(self, console: Console) -> None:
        self.progress = Progress(
            SpinnerColumn(style="bold"),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=28),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}", markup=False),
            console=console,
            transient=True,
        )
        self.began = time.monotonic()
        self.showing = False
        self.stage = ""
        self.entered = self.began
        self.task = self.progress.add_task("", total=1.0, visible=False, left="")

    def __call__(self, stage: str, done: float | None = None, /) -> None:
        if not self.showing and time.monotonic() - self.began > PATIENCE:
            self.progress.start()
            self.showing = True
        if stage != self.stage:
            self.stage = stage
            self.entered = time.monotonic()
            self.progress.update(self.task, description=clean(stage, limit=60), visible=True)
        rest = left(time.monotonic() - self.entered, done)
        total = None if done is None else 1.0
        self.progress.update(self.task, completed=done or 0.0, total=total, left=rest)

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
