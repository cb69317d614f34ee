"""How much of what users do has not been seen yet, and how much of it the team has walked."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from octad.stats.refusal import NotEstimable

__all__ = ["Richness", "Walked", "chao1", "sample_coverage", "walked_share"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Richness:
    """How many kinds there are at least (Chao 1984).

    Attributes:
        observed: Kinds seen.
        estimate: Lower bound of all kinds, those not seen included.
        se: Its standard error; 0 when nothing was seen just once.
        low, high: Log-normal interval (Chao 1987); never below `observed`.
    """

    observed: int
    estimate: float
    se: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Walked:
    """How much of what users do the team has done itself.

    ``share + only_users + never_seen`` is 1.

    Attributes:
        share: Share of what users do that the team has walked.
        only_users: Share that was seen in the sample and that the team never did.
        never_seen: Share that belongs to journeys nobody in the sample took (Chao & Jost 2012);
            whether the team walked those cannot be known.
        low, high: Interval of `share`, clustered by user; None when `users` was not given.
        not_walked: Indexes of what users did and the team never, most done first.
    """

    share: float
    only_users: float
    never_seen: float
    low: float | None
    high: float | None
    not_walked: tuple[int, ...]


def sample_coverage(n: float, once: float, twice: float, size: float | None = None) -> float:
    """Share of all that happens that belongs to kinds already seen (Chao & Jost 2012).

    ``C = 1 − (f₁/n)·(n−1)f₁/((n−1)f₁ + 2f₂)``, carried on beyond n by
    ``1 − (f₁/n)·A^(m−n+1)`` with A the second factor.

    Args:
        n: Observations.
        once: Kinds seen once (f₁).
        twice: Kinds seen twice (f₂).
        size: Expected coverage of a sample of this size instead, at least n.

    Raises:
        NotEstimable: Without observations, when all of them were seen once only (nothing is
            known of the rest), or counts that cannot be.

    >>> round(sample_coverage(168, 12, 4), 4)
    0.9289
    """
    if not all(math.isfinite(x) and x >= 0 for x in (n, once, twice)) or once + 2 * twice > n:
        raise NotEstimable("kinds seen once and twice must fit in the observations")
    if n < 1:
        raise NotEstimable("nothing has been observed yet")
    if once >= n:
        raise NotEstimable("everything was seen just once, so what is unseen cannot be judged")
    if once == 0:
        return 1.0
    if twice > 0:
        keep = (n - 1) * once / ((n - 1) * once + 2 * twice)
    else:  # Chao & Jost (2012), with f₂ = 0 takes the bias-corrected f̂₀.
        keep = (n - 1) * (once - 1) / ((n - 1) * (once - 1) + 2)
    more = 0.0 if size is None else size - n
    if more < 0:
        raise NotEstimable("coverage is carried forward, not back: take a size of at least n")
    return float(1 - once / n * keep ** (more + 1))


def chao1(observed: int, n: float, once: float, twice: float) -> Richness:
    """Lower bound of the number of kinds, with an interval (Chao 1984, 1987; iNEXT's form).

    Args:
        observed: Kinds seen.
        n: Observations.
        once: Kinds seen once.
        twice: Kinds seen twice.

    Raises:
        NotEstimable: Without observations.

    >>> round(chao1(26, 168, 12, 4).estimate, 3)
    43.893
    """
    if n < 1 or observed < 1:
        raise NotEstimable("nothing has been observed yet")
    if min(once, twice) < 0 or once + twice > observed or once + 2 * twice > n:
        raise NotEstimable("kinds seen once and twice must fit in those observed")
    a = (n - 1) / n
    if twice > 0:
        unseen = a * once**2 / (2 * twice)
        r = once / twice
        variance = twice * (a * r**2 / 2 + a**2 * r**3 + a**2 * r**4 / 4)
    else:
        unseen = a * once * (once - 1) / 2
        estimate = observed + unseen
        variance = (
            a * once * (once - 1) / 2
            + a**2 * once * (2 * once - 1) ** 2 / 4
            - a**2 * once**4 / (4 * estimate)
        )
    se = math.sqrt(max(0.0, variance))
    if unseen <= 0 or se <= 0:
        return Richness(observed, float(observed), 0.0, float(observed), float(observed))
    spread = math.exp(float(special.ndtri(0.975)) * math.sqrt(math.log1p((se / unseen) ** 2)))
    return Richness(
        observed, observed + unseen, se, observed + unseen / spread, observed + unseen * spread
    )


def walked_share(
    times: ArrayLike,
    walked: ArrayLike,
    *,
    once: float,
    twice: float,
    users: ArrayLike | None = None,
    level: float = 0.95,
) -> Walked:
    """Share of what users do that the team has done too: ``Σ p̂ⱼ·1{walked j}``.

    The plain share of observations is unbiased for a list of walked journeys that was not chosen
    from the sample. The remainder is split by the estimated unseen mass, ``1 − C``; scaling the
    walked share by C as well would count the unseen twice.

    Args:
        times: (P,) how often users took each journey (usage-weighted), or how many users took it
            (user-weighted).
        walked: (P,) whether the team took it at all.
        once: Journeys seen once in the whole sample.
        twice: Journeys seen twice.
        users: (U, P) times by user, for an interval clustered by user (ratio of sums).
        level: Coverage of the interval.

    Raises:
        NotEstimable: When nothing was taken, or all journeys were taken once.
    """
    t = np.asarray(times, dtype=np.float64)
    w = np.asarray(walked, dtype=bool)
    if t.shape != w.shape or t.ndim != 1 or not np.isfinite(t).all() or (t < 0).any():
        raise NotEstimable("each journey needs a count and whether the team walked it")
    total = float(t.sum())
    if total <= 0:
        raise NotEstimable("no journey was taken yet")
    share = float(t[w].sum()) / total
    unseen = min(1 - sample_coverage(total, min(once, total), twice), 1 - share)
    low = high = None
    if users is not None:
        by_user = np.asarray(users, dtype=np.float64)
        if by_user.ndim != 2 or by_user.shape[1] != len(t) or len(by_user) < 2:
            raise NotEstimable("an interval needs the journeys of at least two users")
        each, hit = by_user.sum(axis=1), by_user[:, w].sum(axis=1)
        ratio = hit.sum() / each.sum()
        away = (hit - ratio * each) / each.mean()
        half = float(special.ndtri((1 + level) / 2) * away.std(ddof=1) / math.sqrt(len(each)))
        low, high = max(0.0, share - half), min(1.0, share + half)
    order = np.argsort(-t, kind="stable")
    missing = tuple(int(j) for j in order if not w[j] and t[j] > 0)
    return Walked(share, 1 - share - unseen, unseen, low, high, missing)
