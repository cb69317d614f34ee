"""The effect on every day, its band, and the curve through it that is carried on to the horizon."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from octad.model.finding import Curve, CurveLine, Finding, Grade, Number, Stance
from octad.model.inputs import Daily, Inputs
from octad.model.plan import Plan
from octad.readings.base import percent_text
from octad.readings.claims import in_arm, spoken
from octad.stats.day_effects import DayEffects, day_effects
from octad.stats.effects import compare_many
from octad.stats.novelty import LearningCurve, learning_curve
from octad.stats.refusal import NotEstimable

__all__ = ["Followed", "drawn", "follow", "later"]

FloatArray = NDArray[np.float64]

_STAYED = 0.9
"""Share of the users that a day must still have for the curve over days: else other users' days
would be set beside one another."""
_MISFIT = 0.001
_AFTER = 1
"""Days left out at the start: on the day of exposure everybody is there because of it, so its
effect is of another kind, and its small error would pull the whole curve to it."""
_STEPS = 10


@dataclass(frozen=True, slots=True)
class Followed:
    """One metric of one arm, followed over the days.

    Attributes:
        days: Days that are shown; `sign` +1 when more is better.
        effects: The effect on each of them with its band; None without sums by bucket.
        fitted: The same from the second day on, while nearly all users are still there, for `fit`.
        fit: A curve that settles, up being good; None where the days follow none.
    """

    plan: Plan
    inputs: Inputs
    daily: Daily
    arm: int
    days: int
    sign: int
    effects: DayEffects | None
    fitted: DayEffects | None
    fit: LearningCurve | None

    @property
    def suffix(self) -> str:
        """What tells the arm apart in a finding's id."""
        return f".{self.inputs.arms[self.arm]}" if len(self.inputs.arms) > 2 else ""

    @property
    def named(self) -> str:
        """The metric as it is said, with the arm where there are several."""
        return spoken(self.daily.metric) + in_arm(self.inputs, self.inputs.arms[self.arm])


def follow(plan: Plan, inputs: Inputs, daily: Daily, arm: int, days: int, wide: float) -> Followed:
    """Follow a metric: effects by day, band, curve."""
    sign = 1 if plan.metric(daily.metric).better == "up" else -1
    shown = min(days, len(daily.days))
    level = plan.launch.rules.level
    effects = fitted = fit = None
    if daily.by_bucket is not None:
        pair = daily.by_bucket[[0, arm]]
        seen = pair[:, :, :shown, 0].sum(axis=(0, 1))
        same = int((seen >= _STAYED * max(1.0, float(seen[0]))).sum())
        effects = _effects(pair[:, :, :shown], level, wide)
        fitted = _effects(pair[:, :, _AFTER:same], level, 1.0)
        horizon = plan.launch.horizon
        end = max(shown, horizon.days if horizon is not None else shown)
        fit = None if fitted is None else _settled(fitted, sign, end, level)
    return Followed(plan, inputs, daily, arm, shown, sign, effects, fitted, fit)


def _effects(by_bucket: FloatArray, level: float, wide: float) -> DayEffects | None:
    try:
        return day_effects(by_bucket, level=level, stretch=wide)
    except NotEstimable:
        return None


def _settled(fitted: DayEffects, sign: int, day: float, level: float) -> LearningCurve | None:
    """A curve that settles, asked about a day (from 1); None where the days do not follow one."""
    t = _AFTER + np.arange(len(fitted.value), dtype=np.float64)
    try:
        found = learning_curve(
            t, sign * fitted.value, fitted.weighing, horizon=day - 1, level=level
        )
    except NotEstimable:
        return None
    beyond = float(special.chdtrc(max(1, len(t) - 3), found.misfit))
    return None if beyond < _MISFIT else found


def drawn(f: Followed) -> Curve | None:
    """The relative effect by day with its band; None when no day can be compared."""
    name = "change, with a band that holds over all days at once"
    line = _bonferroni(f, name) if f.effects is None else _measured(f.effects, name, f.days)
    if line is None:
        return None
    return Curve(
        title=f"{spoken(f.daily.metric)}: effect by day since exposure",
        x_label="days since exposure",
        y_label="change against control",
        x=tuple(int(d) + 1 for d in f.daily.days[: f.days]),
        lines=(line,),
        percent=True,
    )


def _measured(effects: DayEffects, name: str, end: int) -> CurveLine:
    empty: tuple[None, ...] = (None,) * (end - len(effects.value))
    return CurveLine(
        name=name,
        y=(*(float(v) for v in effects.value), *empty),
        low=(*(float(v) for v in effects.band.low), *empty),
        high=(*(float(v) for v in effects.band.high), *empty),
    )


def _bonferroni(f: Followed, name: str) -> CurveLine | None:
    """The same from the days' own moments, without how the days go together: a wider band."""
    level = 1 - (1 - f.plan.launch.rules.level) / max(1, f.days)
    control, treatment = (f.daily.moments[a, : f.days] for a in (0, f.arm))
    found = compare_many(control, treatment, relative=True, adjust=False, level=level)
    if not found.ok.any():
        return None

    def line(values: FloatArray) -> tuple[float | None, ...]:
        return tuple(
            float(v) if ok and np.isfinite(v) else None
            for v, ok in zip(values, found.ok, strict=True)
        )

    return CurveLine(name=name, y=line(found.value), low=line(found.low), high=line(found.high))


def later(f: Followed) -> list[Finding]:
    """What the curve leaves on the last day of the plan's horizon; a forecast, so grade C."""
    horizon, fit = f.plan.launch.horizon, f.fit
    if fit is None or horizon is None or horizon.days <= f.days or not f.plan.launch.randomised:
        return []
    low, high = sorted((f.sign * fit.there_low, f.sign * fit.there_high))
    stance = Stance.MIXED
    if fit.there_low > 0 or fit.there_high < 0:
        stance = Stance.FOR if fit.there_low > 0 else Stance.AGAINST
    at = f.sign * fit.level_there
    return [
        Finding(
            id=f"horizon.{f.daily.metric}.later" + f.suffix,
            claim=_said(f, fit, percent_text(at, low, high), horizon.days),
            stance=stance,
            grade=Grade.C,
            metric=f.daily.metric,
            estimate=Number(
                value=at, low=low, high=high, level=f.plan.launch.rules.level, unit="share"
            ),
            n=None if f.daily.halves is None else int(f.daily.halves.n[[0, f.arm]].sum()),
            method="a start, an end and one pace between them (Hohnhold, O'Brien & Tang 2015), "
            "fitted by generalised least squares to the days' effects; profile interval over all "
            "paces that fit",
            assumes="Beyond the days observed the effect goes on as the curve that fits them.",
            breaks="A habit that forms later, a rival's answer, a season: anything that the first "
            f"{f.days} days do not show.",
            evidence=_carried_on(f, horizon.days),
            query_digest=f.daily.query,
        )
    ]


def _said(f: Followed, fit: LearningCurve, figure: str, day: int) -> str:
    if fit.p > (1 - f.plan.launch.rules.level) / 2:
        return (
            f"The days seen do not bend beyond chance; curves that fit them put {f.named} at "
            f"{figure} on day {day}."
        )
    return f"If the curve keeps its shape, {f.named} would stand at {figure} on day {day}."


def _carried_on(f: Followed, end: int) -> tuple[Curve, ...]:
    """The days measured, and the curve carried on to the horizon with its interval."""
    if f.effects is None or f.fitted is None:
        return ()
    steps = np.unique(np.geomspace(f.days, end, _STEPS).round())
    level = f.plan.launch.rules.level
    found = [_settled(f.fitted, f.sign, float(step), level) for step in steps]
    known = [(step, fit) for step, fit in zip(steps, found, strict=True) if fit is not None]
    at = np.arange(f.days, end + 1)

    def ahead(values: list[float]) -> tuple[float | None, ...]:
        between = np.interp(at, [step for step, _ in known], f.sign * np.array(values))
        return (*[None] * (f.days - 1), *(float(v) for v in between))

    edges = (
        ahead([fit.there_low for _, fit in known]),
        ahead([fit.there_high for _, fit in known]),
    )
    low, high = edges if f.sign > 0 else edges[::-1]
    carried = CurveLine(
        name="carried on, if the curve keeps its shape",
        y=ahead([fit.level_there for _, fit in known]),
        low=low,
        high=high,
    )
    return (
        Curve(
            title=f"{spoken(f.daily.metric)}: carried on to day {end}",
            x_label="days since exposure",
            y_label="change against control",
            x=tuple(range(1, end + 1)),
            lines=(_measured(f.effects, "measured, with its band over all days", end), carried),
            percent=True,
        ),
    )
