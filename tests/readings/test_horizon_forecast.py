"""The long term foretold from older users: planted truths, refusals, and what is said of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from octad.model.finding import Answer, Grade, Stance
from octad.model.inputs import Cohort
from octad.readings import horizon
from octad.stats.moments import Moments
from tests.readings.made import BUCKETS, daily, found, inputs, plan, retention

FloatArray = NDArray[np.float64]
FLAT = np.full(28, 2.0)


def people(rng: np.random.Generator, n: int, lift: float = 0.0, weight: float = 1.0) -> FloatArray:
    """Two early weeks, and what comes of them; the launch lifts the second a little less."""
    keen = rng.gamma(2.0, 1.0, n)
    weeks = np.stack([rng.poisson(2 * keen * (1 + more)) for more in (lift, 0.7 * lift)], axis=1)
    later = rng.poisson(0.1 + weight * weeks[:, 0] + (2 - weight) * weeks[:, 1])
    return np.column_stack([weeks, later, later > 3]).astype(np.float64)


def stack(parts: list[FloatArray]) -> Moments:
    made = [Moments.from_rows(p, np.arange(len(p)) % BUCKETS, BUCKETS) for p in parts]
    return Moments(
        np.stack([m.n for m in made]),
        np.stack([m.mean for m in made]),
        np.stack([m.comoment for m in made]),
    )


def cohort(lift: float, weights: tuple[float, ...] = (1.0, 1.0, 1.0), seed: int = 1) -> Cohort:
    rng = np.random.default_rng(seed)
    periods = stack([people(rng, 4000, weight=w) for w in weights])
    launch = stack([people(rng, 8000, change)[:, :2] for change in (0.0, lift)])
    return Cohort(
        features=("opens, days 1 to 7", "opens, days 8 to 14"),
        outcomes=("payments", "(active)"),
        moments=periods.total(0),
        launch=launch,
        early=14,
        horizon=90,
        entered=(date(2025, 11, 10), date(2025, 11, 30)),
        periods=periods,
        names=("payments over 90 days", "users active in days 84 to 90"),
        early_of=("opens", "opens"),
    )


def read(older: Cohort | None, **more: Any) -> Answer:
    asked = plan(horizon="90d", results={"payments": "1%"})
    made = {"opens": daily("opens", FLAT, FLAT * 1.2)}
    seen = inputs(daily=made, retention=retention(0.3, 0.36), cohort=older, **more)
    return horizon.read(asked, seen)


def test_a_lift_is_foretold_with_its_interval() -> None:
    f = found(read(cohort(0.1)), "horizon.forecast.payments")
    e = f.estimate
    assert e is not None
    assert e.low is not None
    assert e.high is not None
    assert e.low < 0.084 < e.high
    assert f.grade is Grade.C
    assert f.metric == "payments"
    assert "payments over 90 days" in f.claim
    assert "12,000 earlier users" in f.claim
    assert "it missed by" in f.claim
    assert "neither can be tested" in f.assumes


def test_a_good_forecast_does_not_make_it_for_and_a_bad_one_makes_it_against() -> None:
    assert read(cohort(0.1)).stance is read(None).stance
    bad = read(cohort(-0.1))
    assert found(bad, "horizon.forecast.payments").stance is Stance.AGAINST
    assert bad.stance is Stance.AGAINST


def test_several_outcomes_stand_side_by_side() -> None:
    first = found(read(cohort(0.1)), "horizon.forecast.payments")
    assert first.evidence[0].kind == "intervals"
    active = found(read(cohort(0.1)), "horizon.forecast.(active)")
    assert active.metric is None


def test_a_rule_that_did_not_hold_later_is_not_used() -> None:
    rng = np.random.default_rng(6)
    parts = [people(rng, 4000) for _ in range(4)]
    for later in parts[2:]:
        later[:, 2] = 5 + 0.4 * later[:, 2]
    like = cohort(0.1)
    answer = read(replace(like, moments=stack(parts).total(0), periods=stack(parts)))
    assert not [f for f in answer.findings if f.id == "horizon.forecast.payments"]
    assert any("did not hold" in m for m in answer.missing)


def test_a_rule_that_moves_makes_the_forecast_unsure() -> None:
    def width(older: Cohort) -> float:
        e = found(read(older), "horizon.forecast.payments").estimate
        assert e is not None
        assert e.low is not None
        assert e.high is not None
        return e.high - e.low

    moving = cohort(0.1, (0.9, 1.1, 0.9, 1.1))
    assert width(moving) > 1.15 * width(cohort(0.1, (1.0, 1.0, 1.0, 1.0)))


def test_a_launch_that_moves_early_use_alone_is_not_foretold() -> None:
    """The surrogate paradox: the first week is up, and the second is not."""
    rng = np.random.default_rng(7)
    like = cohort(0.0)
    control, treatment = people(rng, 8000)[:, :2], people(rng, 8000)[:, :2]
    treatment[:, 0] = rng.poisson(1.3 * treatment[:, 0])
    answer = read(replace(like, launch=stack([control, treatment])))
    assert not [f for f in answer.findings if f.id.startswith("horizon.forecast")]
    assert any("fails on this launch's own days" in m for m in answer.missing)


def test_users_of_another_kind_are_not_foretold() -> None:
    rng = np.random.default_rng(5)
    like = cohort(0.1)
    other = stack([people(rng, 8000, 1.5)[:, :2] for _ in range(2)])
    strange = replace(like, launch=other)
    answer = read(strange)
    assert any("not like the older ones" in m for m in answer.missing)


def test_with_a_cohort_nothing_is_asked_for() -> None:
    assert not any("needs the product's events" in m for m in read(cohort(0.1)).missing)
    assert any("needs the product's events" in m for m in read(None).missing)
