"""How the numbers were come by: looks, the interval that decides, and departures from the plan."""

from __future__ import annotations

from octad.model.finding import Finding, Grade, Interval, Intervals, Stance, Table
from octad.model.inputs import Inputs
from octad.model.numbers import count
from octad.model.plan import Plan
from octad.readings.base import grade_of
from octad.readings.claims import capital, decider, in_arm, spoken
from octad.readings.measure import Measured, anytime_decides, measure

__all__ = ["deviations", "looks"]


def looks(plan: Plan, inputs: Inputs) -> list[Finding]:
    """Every look is counted, and the anytime interval stands beside the fixed one."""
    arms = range(1, len(inputs.arms))
    seen = [
        m
        for name in plan.launch.metrics
        for arm in arms
        if (m := measure(plan, inputs, name, arm)) is not None and m.best.anytime_low is not None
    ]
    if not seen:
        return []
    history = inputs.history
    early = anytime_decides(plan, inputs)
    times = "once" if history.looks <= 1 else f"{count(history.looks)} times"
    claim = f"The numbers were looked at {times}"
    if history.early_looks:
        claim += f", {count(history.early_looks)} of them before the last day"
    claim += f"; {decider(plan, inputs)}."
    split = [m for m in seen if _clear(m, fixed=True) and not _clear(m, fixed=False)]
    if split:
        names = ", ".join(f"{spoken(m.metric)}{in_arm(inputs, m.arm)}" for m in split)
        claim += (
            f" It matters: by a single look's interval {names} moved, by the one that allows for "
            "every look that is not shown."
            if early
            else f" Had anyone peeked, {names} could not be told yet."
        )
    return [
        Finding(
            id="doubt.looks",
            claim=claim,
            stance=Stance.MIXED if split and early else None,
            grade=grade_of(plan),
            n=history.looks,
            method="the fixed interval is for one look on a day named beforehand; the anytime one "
            "holds at every look at once (Waudby-Smith et al. 2024)",
            assumes="Every look goes through this program, which writes it down.",
            breaks="Looks at the same numbers in another tool.",
            evidence=(_chart(inputs, seen),),
        )
    ]


def _clear(m: Measured, *, fixed: bool) -> bool:
    e = m.best
    low, high = (e.low, e.high) if fixed else (e.anytime_low, e.anytime_high)
    return low is not None and high is not None and (low > 0 or high < 0)


def _chart(inputs: Inputs, seen: list[Measured]) -> Intervals:
    rows = []
    for m in seen:
        if not m.best.relative:
            continue
        label = capital(f"{spoken(m.metric)}{in_arm(inputs, m.arm)}")
        e = m.best
        rows.append(
            Interval(label=label, value=e.value, low=e.low, high=e.high, note="fixed, one look")
        )
        rows.append(
            Interval(
                label=label,
                value=e.value,
                low=e.anytime_low,
                high=e.anytime_high,
                note="anytime, every look",
            )
        )
    return Intervals(
        title="One look's interval, and the one that allows for every look",
        x_label="change against control",
        rows=tuple(rows),
        percent=True,
    )


def deviations(inputs: Inputs) -> list[Finding]:
    """Everything done otherwise than sealed, each by name."""
    said = inputs.history.deviations
    if not said:
        return []
    return [
        Finding(
            id="doubt.deviations",
            claim=f"Otherwise than sealed: {'; '.join(said)}.",
            stance=Stance.MIXED,
            grade=Grade.T,
            n=len(said),
            method="the sealed plan against the plan as it is now",
            evidence=(
                Table(
                    title="Departures from the sealed plan",
                    columns=("", "what"),
                    rows=tuple((i, words) for i, words in enumerate(said, 1)),
                ),
            ),
        )
    ]
