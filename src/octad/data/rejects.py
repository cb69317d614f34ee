"""Rows that were left out, written to a file a person can open."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence

import ibis.expr.types as ir

from octad.data.connect import Engine
from octad.data.delimited import Broken
from octad.data.intake import Example, Reject, shorten
from octad.data.raw import FILE, LINE
from octad.data.shape import REASON, WHOLE

__all__ = ["broken_rejects", "harmless", "write_rejects"]

_MOST = 100_000
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


def write_rejects(
    engine: Engine, source: str, table: ir.Table, broken: Sequence[Broken]
) -> str | None:
    """Write `.octad/rejects/SOURCE.csv`: file, line, reason and the row as it was.

    Returns:
        The file's path from the project's folder; None where nothing can be written.
    """
    if not engine.writable:
        return None
    folder = engine.hidden / "rejects"
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{source}.csv"
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    trace = [c for c in (FILE, LINE) if c in table.columns]
    out = table.filter(table[REASON].notnull()).select(REASON, WHOLE, *trace).limit(_MOST)
    try:
        with partial.open("w", encoding="utf-8", newline="") as sink:
            writer = csv.writer(sink)
            writer.writerow(["file", "line", "reason", "row"])
            for row in broken[:_MOST]:
                writer.writerow([row.file, row.line or "", row.reason, harmless(row.raw)])
            for cells in out.to_pyarrow().to_pylist():
                file = str(cells.get(FILE) or "").rsplit("/", 1)[-1]
                place = (harmless(file), cells.get(LINE) or "")
                writer.writerow([*place, cells[REASON], harmless(cells[WHOLE])])
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return str(target.relative_to(engine.root))
