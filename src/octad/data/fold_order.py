"""Funnels and quantiles from a state: what depends on the order of events, or on their values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from octad.data.fold_state import Reading, State
from octad.data.population import BUCKETS, Population
from octad.model.inputs import Quantiles
from octad.model.metric import FunnelMetric, QuantileMetric
from octad.stats.quantiles import quantile
from octad.stats.refusal import NotEstimable

__all__ = ["MOST_VALUES", "Funnel", "funnel_of", "quantiles_of", "reading_of"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
MOST_VALUES = 4_000_000
"""Above so many values a quantile is read off whole buckets of users."""


@dataclass(frozen=True, slots=True)
class Funnel:
    """A funnel by user: got through and entered, after exposure and before it; each (n,)."""

    y: FloatArray
    d: FloatArray
    x: FloatArray
    w: FloatArray


def _micros(span: timedelta | None) -> int | None:
    return None if span is None else span // timedelta(microseconds=1)


def funnel_of(state: State, metric: FunnelMetric, *, back: int) -> Funnel:
    """Whether each user entered a funnel, and got through it in time.

    Each row carries the latest moment at which a run through the funnel began that has come as far
    as the row's step. The latest beginning is the one with the most time left, so no run that
    would have been in time is missed.

    Args:
        state: With the exact moments of the funnel's events.
        metric: The funnel.
        back: Microseconds before exposure that make the pre-period; no run leads from it into the
            time after.
    """
    steps = metric.funnel
    o = state.ordered
    hits = np.zeros((len(o.kinds), len(steps)), dtype=bool)
    for k, (event, flags) in enumerate(o.kinds):
        bit = 0 if metric.where is None else state.form.conditions.index(metric.where)
        if metric.where is None or (flags >> bit) & 1:
            hits[k] = [event in step for step in steps]
    named: NDArray[np.bool_] = np.asarray(hits.any(axis=1))
    wanted = named[o.kind] & (o.since >= -back)
    end = _micros(metric.window)
    if end is not None:
        wanted &= o.since < end
    rows = np.flatnonzero(wanted)
    kind, since = o.kind[rows], o.since[rows]
    group = o.user[rows].astype(np.int64) * 2 + (since >= 0)
    # Of events of one moment, those of earlier steps come first.
    step = np.argmax(hits, axis=1)[kind]
    order = np.lexsort((step, since, group))
    group, since, kind = group[order], since[order], kind[order]
    through = _through(group, since, hits[kind].T, steps, _micros(metric.within) or 0)
    out = np.zeros((2, 2 * len(state.user)))
    out[0, group[through]] = 1.0
    out[1, group[hits[kind, 0]]] = 1.0
    return Funnel(out[0, 1::2], out[1, 1::2], out[0, ::2], out[1, ::2])


def _through(
    group: IntArray,
    since: IntArray,
    hits: NDArray[np.bool_],
    steps: tuple[tuple[str, ...], ...],
    within: int,
) -> NDArray[np.bool_]:
    """Which rows end a run in time; rows are in order, and a group's lie together.

    A beginning is known by its row's number, which rises with its moment; 0 is none.
    """
    rows = np.arange(1, len(group) + 1)
    first = _runs(np.concatenate([[True], group[1:] != group[:-1]])[: len(group)])
    same = (group[1:] == group[:-1]) & (since[1:] == since[:-1])
    last = _last_alike(same, len(group))
    began = np.where(hits[0], rows, 0)
    for i in range(1, len(steps)):
        so_far = np.maximum.accumulate(began) if len(began) else began
        if set(steps[i - 1]) & set(steps[i]):
            # An event that may be both steps must not be both at once.
            so_far = np.concatenate([[0], so_far[:-1]])[: len(began)]
        else:
            # A step at the very moment of the one before counts.
            so_far = so_far[last]
        so_far = np.where(so_far > first, so_far, 0)
        began = np.where(hits[i], so_far, 0)
    done = np.flatnonzero(began)
    out = np.zeros(len(group), dtype=bool)
    out[done] = since[done] - since[began[done] - 1] <= within
    return out


def _runs(starts: NDArray[np.bool_]) -> IntArray:
    """For each row, how many rows come before its group."""
    return np.maximum.accumulate(np.where(starts, np.arange(len(starts)), 0))


def _last_alike(same: NDArray[np.bool_], n: int) -> IntArray:
    """For each row, the last row of the same group and moment."""
    ends = np.flatnonzero(np.concatenate([~same, [True]]))[: n or 0]
    if not n:
        return np.zeros(0, dtype=np.int64)
    return ends[np.searchsorted(ends, np.arange(n))]


def reading_of(metric: QuantileMetric) -> Reading:
    """What a quantile reads."""
    return Reading(metric.of, metric.on or (), metric.where, _micros(metric.window))


def quantiles_of(
    state: State, population: Population, metric: QuantileMetric
) -> tuple[Quantiles, int]:
    """A quantile over events by arm, with errors clustered by user.

    Above some millions of values it is read off a sample of users (whole buckets of them).

    Returns:
        The quantiles, and how many users' windows have not ended.
    """
    reading = reading_of(metric)
    read = state.readings[state.form.readings.index(reading)]
    ended = np.ones(population.n, dtype=bool)
    if reading.window is not None:
        ended = population.exposed + reading.window <= population.frame.until
    rough = int(read.total[ended].sum())
    few = BUCKETS
    if rough > MOST_VALUES:
        few = min(read.buckets, max(1, int(BUCKETS * MOST_VALUES / rough)))
    counted = ended & (population.bucket < few)
    mine = counted[read.user]
    uid, value = read.user[mine], read.value[mine]
    arm = population.arm[uid]
    out = np.full((2, len(population.arms)), np.nan)
    n = np.zeros(len(population.arms), dtype=np.int64)
    for a in range(len(population.arms)):
        inside = arm == a
        n[a] = np.count_nonzero(np.bincount(uid[inside]))
        try:
            found: Any = quantile(value[inside], uid[inside], p=metric.quantile)
        except NotEstimable:
            continue
        out[:, a] = found.value, found.se
    return Quantiles(out[0], out[1], n), int((~ended).sum())
