"""Mixes, rates, time, many launches, talk: false alarms without an effect, coverage with one."""

from __future__ import annotations

import contextlib

import numpy as np

from octad.stats.changes import bursts, change_points
from octad.stats.divergence import jensen_shannon, mix_divergence
from octad.stats.forecasts import interval_coverage
from octad.stats.logodds import log_odds
from octad.stats.novelty import daily_covariance, learning_curve
from octad.stats.proxies import divergence, effect_covariance, slope_on_kpi
from octad.stats.rates import rate_ratio, share_trend
from octad.stats.refusal import NotEstimable
from octad.stats.retention import retention_difference
from octad.stats.sensitivity import calibrate, negative_controls
from octad.stats.shrinkage import random_effects
from octad.stats.stars import compare_stars
from tests.reference.chance import FloatArray, Measured, at_least, at_most, equal, explained

__all__ = ["controls", "lasting", "launches", "mixes", "rates", "talk"]


def _events(rng: np.random.Generator, mix: list[float], buckets: int = 128) -> FloatArray:
    """Events of 40 users a bucket, who differ in how much they do and in what."""
    use = rng.exponential(10.0, (buckets, 40, 1))
    taste = rng.dirichlet(np.array(mix) * 3, size=(buckets, 40))
    return np.asarray(rng.poisson(use * taste).sum(axis=1), dtype=np.float64)


def mixes(rng: np.random.Generator, repetitions: int) -> list[Measured]:
    """Drift of a mix: the test without drift, and the interval near and far."""
    rows, n = [], max(100, repetitions // 4)
    first = [0.6, 0.3, 0.1]
    for name, second in (("none", first), ("small", [0.58, 0.32, 0.1]), ("large", [0.4, 0.4, 0.2])):
        truth = jensen_shannon(first, second)[0]
        found = [mix_divergence(_events(rng, first), _events(rng, second)) for _ in range(n)]
        held = np.array([f.low - 1e-12 <= truth <= f.high + 1e-12 for f in found])
        measure = at_least if name == "none" else equal
        rows.append(measure(f"Jensen–Shannon interval, {name} drift: covers", held, 0.95))
        if name == "none":
            p = np.array([f.p for f in found])
            rows.append(equal("A/A, mix of jobs, users differ: p < .05", p < 0.05, 0.05))
    return rows


def rates(rng: np.random.Generator, repetitions: int) -> list[Measured]:
    """Two rates, a trend of shares, and terms."""
    rows = []
    for few, (a, b) in (("few", (3.0, 5.0)), ("some", (12.0, 20.0)), ("many", (300.0, 500.0))):
        y, z = rng.poisson(a, repetitions), rng.poisson(b, repetitions)
        some = (y + z) > 0
        for method in ("exact", "score"):
            found = [
                rate_ratio((int(i), int(j)), (600, 1000), method=method)
                for i, j in zip(y[some], z[some], strict=True)
            ]
            held = np.array([f.low <= 1 <= f.high for f in found])
            # Eight events in all come in few patterns: coverage moves in steps, above .95.
            measure = at_least if method == "exact" or few == "few" else equal
            rows.append(measure(f"rate ratio, {few} events, {method}: covers", held, 0.95))
    met = rng.binomial([300, 200, 100, 50], 0.1, (repetitions, 4))
    p = np.array([share_trend(m, [300, 200, 100, 50]).p for m in met])
    rows.append(equal("A/A, trend of a share over bands: p < .05", p < 0.05, 0.05))
    for share in (0.002, 0.02, 0.3):
        one, two = rng.binomial(2000, share, repetitions), rng.binomial(800, share, repetitions)
        p = log_odds(one, two, (2000, 800)).p
        rows.append(at_most(f"A/A, log-odds of a term in {share:.1%}: p < .05", p < 0.05, 0.05))
    return rows


def lasting(rng: np.random.Generator, repetitions: int) -> list[Measured]:
    """Curves that settle, and retention curves whole."""
    n, days = max(100, repetitions // 8), np.arange(28.0)
    covariance = daily_covariance(np.full(28, 0.006), 0.3)
    root = np.linalg.cholesky(covariance)
    truth = 0.01 + 0.05 * 0.5 ** (np.append(days, 90) / 6)
    found = [learning_curve(days, truth[:-1] + root @ rng.normal(size=28), covariance)
             for _ in range(n)]  # fmt: skip
    flat = [learning_curve(days, 0.03 + root @ rng.normal(size=28), covariance) for _ in range(n)]
    half = np.array([f.half_life_low <= 6 <= f.half_life_high for f in found])
    there = np.array([f.there_low <= truth[-1] <= f.there_high for f in found])
    size = np.full((2, 28), 2000)
    curve = 0.5 * np.arange(1, 29) ** -0.4
    stays = [retention_difference(rng.binomial(size, curve), size) for _ in range(n)]
    wrong = np.array([((f.low > 0) | (f.high < 0)).any() for f in stays])
    return [
        equal("half-life of a fading effect: covers", half, 0.95),
        equal("effect on day 90 from 28 days: covers", there, 0.95),
        equal("A/A, fading of a constant effect: p < .05", np.array([f.p for f in flat]) < 0.05,
              0.05),
        equal("A/A, retention curve leaves its band anywhere", wrong, 0.05),
    ]  # fmt: skip


def controls(rng: np.random.Generator, repetitions: int) -> list[Measured]:
    """Negative controls, plain and used to calibrate; intervals against their promise."""
    n = repetitions
    still = [negative_controls(rng.normal(0, 0.1, 3), np.full(3, 0.1)) for _ in range(n)]
    p = []
    for _ in range(n):
        fit = negative_controls(rng.normal(0.2, np.hypot(0.1, 0.1), 50), np.full(50, 0.1))
        p.append(calibrate(float(rng.normal(0.2, np.hypot(0.1, 0.1))), 0.1, fit).p)
    kept = [interval_coverage(np.full(60, -1.281552), np.full(60, 1.281552), rng.normal(size=60),
                              0.8).p for _ in range(n)]  # fmt: skip
    note = "σ is itself estimated from 50 controls; with more it goes to .05"
    return [
        equal("A/A, three negative controls: p < .05", np.array([s.p for s in still]) < 0.05, 0.05),
        explained("biased and calibrated by 50 controls: p < .05", np.array(p) < 0.05, 0.05, note),
        at_most("honest 80% intervals called dishonest: p < .05", np.array(kept) < 0.05, 0.05),
    ]


def launches(rng: np.random.Generator, repetitions: int) -> list[Measured]:
    """What past launches teach: the mean effect, and what a KPI gain is worth."""
    rows, n = [], max(100, repetitions // 4)
    for k in (5, 20):
        held = []
        for _ in range(n):
            s = rng.uniform(0.2, 1.0, k)
            fit = random_effects(rng.normal(0.3, np.hypot(0.5, s)), s, knapp_hartung=True)
            held.append(fit.low <= 0.3 <= fit.high)
        measure = at_least if k == 5 else equal
        rows.append(measure(f"mean of {k} launches, Knapp–Hartung: covers", np.array(held), 0.95))
    true, noise = np.array([[3.0, -1.5], [-1.5, 3.0]]), np.array([[1.0, 0.8], [0.8, 1.0]])
    for k in (10, 40):
        held, gaps = [], []
        for _ in range(n):
            seen = rng.multivariate_normal([0.2, 0.0], true + noise, k)
            new = rng.multivariate_normal([0.2, 0.0], true + noise)
            with contextlib.suppress(NotEstimable):
                line = slope_on_kpi(effect_covariance(seen, np.tile(noise, (k, 1, 1))))
                held.append(line.low <= -0.5 <= line.high)
                gap = divergence(
                    float(new[0]),
                    float(new[1]),
                    noise,
                    slope=line.slope,
                    slope_se=line.se,
                    intercept=line.intercept,
                    spread=line.spread,
                )
                gaps.append(gap.p)  # fmt: skip
        name = f"what a KPI gain is worth, {k} launches: covers"
        rows.append(at_least(name, np.array(held), 0.95))
        measure = equal if k == 40 else at_most
        name = f"A/A, result parts from its KPI, line from {k} launches: p < .05"
        # The spread about the line is estimated too; from ten launches that costs half a point.
        rows.append(measure(name, np.array(gaps) < 0.05, 0.05 if k == 40 else 0.055))
    return rows


def talk(rng: np.random.Generator, repetitions: int) -> list[Measured]:
    """Stars, bursts and changes of level."""
    rows, n = [], max(100, repetitions // 4)
    for name, mean, spread in (("2 a day", 2.0, 3.0), ("20 a day", 20.0, 3.0),
                               ("200 a day", 200.0, 10.0)):  # fmt: skip
        days = rng.negative_binomial(mean / (spread - 1), 1 / spread, (n, 90)).astype(np.float64)
        burst = np.array([bool(bursts(y).days) for y in days])
        moved = np.array([bool(change_points(y).points) for y in days])
        # Nominal 1%, with a spread that is itself estimated from the same 90 days.
        rows.append(at_most(f"any false burst in 90 days, {name}", burst, 0.02))
        rows.append(at_most(f"any false change of level in 90 days, {name}", moved, 0.05))
    p, clustered = [], []
    for _ in range(n):
        one, two = rng.multinomial(40, [0.1, 0.1, 0.1, 0.2, 0.5], 2)
        p.append(compare_stars(one, two).p)
        mood = rng.dirichlet([0.5, 0.5, 0.5, 1.0, 2.0], (2, 25))
        daily = np.array([[rng.multinomial(30, m) for m in side] for side in mood])
        clustered.append(compare_stars(daily[0], daily[1]).p)
    rows.append(equal("A/A, stars, 40 reviews a side: p < .05", np.array(p) < 0.05, 0.05))
    rows.append(equal("A/A, stars, days differ, by day: p < .05", np.array(clustered) < 0.05, 0.05))
    return rows
