"""Runs queries, and keeps each one's text, so that any number can be made again by hand."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import ibis
import pyarrow as pa

__all__ = ["Progress", "Tape", "digest"]


class Progress(Protocol):
    """Told what is being done, and how far it is (0 to 1), or None when nobody knows."""

    def __call__(self, stage: str, done: float | None = None, /) -> None:
        """Tell."""


def digest(sql: str) -> str:
    """The first 12 hex digits of the SHA-256 of a query's text."""
    return hashlib.sha256(sql.encode()).hexdigest()[:12]


@dataclass(slots=True)
class Tape:
    """One review's conversation with its engine.

    Attributes:
        backend: The Ibis backend.
        queries: Digest to (what it is for, SQL); the SQL carries the steps it builds on.
        stages: (name, seconds, rows read) in the order they ran.
        scanned: Rows read from sources, each pass counted.
    """

    backend: Any
    progress: Progress | None = None
    queries: dict[str, tuple[str, str]] = field(default_factory=dict)
    stages: list[tuple[str, float, int | None]] = field(default_factory=list)
    scanned: int = 0
    _steps: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str, rows: int | None = None) -> Iterator[None]:
        """Time a stage, tell whoever watches, and count the source rows it reads."""
        if self.progress is not None:
            self.progress(name, None)
        start = time.perf_counter()
        try:
            yield
        finally:
            self.stages.append((name, time.perf_counter() - start, rows))
            self.scanned += rows or 0

    def step(self, name: str, expr: ibis.Table, after: tuple[str, ...] = ()) -> ibis.Table:
        """Keep a table in the engine for the rest of the review.

        Args:
            name: What it is called there.
            expr: What it is made of.
            after: Steps whose text belongs before this one's.

        Returns:
            The table, by its name.
        """
        sql = f"CREATE TEMP TABLE {name} AS\n{self.backend.compile(expr)};"
        self._steps[name] = "\n\n".join([*(self._steps[step] for step in after), sql])
        return self.backend.create_table(name, expr, temp=True, overwrite=True)

    def read(
        self, what: str, expr: ibis.Table, after: tuple[str, ...] = ()
    ) -> tuple[pa.Table, str]:
        """Bring a result over.

        Returns:
            The rows, and the digest under which the query is kept.
        """
        sql = str(self.backend.compile(expr))
        text = "\n\n".join([*(self._steps[step] for step in after), f"{sql};"])
        key = digest(text)
        self.queries[key] = (what, text)
        return expr.to_pyarrow(), key
