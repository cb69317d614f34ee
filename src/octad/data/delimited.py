"""CSV and its kin: the dialect, and reading what is broken without losing what is sound."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

from octad.errors import DataError, Where

__all__ = ["Broken", "Dialect", "mend", "sniff_dialect"]

_DELIMITERS = (",", "\t", ";", "|", "\x01")
_LONGEST = 20_000
"""Physical lines one quoted field may span; past it the quote is taken to be broken."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file separates, and what its columns are called.

    Attributes:
        delimiter: One character.
        columns: Unique names, in order.
        header: Whether the first row is the header.
        start: The physical line of the first row of data, from 1.
        notes: What was made up or renamed, in words.
    """

    delimiter: str
    columns: tuple[str, ...]
    header: bool
    start: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Broken:
    """A row that is no row: its line (0 where unknown), what is wrong, its text and its file."""

    line: int
    reason: str
    raw: str
    file: str = ""


def _rows(text: str, delimiter: str) -> list[list[str]]:
    return [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row]


def _pick(sample: str, whole: bool) -> str:
    """The delimiter that cuts most rows into the same number of columns, more than one."""
    best, best_score = ",", 0.0
    for delimiter in _DELIMITERS:
        if delimiter not in sample:
            continue
        try:
            rows = _rows(sample, delimiter)
        except csv.Error:
            continue
        if not whole and len(rows) > 1:
            rows = rows[:-1]
        sizes = Counter(len(row) for row in rows)
        size, agreeing = max(sizes.items(), key=lambda item: (item[1], item[0]))
        header = len(rows[0]) if rows else 0
        if header < 2:
            continue
        score = agreeing / len(rows) + (1.0 if size == header else 0.0) + min(header, 50) / 1000
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _looks_like_data(row: list[str]) -> bool:
    """Whether a first row holds values, not names: any number, date or flag among its cells."""

    def value(cell: str) -> bool:
        bare = cell.strip().replace(",", "")
        try:
            float(bare)
        except ValueError:
            digits = sum(c.isdigit() for c in bare)
            return digits >= 6 and digits * 2 >= len(bare)
        return True

    return any(value(cell) for cell in row)


def _names(row: list[str], notes: list[str]) -> tuple[str, ...]:
    names: list[str] = []
    seen: set[str] = set()
    for place, cell in enumerate(row, 1):
        base = cell.strip().lstrip("﻿") or f"column_{place}"
        name, again = base, 2
        while name.lower() in seen:
            name, again = f"{base}_{again}", again + 1
        if name != base:
            notes.append(f"two columns are called '{base}'; the later one is '{name}' here")
        seen.add(name.lower())
        names.append(name)
    return tuple(names)


def sniff_dialect(path: Path, name: str, where: Where | None = None) -> Dialect:
    """Tell a UTF-8 file's delimiter, header and columns from its first 256 kB.

    Raises:
        DataError: When the file is empty.
    """
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        sample = file.read(1 << 18)
        whole = not file.read(1)
    if not sample.strip():
        raise DataError(f"{name} is empty.", where=where, mend="Export it again.")
    csv.field_size_limit(1 << 30)
    lead = len(sample) - len(sample.lstrip("\r\n"))
    blank = sample[:lead].count("\n")
    sample = sample[lead:]
    separator = sample[:6].lower()
    if separator.startswith("sep=") and len(sample) > 5:  # Excel's own first line
        delimiter = sample[4]
        sample = sample.split("\n", 1)[1] if "\n" in sample else ""
        blank += 1
    else:
        delimiter = _pick(sample, whole)
    notes: list[str] = []
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
    first = next(reader, [])
    lines = reader.line_num
    if _looks_like_data(first):
        columns = tuple(f"column_{place}" for place in range(1, len(first) + 1))
        notes.append(f"{name} seems to have no header; its columns are column_1, column_2 …")
        return Dialect(delimiter, columns, header=False, start=1 + blank, notes=tuple(notes))
    return Dialect(
        delimiter, _names(first, notes), header=True, start=1 + blank + lines, notes=tuple(notes)
    )


def _strict(text: str, delimiter: str) -> list[str] | None:
    """A record's cells; None when a quote in it does not close, or closes before its cell ends."""
    try:
        return next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), [])
    except csv.Error:
        return None


def _records(file: IO[str], dialect: Dialect) -> Iterator[tuple[int, list[str] | Broken]]:
    """Rows with their lines; a row whose quote never closes costs itself alone.

    A line that reads well alone is a row. Else lines are gathered until the quotes are even; when
    what was gathered does not read well either, the quote was broken: the first line is set
    aside, and reading goes on with the second.
    """
    width = len(dialect.columns)
    waiting: list[str] = []
    line = dialect.start
    while waiting or (waiting := list(islice(file, 1))):
        taken, quotes = 1, waiting[0].count('"')
        row = _strict(waiting[0], dialect.delimiter)
        while row is None and taken < _LONGEST:
            if taken == len(waiting):
                more = list(islice(file, 1))
                if not more:
                    break
                waiting += more
            quotes += waiting[taken].count('"')
            taken += 1
            if quotes % 2 == 0:
                row = _strict("".join(waiting[:taken]), dialect.delimiter)
                break
        if row is None or (taken > 1 and len(row) != width):
            taken = 1
            yield line, Broken(line, "a quote that never closes", waiting[0].rstrip("\r\n"))
        elif len(row) == width:
            yield line, row
        elif row:
            few = len(row) < width
            text = "".join(waiting[:taken]).rstrip("\r\n")
            yield line, Broken(line, f"too {'few' if few else 'many'} columns", text)
        line += taken
        del waiting[:taken]


def mend(path: Path, dialect: Dialect, target: Path, line_column: str) -> list[Broken]:
    """Write the sound rows of a broken file to a clean CSV, each with its line; return the rest.

    The clean file has a header, commas, and `line_column` as its first column.
    """
    broken: list[Broken] = []
    target.parent.mkdir(parents=True, exist_ok=True)
    with (
        path.open(encoding="utf-8-sig", errors="replace", newline="") as source,
        target.open("w", encoding="utf-8", newline="") as sink,
    ):
        for _ in islice(source, dialect.start - 1):
            pass
        writer = csv.writer(sink)
        writer.writerow([line_column, *dialect.columns])
        for line, row in _records(source, dialect):
            if isinstance(row, Broken):
                broken.append(row)
            else:
                writer.writerow([line, *row])
    return broken
