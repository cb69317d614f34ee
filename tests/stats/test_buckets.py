"""Errors from sums by bucket, held against closed forms, user-level errors and a bootstrap."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from octad.stats.buckets import effects_together, jackknife_arms, relative_lift
from octad.stats.effects import compare
from octad.stats.moments import Moments
from octad.stats.refusal import NotEstimable

BUCKETS = 512
FloatArray = NDArray[np.float64]


def by_bucket(rows: FloatArray) -> Moments:
    """Users in order, dealt out to the buckets."""
    return Moments.from_rows(rows, np.arange(len(rows)) % BUCKETS, BUCKETS)


def four(y: FloatArray, x: FloatArray | float = 0.0) -> FloatArray:
    one = np.ones_like(y)
    return np.stack([y, one, np.broadcast_to(np.asarray(x, float), y.shape), one], axis=1)


def pair(control: FloatArray, treatment: FloatArray) -> tuple[Moments, Moments]:
    return by_bucket(control), by_bucket(treatment)


def _gap(t: FloatArray) -> FloatArray:
    return np.asarray(t[..., 1, 1:] / t[..., 1, :1] - t[..., 0, 1:] / t[..., 0, :1])


def test_the_error_of_a_mean_is_that_of_the_bucket_means() -> None:
    rng = np.random.default_rng(1)
    sums = np.stack([np.full((2, 40), 10.0), rng.normal(50, 5, (2, 40))], axis=2)
    found = jackknife_arms(sums, _gap)
    expected = sum(sums[a, :, 1].var(ddof=1) * 40 / 400**2 for a in (0, 1))
    # Buckets of one size: leaving one out of a mean is the textbook case, exact.
    assert found.covariance[0, 0] == pytest.approx(expected, rel=1e-9)
    assert found.df[0] == pytest.approx(78, rel=0.35)
    assert found.buckets == 40


def test_buckets_without_users_are_no_buckets() -> None:
    rng = np.random.default_rng(2)
    sums = np.stack([np.full((2, 40), 10.0), rng.normal(50, 5, (2, 40))], axis=2)
    padded = np.concatenate([sums, np.zeros((2, 60, 2))], axis=1)

    one, two = jackknife_arms(sums, _gap), jackknife_arms(padded, _gap)
    assert one.covariance == pytest.approx(two.covariance)
    with pytest.raises(NotEstimable, match="fewer than two"):
        jackknife_arms(sums[:, :1], _gap)


def test_effects_together_keep_their_own_errors() -> None:
    rng = np.random.default_rng(3)
    base = [rng.gamma(2, 1, 3000) for _ in range(2)]
    kpi = [
        four(rng.poisson(5 * b * m).astype(float), b) for b, m in zip(base, (1, 1.1), strict=True)
    ]
    other = [four(rng.poisson(2 * b).astype(float), b) for b in base]
    joint = effects_together([tuple(map(by_bucket, pair)) for pair in (kpi, other)])  # type: ignore[misc]
    for j, pair in enumerate((kpi, other)):
        alone = compare(*(Moments.from_rows(rows) for rows in pair), relative=True)
        assert joint.value[j] == pytest.approx(alone.value, rel=1e-9)
        assert joint.se[j] == pytest.approx(alone.se, rel=1e-9)
    assert joint.covariance == pytest.approx(joint.covariance.T)


def test_the_joint_error_matches_repeated_experiments() -> None:
    """Correlation of two effects over 1,500 experiments: known to 0.026; four times that."""
    rng = np.random.default_rng(4)
    said, values = [], []
    for _ in range(1500):
        arms = []
        for _ in range(2):
            base = rng.gamma(2, 1, 400)
            arms.append((rng.poisson(3 * base).astype(float), rng.poisson(base).astype(float)))
        pairs = [
            (Moments.from_rows(four(arms[0][j]), np.arange(400) % 64, 64),
             Moments.from_rows(four(arms[1][j]), np.arange(400) % 64, 64))
            for j in (0, 1)
        ]  # fmt: skip
        joint = effects_together(pairs)
        values.append(joint.value)
        said.append(joint.correlation[0, 1])
    seen = np.array(np.corrcoef(np.array(values).T), ndmin=2)
    assert np.mean(said) == pytest.approx(seen[0, 1], abs=0.1)


def test_the_same_metric_twice_goes_together_fully() -> None:
    rng = np.random.default_rng(5)
    both = pair(four(rng.normal(10, 2, 2000)), four(rng.normal(11, 2, 2000)))
    joint = effects_together([both, both])
    assert joint.correlation[0, 1] == pytest.approx(1.0)
    gap = np.array([-1.0, 1.0])
    assert float(gap @ (joint.covariance @ gap)) == pytest.approx(0.0, abs=1e-12)


def test_swapping_the_arms_turns_an_absolute_effect() -> None:
    rng = np.random.default_rng(6)
    a, b = pair(four(rng.normal(10, 2, 2000)), four(rng.normal(11, 2, 2000)))
    one = effects_together([(a, b)], relative=False, adjust=False)
    two = effects_together([(b, a)], relative=False, adjust=False)
    assert one.value == pytest.approx(-two.value)
    assert one.se == pytest.approx(two.se)


def test_what_cannot_be_estimated_is_refused() -> None:
    nothing = by_bucket(four(np.zeros(1000)))
    with pytest.raises(NotEstimable):
        effects_together([(nothing, nothing)])


def test_a_lift_is_relative_to_the_size_of_the_first() -> None:
    assert relative_lift(np.array([-2.0, -1.0]), np.array([1.0, 1.0])) == pytest.approx(0.5)
