"""The same reckoning where nothing happened: in other places, on other days, under other lots.

A placebo asks how often a method would have said as much without a launch. Its p-value is a
count, (1 + as large) / (1 + placebos) (Phipson and Smyth 2010), so it cannot be smaller than its
resolution 1 / (1 + placebos), and is never zero. With 12 placebos nothing can be shown at 5%.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import factorial, prod

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from octad.stats.refusal import NotEstimable
from octad.stats.synthetic import Estimator, synthetic_difference

__all__ = ["Placebo", "in_space", "in_time", "matched_days", "reassigned", "set_beside"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Placebo:
    """What happened, set beside what happens without a launch.

    Attributes:
        observed: The statistic of the launch.
        placebos: (m,) the same where nothing happened.
        p: (1 + placebos at least as large) / (1 + m).
        resolution: The smallest p that m placebos can give.
        alarms: Placebos that the method itself would have called an effect; None when not asked.
        alarm_p: Chance of so many alarms or more if the method's 5% were true; None likewise.
    """

    observed: float
    placebos: FloatArray
    p: float
    resolution: float
    alarms: int | None = None
    alarm_p: float | None = None

    def can_show(self, level: float = 0.05) -> bool:
        """Whether there are placebos enough for p to fall to a level at all."""
        return self.resolution <= level


def set_beside(observed: float, placebos: ArrayLike, *, two_sided: bool = True) -> Placebo:
    """Count how many placebos are at least as large as the launch.

    Args:
        observed: The launch's statistic.
        placebos: (m,) of the placebos; those that could not be reckoned (NaN) are left out.
        two_sided: Compare sizes regardless of sign.

    Returns:
        The comparison.

    Raises:
        NotEstimable: When there is no placebo.

    >>> set_beside(3.0, [0.5, -1.0, 2.0, -4.0]).p
    0.4
    """
    others = np.asarray(placebos, dtype=np.float64).ravel()
    others = others[np.isfinite(others)]
    if not len(others) or not np.isfinite(observed):
        raise NotEstimable("There is nothing comparable in which nothing happened.")
    ours, theirs = (abs(observed), np.abs(others)) if two_sided else (observed, others)
    # A placebo that ties but for rounding counts as at least as large: it must not flatter us.
    as_large = int((theirs >= ours - 1e-12 * max(1.0, abs(ours))).sum())
    return Placebo(
        float(observed), others, (1 + as_large) / (1 + len(others)), 1 / (1 + len(others))
    )


def in_space(
    outcome: ArrayLike, treated: ArrayLike, pre: int, *, estimator: Estimator = "sc"
) -> Placebo:
    """Pretend each untreated unit had the launch (Abadie, Diamond and Hainmueller 2010).

    The statistic is the root mean square gap after the launch over that before it, so that a unit
    that was badly matched all along does not look like an effect.

    Args:
        outcome: (N, T) one row a unit.
        treated: (N,) one unit with the launch.
        pre: Periods before it.
        estimator: As in `synthetic_difference`.

    Returns:
        The launch's ratio beside those of all other units.

    Raises:
        NotEstimable: When not exactly one unit is treated, or as `synthetic_difference`.
    """
    y, flag = np.asarray(outcome, dtype=np.float64), np.asarray(treated, dtype=bool)
    if flag.sum() != 1:
        raise NotEstimable("Placebos in space need one unit with the launch, and others without.")

    def ratio(panel: FloatArray, row: int) -> float:
        found = synthetic_difference(
            panel, np.arange(len(panel)) == row, pre, estimator=estimator, placebos=0
        )
        if found.pre_rmse > 0:
            return min(found.post_rmse / found.pre_rmse, 1e300)
        return 1e300 if found.post_rmse > 0 else 0.0

    ours = int(np.flatnonzero(flag)[0])
    observed = ratio(y, ours)
    others = y[~flag]
    ratios = np.array([ratio(others, row) for row in range(len(others))])
    return set_beside(observed, ratios)


def matched_days(
    days: int,
    launch: int,
    *,
    length: int,
    history: int,
    season: int = 7,
    avoid: ArrayLike = (),
) -> IntArray:
    """Days on which nothing was launched, as like the launch's as can be.

    Args:
        days: Days there are.
        launch: Position of the launch.
        length: Days after a placebo date that are looked at.
        history: Days a placebo date needs before it.
        season: Same phase of the pattern (same weekday for 7).
        avoid: Positions of other releases or events: no placebo's days after may hold one.

    Returns:
        Positions, rising. The days after them do not overlap one another, nor the launch, so that
        the placebos do not all tell of the same weeks.
    """
    events = np.asarray(avoid, dtype=np.int64)
    step = -(-length // season) * season
    found: list[int] = []
    for at in range(launch - step, history - 1, -season):
        clear = not ((events >= at) & (events < at + length)).any()
        apart = not found or found[-1] - at >= length
        if clear and apart and at + length <= min(launch, days):
            found.append(at)
    return np.array(found[::-1], dtype=np.int64)


def in_time(
    effect: Callable[[int], tuple[float, float]],
    launch: int,
    dates: ArrayLike,
    *,
    level: float = 0.95,
) -> Placebo:
    """Pretend the launch had been on other days.

    Args:
        effect: Day to (estimate, p-value), from data before the true launch only when the day
            lies before it. A day for which it raises `NotEstimable` is left out.
        launch: The true day.
        dates: Placebo days, from `matched_days`.
        level: Placebos with p below 1 − level count as false alarms.

    Returns:
        The launch beside the placebos, with the method's own false alarms.

    Raises:
        NotEstimable: When the launch's effect cannot be had, or no placebo's can.
    """
    observed, _ = effect(launch)
    values, alarms = [], 0
    for day in np.asarray(dates, dtype=np.int64).tolist():
        try:
            value, p = effect(day)
        except NotEstimable:
            continue
        values.append(value)
        alarms += p < 1 - level
    found = set_beside(observed, values)
    return Placebo(
        found.observed,
        found.placebos,
        found.p,
        found.resolution,
        alarms,
        float(stats.binom.sf(alarms - 1, len(values), 1 - level)),
    )


def reassigned(
    statistic: Callable[[FloatArray], float],
    assigned: ArrayLike,
    *,
    number: int = 999,
    seed: int = 0,
) -> Placebo:
    """Deal the launch dates to the units afresh (Fisher's randomisation test).

    With few regions, errors by cluster are too small; this test needs none. It supposes that any
    region could as well have had any of the dates.

    Args:
        statistic: Of an assignment (units,); deals for which it raises `NotEstimable` are left out.
        assigned: (units,) each unit's date, group or arm as a number; infinity for never.
        number: Most deals to try; when there are no more than these, each is tried once.
        seed: Of the deals.

    Returns:
        The true assignment beside the others.

    Raises:
        NotEstimable: When the assignment cannot be dealt in any other way.
    """
    true = np.asarray(assigned, dtype=np.float64)
    _, counts = np.unique(true, return_counts=True)
    ways = factorial(len(true)) // prod(factorial(int(c)) for c in counts)
    if ways < 2:
        raise NotEstimable("Every unit has the same date, so dates cannot be dealt otherwise.")
    rng = np.random.default_rng(seed)
    deals: Iterator[FloatArray]
    if ways - 1 <= number:
        deals = (deal for deal in _distinct(np.sort(true)) if not np.array_equal(deal, true))
    else:
        deals = (rng.permutation(true) for _ in range(number))
    values = []
    for deal in deals:
        try:
            values.append(statistic(deal))
        except NotEstimable:
            continue
    return set_beside(statistic(true), values)


def _distinct(values: FloatArray) -> Iterator[FloatArray]:
    """Every distinct order of sorted values, by the next permutation in lexicographic order."""
    at = values.copy()
    while True:
        yield at.copy()
        rising = np.flatnonzero(at[:-1] < at[1:])
        if not len(rising):
            return
        i = int(rising[-1])
        j = int(np.flatnonzero(at > at[i])[-1])
        at[i], at[j] = at[j], at[i]
        at[i + 1 :] = at[i + 1 :][::-1]
