"""What users met, and whether the team could have known."""

from __future__ import annotations

import pytest

from octad.model.finding import Stance
from octad.model.inputs import Inputs
from octad.readings import user
from tests.readings.made import errors, found, inputs, plan, walks

CHARTER = {"errors": ["crash"]}


@pytest.mark.parametrize(
    ("treatment", "stance"),
    [([10, 20, 400], Stance.AGAINST), ([10, 20, 110], Stance.MIXED), ([10, 20, 30], Stance.FOR)],
)
def test_errors_by_intensity_of_use(treatment: list[int], stance: Stance) -> None:
    seen = inputs(errors=errors([[10, 20, 30], treatment]))
    assert user.read(plan(charter=CHARTER), seen).stance is stance


def test_the_band_that_meets_it_is_named() -> None:
    seen = inputs(errors=errors([[10, 20, 30], [10, 20, 400]]), walks=walks([5, 5, 5, 0]))
    claim = found(user.read(plan(charter=CHARTER), seen), "user.error.crash").claim
    assert "40%" in claim
    assert "heavy" in claim
    assert "The team itself never met it" in claim


@pytest.mark.parametrize(
    ("staff", "stance"), [([9, 9, 9, 9], Stance.FOR), ([9, 0, 0, 0], Stance.MIXED)]
)
def test_what_the_team_has_walked(staff: list[int], stance: Stance) -> None:
    answer = user.read(plan(), inputs(walks=walks(staff)))
    assert answer.stance is stance
    assert found(answer, "user.walked").stance is stance


def test_without_data_it_is_silent() -> None:
    for seen in (Inputs(), inputs()):
        answer = user.read(plan(), seen)
        assert answer.stance is Stance.SILENT
        assert len(answer.missing) == 2
