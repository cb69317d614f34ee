"""Many looks, many metrics, many segments: the error of the whole, not of one."""

from __future__ import annotations

import numpy as np
from scipy import special

from octad.stats.effects import Effects, compare_many
from octad.stats.moments import Moments
from octad.stats.multiplicity import benjamini_hochberg, holm
from octad.stats.sample_ratio import sample_ratio
from octad.stats.segments import find_harm
from octad.stats.sequential import group_sequential
from tests.reference.chance import (
    BoolArray,
    FloatArray,
    Measured,
    at_least,
    at_most,
    draw,
    equal,
    explained,
    stack,
)
from tests.reference.lattice import SLICES, lattice

__all__ = ["families", "harm", "peeking", "sample_ratios"]

LOOKS = 14


def peeking(rng: np.random.Generator, repetitions: int) -> list[Measured]:
    """A daily look for two weeks, stopping at the first "significant" one."""
    runs = min(repetitions, 3000)
    shape = (runs * LOOKS, 100)
    days = [_by_day(stack(draw(rng, "exponential", shape)), runs) for _ in range(2)]
    looks = _looks(days[0], days[1], planned=2.0 * LOOKS * 100)
    fixed = _ever([e.p < 0.05 for e in looks])
    anytime = _ever([(e.anytime_low > 0) | (e.anytime_high < 0) for e in looks])
    bounds = group_sequential([(k + 1) / LOOKS for k in range(LOOKS)])
    crossed = _ever([np.abs(e.z) > b for e, b in zip(looks, bounds, strict=True)])
    note = (
        "what peeking at a 95% interval costs: shown for comparison; while a launch runs, Octad"
        " decides by the anytime interval, and counts the looks"
    )
    late = _looks(days[0], days[1], planned=20_000.0)
    off = _ever([(e.anytime_low > 0) | (e.anytime_high < 0) for e in late])
    return [
        explained("14 looks, fixed interval: a false alarm", fixed, 0.05, note),
        at_most("14 looks, anytime interval: a false alarm", anytime, 0.05),
        at_most("the same, planned for seven times the users", off, 0.05),
        equal("14 looks, O'Brien-Fleming: a false alarm", crossed, 0.05),
        equal("its last look alone, fixed: a false alarm", looks[-1].p < 0.05, 0.05),
    ]


def _ever(looks: list[BoolArray]) -> BoolArray:
    return np.asarray(np.logical_or.reduce(looks))


def _by_day(moments: Moments, runs: int) -> Moments:
    return Moments(
        moments.n.reshape(runs, LOOKS),
        moments.mean.reshape(runs, LOOKS, 4),
        moments.comoment.reshape(runs, LOOKS, 4, 4),
    )


def _looks(control: Moments, treatment: Moments, planned: float) -> list[Effects]:
    first, second = control[:, 0], treatment[:, 0]
    found = []
    for look in range(LOOKS):
        if look:
            first, second = first + control[:, look], second + treatment[:, look]
        found.append(compare_many(first, second, relative=False, planned_n=planned))
    return found


def families(rng: np.random.Generator, repetitions: int) -> list[Measured]:
    """Twenty metrics that lean together, fifteen of which do nothing."""
    runs = min(repetitions, 3000)
    shared = rng.normal(size=(runs, 1))
    z = np.sqrt(0.7) * rng.normal(size=(runs, 20)) + np.sqrt(0.3) * shared
    z[:, 15:] += 3.0
    p = 2 * _upper(np.abs(z))
    named = np.stack([holm(row) for row in p]) <= 0.05
    share = np.stack([benjamini_hochberg(row) for row in p]) <= 0.05
    wrong, claims = share[:, :15].sum(axis=1), np.maximum(share.sum(axis=1), 1)
    rates = wrong / claims
    error = float(rates.std(ddof=1) / np.sqrt(runs))
    measured = float(rates.mean())
    # The mean of a share, not a share of hits: 15 of 20 do nothing, so .05·15/20 at most.
    ok = measured <= 0.0375 + 3 * error
    name = "20 metrics, 15 idle, Benjamini-Hochberg: false discoveries"
    return [
        at_most("20 metrics, 15 idle, Holm: any false claim", _ever(list(named[:, :15].T)), 0.05),
        Measured(name, measured, 0.0375, error, "at most", runs, ok, ""),
        explained(
            "20 metrics, 15 idle, no correction: any false claim",
            _ever(list(p[:, :15].T < 0.05)),
            0.05,
            "shown for comparison: what looking at many metrics costs without a correction",
        ),
    ]


def _upper(z: FloatArray) -> FloatArray:
    return np.asarray(special.ndtr(-z))


def sample_ratios(rng: np.random.Generator, repetitions: int) -> list[Measured]:
    """Arms as they were meant to be, looked at once, and every day."""
    runs = min(repetitions, 3000)
    daily = rng.binomial(1000, 0.5, (runs, LOOKS))
    counts = np.stack([1000 - daily, daily], axis=-1)
    once = np.array([sample_ratio(c.sum(axis=0)).p < 0.05 for c in counts])
    ever = np.array([sample_ratio(c).anytime_p < 0.05 for c in counts])
    tight = np.array([sample_ratio(c.sum(axis=0)).p < 0.001 for c in counts])
    lost = rng.binomial(1000, 0.49, (runs, LOOKS))
    faulty = np.stack([1000 - lost, lost], axis=-1)
    seen = np.array([sample_ratio(c.sum(axis=0)).p < 0.001 for c in faulty])
    # Under 14,000 users and a true 49%, z has mean 2.37: the normal gives the power.
    power = float(_upper(np.array([3.2905 - 2.3664]))[0])
    return [
        equal("sample ratio, once: p < .05", once, 0.05),
        equal("sample ratio, once: p < .001", tight, 0.001),
        at_most("sample ratio, 14 looks, anytime: p < .05", ever, 0.05),
        equal("sample ratio, 51 to 49 of 14,000: seen at .001", seen, power),
    ]


def harm(rng: np.random.Generator, repetitions: int) -> list[Measured]:
    """Seventy-six overlapping segments, none harmed, and one harmed."""
    runs = min(max(repetitions // 16, 20), 400)
    rows = []
    naive = np.zeros(runs, dtype=bool)
    for tail, spread in (("light tails", 0.0), ("heavy tails", 1.0)):
        alarms = np.zeros((2, runs), dtype=bool)
        for run in range(runs):
            moments = lattice(rng, spread=spread)
            plain = find_harm(moments, seed=run)
            rest = find_harm(moments, seed=run, against="rest")
            alarms[:, run] = plain.confirmed.any(), rest.confirmed.any()
            z = plain.all_value / np.where(plain.all_se > 0, plain.all_se, 1.0)
            naive[run] = (z[1:] < -1.645).any()
        for against, hits in zip(("nothing", "the rest"), alarms, strict=True):
            name = f"76 segments, worse than {against}, {tail}: any false"
            rows.append(at_most(name, hits, 0.05))
    note = "shown for comparison: 76 tests without a correction"
    rows.append(explained("76 segments, no correction: any false", naive, 0.05, note))
    rows.append(at_least("the smallest visible harm: confirmed", _seen(rng, runs), 0.8))
    return rows


def _seen(rng: np.random.Generator, runs: int) -> BoolArray:
    harmed = ((0, 1), (3, 2))
    at = SLICES.index(harmed)
    sizes = [find_harm(lattice(rng), seed=k, relative=False).visible[at] for k in range(10)]
    size = float(np.mean(sizes))
    seen = np.zeros(runs, dtype=bool)
    for run in range(runs):
        moments = lattice(rng, harmed=harmed, harm=size)
        seen[run] = find_harm(moments, seed=run, relative=False).confirmed[at]
    return seen
