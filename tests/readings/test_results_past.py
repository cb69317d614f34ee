"""What past launches say the KPI is worth: planted slopes, weakening, combinations, and silence."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from octad.model.finding import Answer, Grade, Stance
from octad.model.inputs import History, PastLaunch
from octad.readings import results
from octad.readings.results_past import FEWEST_PAST
from tests.readings.made import cells, counts, found, four, inputs, plan

METRICS = {
    "opens": {"count": "open", "window": "7d"},
    "first": {"count": "first", "window": "7d"},
    "payments": {"count": "pay", "window": "28d"},
}
NOISE = 0.004
FloatArray = NDArray[np.float64]


def library(
    slopes: FloatArray, seed: int = 1, *, hidden: float = 0.0, kpi: str = "opens"
) -> History:
    """Past launches whose payments follow opens by these slopes, and `first` by `hidden`."""
    rng = np.random.default_rng(seed)
    shared = NOISE**2 * (0.6 * np.ones((3, 3)) + 0.4 * np.eye(3))
    made = []
    for i, slope in enumerate(slopes):
        opens, first = rng.normal(0.02, 0.03), rng.normal(0, 0.03)
        true = np.array([opens, first, slope * opens + hidden * first])
        seen = rng.multivariate_normal(true, shared)
        effects = {n: (float(v), NOISE) for n, v in zip(METRICS, seen, strict=True)}
        pairs = [("first", "opens"), ("first", "payments"), ("opens", "payments")]
        joint = dict.fromkeys(pairs, 0.6 * NOISE**2)
        made.append(
            PastLaunch(
                f"past{i}", date(2025, 1, 1) + timedelta(days=7 * i), "hold", "", kpi, effects,
                {n: 0.6 * NOISE**2 for n in METRICS if n != "opens"}, joint,
            )
        )  # fmt: skip
    return History(launches=tuple(made))


def read(history: History, payments: float = 5.0, **more: Any) -> Answer:
    opens = cells("opens", four(counts(10, 1)), four(counts(11, 2)))
    result = cells("payments", four(counts(5, 3)), four(counts(payments, 4)))
    asked = plan(METRICS, results={"payments": "1%"}, **more)
    return results.read(asked, inputs(opens, result, history=history))


def test_the_slope_is_found_beneath_the_noise() -> None:
    f = found(read(library(np.full(60, 0.5))), "results.worth.payments")
    assert f.grade is Grade.C
    assert f.stance is Stance.FOR
    assert f.n == 60
    e = f.estimate
    assert e is not None
    assert e.low is not None
    assert e.high is not None
    assert e.low < 0.5 < e.high
    assert "Over 60 past launches" in f.claim


def test_a_kpi_that_tells_nothing_is_said_to() -> None:
    f = found(read(library(np.zeros(60))), "results.worth.payments")
    assert f.stance is Stance.MIXED
    assert "told nothing sure" in f.claim


def test_a_kpi_that_has_weakened_is_said_to() -> None:
    slopes = np.concatenate([np.full(40, 0.9), np.zeros(40)])
    f = found(read(library(slopes)), "results.worth.payments")
    assert "Lately it has weakened" in f.claim
    assert f.stance is Stance.MIXED
    assert f.evidence[0].kind == "curve"


def test_a_steady_one_is_not() -> None:
    f = found(read(library(np.full(80, 0.5))), "results.worth.payments")
    assert "No change lately can be told" in f.claim


@pytest.mark.parametrize(("k", "said"), [(0, "holds none"), (FEWEST_PAST - 1, "holds 9")])
def test_few_launches_are_not_spoken_of(k: int, said: str) -> None:
    answer = read(library(np.full(k, 0.5)))
    assert not [f for f in answer.findings if f.id.startswith("results.worth")]
    assert any(said in m for m in answer.missing)


def test_launches_without_joint_errors_are_not_counted() -> None:
    whole = library(np.full(30, 0.5))
    bare = [
        PastLaunch(p.launch, p.at, p.verdict, p.decided, p.kpi, p.effects) for p in whole.launches
    ]
    answer = read(History(launches=tuple(bare)))
    assert any("holds none" in m for m in answer.missing)


def test_the_kpis_own_covariance_serves_where_it_alone_is_there() -> None:
    whole = library(np.full(30, 0.5))
    some = [
        PastLaunch(p.launch, p.at, p.verdict, p.decided, p.kpi, p.effects, p.with_kpi)
        for p in whole.launches
    ]
    assert found(read(History(launches=tuple(some))), "results.worth.payments").n == 30


def test_launches_that_moved_nothing_teach_nothing() -> None:
    rng = np.random.default_rng(3)
    still = [
        PastLaunch(
            f"p{i}", date(2025, 1, 1), "hold", "", "opens",
            {"opens": (float(rng.normal(0, NOISE)), NOISE), "payments": (0.0, NOISE)},
            {"payments": 0.0},
        )
        for i in range(30)
    ]  # fmt: skip
    assert any("no more than chance" in m for m in read(History(launches=tuple(still))).missing)


def test_a_result_that_falls_short_of_the_line_is_named() -> None:
    f = found(read(library(np.full(60, 0.8)), payments=4.8), "results.foretold.payments")
    assert f.stance is Stance.AGAINST
    assert "short of" in f.claim
    assert not [
        f
        for f in read(library(np.full(60, 0.5)), payments=5.25).findings
        if f.id.startswith("results.foretold")
    ]


def test_a_better_combination_is_found_and_its_record_told() -> None:
    f = found(read(library(np.full(60, 0.3), hidden=0.9)), "results.combination.payments")
    assert "A better early sign" in f.claim
    assert "always the mean" in f.claim


def test_no_combination_is_praised_for_nothing() -> None:
    f = found(read(library(np.full(60, 0.5))), "results.combination.payments")
    assert "No combination" in f.claim


def test_a_combination_waits_for_launches() -> None:
    answer = read(library(np.full(15, 0.5), hidden=0.9))
    assert not [f for f in answer.findings if f.id.startswith("results.combination")]
