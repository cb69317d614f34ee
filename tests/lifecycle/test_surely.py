"""Harm sure enough to roll back by, and harm that only holds back."""

from __future__ import annotations

import numpy as np
import pytest

from octad.lifecycle.surely import ERROR, borne, surely
from octad.lifecycle.verdict import decide
from octad.model.finding import Answer, Finding, Grade, Number, Stance, State
from octad.model.plan import Launch, Plan, Project
from octad.model.review import READINGS, Verdict


def plan_of(*results: str) -> Plan:
    """A plan with these results and one guardrail."""
    metrics = {name: {"count": name} for name in ("opens", "payments", "retained", "crashes")}
    project = Project.model_validate({"product": "P", "sources": {}, "metrics": metrics})
    launch = {
        "launch": "x",
        "arms": {"control": "off", "treatment": "on"},
        "kpi": "opens",
        "results": dict.fromkeys(results, "1%"),
        "guardrails": {"crashes": "2%"},
    }
    return Plan(project=project, launch=Launch.model_validate(launch))


def harm(
    name: str,
    p: float,
    *,
    segment: bool = False,
    bounds: tuple[float, float] | None = None,
) -> Finding:
    """A finding of harm whose family-corrected p is given."""
    low, high = bounds if bounds is not None else (None, None)
    return Finding(
        id=f"{'breadth.harmed.1' if segment else 'results'}.{name}",
        claim=f"{name} fell.",
        stance=Stance.AGAINST,
        grade=Grade.A,
        metric=name,
        segment={"region": "north"} if segment else None,
        state=None if segment else State.WORSE,
        harm=True,
        estimate=Number(
            value=-0.02,
            level=0.95,
            relative=True,
            p_adjusted=p,
            anytime_low=low,
            anytime_high=high,
        ),
    )


SEARCHED = Finding(id="breadth.segments", claim="Segments were searched.")


def test_a_clear_loss_is_sure_and_one_at_five_per_cent_is_not() -> None:
    plan = plan_of("payments")
    clear, faint = harm("payments", 0.0001), harm("payments", 0.03)
    assert surely(plan, [clear, SEARCHED], early=False, looks=1) == [clear]
    assert surely(plan, [faint, SEARCHED], early=False, looks=1) == []


def test_families_that_were_looked_at_count_though_nothing_was_found_in_them() -> None:
    plan = plan_of("payments")
    # One-sided .01: under 2% alone, over it times two families.
    edge = harm("payments", 0.02 + 1e-9)
    assert surely(plan, [edge], early=False, looks=1) == []
    sure = harm("payments", 0.019)
    assert surely(plan, [sure], early=False, looks=1) == [sure]
    assert surely(plan, [sure, SEARCHED], early=False, looks=1) == []


def test_what_is_sure_helps_what_is_less_so() -> None:
    plan = plan_of("payments")
    segment, result = harm("payments", 0.0001, segment=True), harm("payments", 0.019)
    assert surely(plan, [segment, result, SEARCHED], early=False, looks=1) == [segment, result]


def test_an_early_look_is_judged_by_the_anytime_interval() -> None:
    plan = plan_of("payments")
    near = harm("payments", 1e-9, bounds=(-0.045, -0.001))
    far = harm("payments", 1e-9, bounds=(-0.03, -0.01))
    assert surely(plan, [near], early=True, looks=1) == []
    assert surely(plan, [far], early=True, looks=1) == [far]
    assert surely(plan, [harm("payments", 1e-9)], early=True, looks=1) == []


def test_early_segments_spend_less_at_every_look() -> None:
    plan = plan_of("payments")
    found = harm("payments", 0.0005, segment=True)
    assert surely(plan, [found], early=True, looks=1) == [found]
    assert surely(plan, [found], early=True, looks=9) == []


def test_harmless_launches_are_seldom_sure_harm() -> None:
    """Three families of normal tests, simulated with nothing harmed: the error is kept."""
    plan, rng = plan_of("payments", "retained"), np.random.default_rng(5)
    runs, wrong = 4000, 0
    for _ in range(runs):
        # Smallest p of two, of one and of a search, corrected in its family; half the time a gain.
        found = [
            harm("payments", min(1.0, 2 * float(rng.uniform(size=2).min()))),
            harm("crashes", float(rng.uniform())),
        ]
        found = [f for f in found if rng.random() < 0.5]
        found.append(harm("payments", float(rng.uniform()), segment=True))
        wrong += bool(surely(plan, [*found, SEARCHED], early=False, looks=1))
    # Three standard errors of 4,000 runs above the error promised.
    assert wrong / runs <= ERROR + 3 * np.sqrt(ERROR * (1 - ERROR) / runs)
    assert wrong > 0


@pytest.mark.parametrize(("p", "verdict"), [(0.0001, Verdict.ROLL_BACK), (0.04, Verdict.HOLD)])
def test_what_is_not_sure_holds_and_says_why(p: float, verdict: Verdict) -> None:
    silent = Answer(stance=Stance.SILENT, question="?")
    answers = dict.fromkeys(READINGS, silent)
    answers["results"] = Answer(
        stance=Stance.AGAINST, question="?", findings=(harm("payments", p),)
    )
    kpi = Answer(stance=Stance.FOR, question="?")
    outcome = decide(plan_of("payments"), kpi, answers)
    assert outcome.verdict is verdict
    assert any("not so surely" in said for said in outcome.because) is (verdict is Verdict.HOLD)


def sized(
    margin: str,
    value: float,
    *,
    better: str = "up",
    relative: bool = True,
    control: float | None = None,
    segment: bool = False,
) -> tuple[Plan, Finding]:
    """A plan whose only result has this margin, and a harm of that size which is beyond doubt."""
    metrics = {"opens": {"count": "open"}, "payments": {"count": "pay", "better": better}}
    project = Project.model_validate({"product": "P", "sources": {}, "metrics": metrics})
    launch = {
        "launch": "x",
        "arms": {"control": "off", "treatment": "on"},
        "kpi": "opens",
        "results": {"payments": margin},
    }
    found = harm("payments", 1e-9, segment=segment)
    estimate = Number(value=value, relative=relative, control=control, p_adjusted=1e-9)
    plan = Plan(project=project, launch=Launch.model_validate(launch))
    return plan, found.model_copy(update={"estimate": estimate})


@pytest.mark.parametrize(
    ("within", "case"),
    [
        (True, sized("4%", -0.03)),
        (False, sized("4%", -0.05)),
        (False, sized("4%", -0.04)),
        (True, sized("12%", 0.098, better="down")),
        (False, sized("12%", 0.13, better="down")),
        (False, sized("0%", -0.0001)),
        (False, sized("4%", -0.03, segment=True)),
        # A loss of 3% of a level of 0.5 is 1.5 points, and 0.015 of the metric's unit.
        (True, sized("2pp", -0.03, control=0.5)),
        (False, sized("1pp", -0.03, control=0.5)),
        (True, sized("0.02", -0.03, control=0.5)),
        (True, sized("0.02", -0.01, relative=False)),
        (False, sized("0.02", -0.03, relative=False)),
        # What cannot be set beside its margin is not excused by it.
        (False, sized("2pp", -0.03)),
        (False, sized("4%", -0.01, relative=False)),
    ],
)
def test_a_loss_that_the_plan_would_bear_rolls_nothing_back(
    within: bool, case: tuple[Plan, Finding]
) -> None:
    plan, found = case
    assert borne(plan, found) is within
    assert surely(plan, [found], early=False, looks=1) == ([] if within else [found])


def test_what_the_plan_would_bear_holds_and_says_why() -> None:
    plan, found = sized("12%", 0.098, better="down")
    answers = dict.fromkeys(READINGS, Answer(stance=Stance.SILENT, question="?"))
    answers["results"] = Answer(stance=Stance.AGAINST, question="?", findings=(found,))
    outcome = decide(plan, Answer(stance=Stance.FOR, question="?"), answers)
    assert outcome.verdict is Verdict.HOLD
    assert (
        "Payments is shown to be worse, but its best estimate lies within the 12% that the plan "
        "tolerates." in outcome.because
    )
    assert not any("not so surely" in said for said in outcome.because)
