"""Are the arms as large as they were meant to be?

Users lost or doubled on one side are seldom a random sample, so a sample ratio that is off is
among the commonest reasons to trust nothing that follows (Fabijan et al. 2019).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from octad.stats.refusal import NotEstimable

__all__ = ["CONCENTRATION", "SampleRatio", "sample_ratio"]

FloatArray = NDArray[np.float64]

CONCENTRATION = 10_000.0
"""Weight of the prior, in users: it expects departures of about half a percentage point, the size
that real faults have. The default of Lindon and Malek's own package."""


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """Counts beside what they were meant to be.

    Attributes:
        counts: Users in each arm; `expected` what the split meant, for the same total.
        chi_square: Pearson's statistic; `df` one less than the arms.
        p: Its p, for one look.
        anytime_p: A p that holds at every look. It is weaker, and depends on its prior.
        bayes_factor_log: Log of the Bayes factor against the split as meant (natural logarithm).
    """

    counts: tuple[int, ...]
    expected: tuple[float, ...]
    chi_square: float
    df: int
    p: float
    anytime_p: float
    bayes_factor_log: float


def sample_ratio(
    counts: ArrayLike, split: ArrayLike | None = None, *, concentration: float = CONCENTRATION
) -> SampleRatio:
    """Test the arms' sizes against the split.

    The fixed test is Pearson's chi-square. The anytime one is the Bayes factor of a
    Dirichlet-multinomial against the multinomial as planned (Lindon and Malek 2022, equation 7);
    one over its largest value so far is a p that may be looked at every day.

    Args:
        counts: (A,) users in each arm, or (E, A) by day in the order of days: then the anytime p
            uses every day's end as a look.
        split: (A,) weights meant, in any unit; equal when absent.
        concentration: Weight of the prior in users.

    Raises:
        NotEstimable: With fewer than two arms, no users, or an arm that was meant to have none.

    >>> seen = sample_ratio([44700, 45489])
    >>> round(seen.p, 4)
    0.0086
    """
    daily = np.atleast_2d(np.asarray(counts, dtype=np.float64))
    if daily.shape[-1] < 2:
        raise NotEstimable("A sample ratio needs at least two arms.")
    if not np.isfinite(daily).all() or (daily < 0).any() or daily.sum() == 0:
        raise NotEstimable("There is nobody in any arm yet, so their sizes cannot be compared.")
    weights = np.ones(daily.shape[-1]) if split is None else np.asarray(split, dtype=np.float64)
    if weights.shape != daily.shape[-1:] or not (np.isfinite(weights) & (weights > 0)).all():
        raise NotEstimable("Every arm needs a share of the split above zero.")
    share = weights / weights.sum()
    so_far = daily.cumsum(axis=0)
    final = so_far[-1]
    expected = share * final.sum()
    chi_square = float(((final - expected) ** 2 / expected).sum())
    df = len(final) - 1
    logs = _log_bayes_factor(so_far, share, concentration)
    return SampleRatio(
        counts=tuple(int(c) for c in final),
        expected=tuple(float(e) for e in expected),
        chi_square=chi_square,
        df=df,
        p=float(special.chdtrc(df, chi_square)),
        anytime_p=float(np.exp(-max(0.0, float(logs.max())))),
        bayes_factor_log=float(logs[-1]),
    )


def _log_bayes_factor(counts: FloatArray, share: FloatArray, concentration: float) -> FloatArray:
    prior = concentration * share
    total = counts.sum(axis=-1)
    marginal = special.gammaln(concentration) - special.gammaln(concentration + total)
    marginal = marginal + (special.gammaln(prior + counts) - special.gammaln(prior)).sum(axis=-1)
    return np.asarray(marginal - counts @ np.log(share))
