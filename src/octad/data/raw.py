"""A source as it lies on disk: one Ibis table, every column as the file has it."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import duckdb
import ibis.expr.types as ir

from octad.data.connect import ATTACHED, Engine, literal, quoted
from octad.data.delimited import Broken, mend, sniff_dialect
from octad.data.files import find, fingerprint, kind_of, matches, sniff, write_utf8
from octad.errors import DataError, UnknownNameError, Where, nearest

__all__ = ["FILE", "LINE", "Raw", "read_raw"]

LINE = "_octad_line"
"""The physical line of a row in its text file, from 1; absent or null where unknown."""

FILE = "_octad_file"
"""The name, without its ending, of the file a row comes from."""


@dataclass(frozen=True, slots=True)
class Raw:
    """A source before any column has a meaning.

    Attributes:
        table: Every column of the file, and `FILE`; and `LINE` for delimited text.
        text: Whether reading it again is dear (CSV, JSON lines), so that it is worth keeping.
        paths: The files; empty for a table of the connection.
        broken: Rows that could not be read at all.
        notes: Encodings, headers and the like, in words.
        digest: Changes when the files do.
    """

    table: ir.Table
    text: bool
    paths: tuple[Path, ...]
    broken: tuple[Broken, ...] = ()
    notes: tuple[str, ...] = ()
    digest: str = ""


def read_raw(engine: Engine, source: str, table: str, where: Where | None = None) -> Raw:
    """Open what a source's `table:` names.

    Raises:
        UnknownNameError: When there is no such file or table.
        DataError: When a file cannot be read at all; names the file.
    """
    if engine.attached and not matches(engine.root, table):
        return _from_database(engine, table, where)
    paths = find(engine.root, table, where)
    kinds = {kind_of(path) or _kind_by_content(path) for path in paths}
    if len(kinds) > 1:
        raise DataError(
            f"'{table}' names files of several kinds: {', '.join(sorted(kinds))}.",
            where=where,
            mend="Name one kind, such as data/*.parquet.",
        )
    empty = next((path for path in paths if path.stat().st_size == 0), None)
    if empty is not None:
        raise DataError(f"{empty.name} is empty.", where=where, mend="Export it again.")
    kind = kinds.pop()
    digest = fingerprint(paths)
    if kind == "parquet":
        return Raw(_parquet(engine, source, paths, where), False, tuple(paths), digest=digest)
    if kind == "duckdb":
        return _from_file_database(engine, source, paths, where)
    if kind == "json":
        return _json(engine, source, paths, digest, where)
    return _delimited(engine, source, paths, digest, where)


def _kind_by_content(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(64)
    if head.startswith(b"PAR1"):
        return "parquet"
    return "json" if head.lstrip()[:1] == b"{" else "csv"


def _view(engine: Engine, name: str, sql: str) -> ir.Table:
    engine.backend.raw_sql(f"CREATE OR REPLACE TEMP VIEW {quoted(name)} AS {sql}")
    return engine.backend.table(name)


def _list(paths: list[Path]) -> str:
    return "[" + ", ".join(literal(_no_glob(str(path))) for path in paths) + "]"


def _no_glob(path: str) -> str:
    """A path in which DuckDB sees no pattern."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in path)


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0][:300]


def _parquet(engine: Engine, source: str, paths: list[Path], where: Where | None) -> ir.Table:
    read = f"read_parquet({_list(paths)}, union_by_name=true, filename='{FILE}')"
    try:
        return _view(engine, f"_octad_raw_{source}", f"SELECT * FROM {read}")
    except duckdb.Error as error:
        for path in paths:
            try:
                engine.backend.raw_sql(f"SELECT 1 FROM read_parquet({_list([path])}) LIMIT 0")
            except duckdb.Error as its:
                raise DataError(
                    f"{path.name} cannot be read as Parquet; it may have been cut short.",
                    where=where,
                    mend=f"Copy or export it again. DuckDB says: {_first_line(its)}",
                ) from error
        raise DataError(
            f"The files of '{source}' do not fit together: {_first_line(error)}",
            where=where,
            mend="A column must have one type in all files.",
        ) from error


def _from_database(engine: Engine, table: str, where: Where | None) -> Raw:
    known = {
        f"{schema}.{name}" if schema != "main" else name
        for schema, name in engine.backend.raw_sql(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = "
            f"{literal(ATTACHED)} UNION ALL SELECT schema_name, view_name FROM duckdb_views() "
            f"WHERE NOT internal AND database_name = {literal(ATTACHED)}"
        ).fetchall()
    }
    if table not in known:
        raise UnknownNameError(
            f"There is no table '{table}' in the connection.",
            where=where,
            mend=nearest(table, known),
        )
    schema, _, name = table.rpartition(".")
    found = engine.backend.table(name, database=(ATTACHED, schema or "main"))
    return Raw(found, text=False, paths=())


def _from_file_database(engine: Engine, source: str, paths: list[Path], where: Where | None) -> Raw:
    """A DuckDB file named as a source: its only table."""
    path = paths[0]
    alias = f"_octad_file_{source}"
    try:
        engine.backend.raw_sql(f"ATTACH IF NOT EXISTS {literal(str(path))} AS {alias} (READ_ONLY)")
    except duckdb.Error as error:
        raise DataError(
            f"{path.name} cannot be opened as a DuckDB database.",
            where=where,
            mend=f"DuckDB says: {_first_line(error)}",
        ) from error
    names = [
        row[0]
        for row in engine.backend.raw_sql(
            f"SELECT table_name FROM duckdb_tables() WHERE database_name = {literal(alias)}"
        ).fetchall()
    ]
    name = source if source in names else names[0] if len(names) == 1 else None
    if name is None:
        raise DataError(
            f"{path.name} holds {len(names)} tables, none called '{source}'.",
            where=where,
            mend=f"Write connection: duckdb://{path.name} and name the table: {', '.join(names)}.",
        )
    table = engine.backend.table(name, database=(alias, "main"))
    return Raw(table, text=False, paths=(path,), digest=fingerprint(paths))


def _json(engine: Engine, source: str, paths: list[Path], digest: str, where: Where | None) -> Raw:
    broken: list[Broken] = []
    read = f"read_ndjson_objects({_list(paths)}, ignore_errors=true)"
    options = "ignore_errors=true, maximum_depth=1, sample_size=-1, union_by_name=true"
    try:
        bad = engine.backend.raw_sql(f"SELECT count(*) FROM {read} WHERE json IS NULL").fetchone()
        table = _view(
            engine,
            f"_octad_raw_{source}",
            f"SELECT * FROM read_json({_list(paths)}, format='newline_delimited', {options}, "
            f"filename='{FILE}')",
        )
    except duckdb.Error as error:
        raise DataError(
            f"{paths[0].name} cannot be read as JSON lines.",
            where=where,
            mend=f"It needs one object a line. DuckDB says: {_first_line(error)}",
        ) from error
    if bad and bad[0]:
        broken = [Broken(0, "a line that is no JSON", "")] * int(bad[0])
        named = [name for name in table.columns if name != FILE]
        table = table.filter(table[named[0]].notnull() | _any_given(table, named[1:]))
    return Raw(table, True, tuple(paths), tuple(broken), digest=digest)


def _any_given(table: ir.Table, names: list[str]) -> ir.BooleanValue:
    given = table[FILE].isnull()
    for name in names:
        given |= table[name].notnull()
    return given


def _delimited(
    engine: Engine, source: str, paths: list[Path], digest: str, where: Where | None
) -> Raw:
    parts: list[str] = []
    broken: list[Broken] = []
    notes: list[str] = []
    folder = engine.hidden / "cache" if engine.writable else Path(tempfile.mkdtemp())
    for place, path in enumerate(paths):
        text = sniff(path)
        clean = path
        if not text.plain or _packed(path):
            clean = folder / f"{source}-{fingerprint([path])}.utf8.csv"
            if not clean.exists():
                write_utf8(path, text, clean)
            notes += [text.note] if text.note else []
        part, bad, said = _one_delimited(engine, clean, path, folder, f"{source}_{place}", where)
        parts.append(part)
        broken += bad
        notes += said
    sql = " UNION ALL BY NAME ".join(f"(SELECT * FROM {quoted(part)})" for part in parts)
    table = _view(engine, f"_octad_raw_{source}", sql)
    return Raw(table, True, tuple(paths), tuple(broken), tuple(dict.fromkeys(notes)), digest)


def _packed(path: Path) -> bool:
    return path.suffix.lower() in {".gz", ".gzip"}


def _one_delimited(
    engine: Engine, clean: Path, path: Path, folder: Path, name: str, where: Where | None
) -> tuple[str, list[Broken], list[str]]:
    dialect = sniff_dialect(clean, where)
    table = f"_octad_text_{name}"
    columns = "{" + ", ".join(f"{literal(c)}: 'VARCHAR'" for c in dialect.columns) + "}"
    options = (
        f"auto_detect=false, quote='\"', escape='\"', header=false, skip={dialect.start - 1}, "
        f"delim={literal(dialect.delimiter)}, nullstr='', max_line_size=16777216"
    )
    rejects = f"{table}_rejects", f"{table}_scans"
    run = engine.backend.raw_sql
    run(
        f"CREATE OR REPLACE TEMP TABLE {quoted(table)} AS SELECT *, "
        f"{dialect.start - 1} + row_number() OVER () AS {LINE}, {literal(path.stem)} AS {FILE} "
        f"FROM read_csv({literal(_no_glob(str(clean)))}, columns={columns}, {options}, "
        f"store_rejects=true, rejects_table={literal(rejects[0])}, "
        f"rejects_scan={literal(rejects[1])})"
    )
    lost = run(f"SELECT count(*) FROM {quoted(rejects[0])}").fetchone()
    run(f"DROP TABLE {quoted(rejects[0])}; DROP TABLE {quoted(rejects[1])}")
    broken: list[Broken] = []
    if lost and lost[0]:
        mended = folder / f"{name}-{fingerprint([path])}.mended.csv"
        try:
            broken = mend(clean, dialect, mended, LINE)
            columns = "{" + f"{literal(LINE)}: 'BIGINT', " + columns[1:]
            run(
                f"CREATE OR REPLACE TEMP TABLE {quoted(table)} AS SELECT *, "
                f"{literal(path.stem)} AS {FILE} FROM read_csv("
                f"{literal(_no_glob(str(mended)))}, columns={columns}, auto_detect=false, "
                "delim=',', quote='\"', escape='\"', header=true, nullstr='', "
                "max_line_size=1073741824)"
            )
        finally:
            mended.unlink(missing_ok=True)
    return table, broken, list(dialect.notes)
