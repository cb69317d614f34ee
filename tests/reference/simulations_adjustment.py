"""How often comparisons with covariates, strata and clusters are right, by simulation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from octad.stats.adjustment import compare_adjusted
from octad.stats.clusters import compare_clusters
from octad.stats.effects import Effect, compare
from octad.stats.moments import Moments
from octad.stats.poststratification import compare_strata
from tests.reference.chance import Measured, at_least, at_most, equal, explained

__all__ = ["cluster_sizes", "covariates", "few_clusters", "strata"]

FloatArray = NDArray[np.float64]
NAIVE = 0.2
"""Five of a hundred are promised; taking users for independent calls at least twenty."""


def _holds(effect: Effect, truth: float) -> bool:
    return effect.low <= truth <= effect.high


def covariates(rng: np.random.Generator, repetitions: int) -> list[Measured]:
    """Several covariates: small arms, an unequal split, a lift that grows with a covariate."""
    runs = min(repetitions, 2000)
    small, split, grown = (np.empty(runs, dtype=bool) for _ in range(3))
    for i in range(runs):
        a, b = (_with_covariates(rng, 15, 3) for _ in range(2))
        found = compare_adjusted(a, b, relative=False)
        small[i] = found.effect.p < 0.05
        a, b = _with_covariates(rng, 400, 3), _with_covariates(rng, 60, 3, lift=1.1)
        split[i] = _holds(compare_adjusted(a, b).effect, 0.1)
        a, b = _with_covariates(rng, 200, 2), _with_covariates(rng, 100, 2, slope=1.0)
        grown[i] = _holds(compare_adjusted(a, b, relative=False, interacted=True).effect, 1.0)
    return [
        equal("A/A, 3 covariates, 15 an arm: p < .05", small, 0.05),
        equal("3 covariates, +10%, 400 and 60: interval covers", split, 0.95),
        equal("slopes by arm, the lift grows with a covariate: covers", grown, 0.95),
    ]


def _with_covariates(
    rng: np.random.Generator, n: int, k: int, *, lift: float = 1.0, slope: float = 0.0
) -> Moments:
    x = rng.normal(1.0, 1.0, (n, k))
    y = lift * (10 + x.sum(axis=1) - k + rng.normal(size=n)) + slope * x[:, 0]
    return Moments.from_rows(np.column_stack([y, np.ones(n), x]))


def strata(rng: np.random.Generator, repetitions: int) -> list[Measured]:
    """Strata that differ in level, spread and lift; the users are a sample, so the weights too."""
    runs = min(repetitions, 2000)
    plain, within, relative, sharper, small, usual = (np.empty(runs, dtype=bool) for _ in range(6))
    for i in range(runs):
        a, b = (_stratified(rng, 150, 4, lift) for lift in (0.0, 1.0))
        found = compare_strata(a.columns((0, 1)), b.columns((0, 1)), relative=False)
        plain[i] = _holds(found.effect, 1.5)
        sharper[i] = found.effect.reduction > 0.3
        adjusted = compare_strata(a, b, relative=False)
        within[i] = _holds(adjusted.effect, 1.5)
        sharper[i] &= adjusted.effect.se < found.effect.se
        relative[i] = _holds(compare_strata(a, b).effect, 1.5 / 16)
        a, b = (_stratified(rng, 24, 6, 0.0) for _ in range(2))
        small[i] = compare_strata(a.columns((0, 1)), b.columns((0, 1))).effect.p < 0.05
        a, b = (_stratified(rng, 60, 6, 0.0) for _ in range(2))
        usual[i] = compare_strata(a.columns((0, 1)), b.columns((0, 1))).effect.p < 0.05
    few = (
        "24 users an arm in strata whose spread differs threefold: the variances of strata of five"
        " are too uncertain for Satterthwaite's rule; with ten an arm it holds"
    )
    return [
        equal("4 strata, lift by stratum: interval covers", plain, 0.95),
        equal("4 strata and a covariate: interval covers", within, 0.95),
        equal("4 strata and a covariate, relative: interval covers", relative, 0.95),
        at_least("4 strata: 30% less variance, a covariate less still", sharper, 0.99),
        at_most("A/A, 6 strata of some 10 an arm: p < .05", usual, 0.05),
        explained("A/A, 6 strata of some 4 an arm, merged: p < .05", small, 0.05, few),
    ]


def _stratified(rng: np.random.Generator, n: int, strata: int, lift: float) -> Moments:
    """Levels 10 + 4s, a lift of `lift`·s, so 1.5 on average over 16 with four strata."""
    code = rng.integers(0, strata, n)
    x = rng.normal(size=n)
    y = 10 + 4.0 * code + lift * code + (1 + 0.5 * code) * rng.normal(size=n) + 2 * x
    return Moments.from_rows(np.column_stack([y, np.ones(n), x]), code, strata)


def few_clusters(rng: np.random.Generator, repetitions: int) -> list[Measured]:
    """Equal and unequal clusters, from the fewest on: by cluster right, by user far off."""
    runs = min(repetitions, 2000)
    rows = []
    for clusters in (5, 10, 40):
        right, naive = (np.empty(runs, dtype=bool) for _ in range(2))
        for i in range(runs):
            a, b = (_households(rng, np.full(clusters, 20)) for _ in range(2))
            right[i] = compare_clusters(a, b).effect.p < 0.05
            naive[i] = compare(*(_users(m) for m in (a, b))).p < 0.05
        name = f"A/A, {clusters} clusters of 20 an arm"
        rows.append(equal(f"{name}, by cluster: p < .05", right, 0.05))
        rows.append(at_least(f"{name}, as if users: p < .05 (wrong)", naive, NAIVE))
    return rows


def cluster_sizes(rng: np.random.Generator, repetitions: int) -> list[Measured]:
    """Clusters of very unequal sizes, unequal arms, a ratio, and a planted lift."""
    runs = min(repetitions, 2000)
    uneven, split, ratio = (np.empty(runs, dtype=bool) for _ in range(3))
    for i in range(runs):
        a, b = (_households(rng, 1 + rng.geometric(0.05, 20)) for _ in range(2))
        uneven[i] = compare_clusters(a, b).effect.p < 0.05
        a, b = _households(rng, 1 + rng.poisson(8, 60)), _households(rng, 1 + rng.poisson(8, 12))
        split[i] = compare_clusters(a, b).effect.p < 0.05
        a, b = (_households(rng, 1 + rng.poisson(8, 40), lift, ratio=True) for lift in (1, 1.1))
        ratio[i] = _holds(compare_clusters(a, b).effect, 0.1)
    return [
        equal("A/A, 20 clusters an arm of sizes 2 to 100: p < .05", uneven, 0.05),
        equal("A/A, 60 and 12 clusters: p < .05", split, 0.05),
        equal("ratio, 40 clusters an arm, +10%: interval covers", ratio, 0.95),
    ]


def _households(
    rng: np.random.Generator, sizes: NDArray[np.int64], lift: float = 1.0, *, ratio: bool = False
) -> Moments:
    """Users of one cluster share a quarter of their variance."""
    code = np.repeat(np.arange(len(sizes)), sizes)
    d = 1.0 + rng.poisson(2.0, len(code)) if ratio else np.ones(len(code))
    shared = rng.normal(size=len(sizes))[code] + np.sqrt(3.0) * rng.normal(size=len(code))
    return Moments.from_rows(np.column_stack([lift * (10 + shared) * d, d]), code, len(sizes))


def _users(clusters: Moments) -> Moments:
    """The users of all clusters, as if each had been assigned alone."""
    whole = clusters.total(0)
    mean, comoment = np.array([*whole.mean, 0.0, 1.0]), np.zeros((4, 4))
    comoment[:2, :2] = whole.comoment
    return Moments(whole.n, mean, comoment)
