"""The relative effect in the first and the last third of days, in the same users."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from octad.model.inputs import Inputs
from octad.model.plan import Plan
from octad.readings.measure import anytime_decides
from octad.stats.moments import Moments
from octad.stats.sequential import anytime_multiplier

__all__ = ["Change", "change_of", "ratio_errors", "widening"]

FloatArray = NDArray[np.float64]


def widening(plan: Plan, inputs: Inputs, users: float) -> float:
    """How many times wider intervals are while looks before the end decide; 1 at the end."""
    if not anytime_decides(plan, inputs):
        return 1.0
    level = plan.launch.rules.level
    often = float(anytime_multiplier(users, level=level))
    return max(1.0, often / float(special.ndtri(0.5 + level / 2)))


@dataclass(frozen=True, slots=True)
class Change:
    """The relative effect early and late in the same users, up being good.

    Attributes:
        shown: Whether the change is beyond chance; half of the error is kept for the curve.
        level: Of the interval `low` to `high` of the change.
        still: Whether a gain is still shown at the end.
    """

    early: float
    late: float
    shift: float
    se: float
    low: float
    high: float
    level: float
    p: float
    shown: bool
    still: bool
    early_shown: bool


def change_of(plan: Plan, inputs: Inputs, halves: Moments, sign: int) -> Change | None:
    """How the effect changes from the first third of days to the last.

    Args:
        plan: For the level.
        inputs: For whether this is a look before the end, whose intervals are wider.
        halves: Leading shape (2,), control and the arm; columns: a user's mean per day early and
            late.
        sign: +1 when more is better.

    Returns:
        None with fewer than two users in an arm, without use in control, or where nothing varies.
    """
    if float(halves.n.min()) < 2 or float(halves.mean[0].min()) <= 0:
        return None
    wide = widening(plan, inputs, float(halves.n.sum()))
    c, t = halves[0], halves[1]
    early, late = (sign * (float(ratio) - 1) for ratio in t.mean / c.mean)
    early_se, late_se, se = (float(e) for e in ratio_errors(c, t))
    if se <= 0:
        return None
    shift, alpha = late - early, 1 - plan.launch.rules.level
    p = float(2 * special.ndtr(-abs(shift / se)))
    q = float(special.ndtri(1 - alpha / 2)) * wide
    # The curve over days is a second test of the same question, so each has half of the error.
    half = float(special.ndtri(1 - alpha / 4)) * wide * se
    return Change(
        early=early,
        late=late,
        shift=shift,
        se=se,
        low=shift - half,
        high=shift + half,
        level=1 - alpha / 2,
        p=p,
        shown=abs(shift) > half,
        still=late - q * late_se > 0,
        early_shown=abs(early) > q * early_se,
    )


def ratio_errors(control: Moments, treatment: Moments) -> FloatArray:
    """Standard errors of treatment over control, early, late, and late less early.

    Delta method; a user's early and late days move together, and both arms' levels are estimates.

    Args:
        control: Leading shape (), two columns: a user's mean per day early and late.
        treatment: The same of the other arm.

    Returns:
        (3,) errors.
    """
    c, t = control.mean, treatment.mean
    pick = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 1.0]])
    variance = np.zeros(3)
    for slopes, arm in ((1 / c, treatment), (-t / c**2, control)):
        gradient = pick * slopes
        covariance = arm.covariance() / arm.n
        variance += np.einsum("ij,jk,ik->i", gradient, covariance, gradient)
    return np.sqrt(np.maximum(variance, 0.0))
