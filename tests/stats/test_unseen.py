"""What has not been seen, and what the team has walked."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from octad.stats.refusal import NotEstimable
from octad.stats.unseen import chao1, sample_coverage, walked_share

FloatArray = NDArray[np.float64]


def test_spiders_of_inext() -> None:
    assert round(sample_coverage(168, 12, 4), 4) == 0.9289
    found = chao1(26, 168, 12, 4)
    assert round(found.estimate, 3) == 43.893
    assert round(found.se, 3) == 14.306
    assert (round(found.low, 3), round(found.high, 3)) == (30.511, 96.971)
    assert round(sample_coverage(168, 12, 4, size=336), 4) == 0.9636


def _ones_and_twos(counts: FloatArray) -> tuple[int, int]:
    return int((counts == 1).sum()), int((counts == 2).sum())


@given(hnp.arrays(np.float64, 12, elements=st.integers(0, 6).map(float)))
def test_always_finite_and_in_range(counts: FloatArray) -> None:
    n, (once, twice) = counts.sum(), _ones_and_twos(counts)
    if n == 0:
        return
    found = chao1(int((counts > 0).sum()), n, once, twice)
    assert np.isfinite([found.estimate, found.se, found.low, found.high]).all()
    assert found.observed <= found.low + 1e-9 <= found.estimate + 2e-9
    if once < n:
        assert 0 <= sample_coverage(n, once, twice) <= 1
        later = sample_coverage(n, once, twice, size=2 * n)
        assert later >= sample_coverage(n, once, twice) - 1e-12


def test_coverage_recovers_the_planted_share() -> None:
    rng = np.random.default_rng(7)
    p = 1 / np.arange(1, 2001) ** 1.1
    p /= p.sum()
    errors = []
    for _ in range(200):
        counts = rng.multinomial(1500, p).astype(float)
        errors.append(sample_coverage(1500, *_ones_and_twos(counts)) - p[counts > 0].sum())
    # Good–Turing is unbiased here; three Monte-Carlo errors of the mean.
    assert abs(np.mean(errors)) < 3 * np.std(errors) / np.sqrt(200) + 0.002


def test_walked_share_recovers_the_planted_share() -> None:
    rng = np.random.default_rng(8)
    p = 1 / np.arange(1, 501) ** 1.2
    p /= p.sum()
    walked = np.arange(500) < 20
    truth, found, held = p[walked].sum(), [], 0
    for _ in range(200):
        # A user's taste is his own: 300 users, ten steps each.
        users = np.array([rng.multinomial(10, row) for row in rng.dirichlet(p * 50, 300)])
        times = users.sum(axis=0).astype(float)
        once, twice = _ones_and_twos(times)
        one = walked_share(times, walked, once=once, twice=twice, users=users)
        found.append(one.share)
        assert one.low is not None
        assert one.high is not None
        held += one.low <= truth <= one.high
    assert np.mean(found) == pytest.approx(truth, abs=3 * np.std(found) / np.sqrt(200))
    assert held / 200 > 0.95 - 3 * 0.0154  # three Monte-Carlo errors


def test_walked_share_by_hand() -> None:
    found = walked_share([50, 30, 19, 1], [True, False, True, False], once=1, twice=0)
    assert found.share == pytest.approx(0.69)
    assert found.only_users == pytest.approx(0.31)
    assert found.never_seen == pytest.approx(0)  # one kind seen once: nothing more is expected
    assert found.not_walked == (1, 3)
    assert found.low is None


def test_refuses() -> None:
    with pytest.raises(NotEstimable, match="just once"):
        sample_coverage(5, 5, 0)
    with pytest.raises(NotEstimable, match="nothing has been observed"):
        sample_coverage(0, 0, 0)
    with pytest.raises(NotEstimable, match="fit in"):
        sample_coverage(5, 3, 2)
    with pytest.raises(NotEstimable, match="forward"):
        sample_coverage(168, 12, 4, size=100)
    with pytest.raises(NotEstimable, match="nothing has been observed"):
        chao1(0, 0, 0, 0)
    with pytest.raises(NotEstimable, match="fit in"):
        chao1(2, 10, 5, 0)
    with pytest.raises(NotEstimable, match="no journey"):
        walked_share([0, 0], [True, False], once=0, twice=0)
    with pytest.raises(NotEstimable, match="two users"):
        walked_share([2, 1], [True, False], once=1, twice=1, users=[[2, 1]])
