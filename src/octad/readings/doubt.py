"""What would prove us wrong?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from octad.model.finding import (
    Answer,
    Curve,
    CurveLine,
    Evidence,
    Finding,
    Grade,
    Number,
    Stance,
    Table,
)
from octad.model.inputs import Inputs, MetricCells
from octad.model.metric import ReviewMetric
from octad.model.needs import Needs
from octad.model.numbers import count, p_value
from octad.model.plan import Plan
from octad.readings.base import grade_of, level_text
from octad.readings.claims import capital, spoken
from octad.readings.measure import share_like
from octad.readings.specifications import heavy_tails, specifications
from octad.stats.effects import Effect, compare
from octad.stats.multiplicity import holm
from octad.stats.refusal import NotEstimable
from octad.stats.sample_ratio import sample_ratio

QUESTION = "What would prove us wrong?"
_PRE_FAILS = 0.001
_PRE_WARNS = 0.01
_GAP = 0.2
_SEEN = 100

Trust = Literal["holds", "warns", "fails"]
_BY_TRUST = {"holds": Stance.FOR, "warns": Stance.MIXED, "fails": Stance.AGAINST}


def needs(plan: Plan) -> Needs:
    """Exposure, the pre-period of every metric, other defensible choices, events by day."""
    names = frozenset(
        n for n in plan.launch.metrics if not isinstance(plan.metric(n), ReviewMetric)
    )
    heads = frozenset(
        n
        for n in ((plan.launch.kpi,) if plan.launch.kpi else ()) + tuple(plan.launch.results)
        if n in names
    )
    return Needs(totals=names, variants=heads, exposure=True, volume=True, history=True)


def read(plan: Plan, inputs: Inputs) -> Answer:
    """Test the measurement before anybody believes it.

    Findings with `trust` decide whether the verdict table may be read at all. Against: one fails.
    Mixed: one warns, or the defensible choices disagree on a result. For: all hold. Silent: there
    is nothing to compare.
    """
    if len(inputs.arms) < 2:
        return Answer(
            stance=Stance.SILENT,
            question=QUESTION,
            summary="there is no control, so the measurement itself cannot be tested",
            missing=("A control: users of the same days who did not get the launch.",),
            findings=tuple(_process(inputs)),
        )
    findings = [
        *_sample_ratio(plan, inputs),
        *_pre_period(plan, inputs),
        *_vanished(plan, inputs),
        *_exposures(inputs),
        *_gaps(inputs),
    ]
    findings += heavy_tails(inputs)
    specs, split = specifications(plan, inputs)
    findings += specs
    findings += _process(inputs)
    if not findings:
        return Answer(
            stance=Stance.SILENT,
            question=QUESTION,
            summary="nothing was measured, so there is nothing to doubt",
            missing=("Users in the arms, and metrics that can be measured on them.",),
        )
    trusts = [f.trust for f in findings]
    stance = (
        Stance.AGAINST
        if "fails" in trusts
        else Stance.MIXED
        if "warns" in trusts or split
        else Stance.FOR
    )
    missing = []
    if not any(f.id.startswith("doubt.pre") for f in findings):
        missing.append("Data from before exposure, to compare the arms when they should be alike.")
    return Answer(
        stance=stance,
        question=QUESTION,
        summary=_summary(findings),
        findings=tuple(findings),
        missing=tuple(missing),
    )


def _summary(findings: list[Finding]) -> str:
    bad = [f for f in findings if f.trust in ("fails", "warns")]
    parts = [f.claim.rstrip(".") for f in bad[:2]]
    good = [f for f in findings if f.trust == "holds"]
    names = {
        "doubt.sample_ratio": "sample ratio",
        "doubt.pre": "pre-period",
        "doubt.gaps": "logging",
    }
    gone = any(f.id.startswith("doubt.vanished") for f in findings)
    held = [name for key, name in names.items() if any(f.id == key for f in good)]
    held = [name for name in held if not (gone and name == "logging")]
    if held:
        parts.append(
            f"{' and '.join([', '.join(held[:-1]), held[-1]] if len(held) > 1 else held)} "
            f"{'hold' if len(held) > 1 else 'holds'}"
        )
    parts += [
        f.claim.rstrip(".") if f.stance is Stance.MIXED else f.claim.split(",")[0]
        for f in findings
        if f.id == "doubt.specifications"
    ]
    return " · ".join(parts)


def _sample_ratio(plan: Plan, inputs: Inputs) -> list[Finding]:
    exposure = inputs.exposure
    if exposure is None or not plan.launch.randomised:
        return []
    split = plan.launch.split
    weights = None if split is None else [split.get(arm, 1.0) for arm in inputs.arms]
    counts = exposure.by_day if len(exposure.days) else exposure.counts
    try:
        found = sample_ratio(counts, weights)
    except NotEstimable:
        return []
    rules = plan.launch.rules
    trust: Trust = "holds"
    if found.p < rules.ratio_fails:
        trust = "fails"
    elif found.p < rules.ratio_warns:
        trust = "warns"
    sizes = " : ".join(count(int(n)) for n in exposure.counts)
    meant = " : ".join(count(round(n)) for n in found.expected)
    said = {
        "holds": "The arms are as large as they were meant to be",
        "warns": "The arms' sizes are doubtful",
        "fails": "The arms' sizes are not what the split meant: something decides who is counted",
    }[trust]
    rows = tuple(
        (name, int(n), round(e))
        for name, n, e in zip(inputs.arms, exposure.counts, found.expected, strict=True)
    )
    return [
        Finding(
            id="doubt.sample_ratio",
            claim=f"{said}: {sizes}, where {meant} were meant ({p_value(found.p)}).",
            stance=_BY_TRUST[trust],
            grade=grade_of(plan),
            trust=trust,
            estimate=Number(value=found.chi_square, unit="chi-square", p=found.p),
            n=int(exposure.counts.sum()),
            method="chi-square test of the arms' sizes against the split (Fabijan et al. 2019); "
            f"beside it, valid at every look: {p_value(found.anytime_p)} (Lindon and Malek 2022)",
            assumes=f"Fails trust under {p_value(rules.ratio_fails)}, warns under "
            f"{p_value(rules.ratio_warns)}.",
            breaks="Exposures logged late, or lost, in one arm; bots; a redirect that loses users.",
            evidence=(Table(title="Users by arm", columns=("arm", "users", "meant"), rows=rows),),
            query_digest=exposure.query,
        )
    ]


@dataclass(frozen=True, slots=True)
class _Before:
    """One metric of the arms before exposure."""

    metric: str
    arm: str
    effect: Effect
    control: str
    treatment: str
    cells: MetricCells


def _before(plan: Plan, inputs: Inputs) -> list[_Before]:
    """Every metric with a pre-period, control against each arm."""
    found = []
    for name in plan.launch.metrics:
        cells = inputs.metrics.get(name)
        if cells is None or not cells.paired or cells.quantiles is not None:
            continue
        metric = plan.metric(name)
        for arm in range(1, len(inputs.arms)):
            one, two = (cells.moments[0, a].total(0).columns((2, 3, 2, 3)) for a in (0, arm))
            try:
                effect = compare(one, two, relative=False, adjust=False)
            except NotEstimable:
                continue
            share = share_like(metric, one + two)
            said = [
                level_text(v, share=share, unit=metric.unit)
                for v in (effect.control, effect.treatment)
            ]
            found.append(_Before(name, inputs.arms[arm], effect, said[0], said[1], cells))
    return found


def _pre_period(plan: Plan, inputs: Inputs) -> list[Finding]:
    """The arms before exposure, when they should be alike: an A/A test on the users' own past."""
    tested = _before(plan, inputs)
    if not tested:
        return []
    adjusted = holm(np.array([row.effect.p for row in tested]))
    place = int(np.argmin(adjusted))
    worst, q = tested[place], float(adjusted[place])
    trust: Trust = "fails" if q < _PRE_FAILS else "warns" if q < _PRE_WARNS else "holds"
    name = spoken(worst.metric)
    if trust == "holds":
        claim = (
            f"Before exposure the arms were alike in all {len(tested)} comparisons; the furthest "
            f"apart was {name} ({worst.control} in control, {worst.treatment} in {worst.arm}; "
            f"{p_value(q)} corrected)."
        )
    else:
        claim = (
            f"The arms differed before the launch ever reached them: {name} was {worst.treatment} "
            f"in {worst.arm} and {worst.control} in control ({p_value(q)} corrected)."
        )
    rows = tuple(
        (spoken(b.metric), b.arm, b.control, b.treatment, p_value(b.effect.p), p_value(float(a)))
        for b, a in zip(tested, adjusted, strict=True)
    )
    columns = ("metric", "arm", "control", "this arm", "p", "corrected")
    e = worst.effect
    return [
        Finding(
            id="doubt.pre",
            claim=claim,
            stance=_BY_TRUST[trust],
            grade=grade_of(plan),
            trust=trust,
            metric=worst.metric,
            estimate=Number(
                value=e.value, p=e.p, p_adjusted=q, z=e.z, control=e.control, treatment=e.treatment
            ),
            n=int(worst.cells.moments[0].n.sum()),
            method="the plan's metrics over the days before exposure, arm against arm; Holm's "
            "correction; fails trust under p .001, warns under .01",
            assumes="What happens before exposure cannot be the launch's doing.",
            breaks="Users chosen for the launch because of what they did before.",
            evidence=(Table(title="The arms before exposure", columns=columns, rows=rows),),
            query_digest=worst.cells.query,
        )
    ]


def _vanished(plan: Plan, inputs: Inputs) -> list[Finding]:
    """What was counted before exposure and never after it, in any arm: its logging is gone."""
    gone = []
    for name in plan.launch.metrics:
        cells = inputs.metrics.get(name)
        if cells is None or not cells.paired or cells.quantiles is not None:
            continue
        everyone = cells.moments[0].total((0, 1))
        before, after = (float(everyone.n * everyone.mean[i]) for i in (2, 0))
        if before >= _SEEN and after == 0 and float(everyone.comoment[0, 0]) == 0:
            gone.append((name, before, int(everyone.n), cells.query))
    return [
        Finding(
            id=f"doubt.vanished.{name}",
            claim=f"{capital(spoken(name))} was {count(round(before))} in all before exposure, and "
            "0 after it in every arm: its logging was probably lost.",
            stance=Stance.AGAINST,
            grade=Grade.T,
            trust="fails",
            metric=name,
            n=n,
            method="the metric's sum over all users before exposure, and after it",
            assumes="People do not all stop at once.",
            breaks="A product that took the thing away from everybody on purpose.",
            query_digest=query,
        )
        for name, before, n, query in gone
    ]


def _exposures(inputs: Inputs) -> list[Finding]:
    exposure = inputs.exposure
    if exposure is None:
        return []
    total = int(exposure.counts.sum())
    notes = []
    if exposure.both:
        notes.append(f"{count(exposure.both)} users were seen in more than one arm")
    if exposure.before:
        notes.append(f"{count(exposure.before)} were exposed before the plan's first day")
    for arm, n in exposure.strange_arms.items():
        notes.append(f"{count(n)} are in an arm the plan does not name ('{arm[:40]}')")
    if not notes:
        return []
    many = exposure.both > 0.01 * max(1, total)
    return [
        Finding(
            id="doubt.exposures",
            claim=f"Left out of every estimate: {'; '.join(notes)}."
            + (
                " More than one in a hundred in several arms means the split leaks." if many else ""
            ),
            stance=Stance.MIXED if many else None,
            grade=Grade.T,
            trust="warns" if many else None,
            n=total,
            method="counts of exposures",
            assumes="A user's arm never changes.",
            breaks="One person under several ids.",
            query_digest=exposure.query,
        )
    ]


def _gaps(inputs: Inputs) -> list[Finding]:
    """Days on which one arm's logging falls against the other's."""
    volume = inputs.volume
    if volume is None or len(volume.days) < 7:
        return []
    users = np.maximum(volume.users, 1.0)
    per_user = volume.events / users
    ratio = per_user[:, 1] / np.maximum(per_user[:, 0], 1e-12)
    # The first and last day are seldom whole.
    inner = slice(1, -1)
    centre = float(np.median(ratio[inner]))
    if not np.isfinite(centre) or centre <= 0:
        return []
    away = ratio[inner] / centre - 1
    spread = 1.4826 * float(np.median(np.abs(away)))
    odd = np.flatnonzero(np.abs(away) > max(_GAP, 6 * spread)) + 1
    curve: Evidence = Curve(
        title="Events per active user and day",
        x_label="day",
        y_label="events a user",
        x=tuple(str(d) for d in volume.days),
        lines=tuple(
            CurveLine(name=name, y=tuple(float(v) for v in per_user[:, a]))
            for a, name in enumerate(inputs.arms)
        ),
    )
    if len(odd):
        days = ", ".join(str(volume.days[i]) for i in odd[:5])
        claim = (
            f"Events for each active user jump in one arm alone on {days}: logging may be broken."
        )
        return [_gap_finding(claim, "warns", Stance.MIXED, curve, volume.users)]
    claim = f"No day of {len(volume.days)} shows logging lost in one arm alone."
    return [_gap_finding(claim, "holds", Stance.FOR, curve, volume.users)]


def _gap_finding(
    claim: str, trust: str, stance: Stance, curve: Evidence, users: np.ndarray
) -> Finding:
    return Finding(
        id="doubt.gaps",
        claim=claim,
        stance=stance,
        grade=Grade.T,
        trust=trust,
        n=int(users.sum()),
        method="events for each active user and day, treatment over control; a day is odd when it "
        "lies a fifth, and six robust deviations, from the median day",
        assumes="A launch changes how much users do, but not from one day to the next.",
        breaks="A campaign that reached one arm on one day.",
        evidence=(curve,),
    )


def _process(inputs: Inputs) -> list[Finding]:
    """Looks and deviations: how the numbers were come by."""
    history = inputs.history
    found = []
    if history.deviations:
        found.append(
            Finding(
                id="doubt.deviations",
                claim=f"Otherwise than sealed: {'; '.join(history.deviations)}.",
                stance=Stance.MIXED,
                grade=Grade.T,
                n=len(history.deviations),
                method="the sealed plan against the plan as it is now",
            )
        )
    return found
