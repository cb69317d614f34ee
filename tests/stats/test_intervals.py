"""Intervals: which one is chosen, and what each code of refusal says."""

from __future__ import annotations

import numpy as np
import pytest

from octad.stats.intervals import REASONS, Effects, Interval, finish
from octad.stats.levels import NO_LEVEL, NO_SPREAD, Levels


def _finish(
    control: float,
    se: float,
    treatment: float,
    *,
    interval: Interval = "fieller",
    relative: bool = True,
) -> Effects:
    grad = np.zeros((2, 2, 1, 2))
    grad[0, 0, ..., 0] = grad[1, 1, ..., 0] = 1.0
    covs = np.zeros((2, 1, 2, 2))
    covs[:, 0, 0, 0] = se**2
    return finish(
        Levels(np.array([[control], [treatment]]), grad, covs, np.full((2, 1), 5000.0)),
        np.zeros(1, dtype=np.int8),
        relative=relative,
        level=0.95,
        planned_n=None,
        interval=interval,
        reduction=np.zeros(1),
        theta=np.zeros(1),
    )


def test_a_weak_control_parts_the_two_intervals_and_a_strong_one_makes_them_one() -> None:
    gaps = []
    for se in (0.3, 0.1, 0.01, 0.001):
        delta, exact = (_finish(1.0, se, 1.1, interval=i) for i in ("delta", "fieller"))
        assert delta.se[0] == exact.se[0]
        gaps.append(abs(delta.low[0] - exact.low[0]) / delta.se[0])
    assert gaps[0] > 0.5
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[-1] < 0.01


def test_p_is_that_of_the_absolute_difference() -> None:
    relative, absolute = _finish(1.0, 0.2, 1.9), _finish(1.0, 0.2, 1.9, relative=False)
    assert relative.p[0] == absolute.p[0]
    assert _finish(1.0, 0.2, 1.9, interval="delta").p[0] != absolute.p[0]


def test_a_strong_control_keeps_its_digits() -> None:
    found = _finish(1e9, 1e-6, 1e9)
    assert found.high[0] == pytest.approx(1.96e-15 * np.sqrt(2), rel=1e-3)
    assert found.low[0] == pytest.approx(-found.high[0])


def test_an_anytime_interval_may_have_no_bound_while_the_fixed_one_has() -> None:
    found = _finish(1.0, 0.45, 3.0)
    assert found.ok[0]
    assert np.isfinite(found.low[0])
    assert np.isnan(found.anytime_low[0])


def test_refusals() -> None:
    assert _finish(0.1, 0.1, 1.0).reason[0] == NO_LEVEL
    assert _finish(0.0, 0.1, 1.0).reason[0] == NO_LEVEL
    assert _finish(1.0, 0.0, 2.0).reason[0] == NO_SPREAD
    assert _finish(1.0, 0.0, 1.0).reason[0] == 0
    assert _finish(0.0, 0.1, 1.0, relative=False).ok[0]
    for code in (1, 2, 3, 4, 5):
        assert REASONS[code].endswith(".")


def test_what_is_refused_shows_no_number() -> None:
    found = _finish(0.1, 0.1, 1.0)
    shown = (found.value, found.se, found.low, found.high, found.z, found.control)
    assert all(array[0] == 0 for array in shown)
    assert found.p[0] == 1
