"""Errors of anything that is reckoned from sums, out of the sums by bucket alone.

Users fall into buckets by a hash, so buckets are small random groups of users, and the same users
lie in the same bucket whatever is summed. Leaving out one bucket of one arm at a time gives the
error of any smooth statistic, and the covariance of several (Efron & Stein 1981): effects on
several metrics, on all days at once, on early behaviour and what is foretold of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from octad.stats.effects import compare_many
from octad.stats.moments import Moments
from octad.stats.refusal import NotEstimable

__all__ = ["Jackknifed", "Together", "effects_together", "jackknife_arms", "relative_lift"]

FloatArray = NDArray[np.float64]
Statistic = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True, slots=True, eq=False)
class Jackknifed:
    """A statistic of several arms, with the covariance of its components.

    Attributes:
        value: (m,) on all users.
        covariance: (m, m).
        df: (m,) degrees of freedom of each component's variance (Satterthwaite), at least 1.
        buckets: The fewest buckets that hold anybody in an arm.
    """

    value: FloatArray
    covariance: FloatArray
    df: FloatArray
    buckets: int

    @property
    def se(self) -> FloatArray:
        """(m,) standard errors."""
        return np.sqrt(np.maximum(np.diag(self.covariance), 0.0))

    def reach(self, level: float, component: int = 0) -> float:
        """Student's t at the component's degrees of freedom, two-sided."""
        return float(special.stdtrit(self.df[component], 0.5 + level / 2))


@dataclass(frozen=True, slots=True, eq=False)
class Together:
    """Effects on several metrics of the same users.

    Attributes:
        value: (m,) effects, as `octad.stats.effects.compare` gives them; `se` (m,) their errors.
        covariance: (m, m); its diagonal is `se` squared, its correlations come of the buckets.
        correlation: (m, m) of the errors.
    """

    value: FloatArray
    se: FloatArray
    covariance: FloatArray
    correlation: FloatArray


def jackknife_arms(sums: ArrayLike, statistic: Statistic) -> Jackknifed:
    """Value and covariance of a statistic, leaving out one bucket of one arm at a time.

    Args:
        sums: (A, B, K) sums by arm and bucket, the number of users first: a bucket without users
            is no bucket.
        statistic: From totals (..., A, K) to values (..., m). It must be smooth in the totals.

    Raises:
        NotEstimable: When an arm has fewer than two buckets, or a value is not finite.
    """
    s = np.asarray(sums, dtype=np.float64)
    total = s.sum(axis=1)
    value = np.atleast_1d(statistic(total))
    m = len(value)
    covariance, lost, fewest = np.zeros((m, m)), np.zeros(m), s.shape[1]
    for arm in range(len(s)):
        held = s[arm][s[arm, :, 0] > 0]
        if len(held) < 2:
            raise NotEstimable("an arm's users lie in fewer than two buckets")
        without = np.repeat(total[None], len(held), axis=0)
        without[:, arm] -= held
        each = np.asarray(statistic(without), dtype=np.float64).reshape(len(held), m)
        if not np.isfinite(each).all():
            raise NotEstimable("without one bucket of users there is nothing to divide by")
        away = each - each.mean(axis=0)
        part = (len(held) - 1) / len(held) * (away.T @ away)
        covariance += part
        lost += np.diag(part) ** 2 / (len(held) - 1)
        fewest = min(fewest, len(held))
    if not (np.isfinite(value).all() and np.isfinite(covariance).all()):
        raise NotEstimable("the sums do not let this be reckoned")
    variance = np.diag(covariance)
    df = np.where(lost > 0, variance**2 / np.where(lost > 0, lost, 1.0), fewest - 1.0)
    return Jackknifed(value, covariance, np.maximum(df, 1.0), fewest)


def relative_lift(top: FloatArray, bottom: FloatArray) -> FloatArray:
    """Second arm's ratio over the first's, less one; the arms lie on axis 0 of both.

    >>> relative_lift(np.array([[2.0], [3.0]]), np.array([[1.0], [1.0]])).tolist()
    [0.5]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        level = top / bottom
        return np.asarray((level[1] - level[0]) / np.abs(level[0]))


def effects_together(
    arms: Sequence[tuple[Moments, Moments]], *, relative: bool = True, adjust: bool = True
) -> Together:
    """Effects on several metrics, and how their errors go together.

    The errors themselves are those of `octad.stats.effects.compare`, from every user; only the
    correlations are taken from the buckets (a correlation r is known to ``(1 − r²)/√(2B)`` from B
    buckets in each of two arms). CUPED's coefficient is held fixed, as its own error is of a
    smaller order.

    Args:
        arms: For each metric, control and treatment: leading shape (B,), columns y, d, x, w, the
            same users in the same buckets. Metrics may count different users of them.
        relative: Divide by the control's level.
        adjust: Use the pre-period (CUPED) where it varies.

    Raises:
        NotEstimable: When an effect cannot be estimated, or no bucket tells anything.
    """
    first = _stacked([pair[0].total(0) for pair in arms])
    second = _stacked([pair[1].total(0) for pair in arms])
    found = compare_many(first, second, relative=relative, adjust=adjust)
    if not found.ok.all():
        raise NotEstimable("one of the effects cannot be estimated, so neither can they jointly")
    theta = np.asarray(found.theta, dtype=np.float64)
    m = len(arms)
    sums = np.zeros((2, len(arms[0][0].n), 1 + 5 * m))
    for j, pair in enumerate(arms):
        for a, moments in enumerate(pair):
            sums[a, :, 1 + 5 * j] = moments.n
            sums[a, :, 2 + 5 * j : 6 + 5 * j] = moments.n[:, None] * moments.mean
    sums[:, :, 0] = sums[:, :, 1::5].max(axis=2)

    def effect(totals: FloatArray) -> FloatArray:
        t = np.moveaxis(totals[..., 1:].reshape(*totals.shape[:-1], m, 5), -3, 0)
        n, y, d, x, w = (t[..., i] for i in range(5))
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio, pre = y / d, np.where(w != 0, x / np.where(w != 0, w, 1.0), 0.0)
            common = (n * pre).sum(axis=0) / n.sum(axis=0)
        level = ratio - theta * (pre - common)
        return relative_lift(level, np.ones_like(level)) if relative else level[1] - level[0]

    joint = jackknife_arms(sums, effect)
    spread = joint.se
    if (spread <= 0).any():
        raise NotEstimable("no bucket differs from another, so errors cannot be set together")
    correlation = np.clip(joint.covariance / np.outer(spread, spread), -1.0, 1.0)
    se = np.asarray(found.se, dtype=np.float64)
    return Together(
        np.asarray(found.value, dtype=np.float64), se, correlation * np.outer(se, se), correlation
    )


def _stacked(parts: Sequence[Moments]) -> Moments:
    return Moments(
        np.stack([p.n for p in parts]),
        np.stack([p.mean for p in parts]),
        np.stack([p.comoment for p in parts]),
    )
