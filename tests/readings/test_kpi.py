"""The KPI's own answer: each stance reachable, silent without data, nothing claimed on nulls."""

from __future__ import annotations

import pytest

from octad.model.finding import Grade, Stance
from octad.model.inputs import Inputs
from octad.readings import kpi
from tests.readings.made import cells, counts, found, four, inputs, plan


@pytest.mark.parametrize(
    ("treatment", "stance"), [(11.0, Stance.FOR), (9.0, Stance.AGAINST), (10.0, Stance.MIXED)]
)
def test_it_says_what_the_interval_says(treatment: float, stance: Stance) -> None:
    seen = inputs(cells("opens", four(counts(10, 1)), four(counts(treatment, 2))))
    answer = kpi.read(plan(), seen)
    assert answer.stance is stance
    effect = found(answer, "kpi.opens").estimate
    assert effect is not None
    assert effect.value == pytest.approx(treatment / 10 - 1, rel=1e-9)


def test_less_is_good_where_the_metric_says_so() -> None:
    metrics = {"waits": {"count": "wait", "better": "down"}}
    seen = inputs(cells("waits", four(counts(10, 1)), four(counts(9, 2))))
    assert kpi.read(plan(metrics, kpi="waits"), seen).stance is Stance.FOR


def test_early_the_wider_interval_decides() -> None:
    near = four(counts(10, 1)), four(counts(10.2, 2))
    seen = inputs(cells("opens", *near))
    early = inputs(cells("opens", *near), final=False)
    assert kpi.read(plan(), seen).stance is Stance.FOR
    assert kpi.read(plan(), early).stance is Stance.MIXED


def test_several_treatments_are_each_compared_with_control() -> None:
    arms = {"control": "a", "b": "b", "c": "c"}
    levels = (four(counts(10, 1)), four(counts(11, 2)), four(counts(9, 3)))
    seen = inputs(cells("opens", *levels), arms=("control", "b", "c"))
    answer = kpi.read(plan(arms=arms), seen)
    assert answer.stance is Stance.MIXED
    assert [f.stance for f in answer.findings] == [Stance.FOR, Stance.AGAINST]


def test_a_launch_for_everyone_is_compared_with_its_own_past() -> None:
    after, before = counts(11, 1), counts(10, 2)
    seen = inputs(cells("opens", four(after, x=before), paired=True), arms=("everyone",))
    answer = kpi.read(plan(design={"everyone": "2026-03-01"}, arms=None), seen)
    assert answer.stance is Stance.FOR
    assert found(answer, "kpi.opens").grade is Grade.C


@pytest.mark.parametrize("seen", [Inputs(), inputs(), inputs(absent={"opens": "no window ended"})])
def test_without_data_it_is_silent_and_says_why(seen: Inputs) -> None:
    answer = kpi.read(plan(), seen)
    assert answer.stance is Stance.SILENT
    assert answer.missing


def test_a_constant_metric_claims_nothing() -> None:
    flat = four(counts(10, 1) * 0)
    answer = kpi.read(plan(), inputs(cells("opens", flat, flat)))
    assert answer.stance in (Stance.SILENT, Stance.MIXED)
    assert not [f for f in answer.findings if f.stance in (Stance.FOR, Stance.AGAINST)]
