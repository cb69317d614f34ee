"""The KPI itself: what it says, how loud the launch was, and how well that noise was liked."""

from __future__ import annotations

from octad.model.finding import (
    Answer,
    Finding,
    Stance,
)
from octad.model.inputs import Inputs
from octad.model.metric import ReviewMetric
from octad.model.needs import Needs
from octad.model.numbers import plain
from octad.model.plan import Plan
from octad.readings.base import ASSUMES, BREAKS, grade_of, missing_metrics
from octad.readings.claims import brief, capital, decider, in_arm, meaning, moved
from octad.readings.judge import by_interval
from octad.readings.loud import liked, loud
from octad.readings.measure import anytime_decides, measure, number_of
from octad.readings.voices import listen

QUESTION = "What does the number say that the team is paid for?"


def needs(plan: Plan) -> Needs:
    """The KPI in every form, and the reviews for how loud and how liked."""
    name = plan.launch.kpi
    if name is None or isinstance(plan.metric(name), ReviewMetric):
        return Needs(reviews=True)
    one = frozenset({name})
    return Needs(totals=one, daily=one, tails=one, variants=one, sliced=one, reviews=True)


def read(plan: Plan, inputs: Inputs) -> Answer:
    """Say what the KPI says; it can never vouch for itself."""
    name = plan.launch.kpi
    noise, lacking = _noise(plan, inputs)
    if name is None:
        return Answer(
            stance=Stance.SILENT,
            question=QUESTION,
            summary="the plan names no KPI",
            findings=tuple(noise),
            missing=("A 'kpi:' in the plan.",),
        )
    if isinstance(plan.metric(name), ReviewMetric):
        return _of_reviews(plan, name, noise, lacking)
    findings: list[Finding] = []
    words: list[str] = []
    stances: list[Stance] = []
    grade = grade_of(plan)
    for arm in range(1, len(inputs.arms)) if len(inputs.arms) > 1 else range(len(inputs.arms)):
        m = measure(plan, inputs, name, arm)
        if m is None:
            continue
        stance = by_interval(m.best, m.sign, anytime=anytime_decides(plan, inputs))
        stances.append(stance)
        words.append(brief(m) + in_arm(inputs, m.arm))
        said = moved(m)
        findings.append(
            Finding(
                id="kpi." + name + (f".{m.arm}" if len(inputs.arms) > 2 else ""),
                claim=f"{capital(said)}{in_arm(inputs, m.arm)}.",
                stance=stance,
                grade=grade,
                metric=name,
                estimate=number_of(m),
                n=m.n,
                method=f"{m.best.method}; {decider(plan, inputs)}; measures "
                f"{meaning(plan.metric(name)) or name}",
                assumes=ASSUMES[grade],
                breaks=BREAKS[grade],
                query_digest=m.query,
            )
        )
    if not findings:
        return Answer(
            stance=Stance.SILENT,
            question=QUESTION,
            summary=inputs.absent.get(name, f"{name} cannot be measured from these sources"),
            findings=tuple(noise),
            missing=missing_metrics(inputs, [name]) or (f"{name}: no estimate was possible.",),
        )
    return Answer(
        stance=stances[0] if len(set(stances)) == 1 else Stance.MIXED,
        question=QUESTION,
        summary=" · ".join([*words, *([_short(noise)] if noise else [])]),
        findings=(*findings, *noise),
    )


def _short(loud: list[Finding]) -> str:
    parts = []
    for f in loud:
        e = f.estimate
        if e is None:
            continue
        if f.id == "kpi.loud":
            # Loud is said only where it is shown to be louder.
            louder = e.low is not None and e.low > 1
            parts.append(f"{'loud: ' if louder else ''}talk ×{plain(e.value, 1)}")
        elif e.control is not None and e.treatment is not None:
            parts.append(f"liked: {plain(e.control, 1)} → {plain(e.treatment, 1)} stars")
    return " · ".join(parts)


def _noise(plan: Plan, inputs: Inputs) -> tuple[list[Finding], str]:
    """How loud and how liked; and what is missing where that cannot be said."""
    talk = listen(plan, inputs)
    if isinstance(talk, str):
        return [], talk
    found = [loud(talk), liked(talk)]
    return [f for f in found if f is not None], ""


def _bare(words: str) -> str:
    """Without the label that stands before it where it is not the KPI."""
    return words.split(": ", 1)[-1]


def _of_reviews(plan: Plan, name: str, noise: list[Finding], lacking: str) -> Answer:
    """A KPI that is read off our own reviews: their stars, or how many there are."""
    metric = plan.metric(name)
    wanted = "kpi.liked" if getattr(metric, "reviews", "") == "stars" else "kpi.loud"
    found = next((f for f in noise if f.id == wanted), None)
    if found is None or found.estimate is None:
        return Answer(
            stance=Stance.SILENT,
            question=QUESTION,
            summary="our own reviews around the launch say too little",
            findings=tuple(noise),
            missing=(
                lacking or "Reviews of our own product with stars, before the launch and after.",
            ),
        )
    e = found.estimate
    nought = 1.0 if wanted == "kpi.loud" else 0.0
    sign = 1 if metric.better == "up" else -1
    low, high = e.low if e.low is not None else nought, e.high if e.high is not None else nought
    stance = Stance.MIXED
    if low > nought or high < nought:
        stance = Stance.FOR if sign * (e.value - nought) > 0 else Stance.AGAINST
    named = found.model_copy(update={"metric": name, "stance": stance})
    return Answer(
        stance=stance,
        question=QUESTION,
        summary=" · ".join(
            words
            for words in (_bare(_short([found])), _short([f for f in noise if f is not found]))
            if words
        ),
        findings=(named, *(f for f in noise if f is not found)),
    )
