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
from octad.data.files import fingerprint, is_packed, open_bytes, sniff, write_utf8
from octad.errors import DataError, Where

__all__ = ["FILE", "LINE", "TextRead", "read_delimited", "read_json"]

LINE = "_octad_line"
"""The line of a row in its text file, from 1; null where unknown."""

FILE = "_octad_file"
"""The file a row comes from: its path for Parquet, its name without ending for text."""

_MOST_BROKEN = 1000


_NULLS = "[" + ", ".join(literal(word) for word in spellings()) + "]"
"""Cells that are read as nothing from the start, so that columns are typed by plain casts."""


@dataclass(slots=True)
class TextRead:
    """What reading text files found: lines that are no rows, and things to say."""

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


def _as_utf8(path: Path, folder: Path, found: TextRead, *, unpack: bool) -> Path:
    """The file itself if engines can read it, else a copy in UTF-8."""
    text = sniff(path)
    found.notes += [text.note] if text.note else []
    if text.plain and not (unpack and is_packed(path)):
        return path
    clean = folder / f"{fingerprint([path])}.txt"
    write_utf8(path, text, clean)
    return clean


def read_delimited(
    engine: Engine, name: str, paths: Sequence[Path], where: Where | None
) -> TextRead:
    """Read CSV or TSV files into one in-memory table of text, columns matched by name.

    Sound files are read by the engine. A file with a line it refuses is read line by line
    instead, so that a broken quote costs one row and not the rest of the file.

    Args:
        engine: Where the table is made.
        name: What it is called; it has `FILE` and `LINE` beside the files' columns.
        paths: The files; their columns may differ.
        where: The place of `table:`, for errors.
    """
    found = TextRead()
    parts: list[str] = []
    try:
        with _workbench(engine) as folder:
            for place, path in enumerate(paths):
                clean = _as_utf8(path, folder, found, unpack=True)
                part = f"{name}_{place}"
                parts.append(part)
                _read_one(engine, part, path, clean, folder, found, where)
        union = " UNION ALL BY NAME ".join(f"(SELECT * FROM {quoted(part)})" for part in parts)
        engine.backend.raw_sql(f"CREATE OR REPLACE TEMP TABLE {quoted(name)} AS {union}")
    finally:
        for part in parts:
            engine.backend.raw_sql(f"DROP TABLE IF EXISTS {quoted(part)}")
    found.notes = list(dict.fromkeys(found.notes))
    return found


def _read_one(
    engine: Engine,
    table: str,
    path: Path,
    clean: Path,
    folder: Path,
    found: TextRead,
    where: Where | None,
) -> None:
    run = engine.backend.raw_sql
    dialect = sniff_dialect(clean, path.name, where)
    found.notes += dialect.notes
    columns = ", ".join(f"{literal(c)}: 'VARCHAR'" for c in dialect.columns)
    options = (
        f"auto_detect=false, header=false, delim={literal(dialect.delimiter)}, nullstr={_NULLS}, "
        f"quote='\"', escape='\"', skip={dialect.start - 1}, max_line_size={_longest(clean)}"
    )
    rejects, scans = f"{table}_rejects", f"{table}_scans"
    try:
        run(
            f"CREATE OR REPLACE TEMP TABLE {quoted(table)} AS "
            f"SELECT *, {literal(path.stem)} AS {FILE}, "
            f"row_number() OVER () + {dialect.start - 1} AS {LINE} "
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
        f"CREATE OR REPLACE TEMP TABLE {quoted(table)} AS SELECT *, {literal(path.stem)} AS {FILE} "
        f"FROM read_csv({listed([mended])}, columns={{{literal(LINE)}: 'BIGINT', {columns}}}, "
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

_PAIRS = json.dumps(
    [
        {
            "key": "VARCHAR",
            "value": dict.fromkeys(
                ("string_value", "int_value", "float_value", "double_value"), "VARCHAR"
            ),
        }
    ]
)


def read_json(engine: Engine, name: str, paths: Sequence[Path], where: Where | None) -> TextRead:
    """Read JSON lines (or one JSON array) into an in-memory table.

    A column of numbers, flags or texts is typed; objects and lists stay JSON, but for lists of
    key and value such as GA4's, which become what they are in Parquet.

    Raises:
        DataError: When no line is an object.
    """
    found = TextRead()
    run = engine.backend.raw_sql
    flat = f"{name}_flat"
    try:
        with _workbench(engine) as folder:
            clean = [_as_utf8(path, folder, found, unpack=False) for path in paths]
            array = all(_starts_array(path) for path in clean)
            kind = "format='array'" if array else "format='newline_delimited', ignore_errors=true"
            run(
                f"CREATE OR REPLACE TEMP TABLE {quoted(flat)} AS SELECT * FROM read_json("
                f"{listed(clean)}, {kind}, maximum_depth=1, sample_size=-1, union_by_name=true, "
                f"filename='{FILE}', maximum_object_size=67108864)"
            )
            if not array:
                found.broken = _broken_lines(engine, flat, paths)
        columns = _columns(engine, flat)
        if columns == ["json"]:
            # Some line is JSON but no object, so the engine left them all whole.
            found.broken = _broken_lines(engine, flat, paths, "json_type(json) <> 'OBJECT'")
            columns = _spread(engine, flat)
        if not columns:
            raise DataError(
                f"{paths[0].name} cannot be read as JSON lines.",
                where=where,
                mend='It needs one object a line, such as {"user": "a", "time": "2026-03-01"}.',
            )
        filled = " OR ".join(f"{quoted(c)} IS NOT NULL" for c in columns)
        cells = ", ".join(_json_column(engine, flat, c) for c in columns)
        run(
            f"CREATE OR REPLACE TEMP TABLE {quoted(name)} AS SELECT {cells}, "
            f"parse_filename({FILE}, true) AS {FILE} FROM {quoted(flat)} WHERE {filled}"
        )
    except duckdb.Error as error:
        raise DataError(
            f"{paths[0].name} cannot be read as JSON lines.",
            where=where,
            mend=f"It needs one object a line. DuckDB says: {str(error).splitlines()[0][:300]}",
        ) from error
    finally:
        run(f"DROP TABLE IF EXISTS {quoted(flat)}")
    return found


def _columns(engine: Engine, table: str) -> list[str]:
    described = engine.backend.raw_sql(f"DESCRIBE {quoted(table)}").fetchall()
    return [column for column, *_ in described if column != FILE]


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
        run(
            f"CREATE OR REPLACE TEMP TABLE {quoted(table)} AS SELECT {cells}, {FILE} FROM {objects}"
        )
    return keys


def _starts_array(path: Path) -> bool:
    with open_bytes(path) as file:
        return file.read(4096).lstrip(b"\xef\xbb\xbf \r\n\t")[:1] == b"["


def _json_column(engine: Engine, table: str, column: str) -> str:
    """The SQL that reads one JSON column as what all its cells are."""
    cell = quoted(column)
    kinds = {
        kind
        for (kind,) in engine.backend.raw_sql(
            f"SELECT DISTINCT json_type({cell}) FROM {quoted(table)}"
        ).fetchall()
        if kind not in {None, "NULL"}
    }
    text = f"json_extract_string({cell}, '$')"
    if kinds == {"ARRAY"} and _holds_pairs(engine, table, cell):
        return f"from_json({cell}, {literal(_PAIRS)}) AS {cell}"
    if kinds & {"OBJECT", "ARRAY"}:
        return cell
    if kinds and kinds <= {"BIGINT", "UBIGINT"}:
        return f"TRY_CAST({text} AS BIGINT) AS {cell}"
    if kinds and kinds <= {"BIGINT", "UBIGINT", "DOUBLE"}:
        return f"TRY_CAST({text} AS DOUBLE) AS {cell}"
    if kinds == {"BOOLEAN"}:
        return f"TRY_CAST({text} AS BOOLEAN) AS {cell}"
    return f"{text} AS {cell}"


def _holds_pairs(engine: Engine, table: str, cell: str) -> bool:
    found = engine.backend.raw_sql(
        f"SELECT count(*) FROM {quoted(table)} WHERE json_exists({cell}, '$[0].key') "
        f"AND json_exists({cell}, '$[0].value')"
    ).fetchone()
    return bool(found and found[0])


def _broken_lines(
    engine: Engine, table: str, paths: Sequence[Path], also: str = "false"
) -> list[Broken]:
    """Lines that are no JSON object; the engine leaves an empty row for each."""
    empty = " AND ".join(f"{quoted(c)} IS NULL" for c in _columns(engine, table)) or "true"
    counted = engine.backend.raw_sql(
        f"SELECT count(*) FROM {quoted(table)} WHERE ({empty}) OR {also}"
    ).fetchone()
    wanted = counted[0] if counted else 0
    if not wanted:
        return []
    reason = "a line that is no JSON object"
    broken: list[Broken] = []
    for path in paths:
        with open_bytes(path) as file:
            bad = (
                Broken(line, reason, text.decode("utf-8", "replace").strip(), path.name)
                for line, text in enumerate(file, 1)
                if text.strip() and not _is_object(text)
            )
            broken += islice(bad, _MOST_BROKEN - len(broken))
    rest = max(wanted - len(broken), 0)
    return broken[:wanted] + [Broken(0, reason, "", paths[0].name)] * rest


def _is_object(text: bytes) -> bool:
    try:
        return bool(json.loads(text)) and text.lstrip()[:1] == b"{"
    except ValueError:
        return False
