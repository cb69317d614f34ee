"""Where a gain came from: planted sources are found, even gains are not blamed on any."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from octad.stats.origin import gain_share, largest_day
from octad.stats.refusal import NotEstimable

BUCKETS = 512
FloatArray = NDArray[np.float64]


def sums(
    y: Sequence[NDArray[Any]], part: Sequence[NDArray[Any]], users: Sequence[NDArray[Any]] = ()
) -> FloatArray:
    """By arm and bucket: users, sum, sum in the part, users in the part."""
    out = []
    for a in (0, 1):
        bucket = np.arange(len(y[a])) % BUCKETS
        columns = [np.ones(len(y[a])), y[a], part[a], *([users[a]] if users else [])]
        out.append(np.stack([np.bincount(bucket, c, BUCKETS) for c in columns], axis=1))
    return np.stack(out)


def test_a_gain_of_one_group_alone_is_its_own() -> None:
    rng = np.random.default_rng(1)
    new = np.arange(8000) % 5 == 0
    y = [rng.poisson(5, 8000) + 0.0, rng.poisson(5 + 4.0 * new) + 0.0]
    found = gain_share(sums(y, [v * new for v in y], [new * 1.0] * 2))
    assert found.low <= 1 <= found.high
    assert found.fair == pytest.approx(0.2, abs=0.02)
    assert found.p < 1e-6
    assert found.rest_low <= 0 <= found.rest_high


def test_the_share_is_counted_exactly() -> None:
    y = [np.array([1.0, 2, 3, 4] * 300), np.array([2.0, 4, 6, 8] * 300)]
    half = np.array([1.0, 1, 0, 0] * 300)
    found = gain_share(sums([v + np.arange(1200) % 7 for v in y], [v * half for v in y]))
    assert found.share == pytest.approx(0.3)  # (1 + 2) of (1 + 2 + 3 + 4)


@pytest.mark.parametrize("lift", ["times", "plus"])
def test_an_even_gain_is_blamed_on_nobody(lift: str) -> None:
    """Both even gains: in proportion to use, and the same for everyone. 5% of 300 is 15 ± 4."""
    rng = np.random.default_rng(2)
    blamed = 0
    for _ in range(300):
        new = np.arange(3000) % 4 == 0
        base = np.where(new, 2.0, 6.0)
        more = base * 1.2 if lift == "times" else base + 1.0
        y = [rng.poisson(base) + 0.0, rng.poisson(more) + 0.0]
        blamed += gain_share(sums(y, [v * new for v in y], [new * 1.0] * 2)).p < 0.05
    assert blamed <= 15 + 4 * 3


def test_without_a_gain_nothing_has_a_share() -> None:
    y = [np.random.default_rng(s).poisson(5, 4000) + 0.0 for s in (1, 2)]
    with pytest.raises(NotEstimable, match="told from none"):
        gain_share(sums(y, y))


def days(seed: int, count: int = 28) -> tuple[FloatArray, FloatArray, FloatArray]:
    rng = np.random.default_rng(seed)
    control = rng.normal(1000, 30, count)
    lift = 1 + 0.1 * np.exp(-np.arange(count) / 8) + rng.normal(0, 0.02, count)
    return control, control * lift, np.full((count, 2), 5000.0)


def test_one_day_that_makes_the_gain_is_named() -> None:
    control, treatment, users = days(3)
    treatment[17] += 2500
    found = largest_day(control, treatment, users)
    assert found.day == 17
    assert found.p < 1e-6
    assert found.share > 0.5
    assert found.low < found.share < found.high
    assert found.rest == pytest.approx(0.03, abs=0.02)


def test_days_of_an_even_or_fading_gain_are_not_named() -> None:
    """5% of 400 is 20 ± 4.4, three times that allowed."""
    named = sum(largest_day(*days(seed)).p < 0.05 for seed in range(400))
    assert named <= 20 + 13


def test_too_few_days_are_refused() -> None:
    with pytest.raises(NotEstimable, match="10 or more"):
        largest_day(*days(4, 8))
