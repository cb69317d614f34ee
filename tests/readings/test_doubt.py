"""Tests of the measurement itself; a failing one stops the verdict."""

from __future__ import annotations

from typing import Any

import pytest

from octad.model.finding import Stance
from octad.model.inputs import History, Inputs
from octad.readings import doubt
from tests.readings.made import (
    cells,
    counts,
    exposure,
    found,
    four,
    inputs,
    plan,
    volume,
)


@pytest.mark.parametrize(
    ("treatment", "trust", "stance"),
    [
        (10_050, "holds", Stance.FOR),
        (10_400, "warns", Stance.MIXED),
        (10_700, "fails", Stance.AGAINST),
    ],
)
def test_the_sample_ratio(treatment: int, trust: str, stance: Stance) -> None:
    answer = doubt.read(plan(), inputs(exposure=exposure(10_000, treatment)))
    assert found(answer, "doubt.sample_ratio").trust == trust
    assert answer.stance is stance


def test_a_planned_split_is_held_to() -> None:
    seen = inputs(exposure=exposure(18_000, 2_000))
    fair = doubt.read(plan(), seen)
    meant = doubt.read(plan(split={"control": 0.9, "treatment": 0.1}), seen)
    assert found(fair, "doubt.sample_ratio").trust == "fails"
    assert found(meant, "doubt.sample_ratio").trust == "holds"


@pytest.mark.parametrize(("before", "trust"), [(10.0, "holds"), (11.0, "fails")])
def test_the_arms_before_exposure(before: float, trust: str) -> None:
    made = cells(
        "opens",
        four(counts(10, 1), x=counts(10, 3)),
        four(counts(10, 2), x=counts(before, 4)),
        paired=True,
    )
    assert found(doubt.read(plan(), inputs(made)), "doubt.pre").trust == trust


def test_lost_logging_in_one_arm_is_named_by_its_day() -> None:
    holds = found(doubt.read(plan(), inputs(volume=volume())), "doubt.gaps")
    assert holds.trust == "holds"
    lost = found(doubt.read(plan(), inputs(volume=volume(lost=9))), "doubt.gaps")
    assert lost.trust == "warns"
    assert "10 Mar 2026" in lost.claim


def test_users_in_two_arms_and_strange_arms_are_said() -> None:
    seen = inputs(exposure=exposure(5_000, 5_000, both=400, strange_arms={"beta": 3}))
    f = found(doubt.read(plan(), seen), "doubt.exposures")
    assert f.trust == "warns"
    assert "'beta'" in f.claim


@pytest.mark.parametrize(("other", "stance"), [(11.0, Stance.FOR), (9.5, Stance.MIXED)])
def test_an_effect_that_hangs_on_a_choice_is_mixed(other: float, stance: Stance) -> None:
    planned = cells("opens", four(counts(10, 1)), four(counts(11, 2)))
    variant = cells("opens", four(counts(10, 1)), four(counts(other, 2)))
    seen = inputs(planned, variants={"opens": {"largest 0.1% cut": variant}})
    assert found(doubt.read(plan(), seen), "doubt.specifications").stance is stance


def test_deviations_from_the_sealed_plan_are_said() -> None:
    seen = inputs(
        exposure=exposure(100, 100), history=History(deviations=("kpi: opens, was payments",))
    )
    assert "was payments" in found(doubt.read(plan(), seen), "doubt.deviations").claim


@pytest.mark.parametrize("seen", [Inputs(), inputs(arms=("everyone",))])
def test_without_a_control_it_is_silent(seen: Inputs) -> None:
    answer = doubt.read(plan(), seen)
    assert answer.stance is Stance.SILENT
    assert answer.missing


def test_a_targeted_launch_is_not_held_to_a_split() -> None:
    design: dict[str, Any] = {"design": {"targeted": "the best customers"}}
    answer = doubt.read(plan(**design), inputs(exposure=exposure(9_000, 1_000)))
    assert not [f for f in answer.findings if f.id == "doubt.sample_ratio"]
