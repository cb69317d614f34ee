"""What readings share: an effect measured, judged against its margin, and said in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import stats as distributions

from octad.model.finding import Answer, Grade, Number, Stance, State
from octad.model.inputs import Inputs, MetricCells
from octad.model.metric import (
    AnyMetric,
    ColumnMetric,
    FunnelMetric,
    Metric,
    RatioMetric,
    ReturnsMetric,
)
from octad.model.needs import Needs
from octad.model.numbers import plain, significant
from octad.model.plan import Everyone, Plan, Staged, Targeted
from octad.stats.effects import Effect, change, compare
from octad.stats.moments import Moments
from octad.stats.multiplicity import holm
from octad.stats.noninferiority import against_margin
from octad.stats.refusal import NotEstimable

__all__ = [
    "ASSUMES",
    "Judged",
    "Measured",
    "Reading",
    "anytime_decides",
    "by_interval",
    "design_of",
    "grade_of",
    "judge",
    "level_text",
    "measure",
    "missing_metrics",
    "number_of",
    "per_user",
    "percent_text",
    "share_like",
    "signed_percent",
    "stance_of_states",
]


class Reading(Protocol):
    """What every reading's module offers."""

    QUESTION: str
    needs: Callable[[Plan], Needs]
    read: Callable[[Plan, Inputs], Answer]


ASSUMES = {
    Grade.A: "Chance alone decided who got it, and one user's arm does not reach another.",
    Grade.B: "Without the launch both groups would have moved alike; the placebo checks agree.",
    Grade.C: "Nothing else changed at the same time, and the groups were alike; neither was tested"
    " by chance.",
    Grade.T: "Those who write are not everyone; counts of words are not counts of people.",
}
BREAKS = {
    Grade.A: "A broken split, logging lost in one arm, or friends who reach across the arms.",
    Grade.B: "Something else that came to one group at the same moment.",
    Grade.C: "A season, another release, or users who were chosen because they differ.",
    Grade.T: "A prompt to review, bought reviews, or a store that reset its ratings.",
}


def design_of(plan: Plan) -> str:
    """The design's name: experiment, staged, everyone or targeted."""
    match plan.launch.design:
        case Staged():
            return "staged"
        case Everyone():
            return "everyone"
        case Targeted():
            return "targeted"
        case _:
            return "experiment"


def grade_of(plan: Plan) -> Grade:
    """How far the design lets an estimate be the launch's doing."""
    return Grade.A if plan.launch.randomised else Grade.C


def share_like(metric: Metric, moments: Moments | None = None) -> bool:
    """Whether a level is said in per cent: a share of users, or of events.

    A column of a units source is one when every value is 0 or 1, which its moments tell.
    """
    if isinstance(metric, AnyMetric | ReturnsMetric | FunnelMetric | RatioMetric):
        return True
    if not isinstance(metric, ColumnMetric) or moments is None:
        return False
    share, n = float(moments.mean[0]), float(moments.n)
    return 0 <= share <= 1 and bool(
        np.isclose(float(moments.comoment[0, 0]), n * share * (1 - share), rtol=1e-9, atol=1e-9)
    )


def level_text(level: float, *, share: bool = False, unit: str = "") -> str:
    """A metric's level as people say it: ``18.2%``, ``51.34``, ``€12.40``.

    >>> level_text(0.18202, share=True), level_text(51.341), level_text(12.4, unit="€")
    ('18.2%', '51.34', '€12.40')
    """
    if share and abs(level) <= 1:
        return f"{plain(level * 100, max(1, significant(level * 100, 3)))}%"
    text = plain(level, 2 if 1 <= abs(level) < 1000 else significant(level, 3))
    if not unit:
        return text
    return f"{text} {unit}" if unit.isascii() and unit.isalpha() else f"{unit}{text}"


def signed_percent(value: float) -> str:
    """A relative change on its own: ``+6.8%``, ``−0.32%``."""
    hundred = value * 100
    digits = 0 if abs(hundred) >= 100 else 1 if abs(hundred) >= 1 else 2
    return f"{plain(hundred, digits, signed=True)}%"


def percent_text(value: float, low: float | None, high: float | None) -> str:
    """A relative change with its interval, all to the same digit.

    >>> percent_text(0.0682, 0.0591, 0.0773), percent_text(-0.0073, -0.019, 0.004)
    ('+6.8% [+5.9, +7.7]', '−0.7% [−1.9, +0.4]')
    """
    known = [v for v in (value, low, high) if v is not None]
    digits = 1 if max(abs(v) for v in known) >= 0.01 else 2

    def write(number: float) -> str:
        return plain(number * 100, digits, signed=True)

    if low is None or high is None:
        return f"{write(value)}%"
    return f"{write(value)}% [{write(low)}, {write(high)}]"


@dataclass(frozen=True, slots=True)
class Measured:
    """A metric's effect in one treatment arm.

    Attributes:
        relative: The relative effect; None when the control's level is too near zero.
        absolute: The absolute effect, in the metric's unit.
        sign: +1 when more is better, -1 when less is.
        raw_control, raw_treatment: Levels as observed, without any adjustment.
        totals: Users, the numerator's sum and the denominator's, of control, then of treatment.
        share: Whether levels are said in per cent.
        unit: Of the levels: ``share``, or the metric's own.
    """

    metric: str
    arm: str
    relative: Effect | None
    absolute: Effect
    sign: int
    raw_control: float
    raw_treatment: float
    n: int
    waiting: int
    query: str | None
    share: bool = False
    unit: str = ""
    totals: tuple[tuple[int, float, float], ...] = ()

    @property
    def best(self) -> Effect:
        """The relative effect where there is one."""
        return self.relative if self.relative is not None else self.absolute


def _everyone(cells: MetricCells, arm: int) -> Moments:
    return cells.moments[0, arm].total(0)


def _totals(moments: Moments) -> tuple[int, float, float]:
    sums = moments.n * moments.mean
    return int(moments.n), float(sums[0]), float(sums[1])


def _raw(moments: Moments) -> float:
    d = float(moments.mean[1])
    return float(moments.mean[0]) / d if d else float("nan")


def measure(
    plan: Plan,
    inputs: Inputs,
    name: str,
    arm: int = 1,
    *,
    cells: MetricCells | None = None,
    adjust: bool = True,
    level: float | None = None,
) -> Measured | None:
    """Measure a metric in one treatment arm against control.

    Args:
        plan: For the metric's direction.
        inputs: For its cells.
        name: The metric.
        arm: The arm's index; 0 is control. A launch for everyone has only arm 0, compared with
            its own past.
        cells: Other cells than the metric's own, such as a variant's.
        adjust: Whether the pre-period may be used.
        level: Of the intervals; the plan's own when absent.

    Returns:
        None when the data do not let it be estimated.
    """
    found = cells if cells is not None else inputs.metrics.get(name)
    if found is None:
        return None
    wanted = plan.launch.rules.level if level is None else level
    sign = 1 if plan.metric(name).better == "up" else -1
    if found.quantiles is not None:
        return _measure_quantile(found, inputs, name, arm, sign, wanted)
    if len(inputs.arms) == 1:
        return _measure_change(plan, found, inputs, name, sign, wanted)
    control, treatment = _everyone(found, 0), _everyone(found, arm)
    try:
        absolute = compare(control, treatment, relative=False, adjust=adjust, level=wanted)
    except NotEstimable:
        return None
    try:
        relative = compare(control, treatment, relative=True, adjust=adjust, level=wanted)
    except NotEstimable:
        relative = None
    return Measured(
        metric=name,
        arm=inputs.arms[arm],
        relative=relative,
        absolute=absolute,
        sign=sign,
        raw_control=_raw(control),
        raw_treatment=_raw(treatment),
        n=int(control.n + treatment.n),
        waiting=found.waiting,
        query=found.query,
        share=(share := share_like(plan.metric(name), control + treatment)),
        unit="share" if share else plan.metric(name).unit,
        totals=tuple(_totals(m) for m in (control, treatment)),
    )


def _measure_change(
    plan: Plan, found: MetricCells, inputs: Inputs, name: str, sign: int, level: float
) -> Measured | None:
    if not found.paired:
        return None
    moments = _everyone(found, 0)
    try:
        absolute = change(moments, relative=False, level=level)
    except NotEstimable:
        return None
    try:
        relative = change(moments, relative=True, level=level)
    except NotEstimable:
        relative = None
    before = moments.columns((2, 3, 0, 1))
    return Measured(
        metric=name,
        arm=inputs.arms[0],
        relative=relative,
        absolute=absolute,
        sign=sign,
        raw_control=_raw(before),
        raw_treatment=_raw(moments),
        n=int(moments.n),
        waiting=found.waiting,
        query=found.query,
        share=(share := share_like(plan.metric(name), moments)),
        unit="share" if share else plan.metric(name).unit,
        totals=tuple(_totals(m) for m in (before, moments)),
    )


def _measure_quantile(
    found: MetricCells, inputs: Inputs, name: str, arm: int, sign: int, level: float
) -> Measured | None:
    q = found.quantiles
    if q is None or len(q.value) <= arm or not np.isfinite([q.value[arm], q.se[arm]]).all():
        return None
    control, treatment = float(q.value[0]), float(q.value[arm])
    se = float(np.hypot(q.se[0], q.se[arm]))
    if not np.isfinite(control) or not np.isfinite(se) or se <= 0:
        return None

    def effect(value: float, error: float, *, relative: bool) -> Effect:
        z = value / error
        half = float(distributions.norm.ppf(0.5 + level / 2)) * error
        return Effect(
            value=value,
            se=error,
            low=value - half,
            high=value + half,
            level=level,
            p=float(2 * distributions.norm.sf(abs(z))),
            z=z,
            df=float("inf"),
            control=control,
            treatment=treatment,
            n_control=int(q.n[0]),
            n_treatment=int(q.n[arm]),
            relative=relative,
            anytime_low=None,
            anytime_high=None,
            reduction=0.0,
            method="difference of quantiles; errors by order statistics, clustered by user",
        )

    absolute = effect(treatment - control, se, relative=False)
    relative = None
    if control > 0:
        spread = np.hypot(float(q.se[arm]) / control, treatment * float(q.se[0]) / control**2)
        relative = effect(treatment / control - 1, float(spread), relative=True)
    return Measured(
        metric=name,
        arm=inputs.arms[arm],
        relative=relative,
        absolute=absolute,
        sign=sign,
        raw_control=control,
        raw_treatment=treatment,
        n=int(q.n[0] + q.n[arm]),
        waiting=found.waiting,
        query=found.query,
    )


def number_of(measured: Measured, *, p_adjusted: float | None = None) -> Number:
    """The effect as it goes into a finding."""
    e = measured.best
    return Number(
        value=e.value,
        low=e.low,
        high=e.high,
        level=e.level,
        relative=e.relative,
        unit=measured.unit,
        p=measured.absolute.p,
        anytime_low=e.anytime_low,
        anytime_high=e.anytime_high,
        se=e.se,
        z=measured.absolute.z,
        p_adjusted=p_adjusted,
        control=measured.absolute.control,
        treatment=measured.absolute.treatment,
    )


def anytime_decides(plan: Plan, inputs: Inputs) -> bool:
    """Whether looking early, or often, means that the anytime interval decides.

    The fixed interval is right for one look on a day named beforehand: the plan's last.
    """
    history = inputs.history
    return (
        not inputs.final
        or (history.early_looks > 0 and plan.launch.rules.looks <= 1)
        or (plan.launch.rules.looks > 1 and history.looks > 1)
    )


@dataclass(frozen=True, slots=True)
class Judged:
    """A measured effect against its margin.

    Attributes:
        state: Better, within, worse or unclear.
        p_adjusted: Two-sided, corrected for its family.
        bound: The worst that the data still allow, in the margin's own scale, as a loss above
            zero; negative when even the worst is a gain.
        margin: The tolerable loss in the same scale; None when the effect has no such scale.
        needed: How many times the present users would show a true zero to be within the margin,
            four times out of five; None when no number would.
    """

    measured: Measured
    state: State
    p_adjusted: float
    bound: float
    margin: float | None
    needed: float | None = None


def per_user(moments: Moments, *, denominator: bool = False) -> Moments:
    """A ratio's numerator, or denominator, as a mean per user, before and after alike."""
    after, before = (1, 3) if denominator else (0, 2)
    picked = moments.columns((after, after, before, before))
    mean, comoment = picked.mean.copy(), picked.comoment.copy()
    mean[..., [1, 3]] = 1.0
    comoment[..., [1, 3], :] = 0.0
    comoment[..., :, [1, 3]] = 0.0
    return Moments(picked.n, mean, comoment)


def judge(
    plan: Plan,
    inputs: Inputs,
    margins: Mapping[str, object],
    *,
    one_sided: float,
    corrected: bool = True,
) -> list[Judged]:
    """Judge a family of metrics, each against its margin, in every treatment arm.

    A loss is *shown* when the test of no effect, with Holm's correction over the family, is
    rejected on the bad side. That a loss is *within* its margin needs no correction: all must be
    within for the launch to pass, and a test in which all must succeed keeps its error (Berger
    1982, the intersection-union test).

    Args:
        plan: For margins, directions and error rates.
        inputs: For the cells.
        margins: Metric to `Margin`.
        one_sided: Error of the test that the loss is within its margin.
        corrected: Whether p-values carry Holm's correction.

    Returns:
        One entry for each metric and arm that can be estimated.
    """
    arms = range(1, len(inputs.arms)) if len(inputs.arms) > 1 else range(1)
    found = [
        m for name in margins for arm in arms if (m := measure(plan, inputs, name, arm)) is not None
    ]
    if not found:
        return []
    p = np.array([m.absolute.p for m in found])
    adjusted = holm(p) if corrected else p
    alpha = 1 - plan.launch.rules.level
    anytime = anytime_decides(plan, inputs)
    return [
        _judge_one(m, margins[m.metric], float(q), alpha, one_sided, len(found), anytime=anytime)
        for m, q in zip(found, adjusted, strict=True)
    ]


def _judge_one(
    measured: Measured,
    margin: object,
    p_adjusted: float,
    alpha: float,
    one_sided: float,
    family: int,
    *,
    anytime: bool,
) -> Judged:
    kind, size = getattr(margin, "kind", "relative"), float(getattr(margin, "value", 0.0))
    effect = measured.relative if kind == "relative" else measured.absolute
    safe, bound, needed = False, float("inf"), None
    if effect is not None:
        shown = against_margin(effect, size, "up" if measured.sign > 0 else "down", one_sided)
        safe = shown.safe_anytime if anytime else shown.safe
        bound = _bound(effect, measured.sign, one_sided, anytime=anytime)
        needed = shown.needed
    best = measured.best
    moved = _anytime_moved(best, family) if anytime else p_adjusted <= alpha
    good = measured.sign * best.value > 0
    if moved and good:
        state = State.BETTER
    elif safe:
        state = State.WITHIN
    elif moved:
        state = State.WORSE
    else:
        state = State.UNCLEAR
    return Judged(measured, state, p_adjusted, bound, size if effect is not None else None, needed)


def _bound(effect: Effect, sign: int, one_sided: float, *, anytime: bool) -> float:
    """The largest loss that the deciding interval still allows; negative when even that gains."""
    if anytime:
        edge = effect.anytime_low if sign > 0 else effect.anytime_high
        return float("inf") if edge is None else -sign * edge
    return float(distributions.norm.isf(one_sided)) * effect.se - sign * effect.value


def _anytime_moved(effect: Effect, family: int) -> bool:
    """Whether the anytime interval, widened for its family, leaves zero out.

    The anytime interval is stretched in proportion to the normal quantiles of the two levels,
    which for these boundaries is slightly wider than the exact one.
    """
    low, high = effect.anytime_low, effect.anytime_high
    if low is None or high is None:
        return False
    alpha = 1 - effect.level
    stretch = float(distributions.norm.isf(alpha / 2 / family) / distributions.norm.isf(alpha / 2))
    half = (high - low) / 2 * stretch
    return abs((high + low) / 2) > half


def by_interval(effect: Effect, sign: int, *, anytime: bool) -> Stance:
    """For, against or mixed, by the interval alone, without a margin."""
    low, high = (effect.anytime_low, effect.anytime_high) if anytime else (effect.low, effect.high)
    if low is None or high is None:
        return Stance.MIXED
    if sign * (low if sign > 0 else high) > 0:
        return Stance.FOR
    return Stance.AGAINST if sign * (high if sign > 0 else low) < 0 else Stance.MIXED


def stance_of_states(states: list[State]) -> Stance:
    """One `worse` is against; all better or within is for; anything unclear is mixed."""
    if not states:
        return Stance.SILENT
    if State.WORSE in states:
        return Stance.AGAINST
    return Stance.MIXED if State.UNCLEAR in states else Stance.FOR


def missing_metrics(inputs: Inputs, names: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    """Why some metrics could not be measured, as sentences."""
    out = []
    for name in names:
        if name in inputs.absent:
            out.append(f"{name}: {inputs.absent[name]}.")
        elif name not in inputs.metrics:
            out.append(f"{name}: no source gives it.")
    return tuple(out)
