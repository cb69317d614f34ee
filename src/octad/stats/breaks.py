"""Breaks in measurement: a gap on the day of the launch, or a step that every series takes.

A new tracking library, an outage or a changed definition moves everything at once, on a day that
is often the launch's. The launch's effect can then not be told from it, and must not be guessed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from octad.stats.refusal import NotEstimable
from octad.stats.structural import Model, forecast

__all__ = ["Steps", "refuse_gap", "refuse_shared_step", "steps_at"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_BEFORE, _AFTER = 56, 14
"""Days before and after that a step is judged by."""
_NEAR = (3, 2)
"""A gap this many days before the launch, or after its first day, cannot be told from it."""


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """The step each series takes on one day, over and above its drift and weekly pattern.

    Attributes:
        step: (S,) in the series' unit.
        p: (S,) twice the smaller posterior tail about zero.
        broken: (S,) whether p is below the threshold asked for.
        shared: Whether every series steps, all in one direction.
    """

    step: FloatArray
    p: FloatArray
    broken: BoolArray
    shared: bool


def refuse_gap(series: ArrayLike, launch: int) -> None:
    """Refuse when data are missing around the launch.

    A day counts as missing when it is NaN, or zero in a series that was never zero before.

    Args:
        series: (S, T) one row a series, one column a day.
        launch: Column of the first day with the launch.

    Raises:
        NotEstimable: With the reason "measurement break".
    """
    values = np.atleast_2d(np.asarray(series, dtype=np.float64))
    first, last = max(launch - _NEAR[0], 0), launch + _NEAR[1] + 1
    near = values[:, first:last]
    before = values[:, :first]
    never_zero = np.array([np.isfinite(row).any() and np.nanmin(row) > 0 for row in before])
    missing = ~np.isfinite(near) | ((near == 0) & never_zero[:, None])
    if missing.any():
        rows = int(missing.any(axis=1).sum())
        who = "every series" if rows == len(values) else f"{rows} of {len(values)} series"
        raise NotEstimable(
            f"Measurement break: data are missing around the launch in {who}, so what changed"
            " that day may be the counting."
        )


def steps_at(
    series: ArrayLike, launch: int, *, season: int | None = 7, threshold: float = 0.01
) -> Steps:
    """Find the step that each series takes on the day of the launch.

    Args:
        series: (S, T); NaN days are left out.
        launch: Column of the first day with the launch.
        season: Days of the repeating pattern; None for none.
        threshold: p-value below which a step counts.

    Returns:
        The steps, each judged against the series' own drift over eight weeks before and two after.

    Raises:
        NotEstimable: When there are too few days, or a series does not vary.
    """
    values = np.atleast_2d(np.asarray(series, dtype=np.float64))
    window = slice(max(launch - _BEFORE, 0), launch + _AFTER)
    near = values[:, window]
    after = (np.arange(near.shape[1]) >= launch - window.start).astype(np.float64)
    model = Model.build(near.shape[1], regressors=after[:, None], season=season)
    everything, nothing = np.ones(len(after), dtype=bool), np.zeros(len(after), dtype=bool)
    found = [forecast(model, row, everything, nothing).coefficient_p(-1) for row in near]
    step, p = np.array([s for s, _ in found]), np.array([q for _, q in found])
    broken = p < threshold
    one_way = bool((step > 0).all() or (step < 0).all())
    return Steps(step, p, broken, bool(broken.all()) and one_way and len(values) > 1)


def refuse_shared_step(
    outcome: ArrayLike, controls: ArrayLike, launch: int, *, season: int | None = 7
) -> BoolArray:
    """Refuse when the series that the launch should not touch stepped with it.

    Args:
        outcome: (T,) the launch's own series.
        controls: (K, T) series it should not touch.
        launch: Column of the first day with the launch.
        season: As in `steps_at`.

    Returns:
        (K,) which controls took no step and can serve.

    Raises:
        NotEstimable: With the reason "measurement break" when outcome and controls all stepped
            the same way; or when every control stepped, so that none is left to compare with.
    """
    others = np.atleast_2d(np.asarray(controls, dtype=np.float64))
    whole = np.vstack([np.asarray(outcome, dtype=np.float64), others])
    found = steps_at(whole, launch, season=season)
    if found.shared:
        raise NotEstimable(
            "Measurement break: every series, also those the launch should not touch, stepped the"
            " same way that day."
        )
    if found.broken[1:].all():
        raise NotEstimable(
            "Measurement break: every series that the launch should not touch stepped that day, so"
            " none is left to compare with."
        )
    return ~found.broken[1:]
