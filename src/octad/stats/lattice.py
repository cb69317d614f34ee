"""Which of a hundred thousand slices to ask about: a search of combinations of attribute values.

Twelve attributes of eight values have 117,000 combinations of up to three values. To keep cells
for each and to correct for each would cost the memory and the power. So candidates are *found* on
one half of the hash buckets, user by user, and only they are made into slices; `find_harm` then
confirms on the other half. Whatever is chosen here, by whatever rule, the confirmation's
familywise error holds, since the choice has seen no user of the half it is made on.

**The seam.** Before it makes slices, the data layer calls, once a metric and treatment arm::

    found = candidates(codes, sizes, rows, arm, bucket, buckets=BUCKETS, seed=seed)

with `codes` (A, n) each user's value of every attribute (-1 for a value that makes no segment,
such as "(unknown)"), `rows` (n, 4) the metric's columns y, d, x, w of users whose window is
complete, `arm` (n,) 0 for the control and 1 for the treatment (others are left out), and `bucket`
(n,). Each of `found.slices`, as (attribute, value) numbers, becomes one more slice beside the
single values and pairs.

`seed` must be the one that `find_harm` is given, and `find_harm` must halve the same buckets:
with another seed half of the users would be looked at in the search *and* in the confirmation,
and chance findings would be confirmed. For the same reason slices that are shared by several
metrics or arms need one seed for all of them: the metrics belong to the same users, so what
stood out by chance in one metric's finding half may well stand out in another's.

**Two scores.** `candidates` looks for harm; `worst_slices` has the published score of SliceLine
(Sagadeeva and Boehm 2021), for errors or losses per row, and holds the pruning to account against
the package of that name. The walk itself is `octad.stats.lattice_scan`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from octad.stats.lattice_scan import Column, Grid, Group, Scan, scan
from octad.stats.levels import ROUNDING, D, W, X, Y, divide
from octad.stats.refusal import NotEstimable
from octad.stats.segments import EXPLORE, FEWEST_BUCKETS, FEWEST_USERS

__all__ = ["HarmScore", "SliceLineScore", "candidates", "finding_half", "outcomes", "worst_slices"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer[Any]]
BoolArray = NDArray[np.bool_]

FLOOR = 0.25
"""Share of the quietest single value's variance below which no slice's variance is trusted."""


def finding_half(held: ArrayLike, seed: int) -> BoolArray:
    """The buckets on which `find_harm` finds; it confirms on the others that are held.

    Args:
        held: (B,) whether anybody is in the bucket, in either arm.
        seed: The seed given to `find_harm`.

    Raises:
        NotEstimable: With fewer than 64 buckets that hold anybody.

    >>> finding_half([True] * 100, 7).sum()
    np.int64(50)
    """
    inside = np.asarray(held, dtype=bool)
    where = np.flatnonzero(inside)
    if len(where) < FEWEST_BUCKETS:
        raise NotEstimable(
            "The users fall into too few groups to split them in two halves and search one of them."
        )
    early = np.zeros(len(inside), dtype=bool)
    shuffled = np.random.default_rng(seed).permutation(len(where))
    early[where[shuffled[: len(where) // 2]]] = True
    return early


def outcomes(rows: ArrayLike, arm: ArrayLike) -> FloatArray:
    """Each user's share in a metric, less what the time before exposure foretold.

    That is (y − R·d) − θ·(x − S·w), with R and S the ratios of all these users and θ from the
    covariance within arms (as in `octad.stats.levels`, where the metric is a ratio of sums).
    One R for both arms: the difference of two arms' means in any slice is then, to first order,
    the slice's effect times its mean of d.

    Args:
        rows: (n, 4) columns y, d, x, w.
        arm: (n,) 0 or 1.
    """
    table, codes = np.asarray(rows, dtype=np.float64), np.asarray(arm)
    total = table.sum(axis=0)
    after = table[:, Y] - float(divide(total[Y], total[D])) * table[:, D]
    before = table[:, X] - float(divide(total[X], total[W])) * table[:, W]
    shared = square = np.zeros(())
    for a in (0, 1):
        mine = codes == a
        if mine.any():
            away = before[mine] - before[mine].mean()
            shared, square = shared + away @ after[mine], square + away @ away
    # What is left of a covariate that is the same for all is rounding.
    if square > ROUNDING * (table[:, X] @ table[:, X]):
        after = after - float(shared / square) * before
    return np.asarray(after)


def candidates(
    codes: Sequence[IntArray] | IntArray,
    sizes: Sequence[int],
    rows: ArrayLike,
    arm: IntArray,
    bucket: IntArray,
    *,
    buckets: int,
    seed: int,
    better: Literal["up", "down"] = "up",
    against: Literal["nothing", "rest"] = "nothing",
    fewest: int = FEWEST_USERS,
    keep: int = 200,
    deepest: int = 3,
    shallowest: int = 1,
    distinct: bool = True,
) -> Scan:
    """The slices that look most harmed on the finding half, to be confirmed on the other.

    Args:
        codes: (A, n) value of each attribute, known before exposure; -1 makes no slice.
        sizes: (A,) how many values each attribute has.
        rows: (n, 4) columns y, d, x, w of the metric.
        arm: (n,) 0 control, 1 treatment; other users are left out.
        bucket: (n,) hash bucket.
        buckets: How many there are.
        seed: The one given to `find_harm`.
        better: Which direction of the metric is good.
        against: As in `find_harm`.
        fewest: Users that each arm of a slice needs in the half (and its rest, when asked about).
        keep: How many slices to find.
        deepest: How many attributes a slice may combine.
        shallowest: List only slices of at least this many.
        distinct: Leave out a slice when a wider one around it looks at least as harmed.

    Returns:
        Slices with a z above that of `find_harm`'s first half, the highest first.

    Raises:
        NotEstimable: With fewer than 64 buckets that hold anybody.
        ValueError: When arrays do not belong together, or a value is not finite.
    """
    table = np.asarray(rows, dtype=np.float64)
    if table.ndim != 2 or not len(table) == len(arm) == len(bucket):
        msg = "rows, arm and bucket need one entry for every user"
        raise ValueError(msg)
    compared = (arm == 0) | (arm == 1)
    held = np.bincount(bucket[compared], minlength=buckets) > 0
    half = np.flatnonzero(compared & finding_half(held, seed)[bucket])
    side = arm[half]
    grid = _grid(codes, sizes, half, side, 2)
    sign = -1.0 if better == "up" else 1.0
    score = HarmScore.of(sign * outcomes(table[half], side), side, fewest, rest=against == "rest")
    return scan(
        grid,
        score,
        keep=keep,
        deepest=deepest,
        shallowest=shallowest,
        least=float(special.ndtri(1 - EXPLORE)),
        distinct=distinct,
    )


def worst_slices(
    codes: Sequence[IntArray] | IntArray,
    sizes: Sequence[int],
    errors: ArrayLike,
    *,
    alpha: float = 0.95,
    fewest: int = 32,
    keep: int = 4,
    deepest: int = 3,
) -> Scan:
    """SliceLine (Sagadeeva and Boehm 2021): the slices where errors are large and many.

    It looks for error, not for effect: a slice where all do badly, launch or not, is found.

    Args:
        codes: (A, n) value of each attribute; -1 makes no slice.
        sizes: (A,) how many values each attribute has.
        errors: (n,) losses, none below 0.
        alpha: Weight of a slice's mean error against its size, above 0 and at most 1.
        fewest: Rows that a slice needs.
        keep: How many slices to find.
        deepest: How many attributes a slice may combine.

    Raises:
        ValueError: When an error is below 0 or not finite, or alpha is out of its range.

    >>> found = worst_slices([np.array([0, 0, 1, 1])], [2], [1.0, 1.0, 5.0, 5.0], fewest=2)
    >>> found.slices
    (((0, 1),),)
    """
    losses = np.asarray(errors, dtype=np.float64)
    if not np.isfinite(losses).all() or (losses < 0).any() or not 0 < alpha <= 1:
        msg = "errors must be finite and not below 0, and alpha above 0 and at most 1"
        raise ValueError(msg)
    every = np.arange(len(losses))
    grid = _grid(codes, sizes, every, np.zeros(len(losses), dtype=np.int64), 1)
    score = SliceLineScore(losses, alpha, float(max(fewest, 1)))
    return scan(grid, score, keep=keep, deepest=deepest, least=0.0)


def _grid(
    codes: Sequence[IntArray] | IntArray,
    sizes: Sequence[int],
    rows: NDArray[np.int64],
    lead: IntArray,
    leads: int,
) -> Grid:
    """The grid of some of the rows; codes are checked, since a wrong one would add to another."""
    if len(codes) != len(sizes) or any(
        len(c) and not -1 <= int(c.min()) <= int(c.max()) < size
        for c, size in zip(codes, sizes, strict=False)
    ):
        msg = "every attribute needs codes from 0 to less than its size, or -1 for none"
        raise ValueError(msg)
    return Grid([np.asarray(c)[rows] for c in codes], tuple(sizes), lead, leads)


@dataclass(frozen=True, slots=True, eq=False)
class HarmScore:
    r"""One-sided z of harm, and the most that any slice within a slice can reach.

    A slice's z is D/√(v₁/n₁ + v₀/n₀), D the difference of the arms' means of the outcome (turned
    so that large is bad), v the arms' own variances, but no less than a floor f: a quarter of the
    smallest variance that a single attribute value has in that arm. A variance that is smaller
    still, in a slice picked from thousands, is luck; and without a floor no bound exists, since
    some hundred users within a slice may all have the same outcome. (Single values themselves
    need no floor.) Against the rest, D is less
    the rest's D, and the rest's variances are added; it equals Σ± N/(N − n)·(mean − M) over arms,
    with N users and mean M of everyone in the arm.

    *Bound.* Let A be a slice inside P, with a ≥ m users of one arm, of P's n with mean μ and
    variance s² (divided by n) about some centre c. Write A's sum as that of (h − c)·1_A. By
    Cauchy–Schwarz, applied to the deviations from μ, the mean of any a of the n is at most
    μ + s√((n − a)/a) (Mallows and Richter 1969), and it is at most the arm's largest value, H. So
    √a·mean(A) ≤ μ√a + s√(n − a) and ≤ H√a. The first is concave in a with its peak at
    a* = nμ²/(μ² + s²) for μ > 0 (at 0 otherwise); taken at a* clipped to [m, n], it holds for
    every a that is allowed. The second is at most H√n. Let G be the smaller, or 0 if negative.
    With x₁ and x₀ the two arms' parts of D and Cauchy–Schwarz once more, x₁ + x₀ ≤
    √(a₁x₁²/f₁ + a₀x₀²/f₀)·√(f₁/a₁ + f₀/a₀), hence z ≤ √(G₁²/f₁ + G₀²/f₀). Any centre may be
    taken that is the same in both arms: the one halfway between P's means is. Against the rest
    the centres are the arms' own M, and each G grows by N/(N − n).

    The bound is honest, not sharp: of a metric that many users move, almost any slice of a
    thousand users could hide a z above 3, and size alone prunes. Where few users do anything
    (a crash, a refund), whole tables fall away.

    Attributes:
        h: (n,) outcome, large is bad.
        total: (3, 2) users, sum and sum of squares by arm.
        top: (2,) the largest outcome of the treated, and of the controls turned around.
        floor: (2,) the variances' floor; set once the single values have been looked at.
        fewest: Users that each arm needs.
        rest: Whether the question is being worse off than the rest.
    """

    h: FloatArray
    total: FloatArray
    top: FloatArray
    floor: FloatArray
    fewest: float
    rest: bool

    @classmethod
    def of(cls, outcome: FloatArray, arm: IntArray, fewest: int, *, rest: bool) -> HarmScore:
        """Prepare the score of some users' outcomes; large outcomes are bad.

        Raises:
            ValueError: When an outcome is not finite.
        """
        if not np.isfinite(outcome).all():
            msg = "outcomes must be finite; leave out or mend NaN and infinite values first"
            raise ValueError(msg)
        h = outcome - (outcome.mean() if len(outcome) else 0.0)
        h = h / (np.abs(h).max(initial=0.0) or 1.0)
        if rest:
            for a in (0, 1):
                mine = arm == a
                h[mine] -= h[mine].mean() if mine.any() else 0.0
        total = np.stack([np.bincount(arm, w, 2) for w in (None, h, h * h)])
        top = np.array(
            [-h[arm == 0].min(initial=0.0), h[arm == 1].max(initial=0.0)], dtype=np.float64
        )
        return cls(h, total, top, np.full(2, np.inf), float(max(fewest, 2)), rest)

    def columns(self) -> Sequence[Column]:
        """Users, sum and sum of squares."""
        return Column(None), Column(self.h), Column(self.h * self.h)

    def judge(self, group: Group, table: FloatArray) -> tuple[FloatArray, BoolArray, BoolArray]:
        """Z of every slice; which are large enough; which have a rest that is."""
        n, mean, variance = _spread(table)
        large = (n >= self.fewest).all(axis=0)
        if len(group) == 1:
            for a in (0, 1):
                seen = variance[a][large & (variance[a] > 0)]
                self.floor[a] = min(self.floor[a], FLOOR * seen.min(initial=np.inf))
        listed = np.ones(large.shape, dtype=bool)
        harm = mean[1] - mean[0]
        square = self._squares(n, variance, group)
        if self.rest:
            others = _over(self.total, table.ndim - 2) - table
            m, mean_there, variance_there = _spread(others)
            listed = (m >= self.fewest).all(axis=0)
            harm = harm - (mean_there[1] - mean_there[0])
            square = square + divide(variance_there, m).sum(axis=0)
        return divide(harm, np.sqrt(square)), large, listed

    def _squares(self, n: FloatArray, variance: FloatArray, group: Group) -> FloatArray:
        """(*values) squared error of the slices' differences."""
        if len(group) > 1:
            floor = np.where(np.isfinite(self.floor), self.floor, 0.0)
            variance = np.maximum(variance, _over(floor, n.ndim - 1))
        return np.asarray(divide(variance, n).sum(axis=0))

    def limits(self, table: FloatArray) -> FloatArray:
        """(4, *values) each arm's largest √a·mean (control first), and each arm's users."""
        n, mean, _ = _spread(table)
        centre = np.zeros_like(mean) if self.rest else np.broadcast_to(mean.mean(axis=0), n.shape)
        turn = _over(np.array([-1.0, 1.0]), n.ndim - 1)
        mu = turn * (mean - centre)
        square = divide(table[2], n)
        # What rounding may have taken from the spread is given back: the bound must not be short.
        s2 = np.maximum(square - mean**2, 0.0) + ROUNDING * square
        peak = np.where(mu > 0, n * divide(mu**2, mu**2 + s2), 0.0)
        at = np.clip(peak, self.fewest, np.maximum(n, self.fewest))
        spread = mu * np.sqrt(at) + np.sqrt(s2 * np.maximum(n - at, 0.0))
        largest = np.sqrt(n) * (_over(self.top, n.ndim - 1) - turn * centre)
        reach = np.maximum(np.minimum(spread, largest), 0.0)
        if self.rest:
            whole = _over(self.total[0], n.ndim - 1)
            others = whole - n
            reach = np.where(others > 0, reach * whole / np.maximum(others, 1.0), np.inf)
        return np.concatenate([reach, n])

    def ceiling(self, limits: FloatArray) -> tuple[FloatArray, BoolArray]:
        """The highest z within limits, and whether both arms can be large enough."""
        floor = _over(np.where(np.isfinite(self.floor), self.floor, 0.0), limits.ndim - 1)
        # An arm without any spread anywhere has no floor, and then nothing is ruled out.
        parts = np.where(floor > 0, limits[:2] ** 2 / np.where(floor > 0, floor, 1.0), np.inf)
        return np.sqrt(parts.sum(axis=0)), (limits[2:] >= self.fewest).all(axis=0)


def _over(of_arm: FloatArray, values: int) -> FloatArray:
    """Spread (..., 2) over the values of `values` attributes."""
    return of_arm.reshape(*of_arm.shape, *(1,) * values)


def _spread(table: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(2, *values) users, mean and variance of each arm; rounding is not a variance."""
    n, total, squares = table
    mean = divide(total, n)
    around = squares - n * mean**2
    around = np.where(around > ROUNDING * squares, around, 0.0)
    return n, mean, divide(around, np.maximum(n - 1, 1.0))


@dataclass(frozen=True, slots=True, eq=False)
class SliceLineScore:
    """The published score α(ē_S/ē − 1) − (1 − α)(n/|S| − 1), and its published bound.

    A slice inside S has s of its rows, at least m; its errors sum up to at most S's sum and to
    at most s times S's largest. With both, the score is rising up to s = sum/largest and monotone
    from there, so its largest value is at m, there, or at |S|.

    Attributes:
        errors: (n,) none below 0.
        alpha: Weight of the error.
        fewest: Rows that a slice needs.
    """

    errors: FloatArray
    alpha: float
    fewest: float

    def columns(self) -> Sequence[Column]:
        """Rows, sum and largest of the errors."""
        return Column(None), Column(self.errors), Column(self.errors, largest=True)

    def judge(self, group: Group, table: FloatArray) -> tuple[FloatArray, BoolArray, BoolArray]:  # noqa: ARG002
        """The score of every slice, and which are large enough."""
        n, total = table[0, 0], table[1, 0]
        large = n >= self.fewest
        return self._score(np.maximum(n, 1.0), total), large, large

    def _score(self, n: FloatArray, total: FloatArray) -> FloatArray:
        mean = self.errors.mean() if len(self.errors) else 0.0
        share = divide(total / n, np.full(n.shape, mean))
        size = len(self.errors) / n
        return np.asarray(self.alpha * (share - 1) - (1 - self.alpha) * (size - 1))

    def limits(self, table: FloatArray) -> FloatArray:
        """(3, *values) rows, sum and largest error."""
        return table[:, 0]

    def ceiling(self, limits: FloatArray) -> tuple[FloatArray, BoolArray]:
        """The highest score within limits, and which slices can be large enough."""
        rows, total, largest = limits
        able = rows >= self.fewest
        rows = np.maximum(rows, self.fewest)
        turn = np.clip(divide(total, largest), self.fewest, rows)
        tries = [np.full(rows.shape, self.fewest), turn, rows]
        return np.max([self._score(s, np.minimum(total, s * largest)) for s in tries], axis=0), able
