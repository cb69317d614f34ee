"""Sharper and fairer comparisons: several covariates, from moments alone.

CUPED with several covariates (Deng, Xu, Kohavi, Walker 2013): one slope vector for both arms, or
one an arm (Lin 2013). The computation is made for strata at once, a sample being one stratum, and
serves `octad.stats.poststratification` too. (For units of assignment that are not users, see
`octad.stats.clusters`.)

A metric is a ratio of sums; a
user's share in it is u = (y − R·d)/d̄ (see `octad.stats.levels`). Within each stratum u is moved
to the covariates' mean over *both* arms; the strata are then weighed by their pooled sizes.

The slope gives each arm's covariance the weight of its error, which makes the difference's
variance smallest, whatever the split. Ordinary least squares weighs arms by their users instead;
the two are one when the arms are equally large, and there the value, the error and, but for
Welch's degrees of freedom, the interval are those of least squares.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from octad.stats.effects import Effect, compare, one_effect
from octad.stats.intervals import REASONS, Interval, finish
from octad.stats.levels import NOT_FINITE, ROUNDING, TOO_FEW, D, Levels, Y, linearise, spread
from octad.stats.moments import Moments
from octad.stats.refusal import NotEstimable

__all__ = [
    "APART",
    "UNEARNED",
    "Adjusted",
    "Arms",
    "adjusted_levels",
    "best_slopes",
    "compare_adjusted",
    "count",
    "finished",
    "kind",
]

FloatArray = NDArray[np.float64]

_RANK = 1e-10
"""Share of its own variance that a covariate must keep beside the others, as in `regression`."""

UNEARNED = "together they do not earn what their slopes cost"

APART = np.array([[-1.0], [1.0]])


@dataclass(frozen=True, slots=True, eq=False)
class Adjusted:
    """A comparison moved to equal covariates.

    Attributes:
        effect: The effect; its `reduction` is the share of variance that was removed.
        slopes: (2, k) of control and treatment, metric's unit per covariate's unit; both rows are
            one unless `interacted`; 0 for what was left out.
        used: Covariates used, by their place from 0.
        dropped: Covariates left out, each with why.
        factor: (2,) what estimating the slopes costs, a factor on each arm's variance: 1 in large
            arms (see `octad.stats.levels.price_of_theta`).
    """

    effect: Effect
    slopes: FloatArray
    used: tuple[int, ...]
    dropped: tuple[tuple[int, str], ...]
    factor: FloatArray


def compare_adjusted(
    control: Moments,
    treatment: Moments,
    *,
    relative: bool = True,
    interacted: bool = False,
    level: float = 0.95,
    planned_n: float | None = None,
    interval: Interval = "fieller",
) -> Adjusted:
    """Compare two arms at equal covariates (CUPED with several).

    With one covariate it is `compare`. A covariate that does not vary, or follows from those
    before it, is left out and named; so are the last ones when users are too few, and all of them
    when together they do not earn what their slopes cost. The pre-period of a ratio is two
    covariates, its numerator and its denominator.

    Args:
        control: Leading shape (), columns y, d, then covariates known before exposure.
        treatment: The same.
        relative: Divide by the control's level.
        interacted: One slope vector for each arm (Lin 2013). The error then holds what least
            squares leaves out: the covariates' common mean is itself a sample's.
        level: Coverage of the intervals.
        planned_n: Users expected at the end, both arms; tunes the anytime interval.
        interval: Fieller's, or the delta method's.

    Raises:
        NotEstimable: As `octad.stats.effects.compare`.

    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(400, 2))
    >>> y = 5 + x @ [1.0, 2.0] + rng.normal(size=400)
    >>> rows = np.column_stack([y, np.ones(400), x, x.sum(axis=1)])
    >>> found = compare_adjusted(Moments.from_rows(rows[:200]), Moments.from_rows(rows[200:]))
    >>> found.used, found.dropped
    ((0, 1), ((2, 'it follows from the covariates before it'),))
    """
    arms = Arms.of(control[None], treatment[None])
    slopes, used, dropped = best_slopes(arms, interacted=interacted)
    levels, factor = adjusted_levels(arms, slopes, len(used), interacted=interacted)
    still = np.zeros_like(slopes)
    plain, one = adjusted_levels(arms, still, 0)
    options = {"relative": relative, "level": level, "planned_n": planned_n, "interval": interval}
    before, after = (float(spread(each, APART)[0][0]) for each in (plain, levels))
    if not used or after >= before:
        dropped += tuple((j, UNEARNED) for j in used)
        pair = (_without(m) for m in (control, treatment))
        effect = compare(*pair, adjust=False, **options)  # type: ignore[arg-type]
        return Adjusted(effect, still, (), dropped, one)
    reduction = 1 - after / before
    words = f"{kind(control, treatment)}, adjusted by {count(len(used), 'covariate')}"
    words += " with slopes by arm" if interacted else ""
    words += f" ({reduction:.0%} less variance)"
    effect = finished(levels, arms, words, reduction, relative, level, planned_n, interval)
    return Adjusted(effect, slopes, used, dropped, factor)


@dataclass(frozen=True, slots=True, eq=False)
class Arms:
    """Both arms by stratum, linearised; the arm is the second axis.

    Attributes:
        n: (S, 2) users.
        weight: (S,) the strata's pooled shares.
        ratio: (2,) the metric, weighed by stratum.
        mean: (S, 2) of u, whose weighed mean in each arm is 0.
        gap: (S, 2, k) covariates' distance from the stratum's mean over both arms.
        cov: (S, 2, 1+k, 1+k) of the rows (u, covariates) within stratum and arm.
        reason: Code of a refusal, 0 for none.
    """

    n: FloatArray
    weight: FloatArray
    ratio: FloatArray
    mean: FloatArray
    gap: FloatArray
    cov: FloatArray
    reason: int

    @classmethod
    def of(cls, control: Moments, treatment: Moments) -> Arms:
        """From moments of leading shape (S,), columns y, d and covariates."""
        both = (control, treatment)
        finite = all(np.isfinite(a).all() for m in both for a in (m.n, m.mean, m.comoment))
        if not finite:
            raise NotEstimable(REASONS[NOT_FINITE])
        n = np.stack([control.n, treatment.n], axis=1).astype(np.float64)
        if n.size == 0 or n.sum(axis=0).min() < 2:
            raise NotEstimable(REASONS[TOO_FEW])
        weight = n.sum(axis=1) / n.sum()
        reason = max(int(linearise(m.total(0)[None].columns((Y, D, D, D))).reason[0]) for m in both)
        if reason:
            raise NotEstimable(REASONS[reason])
        ratio, mean, cov = zip(*(_linear(m, weight) for m in both), strict=True)
        distance = (treatment.mean - control.mean)[:, 2:]
        share = n / n.sum(axis=1, keepdims=True)
        gap = np.stack([-share[:, 1:] * distance, share[:, :1] * distance], axis=1)
        stacked = np.stack(mean, axis=1), gap, np.stack(cov, axis=1)
        return cls(n, weight, np.array(ratio), *stacked, reason)

    def sampling(self) -> FloatArray:
        """(2, 1+k, 1+k) covariance of each arm's weighed means, given the strata's sizes."""
        return np.asarray(np.einsum("s,saij->aij", self.weight**2, self.cov / _wide(self.n)))

    def residual(self, slopes: FloatArray) -> FloatArray:
        """(S, 2) variance of the rows beside the covariates (slopes (2, k))."""
        along = np.concatenate([np.ones((2, 1)), -slopes], axis=1)
        left = np.einsum("ai,saij,aj->sa", along, self.cov, along)
        size = np.einsum("ai,saij,aj->sa", *map(np.abs, (along, self.cov, along)))
        return np.where(left <= ROUNDING * size, 0.0, left)

    def between(self, slopes: FloatArray) -> FloatArray:
        """(2, 2) what the weights' error does to the two levels: strata differ.

        The strata's own noise is taken out, and what is then below zero is zero.
        """
        adjusted = self.mean - np.einsum("sak,ak->sa", self.gap, slopes)
        adjusted = adjusted - self.weight @ adjusted
        away = np.einsum("s,sa,sb->ab", self.weight, adjusted, adjusted)
        noise = (self.weight * (1 - self.weight)) @ (self.residual(slopes) / self.n)
        values, vectors = np.linalg.eigh(away - np.diag(noise))
        clipped = np.where(values > ROUNDING * np.abs(away).max(initial=0.0), values, 0.0)
        return np.asarray((vectors * clipped) @ vectors.T / self.n.sum())


def _wide(n: FloatArray) -> FloatArray:
    return n[..., None, None]


def _linear(moments: Moments, weight: FloatArray) -> tuple[float, FloatArray, FloatArray]:
    """An arm's ratio, and by stratum the mean of u and the covariance of (u, covariates)."""
    mean = moments.mean[:, :2]
    middle = weight @ mean
    middle = middle + weight @ (mean - middle)  # refined: strata of one value leave that value
    ratio = middle[Y] / middle[D]
    rows = np.eye(moments.k)[1:]
    rows[0, :2] = 1 / middle[D], -ratio / middle[D]
    u = (mean[:, Y] - ratio * mean[:, D]) / middle[D]
    size = (np.abs(mean[:, Y]) + np.abs(ratio * mean[:, D])) / abs(middle[D])
    u = np.where(np.abs(u) <= np.finfo(np.float64).eps * size, 0.0, u)
    comoment = moments.linear(rows).comoment
    terms = np.einsum("k,skl,l->s", *map(np.abs, (rows[0], moments.comoment, rows[0])))
    dead = comoment[:, 0, 0] <= ROUNDING * terms
    comoment[dead, 0, :] = comoment[dead, :, 0] = 0.0
    return float(ratio), u, comoment / _wide(np.maximum(moments.n - 1, 1.0))


def best_slopes(
    arms: Arms, *, interacted: bool
) -> tuple[FloatArray, tuple[int, ...], tuple[tuple[int, str], ...]]:
    """(2, k) slopes, the covariates used, and those left out with why."""
    by_arm = arms.sampling()
    tables = by_arm if interacted else by_arm.sum(axis=0, keepdims=True)
    room = int(arms.n.min() - 2 if interacted else arms.n.sum() - 2 * len(arms.n) - 1)
    used: list[int] = []
    dropped: list[tuple[int, str]] = []
    for j in range(by_arm.shape[-1] - 1):
        if len(used) >= room:
            dropped.append((j, "there are too few users for one more"))
        elif any(table[j + 1, j + 1] <= 0 for table in tables):
            dropped.append((j, "it does not vary within an arm"))
        elif any(_left(table[1:, 1:], used, j) <= _RANK for table in tables):
            dropped.append((j, "it follows from the covariates before it"))
        else:
            used.append(j)
    slopes = np.zeros((2, by_arm.shape[-1] - 1))
    for a, table in enumerate(np.broadcast_to(tables, by_arm.shape)):
        slopes[a, used] = _solve(table[1:, 1:][np.ix_(used, used)], table[1:, 0][used])
    return slopes, tuple(used), tuple(dropped)


def _solve(matrix: FloatArray, right: FloatArray) -> FloatArray:
    """Solve for positive variances, in units of their own."""
    if len(matrix) == 1:
        return np.asarray(right / matrix[0, 0])
    unit = np.sqrt(np.diag(matrix))
    return np.asarray(np.linalg.solve(matrix / np.outer(unit, unit), right / unit) / unit)


def _left(matrix: FloatArray, used: Sequence[int], j: int) -> float:
    """Share of variance that covariate j keeps beside those used."""
    if not used:
        return 1.0
    across = matrix[used, j]
    inside = float(across @ _solve(matrix[np.ix_(used, used)], across))
    return 1 - inside / float(matrix[j, j])


def adjusted_levels(
    arms: Arms, slopes: FloatArray, k: int, *, interacted: bool = False
) -> tuple[Levels, FloatArray]:
    """The adjusted levels, and the (2,) factor that estimating the slopes cost.

    Groups are arm by stratum, the control's first. The weights' error belongs to all users; each
    group carries its part of it by its size, so that users add up.
    """
    strata, width = len(arms.n), slopes.shape[1]
    share = arms.n / arms.n.sum(axis=1, keepdims=True)
    factor = _factor(arms, slopes, k, interacted=interacted)
    grad = np.zeros((2, 2, strata, 3 + width))
    covs = np.zeros((2, strata, 3 + width, 3 + width))
    between = arms.between(slopes)
    for g in range(2):
        for a in range(2):
            mine = float(a == g)
            grad[a, g, :, 0] = mine * arms.weight
            grad[a, g, :, 1:-2] = -np.outer(arms.weight * (mine - share[:, g]), slopes[a])
            grad[a, g, :, 1 + width + a] = 1.0
        rows = arms.cov[:, g] / _wide(arms.n[:, g])
        if interacted:
            # The price is that of the residual alone: the common mean needs no slope.
            rows[:, 0, 0] += (factor[g] - 1) * arms.residual(slopes)[:, g] / arms.n[:, g]
        covs[g, :, :-2, :-2] = rows if interacted else rows * factor[g]
        covs[g, :, -2:, -2:] = _wide(arms.n[:, g] / arms.n.sum()) * between
    moved = np.einsum("s,sak,ak->a", arms.weight, arms.gap, slopes)
    # One slope costs no degree of freedom beside its factor, as in `compare`; more do.
    lost = k * np.ones(2) if interacted else max(k - 1, 0) * arms.n.sum(axis=0) / arms.n.sum()
    ns = arms.n - lost * arms.n / arms.n.sum(axis=0)
    groups = (2 * strata, 1)
    return Levels(
        (arms.ratio - moved)[:, None],
        grad.reshape(2, *groups, 3 + width),
        covs.reshape(*groups, 3 + width, 3 + width),
        ns.T.reshape(groups),
    ), factor


def _factor(arms: Arms, slopes: FloatArray, k: int, *, interacted: bool) -> FloatArray:
    """As `price_of_theta`: degrees of freedom lost, and the distance that slopes multiply."""
    if k == 0:
        return np.ones(2)
    by_arm, used = arms.sampling()[:, 1:, 1:], np.flatnonzero(slopes.any(axis=0))
    gap = np.einsum("s,sak->ak", arms.weight, arms.gap)[:, used]
    if interacted:
        freedom, tables, apart = arms.n.sum(axis=0) - 1, by_arm, gap
    else:
        freedom = np.full(2, max(arms.n.sum() - 2 * len(arms.n), k + 1.0))
        tables = np.broadcast_to(by_arm.sum(axis=0), by_arm.shape)
        apart = np.broadcast_to(gap[1] - gap[0], gap.shape)
    distance = [
        float(gap_ @ _solve(table[np.ix_(used, used)], gap_)) if len(used) else 0.0
        for gap_, table in zip(apart, tables, strict=True)
    ]
    return np.asarray(freedom / (freedom - k) * (1 + np.array(distance) / freedom))


def finished(
    levels: Levels,
    arms: Arms,
    words: str,
    reduction: float,
    relative: bool,
    level: float,
    planned_n: float | None,
    interval: Interval,
) -> Effect:
    """The effect of adjusted levels, said in words."""
    found = finish(
        levels,
        np.zeros(1, dtype=np.int8),
        relative=relative,
        level=level,
        planned_n=planned_n,
        interval=interval,
        reduction=np.array([reduction]),
        theta=np.zeros(1),
    )
    n = arms.n.sum(axis=0)
    return one_effect(replace(found, n_control=n[:1], n_treatment=n[1:]), words, interval)


def kind(control: Moments, treatment: Moments) -> str:
    """The comparison's name, for the reader."""
    varies = any(
        m.comoment[..., D, D].any() or (m.mean[..., D] != 1).any() for m in (control, treatment)
    )
    return "Ratio of sums" if varies else "Difference of means"


def count(n: int, one: str, many: str = "") -> str:
    """A number of things: 1 stratum, 3 strata."""
    return f"{n} {one if n == 1 else many or one + 's'}"


def _without(moments: Moments) -> Moments:
    """The metric alone, in the four columns of `compare`."""
    mean, comoment = np.zeros(4), np.zeros((4, 4))
    mean[:2], mean[3] = moments.mean[:2], 1.0
    comoment[:2, :2] = moments.comoment[:2, :2]
    return Moments(moments.n, mean, comoment)
