"""What users met, and whether the team could have known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from octad.model.finding import Stance
from octad.model.inputs import Inputs
from octad.readings import user
from tests.readings.made import errors, found, inputs, plan
from tests.readings.ways_kit import ways

CHARTER = {"errors": ["crash"]}


@pytest.mark.parametrize(
    ("treatment", "stance"),
    [([10, 20, 400], Stance.AGAINST), ([10, 20, 110], Stance.MIXED), ([10, 20, 30], Stance.FOR)],
)
def test_errors_by_intensity_of_use(treatment: list[int], stance: Stance) -> None:
    seen = inputs(errors=errors([[10, 20, 30], treatment]))
    assert user.read(plan(charter=CHARTER), seen).stance is stance


def test_the_band_that_meets_it_is_named() -> None:
    seen = inputs(
        errors=errors([[10, 20, 30], [10, 20, 400]], kind="like"), ways=ways([5, 5, 0, 0])
    )
    claim = found(user.read(plan(charter=CHARTER), seen), "user.error.like").claim
    assert "40%" in claim
    assert "heavy" in claim
    assert "The team itself never met it" in claim


@pytest.mark.parametrize(
    ("staff", "stance"), [([9, 9, 9, 9], Stance.FOR), ([9, 0, 0, 0], Stance.MIXED)]
)
def test_what_the_team_has_walked(staff: list[int], stance: Stance) -> None:
    answer = user.read(plan(), inputs(ways=ways(staff)))
    assert answer.stance is stance
    assert found(answer, "user.walked").stance is stance


def test_without_data_it_is_silent() -> None:
    for seen in (Inputs(), inputs()):
        answer = user.read(plan(), seen)
        assert answer.stance is Stance.SILENT
        assert len(answer.missing) == 2


def test_a_team_that_acts_enough_and_never_meets_it_does_something_else() -> None:
    some = replace(ways([5, 5, 0, 0]), team_events=5_000)
    seen = inputs(errors=errors([[10, 20, 30], [10, 20, 400]], kind="like"), ways=some)
    claim = found(user.read(plan(charter=CHARTER), seen), "user.error.like").claim
    assert "the team did 5,000 and did not, so it does not do what they do" in claim


def test_a_team_that_acts_little_is_told_its_chance() -> None:
    seen = inputs(errors=errors([[10, 20, 30], [10, 20, 400]]), ways=ways([5, 5, 5, 5]))
    claim = found(user.read(plan(charter=CHARTER), seen), "user.error.crash").claim
    assert "the team's 500 had a chance of 83%" in claim


def test_what_only_heavy_users_meet_in_both_arms_is_told_and_takes_no_stance() -> None:
    seen = inputs(errors=errors([[10, 60, 400], [10, 60, 400]]), ways=ways([5, 5, 5, 5]))
    answer = user.read(plan(charter=CHARTER), seen)
    heavy = found(answer, "user.heavy.crash")
    assert heavy.stance is None
    assert "40% of" in heavy.claim
    assert "and 1% of" in heavy.claim
    assert "Its chance for each action rises with use" in heavy.claim
    assert answer.stance is Stance.FOR


def test_what_everyone_meets_is_not_what_only_heavy_users_meet() -> None:
    seen = inputs(errors=errors([[300, 350, 400], [300, 350, 400]]))
    answer = user.read(plan(charter=CHARTER), seen)
    assert not [f for f in answer.findings if f.id.startswith("user.heavy")]


def test_signs_of_trouble_are_never_against_by_themselves() -> None:
    signs = errors([[10, 20, 30], [10, 20, 400]], kind="straight back")
    answer = user.read(plan(), inputs(patterns=signs))
    assert answer.stance is Stance.MIXED
    assert "showed “straight back”" in found(answer, "user.sign.straight_back").claim
