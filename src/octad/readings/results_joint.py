"""The KPI and the results held side by side, with the error that they share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from octad.model.finding import Finding, Interval, Intervals, Number, Stance, State
from octad.model.inputs import Inputs
from octad.model.numbers import plain
from octad.model.plan import Plan
from octad.readings.base import ASSUMES, BREAKS, grade_of, signed_percent
from octad.readings.claims import capital, in_arm, spoken, stance_of_state
from octad.readings.judge import Judged, by_interval
from octad.readings.measure import Measured, anytime_decides, measure
from octad.stats.buckets import effects_together
from octad.stats.refusal import NotEstimable

__all__ = ["Beside", "beside", "part_or_together"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Beside:
    """A result's relative effect beside the KPI's, both turned so that up is good.

    Attributes:
        kpi, result: The two effects.
        covariance: (2, 2) of their errors, KPI first.
        reach: Standard errors to each side, by the interval that decides.
    """

    kpi: float
    result: float
    covariance: FloatArray
    reach: float

    @property
    def apart(self) -> tuple[float, float, float]:
        """Result less KPI, in shares, with its interval."""
        one = np.array([-1.0, 1.0])
        half = self.reach * float(np.sqrt(max(0.0, one @ self.covariance @ one)))
        gap = self.result - self.kpi
        return gap, gap - half, gap + half

    @property
    def rate(self) -> tuple[float, float, float] | None:
        """What came to the result for each unit of the KPI, by Fieller; None when unbounded."""
        v = self.reach**2 * self.covariance
        a = self.kpi**2 - v[0, 0]
        if a <= 0:
            return None
        middle = self.kpi * self.result - v[0, 1]
        root = float(np.sqrt(max(0.0, middle**2 - a * (self.result**2 - v[1, 1]))))
        return self.result / self.kpi, (middle - root) / a, (middle + root) / a


def beside(plan: Plan, inputs: Inputs, kpi: Measured, judged: Judged) -> Beside | None:
    """Set a result beside the KPI, in the same arm; None where they have no joint error."""
    m = judged.measured
    if m.relative is None or kpi.relative is None or m.arm != kpi.arm or len(inputs.arms) < 2:
        return None
    arm = inputs.arms.index(m.arm)
    both = [inputs.metrics[name].moments[0] for name in (kpi.metric, m.metric)]
    try:
        found = effects_together([(cells[0], cells[arm]) for cells in both])
    except NotEstimable:
        return None
    signs = np.array([kpi.sign, m.sign])
    e = kpi.relative
    low, high = kpi.bounds
    reach = (e.high - e.low) / 2 / e.se if e.se > 0 else 0.0
    if anytime_decides(plan, inputs) and low is not None and high is not None and e.se > 0:
        reach = (high - low) / 2 / e.se
    value = found.value * signs
    return Beside(
        float(value[0]), float(value[1]), found.covariance * np.outer(signs, signs), reach
    )


def part_or_together(plan: Plan, inputs: Inputs, judged: list[Judged]) -> list[Finding]:
    """Whether the KPI and the results part ways, arm by arm; nothing where the KPI is not up."""
    kpi = plan.launch.kpi
    if kpi is None or len(inputs.arms) < 2:
        return []
    found: list[Finding] = []
    for arm in range(1, len(inputs.arms)):
        m = measure(plan, inputs, kpi, arm)
        if m is None:
            continue
        if by_interval(m.best, m.sign, anytime=anytime_decides(plan, inputs)) is not Stance.FOR:
            continue
        others = [j for j in judged if j.measured.arm == m.arm and j.measured.metric != kpi]
        if others:
            found.append(_finding(plan, inputs, m, others))
    return found


def _finding(plan: Plan, inputs: Inputs, kpi: Measured, others: list[Judged]) -> Finding:
    pairs = [(j, beside(plan, inputs, kpi, j)) for j in others]
    fallen = [(j, b) for j, b in pairs if j.state is State.WORSE]
    said, stance, number = _parted(kpi, fallen) if fallen else _together(kpi, pairs)
    grade = grade_of(plan)
    return Finding(
        id=("results.parting" if fallen else "results.together")
        + (f".{kpi.arm}" if len(inputs.arms) > 2 else ""),
        claim=f"{said}{in_arm(inputs, kpi.arm)}.",
        stance=stance,
        grade=grade,
        metric=kpi.metric,
        estimate=number,
        n=kpi.n,
        method="both effects on the same users; the error of what lies between them takes in that "
        "their errors go together (by leaving out one of the buckets of users at a time); the "
        "results' own tests are corrected (Holm)",
        assumes=ASSUMES[grade],
        breaks=BREAKS[grade],
        evidence=_picture(kpi, pairs),
        query_digest=kpi.query,
    )


Said = tuple[str, Stance, Number | None]


def _parted(kpi: Measured, fallen: list[tuple[Judged, Beside | None]]) -> Said:
    """The KPI up and results down in the same arm."""
    names = " and ".join(spoken(j.measured.metric) for j, _ in fallen)
    verb = "gets" if len(fallen) == 1 else "get"
    said = (
        f"The KPI and the results part ways: {spoken(kpi.metric)} "
        f"{signed_percent(kpi.best.value)}, while {names} {verb} worse"
    )
    known = [(j, b) for j, b in fallen if b is not None]
    if not known:
        return said, Stance.AGAINST, None
    widest, b = min(known, key=lambda pair: pair[1].apart[0])
    gap, low, high = b.apart
    digits = 1
    edges = f"[{plain(-100 * high, digits)}, {plain(-100 * low, digits)}]"
    whom = spoken(widest.measured.metric)
    said += f": {whom} {plain(-100 * gap, digits)} points {edges} below {spoken(kpi.metric)}"
    return said, Stance.AGAINST, _points(b)


def _points(b: Beside) -> Number:
    """What lies between them, in shares; the anytime interval is in it where that one decides."""
    gap, low, high = b.apart
    se = (high - low) / 2 / b.reach if b.reach > 0 else None
    return Number(value=gap, low=low, high=high, unit="share", se=se)


def _together(kpi: Measured, pairs: list[tuple[Judged, Beside | None]]) -> Said:
    """No result is worse: which of them rose with the KPI, and at what rate."""
    risen = [(j, b) for j, b in pairs if j.state is State.BETTER]
    rest = [j for j, _ in pairs if j.state is not State.BETTER]
    up = f"{spoken(kpi.metric)} {signed_percent(kpi.best.value)}"
    if not risen:
        names = " and ".join(spoken(j.measured.metric) for j in rest)
        said = f"Only the KPI moved: {up}, while no gain is shown in {names}"
        rates = [b.rate for _, b in pairs if b is not None]
        if len(rates) == 1 and (rate := rates[0]) is not None and rate[2] > 0:
            most = plain(rate[2], 2)
            said += f" (at most {most}% for each 1% of {spoken(kpi.metric)})"
        return said, Stance.MIXED, None
    words = []
    for j, b in risen:
        rate = b.rate if b is not None else None
        word = f"{spoken(j.measured.metric)} {signed_percent(j.measured.best.value)}"
        if rate is not None:
            each, low, high = (plain(x, 2) for x in rate)
            word += f", {each}% [{low}, {high}] for each 1% of {spoken(kpi.metric)}"
        words.append(word)
    said = f"The KPI and the results rise together: {up}; {'; '.join(words)}"
    if rest:
        said += f"; no gain is shown in {' and '.join(spoken(j.measured.metric) for j in rest)}"
    return capital(said), Stance.MIXED if rest else Stance.FOR, None


def _picture(kpi: Measured, pairs: list[tuple[Judged, Beside | None]]) -> tuple[Intervals, ...]:
    """Both on one axis, good to the right, and what lies between them with its joint interval."""
    known = [(j, b) for j, b in pairs if b is not None]
    if not known:
        return ()
    e = kpi.best
    low, high = kpi.bounds
    rows = [_row(f"{spoken(kpi.metric)} (KPI)", kpi.sign, e.value, low, high, Stance.FOR)]
    for j, _ in known:
        m = j.measured
        stance = stance_of_state(j.state)
        rows.append(_row(spoken(m.metric), m.sign, m.best.value, *m.bounds, stance))
    for j, b in known:
        gap, least, most = b.apart
        stance = Stance.AGAINST if j.state is State.WORSE else Stance.MIXED
        name = f"{spoken(j.measured.metric)} less {spoken(kpi.metric)}"
        rows.append(_row(name, 1, gap, least, most, stance, "by their joint error"))
    turned = any(m.sign < 0 for m in (kpi, *(j.measured for j, _ in known)))
    return (
        Intervals(
            title="The KPI and the results on one scale",
            x_label="change against control" + (", the good direction to the right" * turned),
            rows=tuple(rows),
            percent=True,
        ),
    )


def _row(
    label: str,
    sign: int,
    value: float,
    low: float | None,
    high: float | None,
    stance: Stance,
    note: str = "",
) -> Interval:
    edges = (low, high) if sign > 0 else (high, low)
    one, two = (None if x is None else sign * x for x in edges)
    return Interval(label=label, value=sign * value, low=one, high=two, stance=stance, note=note)
