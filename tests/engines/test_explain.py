"""What a review will read from an engine's tables: estimates of its catalogue, and the queries."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from octad.faces.cli.explained import show
from octad.faces.terminal import make_console
from octad.lifecycle.session import Session
from octad.model.explanation import Explanation
from tests.engines import shop
from tests.engines.conftest import Place

# py4j and Spark leave the sockets they read from to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed.*socket:ResourceWarning")


def _looked_at(place: Place) -> None:
    """Let the engine count its rows, as it does by itself after a while."""
    if place.kind == "postgres":
        import psycopg  # noqa: PLC0415

        with psycopg.connect(place.connection, autocommit=True) as con:
            con.execute("ANALYZE")
    if place.kind == "spark":
        from octad.data.engines.spark import open_url  # noqa: PLC0415

        session: Any = open_url(place.connection)._session
        for name in place.tables.values():
            session.sql(f"ANALYZE TABLE {name} COMPUTE STATISTICS")


def _shown(found: Explanation) -> str:
    sink = io.StringIO()
    show(found, make_console(sink, width=100))
    return sink.getvalue()


def test_an_engine_says_how_much_a_review_will_read(other: Place, tmp_path: Path) -> None:
    _looked_at(other)
    root = shop.write_project(tmp_path, other.connection, other.tables)
    session = Session(root)
    found = session.explain("x")
    sources = {source.name: source for source in found.sources}
    assert {*sources} == {"events", "users", "exposures", "reviews", "releases"}
    for name in shop.TABLES:
        source = sources[name]
        assert not source.exact
        assert source.bytes
        assert source.rows == pytest.approx(shop.make()[name].num_rows, rel=0.02)
    told = {query.what: query.sql for query in found.queries.values()}
    assert told, found.notes
    assert not [sql for sql in told.values() if "stand_in" in sql or str(tmp_path) in sql]
    assert any("events" in sql for sql in told.values())
    text = _shown(found)
    assert "about" in text
    assert "No row of yours was read" in text
    assert not (root / "ledger.jsonl").exists()
    assert {s.name for s in found.stages} >= {"opening the sources"}
    if other.kind != "clickhouse":
        return
    # It foretells the review: the same stages, the same questions.
    made = session.review("x", log_look=False)
    ahead = [s.name for s in found.stages]
    assert ahead == [s.name for s in made.cost.stages][: len(ahead)]
    assert found.rows is None
    of = {s.name: s.rows for s in found.stages if s.of in shop.TABLES}
    assert of == {s.name: pytest.approx(s.rows, rel=0.02) for s in made.cost.stages if s.name in of}
    asked = {q.what for q in made.queries.values()}
    # A few invented users have few values, so that what is asked of many values is not foretold.
    assert {*told} <= asked
    others = ("rank", "slices", "half", "combinations")
    assert not [what for what in asked - {*told} if not any(word in what for word in others)]
