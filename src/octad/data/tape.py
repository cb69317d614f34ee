"""Runs queries, and keeps each one's text, so that any number can be made again by hand."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import ibis
import pyarrow as pa
from ibis.backends.duckdb.converter import DuckDBPyArrowData

from octad.data.connect import literal, quoted
from octad.model.inputs import FilesRead

__all__ = ["Progress", "Tape", "digest"]

_TABLES = re.compile(r'(?:FROM|JOIN)\s+(?:"temp"\."main"\.)?["`]?(\w+)\b')


class Progress(Protocol):
    """Told what is being done, and how far it is (0 to 1), or None when nobody knows."""

    def __call__(self, stage: str, done: float | None = None, /) -> None:
        """Tell."""


_AHEAD = "128MB"
"""How far DuckDB reads ahead of whoever takes a stream; with its own 1 MB its threads wait."""


def digest(sql: str) -> str:
    """The first 12 hex digits of the SHA-256 of a query's text."""
    return hashlib.sha256(sql.encode()).hexdigest()[:12]


def _compiled(expr: ibis.Table) -> str:
    return str(expr.get_backend().compile(expr))


def _written(value: object) -> str:
    """A value as SQL writes it."""
    if value is None:
        return "NULL"
    return literal(value) if isinstance(value, str) else repr(value)


@dataclass(slots=True)
class Tape:
    """One review's conversation with its engine.

    Attributes:
        backend: The Ibis backend; what lies beside it is read where it lies.
        queries: Digest to (what it is for, SQL); the SQL carries all it builds on, so that it runs
            by itself in the project's folder.
        stages: (name, seconds, rows read) in the order they ran.
        scanned: Rows read from sources, each pass counted.
        root: The project's folder, so that queries name files from there.
        files: Which of the events' files were read; None when they are in none.
    """

    backend: Any
    progress: Progress | None = None
    root: Path | None = None
    queries: dict[str, tuple[str, str]] = field(default_factory=dict)
    stages: list[tuple[str, float, int | None]] = field(default_factory=list)
    scanned: int = 0
    files: FilesRead | None = None
    _steps: dict[str, str] = field(default_factory=dict)
    _stage: str = ""

    @contextmanager
    def stage(self, name: str, rows: int | None = None) -> Iterator[None]:
        """Time a stage, tell whoever watches, and count the source rows it reads."""
        if self.progress is not None:
            self.progress(name, None)
        self._stage = name
        start = time.perf_counter()
        try:
            yield
        finally:
            self.stages.append((name, time.perf_counter() - start, rows))
            self.scanned += rows or 0

    def step(self, name: str, expr: ibis.Table) -> ibis.Table:
        """Keep a table in the engine for the rest of the review.

        Args:
            name: What it is called there.
            expr: What it is made of.

        Returns:
            The table, by its name.
        """
        sql = _compiled(expr)
        self._steps[name] = f"CREATE TEMP TABLE {name} AS\n{sql};"
        if self.backend.name != "duckdb":
            return self.backend.create_table(name, expr, temp=True, overwrite=True)
        # Ibis would compile it again, fill a table of another name, and copy that. Its types are
        # kept: DuckDB by itself takes 1.0 for a decimal.
        typed = self.backend.compiler.type_mapper.to_string
        columns = ", ".join(f"{quoted(c)} {typed(kind)}" for c, kind in expr.schema().items())
        self.backend._run_pre_execute_hooks(expr)  # noqa: SLF001
        self.backend.con.execute(f"CREATE OR REPLACE TEMP TABLE {quoted(name)} ({columns})")
        self.backend.con.execute(f"INSERT INTO temp.main.{quoted(name)} {sql}")
        made: ibis.Table = self.backend.table(name, database=("temp", "main"))
        return made

    def place(self, name: str, rows: pa.Table, *, hidden: bool = False) -> ibis.Table:
        """Put a small table of our own into the engine for the rest of the review.

        Args:
            name: What it is called there.
            rows: What it holds; written out in the text of the queries that build on it.
            hidden: Say only how many rows it has, since they name people.

        Returns:
            The table, by its name.
        """
        listed = ", ".join(quoted(column) for column in rows.column_names)
        values = ",\n  ".join(
            "(" + ", ".join(_written(value) for value in row.values()) + ")"
            for row in rows.to_pylist()
        )
        held = f"VALUES\n  {values}" if values else "VALUES (NULL) LIMIT 0"
        if hidden:
            blank = ", ".join("''" if pa.types.is_string(f.type) else "0" for f in rows.schema)
            held = f"VALUES ({blank}) LIMIT 0 /* {rows.num_rows} rows that name people */"
        self._steps[name] = f"CREATE TEMP TABLE {name} AS\nSELECT * FROM ({held}) AS t({listed});"
        return self.backend.create_table(name, rows, temp=True, overwrite=True)

    def read(self, what: str, expr: ibis.Table) -> tuple[pa.Table, str]:
        """Bring a result over.

        Args:
            what: What it is for, as a reader would say it.
            expr: The query.

        Returns:
            The rows, and the digest under which the query is kept, with all it builds on.
        """
        sql = _compiled(expr)
        key = self._noted(what, sql)
        if self.backend.name != "duckdb":
            return expr.to_pyarrow(), key
        # Compiled once: that takes longer than many a query.
        self.backend._run_pre_execute_hooks(expr)  # noqa: SLF001
        rows = self.backend.con.sql(sql).to_arrow_table()
        return DuckDBPyArrowData.convert_table(rows, expr.schema()), key

    def note(self, what: str, expr: ibis.Table) -> str:
        """Keep a query that makes a number, though its parts were read at another time.

        Returns:
            The digest under which it is kept.
        """
        return self._noted(what, _compiled(expr))

    def _noted(self, what: str, sql: str) -> str:
        sql = f"{sql};"
        text = "\n\n".join([*self._under(sql).values(), sql])
        key = digest(text)
        self.queries[key] = (what, text)
        return key

    def stream(
        self, what: str, expr: ibis.Table, batch: int = 1_000_000
    ) -> tuple[Generator[pa.RecordBatch], str]:
        """Bring a large result over piece by piece, in any order, while DuckDB works on.

        Args:
            what: What it is for, as a reader would say it.
            expr: The query.
            batch: Rows in a piece.

        Returns:
            The pieces, and the digest under which the query is kept.
        """
        return self._pieces(expr, batch), self.note(what, expr)

    def _pieces(self, expr: ibis.Table, batch: int) -> Generator[pa.RecordBatch]:
        con, sql = self.backend.con, f"{_compiled(expr)};"
        # Small tables of ours that the query leans on lie in memory until Ibis hands them over.
        self.backend._run_pre_execute_hooks(expr)  # noqa: SLF001
        con.execute(f"SET streaming_buffer_size = '{_AHEAD}'")
        con.execute("SET preserve_insertion_order = false")
        try:
            found = con.execute(sql)
            # DuckDB 1.5 gave the method its new name, and warns of the old one.
            new = hasattr(found, "to_arrow_reader")
            yield from (found.to_arrow_reader if new else found.fetch_record_batch)(batch)
        finally:
            con.execute("RESET preserve_insertion_order")

    def tell(self, done: int, whole: int | None) -> None:
        """Say how much of the stage under way is done, where the whole is known."""
        if self.progress is not None and whole and self._stage:
            self.progress(self._stage, min(1.0, done / whole))

    def _under(self, sql: str) -> dict[str, str]:
        """The steps and sources that a query builds on, each once, what comes first first."""
        found: dict[str, str] = {}
        for name in dict.fromkeys(_TABLES.findall(sql)):
            own = self._steps.get(name) or self._source(name)
            if own:
                found |= {k: v for k, v in self._under(own).items() if k not in found}
                found[name] = own
        return found

    def _source(self, name: str) -> str:
        """How a source was opened; its files are named from the project's folder."""
        if not name.startswith("_octad") or self.backend.name != "duckdb":
            return ""
        rows = self.backend.con.execute(
            "SELECT sql FROM duckdb_views() WHERE view_name = ?", [name]
        ).fetchall()
        sql = str(rows[0][0]) if rows else ""
        if self.root is not None:
            sql = sql.replace(f"'{self.root}/", "'")
        self._steps[name] = sql
        return sql
