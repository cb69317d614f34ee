"""Results against their margins, and where the KPI's gain came from."""

from __future__ import annotations

import numpy as np
import pytest

from octad.model.finding import Stance, State
from octad.model.inputs import Inputs, Slice
from octad.readings import results
from tests.readings.made import N, cells, counts, found, four, inputs, plan, tail


@pytest.mark.parametrize(
    ("level", "margin", "state", "stance"),
    [
        (10.8, "1%", State.BETTER, Stance.FOR),
        (10.0, "5%", State.WITHIN, Stance.FOR),
        (9.95, "0.5%", State.UNCLEAR, Stance.MIXED),
        (9.0, "1%", State.WORSE, Stance.AGAINST),
    ],
)
def test_each_state_against_its_margin(
    level: float, margin: str, state: State, stance: Stance
) -> None:
    seen = inputs(cells("payments", four(counts(10, 1)), four(counts(level, 2))))
    answer = results.read(plan(results={"payments": margin}), seen)
    assert answer.stance is stance
    assert found(answer, "results.payments").state is state
    assert found(answer, "results.payments").harm is (state is State.WORSE)


def test_a_loss_that_is_shown_but_tolerable_is_within() -> None:
    seen = inputs(cells("payments", four(counts(10, 1)), four(counts(9.8, 2))))
    answer = results.read(plan(results={"payments": "5%"}), seen)
    assert found(answer, "results.payments").state is State.WITHIN


def test_the_kpi_and_the_results_part_ways() -> None:
    up = cells("opens", four(counts(10, 1)), four(counts(11, 2)))
    down = cells("payments", four(counts(5, 3)), four(counts(4.5, 4)))
    answer = results.read(plan(results={"payments": "1%"}), inputs(up, down))
    assert found(answer, "results.parting").stance is Stance.AGAINST


def test_a_difference_of_one_user_is_named() -> None:
    base = counts(5, 1)
    whale = base.copy()
    whale[0] = 4_000.0
    seen = inputs(
        cells("opens", four(base), four(whale)),
        cells("payments", four(counts(5, 2)), four(counts(5, 3))),
        tails={"opens": tail("opens", base, whale)},
    )
    claim = found(results.read(plan(results={"payments": "9%"}), seen), "results.few_users").claim
    assert "whole difference is one user" in claim
    assert "4,000" in claim


def test_a_gain_of_all_users_is_not_laid_on_a_few() -> None:
    one, two = counts(5, 1), counts(6, 2)
    seen = inputs(
        cells("opens", four(one), four(two)),
        cells("payments", four(one), four(one)),
        tails={"opens": tail("opens", one, two)},
    )
    answer = results.read(plan(results={"payments": "9%"}), seen)
    assert not [f for f in answer.findings if f.id == "results.few_users"]


def test_a_gain_of_new_users_is_named() -> None:
    new = np.arange(N) % 5 == 0
    treatment = counts(5, 2) + np.where(new, 5.0, 0.0)
    slices = {
        Slice((("first seen", "within the week before"),)): [new, new],
        Slice((("first seen", "a week or more before"),)): [~new, ~new],
    }
    seen = inputs(
        cells("opens", four(counts(5, 1)), four(treatment), slices=slices),
        cells("payments", four(counts(5, 3)), four(counts(5, 4))),
    )
    answer = results.read(plan(results={"payments": "9%"}), seen)
    assert "20% of all" in found(answer, "results.new_users").claim


@pytest.mark.parametrize("seen", [Inputs(), inputs()])
def test_without_data_it_is_silent(seen: Inputs) -> None:
    for p in (plan(), plan(results={"payments": "1%"})):
        answer = results.read(p, seen)
        assert answer.stance is Stance.SILENT
        assert answer.missing


def test_a_result_that_is_missing_is_never_for() -> None:
    seen = inputs(cells("payments", four(counts(10, 1)), four(counts(11, 2))))
    answer = results.read(plan(results={"payments": "1%", "crash_rate": "1%"}), seen)
    assert answer.stance is Stance.MIXED
    assert any("crash_rate" in m for m in answer.missing)


def test_holm_keeps_twenty_nulls_quiet() -> None:
    names = {f"m{i}": {"count": "e"} for i in range(20)}
    rng = np.random.default_rng(8)
    made = [cells(n, four(rng.normal(10, 3, 400)), four(rng.normal(10, 3, 400))) for n in names]
    answer = results.read(plan(names, kpi="m0", results=dict.fromkeys(names, "1%")), inputs(*made))
    states = {f.state for f in answer.findings if f.state}
    assert states <= {State.UNCLEAR, State.WITHIN}
    assert answer.stance is Stance.MIXED
