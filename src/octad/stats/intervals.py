"""How far two levels are apart, absolutely or relatively, and how surely.

Choices, and why:

* **t, not z.** Critical values come from Student's t with Welch and Satterthwaite's degrees of
  freedom for the difference (a relative effect has the same ones when there is no effect). With
  large arms that is z; with small ones it is the honest one. No cut-off to argue on.
* **Fieller, not delta.** A relative effect divides by the control's level, which is itself
  uncertain. The delta method's interval is symmetric all the same, and its p is not that of the
  absolute difference although "no effect" is one and the same; both faults grow as the control's
  level weakens. Fieller's interval has neither, and becomes the delta method's as the level
  strengthens, so there is no cut-off between two methods for an estimate to jump across from one
  day to the next. Finney's g = (t·se/level)² says how weak a level is: from g = 1 on it cannot be
  told from zero, no bounded interval exists, and the answer is refused. `se` is the delta
  method's, for planning and for meta-analysis; `interval="delta"` gives its interval, to compare
  with other tools.
* **A rise is a rise.** The relative effect divides by the absolute control level, so that a metric
  below zero (a loss) that grows is a positive effect.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from octad.stats.levels import (
    NO_LEVEL,
    NO_SPREAD,
    ROUNDING,
    CodeArray,
    Levels,
    divide,
    fieller,
    spread,
)
from octad.stats.sequential import anytime_multiplier

__all__ = ["REASONS", "Effects", "Interval", "finish"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Interval = Literal["fieller", "delta"]

REASONS = {
    1: "An arm has fewer than two users, so its spread cannot be known.",
    2: "The metric's denominator is zero, or cannot be told from zero, in an arm.",
    3: "The control's level is zero or cannot be told from zero, so a relative change has no"
    " meaning; look at the absolute difference.",
    4: "No value varies within either arm, so there is nothing to judge the difference by.",
    5: "The sums are not finite.",
}
"""Why an estimate is refused, by code; 0 is none."""


@dataclass(frozen=True, slots=True, eq=False)
class Effects:
    """Many effects at once; every array has the leading shape of the moments given.

    Attributes:
        ok: Where an estimate exists; elsewhere the numbers are 0 (p is 1).
        reason: Code of the refusal, 0 where `ok`; see `REASONS`.
        df: Degrees of freedom of the t distribution behind `low`, `high` and `p`.
        theta: CUPED's coefficient; 0 where it was not used.
        anytime_low, anytime_high: NaN where unbounded.

    The others are as in `Effect`.
    """

    value: FloatArray
    se: FloatArray
    low: FloatArray
    high: FloatArray
    p: FloatArray
    z: FloatArray
    df: FloatArray
    control: FloatArray
    treatment: FloatArray
    n_control: FloatArray
    n_treatment: FloatArray
    anytime_low: FloatArray
    anytime_high: FloatArray
    reduction: FloatArray
    theta: FloatArray
    ok: BoolArray
    reason: NDArray[np.int8]
    level: float
    relative: bool


def _critical(df: FloatArray, level: float) -> FloatArray:
    return np.asarray(special.stdtrit(df, 0.5 + level / 2), dtype=np.float64)


@dataclass(slots=True, eq=False)
class _Found:
    """An interval in the making: centre, error, and where its edges are."""

    value: FloatArray
    se: FloatArray
    z: FloatArray
    edges: tuple[FloatArray, FloatArray, FloatArray, FloatArray]
    weak: BoolArray


def _absolute(levels: Levels, se: FloatArray, reaches: tuple[FloatArray, FloatArray]) -> _Found:
    value = levels.level[1] - levels.level[0]
    edges = tuple(value + sign * _times(reach, se) for reach in reaches for sign in (-1, 1))
    nowhere = np.zeros(value.shape, dtype=bool)
    return _Found(value, se, divide(value, se), edges, nowhere)


def _times(reach: FloatArray, se: FloatArray) -> FloatArray:
    """Reach times error, 0 where the error is 0 (the reach may be infinite there)."""
    return np.where(se > 0, np.where(se > 0, reach, 0.0) * se, 0.0)


def _relative(
    levels: Levels, error: FloatArray, reaches: tuple[FloatArray, FloatArray], interval: Interval
) -> _Found:
    control, treatment = levels.level
    size, ratio = np.abs(control), divide(treatment, control)
    value = divide(treatment - control, size)
    per_unit = divide(np.ones_like(size), size)
    se = np.sqrt(spread(levels, np.stack([-ratio * per_unit, per_unit]))[0])
    weak = (control == 0) | (reaches[0] ** 2 * levels.cov()[0, 0] >= control**2)
    edges: list[FloatArray] = []
    for reach in reaches:
        if interval == "delta":
            width = _times(reach, se)
            edges += [value - width, value + width]
            continue
        first, last, bounded = fieller(levels, reach)
        both = np.sort(np.stack([first, last]) * np.sign(control), axis=0)
        # The estimate lies within by definition; rounding must not put it outside.
        low, high = np.minimum(both[0], value), np.maximum(both[1], value)
        edges += [np.where(bounded, low, np.nan), np.where(bounded, high, np.nan)]
    z = divide(value, se) if interval == "delta" else divide(treatment - control, error)
    return _Found(value, se, z, (edges[0], edges[1], edges[2], edges[3]), weak)


def _without_rounding(levels: Levels) -> Levels:
    """Levels that differ by rounding alone and have no error are equal."""
    control, treatment = levels.level
    near = np.abs(treatment - control) <= ROUNDING * np.maximum(np.abs(control), np.abs(treatment))
    still = spread(levels, np.stack([-np.ones_like(control), np.ones_like(control)]))[0] == 0
    return replace(levels, level=np.stack([control, np.where(near & still, control, treatment)]))


def finish(
    levels: Levels,
    reason: CodeArray,
    *,
    relative: bool,
    level: float,
    planned_n: float | None,
    interval: Interval,
    reduction: FloatArray,
    theta: FloatArray,
) -> Effects:
    """Set two levels side by side.

    Args:
        levels: Two levels and their covariance, leading shape (...,).
        reason: (...,) code of a refusal already known, 0 for none.
        relative: Divide by the first level.
        level: Coverage.
        planned_n: Users expected at the end, all groups; tunes the anytime interval.
        interval: Fieller's, or the delta method's.
        reduction: (...,) passed through.
        theta: (...,) passed through.
    """
    levels = _without_rounding(levels)
    one = np.ones(levels.level.shape[1:])
    variance, df = spread(levels, np.stack([-one, one]))
    error = np.sqrt(variance)
    anytime = anytime_multiplier(levels.ns.sum(axis=0), level=level, planned_n=planned_n)
    reaches = _critical(df, level), anytime
    found = (
        _relative(levels, error, reaches, interval)
        if relative
        else _absolute(levels, error, reaches)
    )
    reason = np.where((reason == 0) & found.weak, NO_LEVEL, reason)
    reason = np.where((reason == 0) & (found.se == 0) & (found.value != 0), NO_SPREAD, reason)
    p = np.where(found.se > 0, 2 * special.stdtr(df, -np.abs(found.z)), 1.0)
    ok = reason == 0

    def shown(array: FloatArray, otherwise: float = 0.0) -> FloatArray:
        return np.asarray(np.where(ok, array, otherwise))

    return Effects(
        value=shown(found.value),
        se=shown(found.se),
        low=shown(found.edges[0]),
        high=shown(found.edges[1]),
        p=shown(p, 1.0),
        z=shown(found.z),
        df=df,
        control=shown(levels.level[0]),
        treatment=shown(levels.level[1]),
        n_control=levels.ns[0],
        n_treatment=levels.ns[-1],
        anytime_low=shown(found.edges[2], np.nan),
        anytime_high=shown(found.edges[3], np.nan),
        reduction=shown(reduction),
        theta=shown(theta),
        ok=ok,
        reason=reason.astype(np.int8),
        level=level,
        relative=relative,
    )
