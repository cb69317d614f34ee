"""Whether a handful of users makes the KPI's whole difference."""

from __future__ import annotations

import numpy as np

from octad.model.finding import Evidence, Finding, Number, Stance, Table
from octad.model.inputs import Inputs, Tail
from octad.model.numbers import plain
from octad.model.plan import Plan
from octad.readings.base import grade_of, level_text
from octad.readings.measure import Measured, measure
from octad.stats.concentration import DOMINANT, leave_top_out

__all__ = ["few_users"]

_HALF = 0.5


def few_users(plan: Plan, inputs: Inputs) -> list[Finding]:
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
