"""Launches that were not randomised: how often intervals cover and placebos raise an alarm."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from octad.stats.aggregation import aggregate
from octad.stats.breaks import steps_at
from octad.stats.did import GroupTime, group_time
from octad.stats.placebo import reassigned, set_beside
from octad.stats.refusal import NotEstimable
from octad.stats.regression import Errors, ols
from octad.stats.synthetic import synthetic_difference
from octad.stats.timeseries import impact
from octad.stats.trends import EventStudy, _tests
from tests.reference.chance import Measured, at_most, equal, explained
from tests.reference.quasi_worlds import LAUNCH, panel, staged, truth, world

__all__ = ["SIMULATIONS", "rows"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


def rows(repetitions: int) -> list[Measured]:
    """Every figure; the slower ones stop at a few hundred repetitions."""
    return [m for f in SIMULATIONS for m in f(np.random.default_rng(0), repetitions)]


def clustered(rng: np.random.Generator, repetitions: int) -> list[Measured]:
    """Errors by cluster when shocks are shared by a cluster."""
    repetitions = min(repetitions, 2000)
    measured = []
    for clusters in (40, 10):
        of_row = np.repeat(np.arange(clusters), 10)
        errors: tuple[Errors, ...] = ("CR1", "HC1")
        hits: dict[Errors, list[bool]] = {kind: [] for kind in errors}
        for _ in range(repetitions):
            arm = rng.permutation(np.arange(clusters) % 2)[of_row]
            y = arm + rng.normal(size=clusters)[of_row] + rng.normal(size=len(of_row))
            x = np.column_stack([np.ones(len(of_row)), arm])
            for kind in errors:
                fit = ols(x, y, errors=kind, cluster=of_row)
                low, high = fit.interval(1)
                hits[kind].append(low <= 1 <= high)
        name = f"{clusters} clusters of 10"
        measured.append(equal(f"{name}, CR1: interval covers", np.array(hits["CR1"]), 0.95))
        if clusters == 40:
            note = (
                "errors that ignore clusters; shown for comparison, not used where clusters exist"
            )
            ignored = np.array(hits["HC1"])
            measured.append(explained(f"{name}, HC1: interval covers", ignored, 0.95, note))
    return measured


def in_stages(rng: np.random.Generator, repetitions: int) -> list[Measured]:
    """Staged launches whose covariate drives both the launch date and the trend."""
    simple, curve, alarms = [], [], []
    for seed in rng.integers(1 << 31, size=min(repetitions, 1000)):
        y, first, times, x = staged(int(seed), n=400, tilt=0.4)
        effects = group_time(y, first, times, covariates=x[:, None])
        simple.append(_covered(effects, first))
        path = aggregate(effects, "dynamic", balance=1)
        sizes = np.array([(first == 3).sum(), (first == 5).sum()], dtype=np.float64)
        planted = [
            float(sizes @ truth(np.array([3.0, 5.0]), np.full(2, e)) / sizes.sum()) if e >= 0 else 0
            for e in path.at
        ]
        curve.append(bool((np.abs(path.att - planted) <= path.critical * path.att_se).all()))
        alarms.append(effects.pretest is not None and effects.pretest.p < 0.05)
    return [
        equal("staged launch, doubly robust: interval covers", np.array(simple), 0.95),
        equal("staged launch: band covers the whole curve", np.array(curve), 0.95),
        equal("staged launch, parallel trends: pre-test p < .05", np.array(alarms), 0.05),
    ]


def _covered(effects: GroupTime, first: FloatArray) -> bool:
    after = effects.time >= effects.group
    planted = truth(effects.group, effects.time - effects.group)[after]
    sizes = np.array([(first == g).sum() for g in effects.group[after]])
    found = aggregate(effects)
    return bool(found.low <= planted @ sizes / sizes.sum() <= found.high)


def mixtures(rng: np.random.Generator, repetitions: int) -> list[Measured]:
    """Synthetic difference in differences with 24 controls and common factors."""
    hits, plain = [], []
    for seed in rng.integers(1 << 31, size=min(repetitions, 1000)):
        y, flag = panel(int(seed), 4.0)
        found = synthetic_difference(y, flag, 30)
        hits.append((found.low or 0.0) <= 4.0 <= (found.high or 0.0))
        beside = set_beside(found.value - 4.0, found.placebos)
        plain.append(beside.p <= 0.05)
    return [
        equal("SDID, 24 controls: placebo interval covers", np.array(hits), 0.95),
        at_most("SDID, 24 controls, no effect: placebo p ≤ .05", np.array(plain), 0.05),
    ]


def at_once(rng: np.random.Generator, repetitions: int) -> list[Measured]:
    """Structural series with two controls, from steady to drifting as much as the noise."""
    measured = []
    for drift in (0.0, 0.3, 1.0):
        hits, broken, refused = [], [], []
        for seed in rng.integers(1 << 31, size=min(repetitions, 120)):
            y, x = world(int(seed), drift=drift)
            try:
                found = impact(y, LAUNCH, controls=x, draws=1000)
            except NotEstimable:
                refused.append(True)
                continue
            refused.append(False)
            hits.append(found.mean_low <= 2.0 <= found.mean_high)
            if drift == 0.3:
                quiet, others = world(int(seed), effect=0.0, drift=drift)
                broken.append(steps_at(np.vstack([quiet, others]), LAUNCH).broken.all())
        name = f"structural series, drift {drift}"
        # A steady level looks like one that may drift, so the interval is a little too wide.
        if drift == 0.0:
            missed = ~np.array(hits)
            measured.append(at_most(f"{name}: interval misses", missed, 0.05))
        else:
            measured.append(equal(f"{name}: interval covers", np.array(hits), 0.95))
        measured.append(at_most(f"{name}: refused, though nothing broke", np.array(refused), 0.01))
        if broken:
            false = np.array(broken)
            measured.append(at_most("no step: called a measurement break", false, 0.01))
    return measured


def drifting(rng: np.random.Generator, repetitions: int) -> list[Measured]:
    """Trends drift after the launch as fast as they ever did before: M̄ = 1."""
    path = np.concatenate([[0.0], np.cumsum([0.3, -0.1, 0.1])])
    sigma = 0.15**2 * (0.5 * np.eye(5) + 0.5)
    centre = np.concatenate([path[:-1] - path[-1], 1.0 + 0.3 * np.arange(1, 3)])
    missed = []
    for _ in range(min(repetitions, 400)):
        study = EventStudy(rng.multivariate_normal(centre, sigma), sigma, 3)
        tests = _tests(study, np.array([0.5, 0.5]), 1.0, 0.05)
        missed.append(not any(bool(test.accepts(np.array([1.0]))[0]) for test in tests))
    return [at_most("worst drift that M̄ = 1 allows: interval misses", np.array(missed), 0.05)]


def placebos(rng: np.random.Generator, repetitions: int) -> list[Measured]:
    """Nothing happened: p from 19 placebos, and from dealing two launch dates to eight regions."""
    repetitions = min(repetitions, 2000)
    counted = [set_beside(rng.normal(), rng.normal(size=19)).p <= 0.05 for _ in range(repetitions)]
    dealt = []
    lots = np.array([1.0, 1, 0, 0, 0, 0, 0, 0])
    for _ in range(repetitions):
        change = rng.normal(size=8) + rng.normal()

        def gap(lot: FloatArray, change: FloatArray = change) -> float:
            return float(change[lot == 1].mean() - change[lot == 0].mean())

        dealt.append(reassigned(gap, lots).p < 0.05)
    return [
        equal("19 placebos: p ≤ .05", np.array(counted), 0.05),
        at_most("8 regions, dates dealt afresh: p < .05", np.array(dealt), 0.05),
    ]


SIMULATIONS = (clustered, in_stages, mixtures, at_once, drifting, placebos)
