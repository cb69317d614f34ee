"""Comparisons when the unit that was assigned is not the user: households, regions, shops.

Users of one cluster are alike, and got their arm together. A comparison that takes them for
independent has too small an error, the more so the larger and the more alike the clusters are.

A level is R = Σy/Σd over an arm's users, and its error comes from the clusters' totals
e = n·(ȳ − R·d̄) alone: var(R) = Σ e²/(1 − h) / (Σd)², where h is the cluster's part of Σd. That is
the correction CR2 of Bell and McCaffrey (2002), in closed form because an arm's level is its only
parameter; with equal clusters it is the sample variance of their totals. The degrees of freedom
of each arm are theirs, or fewer when a cluster's users may be alike (see `_freedom`), and
Satterthwaite's rule joins the arms. `errors="CR1"` gives what most packages call "clustered":
G/(G−1)·(N−1)/(N−2) for a factor and G − 1 degrees of freedom. It is too small with few or
unequal clusters, and is there to compare with.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from octad.stats.effects import Effect, one_effect
from octad.stats.intervals import REASONS, Interval, finish
from octad.stats.levels import NOT_FINITE, D, Levels, Y, linearise
from octad.stats.moments import Moments
from octad.stats.refusal import NotEstimable

__all__ = ["FEWEST", "FEWEST_ANYTIME", "Clustered", "compare_clusters"]

FloatArray = NDArray[np.float64]

FEWEST = 5
"""Clusters an arm needs. With four or fewer, one odd cluster decides, and t reaches 2.4 or more
standard errors on what can hardly be estimated."""

FEWEST_ANYTIME = 100
"""Clusters, both arms, before an interval for every look is given: it takes the error as known."""


@dataclass(frozen=True, slots=True)
class Clustered:
    """A comparison of arms that were assigned by cluster.

    Attributes:
        effect: The effect; its `n_control` and `n_treatment` are users.
        clusters_control, clusters_treatment: Clusters with users.
        design_effect: Variance of the absolute difference over what independent users would give;
            1 when clusters do not matter. Infinite when users would give none.
        naive_se: The error of the absolute difference that takes users for independent.
        largest: The largest part of an arm's denominator that one cluster holds.
    """

    effect: Effect
    clusters_control: int
    clusters_treatment: int
    design_effect: float
    naive_se: float
    largest: float


def compare_clusters(
    control: Moments,
    treatment: Moments,
    *,
    relative: bool = True,
    level: float = 0.95,
    planned_clusters: float | None = None,
    interval: Interval = "fieller",
    errors: Literal["CR2", "CR1"] = "CR2",
) -> Clustered:
    """Compare two arms of clusters.

    Args:
        control: Leading shape (C0,), one entry for each cluster; columns y, d.
        treatment: Leading shape (C1,).
        relative: Divide by the control's level.
        level: Coverage of the intervals.
        planned_clusters: Clusters expected at the end, both arms; tunes the anytime interval.
        interval: Fieller's, or the delta method's.
        errors: The correction for few clusters.

    Raises:
        NotEstimable: With fewer than five clusters in an arm, one cluster that is (nearly) a whole
            arm, a denominator below zero, or as `octad.stats.effects.compare`.

    >>> rng = np.random.default_rng(0)
    >>> def arm(clusters: int) -> Moments:
    ...     home = np.repeat(np.arange(clusters), 8)
    ...     y = 5 + rng.normal(size=clusters)[home] + rng.normal(size=home.size)
    ...     return Moments.from_rows(np.column_stack([y, np.ones(home.size)]), home)
    >>> found = compare_clusters(arm(30), arm(30), relative=False)
    >>> found.clusters_control, found.effect.n_control, found.design_effect > 2
    (30, 240, True)
    """
    arms = [_Arm.of(each) for each in (control, treatment)]
    variance = np.array([a.crude if errors == "CR1" else a.variance for a in arms])
    naive = float(sum(a.naive for a in arms))
    groups = sum(a.clusters for a in arms)
    users = sum(a.users for a in arms)
    if errors == "CR1":
        variance *= groups / (groups - 1) * (users - 1) / (users - 2)
        # One group of G clusters has G - 1 degrees of freedom.
        covs, grad, ns = np.diag(variance)[None, None], np.eye(2)[:, None, None], [[float(groups)]]
    else:
        covs, grad = np.zeros((2, 1, 1, 1)), np.eye(2)[:, :, None, None]
        covs[:, 0, 0, 0], ns = variance, [[a.df + 1] for a in arms]
    found = finish(
        Levels(np.array([[a.ratio] for a in arms]), grad, covs, np.array(ns, dtype=np.float64)),
        np.zeros(1, dtype=np.int8),
        relative=relative,
        level=level,
        planned_n=planned_clusters,
        interval=interval,
        reduction=np.zeros(1),
        theta=np.zeros(1),
    )
    counted = replace(
        found, n_control=np.array([arms[0].users]), n_treatment=np.array([arms[1].users])
    )
    if groups < FEWEST_ANYTIME:
        nowhere = np.full(1, np.nan)
        counted = replace(counted, anytime_low=nowhere, anytime_high=nowhere)
    name = "Ratio of sums" if any(a.varies for a in arms) else "Difference of means"
    words = f"{name}, by cluster ({arms[0].clusters} and {arms[1].clusters} clusters, {errors})"
    total = float(variance.sum())
    return Clustered(
        effect=one_effect(counted, words, interval),
        clusters_control=arms[0].clusters,
        clusters_treatment=arms[1].clusters,
        design_effect=total / naive if naive > 0 else (1.0 if total == 0 else float("inf")),
        naive_se=float(np.sqrt(naive)),
        largest=max(a.largest for a in arms),
    )


@dataclass(frozen=True, slots=True)
class _Arm:
    """One arm's level, and its error from clusters.

    Attributes:
        variance: CR2's; `crude` is without any correction, `naive` that of independent users.
        df: Degrees of freedom of `variance`.
        largest: The largest part of the denominator in one cluster.
    """

    users: float
    clusters: int
    ratio: float
    variance: float
    crude: float
    naive: float
    df: float
    largest: float
    varies: bool

    @classmethod
    def of(cls, moments: Moments) -> _Arm:
        """From moments of leading shape (C,), columns y and d."""
        parts = (moments.n, moments.mean, moments.comoment)
        if not all(np.isfinite(a).all() for a in parts):
            raise NotEstimable(REASONS[NOT_FINITE])
        kept = moments[moments.n > 0].columns((Y, D))
        clusters = len(kept.n)
        if clusters < FEWEST:
            raise NotEstimable(
                f"An arm has {clusters} cluster{'' if clusters == 1 else 's'} with users; fewer"
                f" than {FEWEST} cannot say how much clusters differ."
            )
        whole = kept.total(0)
        users = linearise(whole[None].columns((Y, D, D, D)))
        weight = kept.n * kept.mean[:, D]
        if users.reason[0]:
            raise NotEstimable(REASONS[int(users.reason[0])])
        if (weight < 0).any():
            raise NotEstimable("A cluster's denominator is below zero.")
        share = weight / weight.sum()
        if share.max() > 1 - 1e-9:
            raise NotEstimable("One cluster is a whole arm, so clusters cannot be compared.")
        ratio = float(users.ratio[0])
        away = kept.mean[:, Y] - ratio * kept.mean[:, D]
        size = np.abs(kept.mean[:, Y]) + np.abs(ratio * kept.mean[:, D])
        # What is below the last digit of the terms it is made of is rounding.
        away = np.where(np.abs(away) <= np.finfo(np.float64).eps * size, 0.0, away)
        squares = (kept.n * away / weight.sum()) ** 2
        return cls(
            users=float(whole.n),
            clusters=clusters,
            ratio=ratio,
            variance=float((squares / (1 - share)).sum()),
            crude=float(squares.sum()),
            naive=float(users.cov[0, 0, 0]),
            df=_freedom(share),
            largest=float(share.max()),
            varies=bool(kept.comoment[:, D, D].any() or (kept.mean[:, D] != 1).any()),
        )


def _freedom(share: FloatArray) -> float:
    """Degrees of freedom of an arm's variance: C − 1 with equal clusters, fewer with unequal.

    Twice the squared mean of the variance estimate over its variance, with the totals' squares
    weighed by 1/(1 − h). The totals' covariance is reckoned twice: with users independent (Bell and
    McCaffrey), and with the users of a cluster wholly alike (the other end of what Imbens and
    Kolesár 2016 estimate); the smaller answer is given.
    """
    weight = 1 / (1 - share)
    across = (weight * share**2).sum() ** 2 - (weight**2 * share**4).sum()
    apart = 1 / ((share**2).sum() + max(float(across), 0.0))
    # Wholly alike: cov = h·h'·(1(same) − h − h' + Σh²); the double sum is multiplied out.
    p, both = weight * share**2, float((share**2).sum())
    q = [float((p * share**j).sum()) for j in range(3)]
    pairs = both**2 * q[0] ** 2 + 2 * q[2] * q[0] - 4 * both * q[1] * q[0] + 2 * q[1] ** 2
    own = p * (1 - 2 * share + both)
    pairs -= float((p**2 * (both - 2 * share) ** 2).sum())
    alike = float(own.sum()) ** 2 / (float((own**2).sum()) + max(pairs, 0.0))
    return float(min(apart, alike))
