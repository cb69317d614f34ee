"""Who is left behind: a group for whom the launch does not do what it does for the others.

What is shown of everyone stands for a group only as long as the group does not differ. One that is
shown to fare worse than the others can borrow nothing from their gain: it must be shown within the
margin by its own users. That a loss is not shown in it is no proof, since the group is small; that
it differs from the others is seen sooner than that it loses, since they gain. Where no gain is
shown, the search for harmed segments is as sharp, and nothing is asked here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats as distributions

from octad.model.finding import Finding, Number, Stance
from octad.model.inputs import Inputs, MetricCells, Slice
from octad.model.numbers import p_value, share
from octad.model.plan import Plan
from octad.readings.base import ASSUMES, BREAKS, grade_of, once, percent_text, signed_percent
from octad.readings.breadth_segments import look_error, searched_metrics
from octad.readings.claims import capital, in_arm, segment_words, spoken
from octad.readings.measure import measure
from octad.stats.effects import Effect, compare
from octad.stats.multiplicity import holm
from octad.stats.noninferiority import against_margin
from octad.stats.refusal import NotEstimable
from octad.stats.segments import FEWEST_USERS

__all__ = ["left_behind"]

_ERROR = 0.4
"""Of the error that segments may spend, the part spent here: a fiftieth where they have a
twentieth. What is found here holds a launch back, though no loss is shown."""
_WITHIN = 0.05


@dataclass(frozen=True, slots=True)
class _Beside:
    """A group and all other users, in one metric and arm.

    Attributes:
        own, others: Their effects, relative.
        p: One-sided, that the group fares no worse than the others.
        safe: Whether the group's own loss is shown to be within the margin.
    """

    metric: str
    arm: int
    piece: Slice
    part: float
    own: Effect
    others: Effect
    p: float
    safe: bool


def left_behind(plan: Plan, inputs: Inputs) -> list[Finding]:
    """The groups that fare worse than all others, and are not shown within a result's margin.

    Only groups that one attribute tells, known before exposure, and results with a relative margin.
    Of several values of one attribute the worst off is named.
    """
    seen = _beside(plan, inputs)
    if not seen:
        return []
    adjusted = holm(np.array([s.p for s in seen]))
    error = _ERROR * look_error(plan, inputs)
    found: dict[tuple[str, int, str], tuple[float, _Beside]] = {}
    for q, s in sorted(zip(adjusted.tolist(), seen, strict=True), key=lambda pair: pair[1].p):
        if q <= error and not s.safe:
            found.setdefault((s.metric, s.arm, s.piece.values[0][0]), (q, s))
    return [
        _finding(plan, inputs, s, q, rank, len(seen))
        for rank, (q, s) in enumerate(found.values(), start=1)
    ]


@once
def _beside(plan: Plan, inputs: Inputs) -> list[_Beside]:
    found = []
    for name in searched_metrics(plan):
        cells, margin = inputs.metrics.get(name), plan.launch.results.get(name)
        if cells is None or cells.quantiles is not None or margin is None:
            continue
        if margin.kind != "relative":
            continue
        gaining = [arm for arm in range(1, len(inputs.arms)) if _gains(plan, inputs, name, arm)]
        for index, piece in enumerate(cells.slices):
            if len(piece.values) != 1:
                continue
            for arm in gaining:
                one = _one(plan, cells, index, arm, margin.value)
                found += [one] if one is not None else []
    return found


def _gains(plan: Plan, inputs: Inputs, name: str, arm: int) -> bool:
    """Whether everyone together is shown to gain."""
    seen = measure(plan, inputs, name, arm)
    if seen is None:
        return False
    edge = seen.bounds[0] if seen.sign > 0 else seen.bounds[1]
    return edge is not None and seen.sign * edge > 0


def _one(plan: Plan, cells: MetricCells, index: int, arm: int, margin: float) -> _Beside | None:
    every, inner = (cells.totals[i, [0, arm]] for i in (0, index))
    outer = every - inner
    if min(float(inner.n.min()), float(outer.n.min())) < 2 * FEWEST_USERS:
        return None
    try:
        own, others = (compare(m[0], m[1], relative=True) for m in (inner, outer))
    except NotEstimable:
        return None
    better = plan.metric(cells.metric).better
    sign = 1 if better == "up" else -1
    z = sign * (own.value - others.value) / math.hypot(own.se, others.se)
    return _Beside(
        metric=cells.metric,
        arm=arm,
        piece=cells.slices[index],
        part=float(inner.n.sum()) / float(every.n.sum()),
        own=own,
        others=others,
        p=float(distributions.norm.cdf(z)),
        safe=against_margin(own, margin, better, _WITHIN).safe,
    )


def _finding(plan: Plan, inputs: Inputs, s: _Beside, q: float, rank: int, tests: int) -> Finding:
    grade = grade_of(plan)
    who = capital(segment_words(s.piece.values))
    margin = plan.launch.results[s.metric]
    return Finding(
        id=f"breadth.left.{rank}.{s.metric}",
        claim=f"{who} ({share(s.part, 0)} of all) are left behind: {spoken(s.metric)} "
        f"{percent_text(s.own.value, s.own.low, s.own.high)} among them, "
        f"{signed_percent(s.others.value)} among all others ({p_value(q)} corrected), and their "
        f"loss is not shown to stay within {margin}{in_arm(inputs, inputs.arms[s.arm])}.",
        stance=Stance.AGAINST,
        grade=grade,
        metric=s.metric,
        segment=dict(s.piece.values),
        estimate=Number(
            value=s.own.value,
            low=s.own.low,
            high=s.own.high,
            level=s.own.level,
            relative=True,
            p=s.p,
            p_adjusted=q,
            se=s.own.se,
            control=s.own.control,
            treatment=s.own.treatment,
        ),
        n=s.own.n_control + s.own.n_treatment,
        method="each group that one attribute tells, against all other users; one-sided, Holm's "
        f"correction over {tests} tests; and its own loss against the margin, one-sided 5%",
        assumes=ASSUMES[grade] + " The attributes were known before exposure.",
        breaks=BREAKS[grade],
        decides=f"more {segment_words(s.piece.values)}, until their loss is shown within {margin} "
        "or beyond it",
        query_digest=inputs.metrics[s.metric].query,
    )
