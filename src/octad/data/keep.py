"""What was read from text, kept as Parquet until the files or the reading change."""

# ruff: noqa: S608 - every name goes through `quoted`, every text through `literal`
from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import duckdb
import ibis.expr.types as ir
from pydantic import TypeAdapter, ValidationError

from octad.data.connect import Engine, literal, quoted
from octad.data.intake import Intake

__all__ = ["Shelf"]

_FORM = "1"
"""Raised when what is kept changes its form, so that older files are read anew."""

_INTAKE = TypeAdapter(Intake)


@dataclass(frozen=True, slots=True)
class Shelf:
    """The place of one source's kept copy.

    Where `.octad/` cannot be written, the copy is a table in memory, and lasts as long.

    Attributes:
        engine: Where tables are opened.
        source: Which source it is.
        digest: Of the files and of all that decides how they are read.
    """

    engine: Engine
    source: str
    digest: str

    @classmethod
    def of(cls, engine: Engine, source: str, *decides: str) -> Shelf:
        """The place for a source, from whatever decides what it holds."""
        digest = hashlib.sha256("\0".join((_FORM, *decides)).encode()).hexdigest()[:20]
        return cls(engine, source, digest)

    @property
    def _stem(self) -> Path:
        return self.engine.hidden / "cache" / f"{self.source}-{self.digest}"

    @property
    def _rows(self) -> Path:
        return self._stem.with_suffix(".parquet")

    @property
    def _account(self) -> Path:
        return self._stem.with_suffix(".json")

    def find(self) -> tuple[ir.Table, Intake] | None:
        """The kept copy and its account, if they are there and whole."""
        if not (self._rows.is_file() and self._account.is_file()):
            return None
        try:
            intake = _INTAKE.validate_json(self._account.read_bytes())
            return self._view(), intake
        except (OSError, ValidationError, duckdb.Error):
            return None

    def _view(self) -> ir.Table:
        name = f"_octad_kept_{self.source}"
        self.engine.backend.raw_sql(
            f"CREATE OR REPLACE TEMP VIEW {quoted(name)} AS "
            f"SELECT * FROM read_parquet({literal(str(self._rows))})"
        )
        return self.engine.backend.table(name)

    def stage(self, table: ir.Table) -> ir.Table:
        """A table worked out once, in memory or spilled, for as long as the engine is open."""
        name = f"_octad_staged_{self.source}"
        self.engine.backend.raw_sql(
            f"CREATE OR REPLACE TEMP TABLE {quoted(name)} AS {self._sql(table)}"
        )
        return self.engine.backend.table(name)

    def unstage(self) -> None:
        """Free what `stage` took."""
        self.engine.backend.raw_sql(f'DROP TABLE IF EXISTS "_octad_staged_{self.source}"')

    def keep(self, table: ir.Table, intake: Intake) -> ir.Table:
        """Put a table on the shelf, whole or not at all, and return it from there."""
        if not self.engine.writable:
            name = f"_octad_kept_{self.source}"
            self.engine.backend.raw_sql(
                f"CREATE OR REPLACE TEMP TABLE {quoted(name)} AS {self._sql(table)}"
            )
            return self.engine.backend.table(name)
        self._rows.parent.mkdir(parents=True, exist_ok=True)
        partial = self._rows.with_name(f".{self._rows.name}.{os.getpid()}")
        try:
            self.engine.backend.raw_sql(
                f"COPY ({self._sql(table)}) TO {literal(str(partial))} (FORMAT parquet)"
            )
            for old in self._rows.parent.glob(f"{self.source}-*"):
                old.unlink(missing_ok=True)
            partial.replace(self._rows)
        finally:
            partial.unlink(missing_ok=True)
        self._account.write_bytes(_INTAKE.dump_json(intake))
        return self._view()

    def _sql(self, table: ir.Table) -> str:
        return str(self.engine.backend.compile(table))
