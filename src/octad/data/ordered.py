"""Metrics that are no sums over days: funnels need the order of events, quantiles their values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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

__all__ = ["MOST_VALUES", "Funnel", "funnel_values", "quantiles_of", "steps_done"]

FloatArray = NDArray[np.float64]
MOST_VALUES = 4_000_000


def _joined(
    population: Population, events: ibis.Table, where: str | None, names: tuple[str, ...]
) -> ibis.Table:
    """Events of the users compared, each with its moment since exposure."""
    t = events.join(population.table.select("uid", "user", "code", "exposed"), "user")
    if names:
        t = t.filter(t.event.isin(names))
    if where is not None:
        t = t.filter(condition(t, where))
    t = t.mutate(at=micros(t.time))
    return t.filter(t.at < population.frame.until).mutate(since=lambda e: e.at - e.exposed)


@dataclass(frozen=True, slots=True)
class Funnel:
    """A funnel by user: got through and entered, after exposure and before it; each (n,)."""

    y: FloatArray
    d: FloatArray
    x: FloatArray
    w: FloatArray
    query: str


def funnel_values(
    tape: Tape,
    population: Population,
    events: ibis.Table,
    metric: FunnelMetric,
    *,
    back: int,
) -> Funnel:
    """Whether each user entered a funnel, and got through it in time.

    Each row carries the latest moment at which a run through the funnel began that has come as far
    as the row's step. The latest beginning is the one with the most time left, so no run that
    would have been in time is missed.

    Args:
        tape: Runs the query.
        population: Who is compared.
        events: user, time, event.
        metric: The funnel.
        back: Microseconds before exposure that make the pre-period; no run leads from it into the
            time after.
    """
    steps = metric.funnel
    t = _joined(
        population, events, metric.where, tuple(dict.fromkeys(e for step in steps for e in step))
    )
    end = None if metric.window is None else metric.window // timedelta(microseconds=1)
    t = t.filter((t.since >= -back) & ((t.since < end) if end is not None else True))
    t = t.mutate(after=t.since >= 0).select("uid", "after", "at", "event")
    expr = steps_done(t, steps, within=metric.within // timedelta(microseconds=1))
    rows, key = tape.read("a funnel", expr)
    uid = rows["uid"].to_numpy()
    after = rows["after"].to_numpy(zero_copy_only=False).astype(bool)
    out = np.zeros((4, population.n))
    for i, name in enumerate(("through", "entered")):
        values = rows[name].fill_null(False).to_numpy(zero_copy_only=False)
        out[i, uid[after]] = values[after]
        out[2 + i, uid[~after]] = values[~after]
    return Funnel(out[0], out[1], out[2], out[3], key)


def steps_done(t: ibis.Table, steps: Sequence[tuple[Any, ...]], *, within: int) -> ibis.Table:
    """Which users entered a funnel and which got through it in time.

    Args:
        t: uid, after (whether after exposure), at (microseconds), event.
        steps: For each step, the events that are it.
        within: Microseconds from the first step to the last.

    Returns:
        uid, after, entered, through.
    """
    so_far: Any = t.at
    for i, step in enumerate(steps):
        hit = t.event.isin(step)
        t = t.mutate(**{f"hit{i}": ibis.ifelse(hit, so_far, ibis.null("int64"))})
        if i == len(steps) - 1:
            break
        t = t.mutate(**{f"run{i}": t[f"hit{i}"].max().over(_up_to_here(step, steps[i + 1]))})
        so_far = t[f"run{i}"]
    final = t[f"hit{len(steps) - 1}"]
    through = final.notnull() & (t.at - final <= within)
    return t.group_by("uid", "after").agg(
        entered=t.hit0.notnull().any(), through=through.fill_null(False).any()
    )


def _up_to_here(step: tuple[Any, ...], following: tuple[Any, ...]) -> Any:
    """The rows that may come before the next step.

    A step at the very moment of the one before counts, so events of one moment are taken
    together. Where one event may be both steps, it must not be both at once.
    """
    group = ["uid", "after"]
    if set(step) & set(following):
        return ibis.window(group_by=group, order_by="at", preceding=(None, 1))
    return ibis.range_window(group_by=group, order_by="at", preceding=None, following=0)


def quantiles_of(
    tape: Tape, population: Population, events: ibis.Table, metric: QuantileMetric
) -> tuple[Quantiles, int, str]:
    """A quantile over events by arm, with errors clustered by user.

    Above some millions of values it is read off a sample of users (whole buckets of them).

    Returns:
        The quantiles, how many users' windows have not ended, and the query's digest.
    """
    t = _joined(population, events, metric.where, metric.on or ())
    t = t.filter(t.since >= 0)
    waiting = 0
    if metric.window is not None:
        window = metric.window // timedelta(microseconds=1)
        until = population.frame.until
        t = t.filter((t.since < window) & (t.exposed + window <= until))
        waiting = int((population.exposed + window > until).sum())
    t = t.mutate(value=number(column(t, metric.of)))
    t = t.filter(t.value.notnull() & ~t.value.isnan() & ~t.value.isinf())
    rough = int(t.count().to_pyarrow().as_py())
    if rough > MOST_VALUES:
        few = max(1, int(BUCKETS * MOST_VALUES / rough))
        keep = np.flatnonzero(population.bucket < few).astype(np.int32)
        chosen = ibis.memtable({"uid": keep})
        t = t.semi_join(chosen, "uid")
    rows, key = tape.read(f"values of {metric.of}", t.select("uid", "code", "value"))
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
    return Quantiles(out[0], out[1], n), waiting, key
