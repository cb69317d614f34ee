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

__all__ = ["MOST_VALUES", "Funnel", "funnel_of", "ordered", "quantiles_of", "reading_of"]

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
    out = np.zeros((2, 2 * len(state.user)))
    out[1, group[np.flatnonzero(hits[kind, 0])]] = 1.0
    # Nobody gets through without every step, so the others need not be put in order.
    whole = np.ones(2 * len(state.user), dtype=bool)
    for step in hits.T:
        some = np.zeros_like(whole)
        some[group[np.flatnonzero(step[kind])]] = True
        whole &= some
    able = np.flatnonzero(whole[group])
    ranks = np.argmax(hits, axis=1)
    who, when, what = ordered(group[able], since[able], kind[able], ranks)
    through = _through(who, when, hits[what].T, steps, _micros(metric.within) or 0)
    out[0, who[through]] = 1.0
    return Funnel(out[0, 1::2], out[1, 1::2], out[0, ::2], out[1, ::2])


def ordered(
    group: IntArray, since: IntArray, kind: NDArray[Any], step: IntArray
) -> tuple[IntArray, IntArray, IntArray]:
    """Rows by group, moment and step; of events of one moment, those of earlier steps first.

    Where the three fit into one number, the numbers alone are sorted and taken apart again, which
    takes a fifth of the time of putting rows in order. The group is known from how many rows each
    has, and kinds are counted in powers of two, so nothing is divided.

    Args:
        group: (n,) from 0.
        since: (n,) moments.
        kind: (n,) kinds of events.
        step: (kinds,) the step of each.
    """
    there = np.flatnonzero(np.bincount(kind))
    kinds = there[np.argsort(step[there], kind="stable")]
    rank = np.zeros(len(step), dtype=np.int64)
    rank[kinds] = np.arange(len(kinds))
    first = int(since.min(initial=0))
    span, bits = int(since.max(initial=0)) - first + 1, max(0, len(kinds) - 1).bit_length()
    rows = np.bincount(group)
    named = np.flatnonzero(rows)
    if len(named) * span << bits >= 1 << 63:
        order = np.lexsort((rank[kind], since, group))
        return group[order], since[order], kind[order].astype(np.int64)
    before = (np.cumsum(rows > 0) - 1) * span - first
    key = (before[group] + since << bits) + rank[kind]
    key.sort()
    at = np.repeat(named, rows[named])
    last = kinds[key & ((1 << bits) - 1)]
    key >>= bits
    return at, key - before[at], last


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
            so_far = so_far if last is None else so_far[last]
        so_far = np.where(so_far > first, so_far, 0)
        began = np.where(hits[i], so_far, 0)
    done = np.flatnonzero(began)
    out = np.zeros(len(group), dtype=bool)
    out[done] = since[done] - since[began[done] - 1] <= within
    return out


def _runs(starts: NDArray[np.bool_]) -> IntArray:
    """For each row, how many rows come before its group."""
    return np.maximum.accumulate(np.where(starts, np.arange(len(starts)), 0))


def _last_alike(same: NDArray[np.bool_], n: int) -> IntArray | None:
    """For each row, the last row of the same group and moment; None where all stand alone."""
    if not same.any():
        return None
    ends = np.flatnonzero(np.concatenate([~same, [True]]))
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
