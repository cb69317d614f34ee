"""An effect measured: one metric, one treatment arm, against control."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats as distributions

from octad.model.finding import Number
from octad.model.inputs import Inputs, MetricCells
from octad.model.metric import (
    AnyMetric,
    ColumnMetric,
    FunnelMetric,
    Metric,
    RatioMetric,
    ReturnsMetric,
)
from octad.model.plan import Plan
from octad.stats.effects import Effect, change, compare
from octad.stats.moments import Moments
from octad.stats.refusal import NotEstimable

__all__ = [
    "Measured",
    "anytime_decides",
    "effect_number",
    "measure",
    "number_of",
    "of_look",
    "per_user",
    "share_like",
]


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
        early: Whether the anytime interval decides, so that it is the one to show.
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
    early: bool = False
    unit: str = ""
    totals: tuple[tuple[int, float, float], ...] = ()

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        """The interval that decides; None where it is unbounded."""
        if self.early:
            return self.best.anytime_low, self.best.anytime_high
        return self.best.low, self.best.high

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


def of_look(plan: Plan, inputs: Inputs) -> float:
    """The part of an error that this look may spend.

    One look on the plan's last day spends all of it. Whoever looks oftener spends 6/(πk)² of it at
    the k-th look: over any number of looks these add up to no more than the whole.
    """
    if not anytime_decides(plan, inputs):
        return 1.0
    return 6 / (math.pi * max(1, inputs.history.looks)) ** 2


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
        early=anytime_decides(plan, inputs),
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
        early=anytime_decides(plan, inputs),
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


def effect_number(effect: Effect, unit: str = "", *, p_adjusted: float | None = None) -> Number:
    """An effect as it goes into a finding; `unit` is that of its levels."""
    return Number(
        value=effect.value,
        low=effect.low,
        high=effect.high,
        level=effect.level,
        relative=effect.relative,
        unit=unit,
        p=effect.p,
        anytime_low=effect.anytime_low,
        anytime_high=effect.anytime_high,
        se=effect.se,
        z=effect.z,
        p_adjusted=p_adjusted,
        control=effect.control,
        treatment=effect.treatment,
    )


def number_of(measured: Measured, *, p_adjusted: float | None = None) -> Number:
    """A metric's effect as it goes into a finding; its p is that of the absolute difference."""
    test = measured.absolute
    best = effect_number(measured.best, measured.unit, p_adjusted=p_adjusted)
    tested = {"p": test.p, "z": test.z, "control": test.control, "treatment": test.treatment}
    return best.model_copy(update=tested)


def per_user(moments: Moments, *, denominator: bool = False) -> Moments:
    """A ratio's numerator, or denominator, as a mean per user, before and after alike."""
    after, before = (1, 3) if denominator else (0, 2)
    picked = moments.columns((after, after, before, before))
    mean, comoment = picked.mean.copy(), picked.comoment.copy()
    mean[..., [1, 3]] = 1.0
    comoment[..., [1, 3], :] = 0.0
    comoment[..., :, [1, 3]] = 0.0
    return Moments(picked.n, mean, comoment)
