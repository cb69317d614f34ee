"""Opening the engine a project reads through.

DuckDB, inside the process and without the network, reads the files beside `octad.yml`. Where the
project lives in another engine, the events, the users and the exposures are read there, and DuckDB
still reads the small files beside `octad.yml`: reviews and releases.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import ibis
from ibis.backends.duckdb import Backend

from octad.data.engines.base import DUCKDB, Abilities, quoted
from octad.data.engines.open import open_remote, resolved
from octad.errors import DataError, Where
from octad.model.plan import Project

__all__ = [
    "ATTACHED",
    "HIDDEN",
    "Engine",
    "connect",
    "leave_room",
    "listed",
    "literal",
    "quoted",
]

HIDDEN = ".octad"
"""The folder of caches, rejects and spilled data; it can be deleted at any time."""

ATTACHED = "project_db"
"""The name under which a `duckdb://file.duckdb` connection is attached, read-only."""


@dataclass(frozen=True, slots=True)
class Engine:
    """An open engine.

    Attributes:
        backend: The Ibis backend: an in-memory DuckDB that only looks at the files beside it, or
            the project's own engine.
        root: The project's folder, which relative paths start from.
        attached: Whether the project's own DuckDB file is attached as `ATTACHED`.
        writable: Whether `.octad/` can be written; if not, nothing is cached.
        abilities: What the engine can do.
        beside: Where the engine is not DuckDB: the DuckDB that reads the files beside it.
    """

    backend: Any
    root: Path
    attached: bool = False
    writable: bool = True
    abilities: Abilities = DUCKDB
    beside: Engine | None = None

    @property
    def local(self) -> Engine:
        """The DuckDB that reads the files beside `octad.yml`."""
        return self.beside or self

    @property
    def remote(self) -> bool:
        """Whether the events lie in another engine than DuckDB."""
        return self.beside is not None

    @property
    def hidden(self) -> Path:
        """The project's `.octad` folder, which may not exist yet."""
        return self.root / HIDDEN

    def close(self) -> None:
        """Let go of the files and the memory."""
        try:
            self.backend.disconnect()
        finally:
            if self.beside is not None:
                self.beside.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def literal(text: str) -> str:
    """A text as a SQL literal, whatever it holds.

    >>> literal("it's; drop")
    "'it''s; drop'"
    """
    return "'" + text.replace("'", "''") + "'"


def listed(paths: Iterable[Path]) -> str:
    """Paths as a SQL list in which DuckDB sees no pattern.

    >>> listed([Path("a[1].csv")])
    "['a[[]1].csv']"
    """
    plain = ("".join(f"[{c}]" if c in "*?[" else c for c in str(path)) for path in paths)
    return "[" + ", ".join(literal(path) for path in plain) + "]"


def _share() -> int:
    """Six tenths of the machine's memory, so that a review does not take the desk with it."""
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 2 * 10**9
    return max(size * 6 // 10, _LEAST)


_LEAST = 512 * 2**20
"""DuckDB gets at least this much, however much is held beside it."""


def leave_room(backend: Any, held: int) -> None:
    """Let DuckDB spill earlier, by what is going to be held in memory beside it.

    Its own limit knows of nothing but itself; both together are to stay within one share.

    Args:
        backend: DuckDB's; that of another engine holds nothing here, and is left alone.
        held: Bytes.
    """
    if backend.name == "duckdb":
        # What DuckDB holds at this moment it may have no place to spill to; then it keeps it.
        with suppress(duckdb.Error):
            backend.raw_sql(f"SET memory_limit = '{_in_mib(_share() - held)}'")


def _in_mib(size: int) -> str:
    return f"{max(size, _LEAST) // 2**20}MiB"


def _can_write(root: Path) -> bool:
    hidden = root / HIDDEN
    return os.access(hidden if hidden.is_dir() else root, os.W_OK | os.X_OK)


def connect(project: Project, root: Path, *, where: Where | None = None) -> Engine:
    """Open the engine of a project.

    DuckDB looks nothing up on the network: extensions are neither fetched nor loaded by themselves.
    What does not fit in memory spills to `.octad/tmp`.

    Args:
        project: Its `connection` is ``duckdb://``, or ``duckdb://PATH`` for a database file,
            which is opened read-only; the URL of another engine; or ``env:NAME`` for a URL that
            the environment holds, so that no password lies in a file.
        root: The project's folder.
        where: The place of `connection` in `octad.yml`.

    Raises:
        UsageError: For an engine that nothing here opens.
        DataError: When the database file is absent or is none, or the engine does not answer.
    """
    url = resolved(project.connection, where)
    scheme, _, rest = url.partition("://")
    if scheme == "duckdb":
        return _duckdb(root, rest, where)
    backend, abilities = open_remote(url, where)
    beside = _duckdb(root, "", where)
    return Engine(backend, root, writable=beside.writable, abilities=abilities, beside=beside)


def _duckdb(root: Path, rest: str, where: Where | None) -> Engine:
    writable = _can_write(root)
    spill = root / HIDDEN / "tmp" if writable else Path(tempfile.gettempdir()) / "octad-spill"
    backend = ibis.duckdb.connect(
        ":memory:",
        temp_directory=str(spill),
        memory_limit=_in_mib(_share()),
        autoinstall_known_extensions=False,
        autoload_known_extensions=False,
        allow_community_extensions=False,
    )
    # Its own goes to stdout after two seconds, amid our JSON.
    backend.raw_sql("SET enable_progress_bar = false")
    if rest and rest != ":memory:":
        _attach(backend, (root / rest).resolve(), rest, where)
        return Engine(backend, root, attached=True, writable=writable)
    return Engine(backend, root, writable=writable)


def _attach(backend: Backend, path: Path, name: str, where: Where | None) -> None:
    if not path.is_file():
        raise DataError(
            f"connection: there is no database file '{name}'.",
            where=where,
            mend="The path starts at the folder of octad.yml.",
        )
    try:
        backend.raw_sql(f"ATTACH {literal(str(path))} AS {ATTACHED} (READ_ONLY)")
        # The file's views name its tables without a catalog, so they are looked for there too.
        backend.raw_sql(f"SET search_path = 'memory.main,{ATTACHED}.main'")
    except duckdb.Error as error:
        raise DataError(
            f"connection: '{name}' cannot be opened as a DuckDB database.",
            where=where,
            mend=f"DuckDB says: {str(error).splitlines()[0]}",
        ) from error
