"""Two readings by the thousand: bands over days, sources of a gain, and forecasts that hold."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from octad.model.inputs import Inputs, MetricCells, Slice, Tail, Visits, Volume
from octad.model.plan import Launch, Plan, Project
from octad.readings.horizon_days import over_days
from octad.readings.results_origin import CUT, where_from
from octad.stats.buckets import effects_together
from octad.stats.day_effects import day_effects
from octad.stats.moments import Moments
from octad.stats.refusal import NotEstimable
from octad.stats.surrogate_cells import drift, forecast, index_from_cells
from tests.readings.made import cells, exposure, four
from tests.readings.made import daily as daily_of
from tests.reference.chance import FloatArray, Measured, at_least, at_most, equal

__all__ = ["band_over_days", "change_over_days", "forecasts", "gap_of_two", "sources_of_a_gain"]

BUCKETS = 512
DAYS = 28


def _plan(**launch: Any) -> Plan:
    metrics = {"opens": {"count": "open"}, "payments": {"count": "pay"}}
    usual: dict[str, Any] = {
        "launch": "x",
        "arms": {"control": "off", "treatment": "on"},
        "starts": date(2026, 3, 1),
        "ends": date(2026, 3, 29),
        "kpi": "opens",
    }
    project = Project.model_validate({"product": "P", "sources": {}, "metrics": metrics})
    return Plan(project=project, launch=Launch.model_validate({**usual, **launch}))


def _in_buckets(y: FloatArray) -> FloatArray:
    """(B, D, 3) from (users, days): users, sums, and denominators of 1."""
    bucket = np.arange(len(y)) % BUCKETS
    n = np.bincount(bucket, minlength=BUCKETS)[:, None] * np.ones((1, y.shape[1]))
    total = np.stack([np.bincount(bucket, day, BUCKETS) for day in y.T], axis=1)
    return np.stack([n, total, n], axis=-1)


def band_over_days(rng: np.random.Generator, repetitions: int) -> list[Measured]:
    """A band over all days holds the whole true curve."""
    lift = 0.3 * np.exp(-np.arange(DAYS) / 6)
    held = []
    for _ in range(max(40, repetitions // 20)):
        arms = []
        for more in (0.0, lift):
            use = rng.gamma(1.0, 1.0, (1500, 1))
            drawn = rng.poisson(use * (1 + more) * np.ones(DAYS))
            arms.append(_in_buckets(drawn.astype(np.float64)))
        found = day_effects(np.stack(arms))
        held.append(((found.band.low <= lift) & (lift <= found.band.high)).all())
    return [equal("band over 28 days holds the whole curve", np.array(held), 0.95)]


def change_over_days(rng: np.random.Generator, repetitions: int) -> list[Measured]:
    """Novelty or learning is named where the effect is flat: two tests, one error."""
    plan = _plan()
    flat = np.full(DAYS, 2.0)
    named = []
    for _ in range(max(40, repetitions // 50)):
        daily = daily_of("opens", flat, 1.1 * flat, int(rng.integers(2**31)), exact=False)
        seen = Inputs(arms=("control", "treatment"), final=True, daily={"opens": daily})
        claim = over_days(plan, seen, daily, 1, DAYS)[0].claim
        named.append(not claim.startswith(("The gain is still", "No change")))
    return [at_most("novelty or learning named on a flat effect", np.array(named), 0.05)]


def gap_of_two(rng: np.random.Generator, repetitions: int) -> list[Measured]:
    """The interval of result less KPI, whose errors go together."""
    held = []
    for _ in range(max(100, repetitions // 4)):
        pairs: list[list[Moments]] = [[], []]
        for lift in (1.0, 1.1):
            keen = rng.gamma(2.0, 1.0, 1200)
            bucket = np.arange(1200) % BUCKETS
            for j, mean in enumerate((4 * keen * lift, keen)):
                pairs[j].append(Moments.from_rows(four(rng.poisson(mean)), bucket, BUCKETS))
        joint = effects_together([(p[0], p[1]) for p in pairs])
        gap, one = joint.value[1] - joint.value[0], np.array([-1.0, 1.0])
        half = 1.96 * np.sqrt(one @ joint.covariance @ one)
        held.append(abs(gap + 0.1) <= half)
    return [equal("result less KPI, by their joint error", np.array(held), 0.95)]


def sources_of_a_gain(rng: np.random.Generator, repetitions: int) -> list[Measured]:
    """A gain that is even over users, visits, events and days is laid on none of them."""
    plan = _plan()
    rows = []
    for how in ("in proportion", "the same for each user"):
        blamed = []
        for _ in range(max(40, repetitions // 16)):
            found = where_from(plan, _even(rng, how == "in proportion"))
            blamed.append(any(f.id != "results.origin" for f in found))
        rows.append(at_most(f"a source named where the gain is {how}", np.array(blamed), 0.05))
    return rows


def _even(rng: np.random.Generator, proportional: bool) -> Inputs:
    """Five ways to be blamed, of which none deserves it."""
    n = 3000
    new = np.arange(n) % 5 == 0
    kinds: list[list[FloatArray]] = [[], []]
    for lift in (0.0, 0.3):
        keen = rng.lognormal(0.5, 0.8, n) * np.where(new, 0.7, 1.0)
        mean = keen * (1 + lift) if proportional else keen + lift * 1.8
        kinds[0].append(rng.poisson(0.7 * mean).astype(np.float64))
        kinds[1].append(rng.poisson(0.3 * mean).astype(np.float64))
    y = [a + b for a, b in zip(*kinds, strict=True)]
    split = {
        Slice((("first seen", "within the week before"),)): [new, new],
        Slice((("first seen", "a week or more before"),)): [~new, ~new],
    }
    cut = float(np.quantile(np.concatenate(y), 0.99, method="inverted_cdf"))
    lower = cells("opens", *(four(np.minimum(v, cut)) for v in y))
    level = rng.normal(1000, 20, (DAYS, 1))
    calendar = level * np.array([1.0, 1.3]) * rng.normal(1, 0.02, (DAYS, 2))
    dates = (np.datetime64("2026-03-01") + np.arange(DAYS)).astype("datetime64[D]")
    return Inputs(
        arms=("control", "treatment"),
        final=True,
        metrics={"opens": cells("opens", *(four(v) for v in y), slices=split)},
        variants={"opens": {CUT: lower}},
        tails={"opens": _tail(y)},
        kinds={"opens": {e: _kind(v) for e, v in zip(("open", "peek"), kinds, strict=True)}},
        visits=_visits(rng),
        volume=Volume(dates, calendar, calendar, metrics={"opens": calendar}),
        exposure=exposure(n, n),
    )


def _kind(arms: list[FloatArray]) -> MetricCells:
    return cells("opens", *(four(v) for v in arms))


def _tail(y: list[FloatArray]) -> Tail:
    hundredth = len(y[0]) // 100
    top = np.stack([-np.sort(-v)[:50] for v in y])
    total = np.array([v.sum() for v in y])
    share = np.array([np.sort(v)[-hundredth:].sum() for v in y]) / total
    return Tail("opens", top, total, np.array([len(v) for v in y]), share)


def _visits(rng: np.random.Generator) -> Visits:
    users = np.full((2, BUCKETS), 6.0)
    lift = np.array([[1.0], [1.3]])
    # Users of a bucket differ, and their visits with them.
    keen = rng.gamma(6.0, 1 / 6, (2, BUCKETS))
    shallow = rng.poisson(6 * keen * lift) + 0.0
    deep = rng.poisson(12 * keen * lift) + 0.0
    return Visits(shallow + deep, shallow, shallow + deep, shallow, users=users)


def forecasts(rng: np.random.Generator, repetitions: int) -> list[Measured]:
    """The true long-term effect lies in the forecast's interval, and a rule that moves is seen."""
    rows = []
    for name, spread in (("a rule that stays", 0.0), ("a rule that moves", 0.4)):
        held = []
        for _ in range(max(60, repetitions // 12)):
            weights = 1 + spread * np.clip(rng.normal(0, 1, 5), -2, 2)
            periods = _stack([_older(rng, 1500, w) for w in weights[:4]])
            control, treatment = (
                Moments.from_rows(_older(rng, 2500, 1.0, lift)[:, :2]) for lift in (0.0, 0.15)
            )
            try:
                index = index_from_cells(periods.total(0), 2, 0)
                sd = drift(periods, 2, 0, control, treatment)
                found = forecast(index, control, treatment, drift_sd=sd)
            except NotEstimable:
                continue
            # Control: 0.5 + 4·w + 4·(2 − w); the launch adds 15% to what the first week brings.
            truth = 0.15 * 4 * weights[4] / 8.5
            held.append(found.low <= truth <= found.high)
        shares = np.array(held)
        said = f"forecast by {name} holds the truth"
        rows.append(at_least(said, shares, 0.95))
    return rows


def _older(rng: np.random.Generator, n: int, weight: float, lift: float = 0.0) -> FloatArray:
    """Two early weeks and what comes of them; the launch lifts the first."""
    keen = rng.gamma(2.0, 1.0, n)
    weeks = np.stack([rng.poisson(2 * keen * (1 + more)) for more in (lift, 0.0)], axis=1)
    later = rng.poisson(0.5 + np.maximum(0.0, weight * weeks[:, 0] + (2 - weight) * weeks[:, 1]))
    return np.column_stack([weeks, later]).astype(np.float64)


def _stack(parts: list[FloatArray]) -> Moments:
    made = [Moments.from_rows(p, np.arange(len(p)) % 128, 128) for p in parts]
    return Moments(
        np.stack([m.n for m in made]),
        np.stack([m.mean for m in made]),
        np.stack([m.comoment for m in made]),
    )
