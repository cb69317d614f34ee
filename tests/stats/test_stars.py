"""Star histograms before and after."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from scipy import stats

from octad.stats.refusal import NotEstimable
from octad.stats.stars import compare_stars, mean_stars

FloatArray = NDArray[np.float64]
STARS = np.arange(1, 6)


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_scipy_on_the_rows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    before, after = rng.multinomial(60, rng.dirichlet(np.ones(5)), 2)
    found = compare_stars(before, after)
    x, y = np.repeat(STARS, before), np.repeat(STARS, after)
    welch = stats.ttest_ind(y, x, equal_var=False)
    assert found.p == pytest.approx(welch.pvalue, rel=1e-9)
    np.testing.assert_allclose([found.low, found.high], welch.confidence_interval(), rtol=1e-9)
    assert found.superior_p == pytest.approx(stats.brunnermunzel(x, y).pvalue, rel=1e-9)
    assert found.before.low <= x.mean() <= found.before.high


histograms = hnp.arrays(np.float64, 5, elements=st.integers(0, 30).map(float)).filter(
    lambda h: h.sum() > 0
)


@given(histograms, histograms)
def test_always_finite_and_swapping_flips(before: FloatArray, after: FloatArray) -> None:
    there, back = compare_stars(before, after), compare_stars(after, before)
    assert there.difference == pytest.approx(-back.difference, abs=1e-12)
    assert there.superior == pytest.approx(1 - back.superior, abs=1e-12)
    assert there.p == pytest.approx(back.p, abs=1e-9)
    numbers = [there.se, there.low, there.high, there.p, there.superior_p, there.homogeneity_p]
    assert np.isfinite(numbers).all()
    assert np.isfinite(there.shift_se).all()
    assert there.shift.sum() == pytest.approx(0, abs=1e-12)
    assert 1 <= there.before.low <= there.before.value <= there.before.high <= 5


def test_three_perfect_reviews_prove_little() -> None:
    found = mean_stars([0, 0, 0, 0, 3])
    assert found.value == 5
    assert found.high == 5
    assert found.low < 4
    assert mean_stars([0, 0, 0, 0, 3000]).low > 4.9


def test_reviews_of_one_day_are_not_many_opinions() -> None:
    rng = np.random.default_rng(1)

    def days(n: int) -> FloatArray:
        # Each day has its own mood: some days are bought.
        moods = rng.dirichlet([0.5, 0.5, 0.5, 1.0, 2.0], n)
        return np.array([rng.multinomial(30, mood) for mood in moods], dtype=np.float64)

    plain = clustered = 0
    for _ in range(300):
        before, after = days(25), days(25)
        plain += compare_stars(before.sum(0), after.sum(0)).p < 0.05
        clustered += compare_stars(before, after).p < 0.05
    assert clustered / 300 < 0.05 + 3 * 0.0126
    assert plain / 300 > 0.3  # why days are asked for


def test_refuses() -> None:
    with pytest.raises(NotEstimable, match="no reviews"):
        mean_stars([0, 0, 0, 0, 0])
    with pytest.raises(NotEstimable, match="counts"):
        mean_stars([1, -1, 0, 0, 0])
    with pytest.raises(NotEstimable, match="one day"):
        mean_stars([[0, 0, 0, 0, 9], [0, 0, 0, 0, 0]])
    with pytest.raises(NotEstimable, match="days on both"):
        compare_stars([1, 0, 0, 0, 1], [[1, 0, 0, 0, 1], [1, 0, 0, 0, 2]])
