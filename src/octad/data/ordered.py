"""Metrics that are no sums over days: funnels need the order of events, quantiles their values."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import ibis
import numpy as np
from numpy.typing import NDArray

from octad.data.clock import micros
from octad.data.columns import column, number
from octad.data.expression import condition
from octad.data.population import BUCKETS, Population
from octad.data.tape import Tape
from octad.model.inputs import Quantiles
from octad.model.metric import FunnelMetric, QuantileMetric
from octad.stats.quantiles import quantile
from octad.stats.refusal import NotEstimable

__all__ = ["funnel_values", "quantiles_of"]

FloatArray = NDArray[np.float64]
_MOST_VALUES = 4_000_000


def _within(
    population: Population, events: ibis.Table, window: timedelta | None, where: str | None
) -> ibis.Table:
    who = population.table.select("uid", "user", "code", "exposed")
    t = events.join(who, "user")
    t = t.mutate(at=micros(t.time))
    t = t.filter((t.at >= t.exposed) & (t.at < population.frame.until))
    if window is not None:
        t = t.filter(t.at < t.exposed + window // timedelta(microseconds=1))
    return t if where is None else t.filter(condition(t, where))


def funnel_values(
    tape: Tape, population: Population, events: ibis.Table, metric: FunnelMetric
) -> tuple[FloatArray, FloatArray, str]:
    """Whether each user entered a funnel, and got through it in time.

    Each row carries the latest moment at which a run through the funnel began that has come as far
    as the row's step. The latest beginning is the one with the most time left, so no run that
    would have been in time is missed.

    Returns:
        (n,) got through, (n,) entered, and the query's digest.
    """
    t = _within(population, events, metric.window, metric.where)
    steps = metric.funnel
    wanted = tuple({name for step in steps for name in step})
    t = t.filter(t.event.isin(wanted)).select("uid", "at", "event")
    so_far: Any = t.at
    for i, step in enumerate(steps):
        hit = t.event.isin(step)
        t = t.mutate(**{f"hit{i}": ibis.ifelse(hit, so_far, ibis.null("int64"))})
        if i == len(steps) - 1:
            break
        # RANGE takes in events of the same moment: a step at the moment of the one before counts.
        frame = ibis.range_window(group_by="uid", order_by="at", preceding=None, following=0)
        t = t.mutate(**{f"run{i}": t[f"hit{i}"].max().over(frame)})
        so_far = t[f"run{i}"]
    span = metric.within // timedelta(microseconds=1)
    final = t[f"hit{len(steps) - 1}"]
    through = final.notnull() & (t.at - final <= span)
    expr = t.group_by("uid").agg(entered=t.hit0.notnull().any(), through=through.any())
    rows, key = tape.read("a funnel", expr, after=("population",))
    uid = rows["uid"].to_numpy()
    y, d = np.zeros(population.n), np.zeros(population.n)
    y[uid] = rows["through"].fill_null(False).to_numpy(zero_copy_only=False)
    d[uid] = rows["entered"].fill_null(False).to_numpy(zero_copy_only=False)
    return y, d, key


def quantiles_of(
    tape: Tape, population: Population, events: ibis.Table, metric: QuantileMetric
) -> tuple[Quantiles, str]:
    """A quantile over events by arm, with errors clustered by user.

    Above some millions of values it is read off a sample of users (whole buckets of them).
    """
    t = _within(population, events, metric.window, metric.where)
    if metric.on is not None:
        t = t.filter(t.event.isin(metric.on))
    t = t.mutate(value=number(column(t, metric.of)))
    t = t.filter(t.value.notnull() & ~t.value.isnan())
    rough = int(t.count().to_pyarrow().as_py())
    if rough > _MOST_VALUES:
        few = max(1, int(BUCKETS * _MOST_VALUES / rough))
        keep = np.flatnonzero(population.bucket < few).astype(np.int32)
        chosen = ibis.memtable({"uid": keep})
        t = t.semi_join(chosen, "uid")
    rows, key = tape.read(
        f"values of {metric.of}", t.select("uid", "code", "value"), after=("population",)
    )
    values, uid = rows["value"].to_numpy(), rows["uid"].to_numpy()
    code = rows["code"].to_numpy()
    out = np.full((2, len(population.arms)), np.nan)
    n = np.zeros(len(population.arms), dtype=np.int64)
    for a in range(len(population.arms)):
        mine = code == a
        n[a] = len(np.unique(uid[mine]))
        try:
            found = quantile(values[mine], uid[mine], p=metric.quantile)
        except NotEstimable:
            continue
        out[:, a] = found.value, found.se
    return Quantiles(out[0], out[1], n), key
