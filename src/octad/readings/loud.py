"""How loud a launch was, and how well the noise was liked."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from octad.model.finding import Bars, Curve, CurveLine, Finding, Grade, Number, Table
from octad.model.numbers import plain
from octad.readings.base import ASSUMES, BREAKS
from octad.readings.voices import FEWEST, Talk
from octad.stats.rates import RateRatio, rate_ratio
from octad.stats.refusal import NotEstimable

__all__ = ["liked", "loud"]

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

_HAPPY, _UNHAPPY = 4, 2
"""Stars from which a review is happy, and up to which it is unhappy."""
_RARE = 5


def _sides(talk: Talk) -> tuple[BoolArray, BoolArray]:
    """Our sound reviews before and after."""
    one, two = (np.asarray(talk.ours & talk.sound & side) for side in (talk.before, talk.after))
    return one, two


def loud(talk: Talk) -> Finding:
    """Reviews a day after the launch against before, praise that was bought or pushed set aside."""
    day = talk.reviews.time.astype("datetime64[D]")
    one, two = _sides(talk)
    offset = (day - talk.start).astype(int)
    span = np.arange(-talk.days_before, talk.days_after)
    counts = np.bincount(offset[one | two] + talk.days_before, minlength=len(span)).astype(float)
    ratio = rate_ratio(
        (float(two.sum()), float(one.sum())),
        (float(talk.days_after), float(talk.days_before)),
        dispersion=_dispersion(counts, talk.days_before),
        method="score",
    )
    return Finding(
        id="kpi.loud",
        claim=f"Talk about us {_went(ratio.ratio)}: {plain(ratio.first, 1)} reviews a day after, "
        f"{plain(ratio.second, 1)} before{_with_praise(talk, ratio.ratio)}.",
        grade=Grade.T,
        estimate=Number(
            value=ratio.ratio,
            low=ratio.low,
            high=ratio.high,
            level=ratio.level,
            unit="times",
            p=ratio.p,
            control=ratio.second,
            treatment=ratio.first,
        ),
        n=int((one | two).sum()),
        method=f"ratio of reviews a day, {talk.windows}; errors widened by how much days differ",
        assumes=ASSUMES[Grade.T],
        breaks=BREAKS[Grade.T],
        evidence=(
            Curve(
                title="Our reviews a day, suspect praise set aside",
                x_label="days from the launch",
                y_label="reviews",
                x=tuple(int(d) for d in span),
                lines=(CurveLine(name="our product", y=tuple(float(c) for c in counts)),),
                mark=0,
            ),
        ),
    )


def _went(ratio: float) -> str:
    return "stayed as loud as it was" if 0.95 < ratio < 1.05 else f"went to ×{plain(ratio, 1)}"


def _with_praise(talk: Talk, ratio: float) -> str:
    """The same ratio with the praise that is set aside, where it differs."""
    everything = talk.ours & ~talk.reviews.deleted
    whole = float((everything & talk.after).sum()) / talk.days_after
    whole /= max(float((everything & talk.before).sum()) / talk.days_before, 1e-9)
    if abs(whole - ratio) < 0.05 * ratio:
        return ""
    return f"; ×{plain(whole, 1)} if suspect praise is counted"


def _dispersion(counts: NDArray[np.float64], split: int) -> float:
    """Variance over mean of daily counts within each side."""
    sides = [side for side in (counts[:split], counts[split:]) if len(side) > 1 and side.mean() > 0]
    if not sides:
        return 1.0
    return max(1.0, float(np.mean([side.var(ddof=1) / side.mean() for side in sides])))


def liked(talk: Talk) -> Finding | None:
    """Our stars before and after; None when too few reviews carry any."""
    rating = talk.reviews.rating
    one, two = (rating[side & np.isfinite(rating)] for side in _sides(talk))
    if min(len(one), len(two)) < FEWEST:
        return None
    before, after = float(one.mean()), float(two.mean())
    se = float(np.sqrt(one.var(ddof=1) / len(one) + two.var(ddof=1) / len(two)))
    stars = range(1, 6)
    happy, unhappy = _moods(talk)
    table, told = _mood_ratios(talk, happy, unhappy)
    return Finding(
        id="kpi.liked",
        claim=f"Our reviews' stars went from {plain(before, 1)} to {plain(after, 1)}{told}.",
        grade=Grade.T,
        estimate=Number(
            value=after - before,
            low=after - before - 1.96 * se,
            high=after - before + 1.96 * se,
            level=0.95,
            unit="stars",
            se=se,
            control=before,
            treatment=after,
        ),
        n=len(one) + len(two),
        method=f"difference of means, Welch's error, {talk.windows}; praise set aside",
        assumes=ASSUMES[Grade.T],
        breaks=BREAKS[Grade.T],
        evidence=(
            Bars(
                title="Stars before and after",
                y_label="share of reviews",
                labels=tuple(f"{s} ★" for s in stars),
                groups={
                    "before": tuple(float((np.rint(one) == s).mean()) for s in stars),
                    "after": tuple(float((np.rint(two) == s).mean()) for s in stars),
                },
                percent=True,
            ),
            *_weeks(talk, happy, unhappy),
            *table,
        ),
    )


def _moods(talk: Talk) -> tuple[FloatArray, FloatArray]:
    """Happy and unhappy reviews of ours by day of both windows."""
    offset = (talk.reviews.time.astype("datetime64[D]") - talk.start).astype(int)
    stars = np.rint(talk.reviews.rating)
    near = talk.ours & talk.sound & (talk.before | talk.after)
    days = talk.days_before + talk.days_after
    happy, unhappy = (
        np.bincount(offset[near & mood] + talk.days_before, minlength=days).astype(np.float64)
        for mood in (stars >= _HAPPY, stars <= _UNHAPPY)
    )
    return happy, unhappy


def _mood_ratios(
    talk: Talk, happy: FloatArray, unhappy: FloatArray
) -> tuple[tuple[Table, ...], str]:
    """Happy and unhappy reviews a day, after over before; and the two in words."""
    split = talk.days_before
    found: list[tuple[str, RateRatio]] = []
    for name, counts in (("happy (4–5 ★)", happy), ("unhappy (1–2 ★)", unhappy)):
        # A mood that is rare on both sides says little; the other mood is told all the same.
        if counts.sum() < FEWEST or min(counts[:split].sum(), counts[split:].sum()) < _RARE:
            continue
        try:
            ratio = rate_ratio(
                (float(counts[split:].sum()), float(counts[:split].sum())),
                (float(talk.days_after), float(split)),
                dispersion=_dispersion(counts, split),
                method="score",
            )
        except NotEstimable:
            continue
        found.append((name, ratio))
    if not found:
        return (), ""
    rows = tuple(
        (
            name,
            round(ratio.second, 1),
            round(ratio.first, 1),
            f"×{plain(ratio.ratio, 2)} [{plain(ratio.low, 2)}, {plain(ratio.high, 2)}]",
        )
        for name, ratio in found
    )
    words = " and ".join(
        f"{name.split(' ')[0]} reviews a day from {plain(r.second, 1)} to {plain(r.first, 1)}"
        for name, r in found
    )
    table = Table(
        title="Loud or liked: happy and unhappy reviews a day",
        columns=("reviews", "a day before", "after", "after over before"),
        rows=rows,
    )
    return (table,), f"; {words}"


def _weeks(talk: Talk, happy: FloatArray, unhappy: FloatArray) -> tuple[Curve, ...]:
    """Happy and unhappy reviews by whole week from the launch: how loud, and how it was liked."""
    before, after = talk.days_before // 7, talk.days_after // 7
    if before < 2 or after < 2:
        return ()
    first = talk.days_before - 7 * before
    part = slice(first, first + 7 * (before + after))
    lines = tuple(
        CurveLine(name=name, y=tuple(float(x) for x in counts[part].reshape(-1, 7).sum(axis=1)))
        for name, counts in (("happy (4–5 ★)", happy), ("unhappy (1–2 ★)", unhappy))
    )
    return (
        Curve(
            title="Loud or liked, week by week: how much was said, and how glad it was",
            x_label="weeks from the launch",
            y_label="reviews",
            x=tuple(range(-before, after)),
            lines=lines,
            mark=0,
        ),
    )
