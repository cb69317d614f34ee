"""One comparison at a time: false alarms without an effect, coverage and power with one."""

from __future__ import annotations

import numpy as np

from octad.stats.effects import change, compare_many
from octad.stats.moments import Moments
from octad.stats.power import smallest_visible
from octad.stats.quantiles import quantile
from tests.reference.chance import (
    FloatArray,
    Measured,
    at_most,
    binary,
    covers,
    draw,
    equal,
    explained,
    floats,
    stack,
)

__all__ = ["means", "paired", "quantiles", "ratios", "relative", "shares", "small_arms"]


def means(rng: np.random.Generator, repetitions: int) -> list[Measured]:
    """A/A on means, CUPED, and power where it was promised."""
    rows = []
    for kind in ("normal", "exponential", "lognormal"):
        a, b = (stack(draw(rng, kind, (repetitions, 1000))) for _ in range(2))
        found = compare_many(a, b, relative=False)
        # A heavy tail in both arms alike makes the test shy, never bold.
        measure = at_most if kind == "lognormal" else equal
        rows.append(measure(f"A/A, {kind}, 1,000 an arm: p < .05", found.p < 0.05, 0.05))
    before = [rng.exponential(1.0, (repetitions, 400)) for _ in range(2)]
    pair = [stack(0.8 * x + rng.exponential(0.5, x.shape), x=x) for x in before]
    cuped = compare_many(pair[0], pair[1], relative=False)
    rows.append(equal("A/A, CUPED, 400 an arm: p < .05", cuped.p < 0.05, 0.05))
    shift = smallest_visible(1.0, 400, wanted=0.8)
    one, two = (stack(draw(rng, "normal", (repetitions, 200)) + s) for s in (0.0, shift))
    seen = compare_many(one, two, relative=False).p < 0.05
    rows.append(equal("power at the smallest visible effect", seen, 0.8))
    return rows


def small_arms(rng: np.random.Generator, repetitions: int) -> list[Measured]:
    """Small arms and unequal splits."""
    rows = []
    for n, kind in ((5, "normal"), (10, "normal"), (20, "exponential")):
        a, b = (stack(draw(rng, kind, (repetitions, n))) for _ in range(2))
        found = compare_many(a, b, relative=False)
        measure = equal if n == 10 else at_most
        rows.append(measure(f"A/A, {kind}, {n} an arm: p < .05", found.p < 0.05, 0.05))
    a, b = stack(rng.normal(0, 1, (repetitions, 90))), stack(rng.normal(0, 3, (repetitions, 10)))
    found = compare_many(a, b, relative=False)
    rows.append(equal("A/A, 90 and 10 of spread 1 and 3: p < .05", found.p < 0.05, 0.05))
    before = [rng.normal(size=(repetitions, 15)) for _ in range(2)]
    pair = [stack(x + rng.normal(size=x.shape), x=x) for x in before]
    cuped = compare_many(pair[0], pair[1], relative=False)
    rows.append(equal("A/A, CUPED, 15 an arm: p < .05", cuped.p < 0.05, 0.05))
    a, b = (stack(draw(rng, "exponential", (repetitions, n))) for n in (1900, 100))
    found = compare_many(a, b, relative=False)
    note = (
        "a skewed metric in a small arm beside a large one: the skewness does not cancel, and 100"
        " users are fewer than Kohavi's 355·2²; the page warns of such a tail"
    )
    rows.append(explained("A/A, exponential, 1,900 and 100: p < .05", found.p < 0.05, 0.05, note))
    return rows


def shares(rng: np.random.Generator, repetitions: int) -> list[Measured]:
    """Proportions, rare ones among them."""
    rows = []
    for p, n in ((0.3, 500), (0.02, 2000), (0.002, 2000)):
        first, second = (binary(floats(rng.binomial(n, p, repetitions)), n) for _ in range(2))
        found = compare_many(first, second, relative=False)
        rows.append(at_most(f"A/A, share {p} of {n}: p < .05", found.p < 0.05, 0.05))
    first, second = (binary(floats(rng.binomial(n, 0.02, repetitions)), n) for n in (9000, 1000))
    found = compare_many(first, second, relative=False)
    rows.append(equal("A/A, share .02, 9,000 and 1,000: p < .05", found.p < 0.05, 0.05))
    first = binary(floats(rng.binomial(2000, 0.01, repetitions)), 2000)
    second = binary(floats(rng.binomial(2000, 0.013, repetitions)), 2000)
    rows.append(
        equal("share .01, +30%: interval covers", covers(compare_many(first, second), 0.3), 0.95)
    )
    return rows


def relative(rng: np.random.Generator, repetitions: int) -> list[Measured]:
    """Relative effects: strong and weak controls, a loss, CUPED, and a margin."""
    rows = []
    a, b = (stack(m * draw(rng, "exponential", (repetitions, 800))) for m in (1.0, 1.1))
    rows.append(equal("mean, +10%: interval covers", covers(compare_many(a, b), 0.1), 0.95))
    a, b = (stack(rng.normal(m, 1.0, (repetitions, 60))) for m in (0.5, 0.6))
    weak = compare_many(a, b)
    rows.append(equal("weak control, +20%: interval covers", covers(weak, 0.2), 0.95))
    before = [rng.exponential(1.0, (repetitions, 400)) for _ in range(2)]
    pair = [
        stack(m * (x + rng.exponential(1.0, x.shape)), x=x)
        for m, x in zip((1.0, 1.5), before, strict=True)
    ]
    rows.append(equal("CUPED, +50%: interval covers", covers(compare_many(*pair), 0.5), 0.95))
    a, b = (stack(rng.normal(m, 1.0, (repetitions, 300))) for m in (10.0, 9.8))
    found = compare_many(a, b)
    safe = found.low > -0.02
    rows.append(at_most("a loss of exactly the margin: called safe", safe, 0.025))
    return rows


def ratios(rng: np.random.Generator, repetitions: int) -> list[Measured]:
    """Ratios of sums by user, with light and heavy tails, and with CUPED."""
    rows = []
    for kind, users in (("exponential", 500), ("lognormal", 2000)):
        pair = []
        for _ in range(2):
            user = draw(rng, kind, (repetitions * 500 // users, users))
            d = 1 + rng.poisson(3 * user)
            pair.append(stack(floats(rng.binomial(d, 0.3)), d=floats(d)))
        found = compare_many(pair[0], pair[1])
        rows.append(equal(f"A/A, ratio, {kind} use, {users:,}: covers 0", covers(found, 0.0), 0.95))
    pair = []
    for _ in range(2):
        rate = rng.beta(3, 7, (repetitions, 500))
        base, early = (1 + rng.poisson(4.0, rate.shape) for _ in range(2))
        y, x = floats(rng.binomial(base, rate)), floats(rng.binomial(early, rate))
        pair.append(stack(y, d=floats(base), x=x, w=floats(early)))
    found = compare_many(pair[0], pair[1])
    rows.append(equal("A/A, ratio with CUPED, 500: covers 0", covers(found, 0.0), 0.95))
    heavy = [draw(rng, "lognormal", (repetitions, 500)) for _ in range(2)]
    worth = [stack(d * rng.exponential(1.0, d.shape), d=d) for d in heavy]
    found = compare_many(worth[0], worth[1])
    note = (
        "use of skewness 33: the largest of 500 users holds a tenth of all use or more, and the"
        " sample's variance misses the tail; the page warns that few users dominate"
    )
    name = "A/A, ratio, few users hold most, 500: covers 0"
    rows.append(explained(name, covers(found, 0.0), 0.95, note))
    return rows


def paired(rng: np.random.Generator, repetitions: int) -> list[Measured]:
    """The same users before and after."""
    runs = min(repetitions, 2000)
    hits = np.empty(runs, dtype=bool)
    for run in range(runs):
        before = rng.gamma(2.0, 1.0, 200)
        after = 0.5 * before + 0.55 * rng.gamma(2.0, 1.0, 200)
        one = np.ones(200)
        found = change(Moments.from_rows(np.stack([after, one, before, one], axis=1)))
        hits[run] = found.low <= 0.05 <= found.high
    return [equal("same users, +5%: interval covers", hits, 0.95)]


def quantiles(rng: np.random.Generator, repetitions: int) -> list[Measured]:
    """The 90th percentile of events of users who differ."""
    runs = min(repetitions, 2000)
    truth = _truth(np.random.default_rng(0))
    hits = np.empty(runs, dtype=bool)
    for run in range(runs):
        values, owner = _events(rng, 300)
        found = quantile(values, owner, p=0.9)
        hits[run] = found.low <= truth <= found.high
    return [equal("p90 of events, 300 users: bracket covers", hits, 0.95)]


def _events(rng: np.random.Generator, users: int) -> tuple[FloatArray, FloatArray]:
    owner = np.repeat(np.arange(users), rng.integers(1, 15, users))
    level = rng.lognormal(0, 0.5, users)
    return level[owner] * rng.lognormal(0, 0.5, len(owner)), floats(owner)


def _truth(rng: np.random.Generator) -> float:
    return float(np.quantile(_events(rng, 2_000_000)[0], 0.9))
