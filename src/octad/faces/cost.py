"""What a review cost, in words."""

from __future__ import annotations

from octad.faces.numbers import seconds
from octad.faces.safe import clean
from octad.model.numbers import count
from octad.model.review import Cost

__all__ = ["bytes_text", "cost_text", "stage_rows"]

_ENGINES = {
    "duckdb": "DuckDB",
    "postgres": "PostgreSQL",
    "pyspark": "Spark",
    "clickhouse": "ClickHouse",
}


def bytes_text(value: int) -> str:
    """Bytes as one says them, in powers of ten.

    >>> bytes_text(812), bytes_text(317_400_000)
    ('812 bytes', '317 MB')
    """
    for size, unit in ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if value >= size:
            shown = value / size
            return f"{shown:.0f} {unit}" if shown >= 100 else f"{shown:.3g} {unit}"
    return f"{value} bytes"


def cost_text(cost: Cost) -> str:
    """One line: rows, files, time, engine; empty when nothing is known.

    >>> from datetime import date
    >>> cost_text(Cost(rows_scanned=1200, files=3, files_read=1, kept_from=date(2026, 3, 2)))
    '1,200 rows read; 1 of 3 files was new, the others kept from the look at 2026-03-02'
    """
    if not cost.stages and not cost.rows_scanned:
        return ""
    time = f" in {seconds(sum(s.seconds for s in cost.stages))}" if cost.stages else ""
    name = clean(_ENGINES.get(cost.engine.split(" ")[0], cost.engine.split(" ")[0]))
    version = clean(cost.engine.partition(" ")[2])
    by = f" by {name} {version}".rstrip() if name else ""
    rows = f"{count(cost.rows_scanned)} rows read" if cost.rows_scanned else "Made"
    return f"{rows}{time}{by}{_files(cost)}"


def _files(cost: Cost) -> str:
    if cost.files is None or cost.files_read is None:
        return ""
    if cost.kept_from is not None:
        since = f"kept from the look at {cost.kept_from.isoformat()}"
        verb = "was" if cost.files_read == 1 else "were"
        new = f"{count(cost.files_read)} of {count(cost.files)} files {verb} new"
        kept = f"; {new}, the others {since}"
        if not cost.files_read:
            kept = f"; no file of events was new, all was {since}"
        if cost.new_users:
            kept += f" and read again for {count(cost.new_users)} new users"
        return kept
    if cost.why_all:
        which = "its one file was" if cost.files == 1 else f"all {count(cost.files)} files were"
        return f"; {which} read again: {clean(cost.why_all)}"
    return ""


def stage_rows(cost: Cost) -> tuple[tuple[str, str, str], ...]:
    """Name, time and rows of every stage that took at least a hundredth of a second."""
    return tuple(
        (clean(s.name), seconds(s.seconds), "" if s.rows is None else count(s.rows))
        for s in cost.stages
        if s.seconds >= 0.01 or s.rows
    )
