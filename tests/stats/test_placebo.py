"""Placebos: counts with their resolution, in space, in time, and under other lots."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from octad.stats.aggregation import aggregate
from octad.stats.did import group_time
from octad.stats.placebo import in_space, in_time, matched_days, reassigned, set_beside
from octad.stats.refusal import NotEstimable
from octad.stats.timeseries import impact
from tests.reference.quasi_worlds import LAUNCH, california, panel, world

FloatArray = NDArray[np.float64]


@given(
    st.floats(-1e3, 1e3),
    st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=40),
)
def test_p_is_a_count_and_never_zero(observed: float, others: list[float]) -> None:
    found = set_beside(observed, others)
    assert found.resolution <= found.p <= 1
    assert round(found.p / found.resolution) == pytest.approx(found.p / found.resolution)
    assert set_beside(-observed, others).p == found.p


def test_twelve_placebos_can_show_nothing_at_five_percent() -> None:
    found = set_beside(100.0, np.zeros(12))
    assert found.p == found.resolution == pytest.approx(1 / 13)
    assert not found.can_show(0.05)
    assert set_beside(100.0, np.zeros(19)).can_show(0.05)


def test_ties_and_missing_placebos() -> None:
    assert set_beside(2.0, [2.0, np.nan, 1.0]).p == pytest.approx(2 / 3)
    assert set_beside(-2.0, [1.0, 3.0], two_sided=False).p == 1.0
    with pytest.raises(NotEstimable, match="nothing comparable"):
        set_beside(1.0, [np.nan])


def test_p_is_uniform_when_nothing_happened() -> None:
    rng = np.random.default_rng(0)
    p = np.array([set_beside(rng.normal(), rng.normal(size=19)).p for _ in range(2000)])
    # P(p ≤ .05) is exactly .05 with 19 placebos; three Monte-Carlo standard errors.
    assert abs((p <= 0.05).mean() - 0.05) < 3 * np.sqrt(0.05 * 0.95 / 2000)


@pytest.mark.real
def test_california_among_all_states(shared_data: Path) -> None:
    """Abadie, Diamond and Hainmueller (2010) rank California's ratio first of 39 states.

    They match on prices, incomes and beer too, which these data do not hold. On sales alone two
    states are matched so closely before 1989 that their ratios are larger.
    """
    y, treated, pre = california(shared_data)
    found = in_space(y, treated, pre)
    assert len(found.placebos) == 38
    assert found.p == pytest.approx(3 / 39)


def test_in_space_finds_a_planted_effect_and_not_its_absence() -> None:
    y, flag = panel(0, 8.0)
    assert in_space(y, flag, 30, estimator="sdid").p == pytest.approx(1 / 25)
    quiet = [in_space(*panel(seed, 0.0), 30, estimator="sdid").p for seed in range(40)]
    # One in 25 by construction: seven or more of 40 at or below .04 has a chance of 0.1%.
    assert sum(p <= 0.04 for p in quiet) < 7
    with pytest.raises(NotEstimable, match="one unit with the launch"):
        in_space(y, np.arange(25) < 2, 30)


def test_places_that_are_all_alike_show_nothing() -> None:
    found = in_space(np.full((12, 8), 1e9), np.arange(12) == 0, 5)
    assert (found.observed, found.p) == (0.0, 1.0)


def test_matched_days_share_the_weekday_and_nothing_else() -> None:
    days = matched_days(200, 150, length=14, history=42, avoid=[100])
    assert ((150 - days) % 7 == 0).all()
    assert (np.diff(days) >= 14).all()
    assert days.max() + 14 <= 150
    assert days.min() >= 42
    assert not ((days <= 100) & (days + 14 > 100)).any()
    assert len(matched_days(60, 50, length=14, history=42)) == 0


def test_in_time_tells_a_launch_from_any_other_day() -> None:
    y, x = world(1, effect=6.0, drift=0.05)

    def effect(day: int) -> tuple[float, float]:
        end = len(y) if day == LAUNCH else LAUNCH
        stop = min(day + 7, end)
        found = impact(y[:stop], day, controls=x[:, :stop], draws=500)
        return found.mean, found.p

    dates = matched_days(len(y), LAUNCH, length=7, history=35)
    found = in_time(effect, LAUNCH, dates)
    assert len(found.placebos) == len(dates) == 7
    assert found.p == found.resolution == 1 / 8
    assert found.alarms is not None
    assert found.alarm_p is not None
    assert found.alarms <= 2


def test_in_time_leaves_out_days_that_cannot_be_judged() -> None:
    def effect(day: int) -> tuple[float, float]:
        if day == 3:
            raise NotEstimable("no")
        return float(day), 0.01

    found = in_time(effect, 10, [1, 2, 3])
    assert found.placebos.tolist() == [1.0, 2.0]
    assert found.alarms == 2
    assert found.alarm_p == pytest.approx(0.05**2)


def test_every_deal_is_tried_when_there_are_few() -> None:
    values = np.array([3.0, 1.0, 4.0, 1.5, 9.0])
    assigned = np.array([1.0, 0, 0, 0, 1])

    def gap(lot: FloatArray) -> float:
        return float(values[lot == 1].mean() - values[lot == 0].mean())

    found = reassigned(gap, assigned)
    brute = [
        gap(np.isin(np.arange(5), pick).astype(float))
        for pick in itertools.combinations(range(5), 2)
    ]
    assert sorted([*found.placebos, found.observed]) == pytest.approx(sorted(brute))
    assert found.p == np.mean(np.abs(brute) >= abs(found.observed) - 1e-12)


def test_lots_of_launch_dates_keep_their_size_where_cluster_errors_do_not() -> None:
    """Eight regions with shared shocks and no effect: clustered errors alarm more, lots do not."""
    rng = np.random.default_rng(0)
    region = np.repeat(np.arange(8), 10)
    dates = np.array([3.0, 3.0, np.inf, np.inf, np.inf, np.inf, np.inf, np.inf])
    times = np.arange(1.0, 5.0)
    alarms = {"cluster": 0, "lots": 0}
    repetitions = 60
    for _ in range(repetitions):
        y = rng.normal(size=(8, 4))[region] + 0.3 * rng.normal(size=(80, 4))
        alarms["cluster"] += aggregate(group_time(y, dates[region], times, cluster=region)).p < 0.05
        means = np.array([y[region == r].mean(axis=0) for r in range(8)])

        def statistic(lot: FloatArray, means: FloatArray = means) -> float:
            change = means[:, 2:].mean(axis=1) - means[:, 1]
            return float(change[lot == 3].mean() - change[lot != 3].mean())

        alarms["lots"] += reassigned(statistic, dates).p < 0.05
    # 28 deals: p < .05 happens in 1 of 28. Four or more standard errors would be a defect.
    assert alarms["lots"] / repetitions < 0.05 + 3 * np.sqrt(0.05 * 0.95 / repetitions)
    assert alarms["cluster"] > alarms["lots"]


def test_one_date_for_all_cannot_be_dealt_otherwise() -> None:
    with pytest.raises(NotEstimable, match="dealt otherwise"):
        reassigned(lambda lot: float(lot.sum()), [3.0, 3.0, 3.0])
