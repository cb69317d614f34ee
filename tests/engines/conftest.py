"""Every engine once a run, started when it is first asked for.

`make tests` runs this folder in one process of its own: under xdist each worker would start its
own cluster, which is right as well and dearer. (Groups, `--dist loadgroup`, do nothing in xdist 3.8
with pytest 9.)
"""

from __future__ import annotations

import gc
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest

from tests.engines import servers, shop

ENGINES = ("duckdb", "postgres", "spark", "clickhouse")


@pytest.fixture(autouse=True)
def _sockets_collected() -> Iterator[None]:
    """Within the filter of this test, and not in whichever test comes later."""
    yield
    gc.collect()


@dataclass(frozen=True, slots=True)
class Place:
    """An engine that the shop was laid into."""

    kind: str
    connection: str
    tables: dict[str, str]


class Places:
    """The engines of this run, each started when it is first asked for."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder, self.stack = folder, stack
        self.tables = shop.make()
        self.known: dict[str, Place] = {}

    def __getitem__(self, kind: str) -> Place:
        if kind not in self.known:
            connection = self._start(kind)
            laid = shop.load(kind, connection, self.tables, self.folder / f"{kind}-rows")
            self.known[kind] = Place(kind, connection, laid)
        return self.known[kind]

    def _start(self, kind: str) -> str:
        if kind == "postgres":
            return self.stack.enter_context(servers.postgres())
        if kind == "spark":
            folder = self.folder / "spark"
            folder.mkdir()
            url = self.stack.enter_context(servers.spark(folder))
            self.stack.callback(_stop_spark)
            return url
        return {"duckdb": "duckdb://", "clickhouse": f"chdb://{self.folder / 'chdb'}"}[kind]


def _stop_spark() -> None:
    from pyspark.sql import SparkSession  # noqa: PLC0415

    session = SparkSession.getActiveSession()
    if session is not None:
        session.stop()


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    with ExitStack() as stack:
        # Whoever ends the tests (`timeout`, CI) must end the clusters with them.
        before = signal.signal(signal.SIGTERM, _interrupted)
        stack.callback(signal.signal, signal.SIGTERM, before)
        yield Places(tmp_path_factory.mktemp("engines"), stack)


@pytest.fixture(scope="session")
def rows(places: Places) -> dict[str, pa.Table]:
    return places.tables


@pytest.fixture(params=ENGINES)
def place(request: pytest.FixtureRequest, places: Places) -> Place:
    return places[request.param]


@pytest.fixture(params=ENGINES[1:])
def other(request: pytest.FixtureRequest, places: Places) -> Place:
    """Every engine but DuckDB."""
    return places[request.param]
