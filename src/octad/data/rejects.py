"""Rows that were left out, written to a file a person can open."""

from __future__ import annotations

import contextlib
import csv
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import ibis.expr.types as ir

from octad.data.connect import Engine
from octad.data.delimited import Broken
from octad.data.intake import Example, Reject, shorten
from octad.data.raw import FILE, LINE
from octad.data.shape import REASON, WHOLE
from octad.data.store import put

__all__ = ["MOST", "broken_rejects", "cells_of", "harmless", "piece", "write_rejects"]

MOST = 100_000
"""Rows written to a rejects file; whoever has more needs the first of them, not all."""


def harmless(text: str) -> str:
    """A cell that no spreadsheet takes for a formula (CWE-1236): a quote goes before it.

    >>> harmless('=cmd()'), harmless("pay")
    ("'=cmd()", 'pay')
    """
    return f"'{text}" if text.lstrip()[:1] in {"=", "+", "-", "@"} or text[:1] in "\t\r" else text


def broken_rejects(broken: Sequence[Broken]) -> list[Reject]:
    """Lines that are no rows, by what is wrong with them."""
    found: list[Reject] = []
    for reason in dict.fromkeys(row.reason for row in broken):
        these = [row for row in broken if row.reason == reason]
        examples = (Example(row.line or None, shorten(row.raw), row.file) for row in these[:3])
        found.append(Reject(reason, len(these), tuple(examples)))
    return found


def cells_of(out: ir.Table, broken: Sequence[Broken] = ()) -> list[list[object]]:
    """Rejected rows as they are written: file, line, reason, and the row as it was.

    Args:
        out: Rows that are out, with `REASON`, `WHOLE` and where each is from.
        broken: Lines that are no rows; they come first.
    """
    trace = [c for c in (FILE, LINE) if c in out.columns]
    lines: list[list[object]] = [
        [harmless(row.file), row.line or "", row.reason, harmless(row.raw)] for row in broken[:MOST]
    ]
    for cells in out.select(REASON, WHOLE, *trace).limit(MOST).to_pyarrow().to_pylist():
        file = str(cells.get(FILE) or "").rsplit("/", 1)[-1]
        line = cells.get(LINE) or ""
        lines.append([harmless(file), line, cells[REASON], harmless(cells[WHOLE])])
    return lines


def piece(folder: Path, key: str, rules: str) -> Path:
    """Where the rejected rows of one file are kept."""
    return folder / f"{key}-{rules}.csv"


def write_rejects(
    engine: Engine, source: str, pieces: Sequence[Path], more: Sequence[Sequence[object]] = ()
) -> None:
    """Write `.octad/rejects/SOURCE.csv` from what is kept of each file.

    Args:
        engine: Where `.octad` is.
        source: Which source it is.
        pieces: The files' own rejected rows, without a header.
        more: Rows that only all files together put out.
    """
    if not engine.writable:
        return

    def write(path: Path) -> None:
        with path.open("w", encoding="utf-8", newline="") as sink:
            writer = csv.writer(sink)
            writer.writerow(["file", "line", "reason", "row"])
            left = MOST
            for kept in pieces:
                with contextlib.suppress(OSError), kept.open(encoding="utf-8", newline="") as rows:
                    for row in islice(csv.reader(rows), left):
                        writer.writerow(row)
                        left -= 1
            writer.writerows(more[:left])

    put(engine.hidden / "rejects" / f"{source}.csv", write)
