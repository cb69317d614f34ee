"""How slices are judged in a search, and the most that anything within a slice can reach.

`HarmScore` asks where a launch hurts; `SliceLineScore` is the published score for errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from octad.stats.lattice_grid import Column, Group
from octad.stats.levels import ROUNDING, divide

__all__ = ["HarmScore", "SliceLineScore"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer[Any]]
BoolArray = NDArray[np.bool_]

FLOOR = 0.25
"""Share of the quietest single value's variance below which no slice's variance is trusted."""


@dataclass(frozen=True, slots=True, eq=False)
class HarmScore:
    r"""One-sided z of harm, and the most that any slice within a slice can reach.

    A slice's z is D/√(v₁/n₁ + v₀/n₀), D the difference of the arms' means of the outcome (turned
    so that large is bad), v the arms' own variances, but no less than a floor f: a quarter of the
    smallest variance that a single attribute value has in that arm. A variance that is smaller
    still, in a slice picked from thousands, is luck; and without a floor no bound exists, since
    some hundred users within a slice may all have the same outcome. (Single values themselves
    need no floor.) Against the rest, D is less the rest's D, and the rest's variances are added;
    it equals Σ± N/(N − n)·(mean − M) over arms, with N users and mean M of everyone in the arm.

    *Bound.* Let A be a slice inside P, with a ≥ m of the n users that P has in one arm. Count the
    arm's outcomes h from some centre; μ is P's mean, s² its mean squared deviation from it, H the
    arm's largest value. The mean of any a of n values is at most μ + s√((n − a)/a) (Mallows and
    Richter 1969; it is Cauchy–Schwarz between h − μ and 1_A − a/n), and at most H. So √a·mean(A)
    is at most μ√a + s√(n − a) and at most H√a. The first is concave in a with its peak at
    a* = nμ²/(μ² + s²) for μ > 0, and falls for μ ≤ 0; taken at a* (or 0) clipped to [m, n] it
    holds for every a that is allowed. The second is at most H√n. Let G be the smaller of the two,
    or 0 if negative. With the positive parts x₁ and x₀ of the arms' shares in D, and
    Cauchy–Schwarz once more, D ≤ x₁ + x₀ ≤ √(a₁x₁²/f₁ + a₀x₀²/f₀)·√(f₁/a₁ + f₀/a₀), hence
    z ≤ √(G₁²/f₁ + G₀²/f₀). Any centre will do that is the same in both arms: the one halfway
    between P's means is. Against the rest the centres are the arms' own M, and each G grows by
    N/(N − n), which no slice inside exceeds.

    The bound is honest, and cannot be sharp everywhere: of a metric that most users move, almost
    any slice of a thousand users could hide a z above 3, and size alone prunes. Where few users do
    anything (a crash, a refund) it rules out many: half of all triples, with a million users and
    two events in ten thousand.

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
        sums = [np.bincount(arm, w, 2) for w in (np.ones(len(h)), h, h * h)]
        total = np.asarray(sums, dtype=np.float64)
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
        large = np.asarray((n >= self.fewest).all(axis=0))
        if len(group) == 1:
            for a in (0, 1):
                seen = variance[a][large & (variance[a] > 0)]
                self.floor[a] = min(self.floor[a], FLOOR * seen.min(initial=np.inf))
        listed = np.ones_like(large)
        harm, terms = mean[1] - mean[0], np.abs(mean).sum(axis=0)
        square = self._squares(n, variance, group)
        if self.rest:
            others = _over(self.total, table.ndim - 2) - table
            m, mean_there, variance_there = _spread(others)
            listed = np.asarray((m >= self.fewest).all(axis=0))
            harm = harm - (mean_there[1] - mean_there[0])
            terms = terms + np.abs(mean_there).sum(axis=0)
            square = square + divide(variance_there, m).sum(axis=0)
        harm = np.where(np.abs(harm) > ROUNDING * terms, harm, 0.0)
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
        able = np.asarray((limits[2:] >= self.fewest).all(axis=0))
        return np.sqrt(parts.sum(axis=0)), able


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
