"""Sources that are files: each file's rows, as the engine reads them."""

# ruff: noqa: S608 - every name goes through `quoted`, every text through `literal`
from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import duckdb
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq

from octad.data.book import Book, Page
from octad.data.columns import COMMON_BLANKS
from octad.data.connect import Engine, listed, literal, quoted
from octad.data.delimited import Broken
from octad.data.footers import proven
from octad.data.looks import merged
from octad.data.raw import FILE, LINE, ROW, Raw
from octad.data.receipts import Receipt, receipts
from octad.data.rejects import MOST, broken_rejects, cells_of, piece
from octad.data.shape import CELL, ENDLESS, REASON, WHOLE, Shaped
from octad.data.store import put
from octad.data.textfiles import PLACE, Part, json_cell, read_delimited, read_json
from octad.errors import DataError

__all__ = ["Files", "ParquetFiles", "TextFiles"]


_DROPPED = f"{REASON}, {CELL}, {WHOLE}, {ENDLESS}"
"""Columns that rows which are in have no use for."""


class Files(Protocol):
    """The files of one source, of one kind."""

    column: str
    table: ir.Table

    def open(self) -> str:
        """Find the columns of all files together: what all answers about them depend on."""

    def spot(self, page: Page) -> object:
        """What `column` holds in the rows of a file."""

    def prepare(self, pages: Sequence[Page]) -> None:
        """Make the rows of some files readable through `table`."""

    def stage(self, table: ir.Table) -> ir.Table:
        """Work a table out once for the rows that are prepared, if that saves anything."""

    def rules(self, shaped: Shaped) -> str:
        """Everything that decides what becomes of a file's rows."""

    def kept(self, page: Page, rules: str) -> bool:
        """Whether a file need not be read again."""

    def read(self, book: Book, shaped: Shaped, pages: Sequence[Page], rules: str) -> None:
        """Read files under the rules: their receipts, their rejects and, of text, their rows."""

    def rows(self, shaped: Shaped) -> ir.Table:
        """The rows of all files that can be used, with where each is from."""

    def row_file(self, page: Page) -> str:
        """What `FILE` holds in those rows of a file."""

    def origin(self) -> dict[str, str]:
        """By the last part of `FILE`: the name to show, where it is another."""

    def release(self) -> None:
        """Free what only reading needed."""


def _write_piece(
    folder: Path | None, page: Page, rules: str, table: ir.Table, broken: Sequence[Broken]
) -> None:
    """Keep a file's rejected rows as they go into the rejects file of the source."""
    if folder is None:
        return
    lines = cells_of(table.limit(MOST), broken)

    def write(path: Path) -> None:
        with path.open("w", encoding="utf-8", newline="") as sink:
            csv.writer(sink).writerows(lines)

    put(piece(folder, page.key, rules), write)


@dataclass(slots=True)
class ParquetFiles:
    """Parquet files stay where they are; only the account of each is kept."""

    engine: Engine
    raw: Raw
    folder: Path | None
    pages: Sequence[Page]
    column: str = FILE
    table: ir.Table = field(init=False)

    def open(self) -> str:
        """Find the columns of all files together."""
        self.table = self.raw.read()
        return str(self.table.schema())

    def stage(self, table: ir.Table) -> ir.Table:
        """Work a table out once, where cells must be parsed."""
        return table

    def release(self) -> None:
        """Nothing is held."""

    def row_file(self, page: Page) -> str:
        """What `FILE` holds in the rows of a file."""
        return str(page.path)

    def origin(self) -> dict[str, str]:
        """The names to show instead of those in `FILE`."""
        return {}

    def spot(self, page: Page) -> object:
        """What `column` holds in the rows of a file."""
        return str(page.path)

    def prepare(self, pages: Sequence[Page]) -> None:
        """Make the rows of some files readable."""
        del pages

    def rules(self, shaped: Shaped) -> str:
        """Everything that decides what becomes of a file's rows."""
        return f"{self.table.schema()}\n{self.engine.backend.compile(shaped.table)}"

    def kept(self, page: Page, rules: str) -> bool:
        """Whether a file need not be read again."""
        return page.receipt is not None and page.rules == rules

    def read(self, book: Book, shaped: Shaped, pages: Sequence[Page], rules: str) -> None:
        """Read files under the rules; no cell is tried where their footers tell that all are in."""
        found = self._read_sound(book, shaped, pages)
        others = [page for page in pages if self.spot(page) not in found]
        if others:
            found |= receipts(book.rows_of(shaped.table, others), FILE)
        for page in pages:
            page.receipt = found.get(self.spot(page), Receipt())
            page.rules, page.fresh = rules, True
            if page.receipt.rejects:
                own = book.rows_of(shaped.table, [page])
                _write_piece(self.folder, page, rules, own.filter(own[REASON].notnull()), ())

    def _read_sound(
        self, book: Book, shaped: Shaped, pages: Sequence[Page]
    ) -> dict[object, Receipt]:
        """The accounts of files of which it can be told that no row is out."""
        if shaped.proof is None or shaped.sound is None:
            return {}
        whole = [page for page in pages if proven(page.path, shaped.proof)]
        if not whole:
            return {}
        found = receipts(book.rows_of(shaped.sound, whole), FILE, sound=True)
        if not shaped.proof.counted:
            return found
        blank = set(COMMON_BLANKS)
        return {
            spot: own
            for spot, own in found.items()
            if own.names is not None and blank.isdisjoint(own.names)
        }

    def rows(self, shaped: Shaped) -> ir.Table:
        """The rows of all files that can be used."""
        accounts = [page.receipt for page in self.pages]
        if shaped.sound is not None and all(a is not None and not a.rejects for a in accounts):
            return shaped.sound
        return shaped.table.filter(shaped.table[REASON].isnull())


@dataclass(slots=True)
class TextFiles:
    """CSV and JSON files: read once each, and kept as Parquet with our columns, typed.

    The columns, and of JSON the kinds of their cells, are those of all files together; a file that
    brings a new one changes how the others are read.
    """

    engine: Engine
    raw: Raw
    folder: Path | None
    pages: Sequence[Page]
    column: str = PLACE
    table: ir.Table = field(init=False)
    _parts: dict[int, Part] = field(default_factory=dict)
    _anchor: str = ""
    _cells: dict[str, str] = field(default_factory=dict)
    _inner: str = ""
    _loose: list[Page] = field(default_factory=list)

    @property
    def _name(self) -> str:
        return f"_octad_raw_{self.raw.source}"

    @property
    def _staged(self) -> str:
        return f"_octad_staged_{self.raw.source}"

    @property
    def _kept(self) -> str:
        return f"_octad_kept_{self.raw.source}"

    @property
    def _context(self) -> str:
        return "\n".join(f"{name}: {cell}" for name, cell in self._cells.items())

    def open(self) -> str:
        """Find the columns of all files together."""
        for page in self.pages:
            if "file.columns" not in page.facts:
                part = self._parse(page)
                page.facts["file.columns"] = list(part.columns)
                page.facts["file.kinds"] = [[c, *kinds] for c, kinds in part.kinds.items()]
                page.fresh = True
        columns: dict[str, str] = {}
        kinds: dict[str, list[Mapping[str, object]]] = {}
        for page in self.pages:
            for column in page.facts["file.columns"]:
                columns.setdefault(column.lower(), column)
            for column, *seen in page.facts["file.kinds"]:
                kinds.setdefault(column.lower(), []).append({"kinds": seen})
        if not columns:
            raise DataError(
                f"{self.raw.paths[0].name} cannot be read as JSON lines.",
                where=self.raw.where,
                mend='It needs one object a line, such as {"user": "a", "time": "2026-03-01"}.',
            )
        types = dict.fromkeys(columns.values(), "VARCHAR")
        self._cells = {column: quoted(column) for column in columns.values()}
        if self.raw.kind == "json":
            for low, column in columns.items():
                seen = merged(kinds.get(low, [{"kinds": []}]))["kinds"]
                types[column], self._cells[column] = json_cell(column, seen)
        trace = {LINE: "BIGINT"} if self.raw.kind == "csv" else {}
        types |= {FILE: "VARCHAR", **trace, PLACE: "INTEGER"}
        nothing = ", ".join(f"NULL::{kind} AS {quoted(name)}" for name, kind in types.items())
        self._anchor = f"SELECT {nothing} WHERE false"
        self._look()
        return self._context

    def _parse(self, page: Page) -> Part:
        if page.place not in self._parts:
            reader = read_json if self.raw.kind == "json" else read_delimited
            name = f"{self._name}_{page.place}"
            self._parts[page.place] = reader(self.engine, name, page.path, self.raw.where)
        return self._parts[page.place]

    def _look(self) -> None:
        """Point the source's view at the files that have been parsed."""
        selects = [self._anchor]
        for page in self.pages:
            part = self._parts.get(page.place)
            if part is not None:
                selects.append(self._select(page, part))
        union = "\nUNION ALL\n".join(selects)
        self.engine.backend.raw_sql(f"CREATE OR REPLACE TEMP VIEW {quoted(self._name)} AS {union}")
        self.table = self.engine.backend.table(self._name)

    def _select(self, page: Page, part: Part) -> str:
        """A file's rows in the columns of all files."""
        own = {column.lower() for column in part.columns}
        cells = [
            f"{cell if column.lower() in own else 'NULL'} AS {quoted(column)}"
            for column, cell in self._cells.items()
        ]
        trace = [LINE] if self.raw.kind == "csv" else []
        cells += [f"{literal(page.path.stem)} AS {FILE}", *trace]
        filled = " OR ".join(f"{quoted(c)} IS NOT NULL" for c in part.columns) or "false"
        rows = f"SELECT {', '.join(cells)}, {page.place} AS {PLACE} "
        rows += f"FROM {quoted(f'{self._name}_{page.place}')}"
        return f"{rows} WHERE {filled}" if self.raw.kind == "json" else rows

    def spot(self, page: Page) -> object:
        """What `column` holds in the rows of a file."""
        return page.place

    def prepare(self, pages: Sequence[Page]) -> None:
        """Make the rows of some files readable."""
        if any(page.place not in self._parts for page in pages):
            for page in pages:
                self._parse(page)
            self._look()

    def stage(self, table: ir.Table) -> ir.Table:
        """Work a table out once, where cells must be parsed."""
        self._inner = str(self.engine.backend.compile(table))
        self.engine.backend.raw_sql(
            f"CREATE OR REPLACE TEMP TABLE {quoted(self._staged)} AS "
            f"SELECT * FROM ({self._inner}) LIMIT 0"
        )
        return self.engine.backend.table(self._staged)

    def rules(self, shaped: Shaped) -> str:
        """Everything that decides what becomes of a file's rows."""
        return "\n".join([self._context, self._inner, self._sql(shaped.table)])

    def _sql(self, table: ir.Table) -> str:
        return str(self.engine.backend.compile(table))

    def _rows(self, page: Page, rules: str) -> Path | None:
        return None if self.folder is None else self.folder / f"{page.key}-{rules}.parquet"

    def kept(self, page: Page, rules: str) -> bool:
        """Whether a file need not be read again."""
        target = self._rows(page, rules)
        if target is None or page.receipt is None or page.rules != rules:
            return False
        try:
            whole = target.stat().st_size == page.held
            return whole and pq.read_metadata(target).num_rows == page.receipt.kept
        except (OSError, pa.ArrowException):
            return False

    def read(self, book: Book, shaped: Shaped, pages: Sequence[Page], rules: str) -> None:
        """Read files under the rules."""
        run = self.engine.backend.raw_sql
        if not pages:
            return
        self.prepare(pages)
        places = ", ".join(str(page.place) for page in pages)
        run(
            f"INSERT INTO {quoted(self._staged)} SELECT * FROM ({self._inner}) "
            f"WHERE {PLACE} IN ({places})"
        )
        found = receipts(shaped.table, PLACE)
        for page in pages:
            broken = self._parts[page.place].broken
            receipt = found.get(page.place, Receipt())
            notes = self._parts[page.place].notes
            page.receipt = receipt.with_broken(broken_rejects(broken), notes)
            page.rules, page.fresh = rules, True
            if page.receipt.rejects:
                out = shaped.table.filter(shaped.table[REASON].notnull())
                _write_piece(self.folder, page, rules, book.rows_of(out, [page]), broken)
            self._keep(page, shaped, rules)
        self._loose = [page for page in pages if not page.held]
        if self._loose:
            places = ", ".join(str(page.place) for page in self._loose)
            files = " ".join(f"WHEN {p.place} THEN {literal(str(p.path))}" for p in self._loose)
            run(
                f"CREATE OR REPLACE TEMP TABLE {quoted(f'{self._kept}_loose')} AS "
                f"SELECT * EXCLUDE ({_DROPPED}) REPLACE (CASE {PLACE} {files} END AS {FILE}), "
                f"row_number() OVER () AS {ROW} FROM ({self._sql(shaped.table)}) "
                f"WHERE {REASON} IS NULL AND {PLACE} IN ({places})"
            )

    def release(self) -> None:
        """Free what only reading needed."""
        run = self.engine.backend.raw_sql
        run(f"DROP TABLE IF EXISTS {quoted(self._staged)}")
        run(f"DROP VIEW IF EXISTS {quoted(self._name)}")
        for place in self._parts:
            run(f"DROP TABLE IF EXISTS {quoted(f'{self._name}_{place}')}")
        self._parts = {}

    def _keep(self, page: Page, shaped: Shaped, rules: str) -> None:
        """Keep a file's sound rows; where that cannot be, `held` says so."""
        target = self._rows(page, rules)
        page.held = 0
        if target is None:
            return

        def write(path: Path) -> None:
            try:
                self.engine.backend.raw_sql(
                    f"COPY (SELECT * EXCLUDE ({_DROPPED}, {FILE}, {PLACE}) "
                    f"FROM ({self._sql(shaped.table)}) WHERE {REASON} IS NULL "
                    f"AND {PLACE} = {page.place}) TO {literal(str(path))} (FORMAT parquet)"
                )
            except duckdb.IOException as error:
                raise OSError(str(error)) from error
            page.held = path.stat().st_size

        if not put(target, write):
            page.held = 0

    def rows(self, shaped: Shaped) -> ir.Table:
        """The rows of all files that can be used."""
        del shaped
        run = self.engine.backend.raw_sql
        loose = {page.place for page in self._loose}
        kept = [self._rows(page, page.rules) for page in self.pages if page.place not in loose]
        paths = [path for path in kept if path is not None]
        selects = []
        if paths:
            # What is kept names its own files; the text file's name is put back when one is shown.
            selects.append(
                f"SELECT * EXCLUDE (file_row_number), file_row_number AS {ROW} FROM read_parquet("
                f"{listed(paths)}, filename={literal(FILE)}, file_row_number=true)"
            )
        if loose:
            selects.append(f"SELECT * EXCLUDE ({PLACE}) FROM {quoted(f'{self._kept}_loose')}")
        union = "\nUNION ALL BY NAME\n".join(selects)
        run(f"CREATE OR REPLACE TEMP VIEW {quoted(self._kept)} AS {union}")
        return self.engine.backend.table(self._kept)

    def row_file(self, page: Page) -> str:
        """What `FILE` holds in the rows of a file."""
        path = None if page in self._loose else self._rows(page, page.rules)
        return str(path or page.path)

    def origin(self) -> dict[str, str]:
        """The names to show instead of those in `FILE`."""
        return {Path(self.row_file(page)).name: page.path.stem for page in self.pages}
