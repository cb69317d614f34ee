"""Did the result move, or only the KPI?

The results against their margins are judged here; beside them stand what `results_joint` says of
KPI and results together, `results_past` of what the KPI was worth over past launches, and
`results_origin` and `results_few` of where its gain came from.
"""

from __future__ import annotations

from octad.model.finding import Answer, Stance
from octad.model.inputs import Inputs
from octad.model.metric import CountMetric, ReviewMetric
from octad.model.needs import Needs
from octad.model.plan import Plan
from octad.readings.base import missing_metrics
from octad.readings.claims import brief, finding_of, forest, in_arm
from octad.readings.judge import judge, stance_of_states
from octad.readings.results_few import few_users
from octad.readings.results_joint import part_or_together
from octad.readings.results_origin import where_from
from octad.readings.results_past import past

QUESTION = "Did the result move, or only the KPI?"


def needs(plan: Plan) -> Needs:
    """Every result; the KPI with all that a gain in it may hang on; and past launches."""
    names = _results(plan)
    kpi = plan.launch.kpi
    if kpi is None or isinstance(plan.metric(kpi), ReviewMetric):
        return Needs(totals=names, sliced=names, tails=names, history=True)
    kpis, metric = frozenset({kpi}), plan.metric(kpi)
    several = isinstance(metric, CountMetric) and len(metric.count) > 1
    return Needs(
        totals=names | kpis,
        sliced=names | kpis,
        tails=kpis | names,
        variants=kpis,
        kinds=kpis if several else frozenset(),
        calendar=kpis,
        volume=True,
        exposure=True,
        visits=isinstance(metric, CountMetric),
        history=True,
    )


def _results(plan: Plan) -> frozenset[str]:
    return frozenset(n for n in plan.launch.results if not isinstance(plan.metric(n), ReviewMetric))


def read(plan: Plan, inputs: Inputs) -> Answer:
    """Judge every result against its margin, and ask where the KPI's gain came from.

    Against: a result is shown to be worse, or the KPI's gain is that of few users. For: each is
    better, or shown to be within its margin.
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
            summary="none of the results can be measured yet",
            missing=missing or ("The results' events in the events source.",),
        )
    findings = [finding_of(plan, inputs, "results", j, margins[j.measured.metric]) for j in judged]
    parted = part_or_together(plan, inputs, judged)
    origin = few_users(plan, inputs) + where_from(plan, inputs)
    before, lacking = past(plan, inputs, judged)
    if len(judged) > 1:
        chart = forest("Results against control", judged)
        findings[0] = findings[0].model_copy(
            update={"evidence": (chart, *findings[0].evidence)} if chart.rows else {}
        )
    words = [f"{brief(j.measured)}{in_arm(inputs, j.measured.arm)}" for j in judged]
    named = [f for f in origin if f.stance is not Stance.FOR]
    stance = stance_of_states([j.state for j in judged])
    if any(f.id.startswith("results.top_users") and f.stance is Stance.AGAINST for f in origin):
        stance = Stance.AGAINST
    if stance is Stance.FOR and missing:
        stance = Stance.MIXED
    return Answer(
        stance=stance,
        question=QUESTION,
        summary=" · ".join([*words, *(_brief(f.claim) for f in named[:1])]),
        findings=(*parted, *findings, *before, *origin),
        missing=(*missing, *lacking),
    )


def _brief(claim: str) -> str:
    """A claim's first clause, without what stands in brackets behind it."""
    return (
        claim.split("; ", maxsplit=1)[0]
        .split(" (", maxsplit=1)[0]
        .split(". ", maxsplit=1)[0]
        .rstrip(".")
    )
