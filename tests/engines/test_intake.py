"""Sources of every engine: opened, accounted for, and who is compared, all as in DuckDB."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from octad.data.attributes import from_table
from octad.data.connect import connect
from octad.data.population import bring_over, choose_exposed, frame_of
from octad.data.sources import open_sources
from octad.data.tape import Tape
from octad.project.load import load_plan
from tests.engines import shop
from tests.engines.conftest import Place, Places

# py4j and Spark leave the sockets they read from to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed.*socket:ResourceWarning")


def _account(place: Place, root: Path) -> dict[str, Any]:
    """Everything that does not name the engine."""
    loaded = load_plan(shop.write_project(root, place.connection, place.tables), "x")
    with connect(loaded.plan.project, root) as engine:
        tables = open_sources(engine, loaded.plan.project)
        tape = Tape(engine.backend)
        newest = tables.intake["events"].last
        assert newest is not None
        frame = frame_of(loaded.plan, newest, None)
        chosen = choose_exposed(tape, loaded.plan, frame, tables.exposures, tables.users)
        population = bring_over(tape, chosen)
        found, refused = from_table(tape, population, tables.users, ("region", "age", "rank"))
        users = population.table.select("uid", "user").order_by("uid").to_pyarrow()
        by_user = np.argsort(users["user"].to_numpy(zero_copy_only=False))
        return {
            "intake": {
                name: (
                    i.read,
                    i.kept,
                    i.duplicates,
                    i.first,
                    i.last,
                    i.gaps,
                    i.roles,
                    tuple((r.reason, r.rows) for r in i.rejects),
                )
                for name, i in tables.intake.items()
            },
            "arm": population.arm[by_user].tolist(),
            "exposed": population.exposed[by_user].tolist(),
            "bucket": population.bucket[by_user].tolist(),
            "exposure": repr(
                (
                    population.exposure.counts,
                    population.exposure.by_day,
                    population.exposure.days,
                    population.exposure.both,
                    population.exposure.staff,
                    population.exposure.strange_arms,
                )
            ),
            "attributes": [(a.name, a.values, a.codes[by_user].tolist()) for a in found],
            "refused": refused,
        }


@pytest.fixture(scope="module")
def truth(places: Places, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return _account(places["duckdb"], tmp_path_factory.mktemp("truth"))


def test_the_shop_has_everything(truth: dict[str, Any]) -> None:
    reasons = {reason for reason, _ in truth["intake"]["events"][7]}
    assert reasons == {
        "no user",
        "no time",
        "no event",
        "a year that cannot be",
        "a time later than the data can be (a clock that runs ahead)",
    }
    assert truth["intake"]["events"][2] == 300
    assert truth["intake"]["users"][2] == 50
    assert truth["attributes"]


def test_an_engine_reads_what_duckdb_reads(
    other: Place, truth: dict[str, Any], tmp_path: Path
) -> None:
    found = _account(other, tmp_path)
    for part, expected in truth.items():
        assert found[part] == expected, part
