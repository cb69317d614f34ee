"""Who comes back: retention curves by arm, and the day on which they part."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from octad.model.finding import Curve, CurveLine, Finding, Number, Stance
from octad.model.inputs import Inputs, Retention
from octad.model.numbers import plain
from octad.model.plan import Plan
from octad.readings.base import ASSUMES, BREAKS, VETO, grade_of, percent_text
from octad.readings.claims import in_arm
from octad.readings.halves import widening
from octad.stats.buckets import jackknife_arms
from octad.stats.effects import compare
from octad.stats.moments import Moments
from octad.stats.refusal import NotEstimable
from octad.stats.retention import CurveDifference, retention_difference

__all__ = ["coming_back"]

FloatArray = NDArray[np.float64]
_WEEK = 7


def coming_back(
    plan: Plan, inputs: Inputs, retention: Retention, arm: int, days: int
) -> Finding | None:
    """User-days with any use in the last week observed against control, and both curves."""
    last = slice(max(1, days - _WEEK), days)
    users = float(retention.observed[[0, arm], last.stop - 1].sum())
    wide = widening(plan, inputs, users)
    week = _week(retention, arm, last, plan.launch.rules.level, wide)
    if week is None:
        return None
    share = _share(retention, last)[[0, arm]]
    stance, verb = Stance.MIXED, "about as many users as in control are"
    sure = week.p is None or week.p <= VETO
    if week.high is not None and week.high < 0 and sure:
        stance, verb = Stance.AGAINST, "fewer users than in control are"
    elif week.low is not None and week.low > 0:
        stance, verb = Stance.FOR, "more users than in control are"
    apart = _difference(retention, arm, days, plan.launch.rules.level, wide)
    name = inputs.arms[arm]
    several = len(inputs.arms) > 2
    return Finding(
        id="horizon.retention" + (f".{name}" if several else ""),
        claim=f"In days {last.start + 1} to {last.stop}, {verb} active on a day"
        f"{in_arm(inputs, name)} ({plain(100 * share[0], 1)}% in control, "
        f"{plain(100 * share[1], 1)}% in {name}; "
        f"{percent_text(week.value, week.low, week.high)}){_parting(apart)}.",
        stance=stance,
        grade=grade_of(plan),
        estimate=week.model_copy(update={"control": float(share[0]), "treatment": float(share[1])}),
        n=int(users),
        method="share of users with any event on a day, averaged over the last seven days; errors "
        + (
            "by leaving out one bucket of users at a time; the band holds over all days at once"
            if retention.by_bucket is not None
            else "allow for days of one user to move together fully"
        ),
        assumes=ASSUMES[grade_of(plan)],
        breaks=BREAKS[grade_of(plan)],
        evidence=(_curves(inputs, retention, arm, days), *_gap(apart)),
        query_digest=retention.query,
    )


def _share(retention: Retention, days: slice) -> FloatArray:
    active = retention.active[:, days].sum(axis=1)
    return np.asarray(active / np.maximum(1, retention.observed[:, days].sum(axis=1)))


def _week(retention: Retention, arm: int, last: slice, level: float, wide: float) -> Number | None:
    """The relative difference of the last week's share of active users."""
    if retention.by_bucket is None:
        return _week_without_buckets(retention, arm, last, level, wide)
    pair = retention.by_bucket[[0, arm]].astype(np.float64)
    sums = np.concatenate(
        [pair[:, :, last.stop - 1, 1:], pair[:, :, last].sum(axis=2)[..., [0, 1]]], axis=-1
    )

    def lift(totals: FloatArray) -> FloatArray:
        with np.errstate(divide="ignore", invalid="ignore"):
            share = totals[..., 1] / totals[..., 2]
            return np.asarray((share[..., 1] / share[..., 0] - 1)[..., None])

    try:
        found = jackknife_arms(sums, lift)
    except NotEstimable:
        return None
    value, se = float(found.value[0]), float(found.se[0])
    if se <= 0:
        return None
    half = found.reach(level) * wide * se
    z = value / se
    return Number(
        value=value, low=value - half, high=value + half, level=level, relative=True, unit="share",
        p=float(2 * special.ndtr(-abs(z))), z=z, se=se,
    )  # fmt: skip


def _week_without_buckets(
    retention: Retention, arm: int, last: slice, level: float, wide: float
) -> Number | None:
    """Shares as if each user were one draw: the widest error that days of one user can give."""
    share = _share(retention, last)
    made = []
    for a in (0, arm):
        n = float(retention.observed[a, last.stop - 1])
        comoment = np.zeros((4, 4))
        comoment[0, 0] = n * float(share[a]) * (1 - float(share[a]))
        made.append(Moments(np.asarray(n), np.array([float(share[a]), 1.0, 0.0, 1.0]), comoment))
    try:
        e = compare(made[0], made[1], relative=True, adjust=False, level=level)
    except NotEstimable:
        return None
    return Number(
        value=e.value, low=e.value - (e.value - e.low) * wide,
        high=e.value + (e.high - e.value) * wide,
        level=level, relative=True, unit="share", p=e.p, z=e.z, se=e.se,
    )  # fmt: skip


def _difference(
    retention: Retention, arm: int, days: int, level: float, wide: float
) -> CurveDifference | None:
    """Both curves' difference from day 2 on (on the first everybody is there), with its band."""
    if retention.by_bucket is None or days < 2:
        return None
    pair = retention.by_bucket[[0, arm], :, 1:days].astype(np.float64)
    span = days - 1
    first = retention.by_bucket[[0, arm], :, 0, 1:].astype(np.float64)
    sums = np.concatenate([first, pair[..., 0], pair[..., 1]], axis=-1)

    def gap(totals: FloatArray) -> FloatArray:
        share = totals[..., 1 : 1 + span] / np.maximum(totals[..., 1 + span :], 1.0)
        return np.asarray(share[..., 1, :] - share[..., 0, :])

    try:
        covariance = jackknife_arms(sums, gap).covariance * wide**2
        counts = pair.sum(axis=1)
        return retention_difference(
            counts[..., 0], counts[..., 1], level=level, covariance=covariance
        )
    except NotEstimable:
        return None


def _parting(apart: CurveDifference | None) -> str:
    """On which days the curves lie apart beyond chance, the band holding over all of them."""
    if apart is None:
        return ""
    words = [
        f"{word} on {_days(np.flatnonzero(beyond) + 2)}"
        for word, beyond in (("more", apart.low > 0), ("fewer", apart.high < 0))
        if beyond.any()
    ]
    if not words:
        return "; on no day do the curves part beyond chance"
    return f"; day by day, beyond chance {' and '.join(words)}"


def _days(days: NDArray[np.intp]) -> str:
    """Days as spans: ``day 3``, ``days 2 to 5``, ``days 2 to 5, 9 and 11 to 14``."""
    spans = np.split(days, np.flatnonzero(np.diff(days) > 1) + 1)
    said = [f"{s[0]} to {s[-1]}" if len(s) > 1 else f"{s[0]}" for s in spans]
    if len(said) > 4:
        return f"{len(days)} days from day {days[0]} to day {days[-1]}"
    head = ", ".join(said[:-1])
    return f"day{'s' if len(days) > 1 else ''} " + (f"{head} and {said[-1]}" if head else said[-1])


def _curves(inputs: Inputs, retention: Retention, arm: int, days: int) -> Curve:
    share = retention.active / np.maximum(1, retention.observed)
    return Curve(
        title="Users active on each day since exposure",
        x_label="days since exposure",
        y_label="share of users",
        x=tuple(int(d) + 1 for d in retention.days[1:days]),
        lines=tuple(
            CurveLine(name=inputs.arms[a], y=tuple(float(v) for v in share[a, 1:days]))
            for a in (0, arm)
        ),
        percent=True,
    )


def _gap(apart: CurveDifference | None) -> tuple[Curve, ...]:
    if apart is None:
        return ()

    def line(values: FloatArray) -> tuple[float | None, ...]:
        return tuple(float(v) if np.isfinite(v) else None for v in values)

    return (
        Curve(
            title="Difference of the two curves, in points",
            x_label="days since exposure",
            y_label="treatment less control",
            x=tuple(range(2, len(apart.difference) + 2)),
            lines=(
                CurveLine(
                    name="difference, with a band that holds over all days at once",
                    y=line(apart.difference),
                    low=line(apart.low),
                    high=line(apart.high),
                ),
            ),
            percent=True,
        ),
    )
