"""The KPI itself: what it says, how loud the launch was, and how well that noise was liked."""

from __future__ import annotations

import numpy as np

from octad.model.finding import (
    Answer,
    Bars,
    Curve,
    CurveLine,
    Evidence,
    Finding,
    Grade,
    Number,
    Stance,
)
from octad.model.inputs import Inputs, Reviews
from octad.model.metric import ReviewMetric
from octad.model.needs import Needs
from octad.model.numbers import plain
from octad.model.plan import Everyone, Plan
from octad.readings.base import (
    ASSUMES,
    BREAKS,
    anytime_decides,
    by_interval,
    grade_of,
    measure,
    missing_metrics,
    number_of,
)
from octad.readings.claims import brief, decider, in_arm, meaning, moved

QUESTION = "What does the number say that the team is paid for?"
_DAYS = 28
_FEWEST = 20


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
    loud = _loud(plan, inputs)
    if name is None:
        return Answer(
            stance=Stance.SILENT,
            question=QUESTION,
            summary="the plan names no KPI",
            findings=tuple(loud),
            missing=("A 'kpi:' in the plan.",),
        )
    if isinstance(plan.metric(name), ReviewMetric):
        return _of_reviews(plan, name, loud)
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
                claim=f"{said[:1].upper()}{said[1:]}{in_arm(inputs, m.arm)}.",
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
            findings=tuple(loud),
            missing=missing_metrics(inputs, [name]) or (f"{name}: no estimate was possible.",),
        )
    summary = " · ".join([*words, *(f.claim.rstrip(".").lower() for f in loud)])
    return Answer(
        stance=stances[0] if len(set(stances)) == 1 else Stance.MIXED,
        question=QUESTION,
        summary=summary if not loud else " · ".join([*words, _short(loud)]),
        findings=(*findings, *loud),
    )


def _short(loud: list[Finding]) -> str:
    parts = []
    for f in loud:
        e = f.estimate
        if e is None:
            continue
        if f.id == "kpi.loud":
            parts.append(f"loud: talk ×{plain(e.value, 1)}")
        elif e.control is not None and e.treatment is not None:
            parts.append(f"liked: {plain(e.control, 1)} → {plain(e.treatment, 1)} stars")
    return " · ".join(parts)


def launch_day(plan: Plan) -> np.datetime64 | None:
    """The day the launch began, if the plan says."""
    design = plan.launch.design
    day = design.everyone if isinstance(design, Everyone) else plan.launch.starts
    return None if day is None else np.datetime64(day, "s")


def _windows(reviews: Reviews, start: np.datetime64) -> tuple[np.ndarray, np.ndarray, float]:
    """Own reviews in the 28 days before and after, and how many days after there are."""
    width = np.timedelta64(_DAYS, "D")
    ours = reviews.ours & ~reviews.deleted
    before = ours & (reviews.time >= start - width) & (reviews.time < start)
    after = ours & (reviews.time >= start) & (reviews.time < start + width)
    last = reviews.time.max() if len(reviews.time) else start
    days = float(np.clip((last - start) / np.timedelta64(1, "D"), 1.0, _DAYS))
    return before, after, days


def _loud(plan: Plan, inputs: Inputs) -> list[Finding]:
    start, reviews = launch_day(plan), inputs.reviews
    if start is None or reviews is None:
        return []
    before, after, days = _windows(reviews, start)
    if before.sum() < _FEWEST or after.sum() < _FEWEST:
        return []
    ratio = float((after.sum() / days) / (before.sum() / _DAYS))
    error = float(np.sqrt(1 / before.sum() + 1 / after.sum()))
    found = [
        Finding(
            id="kpi.loud",
            claim=f"Talk went to {plain(ratio, 1)} times what it was: {after.sum():,} reviews in "
            f"the {days:.0f} days after the launch, {before.sum():,} in the {_DAYS} before.",
            grade=Grade.T,
            estimate=Number(
                value=ratio,
                low=ratio * float(np.exp(-1.96 * error)),
                high=ratio * float(np.exp(1.96 * error)),
                level=0.95,
                unit="times",
            ),
            n=int(before.sum() + after.sum()),
            method="ratio of reviews a day; interval as for independent counts (Poisson)",
            assumes=ASSUMES[Grade.T],
            breaks=BREAKS[Grade.T],
            evidence=(_by_day(reviews, start),),
        )
    ]
    stars = _stars(reviews, before, after)
    return [*found, stars] if stars is not None else found


def _by_day(reviews: Reviews, start: np.datetime64) -> Curve:
    offset = np.floor((reviews.time - start) / np.timedelta64(1, "D")).astype(int)
    inside = reviews.ours & ~reviews.deleted & (offset >= -_DAYS) & (offset < _DAYS)
    days = np.arange(-_DAYS, min(_DAYS, int(offset.max(initial=0)) + 1))
    counts = np.bincount(offset[inside] + _DAYS, minlength=2 * _DAYS)[: len(days)]
    return Curve(
        title="Our reviews by day",
        x_label="days from the launch",
        y_label="reviews",
        x=tuple(int(d) for d in days),
        lines=(CurveLine(name="reviews a day", y=tuple(float(c) for c in counts)),),
        mark=0,
    )


def _stars(reviews: Reviews, before: np.ndarray, after: np.ndarray) -> Finding | None:
    rated = np.isfinite(reviews.rating)
    one, two = reviews.rating[before & rated], reviews.rating[after & rated]
    if len(one) < _FEWEST or len(two) < _FEWEST:
        return None
    difference = float(two.mean() - one.mean())
    se = float(np.sqrt(one.var(ddof=1) / len(one) + two.var(ddof=1) / len(two)))
    evidence: tuple[Evidence, ...] = (
        Bars(
            title="Stars before and after",
            y_label="share of reviews",
            labels=tuple(f"{s} ★" for s in range(1, 6)),
            groups={
                "before": tuple(float((np.rint(one) == s).mean()) for s in range(1, 6)),
                "after": tuple(float((np.rint(two) == s).mean()) for s in range(1, 6)),
            },
            percent=True,
        ),
    )
    return Finding(
        id="kpi.liked",
        claim=f"The reviews' stars went from {plain(float(one.mean()), 1)} to "
        f"{plain(float(two.mean()), 1)}.",
        grade=Grade.T,
        estimate=Number(
            value=difference,
            low=difference - 1.96 * se,
            high=difference + 1.96 * se,
            level=0.95,
            unit="stars",
            se=se,
            control=float(one.mean()),
            treatment=float(two.mean()),
        ),
        n=len(one) + len(two),
        method="difference of means, Welch's error",
        assumes=ASSUMES[Grade.T],
        breaks=BREAKS[Grade.T],
        evidence=evidence,
    )


def _of_reviews(plan: Plan, name: str, loud: list[Finding]) -> Answer:
    """A KPI that is read off our own reviews: their stars, or how many there are."""
    metric = plan.metric(name)
    wanted = "kpi.liked" if getattr(metric, "reviews", "") == "stars" else "kpi.loud"
    found = next((f for f in loud if f.id == wanted), None)
    lacking = (
        f"At least {_FEWEST} of our own reviews in the {_DAYS} days before the launch, and as many "
        "after."
    )
    if found is None or found.estimate is None:
        return Answer(
            stance=Stance.SILENT,
            question=QUESTION,
            summary="too few reviews on one side of the launch",
            findings=tuple(loud),
            missing=(lacking,),
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
        summary=f"{name}: {_short(loud)}",
        findings=(named, *(f for f in loud if f is not found)),
    )
