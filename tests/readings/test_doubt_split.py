"""The split in all, on each day, in each segment; and who is left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from octad.model.finding import Curve
from octad.model.inputs import Exposure, Inputs
from octad.readings import doubt
from octad.readings.doubt_split import sample_ratios
from tests.readings.made import exposure, found, inputs, plan


def _days(treated: list[int], of: int = 1_000) -> Exposure:
    by_day = np.array([[of - n, n] for n in treated])
    days = np.datetime64("2026-03-01") + np.arange(len(treated))
    return Exposure(by_day.sum(axis=0), days, by_day)


def _parts(seen: Inputs) -> tuple[str, str | None]:
    finding = next(f for f in sample_ratios(plan(), seen) if f.id == "doubt.sample_ratio.parts")
    return finding.claim, finding.trust


def test_a_day_that_breaks_is_named_though_the_whole_holds() -> None:
    seen = inputs(exposure=_days([500, 505, 600, 400, 495, 500]))
    whole = next(f for f in sample_ratios(plan(), seen) if f.id == "doubt.sample_ratio")
    assert whole.trust == "holds"
    claim, trust = _parts(seen)
    assert trust == "fails"
    assert "on 3 Mar 2026" in claim or "on 4 Mar 2026" in claim
    assert "1 other part" in claim


def test_a_segment_that_breaks_is_named() -> None:
    sizes = np.array([[2_000, 2_010], [1_000, 700], [1_500, 1_490]])
    made = exposure(4_500, 4_200, by_attribute={"app": (("ios", "web", "android"), sizes)})
    claim, trust = _parts(inputs(exposure=made))
    assert trust == "fails"
    assert "where app is web" in claim


def test_parts_that_hold_are_counted_and_drawn() -> None:
    seen = inputs(exposure=_days([500, 505, 490, 510]))
    finding = sample_ratios(plan(), seen)[1]
    assert finding.trust == "holds"
    assert "each of 4 days" in finding.claim
    assert isinstance(finding.evidence[0], Curve)


def test_tiny_parts_and_one_part_alone_are_not_judged() -> None:
    sizes = np.array([[3, 9], [2, 1]])
    made = exposure(4_500, 4_500, by_attribute={"app": (("ios", "web"), sizes)})
    assert [f.id for f in sample_ratios(plan(), inputs(exposure=made))] == ["doubt.sample_ratio"]


def test_a_split_that_was_opened_by_steps_is_held_to_the_plan() -> None:
    seen = inputs(exposure=_days([100, 100, 500, 500]))
    assert {f.trust for f in sample_ratios(plan(), seen)} == {"fails"}


def test_a_broken_part_makes_doubt_speak_against() -> None:
    seen = inputs(exposure=_days([500, 505, 620, 380, 495, 500]))
    answer = doubt.read(plan(), seen)
    assert answer.stance.value == "against"
    assert "sample ratio" not in answer.summary.replace("sample ratio, ", "")
    assert found(answer, "doubt.sample_ratio.parts").trust == "fails"


@pytest.mark.parametrize("design", [{"design": {"targeted": "the best customers"}}])
def test_only_a_dealt_split_is_held_to_its_shares(design: dict[str, Any]) -> None:
    seen = inputs(exposure=_days([900, 905, 910]))
    assert sample_ratios(plan(**design), seen) == []
