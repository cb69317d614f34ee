"""What a hidden cause would need to explain an effect away, where chance did not choose."""

from __future__ import annotations

import math

import numpy as np

from octad.model.finding import Finding, Number, Stance, Table
from octad.model.inputs import Inputs
from octad.model.numbers import plain, share
from octad.model.plan import Plan
from octad.readings.base import grade_of, percent_text
from octad.readings.claims import capital, in_arm, spoken
from octad.readings.measure import Measured, measure
from octad.stats.effects import compare
from octad.stats.moments import Moments
from octad.stats.refusal import NotEstimable
from octad.stats.sensitivity import (
    calibrate,
    e_value,
    negative_controls,
    ratio_from_standardised,
    robustness,
)

__all__ = ["hidden"]

_FEWEST_CONTROLS = 3


def hidden(plan: Plan, inputs: Inputs) -> list[Finding]:
    """Ask of the KPI and each result how strong a hidden cause would have to be.

    Only where the arms were not dealt by chance: there chance has already ruled hidden causes out.
    """
    if plan.launch.randomised or len(inputs.arms) < 2:
        return []
    heads = [n for n in (plan.launch.kpi, *plan.launch.results) if n and n in inputs.metrics]
    found = []
    for name in dict.fromkeys(heads):
        for arm in range(1, len(inputs.arms)):
            m = measure(plan, inputs, name, arm)
            if m is not None and m.absolute.se > 0:
                found += _one(plan, inputs, m, arm)
    return found


def _past(inputs: Inputs, name: str, arm: int) -> tuple[float, float] | None:
    """What the users' own past explains: of who got it, and of the outcome (partial R²)."""
    cells = inputs.metrics[name]
    if not cells.paired:
        return None
    arms = [cells.moments[0, a].total(0) for a in (0, arm)]
    try:
        apart = compare(*(a.columns((2, 3, 2, 3)) for a in arms), relative=False, adjust=False)
    except NotEstimable:
        return None
    both: Moments = arms[0] + arms[1]
    square = apart.z**2
    covariance = both.covariance()
    spread = float(covariance[0, 0] * covariance[2, 2])
    outcome = float(covariance[0, 2] ** 2 / spread) if spread > 0 else 0.0
    return square / (square + float(both.n)), outcome


def _one(plan: Plan, inputs: Inputs, m: Measured, arm: int) -> list[Finding]:
    e = m.absolute
    try:
        strength = robustness(e.value, e.se, float(m.n - 3))
    except NotEstimable:
        return []
    name, who = spoken(m.metric), in_arm(inputs, m.arm)
    past = _past(inputs, m.metric, arm)
    claim = (
        f"To explain {name}{who} away, a hidden cause would have to explain "
        f"{share(strength.robustness)} of what is left of both who got the launch and of {name}"
    )
    weak = strength.robustness_significant <= 0
    if past is not None:
        claim += f"; the users' own past explains {share(past[0])} and {share(past[1])}"
        weak = weak or min(past) > strength.robustness
    rows = [
        ("to bring the estimate to nothing (robustness value)", share(strength.robustness)),
        ("to bring its interval to nothing", share(strength.robustness_significant)),
        ("as a risk ratio with both (E-value)", _e_value(inputs, m, arm)),
    ]
    calibrated = _calibrated(plan, inputs, m, arm)
    if calibrated:
        claim += f"; judged by what the negative controls show, {calibrated}"
        rows.append(("by the negative controls", calibrated))
    return [
        Finding(
            id=f"doubt.hidden.{m.metric}" + (f".{m.arm}" if len(inputs.arms) > 2 else ""),
            claim=f"{capital(claim)}.",
            stance=Stance.MIXED,
            grade=grade_of(plan),
            metric=m.metric,
            estimate=Number(value=strength.robustness, unit="share"),
            n=m.n,
            method="robustness value and partial R² (Cinelli and Hazlett 2020); E-value "
            "(VanderWeele and Ding 2017)"
            + ("; calibrated by negative controls (Schuemie et al. 2014)" if calibrated else ""),
            assumes="The hidden cause works on everyone alike.",
            breaks="Users who were chosen because they would do well without it."
            + (" That is weaker than what is known to differ." if weak else ""),
            evidence=(
                Table(
                    title=f"What a hidden cause of {name} would need",
                    columns=("", "strength"),
                    rows=tuple(rows),
                ),
            ),
            query_digest=m.query,
        )
    ]


def _e_value(inputs: Inputs, m: Measured, arm: int) -> str:
    if m.share and m.raw_control > 0 and m.raw_treatment > 0:
        ratio = m.raw_treatment / m.raw_control
    else:
        everyone = inputs.metrics[m.metric].moments[0, [0, arm]].total((0, 1))
        sd = math.sqrt(float(everyone.covariance()[0, 0]))
        if sd <= 0:
            return "not to be told"
        ratio = ratio_from_standardised(m.absolute.value / sd)
    try:
        return plain(e_value(ratio).point, 2)
    except NotEstimable:
        return "not to be told"


def _calibrated(plan: Plan, inputs: Inputs, m: Measured, arm: int) -> str:
    """The effect judged by how far metrics strayed that could not have moved; or nothing."""
    seen = [
        c.relative
        for name in plan.launch.controls
        if (c := measure(plan, inputs, name, arm)) is not None and c.relative is not None
    ]
    if len(seen) < _FEWEST_CONTROLS or m.relative is None:
        return ""
    try:
        fit = negative_controls(np.array([e.value for e in seen]), np.array([e.se for e in seen]))
        found = calibrate(m.relative.value, m.relative.se, fit)
    except NotEstimable:
        return ""
    return percent_text(found.value, found.low, found.high)
