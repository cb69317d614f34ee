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

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from octad.stats.effects import Effects, compare_many
from octad.stats.levels import D, W, X, Y, adjusted, divide, linearise, spread
from octad.stats.moments import Moments
from octad.stats.parts import Parts
from octad.stats.refusal import NotEstimable

__all__ = ["HarmSearch", "find_harm", "halves", "step_down_max_t"]

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


def halves(buckets: int, seed: int) -> BoolArray:
    """Which of so many buckets are for finding; the others are for confirming.

    It does not depend on who is in them: metrics whose windows end on different days are halved
    alike, or one metric's finding users would be another's confirming ones.

    Returns:
        (B,) whether a bucket is for finding.
    """
    early = np.zeros(buckets, dtype=bool)
    early[np.random.default_rng(seed).permutation(buckets)[: buckets // 2]] = True
    return early


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
    return _step_down(z, shares, rng.standard_normal((draws, shares.shape[1])))


def _step_down(
    z: FloatArray, shares: FloatArray, normal: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """`step_down_max_t`, from (draws, B) standard normal draws."""
    unit = _unit(shares)
    order = np.argsort(-z, kind="stable")
    exceed = np.zeros(len(z))
    largest = np.empty(len(normal))
    for some in _lots(len(normal), len(z)):
        null = normal[some] @ unit[order].T
        # From the least extreme up: each is held against the largest of itself and those below.
        tops = np.maximum.accumulate(null[:, ::-1], axis=1)[:, ::-1]
        exceed += (tops >= z[order]).sum(axis=0)
        largest[some] = tops[:, 0]
    p = np.empty(len(z))
    p[order] = np.maximum.accumulate((exceed + 1) / (len(normal) + 1))
    return p, largest


def _largest(shares: FloatArray, normal: FloatArray) -> FloatArray:
    """(draws,) the largest of all z under chance, as in `_step_down`."""
    unit = _unit(shares)
    lots = _lots(len(normal), len(shares))
    return np.concatenate([(normal[some] @ unit.T).max(axis=1) for some in lots])


def _unit(shares: FloatArray) -> FloatArray:
    scale = np.sqrt((shares**2).sum(axis=1))
    return divide(shares, np.broadcast_to(scale[:, None], shares.shape))


def _lots(draws: int, many: int) -> list[slice]:
    """The draws a few at a time, so that what chance makes of all segments stays small."""
    each = max(1, min(draws, 2_000_000 // max(many, 1)))
    return [slice(start, start + each) for start in range(0, draws, each)]


@lru_cache(maxsize=2)
def _draws(seed: int, draws: int, buckets: int) -> FloatArray:
    """(draws, buckets) standard normal: the same for all metrics of a launch, so made once."""
    # A stream of their own, beside that of the halving.
    normal = np.random.default_rng([seed, 1]).standard_normal((draws, buckets))
    normal.flags.writeable = False
    return normal


def find_harm(
    slices: Moments | Parts,
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
        slices: S of them, the first everyone, who is not searched; control and treatment, columns
            y, d, x, w. Moments have the leading shape (S, 2, B), with B hash buckets.
        better: Which direction of the metric is good.
        error: Familywise error of the confirmation.
        seed: Of the halving and of the draws; the same seed gives the same answer.
        relative: Effects as a fraction of the control's level.
        against: "nothing" asks whether a slice is worse off than without the launch; "rest"
            whether its effect is worse than that of everybody else.
        power: The power that `visible` refers to.

    Raises:
        NotEstimable: With fewer than 64 buckets that hold anybody.
        ValueError: When parts were halved by another seed.
    """
    first_half = halves(slices.n.shape[-1], seed)
    parts = slices if isinstance(slices, Parts) else Parts.of(slices, first_half)
    if not np.array_equal(parts.finding, first_half):
        msg = "the slices were halved by another seed than the one given"
        raise ValueError(msg)
    held = parts.n[0].sum(axis=0) > 0
    if held.sum() < FEWEST_BUCKETS:
        raise NotEstimable(
            "The users fall into too few groups to split them in two halves and search one of them."
        )
    late = np.flatnonzero(held & ~first_half)
    # The first for confirming; for planning, a quarter as many will do.
    normal = _draws(seed, DRAWS + DRAWS // 4, len(late))
    sign = -1.0 if better == "up" else 1.0
    question = _Question(relative=relative, rest=against == "rest")
    first = question.ask(parts.halves[:, :, 0])
    own = {id(column): column.take(late, axis=2) for column in parts.sums}
    second = question.ask(parts.halves[:, :, 1], [own[id(column)] for column in parts.sums])
    whole = question.ask(parts.total, test=False)
    seen = first.ok & second.ok
    seen[0] = False
    found = seen & (sign * first.z > special.ndtri(1 - EXPLORE))
    p, reach = np.ones(len(seen)), float(special.ndtri(1 - error))
    if found.any():
        z, shares = sign * second.z[found], sign * second.shares[found]
        p[found], _ = _step_down(z, shares, normal[:DRAWS])
        normal = normal[DRAWS:]
    if seen.any():
        largest = _largest(sign * second.shares[seen], normal[: DRAWS // 4])
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
        n=parts.users,
        visible=np.where(seen, _visible(first.se, second.se, reach, power), np.inf),
        unseen=~seen & (np.arange(len(seen)) > 0),
        searched=int(seen.sum()),
        against=against,
        error=error,
        relative=relative,
    )


def _visible(first: FloatArray, second: FloatArray, reach: float, power: float) -> FloatArray:
    """The harm that passes both halves with the power given, by bisection.

    The bar of the second half is that of all slices searched. A slice has to pass a lower one,
    that of the slices found beside it; but how many those are depends on the harm, since what
    overlaps a harmed slice is found with it. In simulation this errs by seeing 9 in 10 instead of
    8, where the bar of the slices found errs the other way.
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
    """Effects of every slice on some of the buckets. Shapes (S,), shares (S, B) or (S, 0)."""

    value: FloatArray
    se: FloatArray
    z: FloatArray
    ok: BoolArray
    shares: FloatArray


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked of every slice: its effect, or its effect less that of the rest."""

    relative: bool
    rest: bool

    def ask(
        self, pooled: Moments, sums: Sequence[FloatArray] | None = None, *, test: bool = True
    ) -> _Part:
        """Estimate every slice.

        Args:
            pooled: Leading shape (S, 2).
            sums: (S, 2, B) the same users' sums by bucket, of each of the four columns; for the
                buckets' shares.
            test: Whether z is wanted.
        """
        here = self._effects(pooled)
        enough = np.minimum(here.n_control, here.n_treatment) >= FEWEST_USERS
        shares = self._shares(pooled, sums, here)
        if not self.rest:
            z = _z(self._plain(pooled, here)) if test else here.z
            return _Part(here.value, here.se, z, here.ok & enough & (here.se > 0), shares)
        others = _everyone(pooled) - pooled
        there = self._effects(others)
        enough &= np.minimum(there.n_control, there.n_treatment) >= FEWEST_USERS
        value, se = here.value - there.value, np.hypot(here.se, there.se)
        ok = here.ok & there.ok & enough & (se > 0)
        if sums is not None:
            shares = shares - self._shares(others, [s[:1] - s for s in sums], there)
        z = self._against(pooled, here, there) if self.relative else divide(value, se)
        return _Part(value, se, np.where(ok, z, 0.0), ok, shares)

    def _effects(self, pooled: Moments) -> Effects:
        return compare_many(
            pooled[:, 0], pooled[:, 1], relative=self.relative, theta="first", interval="delta"
        )

    def _plain(self, pooled: Moments, here: Effects) -> Effects:
        """The absolute difference: no effect is the same absolutely and relatively.

        It tests that better, for the delta error of a relative effect shrinks as the effect
        falls, which makes harm look surer than it is.
        """
        if not self.relative:
            return here
        return compare_many(pooled[:, 0], pooled[:, 1], relative=False, theta="first")

    @staticmethod
    def _against(pooled: Moments, here: Effects, there: Effects) -> FloatArray:
        """Z of the slice's treated less what the rest's ratio of levels would make of its controls.

        As with no effect, the error is taken at the ratio that is asked about, not at the slice's
        own, which falls with it. Taken at its own, heavy-tailed values turned a familywise error
        of 5% into 10% in simulation.
        """
        arms = linearise(pooled[:, 0]), linearise(pooled[:, 1])
        levels = adjusted(arms[0], arms[1], here.theta)
        size = np.abs(here.control)
        # value = sign·(T/C - 1), so T = C + value·|C|.
        expected = here.control + there.value * size
        slope = divide(expected, here.control)
        own, df = spread(levels, np.stack([-slope, np.ones_like(slope)]))
        z = divide(levels.level[1] - expected, np.sqrt(own + (size * there.se) ** 2))
        return np.sign(z) * _normal(2 * special.stdtr(df, -np.abs(z)))

    def _shares(
        self, pooled: Moments, sums: Sequence[FloatArray] | None, effects: Effects
    ) -> FloatArray:
        """(S, B) how far each bucket moves each slice's effect, to first order."""
        if sums is None:
            return np.zeros((len(effects.value), 0))
        mean, n = pooled.mean, np.maximum(pooled.n, 1.0)
        safe = np.where(mean == 0, 1.0, mean)
        ratio, pre = divide(mean[..., Y], mean[..., D]), divide(mean[..., X], mean[..., W])
        after = (sums[Y] - ratio[..., None] * sums[D]) / (n * safe[..., D])[..., None]
        before = (sums[X] - pre[..., None] * sums[W]) / (n * safe[..., W])[..., None]
        arm = after - effects.theta[:, None, None] * before
        if not self.relative:
            return np.asarray(arm[:, 1] - arm[:, 0])
        level = np.where(effects.control == 0, 1.0, effects.control)
        weight = divide(effects.treatment, level)
        return np.asarray((arm[:, 1] - weight[:, None] * arm[:, 0]) / np.abs(level)[:, None])


def _everyone(moments: Moments) -> Moments:
    """The first slice, as many times as there are slices."""
    return moments[np.zeros(moments.shape[0], dtype=np.int64)]


def _z(effects: Effects) -> FloatArray:
    """From p back to z: small and large slices then compare on one scale, whatever their t."""
    return np.sign(effects.value) * _normal(effects.p)


def _normal(p: FloatArray) -> FloatArray:
    """The size of the standard normal deviate with this two-sided p."""
    return np.asarray(-special.ndtri(np.maximum(p, 1e-300) / 2))
