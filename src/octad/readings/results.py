"""Did the result move, or only the KPI?"""

from __future__ import annotations

import numpy as np

from octad.model.finding import Answer, Evidence, Finding, Number, Stance, State, Table
from octad.model.inputs import Inputs, Tail
from octad.model.metric import ReviewMetric
from octad.model.needs import Needs
from octad.model.numbers import plain
from octad.model.plan import Plan
from octad.readings.base import (
    ASSUMES,
    BREAKS,
    grade_of,
    level_text,
    missing_metrics,
    signed_percent,
)
from octad.readings.claims import brief, finding_of, forest, in_arm, spoken
from octad.readings.judge import Judged, by_interval, judge, stance_of_states
from octad.readings.measure import Measured, anytime_decides, measure
from octad.stats.concentration import DOMINANT, leave_top_out

QUESTION = "Did the result move, or only the KPI?"
_TENURE = "first seen"
_HALF = 0.5


def needs(plan: Plan) -> Needs:
    """Every result, and the KPI with its largest users and its segments."""
    names = _results(plan)
    kpi = plan.launch.kpi
    kpis = (
        frozenset({kpi}) if kpi and not isinstance(plan.metric(kpi), ReviewMetric) else frozenset()
    )
    return Needs(totals=names | kpis, sliced=names | kpis, tails=kpis | names)


def _results(plan: Plan) -> frozenset[str]:
    return frozenset(n for n in plan.launch.results if not isinstance(plan.metric(n), ReviewMetric))


def read(plan: Plan, inputs: Inputs) -> Answer:
    """Judge every result against its margin, and ask where the KPI's gain came from.

    Against: a result is shown to be worse. For: each is better, or shown to be within its margin.
    Mixed: any is unclear. Silent: none can be measured.
    """
    margins = {n: m for n, m in plan.launch.results.items() if n in _results(plan)}
    if not plan.launch.results:
        return Answer(
            stance=Stance.SILENT,
            question=QUESTION,
            summary="the plan names no result beside the KPI",
            missing=("A 'results:' in the plan: what the KPI is meant to lead to.",),
        )
    alpha = 1 - plan.launch.rules.level
    judged = judge(plan, inputs, margins, one_sided=alpha / 2)
    missing = missing_metrics(inputs, list(margins))
    if not judged:
        return Answer(
            stance=Stance.SILENT,
            question=QUESTION,
            summary="no result can be measured from these sources",
            missing=missing or ("The results' events in the events source.",),
        )
    findings = [finding_of(plan, inputs, "results", j, margins[j.measured.metric]) for j in judged]
    parted = _parting(plan, inputs, judged)
    origin = _few_users(plan, inputs) + _new_users(plan, inputs)
    if len(judged) > 1:
        chart = forest("Results against control", judged)
        findings[0] = findings[0].model_copy(
            update={"evidence": (chart, *findings[0].evidence)} if chart.rows else {}
        )
    words = [f"{brief(j.measured)}{in_arm(inputs, j.measured.arm)}" for j in judged]
    stance = stance_of_states([j.state for j in judged])
    if stance is Stance.FOR and missing:
        stance = Stance.MIXED
    return Answer(
        stance=stance,
        question=QUESTION,
        summary=" · ".join([*words, *(f"{f.claim.rstrip('.')}" for f in origin[:1])]),
        findings=(*parted, *findings, *origin),
        missing=missing,
    )


def _parting(plan: Plan, inputs: Inputs, judged: list[Judged]) -> list[Finding]:
    """The KPI up and a result down in the same arm: they have parted ways."""
    kpi = plan.launch.kpi
    if kpi is None or len(inputs.arms) < 2:
        return []
    found = []
    for arm in range(1, len(inputs.arms)):
        m = measure(plan, inputs, kpi, arm)
        if m is None:
            continue
        up = by_interval(m.best, m.sign, anytime=anytime_decides(plan, inputs)) is Stance.FOR
        fallen = [
            j
            for j in judged
            if j.measured.arm == m.arm and j.state is State.WORSE and j.measured.metric != kpi
        ]
        if not up or not fallen:
            continue
        names = " and ".join(spoken(j.measured.metric) for j in fallen)
        found.append(
            Finding(
                id="results.parting" + (f".{m.arm}" if len(inputs.arms) > 2 else ""),
                claim=f"The KPI and the results part ways: {kpi} "
                f"{signed_percent(m.best.value)}, while {names} "
                f"{'gets' if len(fallen) == 1 else 'get'} worse{in_arm(inputs, m.arm)}.",
                stance=Stance.AGAINST,
                grade=grade_of(plan),
                metric=kpi,
                n=m.n,
                method="both effects lie beyond zero, each by its own test; the results' tests are "
                "corrected (Holm)",
                assumes=ASSUMES[grade_of(plan)],
                breaks=BREAKS[grade_of(plan)],
                query_digest=m.query,
            )
        )
    return found


def _few_users(plan: Plan, inputs: Inputs) -> list[Finding]:
    """Whether a handful of users makes the KPI's difference."""
    kpi = plan.launch.kpi
    tail = inputs.tails.get(kpi) if kpi else None
    if kpi is None or tail is None or len(inputs.arms) < 2:
        return []
    m = measure(plan, inputs, kpi, 1, adjust=False)
    if m is None or m.share:
        return []
    whole = m.raw_treatment - m.raw_control
    if whole == 0:
        return []
    planned = measure(plan, inputs, kpi, 1)
    if planned is None or planned.absolute.value * whole < 0:
        return []  # the past turns the difference around, so the raw one tells nothing
    clear = m.best.low > 0 or m.best.high < 0
    for few in (1, 2, 3, 5, 10) if clear else (1,):
        if not clear and not _dominates(inputs, kpi):
            break
        left = _without(tail, few)
        if left is None:
            break
        (one, two), removed = left
        if abs(two - one) < _HALF * abs(whole) or (two - one) * whole < 0:
            return [_few_finding(plan, inputs, m, tail, few, (one, two), removed)]
    return []


def _dominates(inputs: Inputs, kpi: str) -> bool:
    """Whether the largest user carries a tenth of an arm's variance, and so its mean."""
    cells, tail = inputs.metrics[kpi], inputs.tails[kpi]
    for a in (0, 1):
        arm = cells.moments[0, a].total(0)
        away = float(tail.top[a, 0]) - float(arm.mean[0])
        if np.isfinite(away) and away**2 > DOMINANT * float(arm.comoment[0, 0]):
            return True
    return False


def _without(tail: Tail, few: int) -> tuple[tuple[float, float], list[tuple[float, int]]] | None:
    """Means of control and first treatment without the `few` largest users of both together."""
    values = [(float(v), a) for a in (0, 1) for v in tail.top[a] if np.isfinite(v)]
    if len(values) < few or int(tail.n[:2].min()) <= few:
        return None
    means = leave_top_out(tail.top[:2], tail.total[:2], tail.n[:2], few)
    return (float(means[0]), float(means[1])), sorted(values, key=lambda pair: -pair[0])[:few]


def _few_finding(
    plan: Plan,
    inputs: Inputs,
    m: Measured,
    tail: Tail,
    few: int,
    left: tuple[float, float],
    removed: list[tuple[float, int]],
) -> Finding:
    kpi = m.metric
    arms = (inputs.arms[0], m.arm)
    before = (
        f"{level_text(m.raw_control)} in {arms[0]} and {level_text(m.raw_treatment)} in {arms[1]}"
    )
    after = f"{level_text(left[0])} and {level_text(left[1])}"
    if few == 1:
        value, arm = removed[0]
        label = (plan.launch.arms or {}).get(arms[arm], arms[arm])
        claim = (
            f"The KPI's whole difference is one user ({arms[arm]}, '{label}') with "
            f"{plain(value, 0)}: {kpi} is {before}; without that user, {after}."
        )
    else:
        claim = (
            f"The KPI's difference hangs on {few} users: {kpi} is {before}; without them, {after}."
        )
    table: Evidence = Table(
        title="The largest users",
        columns=("arm", kpi, "share of the arm's total"),
        rows=tuple((arms[a], v, f"{v / float(tail.total[a]):.2%}") for v, a in removed),
    )
    return Finding(
        id="results.few_users",
        claim=claim,
        stance=Stance.AGAINST,
        grade=grade_of(plan),
        metric=kpi,
        estimate=Number(value=left[1] - left[0], control=left[0], treatment=left[1], unit=""),
        n=int(tail.n[0] + tail.n[1]),
        method=f"the means once more without the {few} largest of both arms' users together",
        assumes="A gain that belongs to the product is not made by a few accounts.",
        breaks="A product whose few largest users are what it lives from.",
        evidence=(table,),
        query_digest=m.query,
    )


def _new_users(plan: Plan, inputs: Inputs) -> list[Finding]:
    """Whether the KPI's gain comes mostly from users who are new."""
    kpi = plan.launch.kpi
    cells = inputs.metrics.get(kpi) if kpi else None
    if kpi is None or cells is None or len(inputs.arms) < 2:
        return []
    index = {
        s.values[0][1]: i
        for i, s in enumerate(cells.slices)
        if len(s.values) == 1 and s.values[0][0] == _TENURE
    }
    whole = measure(plan, inputs, kpi, 1, adjust=False)
    if len(index) < 2 or whole is None or whole.best.p > 1 - plan.launch.rules.level:
        return []
    gains: dict[str, tuple[float, float]] = {}
    for value, i in index.items():
        arms = cells.moments[i].total(-1)
        share = float(arms.n.sum())
        if not (arms.n > 0).all():
            return []
        level = arms.mean[:, 0] / np.where(arms.mean[:, 1] > 0, arms.mean[:, 1], 1.0)
        gains[value] = (share, share * float(level[1] - level[0]))
    total = sum(g for _, g in gains.values())
    people = sum(n for n, _ in gains.values())
    new = next((v for v in gains if v.startswith("within")), None)
    if new is None or total == 0:
        return []
    n_share, g_share = gains[new][0] / people, gains[new][1] / total
    if g_share < _HALF or g_share < 1.5 * n_share:
        return []
    return [
        Finding(
            id="results.new_users",
            claim=f"{g_share:.0%} of the KPI's gain comes from users not seen a week before, "
            f"who are {n_share:.0%} of all.",
            stance=Stance.MIXED,
            grade=grade_of(plan),
            metric=kpi,
            segment={_TENURE: new},
            estimate=Number(value=g_share, unit="share of the gain"),
            n=int(people),
            method="the difference of means within each group, weighted by its users",
            assumes="Newness is known from use before exposure.",
            breaks="Users who were only away.",
            query_digest=cells.query,
        )
    ]
