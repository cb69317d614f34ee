"""Who pays for a gain: harmed segments, found on one half of the users, confirmed on the other.

Attribute values and their combinations overlap, so their tests are neither few nor independent.
Three things keep the error where it is promised:

1. Segments are *found* on one half of the hash buckets and *confirmed* on the other, which has
   not been looked at. What was found by chance has no reason to come back.
2. Confirmation is by step-down max-T (Romano and Wolf 2005): a segment's z is compared with the
   largest z that chance alone would give among all segments still in question.
3. That distribution comes from a Gaussian multiplier bootstrap over buckets (Chernozhukov,
   Chetverikov, Kato 2013): a bucket's share in every segment's estimate is multiplied by one
   normal draw, so overlaps carry over by themselves. Plain Rademacher signs are too light in the
   tail for small segments and miss the error promised; they are not offered.

Attributes must be known before exposure; whoever gathers the cells refuses others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from octad.stats.effects import Effects, compare_many
from octad.stats.levels import D, W, X, Y, divide
from octad.stats.moments import Moments
from octad.stats.refusal import NotEstimable

__all__ = ["HarmSearch", "find_harm", "step_down_max_t"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

FEWEST_BUCKETS = 64
"""With fewer, half of them do not carry the correlation between segments."""

FEWEST_USERS = 100
"""Users per arm and half below which a segment is counted as unseen: its z is not normal enough
for the tail that max-T asks about."""

EXPLORE = 0.1
"""One-sided p by which a segment is taken over from the first half. Generous, for the error is
kept by the second half alone; strict enough to leave few to confirm."""

DRAWS = 4000
"""Multiplier draws: a p of .05 is then known to ±.0035."""


@dataclass(frozen=True, slots=True, eq=False)
class HarmSearch:
    """What a search for harmed segments found, and what it could not have seen. Arrays (S,).

    Attributes:
        found: On the first half, worse by a one-sided p under a tenth.
        confirmed: On the second half, worse at the familywise error.
        p: Adjusted p on the second half (1 where not found).
        value, se: The effect on the second half, in the metric's own direction.
        all_value, all_se, all_low, all_high: The effect on all users, to show. A confirmed
            segment's is a little too large, since a larger one is likelier to be found.
        n: Users of both arms, all buckets.
        visible: The smallest harm, as a size, that this search would have confirmed four times
            out of five; infinite where unseen.
        unseen: Segments too small, or not estimable, to be searched at all.
        searched: How many were.
        against: Whether the question was harm at all, or being worse off than the rest.
        error: Chance of confirming even one segment if none is harmed.
    """

    found: BoolArray
    confirmed: BoolArray
    p: FloatArray
    value: FloatArray
    se: FloatArray
    all_value: FloatArray
    all_se: FloatArray
    all_low: FloatArray
    all_high: FloatArray
    n: FloatArray
    visible: FloatArray
    unseen: BoolArray
    searched: int
    against: str
    error: float
    relative: bool


def step_down_max_t(
    z: FloatArray, shares: FloatArray, rng: np.random.Generator, *, draws: int = DRAWS
) -> tuple[FloatArray, FloatArray]:
    """Adjusted one-sided p-values of correlated z statistics.

    Args:
        z: (S,) statistics, standard normal under no effect; large is evidence.
        shares: (S, B) each bucket's share in each estimate, centred; it carries the correlation.
        rng: The source of the draws.
        draws: How many.

    Returns:
        (S,) adjusted p (Romano and Wolf 2005, step-down), and (draws,) the largest of all S under
        chance, in draw order.
    """
    scale = np.sqrt((shares**2).sum(axis=1))
    unit = divide(shares, np.broadcast_to(scale[:, None], shares.shape))
    order = np.argsort(-z, kind="stable")
    exceed = np.zeros(len(z))
    largest = np.empty(draws)
    chunk = max(1, min(draws, 2_000_000 // max(len(z), 1)))
    for start in range(0, draws, chunk):
        size = min(chunk, draws - start)
        null = rng.standard_normal((size, shares.shape[1])) @ unit[order].T
        # From the least extreme up: each is held against the largest of itself and those below.
        tops = np.maximum.accumulate(null[:, ::-1], axis=1)[:, ::-1]
        exceed += (tops >= z[order]).sum(axis=0)
        largest[start : start + size] = tops[:, 0]
    p = np.empty(len(z))
    p[order] = np.maximum.accumulate((exceed + 1) / (draws + 1))
    return p, largest


def find_harm(
    moments: Moments,
    *,
    better: Literal["up", "down"] = "up",
    error: float = 0.05,
    seed: int,
    relative: bool = True,
    against: Literal["nothing", "rest"] = "nothing",
    power: float = 0.8,
) -> HarmSearch:
    """Search slices for harm.

    Args:
        moments: Leading shape (S, 2, B): slices (the first is everyone, and is not searched),
            control and treatment, hash buckets; columns y, d, x, w.
        better: Which direction of the metric is good.
        error: Familywise error of the confirmation.
        seed: Of the halving and of the draws; the same seed gives the same answer.
        relative: Effects as a fraction of the control's level.
        against: "nothing" asks whether a slice is worse off than without the launch; "rest"
            whether its effect is worse than that of everybody else.
        power: The power that `visible` refers to.

    Raises:
        NotEstimable: With fewer than 64 buckets that hold anybody.
    """
    held = moments.n[0].sum(axis=0) > 0
    if held.sum() < FEWEST_BUCKETS:
        raise NotEstimable(
            "The users fall into too few groups to split them in two halves and search one of them."
        )
    moments = moments[:, :, held]
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(int(held.sum()))
    half = np.zeros(int(held.sum()), dtype=bool)
    half[shuffled[: len(half) // 2]] = True
    sign = -1.0 if better == "up" else 1.0
    first = _Part.of(moments[:, :, half], relative=relative, against=against)
    second = _Part.of(moments[:, :, ~half], relative=relative, against=against)
    whole = _Part.of(moments, relative=relative, against=against)
    seen = first.ok & second.ok
    seen[0] = False
    found = seen & (sign * first.z > special.ndtri(1 - EXPLORE))
    p = np.ones(len(seen))
    if found.any():
        p[found], _ = step_down_max_t(sign * second.z[found], second.shares(sign)[found], rng)
    reach = float(special.ndtri(1 - error))
    if seen.any():
        _, largest = step_down_max_t(sign * second.z[seen], second.shares(sign)[seen], rng)
        reach = float(np.quantile(largest, 1 - error))
    radius = special.ndtri(0.975) * whole.se
    return HarmSearch(
        found=found,
        confirmed=p <= error,
        p=p,
        value=second.value,
        se=second.se,
        all_value=whole.value,
        all_se=whole.se,
        all_low=whole.value - radius,
        all_high=whole.value + radius,
        n=moments.n.sum(axis=(1, 2)),
        visible=np.where(seen, _visible(first.se, second.se, reach, power), np.inf),
        unseen=~seen & (np.arange(len(seen)) > 0),
        searched=int(seen.sum()),
        against=against,
        error=error,
        relative=relative,
    )


def _visible(first: FloatArray, second: FloatArray, reach: float, power: float) -> FloatArray:
    """The harm that passes both halves with the power given, by bisection.

    The bar of the second half is that of all slices searched, which is the worst case.
    """
    low, high = np.zeros(len(first)), 20.0 * (first + second)
    safe = np.where(first > 0, first, 1.0), np.where(second > 0, second, 1.0)
    explore = special.ndtri(1 - EXPLORE)
    for _ in range(60):
        middle = 0.5 * (low + high)
        chance = special.ndtr(middle / safe[0] - explore) * special.ndtr(middle / safe[1] - reach)
        low = np.where(chance < power, middle, low)
        high = np.where(chance < power, high, middle)
    return high


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Effects of every slice on some of the buckets. Shapes (S,), influence (S, B)."""

    value: FloatArray
    se: FloatArray
    z: FloatArray
    ok: BoolArray
    influence: FloatArray

    def shares(self, sign: float) -> FloatArray:
        """(S, B) the buckets' shares in the estimates, in the direction of harm."""
        return sign * self.influence

    @classmethod
    def of(cls, moments: Moments, *, relative: bool, against: str) -> _Part:
        """Estimate every slice, or every slice less the rest of everyone."""
        here = _estimate(moments, relative=relative)
        if against == "nothing":
            return here
        rest = _estimate(_rest(moments), relative=relative)
        value, se = here.value - rest.value, np.hypot(here.se, rest.se)
        if not relative:
            shares = here.influence - rest.influence
            return cls(value, se, divide(value, se), here.ok & rest.ok & (se > 0), shares)
        # Tested on the log of the ratio of levels: there a fall and a rise of equal size are
        # equally sure. On the plain relative scale a fall looks surer than it is when values are
        # heavy-tailed, and the familywise error of 5% became 10% in simulation.
        ratios = np.stack([1 + here.value, 1 + rest.value])
        ok = here.ok & rest.ok & (se > 0) & (ratios > 0).all(axis=0)
        ratios = np.where(ok, ratios, 1.0)
        spread = np.hypot(here.se / ratios[0], rest.se / ratios[1])
        z = divide(np.log(ratios[0] / ratios[1]), spread)
        shares = here.influence / ratios[0, :, None] - rest.influence / ratios[1, :, None]
        return cls(value, se, z, ok, shares)


def _rest(moments: Moments) -> Moments:
    """Everyone who is not in the slice, for every slice."""
    shape = moments.shape
    everyone = Moments(
        np.broadcast_to(moments.n[:1], shape),
        np.broadcast_to(moments.mean[:1], (*shape, moments.k)),
        np.broadcast_to(moments.comoment[:1], (*shape, moments.k, moments.k)),
    )
    return everyone - moments


def _estimate(moments: Moments, *, relative: bool) -> _Part:
    pooled = moments.total(2)
    control, treatment = pooled[:, 0], pooled[:, 1]
    effects = compare_many(control, treatment, relative=relative, theta="first", interval="delta")
    # No effect is the same absolutely and relatively. The absolute difference tests it better: the
    # delta error of a relative effect shrinks as the effect falls, which makes harm look surer.
    plain = compare_many(control, treatment, relative=False, theta="first")
    enough = np.minimum(effects.n_control, effects.n_treatment) >= FEWEST_USERS
    ok = effects.ok & enough & (effects.se > 0)
    # From p back to z: small and large slices then compare on one scale, whatever their t.
    size = -special.ndtri(np.maximum(plain.p, 1e-300) / 2)
    z = np.sign(plain.value) * size
    return _Part(effects.value, effects.se, z, ok, _influence(moments, effects))


def _influence(moments: Moments, effects: Effects) -> FloatArray:
    """(S, B) how far each bucket moves each slice's effect, to first order."""
    total = moments.total(2)
    safe = np.where(total.mean == 0, 1.0, total.mean)
    n = np.maximum(total.n, 1.0)
    sums = moments.n[..., None] * moments.mean
    ratio = divide(total.mean[..., Y], total.mean[..., D])
    pre = divide(total.mean[..., X], total.mean[..., W])
    after = (sums[..., Y] - ratio[..., None] * sums[..., D]) / (n * safe[..., D])[..., None]
    before = (sums[..., X] - pre[..., None] * sums[..., W]) / (n * safe[..., W])[..., None]
    arm = after - effects.theta[:, None, None] * before
    if not effects.relative:
        return np.asarray(arm[:, 1] - arm[:, 0])
    level = np.where(effects.control == 0, 1.0, effects.control)
    weight = effects.treatment / level
    return np.asarray((arm[:, 1] - weight[:, None] * arm[:, 0]) / np.abs(level)[:, None])
