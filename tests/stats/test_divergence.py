"""Divergence of mixes and the split of a gap into rates and mix."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from scipy.spatial import distance

from octad.stats.divergence import jensen_shannon, kitagawa, mix_divergence
from octad.stats.refusal import NotEstimable

FloatArray = NDArray[np.float64]

# Admitted and applied by department A to F, Berkeley 1973 (Bickel, Hammel & O'Connell 1975).
MEN = np.array([[512, 825], [353, 560], [120, 325], [138, 417], [53, 191], [22, 373]])
WOMEN = np.array([[89, 108], [17, 25], [202, 593], [131, 375], [94, 393], [24, 341]])

counts = hnp.arrays(np.float64, 4, elements=st.integers(0, 1000).map(float)).filter(
    lambda a: a.sum() > 0
)


@given(counts, counts)
def test_equals_scipy_squared_and_adds_up(first: FloatArray, second: FloatArray) -> None:
    value, parts = jensen_shannon(first, second)
    theirs = float(distance.jensenshannon(first, second, base=2)) ** 2
    # SciPy takes a root of a difference, which leaves about 1e-15 when the mixes are equal.
    assert value == pytest.approx(theirs, abs=1e-12)
    assert parts.sum() == pytest.approx(value, abs=1e-15)
    assert (parts >= 0).all()
    assert -1e-15 <= value <= 1 + 1e-12
    assert jensen_shannon(second, first)[0] == pytest.approx(value, abs=1e-14)


@given(counts, st.floats(0.01, 1e6))
def test_size_of_a_mix_does_not_matter(mix: FloatArray, factor: float) -> None:
    assert jensen_shannon(mix, mix * factor)[0] == pytest.approx(0, abs=1e-12)


def _arms(
    rng: np.random.Generator, first: list[float], second: list[float], buckets: int = 64
) -> tuple[FloatArray, FloatArray]:
    """Events of 40 users a bucket; users differ much in how much they do and in what."""

    def arm(mix: list[float]) -> FloatArray:
        use = rng.exponential(10.0, (buckets, 40, 1))
        taste = rng.dirichlet(np.array(mix) * 3, size=(buckets, 40))
        return np.asarray(rng.poisson(use * taste).sum(axis=1), dtype=np.float64)

    return arm(first), arm(second)


@pytest.mark.parametrize(
    "second", [[0.6, 0.3, 0.1], [0.58, 0.32, 0.1], [0.4, 0.4, 0.2]], ids=["same", "near", "far"]
)
def test_interval_covers_the_planted_divergence(second: list[float]) -> None:
    rng = np.random.default_rng(11)
    truth = jensen_shannon([0.6, 0.3, 0.1], second)[0]
    runs = [mix_divergence(*_arms(rng, [0.6, 0.3, 0.1], second)) for _ in range(300)]
    covered = np.mean([run.low - 1e-12 <= truth <= run.high + 1e-12 for run in runs])
    # Monte-Carlo error of 300 runs is .013; the measured coverage over 400 others was .935–.98.
    assert covered > 0.91
    mean = np.mean([run.corrected for run in runs])
    # Cutting at 0 leaves a trace of bias where nothing differs.
    assert mean == pytest.approx(truth, rel=0.05, abs=1e-4)


def test_no_difference_is_rejected_at_its_level() -> None:
    rng = np.random.default_rng(12)
    p = np.array(
        [mix_divergence(*_arms(rng, [0.6, 0.3, 0.1], [0.6, 0.3, 0.1])).p for _ in range(300)]
    )
    assert np.mean(p < 0.05) < 0.05 + 3 * 0.0126  # three Monte-Carlo errors
    # The plain χ² on events would reject almost always: users, not events, are drawn.


def test_shift_errors_are_those_of_a_ratio() -> None:
    rng = np.random.default_rng(5)
    one, two = _arms(rng, [0.7, 0.2, 0.1], [0.5, 0.3, 0.2])
    found = mix_divergence(one, two)

    def linear(c: FloatArray) -> FloatArray:
        share = c.sum(0) / c.sum()
        e = (c - c.sum(1, keepdims=True) * share) / c.sum() * len(c)
        return np.asarray(e.var(axis=0, ddof=1) / len(c))

    # The two arms are drawn apart, so their jackknife covariance is only noise about 0.
    np.testing.assert_allclose(found.shift_se, np.sqrt(linear(one) + linear(two)), rtol=0.15)
    np.testing.assert_allclose(found.shift, found.second - found.first)


@pytest.mark.parametrize(
    ("one", "two", "reason"),
    [
        (np.zeros((4, 3)), np.ones((4, 3)), "empty"),
        (np.eye(3)[:1], np.eye(3)[:1], "one part"),
        (np.array([[5.0, 1.0], [0.0, 0.0]]), np.array([[5.0, 2.0], [1.0, 1.0]]), "one bucket"),
        (np.array([[-1.0, 1.0]]), np.array([[5.0, 2.0]]), "counts"),
        (np.array([[np.nan, 1.0]]), np.array([[5.0, 2.0]]), "counts"),
        (np.ones((3, 2)), np.ones((3, 3)), "same buckets"),
        (np.tile([3.0, 0.0], (4, 1)), np.tile([0.0, 2.0], (4, 1)), "no error"),
    ],
)
def test_refuses_what_it_cannot_answer(one: FloatArray, two: FloatArray, reason: str) -> None:
    with pytest.raises(NotEstimable, match=reason):
        mix_divergence(one, two)


def test_refuses_an_empty_mix() -> None:
    with pytest.raises(NotEstimable, match="empty"):
        jensen_shannon([0, 0], [1, 2])
    with pytest.raises(NotEstimable, match="counts"):
        jensen_shannon([], [])


def test_identical_mixes_in_every_bucket_are_the_same() -> None:
    found = mix_divergence(np.full((8, 3), 5.0), np.full((8, 3), 9.0))
    assert found.value == pytest.approx(0, abs=1e-15)
    assert found.p == 1.0
    assert found.low <= 1e-15
    assert np.isfinite(found.high)


def test_kitagawa_of_the_berkeley_admissions() -> None:
    split = kitagawa(MEN[:, 0], MEN[:, 1], WOMEN[:, 0], WOMEN[:, 1])
    assert round(100 * split.gap, 2) == 14.16
    assert round(100 * split.rate, 2) == -3.60
    assert round(100 * split.mix, 2) == 17.77


@given(
    hnp.arrays(np.float64, (2, 5), elements=st.integers(0, 50).map(float)),
    hnp.arrays(np.float64, (2, 5), elements=st.integers(0, 50).map(float)),
)
def test_kitagawa_adds_up_and_flips(hits: FloatArray, more: FloatArray) -> None:
    trials = hits + more
    if (trials.sum(axis=1) == 0).any():
        return
    there = kitagawa(hits[0], trials[0], hits[1], trials[1])
    back = kitagawa(hits[1], trials[1], hits[0], trials[0])
    assert there.rate + there.mix == pytest.approx(there.gap, abs=1e-12)
    assert there.rate_by.sum() == pytest.approx(there.rate, abs=1e-12)
    assert back.mix == pytest.approx(-there.mix, abs=1e-12)


def test_kitagawa_with_buckets_has_errors_that_agree_with_the_binomial() -> None:
    rng = np.random.default_rng(3)
    trials = rng.poisson(50, (200, 2)).astype(float)
    hits = [rng.binomial(trials.astype(int), [0.3, 0.6]).astype(float) for _ in range(2)]
    split = kitagawa(hits[0], trials, hits[1], trials)
    assert split.mix == pytest.approx(0, abs=1e-12)  # the same trials in both groups
    se = np.sqrt(2 * (0.3 * 0.7 + 0.6 * 0.4) / 2 / trials.sum())
    assert split.rate_se == pytest.approx(se, rel=0.2)  # an error from 200 buckets is itself 5% off
    assert split.mix_se == pytest.approx(0, abs=1e-12)


def test_kitagawa_refuses_an_empty_group() -> None:
    with pytest.raises(NotEstimable, match="nobody"):
        kitagawa([0, 0], [0, 0], [1, 1], [2, 2])
    with pytest.raises(NotEstimable, match="same strata"):
        kitagawa([0], [1, 2], [1, 1], [2, 2])
