"""Change points, running sums and bursts of counts."""

from __future__ import annotations

import csv
import itertools
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from scipy import special
from statsmodels.stats.diagnostic import breaks_cusumolsresid

from octad.stats.changes import bursts, change_points, count_dispersion, cusum, season_factors
from octad.stats.refusal import NotEstimable

FloatArray = NDArray[np.float64]


def _level(rng: np.random.Generator, mean: float, spread: float, n: int) -> FloatArray:
    if spread <= 1:
        return rng.poisson(mean, n).astype(np.float64)
    return rng.negative_binomial(mean / (spread - 1), 1 / spread, n).astype(np.float64)


@settings(max_examples=100)
@given(hnp.arrays(np.float64, 11, elements=st.integers(0, 40).map(float)), st.floats(0.5, 8))
def test_agrees_with_every_way_to_cut(y: FloatArray, penalty: float) -> None:
    def cost(part: FloatArray) -> float:
        total = part.sum()
        return float(-2 * (special.xlogy(total, total / len(part)) - total))

    brute = min(
        sum(cost(y[a:b]) for a, b in itertools.pairwise([0, *cut, 11])) + penalty * len(cut)
        for k in range(6)
        for cut in itertools.combinations(range(1, 11), k)
        if all(b - a >= 2 for a, b in itertools.pairwise([0, *cut, 11]))
    )
    found = change_points(y, least=2, dispersion=1, penalty=penalty)
    edges = [0, *found.points, 11]
    ours = sum(cost(y[a:b]) for a, b in itertools.pairwise(edges)) + penalty * len(found.points)
    assert ours <= brute + 1e-8


@pytest.mark.parametrize(("mean", "spread"), [(2, 3), (20, 1), (200, 10)])
def test_level_counts_rarely_change(mean: float, spread: float) -> None:
    rng = np.random.default_rng(1)
    false = [bool(change_points(_level(rng, mean, spread, 90)).points) for _ in range(200)]
    assert np.mean(false) < 0.05


def test_a_planted_change_is_found_where_it_is() -> None:
    rng = np.random.default_rng(2)
    for _ in range(20):
        y = np.concatenate([_level(rng, 40, 3, 50), _level(rng, 70, 3, 40)])
        found = change_points(y)
        assert len(found.points) == 1
        assert abs(found.points[0] - 50) <= 7  # counts that vary by a fifth blur the day
        assert found.before_after[0] == pytest.approx(70 / 40, rel=0.25)
    assert change_points(np.repeat([0.0, 5.0], 20)).before_after == (float("inf"),)


def test_a_weekly_pattern_is_no_change() -> None:
    rng = np.random.default_rng(3)
    week = np.array([1, 1, 1, 1, 1.2, 2, 1.8]) * 50
    y = rng.poisson(np.tile(week, 13)).astype(float)
    factors = season_factors(y)
    # Medians of 13 weeks of some 50 a day: about 5% each.
    np.testing.assert_allclose(factors[:7], week / week.mean(), rtol=0.15)
    assert not change_points(y, exposure=factors).points
    jump = y * np.repeat([1.0, 1.5], [45, 46])
    assert len(change_points(jump, exposure=season_factors(jump)).points) == 1
    np.testing.assert_allclose(season_factors(y[:20]), 1)


def test_dispersion_is_recovered_and_a_step_does_not_disturb_it() -> None:
    rng = np.random.default_rng(4)
    y = _level(rng, 50, 4, 2000)
    assert count_dispersion(y) == pytest.approx(4, rel=0.15)
    y[1000:] += 200
    assert count_dispersion(y) < 5
    assert count_dispersion([0, 0, 0]) == 1
    assert count_dispersion([3]) == 1


def test_cusum_is_that_of_statsmodels() -> None:
    rng = np.random.default_rng(5)
    for _ in range(20):
        y = rng.normal(size=60)
        ours = cusum(y)
        # statsmodels divides by the residuals' n, as we do.
        statistic, p, _ = breaks_cusumolsresid(y - y.mean(), ddof=0)
        assert ours.statistic == pytest.approx(statistic)
        assert ours.p == pytest.approx(p)
    assert cusum(np.repeat([0.0, 1.0], 20) + 0.1 * rng.normal(size=40)).at == 19
    with pytest.raises(NotEstimable, match="equal"):
        cusum(np.ones(20))
    with pytest.raises(NotEstimable, match="ten"):
        cusum([1, 2])


@pytest.mark.parametrize(("mean", "spread"), [(1, 1), (2, 3), (20, 3), (200, 10)])
def test_false_bursts_are_rare(mean: float, spread: float) -> None:
    rng = np.random.default_rng(6)
    false = [bool(bursts(_level(rng, mean, spread, 90)).days) for _ in range(300)]
    # Nominal 1%; three Monte-Carlo errors, and the spread is itself estimated.
    assert np.mean(false) < 0.01 + 3 * 0.0058 + 0.01


def test_planted_bursts_are_found_and_do_not_hide_one_another() -> None:
    rng = np.random.default_rng(7)
    y = _level(rng, 20, 3, 90)
    for day, size in ((30, 200), (32, 120), (70, 150)):
        y[day] += size
    found = bursts(y)
    assert found.days == (30, 32, 70)
    assert found.excess[30] == pytest.approx(200, abs=30)
    assert found.expected[31] == pytest.approx(20, abs=5)
    quiet = bursts(np.zeros(30))
    assert quiet.days == ()
    assert np.isfinite(quiet.score).all()


@given(hnp.arrays(np.float64, 20, elements=st.integers(0, 10_000).map(float)))
def test_bursts_are_always_finite(y: FloatArray) -> None:
    found = bursts(y)
    for values in (found.expected, found.score, found.p, found.excess):
        assert np.isfinite(values).all()
    assert (found.p >= 0).all()


@pytest.mark.real
def test_the_bought_day_and_the_outage_of_wondr(shared_data: Path) -> None:
    with (shared_data / "bni_wondr" / "wondr_reviews.csv").open(encoding="utf-8") as file:
        by_day = Counter(row["at"][:10] for row in csv.DictReader(file))
    days = np.arange(np.datetime64("2024-07-05"), np.datetime64("2025-01-10"))
    y = np.array([by_day.get(str(day), 0) for day in days], dtype=float)
    found = {str(days[i]) for i in bursts(y).days}
    assert {"2024-09-03", "2024-11-25"} <= found
    assert len(found) < 25


def test_refuses() -> None:
    with pytest.raises(NotEstimable, match="14 days"):
        change_points([1, 2, 3])
    with pytest.raises(NotEstimable, match="not negative"):
        change_points([-1.0] * 20)
    with pytest.raises(NotEstimable, match="positive on every day"):
        change_points([1.0] * 20, exposure=np.zeros(20))
    with pytest.raises(NotEstimable, match="at least a day"):
        change_points([1.0] * 20, least=0)
    with pytest.raises(NotEstimable, match="7 days"):
        bursts([1, 2])
    assert change_points(np.zeros(20)).points == ()
