"""Inputs made by hand, with truths planted in them, for the tests of the readings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from octad.model.finding import Answer, Finding
from octad.model.inputs import (
    Daily,
    Errors,
    Exposure,
    Inputs,
    MetricCells,
    Retention,
    Slice,
    Tail,
    Volume,
)
from octad.model.plan import Launch, Plan, Project
from octad.stats.moments import Moments
from octad.stats.parts import Parts
from octad.stats.segments import halves

ARMS = ("control", "treatment")
N = 4_000
BUCKETS = 512
FloatArray = NDArray[np.float64]


def plan(metrics: Mapping[str, Any] | None = None, **launch: Any) -> Plan:
    """An experiment on a wallet; any key of the launch, and `charter`, may be given."""
    known = {
        "opens": {"count": "open", "window": "14d"},
        "payments": {"count": "pay", "window": "14d"},
        "crash_rate": {"ratio": ["crash", "open"], "better": "down"},
    }
    charter = launch.pop("charter", {})
    project = Project.model_validate(
        {"product": "Wallet", "sources": {}, "metrics": metrics or known, "charter": charter}
    )
    usual: dict[str, Any] = {
        "launch": "x",
        "arms": {"control": "off", "treatment": "on"},
        "starts": date(2026, 3, 1),
        "ends": date(2026, 3, 29),
        "kpi": "opens",
    }
    return Plan(project=project, launch=Launch.model_validate({**usual, **launch}))


def counts(mean: float, seed: int, n: int = N) -> FloatArray:
    """Counts per user with the mean given exactly, so that a null is a null."""
    values = np.random.default_rng(seed).poisson(mean, n).astype(np.float64)
    shifted: FloatArray = values + (mean - values.mean())
    return shifted


def four(y: ArrayLike, d: ArrayLike = 1.0, x: ArrayLike = 0.0, w: ArrayLike = 1.0) -> FloatArray:
    """Rows in the order of `octad.model.inputs.COLUMNS`."""
    n = np.shape(y)
    return np.stack([np.broadcast_to(np.asarray(c, float), n) for c in (y, d, x, w)], axis=1)


def cells(
    name: str,
    *arms: FloatArray,
    slices: Mapping[Slice, Sequence[ArrayLike]] | None = None,
    paired: bool = False,
) -> MetricCells:
    """Cells of rows by arm; a slice names its users in every arm."""
    every = [np.ones(len(a), dtype=bool) for a in arms]
    sets: dict[Slice, Sequence[ArrayLike]] = {Slice(): every, **(slices or {})}
    parts = []
    for users in sets.values():
        for rows, named in zip(arms, users, strict=True):
            keep = np.asarray(named, dtype=bool)
            bucket = np.arange(len(rows)) * 7919 % BUCKETS
            parts.append(Moments.from_rows(rows[keep], bucket[keep], BUCKETS))
    shape = (len(sets), len(arms), BUCKETS)
    moments = Moments(
        np.stack([p.n for p in parts]).reshape(shape),
        np.stack([p.mean for p in parts]).reshape(*shape, 4),
        np.stack([p.comoment for p in parts]).reshape(*shape, 4, 4),
    )
    inside = Parts.of(moments, halves(BUCKETS, plan().launch.halving)) if slices else None
    return MetricCells(name, moments[:1], tuple(sets), paired=paired, parts=inside)


def inputs(*metrics: MetricCells, **more: Any) -> Inputs:
    """The end of an experiment with these metrics."""
    usual: dict[str, Any] = {"arms": ARMS, "final": True}
    return Inputs(metrics={m.metric: m for m in metrics}, **{**usual, **more})


def daily(
    name: str, control: FloatArray, treatment: FloatArray, seed: int = 1, *, exact: bool = True
) -> Daily:
    """Means per day and arm, users independent from day to day, thirds of the days.

    The means are met exactly, or only on average.
    """
    days = len(control)
    third = days // 3
    spans = ((0, third), (days - third, days))
    rng = np.random.default_rng(seed)
    per_arm, halves, buckets = [], [], []
    for mean in (control, treatment):
        y = rng.poisson(mean, (N, days)).astype(np.float64)
        y += (mean - y.mean(axis=0)) * exact
        buckets.append(_by_bucket(y))
        per_arm.append([Moments.from_rows(four(y[:, t])) for t in range(days)])
        halves.append(Moments.from_rows(np.stack([y[:, a:b].mean(axis=1) for a, b in spans], 1)))
    moments = Moments(
        np.array([[m.n for m in row] for row in per_arm]),
        np.array([[m.mean for m in row] for row in per_arm]),
        np.array([[m.comoment for m in row] for row in per_arm]),
    )
    joint = Moments(
        np.array([m.n for m in halves]),
        np.array([m.mean for m in halves]),
        np.array([m.comoment for m in halves]),
    )
    return Daily(name, np.arange(days), moments, joint, spans, by_bucket=np.stack(buckets))


def _by_bucket(y: FloatArray) -> FloatArray:
    """(B, D, 3): users, their sum, and their denominators, which are ones."""
    bucket = np.arange(len(y)) * 7919 % BUCKETS
    n = np.bincount(bucket, minlength=BUCKETS)[:, None] * np.ones((1, y.shape[1]))
    total = np.stack([np.bincount(bucket, day, BUCKETS) for day in y.T], axis=1)
    return np.stack([n, total, n], axis=-1)


def returning(control: FloatArray, treatment: FloatArray, seed: int = 1) -> Retention:
    """Shares of users active by day, drawn user by user, in buckets."""
    rng = np.random.default_rng(seed)
    drawn = []
    for share in (control, treatment):
        there = rng.random((N, len(share))) < share
        there[:, 0] = True
        drawn.append(_by_bucket(there.astype(np.float64))[..., [1, 0]])
    counts = np.rint(np.stack(drawn)).astype(np.int64)
    active, observed = counts[..., 0].sum(axis=1), counts[..., 1].sum(axis=1)
    return Retention(np.arange(len(control)), active, observed, by_bucket=counts)


def retention(control: float, treatment: float, days: int = 28) -> Retention:
    """The same share of users active on every day."""
    observed = np.full((2, days), N)
    active = np.rint(observed * np.array([[control], [treatment]])).astype(np.int64)
    return Retention(np.arange(days), active, observed)


def tail(name: str, *arms: FloatArray) -> Tail:
    """The largest users of each arm."""
    top = np.stack([-np.sort(-a)[:50] for a in arms])
    total = np.array([a.sum() for a in arms])
    share = np.array([t[:40].sum() for t in top]) / np.where(total > 0, total, 1)
    return Tail(name, top, total, np.array([len(a) for a in arms]), share)


def exposure(control: int, treatment: int, **more: Any) -> Exposure:
    """Sizes of the arms, all exposed on one day."""
    sizes = np.array([control, treatment])
    return Exposure(sizes, np.array(["2026-03-01"], dtype="datetime64[D]"), sizes[None], **more)


def volume(days: int = 21, lost: int | None = None) -> Volume:
    """Ten events a user and day; on one day the treatment's logging may lose half of them."""
    users = np.full((days, 2), 1_000.0)
    events = users * 10 + np.random.default_rng(2).normal(0, 50, (days, 2))
    if lost is not None:
        events[lost, 1] /= 2
    dates = np.datetime64("2026-03-01") + np.arange(days)
    return Volume(dates.astype("datetime64[D]"), events, users)


def errors(met: Sequence[Sequence[int]], users: int = 1_000, kind: str = "crash") -> Errors:
    """How many of so many users met an error, by arm and band of use."""
    hits = np.array(met)
    sizes = np.full(hits.shape, users)
    return Errors(
        bands=("light", "regular", "heavy")[: hits.shape[1]],
        users=sizes,
        met=hits,
        actions=sizes * 40.0,
        errors=hits * 1.0,
        kinds={kind: hits},
        times={kind: hits * 1.0},
    )


def found(answer: Answer, name: str) -> Finding:
    """The finding of that id."""
    return next(f for f in answer.findings if f.id == name)
