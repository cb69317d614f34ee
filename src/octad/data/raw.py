"""A source as it lies on disk: one Ibis table, every column as the file has it."""

# ruff: noqa: S608 - every name goes through `quoted`, every text through `literal`
from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import ibis.expr.types as ir

from octad.data.connect import ATTACHED, Engine, listed, literal, quoted
from octad.data.delimited import Broken
from octad.data.files import find, fingerprint, kind_of, matches
from octad.data.textfiles import FILE, LINE, read_delimited, read_json
from octad.errors import DataError, UnknownNameError, Where, nearest

__all__ = ["FILE", "LINE", "ROW", "TRACE", "Content", "Raw", "read_raw"]

ROW = "_octad_row"
"""The place of a row in its Parquet file, from 0."""

TRACE = (FILE, LINE, ROW)
"""Where a row comes from, as far as it is known."""


@dataclass(frozen=True, slots=True)
class Content:
    """A source's rows before any column has a meaning.

    Attributes:
        table: Every column of the file, and those of `TRACE` that are known.
        broken: Lines that are no rows.
        notes: Encodings, headers and the like, in words.
        held: Tables in memory that `release` frees.
    """

    engine: Engine
    table: ir.Table
    broken: tuple[Broken, ...] = ()
    notes: tuple[str, ...] = ()
    held: tuple[str, ...] = ()

    def release(self) -> None:
        """Free the memory; the table is gone then."""
        for name in self.held:
            self.engine.backend.raw_sql(f"DROP TABLE IF EXISTS {quoted(name)}")


@dataclass(frozen=True, slots=True)
class Raw:
    """A source that was found, and not read yet.

    Attributes:
        engine: What reads it.
        source: Which source it is.
        kind: ``parquet``, ``csv``, ``json``, ``duckdb`` (a file of its own) or ``table``.
        named: As `octad.yml` names it.
        paths: The files; none for a table of the connection.
        where: The place of `table:`.
        digest: Changes when the files do.
    """

    engine: Engine
    source: str
    kind: str
    named: str
    paths: tuple[Path, ...] = ()
    where: Where | None = None
    digest: str = field(default="")

    @property
    def text(self) -> bool:
        """Whether reading it is dear, and its cells are words: CSV or JSON lines."""
        return self.kind in {"csv", "json"}

    def read(self) -> Content:
        """Open the rows.

        Raises:
            DataError: When a file cannot be read at all; names the file.
            UnknownNameError: When the connection has no such table.
        """
        name = f"_octad_raw_{self.source}"
        if self.kind == "table":
            return Content(self.engine, _from_connection(self.engine, self.named, self.where))
        if self.kind == "duckdb":
            return Content(self.engine, _from_database(self))
        if self.kind == "parquet":
            return Content(self.engine, _from_parquet(self, name))
        reader = read_json if self.kind == "json" else read_delimited
        found = reader(self.engine, name, list(self.paths), self.where)
        table = self.engine.backend.table(name)
        return Content(self.engine, table, tuple(found.broken), tuple(found.notes), (name,))


def read_raw(engine: Engine, source: str, table: str, where: Where | None = None) -> Raw:
    """Find what a source's `table:` names.

    Raises:
        UnknownNameError: When there is no such file.
        DataError: When files are of several kinds, empty, or may not be read.
    """
    if engine.attached and not matches(engine.root, table):
        return Raw(engine, source, "table", table, where=where)
    paths = find(engine.root, table, where)
    try:
        kinds = {kind_of(path) or _kind_by_content(path) for path in paths}
    except OSError as error:
        raise DataError(
            f"'{table}' cannot be opened: {error.strerror}.", where=where, mend="May you read it?"
        ) from error
    if len(kinds) > 1:
        raise DataError(
            f"'{table}' names files of several kinds: {', '.join(sorted(kinds))}.",
            where=where,
            mend="Name one kind, such as data/*.parquet.",
        )
    empty = next((path for path in paths if path.stat().st_size == 0), None)
    if empty is not None:
        raise DataError(f"{empty.name} is empty.", where=where, mend="Export it again.")
    return Raw(engine, source, kinds.pop(), table, tuple(paths), where, fingerprint(paths))


def _kind_by_content(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(64)
    if head.startswith(b"PAR1"):
        return "parquet"
    return "json" if head.lstrip()[:1] in {b"{", b"["} else "csv"


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0][:300]


def _from_parquet(raw: Raw, name: str) -> ir.Table:
    run = raw.engine.backend.raw_sql
    # DuckDB names the file of every row by itself; the two names keep clear of the file's own.
    options = f"union_by_name=true, filename='{FILE}', file_row_number=true"
    rows = f"SELECT * EXCLUDE (file_row_number), file_row_number AS {ROW}"
    try:
        run(
            f"CREATE OR REPLACE TEMP VIEW {quoted(name)} AS {rows} "
            f"FROM read_parquet({listed(raw.paths)}, {options})"
        )
    except duckdb.Error as error:
        for path in raw.paths:
            try:
                run(f"SELECT 1 FROM read_parquet({listed([path])}) LIMIT 0")
            except duckdb.Error as its:
                raise DataError(
                    f"{path.name} cannot be read as Parquet; it may have been cut short.",
                    where=raw.where,
                    mend=f"Copy or export it again. DuckDB says: {_first_line(its)}",
                ) from error
        raise DataError(
            f"The files of '{raw.named}' do not fit together: {_first_line(error)}",
            where=raw.where,
            mend="A column must have one type in all files.",
        ) from error
    return raw.engine.backend.table(name)


def _from_connection(engine: Engine, table: str, where: Where | None) -> ir.Table:
    found = engine.backend.raw_sql(
        "SELECT table_schema, table_name FROM information_schema.tables "
        f"WHERE table_catalog = {literal(ATTACHED)}"
    ).fetchall()
    known = {
        name if schema == "main" else f"{schema}.{name}": (schema, name) for schema, name in found
    }
    if table not in known:
        raise UnknownNameError(
            f"There is no table '{table}' in the connection, nor such a file.",
            where=where,
            mend=nearest(table, known),
        )
    schema, name = known[table]
    return engine.backend.table(name, database=(ATTACHED, schema))


def _from_database(raw: Raw) -> ir.Table:
    """The table of a DuckDB file that is named as a source: its only one, or its namesake."""
    path, alias = raw.paths[0], f"octad_{raw.source}"
    run = raw.engine.backend.raw_sql
    try:
        run(f"ATTACH IF NOT EXISTS {literal(str(path))} AS {alias} (READ_ONLY)")
    except duckdb.Error as error:
        raise DataError(
            f"{path.name} cannot be opened as a DuckDB database.",
            where=raw.where,
            mend=f"DuckDB says: {_first_line(error)}",
        ) from error
    found = run(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'main' "
        f"AND table_catalog = {literal(alias)} ORDER BY 1"
    ).fetchall()
    names = [row[0] for row in found]
    name = raw.source if raw.source in names else names[0] if len(names) == 1 else None
    if name is None:
        raise DataError(
            f"{path.name} holds {len(names)} tables, none called '{raw.source}'.",
            where=raw.where,
            mend=f"Write connection: duckdb://FILE and table: NAME, one of {', '.join(names)}.",
        )
    return raw.engine.backend.table(name, database=(alias, "main"))
