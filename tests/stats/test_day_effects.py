"""Effects on all days at once."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from octad.stats.day_effects import day_effects
from octad.stats.refusal import NotEstimable

FloatArray = NDArray[np.float64]


def made(seed: int, lift: FloatArray, users: int = 2000, buckets: int = 256) -> FloatArray:
    """(2, B, D, 3) of users whose days go together."""
    rng = np.random.default_rng(seed)
    out = []
    for more in (np.zeros_like(lift), lift):
        use = rng.gamma(2.0, 0.5, (users, 1))
        y = rng.poisson(3 * use * (1 + more)).astype(float)
        bucket = np.arange(users) % buckets
        total = np.stack([np.bincount(bucket, y[:, d], buckets) for d in range(len(lift))], 1)
        n = np.bincount(bucket, minlength=buckets)[:, None] * np.ones((1, len(lift)))
        out.append(np.stack([n, total, n], axis=-1))
    return np.stack(out)


def test_the_effect_is_the_ratio_of_the_totals() -> None:
    cube = made(1, np.linspace(0.3, 0.0, 14))
    found = day_effects(cube)
    level = cube[..., 1].sum(axis=1) / cube[..., 2].sum(axis=1)
    assert found.value == pytest.approx(level[1] / level[0] - 1)
    assert (found.band.low < found.value).all()


def test_days_of_the_same_users_go_together() -> None:
    found = day_effects(made(2, np.zeros(14)))
    sd = np.sqrt(np.diag(found.covariance))
    correlation = found.covariance / np.outer(sd, sd)
    # var of use .5 and of a Poisson mean of 3: 9·.5/(9·.5 + 3) = .6 between two days.
    assert np.mean(correlation[np.triu_indices(14, 1)]) == pytest.approx(0.6, abs=0.06)
    assert 1.96 < found.band.critical < 2.87  # below Bonferroni's over 14 days


def test_a_look_before_the_end_is_wider() -> None:
    cube = made(3, np.zeros(10))
    one, two = day_effects(cube), day_effects(cube, stretch=1.5)
    assert two.band.high - two.value == pytest.approx(1.5 * (one.band.high - one.value))


def test_days_without_use_or_without_buckets_are_refused() -> None:
    cube = made(4, np.zeros(10))
    cube[0, :, 3, 1] = 0
    with pytest.raises(NotEstimable, match="nothing in control"):
        day_effects(cube)
    with pytest.raises(NotEstimable, match="hardly more groups"):
        day_effects(made(5, np.zeros(12), users=40, buckets=6))
