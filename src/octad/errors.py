"""One tree of errors: what happened, where, and how to mend it.

Every error a user can cause is an `OctadError`. The command line prints its three parts and
exits with `exit_code`; anything else that escapes is a fault of ours and exits with 1.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = [
    "DataError",
    "FileError",
    "LedgerError",
    "OctadError",
    "UnknownNameError",
    "UsageError",
    "Where",
    "nearest",
]


@dataclass(frozen=True, slots=True)
class Where:
    """A place in a file: the path as the user knows it, and the line counted from 1."""

    file: str
    line: int | None = None

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


class OctadError(Exception):
    """Something a user can mend.

    Args:
        what: What happened, as one plain sentence.
        where: The file and line, when there is one.
        mend: How to put it right, as one plain sentence.
    """

    exit_code = 2

    def __init__(self, what: str, *, where: Where | None = None, mend: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.mend = mend

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.what}" + (f" {self.mend}" if self.mend else "")


class UsageError(OctadError):
    """The command was called in a way it cannot serve."""


class FileError(OctadError):
    """A project file (octad.yml, a launch, the ledger) cannot be read or written."""


class UnknownNameError(OctadError):
    """A plan names a metric, event, arm, column or job that is not there."""


class DataError(OctadError):
    """A source's data cannot be used as the plan needs them."""


class LedgerError(OctadError):
    """The ledger is not whole, or cannot be added to."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Say which known word was probably meant.

    Returns:
        ``"Did you mean 'x'?"`` when one is close; else a list of what is known; else nothing.

    >>> nearest("paymnets", ["payments", "opens"])
    "Did you mean 'payments'?"
    >>> nearest("zzz", ["b", "a"])
    'Known: a, b.'
    """
    choices = sorted(set(known))
    folded = {choice.lower(): choice for choice in choices}
    close = difflib.get_close_matches(word.lower(), list(folded), n=1, cutoff=0.6)
    if close:
        return f"Did you mean '{folded[close[0]]}'?"
    if not choices:
        return ""
    shown = ", ".join(choices[:12])
    return f"Known: {shown}{', …' if len(choices) > 12 else ''}."
