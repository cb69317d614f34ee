"""An effect judged: better, within its margin, worse, or unclear."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats as distributions

from octad.model.base import Margin
from octad.model.finding import Stance, State
from octad.model.inputs import Inputs
from octad.model.plan import Plan
from octad.readings.measure import Measured, anytime_decides, measure
from octad.stats.effects import Effect
from octad.stats.multiplicity import holm
from octad.stats.noninferiority import against_margin

__all__ = ["Judged", "by_interval", "judge", "stance_of_states"]


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


def judge(
    plan: Plan,
    inputs: Inputs,
    margins: Mapping[str, Margin],
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
    margin: Margin,
    p_adjusted: float,
    alpha: float,
    one_sided: float,
    family: int,
    *,
    anytime: bool,
) -> Judged:
    size = margin.value
    effect = measured.relative if margin.kind == "relative" else measured.absolute
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
