"""What the launch does to friends: against where it harms, told where it helps, not guessed."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from octad.model.finding import Grade, Stance
from octad.model.inputs import Inputs, Reach
from octad.readings import doubt
from octad.readings.doubt_friends import friends, friends_lack
from octad.stats.spillover import Spillover, TiesByChance, Together
from tests.readings.made import exposure, inputs, plan

CHANCE = TiesByChance(0.3, -0.5, 1.0)
PLAN = plan(kpi="opens", results={"payments": "1%"})


def _spill(relative: float, p: float) -> Spillover:
    low, high = relative - 0.05, relative + 0.04
    return Spillover(
        value=10 * relative,
        se=0.2,
        low=10 * low,
        high=10 * high,
        p=p,
        df=900.0,
        relative=relative,
        relative_low=low,
        relative_high=high,
        sides=(10 * relative, 10 * relative),
        sides_se=(0.3, 0.3),
        n=(1_000, 1_100),
        everyone=relative + 0.01,
        everyone_low=low,
        everyone_high=high,
        direct=0.02,
    )


def _inputs(reach: Reach | None) -> Inputs:
    return inputs(reach=reach, exposure=exposure(1_000, 1_000))


def test_harm_to_friends_speaks_against_the_launch() -> None:
    found = {"payments": _spill(-0.12, 1e-6), "opens": _spill(0.01, 0.6)}
    made = _inputs(Reach(9_000, by_chance=CHANCE, metrics=found))
    shown, calm = friends(PLAN, made)
    assert (shown.id, shown.stance, shown.grade) == (
        "doubt.friends.payments",
        Stance.AGAINST,
        Grade.A,
    )
    assert "payments are 12% lower than with none (−12.0% [−17.0, −8.0]" in shown.claim
    assert "would be −11.0% [−17.0, −8.0], by straight lines" in shown.claim
    assert "the arms alone say +2.0%" in shown.claim
    assert shown.trust is None
    assert not shown.harm
    assert calm.stance is None
    assert "Not shown in the other metrics" in calm.claim
    assert "opens +1.0%" in calm.claim
    answer = doubt.read(PLAN, made)
    assert answer.stance is Stance.AGAINST
    assert "payments are 12% lower than with none" in answer.summary
    assert not any(f.id == "doubt.interference" for f in answer.findings)


def test_help_to_friends_is_said_and_holds_nothing() -> None:
    found = {"payments": _spill(0.12, 1e-6)}
    made = _inputs(Reach(9_000, by_chance=CHANCE, metrics=found))
    (shown,) = friends(PLAN, made)
    assert shown.stance is Stance.MIXED
    assert "is not the whole effect" in shown.claim
    assert doubt.read(PLAN, made).stance is Stance.MIXED


def test_where_less_is_better_a_rise_is_harm() -> None:
    down = plan(metrics={"crashes": {"count": "crash", "better": "down"}}, kpi="crashes")
    found = {"crashes": _spill(0.12, 1e-6)}
    (shown,) = friends(down, _inputs(Reach(9_000, by_chance=CHANCE, metrics=found)))
    assert shown.stance is Stance.AGAINST


@pytest.mark.parametrize(("p", "stance"), [(0.0049, Stance.AGAINST), (0.0051, None)])
def test_the_error_is_that_of_a_lone_veto_over_all_metrics(p: float, stance: Stance | None) -> None:
    found = {"payments": _spill(-0.12, p), "opens": _spill(0.01, 0.6)}
    first = friends(PLAN, _inputs(Reach(9_000, by_chance=CHANCE, metrics=found)))[0]
    assert first.stance is stance
    if stance is None:
        assert first.claim.startswith("Not shown, with an error under 2%,")
        assert "no harm" not in first.claim


def test_looks_before_the_end_share_its_error() -> None:
    found = {"payments": _spill(-0.12, 0.002), "opens": _spill(0.01, 0.6)}
    made = _inputs(Reach(9_000, by_chance=CHANCE, metrics=found))
    first = replace(made, final=False, history=replace(made.history, looks=1))
    third = replace(made, final=False, history=replace(made.history, looks=3))
    assert friends(PLAN, first)[0].stance is Stance.AGAINST
    assert friends(PLAN, third)[0].stance is None
    assert friends(PLAN, third)[0].claim.startswith("Not shown, with an error under 0.14%,")


def test_what_lies_below_none_at_all_is_not_told() -> None:
    nowhere = replace(_spill(-0.12, 1e-6), everyone=math.nan, direct=math.nan)
    reach = Reach(9_000, by_chance=CHANCE, metrics={"payments": nowhere})
    (shown,) = friends(PLAN, _inputs(reach))
    assert shown.claim.endswith("the arms is not the whole effect.")


@pytest.mark.parametrize(("z", "stance"), [(-2.7, Stance.AGAINST), (2.7, Stance.MIXED)])
def test_all_together_may_be_shown_where_none_is_by_itself(z: float, stance: Stance) -> None:
    found = {"payments": _spill(-0.05, 0.02), "opens": _spill(-0.04, 0.02)}
    reach = Reach(9_000, by_chance=CHANCE, metrics=found, together=Together(z, 0.007, 2))
    (shown,) = friends(PLAN, _inputs(reach))
    assert (shown.id, shown.stance) == ("doubt.friends.together", stance)
    assert ("worse" if z < 0 else "better") in shown.claim
    assert "payments −5.0% [−10.0, −1.0], opens −4.0%" in shown.claim
    assert doubt.read(PLAN, _inputs(reach)).stance is stance
    weak = Reach(9_000, by_chance=CHANCE, metrics=found, together=Together(z, 0.011, 2))
    assert friends(PLAN, _inputs(weak))[0].stance is None


@pytest.mark.parametrize("before", [False, True])
def test_ties_made_after_the_launch_tell_nothing(before: bool) -> None:
    found = {"payments": _spill(-0.12, 1e-6)}
    made = TiesByChance(6.0, 0.0, 1e-8)
    reach = Reach(
        9_000,
        by_chance=CHANCE if before else made,
        metrics=found,
        before={"payments": _spill(-0.1, 1e-7)} if before else {},
    )
    (finding,) = friends(PLAN, _inputs(reach))
    assert finding.claim.startswith("The links cannot be used")
    assert (finding.stance, finding.estimate) == (Stance.MIXED, None)
    answer = doubt.read(PLAN, _inputs(reach))
    assert "links cannot be used" in answer.summary
    # The hints are what is left.
    assert any(f.id == "doubt.interference" for f in answer.findings)


def test_without_ties_there_are_only_hints_and_no_nagging() -> None:
    assert friends(PLAN, _inputs(None)) == []
    answer = doubt.read(PLAN, _inputs(None))
    assert any(f.id == "doubt.interference" for f in answer.findings)
    assert not any("links" in line for line in answer.missing)


def test_ties_that_were_not_read_are_named() -> None:
    why = Reach(unread="sources.links is not read with a connection to PostgreSQL")
    assert friends_lack(_inputs(why)) == (
        "The links: sources.links is not read with a connection to PostgreSQL.",
    )
    assert any("PostgreSQL" in line for line in doubt.read(PLAN, _inputs(why)).missing)
    some = _inputs(Reach(9, by_chance=CHANCE, metrics={"payments": "too few users (1)"}))
    assert friends(PLAN, some) == []
    assert friends_lack(some) == ("The links tell nothing yet: too few users (1).",)
    late = _inputs(Reach(late=1_200, unread="none is left"))
    assert friends_lack(late) == (
        "The links: none is left. Left out, since they are from the launch's first day on: 1,200.",
    )
