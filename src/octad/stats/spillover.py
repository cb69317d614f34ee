"""Does one user's arm reach another? The outcome held against the share of friends who have it.

Where chance decides who gets a launch, it also decides how many of a user's friends get it, given
how many friends take part. So the outcome by that share, among users with as many friends and the
same arm, is a comparison by chance like that of the arms (an exposure mapping: Aronow and Samii
2017, sections 3 and 5; Ugander, Karrer, Backstrom and Kleinberg 2013; its use as a test of an
experiment's comparison: Saveski et al. 2017).

Friends share friends, so users are not independent here; what is independent are the draws of the
arms. Written as a sum over those draws, the slope's numerator is ``sum_j (z_j - p_j) c_j`` with
``c_j`` the sum of the residuals around j, each by its number of friends. Its variance over
re-drawn arms is ``sum_j p_j (1 - p_j) c_j^2``, for any net of ties, without drawing one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse, special

from octad.stats.refusal import NotEstimable

__all__ = [
    "FEWEST",
    "Spillover",
    "TiesByChance",
    "Together",
    "net_of",
    "spillover",
    "ties_by_chance",
    "together",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

FEWEST = 100
"""Users with a friend in the experiment that each side needs."""

_DEGREES = np.array([1, 2, 3, 4, 5, 6, 7, 8, 10, 13, 17, 25, 40, 80, 200, 1000])
"""Where classes of users with about as many friends begin."""


@dataclass(frozen=True, slots=True)
class Spillover:
    """An outcome by the share of friends who have it, from none (0) to all (1).

    Attributes:
        value: Change of the outcome from none to all, both sides together; with `se`, in the
            outcome's unit.
        low: Its interval; `high` the other end.
        p: Two-sided, against none.
        df: Degrees of freedom: how many friends the slope in effect rests on. Few, where a few
            users have very many friends.
        relative: `value` by what those without the launch and without friends who have it do.
        relative_low: Its interval; `relative_high` the other end.
        sides: (2,) the same slope among those without the launch and those with it;
            `sides_se` their errors.
        n: (2,) users with a friend in the experiment, without and with the launch.
        everyone: Relative change from nobody has it to everybody has it, by straight lines beyond
            what was seen; with its interval in `everyone_low` and `everyone_high`.
        direct: Relative difference of the two sides as they were, which an ordinary comparison
            sees.
        pull: (n,) how far each user's draw moves `value`, in its errors: the squares add up to 1.
    """

    value: float
    se: float
    low: float
    high: float
    p: float
    df: float
    relative: float
    relative_low: float
    relative_high: float
    sides: tuple[float, float]
    sides_se: tuple[float, float]
    n: tuple[int, int]
    everyone: float
    everyone_low: float
    everyone_high: float
    direct: float
    pull: FloatArray = field(default_factory=lambda: np.zeros(0), repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Together:
    """Several outcomes of the same users, added up in units of their own errors.

    Attributes:
        z: Above zero where, on the whole, they are better with more friends who have it.
        p: Two-sided, against none of them going with it.
        n: How many outcomes.
    """

    z: float
    p: float
    n: int


@dataclass(frozen=True, slots=True)
class TiesByChance:
    """Whether ties know nothing of the arms, as they must when they are older than the launch.

    Attributes:
        degree: z of the number of ties of those with the launch, against chance.
        alike: z of the number of ties within a side, against chance.
        p: Two-sided, corrected for the two.
    """

    degree: float
    alike: float
    p: float


def net_of(one: ArrayLike, other: ArrayLike, n: int) -> sparse.csr_array:
    """The net of ties among users.

    Args:
        one: (T,) places from 0 to n - 1. A tie counts once, whichever way and however often it is
            there; nobody is tied to themselves.
        other: (T,) the other ends.
        n: How many users.

    Returns:
        (n, n) symmetric, of zeros and ones.
    """
    a, b = np.asarray(one, dtype=np.int64), np.asarray(other, dtype=np.int64)
    apart = a != b
    a, b = a[apart], b[apart]
    ones = np.ones(2 * len(a))
    where = (np.concatenate([a, b]), np.concatenate([b, a]))
    net = sparse.csr_array(sparse.coo_array((ones, where), shape=(n, n)))
    net.sum_duplicates()
    net.data[:] = 1.0
    return net


def ties_by_chance(net: sparse.csr_array, treated: ArrayLike, chance: ArrayLike) -> TiesByChance:
    """Test that the arms know nothing of the ties: neither who has many, nor who has whom.

    Args:
        net: From `net_of`.
        treated: (n,) whether each user has the launch.
        chance: (n,) the chance with which each got it.
    """
    p = np.asarray(chance, dtype=float)
    off = np.asarray(treated, dtype=float) - p
    spread = p * (1 - p)
    degree: FloatArray = np.asarray(net.sum(axis=1), dtype=float)
    # The chance is that of the arms as they came out, so only degrees apart from the mean count.
    _, group = np.unique(p, return_inverse=True)
    degree = degree - (np.bincount(group, weights=degree) / np.bincount(group))[group]
    by_degree = _z(float(off @ degree), float(spread @ degree**2))
    # Every tie is there from both ends, so the sum is twice that over pairs.
    alike = _z(float(off @ (net @ off)) / 2, float(spread @ (net @ spread)) / 2)
    p_both = float(special.erfc(max(abs(by_degree), abs(alike)) / np.sqrt(2)))
    return TiesByChance(by_degree, alike, min(1.0, 2 * p_both))


def _z(total: float, variance: float) -> float:
    return total / float(np.sqrt(variance)) if variance > 0 else 0.0


def spillover(
    outcome: ArrayLike,
    net: sparse.csr_array,
    arm: ArrayLike,
    chance: ArrayLike,
    *,
    before: ArrayLike | None = None,
    counted: ArrayLike | None = None,
    level: float = 0.95,
) -> Spillover:
    """Estimate how an outcome goes with the share of friends who have the launch.

    Least squares on the share, less its mean by chance, within classes of users of one arm with
    about as many friends, beside the outcome's own past. Users with few friends tell more, since
    their shares vary more; so the slope is an average that leans to them. The interval is that of
    the re-drawn arms (see the module), by Student's t with Satterthwaite's degrees of freedom.

    Args:
        outcome: (n,) of every user in the experiment.
        net: (n, n) their ties, from `net_of`.
        arm: (n,) 0 for those without the launch.
        chance: (n,) the chance with which each user got it.
        before: (n,) the outcome before it.
        counted: (n,) whose outcome is known; all when absent. The others count as friends.
        level: Of the intervals.

    Raises:
        NotEstimable: When fewer than `FEWEST` users on a side have a friend in the experiment,
            when their friends' shares do not vary, or when nobody does anything.
    """
    y, arms = np.asarray(outcome, dtype=float), np.asarray(arm, dtype=np.int64)
    p = np.asarray(chance, dtype=float)
    known = np.ones(len(y), bool) if counted is None else np.asarray(counted, dtype=bool)
    past = np.zeros(len(y)) if before is None else np.asarray(before, dtype=float)
    treated, degree = arms > 0, net.sum(axis=1)
    linked = known & (degree > 0)
    sides = (linked & ~treated, linked & treated)
    n = (int(sides[0].sum()), int(sides[1].sum()))
    if min(n) < FEWEST:
        msg = f"too few users of a side have a friend in the experiment ({min(n)})"
        raise NotEstimable(msg)
    share = (net @ (treated - p)) / np.maximum(degree, 1)
    group = arms * (len(_DEGREES) + 1) + np.searchsorted(_DEGREES, degree, side="right")
    slopes, sums, around = [], [], []
    for side in sides:
        slope, squares, left = _side(y[side], share[side], past[side], group[side])
        pulled = np.zeros(len(y))
        pulled[side] = left / degree[side]
        slopes.append(slope)
        sums.append(squares)
        around.append(net.T @ pulled)
    chances = p * (1 - p)
    errors = np.array([[float(chances @ (a * b)) for b in around] for a in around])
    spread = np.array(sums)
    covariance = errors / np.outer(spread, spread)
    value = float(spread @ slopes / spread.sum())
    pieces = chances * (around[0] + around[1]) ** 2
    se = float(np.sqrt(pieces.sum()) / spread.sum())
    if se <= 0:
        msg = "nobody in the experiment does it more or less than another"
        raise NotEstimable(msg)
    df = _freedom(pieces)
    wide = float(special.stdtrit(df, (1 + level) / 2))
    seen = float((treated[net.indices]).mean())
    middle = _middle(y, past, known, treated)
    control = float(y[sides[0]].mean())
    base = control - slopes[0] * seen
    if base <= 0:
        msg = "those without friends who have it do nothing"
        raise NotEstimable(msg)
    # The base moves with the slope; the error of the control's own mean is small beside it.
    relative, by = value / base, abs(control) / base**2
    every = _everyone(middle, slopes, covariance, _linked_shares(known, linked, treated), seen)
    return Spillover(
        value=value,
        se=se,
        low=value - wide * se,
        high=value + wide * se,
        p=float(2 * special.stdtr(df, -abs(value / se))),
        df=df,
        relative=relative,
        relative_low=relative - wide * se * by,
        relative_high=relative + wide * se * by,
        sides=(slopes[0], slopes[1]),
        sides_se=(float(np.sqrt(covariance[0, 0])), float(np.sqrt(covariance[1, 1]))),
        n=n,
        everyone=every[0],
        everyone_low=every[0] - wide * every[1],
        everyone_high=every[0] + wide * every[1],
        direct=middle[0][1] / middle[0][0] - 1 if middle[0][0] > 0 else float("nan"),
        pull=np.sqrt(chances) * (around[0] + around[1]) / np.sqrt(pieces.sum()),
    )


def _freedom(pieces: FloatArray) -> float:
    """Satterthwaite's degrees of freedom of a variance that is a sum of pieces."""
    return float(pieces.sum() ** 2 / (pieces**2).sum())


def together(found: Sequence[Spillover], signs: Sequence[int]) -> Together | None:
    """Test several outcomes at once, for where each falls a little and none is shown by itself.

    The sum of their z, by its variance over re-drawn arms, which knows how far they go together
    (O'Brien 1984's ordinary least squares statistic, with the correlations of the draws).

    Args:
        found: From `spillover`, over the same users and ties.
        signs: +1 for each in which more is better, else -1.

    Returns:
        None with fewer than two.
    """
    if len(found) < 2:
        return None
    total = sum(sign * s.value / s.se for s, sign in zip(found, signs, strict=True))
    pulled = np.sum([sign * s.pull for s, sign in zip(found, signs, strict=True)], axis=0) ** 2
    if not pulled.sum() > 0:
        return None
    z = float(total / np.sqrt(pulled.sum()))
    return Together(z, float(2 * special.stdtr(_freedom(pulled), -abs(z))), len(found))


def _side(
    y: FloatArray, share: FloatArray, past: FloatArray, group: IntArray
) -> tuple[float, float, FloatArray]:
    """The slope on one side, the sum of squares of the share, and what is left of the outcome."""
    _, place = np.unique(group, return_inverse=True)
    sizes = np.bincount(place)

    def within(column: FloatArray) -> FloatArray:
        means = np.bincount(place, weights=column) / sizes
        return np.asarray(column - means[place])

    y, share, past = within(y), within(share), within(past)
    varies = float(past @ past)
    if varies > 0:
        y = y - past * float(past @ y) / varies
        share = share - past * float(past @ share) / varies
    spread = float(share @ share)
    if spread <= 1e-9 * len(y):
        msg = "the share of friends who have it does not vary"
        raise NotEstimable(msg)
    slope = float(share @ y) / spread
    return slope, spread, np.asarray(y - slope * share)


def _middle(
    y: FloatArray, past: FloatArray, known: BoolArray, treated: BoolArray
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Both sides' means, adjusted for their past, and the variances of these means."""
    centred = past[known] - past[known].mean()
    varies = float(centred @ centred)
    theta = float(centred @ y[known]) / varies if varies > 0 else 0.0
    adjusted = y - theta * (past - past[known].mean())
    rows = [adjusted[known & side] for side in (~treated, treated)]
    means = (float(rows[0].mean()), float(rows[1].mean()))
    return means, tuple(float(r.var(ddof=1) / len(r)) for r in rows)  # type: ignore[return-value]


def _linked_shares(known: BoolArray, linked: BoolArray, treated: BoolArray) -> tuple[float, float]:
    return (
        float(linked[known & ~treated].mean()),
        float(linked[known & treated].mean()),
    )


def _everyone(
    middle: tuple[tuple[float, float], tuple[float, float]],
    slopes: list[float],
    covariance: FloatArray,
    linked: tuple[float, float],
    seen: float,
) -> tuple[float, float]:
    """Everybody has it against nobody, relative, and its error by the delta method."""
    (without, having), (noise, noise_with) = middle
    down, up = linked[0] * seen, linked[1] * (1 - seen)
    nobody, everybody = without - slopes[0] * down, having + slopes[1] * up
    if nobody <= 0:
        return float("nan"), float("nan")
    ratio = everybody / nobody
    by = np.array([ratio * down, up]) / nobody  # by the two slopes
    variance = float(by @ covariance @ by) + (noise_with + ratio**2 * noise) / nobody**2
    return ratio - 1, float(np.sqrt(variance))
