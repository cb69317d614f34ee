"""What would prove us wrong?"""

from __future__ import annotations

from octad.model.finding import Answer, Finding, Stance
from octad.model.inputs import Inputs
from octad.model.metric import ReviewMetric
from octad.model.needs import Needs
from octad.model.plan import Plan
from octad.readings.against import CASE, case_against
from octad.readings.base import missing_metrics
from octad.readings.doubt_alike import alike
from octad.readings.doubt_before import controls, pre_period
from octad.readings.doubt_friends import friends, friends_lack, through_friends
from octad.readings.doubt_hidden import hidden
from octad.readings.doubt_logging import gaps, vanished
from octad.readings.doubt_looks import deviations, looks
from octad.readings.doubt_reach import interference
from octad.readings.doubt_split import exposures, sample_ratios
from octad.readings.doubt_traces import orphans, silent_hours
from octad.readings.specifications import heavy_tails, specifications

QUESTION = "What would prove us wrong?"


def needs(plan: Plan) -> Needs:
    """Exposure, the past of every metric, events by day and kind, other defensible choices."""
    launch = plan.launch
    names = frozenset(
        n
        for n in (*launch.metrics, *launch.controls)
        if not isinstance(plan.metric(n), ReviewMetric)
    )
    heads = frozenset(
        n for n in ((launch.kpi,) if launch.kpi else ()) + tuple(launch.results) if n in names
    )
    return Needs(
        totals=names,
        sliced=heads,
        variants=heads,
        kinds=frozenset(n for n in launch.metrics if n in names),
        calendar=names,
        exposure=True,
        volume=True,
        walks=True,
        history=True,
        reach=heads,
    )


def read(plan: Plan, inputs: Inputs) -> Answer:
    """Test the measurement before anybody believes it, then let the opponent speak.

    Findings with `trust` decide whether the verdict table may be read at all. Against: one fails,
    or the launch is shown to harm people through their friends, which the arms cannot show. Mixed:
    one warns, the defensible choices disagree on a result, or it reaches friends for the better.
    For: all hold. Silent: there is nothing to compare. The case against stands first and has a
    stance of its own: it speaks of the launch, while this reading's stance is about the
    measurement.
    """
    if len(inputs.arms) < 2:
        return Answer(
            stance=Stance.SILENT,
            question=QUESTION,
            summary="there is no control, so the measurement itself cannot be tested",
            missing=("A control: users of the same days who did not get the launch.",),
            findings=(*case_against(plan, inputs), *deviations(inputs)),
        )
    case = case_against(plan, inputs)
    specs, split = specifications(plan, inputs)
    reached = friends(plan, inputs)
    if not any(
        f.estimate for f in reached
    ):  # without ties that can be used, hints are all there is
        reached += interference(plan, inputs)
    findings = [
        *sample_ratios(plan, inputs),
        *pre_period(plan, inputs),
        *alike(plan, inputs),
        *controls(plan, inputs),
        *vanished(plan, inputs),
        *exposures(inputs),
        *gaps(inputs),
        *orphans(plan, inputs),
        *silent_hours(plan, inputs),
        *heavy_tails(inputs),
        *reached,
        *looks(plan, inputs),
        *specs,
        *hidden(plan, inputs),
        *deviations(inputs),
    ]
    if not findings and not case:
        return Answer(
            stance=Stance.SILENT,
            question=QUESTION,
            summary="nothing was measured, so there is nothing to doubt",
            missing=("Users in the arms, and metrics that can be measured on them.",),
        )
    trusts = [f.trust for f in findings]
    stance = (
        Stance.AGAINST
        if "fails" in trusts or any(f.stance is Stance.AGAINST for f in reached)
        else Stance.MIXED
        if "warns" in trusts or split or through_friends(reached)
        else Stance.FOR
    )
    return Answer(
        stance=stance,
        question=QUESTION,
        summary=_summary(findings, case),
        findings=(*case, *findings),
        missing=_missing(plan, inputs, findings),
    )


def _missing(plan: Plan, inputs: Inputs, findings: list[Finding]) -> tuple[str, ...]:
    missing = list(missing_metrics(inputs, plan.launch.controls))
    if not any(f.id == "doubt.pre" for f in findings):
        missing.append("Data from before exposure, to compare the arms when they should be alike.")
    if not plan.launch.controls:
        missing.append(
            "A 'controls:' in the plan: metrics that the launch cannot have moved, to see whether "
            "anything else did."
        )
    missing += friends_lack(inputs)
    return tuple(missing)


_HELD = {
    "doubt.sample_ratio": "sample ratio",
    "doubt.pre": "pre-period",
    "doubt.gaps": "logging",
    "doubt.controls": "negative controls",
}

_LOGGED = {"doubt.pairs", "doubt.hours"}


def _summary(findings: list[Finding], case: list[Finding]) -> str:
    bad = [f for f in findings if f.trust in ("fails", "warns")]
    parts = [f.claim.rstrip(".") for f in bad[:2]]
    parts += [f.claim.split(" (")[0].rstrip(".") for f in through_friends(findings)[:1]]
    broken = {f.id.removesuffix(".parts") for f in bad}
    if any(f.id.startswith("doubt.vanished") for f in findings) or broken & _LOGGED:
        broken.add("doubt.gaps")
    good = {f.id for f in findings if f.trust == "holds"} - broken
    held = [name for key, name in _HELD.items() if key in good]
    if held:
        parts.append(
            f"{' and '.join([', '.join(held[:-1]), held[-1]] if len(held) > 1 else held)} "
            f"{'hold' if len(held) > 1 or held[0].endswith('s') else 'holds'}"
        )
    parts += [
        f.claim.rstrip(".") if f.stance is Stance.MIXED else f.claim.split(",")[0]
        for f in findings
        if f.id == "doubt.specifications"
    ]
    parts += [
        "the case against it is weak"
        for f in case
        if f.id == CASE and f.stance is not Stance.AGAINST
    ]
    return " · ".join(parts)
