"""What the checks of the measurement, and the case against, say where nothing is wrong, and what
they find of faults that were planted.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
from numpy.typing import NDArray

from octad.model.inputs import Daily, Exposure, Inputs, MetricCells, Retention, Slice
from octad.model.plan import Launch, Plan, Project
from octad.readings.against import build
from octad.readings.doubt_logging import breaks_of
from octad.readings.doubt_split import sample_ratios
from octad.stats.moments import Moments
from tests.reference.chance import Measured, at_least, at_most

__all__ = ["case_against", "logging_lost", "splits_by_part"]

FloatArray = NDArray[np.float64]

USERS, BUCKETS, DAYS = 8_000, 256, 12
METRICS = ("opens", "payments", "transfers")
METHODS = ("wallet", "card", "cash")


def _plan() -> Plan:
    metrics = {name: {"count": name} for name in METRICS}
    project = Project.model_validate({"product": "x", "sources": {}, "metrics": metrics})
    launch = Launch.model_validate(
        {
            "launch": "x",
            "arms": {"control": "off", "treatment": "on"},
            "kpi": "opens",
            "results": {"payments": "1%"},
            "guardrails": {"transfers": "1%"},
            "ends": date(2026, 3, 29),
        }
    )
    return Plan(project=project, launch=launch)


def _cells(name: str, rows: FloatArray, cell: NDArray[np.int64]) -> MetricCells:
    made = Moments.from_rows(rows, cell, 2 * BUCKETS)
    shape = (1, 2, BUCKETS)
    moments = Moments(
        made.n.reshape(shape), made.mean.reshape(*shape, 4), made.comoment.reshape(*shape, 4, 4)
    )
    return MetricCells(name, moments, (Slice(),), paired=True)


def _launch(rng: np.random.Generator, loss: float) -> Inputs:
    """A launch of so many users; payments lose a share from the middle of the days on."""
    arm, bucket = rng.integers(0, 2, USERS), rng.integers(0, BUCKETS, USERS)
    cell = arm * BUCKETS + bucket
    one, shape = np.ones(USERS), (2, BUCKETS)
    habit = rng.gamma(2.0, 0.5, USERS)
    n = np.bincount(cell, minlength=2 * BUCKETS).reshape(shape).astype(np.float64)
    metrics, daily, kinds = {}, {}, {}
    active = np.zeros((2, DAYS), dtype=np.int64)
    for name in METRICS:
        rate = np.repeat(habit[:, None], DAYS, axis=1)
        if name == "payments":
            rate[:, DAYS // 2 :] *= 1 - loss * arm[:, None]
        y = rng.poisson(rate).astype(np.float64)
        before = rng.poisson(habit * DAYS).astype(np.float64)
        metrics[name] = _cells(name, np.stack([y.sum(axis=1), one, before, one], axis=1), cell)
        sums = np.zeros((2 * BUCKETS, DAYS))
        np.add.at(sums, cell, y)
        each = n[..., None].repeat(DAYS, axis=2)
        by_bucket = np.stack([each, sums.reshape(2, BUCKETS, DAYS), each], axis=-1)
        daily[name] = Daily(name, np.arange(DAYS), Moments.empty((2, DAYS), 4), by_bucket=by_bucket)
        if name == "opens":
            active = np.stack([(y[arm == a] > 0).sum(axis=0) for a in (0, 1)])
        share = rng.multinomial(y.sum(axis=1).astype(np.int64), [0.5, 0.3, 0.2]).astype(np.float64)
        kinds[name] = {
            kind: _cells(name, np.stack([share[:, k], one, 0 * one, one], axis=1), cell)
            for k, kind in enumerate(METHODS)
        }
    sizes = np.bincount(arm, minlength=2)
    observed = np.repeat(sizes[:, None], DAYS, axis=1)
    by_day = np.stack(
        [np.bincount(arm[k :: DAYS // 2], minlength=2) for k in range(DAYS // 2)], axis=0
    )
    days = np.datetime64("2026-03-01") + np.arange(DAYS // 2)
    return Inputs(
        as_of=datetime(2026, 3, 30, tzinfo=UTC),
        arms=("control", "treatment"),
        final=True,
        metrics=metrics,
        daily=daily,
        kinds=kinds,
        retention=Retention(np.arange(DAYS), active, observed),
        exposure=Exposure(sizes, days, by_day),
    )


def case_against(rng: np.random.Generator, repetitions: int) -> list[Measured]:
    """How often a point stands against a launch without harm, and against one with."""
    runs, plan = min(max(repetitions // 50, 20), 2000), _plan()
    false, true = np.zeros(runs, dtype=bool), np.zeros(runs // 4, dtype=bool)
    places = 0
    for run in range(runs):
        case = build(plan, _launch(rng, 0.0))
        false[run] = case is not None and bool(case.standing)
        places = case.places if case is not None else places
    for run in range(runs // 4):
        case = build(plan, _launch(rng, 0.08))
        true[run] = case is not None and any("payments" in p.words for p in case.standing)
    return [
        at_most(f"case against, {places} places, no harm: any point stands", false, 0.05),
        at_least("case against: a late loss of 8% stands", true, 0.8),
    ]


def _ratio(rng: np.random.Generator, lost: float, novelty: float) -> tuple[FloatArray, FloatArray]:
    """Events a user by day in each arm: a weekly rhythm, common noise, an effect that fades."""
    day = np.arange(35)
    rhythm = 10 * (1 + 0.2 * np.sin(2 * np.pi * day / 7)) * (1 + 0.03 * rng.normal(size=35))
    arms = [rhythm * (1 + 0.01 * rng.normal(size=35)) for _ in range(2)]
    arms[1] *= 1 + novelty * np.exp(-day / 6)
    from_day = int(rng.integers(8, 28))
    arms[1][from_day:] *= 1 - lost
    return arms[0], arms[1]


def logging_lost(rng: np.random.Generator, repetitions: int) -> list[Measured]:
    """Events lost in one arm from a day on, and on one day; and an effect that only fades."""
    runs = min(max(repetitions // 8, 50), 1000)
    calm = [bool(breaks_of(*_ratio(rng, 0.0, 0.0))) for _ in range(runs)]
    fading = [bool(breaks_of(*_ratio(rng, 0.0, 0.15))) for _ in range(runs)]
    dropped = [any(b.stays for b in breaks_of(*_ratio(rng, 0.3, 0.05))) for _ in range(runs)]
    one_day = []
    for _ in range(runs):
        first, second = _ratio(rng, 0.0, 0.05)
        at = int(rng.integers(2, 33))
        second[at] *= 0.6
        one_day.append(any(b.at == at for b in breaks_of(first, second)))
    return [
        at_most("logging, 35 days, nothing lost: any break", np.array(calm), 0.01),
        at_most("logging, an effect of 15% that fades: any break", np.array(fading), 0.01),
        at_least("logging, 30% lost from a day on: seen as a step", np.array(dropped), 0.95),
        at_least("logging, 40% lost on one day: that day named", np.array(one_day), 0.95),
    ]


def splits_by_part(rng: np.random.Generator, repetitions: int) -> list[Measured]:
    """Twenty days and thirty segments of a fair split, and one segment that loses a tenth."""
    runs, plan = min(max(repetitions // 10, 40), 1000), _plan()

    def trusted(lost: float) -> bool:
        segments = rng.binomial(2_000, 0.5, 30)
        segments[3] = rng.binomial(2_000, 0.5 * (1 - lost))
        rows = np.stack([2_000 - segments, segments], axis=1)
        days = rng.binomial(3_000, 0.5, 20)
        by_day = np.stack([3_000 - days, days], axis=1)
        exposure = Exposure(
            by_day.sum(axis=0),
            np.datetime64("2026-03-01") + np.arange(20),
            by_day,
            by_attribute={"city": (tuple(f"c{i}" for i in range(30)), rows)},
        )
        found = sample_ratios(plan, Inputs(arms=("control", "treatment"), exposure=exposure))
        return next(f.trust for f in found if f.id == "doubt.sample_ratio.parts") == "holds"

    fair = np.array([not trusted(0.0) for _ in range(runs)])
    broken = np.array([not trusted(0.12) for _ in range(runs)])
    return [
        at_most("split, 50 days and segments: any doubted", fair, 0.01),
        at_least("split, one segment of 30 loses 12%: doubted", broken, 0.8),
    ]
