"""Hints that one user's arm reaches another: a hint is not proof, and no hint is no proof either.

When treatment leaks, the control's own level moves with the share of people around it who are
treated. So the control is held against that share: over the days, when the split was opened step
by step, and over the values of each attribute, when the split differs among them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from octad.model.finding import Curve, CurveLine, Evidence, Finding, Grade, Stance
from octad.model.inputs import Inputs, MetricCells
from octad.model.numbers import count, p_value, share
from octad.model.plan import Plan
from octad.readings.claims import spoken

__all__ = ["Slope", "interference", "slope_of"]

FloatArray = NDArray[np.float64]

_VARIES = 0.03
"""Standard deviation of the share treated below which there is nothing to hold a level against."""
_FEWEST_VALUES = 5
_FEWEST_DAYS = 10
_HINT = 0.01


@dataclass(frozen=True, slots=True)
class Slope:
    """How a level goes with the share treated.

    Attributes:
        value: Relative change of the control's level for ten points more treated.
        p: Two-sided, against none.
        what: What it was held over.
    """

    value: float
    p: float
    what: str


def slope_of(
    level: FloatArray, treated: FloatArray, weight: FloatArray, *beside: FloatArray
) -> tuple[float, float] | None:
    """Weighted least squares of a level on the share treated.

    Args:
        level: (N,) the control's level.
        treated: (N,) share of users treated.
        weight: (N,) users behind each level.
        *beside: (N,) further columns to allow for, such as time.

    Returns:
        The slope and its two-sided p by Student's t; None with too little to go on.
    """
    design = np.stack([np.ones(len(level)), treated, *beside], axis=1)
    freedom = len(level) - design.shape[1]
    centre = float(np.average(treated, weights=weight))
    spread = float(np.sqrt(np.average((treated - centre) ** 2, weights=weight)))
    if freedom < 2 or spread < _VARIES:
        return None
    root = np.sqrt(weight / weight.mean())
    rows, out = design * root[:, None], level * root
    inverse = np.linalg.pinv(rows.T @ rows)
    fit = inverse @ rows.T @ out
    left = out - rows @ fit
    se = float(np.sqrt(left @ left / freedom * inverse[1, 1]))
    if se <= 0:
        return None
    return float(fit[1]), float(2 * special.stdtr(freedom, -abs(fit[1] / se)))


def interference(plan: Plan, inputs: Inputs) -> list[Finding]:
    """Look for the control moving with the share treated; say when nothing can be seen."""
    exposure = inputs.exposure
    if exposure is None or len(inputs.arms) < 2 or not plan.launch.randomised:
        return []
    slopes = [*_over_days(inputs), *_over_values(plan, inputs)]
    if not slopes:
        return [
            Finding(
                id="doubt.interference",
                claim="Whether one user's arm reaches another cannot be seen here: the share "
                "treated was the same on all days and in all segments, so that nothing can be held "
                "against it.",
                grade=Grade.T,
                method="the control's level against the share treated, over days and over the "
                "values of each attribute",
                assumes="One user's arm does not reach another.",
                breaks="Friends who talk, a market with two sides, a shared cache.",
                decides="",
            )
        ]
    worst = min(slopes, key=lambda s: s.p)
    q = min(1.0, worst.p * len(slopes))
    hint = q < _HINT
    evidence: tuple[Evidence, ...] = (_treated_by_day(inputs),) if len(exposure.days) > 1 else ()
    claim = (
        f"A hint, not proof, that one user's arm reaches another: {worst.what}, control goes "
        f"{'up' if worst.value > 0 else 'down'} by {share(abs(worst.value))} for every ten points "
        f"more of users treated ({p_value(q)} corrected over {len(slopes)})."
        if hint
        else f"No hint that one user's arm reaches another, in {count(len(slopes))} comparisons of "
        "control with the share treated; that is no proof that none does."
    )
    return [
        Finding(
            id="doubt.interference",
            claim=claim,
            stance=Stance.MIXED if hint else None,
            grade=Grade.T,
            n=int(exposure.counts[0]),
            method="weighted least squares of the control's level on the share treated, over days "
            "(with time beside it) and over the values of each attribute (change since before); "
            "Bonferroni over all",
            assumes="What else differs between days, or segments, does not go with the split.",
            breaks="A season, or segments whose split was chosen for what they were like.",
            evidence=evidence,
        )
    ]


def _over_days(inputs: Inputs) -> list[Slope]:
    exposure, volume = inputs.exposure, inputs.volume
    if exposure is None or volume is None or len(exposure.days) < 2:
        return []
    days = volume.days.astype("datetime64[D]")
    so_far = np.stack([exposure.by_day[exposure.days <= d].sum(axis=0) for d in days])
    inner = (volume.users[:, 0] > 0) & (so_far.sum(axis=1) > 0)
    # The first and last day are seldom whole.
    inner[[0, -1]] = False
    if inner.sum() < _FEWEST_DAYS:
        return []
    treated = 1 - so_far[inner, 0] / so_far[inner].sum(axis=1)
    users = volume.users[inner, 0]
    time = np.arange(len(days))[inner].astype(float)
    series = {"events": volume.events, **volume.metrics}
    found = []
    for name, total in series.items():
        level = total[inner, 0] / users
        if level.mean() <= 0:
            continue
        fit = slope_of(level / level.mean(), treated, users, time)
        if fit is not None:
            found.append(Slope(fit[0] / 10, fit[1], f"over the days, in {spoken(name)} a user"))
    return found


def _over_values(plan: Plan, inputs: Inputs) -> list[Slope]:
    exposure = inputs.exposure
    if exposure is None:
        return []
    found = []
    for attribute, (values, sizes) in exposure.by_attribute.items():
        everyone = sizes.sum(axis=1).astype(float)
        there = everyone > 0
        shares = 1 - sizes[:, 0] / np.where(there, everyone, 1.0)
        by_value = dict(zip(values, shares, strict=True))
        for name in plan.launch.metrics:
            cells = inputs.metrics.get(name)
            points = _changes(cells, attribute, by_value) if cells is not None else None
            if points is None:
                continue
            fit = slope_of(*points)
            if fit is not None:
                said = f"over the values of {spoken(attribute)}, in {spoken(name)}"
                found.append(Slope(fit[0] / 10, fit[1], said))
    return found


def _changes(
    cells: MetricCells, attribute: str, shares: dict[str, float]
) -> tuple[FloatArray, FloatArray, FloatArray] | None:
    """The control's change since before exposure in each value, the share treated, the users."""
    if not cells.paired or cells.quantiles is not None:
        return None
    rows, totals = [], cells.totals
    for i, piece in enumerate(cells.slices):
        if len(piece.values) != 1 or piece.values[0][0] != attribute:
            continue
        control = totals[i, 0]
        y, d, x, w = control.mean
        if control.n > 0 and min(x, w, d) > 0 and piece.values[0][1] in shares:
            rows.append(((y / d) / (x / w), shares[piece.values[0][1]], float(control.n)))
    if len(rows) < _FEWEST_VALUES:
        return None
    level, treated, weight = (np.array(column) for column in zip(*rows, strict=True))
    return level / np.average(level, weights=weight), treated, weight


def _treated_by_day(inputs: Inputs) -> Curve:
    exposure = inputs.exposure
    so_far = exposure.by_day.cumsum(axis=0) if exposure is not None else np.zeros((0, 1))
    days = exposure.days if exposure is not None else np.zeros(0, dtype="datetime64[D]")
    treated = 1 - so_far[:, 0] / np.maximum(so_far.sum(axis=1), 1)
    return Curve(
        title="Share of the users so far who are treated",
        x_label="day",
        y_label="share treated",
        x=tuple(str(d) for d in days.astype("datetime64[D]")),
        lines=(CurveLine(name="treated", y=tuple(float(v) for v in treated)),),
        percent=True,
    )
