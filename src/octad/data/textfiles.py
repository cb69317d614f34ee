"""CSV and JSON files as tables of text, whatever their encoding and however broken."""

# ruff: noqa: S608 - every name goes through `quoted`, every text through `literal`
from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import duckdb

from octad.data.blanks import spellings
from octad.data.connect import Engine, listed, literal, quoted
from octad.data.delimited import Broken, Dialect, mend, sniff_dialect
from octad.data.envelopes import unwrapped
from octad.data.files import is_packed, open_bytes, sniff, write_utf8
from octad.errors import DataError, Where

__all__ = ["FILE", "LINE", "PAIRS", "PLACE", "Part", "json_cell", "read_delimited", "read_json"]

LINE = "_octad_line"
"""The line of a row in its text file, from 1; null where unknown."""

FILE = "_octad_file"
"""The file a row comes from: its path for Parquet, its name without ending for text."""

PLACE = "_octad_place"
"""The number of a row's text file among those of its source, from 0."""

_MOST_BROKEN = 1000


_NULLS = "[" + ", ".join(literal(word) for word in spellings()) + "]"
"""Cells that are read as nothing from the start, so that columns are typed by plain casts."""


@dataclass(slots=True)
class Part:
    """One text file in the engine, every cell as it is written.

    Attributes:
        columns: In order.
        kinds: Of a JSON file's columns: the kinds of their cells, and `PAIRS`.
        broken: Lines that are no rows.
        notes: Encodings, headers and the like, in words.
    """

    columns: tuple[str, ...] = ()
    kinds: dict[str, list[str]] = field(default_factory=dict)
    broken: list[Broken] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@contextmanager
def _workbench(engine: Engine) -> Iterator[Path]:
    """A folder for what is written on the way; gone afterwards, Ctrl-C or not."""
    base = engine.hidden / "tmp" if engine.writable else None
    if base is not None:
        base.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="read-", dir=base))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _as_utf8(path: Path, folder: Path, found: Part, *, unpack: bool) -> Path:
    """The file itself if engines can read it, else a copy in UTF-8."""
    text = sniff(path)
    found.notes += [text.note] if text.note else []
    if text.plain and not (unpack and is_packed(path)):
        return path
    clean = folder / "utf8.txt"
    write_utf8(path, text, clean)
    return clean


def read_delimited(engine: Engine, name: str, path: Path, where: Where | None) -> Part:
    """Read a CSV or TSV file into an in-memory table of text.

    A sound file is read by the engine. One with a line it refuses is read line by line instead,
    so that a broken quote costs one row and not the rest of the file.

    Args:
        engine: Where the table is made.
        name: What it is called; it has `LINE` beside the file's columns.
        path: The file.
        where: The place of `table:`, for errors.

    Raises:
        DataError: When it is empty, or no text.
    """
    found = Part()
    with _workbench(engine) as folder:
        clean = _as_utf8(path, folder, found, unpack=True)
        _read_one(engine, name, path, clean, folder, found, where)
    return found


def _read_one(
    engine: Engine,
    table: str,
    path: Path,
    clean: Path,
    folder: Path,
    found: Part,
    where: Where | None,
) -> None:
    run = engine.backend.raw_sql
    dialect = sniff_dialect(clean, path.name, where)
    found.notes += dialect.notes
    found.columns = dialect.columns
    columns = ", ".join(f"{literal(c)}: 'VARCHAR'" for c in dialect.columns)
    options = (
        f"auto_detect=false, header=false, delim={literal(dialect.delimiter)}, nullstr={_NULLS}, "
        f"quote='\"', escape='\"', skip={dialect.start - 1}, max_line_size={_longest(clean)}"
    )
    rejects, scans = f"{table}_rejects", f"{table}_scans"
    try:
        run(
            f"CREATE OR REPLACE TEMP TABLE {quoted(table)} AS "
            f"SELECT *, row_number() OVER () + {dialect.start - 1} AS {LINE} "
            f"FROM read_csv({listed([clean])}, columns={{{columns}}}, {options}, "
            f"store_rejects=true, rejects_table={literal(rejects)}, "
            f"rejects_scan={literal(scans)})"
        )
        counted = run(f"SELECT count(*) FROM {quoted(rejects)}").fetchone()
        refused = bool(counted and counted[0])
    except duckdb.InvalidInputException:
        # The engine gives up on a file whose lines end in two ways; line by line it is sound.
        refused = True
    finally:
        run(f"DROP TABLE IF EXISTS {quoted(rejects)}")
        run(f"DROP TABLE IF EXISTS {quoted(scans)}")
    if not refused:
        _number_lines(engine, table, clean, dialect)
        return
    mended = folder / f"{table}.mended.csv"
    broken = mend(clean, dialect, mended, LINE)
    found.broken += [replace(row, file=path.name) for row in broken]
    run(
        f"CREATE OR REPLACE TEMP TABLE {quoted(table)} AS SELECT * FROM read_csv("
        f"{listed([mended])}, columns={{{literal(LINE)}: 'BIGINT', {columns}}}, "
        f"auto_detect=false, header=true, delim=',', nullstr={_NULLS}, quote='\"', escape='\"', "
        f"max_line_size={_longest(mended)})"
    )


def _longest(path: Path) -> int:
    """The longest row to allow for: the engine sets aside sixteen times as much memory."""
    return min(max(path.stat().st_size, 1 << 21), 1 << 26)


def _number_lines(engine: Engine, table: str, clean: Path, dialect: Dialect) -> None:
    """Mend the lines where rows span several; where they cannot be told, they are null."""
    run = engine.backend.raw_sql
    before = dialect.start - 1
    counted = run(f"SELECT count(*) FROM {quoted(table)}").fetchone()
    rows = counted[0] if counted else 0
    lines = _lines(clean) - before
    if lines == rows:
        return
    cells = ", ".join(quoted(c) for c in dialect.columns)
    extra = f"length(concat({cells})) - length(replace(concat({cells}), chr(10), ''))"
    spanned = run(f"SELECT sum(1 + {extra}) FROM {quoted(table)}").fetchone()
    if spanned and spanned[0] == lines:
        others = f"{LINE} + coalesce(sum({extra}) OVER (ORDER BY {LINE} "
        others += "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)"
    else:
        others = "NULL"
    run(
        f"CREATE OR REPLACE TEMP TABLE {quoted(table)} AS "
        f"SELECT * REPLACE (({others})::BIGINT AS {LINE}) FROM {quoted(table)}"
    )


def _lines(path: Path) -> int:
    lines, last = 0, b"\n"
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            lines += block.count(b"\n")
            last = block[-1:]
    return lines + (last != b"\n")


# --- JSON --------------------------------------------------------------------------------------

_VALUES = ("string_value", "int_value", "float_value", "double_value")
_PAIRS = json.dumps([{"key": "VARCHAR", "value": dict.fromkeys(_VALUES, "VARCHAR")}])
_PAIRS_TYPE = (
    f'STRUCT("key" VARCHAR, "value" STRUCT({", ".join(f"{v} VARCHAR" for v in _VALUES)}))[]'
)


def read_json(engine: Engine, name: str, path: Path, where: Where | None) -> Part:
    """Read JSON lines (or an array, or an API's answers) into an in-memory table of JSON cells.

    Args:
        engine: Where the table is made.
        name: What it is called.
        path: The file.
        where: The place of `table:`, for errors.

    Returns:
        The part; without columns when no line is an object.

    Raises:
        DataError: When it cannot be read at all.
    """
    found = Part()
    run = engine.backend.raw_sql
    try:
        with _workbench(engine) as folder:
            clean = _as_utf8(path, folder, found, unpack=False)
            within = folder / "within.jsonl"
            inside = unwrapped(clean, within)
            clean = within if inside else clean
            array = _starts_array(clean)
            kind = "format='array'" if array else "format='newline_delimited', ignore_errors=true"
            run(
                f"CREATE OR REPLACE TEMP TABLE {quoted(name)} AS SELECT * FROM read_json("
                f"{listed([clean])}, {kind}, maximum_depth=1, sample_size=-1, "
                "maximum_object_size=67108864)"
            )
        if not array and not inside:
            found.broken = _broken_lines(engine, name, path)
        columns = _columns(engine, name)
        if columns == ["json"]:
            # Some line is JSON but no object, so the engine left them all whole.
            found.broken = _broken_lines(engine, name, path, "json_type(json) <> 'OBJECT'")
            columns = _spread(engine, name)
    except duckdb.Error as error:
        raise DataError(
            f"{path.name} cannot be read as JSON lines.",
            where=where,
            mend=f"It needs one object a line. DuckDB says: {str(error).splitlines()[0][:300]}",
        ) from error
    found.columns = tuple(columns)
    found.kinds = _kinds(engine, name, columns)
    return found


def _columns(engine: Engine, table: str) -> list[str]:
    described = engine.backend.raw_sql(f"DESCRIBE {quoted(table)}").fetchall()
    return [column for column, *_ in described]


def _spread(engine: Engine, table: str) -> list[str]:
    """Turn a table of whole JSON objects into one with a column for every key."""
    run = engine.backend.raw_sql
    objects = f"{quoted(table)} WHERE json_type(json) = 'OBJECT'"
    keys = [
        key
        for (key,) in run(
            f"SELECT key FROM (SELECT unnest(json_keys(json)) AS key FROM {objects}) "
            "GROUP BY key ORDER BY count(*) DESC, key"
        ).fetchall()
    ]
    pointers = ["/" + key.replace("~", "~0").replace("/", "~1") for key in keys]
    cells = ", ".join(
        f"json_extract(json, {literal(pointer)}) AS {quoted(key)}"
        for key, pointer in zip(keys, pointers, strict=True)
    )
    if keys:
        run(f"CREATE OR REPLACE TEMP TABLE {quoted(table)} AS SELECT {cells} FROM {objects}")
    return keys


def _starts_array(path: Path) -> bool:
    with open_bytes(path) as file:
        return file.read(4096).lstrip(b"\xef\xbb\xbf \r\n\t")[:1] == b"["


PAIRS = "pairs"
"""Beside the kinds of a column's cells: some are lists of key and value, as GA4 writes them."""

_KINDS_AT_ONCE = 40


def _kinds(engine: Engine, table: str, columns: Sequence[str]) -> dict[str, list[str]]:
    """The kinds of every column's cells."""
    found: dict[str, list[str]] = {}
    for start in range(0, len(columns), _KINDS_AT_ONCE):
        chunk = columns[start : start + _KINDS_AT_ONCE]
        sums = ", ".join(
            f"list(DISTINCT json_type({quoted(c)})), "
            f"coalesce(bool_or(json_exists({quoted(c)}, '$[0].key') "
            f"AND json_exists({quoted(c)}, '$[0].value')), false)"
            for c in chunk
        )
        row = engine.backend.raw_sql(f"SELECT {sums} FROM {quoted(table)}").fetchone() or ()
        for place, column in enumerate(chunk):
            kinds = {kind for kind in row[2 * place] or () if kind not in {None, "NULL"}}
            found[column] = sorted(kinds) + ([PAIRS] if row[2 * place + 1] else [])
    return found


def json_cell(column: str, kinds: Sequence[str]) -> tuple[str, str]:
    """The type that holds what all of a JSON column's cells are, and the SQL that reads it.

    A column of numbers, flags or texts is typed; objects and lists stay JSON, but for lists of
    key and value, which become what they are in Parquet.
    """
    cell, seen = quoted(column), set(kinds) - {PAIRS}
    text = f"json_extract_string({cell}, '$')"
    if seen == {"ARRAY"} and PAIRS in kinds:
        return _PAIRS_TYPE, f"from_json({cell}, {literal(_PAIRS)})"
    if seen & {"OBJECT", "ARRAY"}:
        return "JSON", cell
    if seen and seen <= {"BIGINT", "UBIGINT"}:
        return "BIGINT", f"TRY_CAST({text} AS BIGINT)"
    if seen and seen <= {"BIGINT", "UBIGINT", "DOUBLE"}:
        return "DOUBLE", f"TRY_CAST({text} AS DOUBLE)"
    if seen == {"BOOLEAN"}:
        return "BOOLEAN", f"TRY_CAST({text} AS BOOLEAN)"
    return "VARCHAR", text


def _broken_lines(engine: Engine, table: str, path: Path, also: str = "false") -> list[Broken]:
    """Lines that are no JSON object; the engine leaves an empty row for each."""
    empty = " AND ".join(f"{quoted(c)} IS NULL" for c in _columns(engine, table)) or "true"
    counted = engine.backend.raw_sql(
        f"SELECT count(*) FROM {quoted(table)} WHERE ({empty}) OR {also}"
    ).fetchone()
    wanted = counted[0] if counted else 0
    if not wanted:
        return []
    reason = "a line that is no JSON object"
    with open_bytes(path) as file:
        bad = (
            Broken(line, reason, text.decode("utf-8", "replace").strip(), path.name)
            for line, text in enumerate(file, 1)
            if text.strip() and not _is_object(text)
        )
        broken = list(islice(bad, min(wanted, _MOST_BROKEN)))
    return broken + [Broken(0, reason, "", path.name)] * max(wanted - len(broken), 0)


def _is_object(text: bytes) -> bool:
    try:
        return bool(json.loads(text)) and text.lstrip()[:1] == b"{"
    except ValueError:
        return False
