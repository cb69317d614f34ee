"""A group for whom the launch does not do what it does for the others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from octad.model.finding import Stance
from octad.model.inputs import History, Inputs, Slice
from octad.readings import breadth
from octad.readings.breadth_left import left_behind
from tests.readings.made import cells, counts, four, inputs, plan

N = 4_000
PLAN = plan(results={"payments": "2%"})


def _inputs(among: float, elsewhere: float, *, seed: int = 3, n: int = N) -> Inputs:
    """Ten devices; the gain among those of device 1, and among all others."""
    device = np.arange(n) % 10
    slices = {Slice((("device", f"d{d}"),)): [device == d] * 2 for d in range(10)}
    gain = np.where(device == 1, among, elsewhere)
    one, two = (counts(5, s, n) for s in (seed, seed + 1))
    return inputs(cells("payments", four(one), four(two + gain), slices=slices))


def test_a_group_that_shares_nothing_of_the_gain_is_named() -> None:
    seen = _inputs(-0.3, 0.6)
    (finding,) = left_behind(PLAN, seen)
    assert finding.segment == {"device": "d1"}
    assert finding.stance is Stance.AGAINST
    assert not finding.harm
    assert finding.claim.startswith("Users whose device is d1 (10% of all) are left behind: ")
    assert "not shown to stay within 2%" in finding.claim
    answer = breadth.read(PLAN, seen)
    assert answer.stance is Stance.AGAINST
    assert "left behind" in answer.summary


@pytest.mark.parametrize(
    ("among", "elsewhere"),
    [
        (0.5, 0.5),  # it gains as the others do
        (0.0, 0.0),  # nobody gains, so nobody is left behind
        (-0.9, 0.1),  # no gain is shown of everyone: that is for the search for harm
        (0.45, 1.2),  # it gains less, but loses nothing
    ],
)
def test_a_group_that_shares_it_is_not(among: float, elsewhere: float) -> None:
    assert left_behind(PLAN, _inputs(among, elsewhere)) == []


def test_a_group_too_small_to_judge_is_not() -> None:
    assert left_behind(PLAN, _inputs(-2.0, 1.0, n=1_500)) == []


def test_only_results_with_a_relative_margin_are_asked() -> None:
    seen = _inputs(-0.3, 0.6)
    assert left_behind(plan(guardrails={"payments": "2%"}), seen) == []
    assert left_behind(plan(results={"payments": "0.1"}), seen) == []
    assert left_behind(PLAN, inputs()) == []


def test_early_looks_share_its_error() -> None:
    seen = _inputs(-0.3, 0.6)
    (finding,) = left_behind(PLAN, seen)
    assert finding.estimate is not None
    assert finding.estimate.p_adjusted is not None
    assert 1e-4 < finding.estimate.p_adjusted < 0.02
    early = replace(seen, final=False, history=History(looks=60))
    assert left_behind(PLAN, early) == []


def test_where_a_loss_is_confirmed_that_is_said_instead() -> None:
    answer = breadth.read(PLAN, _inputs(-1.5, 0.5))
    assert any(f.harm for f in answer.findings)
    assert not any(f.id.startswith("breadth.left") for f in answer.findings)


def test_of_groups_that_all_gain_alike_few_are_named() -> None:
    rng = np.random.default_rng(5)
    named = 0
    for _ in range(300):
        device = np.arange(2_000) % 4
        slices = {Slice((("device", f"d{d}"),)): [device == d] * 2 for d in range(4)}
        rows = [four(rng.poisson(5.0 + arm / 5, 2_000).astype(float)) for arm in (0, 1)]
        named += bool(left_behind(PLAN, inputs(cells("payments", *rows, slices=slices))))
    assert named <= 15  # a fiftieth of 300 is 6; 15 come of chance less than once in a thousand
