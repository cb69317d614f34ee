"""tea-tasting 1.14 on DuckDB through Ibis, beside ours: from events to an interval.

Both start at the files and end at the effect on `opens` with its interval, adjusted by the 28 days
before exposure (CUPED). Both get the same users: exposed, no staff, their 14 days over.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import tea_tasting as tt

from octad.data.connect import connect
from octad.data.gather import gather
from octad.model.needs import Needs
from octad.project.load import load_plan
from octad.stats.effects import compare_many
from octad.stats.moments import Moments

__all__ = ["SEGMENTS", "ours", "theirs"]

SEGMENTS = 50
METRIC = "opens"
_DAYS = 14


def ours(folder: Path, segments: int) -> dict[str, Any]:
    """The effect on everyone, and in so many segments besides."""
    plan = load_plan(folder, "big")
    one = frozenset({METRIC})
    needs = Needs(totals=one, attributed=one if segments else frozenset())
    start = time.perf_counter()
    with connect(plan.plan.project, folder) as engine:
        inputs = gather(engine, plan.plan, needs)
    cells = inputs.metrics[METRIC]
    chosen = [0]
    if segments:
        plain = [i for i, s in enumerate(cells.slices) if all(n[0] == "a" for n, _ in s.values)]
        chosen = [i for i in plain if 1 <= len(cells.slices[i].values) <= 2][:segments]
    control, treatment = (cells.totals[np.array(chosen)][:, a] for a in (0, 1))
    theta = np.array([_theta(control[i] + treatment[i]) for i in range(len(chosen))])
    found = compare_many(control, treatment, relative=False, theta=theta)
    seconds = time.perf_counter() - start
    return {
        "seconds": seconds,
        "segments": [list(map(list, cells.slices[i].values)) for i in chosen],
        "found": np.stack([found.value, found.low, found.high], axis=1).tolist(),
    }


def _theta(both: Moments) -> float:
    """Tea-tasting's coefficient, of both arms together, so that the same thing is estimated."""
    y, d, x, w = both.mean
    weights = np.array([[1 / d, -y / d**2, 0, 0], [0, 0, 1 / w, -x / w**2]])
    cov = both.linear(weights).covariance()
    return float(cov[0, 1] / cov[1, 1])


def _units(con: Any, folder: Path) -> Any:
    """A user a row, as an expression: nothing is worked out yet."""
    events = con.read_parquet(str(folder / "data" / "events" / "*.parquet"))
    exposures = con.read_parquet(str(folder / "data" / "exposures.parquet"))
    users = con.read_parquet(str(folder / "data" / "users.parquet"))
    newest = ibis.literal(events.ts.max().to_pyarrow().as_py(), "timestamp")
    first = exposures.group_by("user_id").agg(met=exposures.ts.min(), arm=exposures.arm.min())
    first = first.filter(
        first.met + ibis.interval(days=_DAYS) <= newest + ibis.interval(microseconds=1)
    )
    first = first.join(users.filter(~users.is_staff), "user_id")
    opens = events.filter(events.name == "open").select("user_id", "ts")
    joined = opens.join(first.select("user_id", "met"), "user_id")
    after = (joined.ts >= joined.met) & (joined.ts < joined.met + ibis.interval(days=_DAYS))
    before = (joined.ts < joined.met) & (joined.ts >= joined.met - ibis.interval(days=28))
    counted = joined.group_by("user_id").agg(
        opens=joined.count(where=after), before=joined.count(where=before)
    )
    whole = first.left_join(counted, "user_id")
    return whole.mutate(opens=whole.opens.fill_null(0), before=whole.before.fill_null(0))


def theirs(folder: Path, segments: list[list[list[str]]], *, kept: bool = False) -> dict[str, Any]:
    """The same by tea-tasting: one analysis a segment, from the events each time.

    Args:
        folder: The project's folder.
        segments: Attribute and value pairs of each; an empty one is everyone.
        kept: Whether the users' table is worked out once and kept, which their users may do.
    """
    start = time.perf_counter()
    con = ibis.duckdb.connect()
    units = _units(con, folder)
    if kept:
        units = units.cache()
    experiment = tt.Experiment(opens=tt.Mean("opens", "before"), variant="arm")
    found = []
    for segment in segments:
        some = units
        for name, value in segment:
            some = some.filter(some[name] == value)
        result: Any = experiment.analyze(some, control="off")["opens"]
        found.append([result.effect_size, result.effect_size_ci_lower, result.effect_size_ci_upper])
    seconds = time.perf_counter() - start
    con.disconnect()
    return {"seconds": seconds, "found": found}
