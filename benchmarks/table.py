"""The table: plain text for people, and the same rows as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill

__all__ = ["Row", "as_json", "as_text", "write"]


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison.

    Attributes:
        name: What is compared, and at what size.
        ours: Seconds, or GB where `unit` says so.
        theirs: The same of what it is held against; for memory, the most there may be.
        ratio: ``ours / theirs`` where `at_most`, else ``theirs / ours``: how many times faster.
        target: What the ratio should be.
        at_most: Whether the ratio should be at most the target, or at least.
        note: A sentence on what the row means.
    """

    name: str
    ours: float
    theirs: float
    target: float
    at_most: bool
    note: str
    unit: str = "s"

    @property
    def ratio(self) -> float:
        """As the target reads it."""
        return self.ours / self.theirs if self.at_most else self.theirs / self.ours

    @property
    def met(self) -> bool:
        """Whether the target is reached."""
        return self.ratio <= self.target if self.at_most else self.ratio >= self.target

    @property
    def aim(self) -> str:
        """The target as it is written: ``<= 1.5``."""
        return f"{'<=' if self.at_most else '>='} {self.target:g}"


def as_json(rows: Sequence[Row]) -> str:
    """The rows, each exactly ``{name, ours, theirs, ratio, target, met}``."""
    listed = [
        {
            "name": row.name,
            "ours": round(row.ours, 4),
            "theirs": round(row.theirs, 4),
            "ratio": round(row.ratio, 4),
            "target": row.aim,
            "met": row.met,
        }
        for row in rows
    ]
    return json.dumps(listed, indent=2, ensure_ascii=False) + "\n"


def as_text(rows: Sequence[Row]) -> str:
    """An aligned table, with a sentence under each row."""
    head = ("", "ours", "theirs", "ratio", "target", "met")
    body = [
        (
            row.name,
            f"{row.ours:,.2f} {row.unit}",
            f"{row.theirs:,.2f} {row.unit}",
            f"{row.ratio:,.2f}",
            row.aim,
            "yes" if row.met else "NO",
        )
        for row in rows
    ]
    wide = [max(len(line[i]) for line in (head, *body)) for i in range(len(head))]

    def line(cells: tuple[str, ...]) -> str:
        first, *others = cells
        rest = "  ".join(cell.rjust(w) for cell, w in zip(others, wide[1:], strict=True))
        return f"{first.ljust(wide[0])}  {rest}".rstrip()

    out = [line(head), "-" * (sum(wide) + 2 * (len(wide) - 1))]
    for row, cells in zip(rows, body, strict=True):
        note = fill(row.note, 100, initial_indent="    ", subsequent_indent="    ")
        out += [line(cells), note]
    return "\n".join(out) + "\n"


def write(rows: Sequence[Row], path: Path) -> None:
    """Write the JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(as_json(rows), encoding="utf-8")
