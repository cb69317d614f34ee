"""Who and what pays for it?"""

from __future__ import annotations

from octad.model.finding import Answer, Finding, Stance
from octad.model.inputs import Inputs
from octad.model.metric import ReviewMetric
from octad.model.needs import Needs
from octad.model.plan import Plan
from octad.readings.base import missing_metrics
from octad.readings.breadth_guards import guarded, guardrail_words, guardrails, padded
from octad.readings.breadth_left import left_behind
from octad.readings.breadth_paradox import paradoxes
from octad.readings.breadth_picture import picture
from octad.readings.breadth_segments import harm_findings, search, searched_metrics
from octad.readings.judge import Judged, stance_of_states

QUESTION = "Who and what pays for it?"


def needs(plan: Plan) -> Needs:
    """Every guardrail; KPI, results and guardrails by segment; who was exposed when."""
    kpi = plan.launch.kpi
    drawn = {kpi} if kpi and not isinstance(plan.metric(kpi), ReviewMetric) else set()
    return Needs(
        totals=frozenset(guarded(plan)),
        sliced=frozenset({*searched_metrics(plan), *drawn}),
        exposure=True,
    )


def read(plan: Plan, inputs: Inputs) -> Answer:
    """Judge every guardrail, and search all segments known before exposure for harm.

    Against: a guardrail is worse, a harmed segment is confirmed, or one is left behind the others
    and not shown within its margin. For: every guardrail is shown
    within its margin and no segment is harmed. Mixed: a guardrail is unclear, or a sum misleads.
    Silent: there is nothing to judge and nobody to search.
    """
    guards = guarded(plan)
    judged, findings = guardrails(plan, inputs)
    beside = [*padded(plan, inputs, judged), *paradoxes(plan, inputs)]
    segments = harm_findings(plan, inputs, search(plan, inputs))
    harmed = [f for f in segments if f.harm]
    left = [] if harmed else left_behind(plan, inputs)
    refused = _refused(inputs)
    missing = _missing(plan, inputs, segments)
    if not judged and not segments:
        return Answer(
            stance=Stance.SILENT,
            question=QUESTION,
            summary="no guardrail can be measured yet, and no segment searched"
            if guards
            else "no guardrail is named, and no segment could be searched",
            findings=(*beside, *refused),
            missing=missing,
        )
    stance = Stance.AGAINST if harmed or left else stance_of_states([j.state for j in judged])
    if stance is Stance.SILENT or (stance is Stance.FOR and any(f.stance for f in beside)):
        stance = Stance.MIXED
    if stance is Stance.FOR and any(n in inputs.absent or n not in inputs.metrics for n in guards):
        stance = Stance.MIXED
    summary = _summary(plan, inputs, judged, harmed or left)
    return Answer(
        stance=stance,
        question=QUESTION,
        summary=summary or segments[-1].claim.split(". ")[0].rstrip("."),
        findings=(
            *harmed,
            *left,
            *findings,
            *beside,
            *(f for f in segments if not f.harm),
            *picture(plan, inputs),
            *refused,
        ),
        missing=missing,
    )


def _missing(plan: Plan, inputs: Inputs, segments: list[Finding]) -> tuple[str, ...]:
    guards = guarded(plan)
    missing = list(missing_metrics(inputs, list(guards)))
    if not guards:
        missing.append("A 'guardrails:' in the plan: what must not get worse, and by how much.")
    if not segments and not searched_metrics(plan):
        missing.append("A 'results:' or 'guardrails:' in the plan, to search segments for harm in.")
    elif not segments:
        missing.append(
            "Attributes of users known before exposure, to see who pays: a users source, or use "
            "before exposure."
        )
    return tuple(missing)


def _summary(plan: Plan, inputs: Inputs, judged: list[Judged], harmed: list[Finding]) -> str:
    words = [f.claim.rstrip(".") for f in harmed[:1]]
    return " · ".join([*words, *guardrail_words(plan, inputs, judged)])


def _refused(inputs: Inputs) -> list[Finding]:
    return [
        Finding(
            id=f"breadth.refused.{name}",
            claim=f"'{name}' is refused as a segment: {why}.",
            method="segments must be known before exposure",
            assumes="",
            breaks="",
        )
        for name, why in inputs.refused_segments.items()
    ]
