"""Where nothing may differ: the arms before exposure, and metrics the launch cannot have moved."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from octad.model.finding import Finding, Interval, Intervals, Number, Table
from octad.model.inputs import Inputs, MetricCells
from octad.model.numbers import count, p_value
from octad.model.plan import Plan
from octad.readings.base import grade_of, level_text
from octad.readings.claims import brief, spoken
from octad.readings.doubt_split import BY_TRUST, trust_of
from octad.readings.measure import Measured, measure, number_of, share_like
from octad.stats.effects import Effect, compare
from octad.stats.multiplicity import holm
from octad.stats.refusal import NotEstimable

__all__ = ["apart_before", "controls", "pre_period"]

_FAILS, _WARNS = 0.001, 0.01


@dataclass(frozen=True, slots=True)
class _Before:
    """One metric of the arms before exposure."""

    metric: str
    arm: str
    effect: Effect
    control: str
    treatment: str
    cells: MetricCells


def apart_before(plan: Plan, inputs: Inputs, metric: str) -> dict[str, float]:
    """By how many standard errors each arm was ahead of control before exposure, in one metric."""
    return {b.arm: b.effect.z for b in _before(plan, inputs, (metric,))}


def _before(plan: Plan, inputs: Inputs, names: Iterable[str]) -> list[_Before]:
    """Every metric with a pre-period, control against each arm."""
    found = []
    for name in dict.fromkeys(names):
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


def pre_period(plan: Plan, inputs: Inputs) -> list[Finding]:
    """The arms before exposure, when they should be alike: an A/A test on the users' own past."""
    tested = _before(plan, inputs, (*plan.launch.metrics, *plan.launch.controls))
    if not tested:
        return []
    adjusted = holm(np.array([row.effect.p for row in tested]))
    place = int(np.argmin([row.effect.p for row in tested]))
    worst, q = tested[place], float(adjusted[place])
    trust = trust_of(q, _FAILS, _WARNS)
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
            stance=BY_TRUST[trust],
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


def controls(plan: Plan, inputs: Inputs) -> list[Finding]:
    """Negative controls: if what the launch cannot touch has moved, something else moved it."""
    seen = [
        m
        for name in plan.launch.controls
        for arm in range(1, len(inputs.arms))
        if (m := measure(plan, inputs, name, arm)) is not None
    ]
    if not seen:
        return []
    adjusted = holm(np.array([m.absolute.p for m in seen]))
    place = int(np.argmin([m.absolute.p for m in seen]))
    worst, q = seen[place], float(adjusted[place])
    trust = trust_of(q, _FAILS, _WARNS)
    names = ", ".join(dict.fromkeys(spoken(m.metric) for m in seen))
    several = len(dict.fromkeys(m.metric for m in seen)) > 1
    if trust == "holds":
        claim = (
            f"What the launch cannot have moved has not moved: {names} "
            f"({'the furthest, ' if several else ''}{brief(worst)}; {p_value(q)} corrected)."
        )
    else:
        claim = (
            f"{brief(worst)}, though the plan says that the launch cannot have moved it "
            f"({p_value(q)} corrected): the arms differ for another reason."
        )
    return [
        Finding(
            id="doubt.controls",
            claim=claim[:1].upper() + claim[1:],
            stance=BY_TRUST[trust],
            grade=grade_of(plan),
            trust=trust,
            metric=worst.metric,
            estimate=number_of(worst, p_adjusted=q),
            n=worst.n,
            method=f"the plan's {count(len(plan.launch.controls))} negative controls, compared as "
            "every metric is; Holm's correction; fails trust under p .001, warns under .01",
            assumes="The launch has no way to reach these metrics.",
            breaks="A control that the launch does touch: then it was chosen badly.",
            evidence=(_side_by_side(seen),),
            query_digest=worst.query,
        )
    ]


def _side_by_side(seen: list[Measured]) -> Intervals:
    return Intervals(
        title="Metrics that the launch cannot have moved",
        x_label="change against control",
        rows=tuple(
            Interval(
                label=spoken(m.metric),
                value=m.best.value,
                low=m.bounds[0],
                high=m.bounds[1],
                note=m.arm,
            )
            for m in seen
            if m.best.relative
        ),
        percent=True,
    )
