"""Negative controls: what the launch cannot have moved."""

from __future__ import annotations

import pytest

from octad.readings import doubt
from octad.readings.doubt_before import controls, pre_period
from tests.readings.made import cells, counts, four, inputs, plan

PLAN = plan(controls=["payments"])


@pytest.mark.parametrize(("level", "trust"), [(5.0, "holds"), (5.6, "fails")])
def test_a_control_that_moves_fails_trust(level: float, trust: str) -> None:
    seen = inputs(cells("payments", four(counts(5, 1)), four(counts(level, 2))))
    (finding,) = controls(PLAN, seen)
    assert finding.trust == trust
    assert "cannot have moved" in finding.claim
    answer = doubt.read(PLAN, seen)
    assert ("negative controls hold" in answer.summary) == (trust == "holds")


def test_controls_are_compared_before_exposure_too() -> None:
    rows = four(counts(5, 1), x=counts(5, 3)), four(counts(5, 2), x=counts(6, 4))
    (finding,) = pre_period(PLAN, inputs(cells("payments", *rows, paired=True)))
    assert finding.trust == "fails"
    assert "payments" in finding.claim


def test_a_plan_without_controls_is_told_of_them() -> None:
    seen = inputs(cells("payments", four(counts(5, 1)), four(counts(5, 2))))
    made = plan(results={"payments": "1%"})
    assert controls(made, seen) == []
    assert any("controls:" in m for m in doubt.read(made, seen).missing)
    assert not any("controls:" in m for m in doubt.read(PLAN, seen).missing)


def test_needs_name_the_controls() -> None:
    assert "payments" in doubt.needs(PLAN).totals
    assert "payments" in doubt.needs(PLAN).calendar
