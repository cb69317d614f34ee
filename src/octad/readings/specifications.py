"""The same numbers under other choices that could be defended, and how far few users decide."""

from __future__ import annotations

import numpy as np

from octad.model.finding import (
    Finding,
    Grade,
    Interval,
    Intervals,
    Number,
    Stance,
)
from octad.model.inputs import Inputs
from octad.model.numbers import count
from octad.model.plan import Plan
from octad.readings.base import ASSUMES, BREAKS, grade_of, signed_percent
from octad.readings.claims import capital, spoken
from octad.readings.measure import Measured, measure
from octad.stats.concentration import heavy_tail

__all__ = ["heavy_tails", "specifications"]

_HALF = 0.5


def heavy_tails(inputs: Inputs) -> list[Finding]:
    """Metrics that hang on so few users that their intervals may be too narrow."""
    found = []
    for name, tail in inputs.tails.items():
        cells = inputs.metrics.get(name)
        if cells is None or cells.winsor is not None:
            continue
        seen = []
        for a in range(len(inputs.arms)):
            arm = cells.moments[0, a].total(0)
            variance = float(arm.covariance()[0, 0])
            seen.append(heavy_tail(tail.top[a], float(arm.n), float(arm.mean[0]), variance))
        worst = max(seen, key=lambda h: h.users_needed / max(1.0, float(tail.n.min())))
        if not (worst.dominated or worst.too_few):
            continue
        found.append(
            Finding(
                id=f"doubt.heavy.{name}",
                claim=f"{capital(spoken(name))} has a heavy tail: one user makes "
                f"{max(h.share_of_variance for h in seen):.0%} of an arm's variance, so its "
                "interval may miss the truth more often than it says. Cutting the largest users "
                "(winsorize: 0.999) would steady it.",
                stance=Stance.MIXED,
                grade=Grade.T,
                metric=name,
                n=int(tail.n.sum()),
                method="Kohavi's rule: a mean is near normal from 355 times its squared skewness "
                f"in users per arm, {count(round(worst.users_needed))} here; the skewness is from "
                "the largest users known, and so a lower bound",
                assumes="The largest users are people, and not a fault of the logging.",
                breaks="A launch that is meant for its largest users.",
                query_digest=cells.query,
            )
        )
    return found


def _choices(plan: Plan, inputs: Inputs, name: str) -> list[tuple[str, Measured]]:
    """A metric as planned, then under every other choice that could be defended."""
    found = [("as planned", measure(plan, inputs, name))]
    if inputs.metrics[name].paired:
        found.append(("without the pre-period", measure(plan, inputs, name, adjust=False)))
    for label, cells in inputs.variants.get(name, {}).items():
        found.append((label, measure(plan, inputs, name, cells=cells)))
    return [(label, m) for label, m in found if m is not None and m.best.relative]


def _hangs(choices: list[tuple[str, Measured]]) -> str:
    """How a metric hangs on a choice, in words; nothing when it does not."""
    planned = choices[0][1].best
    for label, m in choices[1:]:
        e = m.best
        turned = e.value * planned.value < 0 and (e.low > 0 or e.high < 0)
        shrunk = abs(e.value) < _HALF * abs(planned.value) and abs(e.value - planned.value) > max(
            e.se, _HALF * planned.se
        )
        if turned or shrunk:
            how = label if label.startswith("without") else f"with the {label}"
            return (
                f"{spoken(m.metric)} goes from {signed_percent(planned.value)} to "
                f"{signed_percent(e.value)} {how}"
            )
    return ""


def specifications(plan: Plan, inputs: Inputs) -> tuple[list[Finding], bool]:
    """The KPI and results under every other choice that could be defended."""
    heads = [n for n in (plan.launch.kpi, *plan.launch.results) if n and n in inputs.metrics]
    by_name = {n: c for n in heads if len(c := _choices(plan, inputs, n)) > 1}
    if not by_name:
        return [], False
    rows = [(name, label, m) for name, choices in by_name.items() for label, m in choices]
    agree = sum(
        np.sign(m.best.value) == np.sign(by_name[name][0][1].best.value) for name, _, m in rows
    )
    hanging = [words for choices in by_name.values() if (words := _hangs(choices))]
    claim = f"{agree} of {len(rows)} specifications agree in direction with the plan's"
    if hanging:
        claim += f", but the choice matters: {'; '.join(hanging)}."
    else:
        claim += ", and none loses half of its size."
    chart = Intervals(
        title="Every defensible choice",
        x_label="change against control",
        rows=tuple(
            Interval(label=f"{name}, {label}", value=m.best.value, low=m.best.low, high=m.best.high)
            for name, label, m in rows
        ),
        percent=True,
    )
    finding = Finding(
        id="doubt.specifications",
        claim=claim,
        stance=Stance.MIXED if hanging or agree < len(rows) else Stance.FOR,
        grade=grade_of(plan),
        estimate=Number(value=agree / len(rows), unit="share"),
        n=rows[0][2].n,
        method="each metric with and without the pre-period, and with the largest 0.1% and 1% of "
        "users cut at one value in every arm",
        assumes=ASSUMES[grade_of(plan)],
        breaks=BREAKS[grade_of(plan)],
        evidence=(chart,),
        query_digest=rows[0][2].query,
    )
    return [finding], finding.stance is Stance.MIXED
