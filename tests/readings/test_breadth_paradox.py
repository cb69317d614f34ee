"""Sums that mislead: found when planted, explained, and not seen where they are not."""

from __future__ import annotations

import numpy as np
import pytest

from octad.model.finding import Stance
from octad.model.inputs import Inputs, Slice
from octad.readings import breadth
from octad.readings.breadth_paradox import paradoxes
from octad.stats.strata import simpson
from tests.readings.made import N, cells, four, inputs, plan


def _mixed(shares: tuple[float, float], effect: float) -> Inputs:
    """Two regions whose levels differ, mixed by arm as told; one effect in both."""
    rng = np.random.default_rng(8)
    rows, inside = [], []
    for arm, share in enumerate(shares):
        north = rng.random(N) < share
        y = rng.poisson(np.where(north, 8.0, 3.0)).astype(float) + arm * effect
        rows.append(four(y))
        inside.append(north)
    slices = {
        Slice((("region", "north"),)): inside,
        Slice((("region", "south"),)): [~i for i in inside],
    }
    return inputs(cells("payments", *rows, slices=slices))


PLAN = plan(results={"payments": "1%"})


def test_arms_that_are_not_mixed_alike_are_found_out() -> None:
    (found,) = paradoxes(PLAN, _mixed((0.6, 0.4), 0.5))
    assert "fell in all" in found.claim
    assert "rose in each of its 2 parts by region" in found.claim
    assert "not mixed alike" in found.claim
    assert found.estimate is not None
    assert found.estimate.value == pytest.approx(0.5, abs=0.2)


def test_it_agrees_with_the_textbook_form() -> None:
    seen = _mixed((0.6, 0.4), 0.5)
    moments = seen.metrics["payments"].totals
    parts = moments[[1, 2]]
    variance = parts.comoment[..., 0, 0] / parts.n
    flip = np.array([1, 0])
    textbook = simpson(parts.n.T[flip], parts.mean[..., 0].T[flip], variance.T[flip])
    (found,) = paradoxes(PLAN, seen)
    assert found.estimate is not None
    assert found.estimate.value == pytest.approx(textbook.adjusted)
    assert textbook.reversed


@pytest.mark.parametrize(("shares", "effect"), [((0.5, 0.5), 0.5), ((0.5, 0.5), 0.0)])
def test_it_is_not_seen_where_it_is_not(shares: tuple[float, float], effect: float) -> None:
    assert not paradoxes(PLAN, _mixed(shares, effect))


def test_a_launch_that_moves_where_events_happen_is_not_the_splits_fault() -> None:
    rng = np.random.default_rng(5)
    rows, inside = [], []
    for arm in (0, 1):
        good = np.arange(N) % 2 == 0
        opens = rng.poisson(np.where(good, 10.0 + 30.0 * arm, 10.0)).astype(float) + 1
        crash = rng.binomial(opens.astype(int), np.where(good, 0.02, 0.2) * (1 + 0.15 * arm))
        rows.append(four(crash.astype(float), opens))
        inside.append(good)
    slices = {
        Slice((("device", "new"),)): inside,
        Slice((("device", "old"),)): [~i for i in inside],
    }
    made = plan(guardrails={"crash_rate": "2%"})
    seen = inputs(cells("crash_rate", *rows, slices=slices))
    (found,) = paradoxes(made, seen)
    assert "the launch moved where it happens" in found.claim
    assert breadth.read(made, seen).stance is not Stance.FOR
