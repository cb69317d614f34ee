"""Every guardrail: within its margin, beyond it, or not to be seen yet, and then from when."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from octad.model.base import Margin
from octad.model.finding import Evidence, Finding, Stance, State, Table
from octad.model.inputs import Inputs
from octad.model.metric import MeanMetric, Metric, RatioMetric, ReturnsMetric, ReviewMetric
from octad.model.numbers import count, day
from octad.model.plan import Plan
from octad.readings.base import ASSUMES, BREAKS, grade_of, percent_text, signed_percent
from octad.readings.claims import brief, capital, finding_of, forest, in_arm, spoken
from octad.readings.judge import Judged, judge
from octad.readings.measure import effect_number, per_user
from octad.stats.effects import compare
from octad.stats.noninferiority import against_margin
from octad.stats.power import days_needed
from octad.stats.refusal import NotEstimable

__all__ = ["Sight", "guarded", "guardrail_words", "guardrails", "padded", "sight"]

_CLOSED = 2
"""Days without a new user after which enrolment counts as over."""


@dataclass(frozen=True, slots=True)
class Sight:
    """When a margin that cannot be seen yet could be.

    Attributes:
        users: How many more users it takes.
        on: The day, if enrolment goes on as it does; None when it never comes, or has ended.
        words: A sentence that says so.
    """

    users: int
    on: date | None
    words: str


def guarded(plan: Plan) -> dict[str, Margin]:
    """The guardrails that are measured on users."""
    guards = plan.launch.guardrails
    return {n: m for n, m in guards.items() if not isinstance(plan.metric(n), ReviewMetric)}


def guardrails(plan: Plan, inputs: Inputs) -> tuple[list[Judged], list[Finding]]:
    """Judge every guardrail against its margin.

    Returns:
        The judgements, and a finding for each, in the same order.
    """
    guards = guarded(plan)
    if not guards:
        return [], []
    judged = judge(plan, inputs, guards, one_sided=plan.launch.rules.guardrail_error)
    sights = [sight(plan, inputs, j) for j in judged]
    found = []
    for j, seen in zip(judged, sights, strict=True):
        f = finding_of(plan, inputs, "breadth", j, guards[j.measured.metric])
        if seen is not None:
            claim = f.claim.replace("not clear;", "cannot see;")
            name = spoken(j.measured.metric)
            f = f.model_copy(
                update={
                    "claim": f"{claim} {capital(seen.words)}.",
                    "decides": f"{name}: {seen.words}",
                }
            )
        elif _beyond(plan, j):
            claim = f.claim.replace(
                "worse, and the loss is not shown to stay within", "shown to be worse by more than"
            )
            f = f.model_copy(update={"claim": claim})
        found.append(f)
    if len(judged) > 1:
        evidence: list[Evidence] = [_table(plan, inputs, judged, sights, guards)]
        chart = forest("Guardrails against control", judged)
        if chart.rows:
            evidence.append(chart)
        found[0] = found[0].model_copy(update={"evidence": (*evidence, *found[0].evidence)})
    return judged, found


def _beyond(plan: Plan, j: Judged) -> bool:
    """Whether the loss is shown to be larger than its margin, by the interval that decides."""
    if j.state is not State.WORSE or j.margin is None:
        return False
    m = j.measured
    margin = plan.launch.guardrails[m.metric]
    effect = m.relative if margin.kind == "relative" else m.absolute
    if effect is None:
        return False
    better = plan.metric(m.metric).better
    shown = against_margin(effect, j.margin, better, plan.launch.rules.guardrail_error)
    return shown.beyond_anytime if m.early else shown.beyond


def _window(metric: Metric) -> float:
    """Days after exposure before a user is counted."""
    span = metric.between[1] if isinstance(metric, ReturnsMetric) else metric.window
    return 0.0 if span is None else span / timedelta(days=1)


def sight(plan: Plan, inputs: Inputs, j: Judged) -> Sight | None:
    """When an unclear guardrail could be told, at the pace at which users come.

    The number of users is the one that shows a true zero to be within the margin four times out
    of five; the pace is that of the last week, and its fall is carried on.

    Returns:
        None when the guardrail is not unclear, or nothing says how many users it takes.
    """
    m, exposure = j.measured, inputs.exposure
    if j.state is not State.UNCLEAR or j.needed is None or not math.isfinite(j.needed):
        return None
    wanted = math.ceil(max(j.needed, 1.0) * m.n)
    more = max(0, wanted - m.n)
    if j.needed <= 1:
        words = "this many users would usually be enough; the data lie near the margin"
        return Sight(0, None, words)
    if exposure is None or not len(exposure.days) or inputs.as_of is None:
        return Sight(more, None, f"it takes about {count(wanted)} users, {count(more)} more")
    first = exposure.days[0].astype("datetime64[D]")
    place = (exposure.days.astype("datetime64[D]") - first).astype(int)
    arm = inputs.arms.index(m.arm) if m.arm in inputs.arms else 0
    sides = [0, arm] if arm else [0]
    daily = np.bincount(place, weights=exposure.by_day[:, sides].sum(axis=1).astype(float))
    today = inputs.as_of.date()
    begun = date.fromisoformat(str(first))
    closed = (today - begun).days - len(daily) + 1 > _CLOSED
    wait = _window(plan.metric(m.metric))
    days = days_needed(float(wanted), daily, wait)
    rate = float(daily[-7:].mean())
    pace = f"the pace of {count(round(rate))} new users a day"
    if days is None:
        words = (
            f"it takes about {count(wanted)} users, and at the rate at which new ones fall off "
            "that many never come"
        )
        return Sight(more, None, words)
    if closed:
        extra = max(1, days - len(daily) - math.ceil(wait))
        after = f" and {math.ceil(wait)} days of waiting" if wait else ""
        words = (
            f"enrolment has ended; at its last {pace.removeprefix('the ')} it takes about {extra} "
            f"more {'day' if extra == 1 else 'days'} of it{after}"
        )
        return Sight(more, None, words)
    on = begun + timedelta(days=days)
    left = max(1, (on - today).days)
    words = (
        f"at {pace} it could be seen from {day(on, beside=today)}, in {left} "
        f"{'day' if left == 1 else 'days'}"
    )
    return Sight(more, on, words)


_WORDS = {
    State.BETTER: "better",
    State.WITHIN: "within its margin",
    State.WORSE: "worse; how far is not clear",
    State.UNCLEAR: "cannot see",
}


def _table(
    plan: Plan,
    inputs: Inputs,
    judged: list[Judged],
    sights: list[Sight | None],
    guards: dict[str, Margin],
) -> Table:
    rows = []
    for j, seen in zip(judged, sights, strict=True):
        m = j.measured
        when = "" if seen is None else "not at this pace"
        if seen is not None and seen.on is not None:
            when = day(seen.on)
        rows.append(
            (
                f"{spoken(m.metric)}{in_arm(inputs, m.arm)}",
                brief(m).removeprefix(spoken(m.metric)).strip(),
                str(guards[m.metric]),
                "beyond it" if _beyond(plan, j) else _WORDS[j.state],
                when,
            )
        )
    return Table(
        title="What each guardrail shows",
        columns=("guardrail", "change", "margin", "what is shown", "could be seen from"),
        rows=tuple(rows),
    )


def guardrail_words(plan: Plan, inputs: Inputs, judged: list[Judged]) -> list[str]:
    """Each guardrail in a few words, for the glance."""
    words = []
    for j in judged:
        m = j.measured
        arm = in_arm(inputs, m.arm)
        if j.state is State.WITHIN:
            words.append(f"{spoken(m.metric)} within its margin{arm}")
        elif j.state is State.UNCLEAR:
            seen = sight(plan, inputs, j)
            until = ""
            if seen is not None and seen.on is not None and inputs.as_of is not None:
                until = f" before {day(seen.on, beside=inputs.as_of.date())}"
            margin = plan.launch.guardrails[m.metric]
            words.append(f"{spoken(m.metric)}: not shown within {margin}{until}{arm}")
        elif _beyond(plan, j):
            words.append(f"{brief(m)}, beyond its margin{arm}")
        else:
            words.append(f"{brief(m)}{arm}")
    return words


def padded(plan: Plan, inputs: Inputs, judged: list[Judged]) -> list[Finding]:
    """Ratios whose denominator the launch moved, with their numerator per user beside them.

    A crash rate falls when openings are padded, without one crash fewer.
    """
    found = []
    alpha = 1 - plan.launch.rules.level
    for j in judged:
        m = j.measured
        cells = inputs.metrics[m.metric]
        metric = plan.metric(m.metric)
        if not isinstance(metric, RatioMetric | MeanMetric) or len(inputs.arms) < 2:
            continue
        arms = [cells.moments[0, a].total(0) for a in (0, inputs.arms.index(m.arm))]
        try:
            below = compare(*(per_user(a, denominator=True) for a in arms))
            above = compare(*(per_user(a) for a in arms))
        except NotEstimable:
            continue
        if below.p > alpha:
            continue
        worse = m.sign * above.value < 0 and above.p <= alpha
        what = " or ".join(metric.ratio[0] if isinstance(metric, RatioMetric) else metric.of)
        under = (
            " or ".join(metric.ratio[1]) if isinstance(metric, RatioMetric) else f"{what} events"
        )
        grade = grade_of(plan)
        found.append(
            Finding(
                id=f"breadth.{m.metric}.per_user" + (f".{m.arm}" if len(inputs.arms) > 2 else ""),
                claim=f"{capital(spoken(m.metric))} is a rate whose base the launch moved: {under} "
                f"per user {signed_percent(below.value)}. Per user, {what} went "
                f"{percent_text(above.value, above.low, above.high)}"
                f"{in_arm(inputs, m.arm)}.",
                stance=Stance.MIXED if worse else None,
                grade=grade,
                metric=m.metric,
                estimate=effect_number(above),
                n=m.n,
                method="the ratio's numerator and denominator, each as a mean per user",
                assumes=ASSUMES[grade],
                breaks=BREAKS[grade],
                query_digest=m.query,
            )
        )
    return found
