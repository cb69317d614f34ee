"""Reviews around a release: how many came and how they starred, other products as controls.

After Martin, Sarro and Harman's causal impact release analysis (2016), who found 33% of 26,339
releases "significant": such significance is cheap. So a release is never judged by the test alone,
but set beside dates on which the product released nothing, and the share of all releases and of
all such dates that the same test calls significant is given with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from octad.stats.controls import Compared, compare_with
from octad.stats.multiplicity import holm
from octad.stats.placebo import Placebo, matched_days, set_beside
from octad.stats.refusal import NotEstimable

__all__ = ["Around", "BaseRate", "Daily", "around", "base_rate", "quiet_days", "set_beside_quiet"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

STARS = np.arange(1.0, 6.0)
SHORTEST, LONGEST = 7, 14


@dataclass(frozen=True, slots=True, eq=False)
class Daily:
    """Reviews by day of P products over T days.

    Attributes:
        reviews: (P, T) how many, with stars or without.
        stars: (P, T, 5) how many with one star to five.
        first: (P,) the first day on which a product is known.
    """

    reviews: FloatArray
    stars: FloatArray
    first: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Around:
    """What changed at one product around one day, the controls' change taken off.

    Attributes:
        volume, volume_se: Change in the log of reviews a day.
        stars, stars_se: Change in mean stars; NaN when a side has too few.
        own_volume, own_stars: The same without controls.
        before, after: (5,) shares of one star to five.
        moved: Earth mover's distance between these two in stars: how far a review moved.
        days: How many days each side has.
        controls: Positions of the products taken off.
        of_volume, of_stars: The same change with each control left out; `of_stars` is None without
            stars, and holds only the controls that have some: `rated`, as positions.
        p: Chance of as much by the test alone: the smaller of both, Holm.
        n: Reviews of the product in the two windows.
    """

    volume: float
    volume_se: float
    stars: float
    stars_se: float
    own_volume: float
    own_stars: float
    before: FloatArray
    after: FloatArray
    moved: float
    days: int
    controls: tuple[int, ...]
    rated: tuple[int, ...]
    of_volume: Compared
    of_stars: Compared | None
    p: float
    n: int

    @property
    def z(self) -> tuple[float, float]:
        """Volume and stars over their errors."""
        return self.volume / self.volume_se, self.stars / self.stars_se


@dataclass(frozen=True, slots=True)
class BaseRate:
    """How many dates the test alone calls significant at 5%."""

    significant: int
    dates: int


def _one(
    reviews: FloatArray, stars: FloatArray, at: int, length: int, fewest: int
) -> tuple[FloatArray, FloatArray] | None:
    """(2,) change and (2,) variance of one product, volume and stars; None when too thin."""
    sides = (reviews[at - length : at], reviews[at : at + length])
    n = np.array([side.sum() for side in sides])
    if (n < fewest).any():
        return None
    spread = np.mean([side.var(ddof=1) / side.mean() for side in sides])
    # Days of one side differ by more than chance; a weekly pattern is in both sides alike.
    volume = max(1.0, float(spread)) * float((1 / n).sum())
    held = np.stack([stars[at - length : at].sum(axis=0), stars[at : at + length].sum(axis=0)])
    rated = held.sum(axis=1)
    if (rated < fewest).any():
        return np.array([np.log(n[1] / n[0]), np.nan]), np.array([volume, np.nan])
    mean = held @ STARS / rated
    variance = np.array(
        [h @ (STARS - m) ** 2 / r for h, m, r in zip(held, mean, rated, strict=True)]
    )
    change = np.array([np.log(n[1] / n[0]), mean[1] - mean[0]])
    return change, np.array([volume, max(float((variance / rated).sum()), 1e-9)])


def _less(
    own: tuple[FloatArray, FloatArray], others: list[tuple[int, FloatArray, FloatArray]], m: int
) -> Compared:
    """Volume (0) or stars (1) less the controls'."""
    known = [(c[m], v[m]) for _, c, v in others if np.isfinite(c[m])]
    return compare_with(
        float(own[0][m]), float(own[1][m]), [c for c, _ in known], [v for _, v in known]
    )


def around(daily: Daily, product: int, at: int, *, fewest: int = 20) -> Around:
    """Compare two weeks (or one) from a day with as many before it.

    Args:
        daily: All products' reviews.
        product: Whose.
        at: The day's position.
        fewest: Reviews that each side needs, here and at each control.

    Raises:
        NotEstimable: When fewer than seven days lie on a side, or a side is too thin.
    """
    days = daily.reviews.shape[1]
    room = min(at - int(daily.first[product]), days - at)
    length = LONGEST if room >= LONGEST else SHORTEST
    if room < SHORTEST:
        raise NotEstimable("fewer than seven days lie before the day or after it")
    own = _one(daily.reviews[product], daily.stars[product], at, length, fewest)
    if own is None:
        raise NotEstimable(f"fewer than {fewest} reviews lie before the day or after it")
    others = [
        (p, *found)
        for p in range(len(daily.reviews))
        if p != product and daily.first[p] <= at - length
        for found in [_one(daily.reviews[p], daily.stars[p], at, length, fewest)]
        if found is not None
    ]
    volume = _less(own, others, 0)
    stars = _less(own, others, 1) if np.isfinite(own[0][1]) else None
    z = [c.value / c.se for c in (volume, stars) if c is not None]
    p = 2 * special.ndtr(-np.abs(np.array(z)))
    part = daily.stars[product]
    held = np.stack([part[at - length : at].sum(axis=0), part[at : at + length].sum(axis=0)])
    mix = held / np.maximum(held.sum(axis=1, keepdims=True), 1.0)
    nothing = float("nan")
    return Around(
        volume.value, volume.se,
        nothing if stars is None else stars.value, nothing if stars is None else stars.se,
        float(own[0][0]), float(own[0][1]), mix[0], mix[1],
        float(np.abs(np.cumsum(mix[1] - mix[0])).sum()), length,
        tuple(q for q, _, _ in others), tuple(q for q, c, _ in others if np.isfinite(c[1])),
        volume, stars, float(holm(p).min()),
        int(daily.reviews[product, at - length : at + length].sum()),
    )  # fmt: skip


def quiet_days(daily: Daily, product: int, at: int, releases: Iterable[int]) -> IntArray:
    """Days of the same weekday before `at` on and after which a product released nothing.

    Windows after them do not overlap; they end before `at`.
    """
    return matched_days(
        daily.reviews.shape[1],
        at,
        length=LONGEST,
        history=int(daily.first[product]) + LONGEST,
        avoid=list(releases),
    )


def set_beside_quiet(
    daily: Daily, product: int, at: int, quiet: ArrayLike
) -> tuple[Placebo | None, Placebo | None]:
    """Set a day's volume and stars, each over its error, beside those of quiet days.

    Returns:
        Volume, stars; None where either the day or every quiet day is too thin.
    """
    here = around(daily, product, at).z
    there = [found.z for found in _each(daily, [(product, int(d)) for d in np.asarray(quiet)])]
    result: list[Placebo | None] = []
    for m in range(2):
        try:
            result.append(set_beside(here[m], [z[m] for z in there]))
        except NotEstimable:
            result.append(None)
    return result[0], result[1]


def _each(daily: Daily, dates: Iterable[tuple[int, int]]) -> list[Around]:
    found = []
    for product, at in dates:
        try:
            found.append(around(daily, product, at))
        except NotEstimable:
            continue
    return found


def base_rate(daily: Daily, dates: Iterable[tuple[int, int]]) -> BaseRate:
    """How many (product, day) dates the test alone calls significant; thin ones are left out."""
    found = _each(daily, dates)
    return BaseRate(sum(one.p < 0.05 for one in found), len(found))
