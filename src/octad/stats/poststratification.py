"""Post-stratification: compare within strata known before exposure, then weigh by pooled sizes.

Miratrix, Sekhon and Yu (2013). A stratum that fell unevenly into the arms no longer passes for an
effect, and what strata explain no longer counts as error. With covariates, one slope vector
serves all strata and arms (see `octad.stats.adjustment`, which holds the computation).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from octad.stats.adjustment import (
    APART,
    UNEARNED,
    Arms,
    adjusted_levels,
    best_slopes,
    count,
    finished,
    kind,
)
from octad.stats.effects import Effect
from octad.stats.intervals import REASONS, Interval
from octad.stats.levels import NOT_FINITE, TOO_FEW, spread
from octad.stats.moments import Moments
from octad.stats.refusal import NotEstimable

__all__ = ["SMALLEST", "PostStratified", "compare_strata"]

FloatArray = NDArray[np.float64]

SMALLEST = 2
"""Users that each arm needs in each stratum: with one, the spread there cannot be known."""

USUAL = 5
"""Users asked for by default. With 24 users an arm in six strata of unequal spread, no effect is
called one 7.7% of the time when two are enough and 6.5% with five (`make calibrate`, 5% promised);
with some ten an arm in each stratum it is as promised."""


_MANY = 2000


@dataclass(frozen=True, slots=True, eq=False)
class PostStratified:
    """A comparison within strata, summed by their pooled sizes.

    The three variances are of the absolute difference, with the covariates' slopes as given.

    Attributes:
        effect: The effect; its error has the conditional variance and that of the weights; its
            `reduction` is against the plain comparison, and may be below 0.
        conditional: Given how many of each stratum fell into each arm: Σ W²(s₀²/n₀ + s₁²/n₁).
        unconditional: The same with 1/n expected over random splits with these totals, every
            stratum keeping two users an arm (Miratrix, Sekhon, Yu 2013: estimate by the former).
        weights_variance: What the strata's shares of the population add, known only from this
            sample: the variance of the strata's effects (less its own noise) over all users.
        weights: (s,) pooled share of each stratum after merging.
        strata: Which of the strata given make up each.
        left_out: Strata without any users.
        slopes: (k,) of the covariates, the same in every stratum and arm; 0 for what was left out.
        used: Covariates used, by their place from 0.
        dropped: Covariates left out, each with why.
    """

    effect: Effect
    conditional: float
    unconditional: float
    weights_variance: float
    weights: FloatArray
    strata: tuple[tuple[int, ...], ...]
    left_out: tuple[int, ...]
    slopes: FloatArray
    used: tuple[int, ...]
    dropped: tuple[tuple[int, str], ...]


def compare_strata(
    control: Moments,
    treatment: Moments,
    *,
    relative: bool = True,
    merge: bool = True,
    fewest: int = USUAL,
    level: float = 0.95,
    planned_n: float | None = None,
    interval: Interval = "fieller",
) -> PostStratified:
    """Compare two arms stratum by stratum.

    Strata must be known before exposure. One with fewer than `fewest` users in an arm is merged
    with the others like it, and then with the smallest that is left, until all have enough or one
    is left; that depends on the split alone, never on the metric.

    Args:
        control: Leading shape (S,), columns y, d, then covariates (one slope for all strata).
        treatment: The same.
        relative: Divide by the control's level.
        merge: Merge small strata; otherwise they are refused.
        fewest: Users that each arm needs in each stratum, two or more.
        level: Coverage of the intervals.
        planned_n: Users expected at the end, both arms; tunes the anytime interval.
        interval: Fieller's, or the delta method's.

    Raises:
        NotEstimable: As `compare`, or when a stratum is too small and `merge` is off.
    """
    groups, left_out = _merged(control.n, treatment.n, merge=merge, fewest=max(fewest, SMALLEST))
    first, second = (
        Moments(*map(np.stack, zip(*((t.n, t.mean, t.comoment) for t in parts), strict=True)))
        for parts in ([m[list(g)].total(0) for g in groups] for m in (control, treatment))
    )
    arms = Arms.of(first, second)
    slopes, used, dropped = best_slopes(arms, interacted=False)
    still = np.zeros_like(slopes)
    levels, bare = adjusted_levels(arms, slopes, len(used))[0], adjusted_levels(arms, still, 0)[0]
    if used and spread(levels, APART)[0][0] >= spread(bare, APART)[0][0]:
        dropped += tuple((j, UNEARNED) for j in used)
        levels, slopes, used = bare, still, ()
    variance = float(spread(levels, APART)[0][0])
    plain, _ = adjusted_levels(Arms.of(first.total(0)[None], second.total(0)[None]), still, 0)
    whole = float(spread(plain, APART)[0][0])
    reduction = 1 - variance / whole if whole > 0 else 0.0
    words = f"{kind(first, second)}, within {count(len(groups), 'stratum', 'strata')}"
    words += f" and adjusted by {count(len(used), 'covariate')}" if used else ""
    words += f" ({abs(reduction):.0%} {'less' if reduction >= 0 else 'more'} variance)"
    left = arms.weight[:, None] ** 2 * arms.residual(slopes)
    return PostStratified(
        effect=finished(levels, arms, words, reduction, relative, level, planned_n, interval),
        conditional=float((left / arms.n).sum()),
        unconditional=float((left * _expected_inverse(arms.n)).sum()),
        weights_variance=float((APART.T @ arms.between(slopes) @ APART)[0, 0]),
        weights=arms.weight,
        strata=groups,
        left_out=left_out,
        slopes=slopes[0],
        used=used,
        dropped=dropped,
    )


def _merged(
    control: FloatArray, treatment: FloatArray, *, merge: bool, fewest: int
) -> tuple[tuple[tuple[int, ...], ...], tuple[int, ...]]:
    """Strata merged until every arm has enough users in each, and those without any."""
    n = np.stack([control, treatment], axis=1).astype(np.float64)
    if not np.isfinite(n).all():
        raise NotEstimable(REASONS[NOT_FINITE])
    if len(n) == 0 or n.sum(axis=0).min() < 2:
        raise NotEstimable(REASONS[TOO_FEW])
    some = [s for s in range(len(n)) if n[s].sum() > 0]
    small = tuple(s for s in some if n[s].min() < fewest)
    if small and not merge:
        raise NotEstimable(
            f"{count(len(small), 'stratum has', 'strata have')} fewer than {fewest} users in an"
            " arm; merge small strata, or cut fewer of them."
        )
    whole = sorted((s for s in some if s not in small), key=lambda s: float(n[s].sum()))
    while whole and small and n[list(small)].sum(axis=0).min() < fewest:
        small = (*small, whole.pop(0))
    groups = [(s,) for s in whole] + ([tuple(sorted(small))] if small else [])
    return tuple(sorted(groups)), tuple(s for s in range(len(n)) if s not in some)


def _expected_inverse(n: FloatArray) -> FloatArray:
    """(S, 2) expectation of 1/n over random splits with these totals, given two an arm."""
    expected = np.empty_like(n)
    for s, (mine, other) in enumerate(n):
        size, total, arm = mine + other, n.sum(), n[:, 0].sum()
        centre, reach = size * arm / total, 12 * np.sqrt(size) + 2
        counts = np.arange(
            max(SMALLEST, np.floor(centre - reach)),
            min(size - SMALLEST, np.ceil(centre + reach)) + 1,
        )
        split = round(total), round(size), round(arm)
        if size > _MANY:
            # The exact pmf takes seconds here; the logarithms lose nothing that is asked for.
            chance = np.exp(stats.hypergeom.logpmf(counts, *split))
        else:
            chance = stats.hypergeom.pmf(counts, *split)
        chance /= chance.sum()
        expected[s] = (chance / counts).sum(), (chance / (size - counts)).sum()
    return expected
