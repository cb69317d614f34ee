"""The whole review on every engine, beside the same review on DuckDB."""

from __future__ import annotations

from pathlib import Path

import pytest

from octad.lifecycle.session import Session
from octad.model.review import Review
from tests.engines import shop
from tests.engines.conftest import Place, Places
from tests.engines.same import differences

# py4j and Spark leave the sockets they read from to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed.*socket:ResourceWarning")

# What an engine says of itself: its SQL, and what reading cost.
OWN = frozenset({"queries", "cost", "plan_digest", "evidence", "id"})


def reviewed(place: Place, root: Path) -> Review:
    session = Session(shop.write_project(root, place.connection, place.tables))
    return session.review("x", log_look=False)


@pytest.fixture(scope="module")
def truth(places: Places, tmp_path_factory: pytest.TempPathFactory) -> Review:
    return reviewed(places["duckdb"], tmp_path_factory.mktemp("truth"))


def test_every_engine_gives_the_same_review(truth: Review, other: Place, tmp_path: Path) -> None:
    found = reviewed(other, tmp_path)
    assert found.verdict == truth.verdict
    assert not differences(truth, found, leave=OWN)
