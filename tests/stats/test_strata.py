"""Mantel–Haenszel and the paradox of sums."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from statsmodels.stats.contingency_tables import StratifiedTable

from octad.stats.refusal import NotEstimable
from octad.stats.strata import mantel_haenszel, simpson
from tests.stats.test_divergence import MEN, WOMEN

FloatArray = NDArray[np.float64]


def berkeley() -> FloatArray:
    """(6, 2, 2): department, then men and women, then admitted and refused."""
    tables = [[[m, mn - m], [w, wn - w]] for (m, mn), (w, wn) in zip(MEN, WOMEN, strict=True)]
    return np.array(tables, dtype=np.float64)


def test_berkeley_admissions() -> None:
    found = mantel_haenszel(berkeley())
    assert round(found.statistic, 4) == 1.4269
    assert round(found.odds_ratio, 4) == 0.9047
    assert (round(found.low, 4), round(found.high, 4)) == (0.7719, 1.0603)


@settings(max_examples=50)
@given(hnp.arrays(np.float64, (4, 2, 2), elements=st.integers(1, 60).map(float)))
def test_agrees_with_statsmodels(tables: FloatArray) -> None:
    # Without the correction: statsmodels lets it overshoot zero, we stop there.
    found = mantel_haenszel(tables, continuity=False)
    theirs = StratifiedTable(tables.transpose(1, 2, 0))
    assert found.odds_ratio == pytest.approx(theirs.oddsratio_pooled, rel=1e-10)
    assert found.statistic == pytest.approx(
        theirs.test_null_odds(correction=False).statistic, abs=1e-8
    )
    low, high = theirs.oddsratio_pooled_confint()
    np.testing.assert_allclose([found.low, found.high], [low, high], rtol=1e-9)
    # Both solve a quadratic; cells near a bound amplify its rounding.
    assume(abs(found.odds_ratio - 1) > 1e-6)  # statsmodels divides by zero there
    assert found.homogeneity == pytest.approx(
        theirs.test_equal_odds().statistic, rel=1e-5, abs=1e-7
    )


@given(hnp.arrays(np.float64, (3, 2, 2), elements=st.integers(1, 60).map(float)))
def test_swapping_groups_inverts_the_ratio(tables: FloatArray) -> None:
    there, back = mantel_haenszel(tables), mantel_haenszel(tables[:, ::-1])
    assert back.odds_ratio == pytest.approx(1 / there.odds_ratio)
    assert back.statistic == pytest.approx(there.statistic)


def test_empty_strata_change_nothing_and_nothing_is_refused() -> None:
    padded = np.concatenate([berkeley(), np.zeros((1, 2, 2)), [[[3, 0], [0, 0]]]])
    assert mantel_haenszel(padded).odds_ratio == mantel_haenszel(berkeley()).odds_ratio
    with pytest.raises(NotEstimable, match="no stratum"):
        mantel_haenszel(np.zeros((2, 2, 2)))
    with pytest.raises(NotEstimable, match="cell is empty"):
        mantel_haenszel([[[5, 0], [3, 4]]])
    with pytest.raises(NotEstimable, match="two by two"):
        mantel_haenszel(np.ones((2, 3)))
    with pytest.raises(NotEstimable, match="counts"):
        mantel_haenszel(-np.ones((2, 2, 2)))


def test_berkeley_looks_biased_only_as_a_sum() -> None:
    n = np.stack([MEN[:, 1], WOMEN[:, 1]]).astype(float)
    rate = np.stack([MEN[:, 0], WOMEN[:, 0]]) / n
    found = simpson(n, rate, rate * (1 - rate))
    assert found.overall == pytest.approx(0.1416, abs=5e-5)
    assert found.adjusted < 0
    assert found.opposed == 4
    assert found.hidden
    assert not found.reversed  # inside departments nothing is shown


def test_a_planted_reversal_is_found_and_a_fair_split_is_not() -> None:
    n = np.array([[9000.0, 1000.0], [1000.0, 9000.0]])
    rate = np.array([[0.80, 0.20], [0.90, 0.30]])
    assert simpson(n, rate, rate * (1 - rate)).reversed
    fair = simpson(np.full((2, 2), 5000.0), rate, rate * (1 - rate))
    assert not fair.reversed
    assert not fair.hidden
    assert fair.overall == pytest.approx(fair.adjusted)


def test_false_alarms_under_random_assignment_are_rare() -> None:
    rng = np.random.default_rng(8)
    alarms = 0
    for _ in range(500):
        n = rng.multinomial(4000, [0.25, 0.25, 0.25, 0.25], size=2).astype(float)
        hits = rng.binomial(n.astype(int), [0.1, 0.3, 0.5, 0.7])
        rate = hits / n
        alarms += simpson(n, rate, rate * (1 - rate)).reversed
    assert alarms == 0


def test_simpson_refuses() -> None:
    one = np.ones((2, 2))
    with pytest.raises(NotEstimable, match="nobody"):
        simpson([[0, 0], [1, 1]], one, one)
    with pytest.raises(NotEstimable, match="both groups"):
        simpson([[1, 0], [0, 1]], one, one)
    with pytest.raises(NotEstimable, match="two groups by strata"):
        simpson([1, 2], [1, 2], [1, 2])
    with pytest.raises(NotEstimable, match="finite"):
        simpson(one, one * np.nan, one)
