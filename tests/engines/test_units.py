"""A table with one row a user: in the engine, or a file beside `octad.yml`; the same review."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv

from octad.lifecycle.session import Session
from octad.model.review import Review
from tests.engines import shop
from tests.engines.conftest import Place
from tests.engines.same import differences
from tests.engines.test_review import OWN

# py4j and Spark leave the sockets they read from to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed.*socket:ResourceWarning")

PROJECT = """product: P
connection: {connection}
sources:
  units: {{table: {table}, user: userid, arm: version, attributes: [land]}}
metrics:
  rounds: {{column: rounds, winsorize: 0.99}}
  kept: {{column: kept}}
"""
PLAN = """launch: x
arms: {control: "a", treatment: "b"}
kpi: rounds
results: {kept: 2%}
"""


def _players() -> pa.Table:
    rng = np.random.default_rng(1)
    users = [f"u{i}" for i in range(2_000)]
    arms = ["ab"[i % 2] for i in range(2_000)]
    # Two users are in both arms, and are out.
    return pa.table(
        {
            "userid": [*users, "u1", "u2"],
            "version": [*arms, "a", "b"],
            "rounds": rng.poisson(5, 2_002),
            "kept": rng.random(2_002) < 0.4,
            "land": [["x", "y", None][i % 3] for i in range(2_002)],
        }
    )


def _reviewed(root: Path, connection: str, table: str) -> Review:
    (root / "launches").mkdir(parents=True)
    project = PROJECT.format(connection=connection, table=table)
    (root / "octad.yml").write_text(project, encoding="utf-8")
    (root / "launches" / "x.yml").write_text(PLAN, encoding="utf-8")
    csv.write_csv(_players(), root / "players.csv")
    return Session(root).review("x", log_look=False)


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Review:
    return _reviewed(tmp_path_factory.mktemp("units"), "duckdb://", "players.csv")


def test_one_row_a_user(truth: Review, other: Place, tmp_path: Path) -> None:
    tables = {"players": _players()}
    laid = shop.load(other.kind, other.connection, tables, tmp_path / "rows", "lab")
    inside = _reviewed(tmp_path / "inside", other.connection, laid["players"])
    assert not differences(truth, inside, leave=OWN)
    beside = _reviewed(tmp_path / "beside", other.connection, "players.csv")
    assert not differences(truth, beside, leave=OWN)
