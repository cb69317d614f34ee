"""The same numbers under other choices that could be defended, and how far few users decide."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from octad.model.finding import (
    Finding,
    Grade,
    Interval,
    Intervals,
    Number,
    Stance,
)
from octad.model.inputs import Daily, Inputs, MetricCells
from octad.model.numbers import count
from octad.model.plan import Plan
from octad.readings.base import ASSUMES, BREAKS, grade_of, signed_percent
from octad.readings.claims import capital, spoken
from octad.readings.measure import Measured, measure
from octad.stats.buckets import jackknife_arms, relative_lift
from octad.stats.concentration import heavy_tail
from octad.stats.poststratification import compare_strata
from octad.stats.refusal import NotEstimable
from octad.stats.specification import specification_curve

FloatArray = NDArray[np.float64]

__all__ = ["Choice", "choices", "heavy_tails", "specifications"]

_HALF = 0.5
_COVERED = 0.98
"""Share of users that an attribute's values must hold to compare everyone within them."""
_DROPPED = (1, 3, 7)
_SHORTER = (7, 14)


@dataclass(frozen=True, slots=True)
class Choice:
    """A relative effect under one way to reckon it.

    Attributes:
        label: What was chosen otherwise than planned.
        value, se, low, high: The effect, its error and its 95% interval.
    """

    label: str
    value: float
    se: float
    low: float
    high: float

    @property
    def clear(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low > 0 or self.high < 0


def heavy_tails(inputs: Inputs) -> list[Finding]:
    """Metrics that hang on so few users that their intervals may be too narrow."""
    found = []
    for name, tail in inputs.tails.items():
        cells = inputs.metrics.get(name)
        if cells is None or cells.winsor is not None:
            continue
        seen = []
        for a in range(len(inputs.arms)):
            arm = cells.moments[0, a].total(0)
            variance = float(arm.covariance()[0, 0])
            seen.append(heavy_tail(tail.top[a], float(arm.n), float(arm.mean[0]), variance))
        worst = max(seen, key=lambda h: h.users_needed / max(1.0, float(tail.n.min())))
        if not (worst.dominated or worst.too_few):
            continue
        found.append(
            Finding(
                id=f"doubt.heavy.{name}",
                claim=f"{capital(spoken(name))} has a heavy tail: one user makes "
                f"{max(h.share_of_variance for h in seen):.0%} of an arm's variance, so its "
                "interval may miss the truth more often than it says. Cutting the largest users "
                "(winsorize: 0.999) would steady it.",
                stance=Stance.MIXED,
                grade=Grade.T,
                metric=name,
                n=int(tail.n.sum()),
                method="Kohavi's rule: a mean is near normal from 355 times its squared skewness "
                f"in users per arm, {count(round(worst.users_needed))} here; the skewness is from "
                "the largest users known, and so a lower bound",
                assumes="The largest users are people, and not a fault of the logging.",
                breaks="A launch that is meant for its largest users.",
                query_digest=cells.query,
            )
        )
    return found


def choices(plan: Plan, inputs: Inputs, name: str, arm: int = 1) -> list[Choice]:
    """A metric's relative effect as planned, then every other way that could be defended.

    The ways: where the largest users are cut, with and without the users' own past, compared
    within the values of each attribute, the first days left out, and a shorter window.
    """
    found: list[Choice] = []
    cells = inputs.metrics[name]
    forms: dict[str, MetricCells] = {"as planned": cells, **inputs.variants.get(name, {})}
    for label, form in forms.items():
        bare = f"{label}, without the past" if form is not cells else "without the past"
        for said, adjust in ((label, True), (bare, False)):
            if adjust or form.paired:
                m = measure(plan, inputs, name, arm, cells=form, adjust=adjust)
                found += _of_measured(said, m)
    if not found or found[0].label != "as planned":
        return []
    found += _within_attributes(cells, arm)
    daily = inputs.daily.get(name)
    window = getattr(plan.metric(name), "window", None)
    most = None if window is None else max(1, window // timedelta(days=1))
    return found + (_other_days(daily, arm, most) if daily is not None else [])


def _of_measured(label: str, m: Measured | None) -> list[Choice]:
    if m is None or not m.best.relative:
        return []
    e = m.best
    return [Choice(label, e.value, e.se, e.low, e.high)]


def _within_attributes(cells: MetricCells, arm: int) -> list[Choice]:
    """Everyone, compared within the values of each attribute known before exposure."""
    values: dict[str, list[int]] = {}
    for i, piece in enumerate(cells.slices):
        if len(piece.values) == 1:
            values.setdefault(piece.values[0][0], []).append(i)
    everyone, totals = float(cells.moments[0].n.sum()), cells.totals
    found = []
    for attribute, places in values.items():
        parts = totals[places]
        if float(parts.n.sum()) < _COVERED * everyone or len(places) < 2:
            continue
        used = (0, 1, 2) if cells.paired else (0, 1)
        sides = [parts[:, a].columns(used) for a in (0, arm)]
        try:
            e = compare_strata(sides[0], sides[1]).effect
        except NotEstimable:
            continue
        found.append(Choice(f"within groups by {spoken(attribute)}", e.value, e.se, e.low, e.high))
    return found


def _other_days(daily: Daily, arm: int, most: int | None) -> list[Choice]:
    """The metric's days since exposure without the first ones, or only the first ones."""
    if daily.by_bucket is None:
        return []
    days = min(daily.by_bucket.shape[2], most or daily.by_bucket.shape[2])
    spans = [
        (f"without the first {'day' if k == 1 else f'{k} days'}", slice(k, days))
        for k in _DROPPED
        if days >= 3 * k
    ]
    spans += [(f"over the first {k} days only", slice(0, k)) for k in _SHORTER if days >= 1.5 * k]
    found = []
    for label, span in spans:
        sums = daily.by_bucket[[0, arm]][:, :, span].astype(np.float64)
        try:
            found.append(_span(label, sums))
        except NotEstimable:
            continue
    return found


def _span(label: str, sums: FloatArray) -> Choice:
    """A mean a user a day, each day over those observed through it, added up over the days."""
    arms, buckets, days = sums.shape[:3]
    flat = np.concatenate(
        [
            sums[..., 0].max(axis=2)[..., None],
            sums.transpose(0, 1, 3, 2).reshape(arms, buckets, -1),
        ],
        axis=2,
    )

    def lift(totals: FloatArray) -> FloatArray:
        users, top, bottom = (totals[..., 1 + i * days : 1 + (i + 1) * days] for i in range(3))
        share = 1 / np.maximum(users, 1.0)
        above, below = (np.moveaxis((x * share).sum(axis=-1), -1, 0) for x in (top, bottom))
        return relative_lift(above, below)[..., None]

    seen = jackknife_arms(flat, lift)
    value, se = float(seen.value[0]), float(seen.se[0])
    half = seen.reach(0.95) * se
    return Choice(label, value, se, value - half, value + half)


def _agrees(one: Choice, planned: Choice) -> bool:
    """Whether a choice says the same: it does not where it is clear and the other way.

    Where neither is clear of zero, the sign is chance, and its turning is no disagreement.
    """
    return one.value * planned.value > 0 or not (one.clear or planned.clear)


def _hangs(name: str, found: list[Choice]) -> str:
    """How a metric hangs on a choice, in words; nothing when it does not."""
    planned = found[0]
    for one in found[1:]:
        turned = one.value * planned.value < 0 and one.clear
        shrunk = (
            planned.clear
            and abs(one.value) < _HALF * abs(planned.value)
            and abs(one.value - planned.value) > max(2 * one.se, _HALF * planned.se)
        )
        if turned or shrunk:
            label = one.label if one.label.startswith(("with", "over")) else f"with {one.label}"
            return (
                f"{spoken(name)} goes from {signed_percent(planned.value)} to "
                f"{signed_percent(one.value)} {label}"
            )
    return ""


def specifications(plan: Plan, inputs: Inputs) -> tuple[list[Finding], bool]:
    """The KPI and results under every other choice that could be defended.

    Returns:
        The finding, and whether the choices disagree.
    """
    heads = [n for n in (plan.launch.kpi, *plan.launch.results) if n and n in inputs.metrics]
    arms = range(1, len(inputs.arms)) if len(inputs.arms) > 1 else range(1)
    every = {
        (name, arm): found
        for name in dict.fromkeys(heads)
        for arm in arms
        if len(found := choices(plan, inputs, name, arm)) > 1
    }
    if not every:
        return [], False
    total = sum(map(len, every.values()))
    agree = sum(_agrees(one, found[0]) for found in every.values() for one in found)
    hanging = [words for (name, _), found in every.items() if (words := _hangs(name, found))]
    claim = f"{agree} of {total} specifications agree in direction with the plan's"
    claim += (
        f", but the choice matters: {'; '.join(hanging)}."
        if hanging
        else ", and none loses half of its size."
    )
    stance = Stance.MIXED if hanging or agree < total else Stance.FOR
    finding = Finding(
        id="doubt.specifications",
        claim=claim,
        stance=stance,
        grade=grade_of(plan),
        estimate=Number(value=agree / total, unit="share"),
        n=int(inputs.metrics[heads[0]].moments[0].n.sum()),
        method="each metric with and without the users' own past, with the largest users cut at "
        "one value in every arm, within the values of each attribute, without the first days, and "
        "over shorter windows (Simonsohn, Simmons and Nelson 2020); they share their data, so "
        "that their number is no evidence in itself",
        assumes=ASSUMES[grade_of(plan)],
        breaks=BREAKS[grade_of(plan)],
        evidence=tuple(_curve(plan, inputs, *key, found) for key, found in every.items()),
        query_digest=inputs.metrics[heads[0]].query,
    )
    return [finding], stance is Stance.MIXED


def _curve(plan: Plan, inputs: Inputs, name: str, arm: int, found: list[Choice]) -> Intervals:
    """The specification curve: every choice, smallest effect first."""
    curve = specification_curve([c.value for c in found], [c.se for c in found])
    sign = 1 if plan.metric(name).better == "up" else -1
    where = f" in {inputs.arms[arm]}" if len(inputs.arms) > 2 else ""
    rows = []
    for i in curve.order:
        c = found[int(i)]
        stance = (Stance.FOR if sign * c.value > 0 else Stance.AGAINST) if c.clear else None
        label = capital(c.label) if c is found[0] else c.label
        rows.append(Interval(label=label, value=c.value, low=c.low, high=c.high, stance=stance))
    return Intervals(
        title=f"{capital(spoken(name))}{where}: {len(found)} ways to reckon it, in order",
        x_label="change against control",
        rows=tuple(rows),
        percent=True,
    )
