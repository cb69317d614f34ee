"""One query for each metric and dimension: what experimentation platforms run by default.

Every query stands by itself, as theirs do: it finds who was exposed, joins their dimension, joins
the metric's events inside the window and before exposure, adds up by user, and then by arm and
value. The same engine, the same files, and the same answers as ours, which is checked.
"""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from benchmarks import same
from benchmarks.floor import days_of, is_pair
from benchmarks.world import ATTRIBUTES
from octad.model.inputs import Slice
from octad.model.metric import (
    AnyMetric,
    CountMetric,
    MeanMetric,
    Metric,
    RatioMetric,
    ReturnsMetric,
    SumMetric,
)
from octad.model.plan import Plan

__all__ = ["STEP", "query", "run"]

STEP = 19
"""Every nineteenth of the queries is run: prime to eight, so that each attribute has its turn."""


def query(folder: Path, metric: Metric, attribute: str) -> str:
    """One metric by one dimension, from the exposures and the events to sums by arm and value."""
    first, last = 0, days_of(metric)
    if isinstance(metric, ReturnsMetric):
        first = metric.between[0] // timedelta(days=1)
    names, tops, bottoms = _values(metric)
    window = "true" if last is None else f"m.ts < e.first_seen + INTERVAL {last} DAY"
    since = f"m.ts >= e.first_seen + INTERVAL {first} DAY"
    back = 28 if not isinstance(metric, ReturnsMetric) else (last or 0) - first
    over = "true" if last is None else f"e.first_seen + INTERVAL {last} DAY <= d.newest"
    after, before = f"{since} AND {window}", "m.ts < e.first_seen"
    one = isinstance(metric, AnyMetric | ReturnsMetric)

    def total(value: str, when: str) -> str:
        plain = f"coalesce(sum({value}) FILTER ({when}), 0)"
        return f"({plain} > 0)::DOUBLE" if one else f"{plain}::DOUBLE"

    cap = getattr(metric, "winsorize", None)
    capped = (
        f"SELECT * REPLACE (least(y, (SELECT quantile_disc(y, {cap}) FROM by_user)) AS y, "
        f"least(x, (SELECT quantile_disc(x, {cap}) FROM by_user)) AS x) FROM by_user"
    )
    return f"""
        WITH newest AS (
            SELECT max(ts) + INTERVAL 1 MICROSECOND AS newest
            FROM '{folder}/data/events/*.parquet'),
        exposed AS (
            SELECT user_id, min(ts) AS first_seen, any_value(arm) AS arm
            FROM '{folder}/data/exposures.parquet' WHERE launch = 'big'
            GROUP BY user_id HAVING count(DISTINCT arm) = 1),
        entered AS (
            SELECT e.user_id, e.first_seen, e.arm, u.{attribute} AS value
            FROM exposed AS e JOIN '{folder}/data/users.parquet' AS u USING (user_id)
            CROSS JOIN newest AS d WHERE NOT u.is_staff AND {over}),
        metric AS (
            SELECT user_id, ts, {tops} AS top, {bottoms} AS bottom
            FROM '{folder}/data/events/*.parquet'
            WHERE name IN ({", ".join(f"'{n}'" for n in names)})),
        by_user AS (
            SELECT e.arm, e.value, e.user_id,
                {total("m.top", after)} AS y, {total("m.bottom", after)} AS d,
                {total("m.top", before)} AS x, {total("m.bottom", before)} AS w
            FROM entered AS e LEFT JOIN metric AS m
                ON m.user_id = e.user_id AND m.ts >= e.first_seen - INTERVAL {back} DAY
                AND {window}
            GROUP BY e.arm, e.value, e.user_id),
        counted AS ({capped if cap else "SELECT * FROM by_user"})
        SELECT arm, value, count(*) AS n, sum(y) AS y, sum(y * y) AS yy, sum(x) AS x,
            sum(x * x) AS xx, sum(y * x) AS yx, sum(d) AS d, sum(d * d) AS dd, sum(y * d) AS yd,
            sum(w) AS w, sum(w * w) AS ww, sum(x * w) AS xw, sum(y * w) AS yw, sum(d * x) AS dx,
            sum(d * w) AS dw
        FROM counted GROUP BY arm, value"""


def _values(metric: Metric) -> tuple[list[str], str, str]:
    """Events, and what is added up of each for the numerator and the denominator."""
    match metric:
        case CountMetric():
            return list(metric.count), "1", "0"
        case AnyMetric():
            return list(metric.any), "1", "0"
        case ReturnsMetric():
            return list(metric.returns), "1", "0"
        case SumMetric():
            return list(metric.of), metric.sum, "0"
        case MeanMetric():
            return list(metric.of), metric.mean, f"({metric.mean} IS NOT NULL)::INT"
        case RatioMetric():
            top, bottom = metric.ratio
            return [*top, *bottom], f"(name = '{top[0]}')::INT", f"(name = '{bottom[0]}')::INT"
    raise TypeError(metric)


def run(folder: Path, plan: Plan, kept: Path | None, step: int = STEP) -> dict[str, Any]:
    """Run every `step`-th of the queries, and scale to all of them.

    Args:
        folder: The project's folder.
        plan: For what the metrics mean.
        kept: Where a review's aggregates are, to compare with.
        step: Which queries are run; 1 for all.
    """
    con = duckdb.connect()
    con.execute(f"SET temp_directory = '{folder / '.octad' / 'each'}'")
    names = list(plan.launch.metrics)
    served = [n for n in names if not hasattr(plan.metric(n), "funnel")]
    served = [n for n in served if not hasattr(plan.metric(n), "quantile")]
    chosen = [(n, a) for n in served for a in ATTRIBUTES][::step]
    start = time.perf_counter()
    found = [
        con.execute(query(folder, plan.metric(n), a)).to_arrow_table().to_pylist()
        for n, a in chosen
    ]
    seconds = time.perf_counter() - start
    wrong = []
    if kept is not None:
        for (name, attribute), rows in zip(chosen, found, strict=True):
            wrong += _differs(plan, kept, name, attribute, rows)
    every = len(names) * len(ATTRIBUTES)
    return {
        "seconds": seconds * every / len(chosen),
        "ran": len(chosen),
        "every": every,
        "step": step,
        "wrong": wrong,
    }


def _differs(plan: Plan, kept: Path, name: str, attribute: str, rows: list[Any]) -> list[str]:
    ours = np.load(kept / f"{name}.npz")
    places = {text: i for i, text in enumerate(ours["slices"].tolist())}
    wrong = []
    for row in rows:
        place = places.get(repr(Slice(((attribute, row["value"]),)).values))
        if place is None:
            continue
        arm = int(row["arm"] == "on")
        sums = same.totals(ours, place, pair=is_pair(plan.metric(name)))
        mine = [sums[term][arm] for term in sums]
        if not np.allclose(mine, [row[term] for term in sums], rtol=1e-9, atol=1e-6):
            wrong.append(f"{name} by {attribute}")
            break
    return wrong
