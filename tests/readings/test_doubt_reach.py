"""Hints of interference: found when planted, and never said to be proof."""

from __future__ import annotations

import numpy as np
import pytest

from octad.model.finding import Stance
from octad.model.inputs import Exposure, Inputs, Slice, Volume
from octad.readings.doubt_reach import interference, slope_of
from tests.readings.made import cells, exposure, four, inputs, plan

DAYS = 24


def _ramp(leak: float) -> Inputs:
    """The split goes from a tenth to a half; the control moves with the share treated."""
    rng = np.random.default_rng(4)
    share = np.where(np.arange(DAYS) < DAYS // 2, 0.1, 0.7)
    by_day = np.stack([np.rint(1_000 * (1 - share)), np.rint(1_000 * share)], axis=1)
    so_far = by_day.cumsum(axis=0)
    treated = so_far[:, 1] / so_far.sum(axis=1)
    users = np.full((DAYS, 2), 1_000.0)
    level = 10 * (1 + 0.01 * rng.normal(size=(DAYS, 2)))
    level[:, 0] *= 1 - leak * treated
    days = np.datetime64("2026-03-01") + np.arange(DAYS)
    return inputs(
        exposure=Exposure(by_day.sum(axis=0).astype(int), days, by_day.astype(int)),
        volume=Volume(days, users * level, users),
    )


@pytest.mark.parametrize(("leak", "hint"), [(0.4, True), (0.0, False)])
def test_a_control_that_moves_with_the_share_treated_is_a_hint(leak: float, hint: bool) -> None:
    (finding,) = interference(plan(), _ramp(leak))
    assert (finding.stance is Stance.MIXED) == hint
    assert "not proof" in finding.claim or "no proof" in finding.claim
    assert finding.trust is None


def _cities(leak: float) -> Inputs:
    rng = np.random.default_rng(6)
    share = np.linspace(0.2, 0.8, 8)
    rows = []
    city = np.arange(4_000) % 8
    for arm in (0, 1):
        before = rng.poisson(10, 4_000).astype(float)
        y = before + rng.normal(0, 1, 4_000) - (10 * leak * share[city] if arm == 0 else 0)
        rows.append(four(y, x=before))
    sizes = [[round(1_000 * (1 - s)), round(1_000 * s)] for s in share]
    names = tuple(f"c{c}" for c in range(8))
    slices = {Slice((("city", name),)): [city == c] * 2 for c, name in enumerate(names)}
    return inputs(
        cells("payments", *rows, slices=slices, paired=True),
        exposure=exposure(4_000, 4_000, by_attribute={"city": (names, np.array(sizes))}),
    )


@pytest.mark.parametrize(("leak", "hint"), [(0.3, True), (0.0, False)])
def test_so_is_one_that_moves_where_more_are_treated(leak: float, hint: bool) -> None:
    (finding,) = interference(plan(results={"payments": "1%"}), _cities(leak))
    assert ("A hint" in finding.claim) == hint


def test_an_even_split_says_that_nothing_can_be_seen() -> None:
    (finding,) = interference(plan(), inputs(exposure=exposure(1_000, 1_000)))
    assert "cannot be seen here" in finding.claim
    assert finding.stance is None


def test_the_slope_is_that_of_weighted_least_squares() -> None:
    rng = np.random.default_rng(0)
    treated, weight = np.linspace(0.1, 0.9, 12), rng.uniform(1, 3, 12)
    level = 2 - 0.5 * treated + rng.normal(0, 0.1, 12)
    fit = slope_of(level, treated, weight)
    assert fit is not None
    design = np.stack([np.ones(12), treated], axis=1)
    w = np.diag(weight)
    by_hand = np.linalg.solve(design.T @ w @ design, design.T @ w @ level)
    assert fit[0] == pytest.approx(by_hand[1])
