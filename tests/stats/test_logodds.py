"""Log-odds with an informative Dirichlet prior."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from octad.stats.logodds import log_odds
from octad.stats.refusal import NotEstimable

FloatArray = NDArray[np.float64]


def test_a_table_worked_by_hand() -> None:
    # 30 of 100 against 10 of 100; prior 10 documents, 2 of which hold the term:
    # δ = log(32/78) − log(12/98) = −.89097 + 2.10006; paper's variance 1/32 + 1/12.
    found = log_odds([30], [10], (100, 100), background=[0.2], strength=10, rare_terms=True)
    assert found.delta[0] == pytest.approx(math.log(32 * 98 / (78 * 12)), rel=1e-12)
    assert found.z[0] == pytest.approx(math.log(32 * 98 / (78 * 12)) / math.sqrt(1 / 32 + 1 / 12))
    full = log_odds([30], [10], (100, 100), background=[0.2], strength=10)
    assert full.se[0] == pytest.approx(math.sqrt(1 / 32 + 1 / 12 + 1 / 78 + 1 / 98))


counts = hnp.arrays(np.float64, 5, elements=st.integers(0, 200).map(float))


@given(counts, counts)
def test_swapping_the_corpora_flips_the_sign(first: FloatArray, second: FloatArray) -> None:
    there, back = log_odds(first, second, (200, 300)), log_odds(second, first, (300, 200))
    np.testing.assert_allclose(there.delta, -back.delta, atol=1e-12)
    np.testing.assert_allclose(there.z, -back.z, atol=1e-12)
    for values in (there.z, there.p, there.ratio, there.low, there.high):
        assert np.isfinite(values).all()


@given(counts)
def test_the_same_share_is_no_difference(first: FloatArray) -> None:
    found = log_odds(first, first, (200, 200))
    np.testing.assert_allclose(found.z, 0, atol=1e-12)
    np.testing.assert_allclose(found.p, 1)


def test_a_stronger_prior_pulls_harder() -> None:
    weak = log_odds([3], [0], (50, 50), strength=1)
    strong = log_odds([3], [0], (50, 50), strength=100)
    assert 0 < strong.delta[0] < weak.delta[0]


@pytest.mark.parametrize("share", [0.002, 0.02, 0.3])
def test_false_alarms_are_at_most_their_level(share: float) -> None:
    rng = np.random.default_rng(2)
    y1, y2 = rng.binomial(2000, share, 20_000), rng.binomial(800, share, 20_000)
    found = log_odds(y1, y2, (2000, 800))
    # Three Monte-Carlo errors; the prior pulls towards no difference, so it may be below.
    assert (found.p < 0.05).mean() < 0.05 + 3 * 0.0016
    assert (found.p < 0.05).mean() > 0.0005


def test_the_papers_variance_overstates_common_terms() -> None:
    rng = np.random.default_rng(2)
    y1, y2 = rng.binomial(2000, 0.5, 5000), rng.binomial(2000, 0.5, 5000)
    found = log_odds(y1, y2, (2000, 2000), rare_terms=True)
    assert (found.p < 0.05).mean() > 0.1  # why it is not the default


def test_refuses() -> None:
    for first, documents, reason in (
        ([1.0], (0, 5), "no documents"),
        ([6.0], (5, 5), "more documents"),
        ([-1.0], (5, 5), "counts"),
        ([float("nan")], (5, 5), "counts"),
    ):
        with pytest.raises(NotEstimable, match=reason):
            log_odds(first, [1], documents)
    with pytest.raises(NotEstimable, match="background"):
        log_odds([1], [1], (5, 5), background=[0])
    with pytest.raises(NotEstimable, match="prior"):
        log_odds([1], [1], (5, 5), strength=0)
    assert log_odds([], [], (5, 5)).z.size == 0
