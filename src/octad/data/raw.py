"""A source as it lies on disk: one Ibis table, every column as the file has it."""

# ruff: noqa: S608 - every name goes through `quoted`, every text through `literal`
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
import ibis.expr.types as ir
from ibis.common.exceptions import TableNotFound

from octad.data.connect import ATTACHED, Engine, listed, literal, quoted
from octad.data.files import find, kind_of, matches
from octad.data.textfiles import FILE, LINE
from octad.errors import DataError, UnknownNameError, Where, nearest

__all__ = ["FILE", "LINE", "ROW", "TRACE", "Raw", "read_raw"]

ROW = "_octad_row"
"""The place of a row in its Parquet file, from 0."""

TRACE = (FILE, LINE, ROW)
"""Where a row comes from, as far as it is known."""


@dataclass(frozen=True, slots=True)
class Raw:
    """A source that was found, and not read yet.

    Attributes:
        engine: What reads it.
        source: Which source it is.
        kind: ``parquet``, ``csv``, ``json``, ``duckdb`` (a file of its own), ``table``, or
            ``files``: Parquet that another engine than DuckDB reads.
        named: As `octad.yml` names it.
        paths: The files; none for a table of the connection.
        where: The place of `table:`.
    """

    engine: Engine
    source: str
    kind: str
    named: str
    paths: tuple[Path, ...] = ()
    where: Where | None = None

    @property
    def text(self) -> bool:
        """Whether reading it is dear, and its cells are words: CSV or JSON lines."""
        return self.kind in {"csv", "json"}

    def read(self) -> ir.Table:
        """The rows of what is typed: Parquet files, with `FILE` and `ROW`, or a table.

        Raises:
            DataError: When a file cannot be read at all; names the file.
            UnknownNameError: When the connection has no such table.
        """
        if self.kind == "files":
            paths = [str(path) for path in self.paths] or [self.named]
            return _from_cluster(self, paths, f"_octad_raw_{self.source}")
        if self.kind == "table":
            look_up = _from_engine if self.engine.remote else _from_connection
            return look_up(self.engine, self.named, self.where)
        if self.kind == "duckdb":
            return _from_database(self)
        return _from_parquet(self, f"_octad_raw_{self.source}")


def read_raw(engine: Engine, source: str, table: str, where: Where | None = None) -> Raw:
    """Find what a source's `table:` names.

    Raises:
        UnknownNameError: When there is no such file.
        DataError: When files are of several kinds, empty, or may not be read.
    """
    if engine.remote:
        return _beside_or_inside(engine, source, table, where)
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
    return Raw(engine, source, kinds.pop(), table, tuple(paths), where)


APART = frozenset({"reviews", "releases", "units"})
"""Sources that are joined with no other, so they may lie beside `octad.yml` in any case."""


def _beside_or_inside(engine: Engine, source: str, table: str, where: Where | None) -> Raw:
    """A source of a project that lives in another engine than DuckDB: a table there, or a file.

    Raises:
        DataError: When a file would have to be joined with what lies in the engine.
    """
    paths = matches(engine.root, table)
    if not paths and (engine.abilities.files and ("://" in table or table.startswith("/"))):
        return Raw(engine, source, "files", table, where=where)
    if not paths:
        return Raw(engine, source, "table", table, where=where)
    if engine.abilities.files and {kind_of(path) for path in paths} == {"parquet"}:
        return Raw(engine, source, "files", table, tuple(paths), where)
    if source in APART:
        return read_raw(engine.local, source, table, where)
    spoken = engine.abilities.spoken
    raise DataError(
        f"sources.{source}: '{table}' is a file beside octad.yml, and the connection is {spoken}; "
        "what lies in two places is not joined.",
        where=where,
        mend=f"Load it into {spoken} and name the table, or take connection: out and put all "
        "sources beside octad.yml.",
    )


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


def _from_cluster(raw: Raw, paths: list[str], name: str) -> ir.Table:
    """Parquet that an engine other than DuckDB reads by its own arms."""
    try:
        table: ir.Table = raw.engine.backend.read_files(paths, name)
    except Exception as error:
        spoken = raw.engine.abilities.spoken
        raise DataError(
            f"{spoken} cannot read '{raw.named}': {_first_line(error)}",
            where=raw.where,
            mend="Every worker must be able to reach it under this name.",
        ) from error
    return table


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


def _from_engine(engine: Engine, table: str, where: Where | None) -> ir.Table:
    """A table of another engine than DuckDB: ``name``, ``schema.name`` or ``catalog.schema.name``.

    Raises:
        UnknownNameError: When there is none; says what is near.
    """
    *folders, name = table.split(".")
    database: str | tuple[str, ...] | None = tuple(folders) if len(folders) > 1 else None
    database = database or (folders[0] if folders else None)
    backend = engine.backend
    try:
        found: ir.Table = backend.table(name, database=database)
    except TableNotFound:
        pass
    else:
        return backend.as_moments(found) if hasattr(backend, "as_moments") else found
    try:
        near = backend.list_tables(database=database) if database else backend.list_tables()
    except Exception:  # noqa: BLE001 - every driver has errors of its own, and this is a courtesy
        near = []
    prefix = ".".join([*folders, ""])
    raise UnknownNameError(
        f"There is no table '{table}' in {engine.abilities.spoken}, nor such a file.",
        where=where,
        mend=nearest(table, [f"{prefix}{known}" for known in near])
        if near
        else "Write it as schema.name; may this user read it?",
    )


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
