"""Searched in the engine, combinations of three values are the ones that are found here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from octad.data.sql.search import weights
from octad.data.work import MetricWork
from octad.model.needs import Needs
from octad.stats.lattice import outcomes
from octad.stats.moments import Moments
from tests.data.small import plan_of, write_world
from tests.data.sql.both import assert_cells, both
from tests.data.sql.harmed import METRICS, harmed_world


def test_the_same_three_values_are_found(tmp_path: Path) -> None:
    world = harmed_world(5, users=12_000)
    plan = plan_of(world, results={"opens": "1%", "spend": "1%"}, guardrails={"crash_rate": "5%"})
    every = frozenset(METRICS)
    inputs, work, engine = both(
        write_world(world, tmp_path), plan, Needs(totals=every, sliced=every)
    )
    with engine:
        assert inputs.metrics["opens"].searched > 0
        deep = [s for s in inputs.metrics["opens"].slices if len(s.values) == 3]
        assert any(
            {("region", "north"), ("age", "40"), ("first seen", "a week or more before")}
            == set(s.values)
            for s in deep
        )
        for name, cells in inputs.metrics.items():
            made = work.metric(name)
            assert isinstance(made, MetricWork)
            assert_cells(made.cells, cells)


@pytest.mark.parametrize("ratio", [False, True])
def test_outcomes_are_one_sum_over_the_four_columns(*, ratio: bool) -> None:
    rng = np.random.default_rng(2)
    rows = rng.gamma(2.0, 3.0, size=(800, 4))
    rows[:, 2] += 2 * rows[:, 0]
    if not ratio:
        rows[:, (1, 3)] = 1.0
    arm = rng.integers(0, 2, 800)
    made = weights(Moments.from_rows(rows, arm, 2), sign=-1.0)
    found = [made.value(dict(zip("ydxw", row, strict=True))) for row in rows.tolist()]
    # Weights come of moments, and outcomes of rows: the same sums in another order.
    np.testing.assert_allclose(found, -outcomes(rows, arm), rtol=1e-9, atol=1e-9)
