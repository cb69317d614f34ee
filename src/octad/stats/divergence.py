"""How far two mixes lie apart, and whether a change came from the mix or from the rates.

Every function takes counts. With a leading bucket axis (users fall into buckets by a hash, and the
same bucket holds the same users in both columns) the errors come from leaving out one bucket at a
time, so that people who do many things do not count as many people.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special

from octad.stats.refusal import NotEstimable

__all__ = [
    "Divergence",
    "Kitagawa",
    "jackknife_covariance",
    "jensen_shannon",
    "kitagawa",
    "mix_divergence",
]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Divergence:
    """Jensen–Shannon divergence of two mixes of J parts.

    Attributes:
        value: In bits: 0 is the same mix, 1 is nothing in common. Chance alone makes it positive.
        corrected: `value` with the part that chance adds taken off; never below 0.
        low, high: Interval of the true divergence; `low` is 0 when the mixes may be the same.
        level: Coverage of the interval, and of those of the shifts.
        p: Chance of shares this far apart if the two mixes were the same.
        contributions: (J,) what each part adds; sums to `value`.
        first, second: (J,) the shares.
        shift: (J,) second minus first.
        shift_se: (J,) standard errors of the shifts, from the buckets.
        shift_low, shift_high: (J,) intervals of the shifts, one at a time.
        buckets: How many buckets held anything.
    """

    value: float
    corrected: float
    low: float
    high: float
    level: float
    p: float
    contributions: FloatArray
    first: FloatArray
    second: FloatArray
    shift: FloatArray
    shift_se: FloatArray
    shift_low: FloatArray
    shift_high: FloatArray
    buckets: int


@dataclass(frozen=True, slots=True, eq=False)
class Kitagawa:
    """A gap between two groups, split into rates and mix (Kitagawa 1955).

    Attributes:
        gap: Overall rate of the first group minus that of the second.
        rate: Part of the gap from different rates inside the strata.
        mix: Part of the gap from different shares of the strata; `rate + mix` is `gap`.
        rate_by, mix_by: (S,) the same by stratum.
        rate_se, mix_se, gap_se: Standard errors from buckets; None when no buckets were given.
    """

    gap: float
    rate: float
    mix: float
    rate_by: FloatArray
    mix_by: FloatArray
    gap_se: float | None = None
    rate_se: float | None = None
    mix_se: float | None = None


def _counts(values: ArrayLike, what: str) -> FloatArray:
    counts = np.asarray(values, dtype=np.float64)
    if counts.size == 0 or not np.isfinite(counts).all() or (counts < 0).any():
        raise NotEstimable(f"{what} must be counts: finite, not negative, at least one")
    return counts


def jackknife_covariance(replicates: FloatArray) -> FloatArray:
    """Covariance of a statistic from its values with one bucket left out at a time.

    Args:
        replicates: (B, k) the statistic without bucket b.

    Returns:
        (k, k), (B−1)/B times the sum of squares about the mean (Efron & Stein 1981).

    Raises:
        NotEstimable: With fewer than two buckets.
    """
    count = len(replicates)
    if count < 2:
        raise NotEstimable("fewer than two buckets hold anything, so no error can be given")
    away = replicates - replicates.mean(axis=0)
    return np.asarray((count - 1) / count * away.T @ away)


def jensen_shannon(first: ArrayLike, second: ArrayLike) -> tuple[float, FloatArray]:
    """Jensen–Shannon divergence in bits, with what each part contributes (Lin 1991).

    Each contribution is ``½(p·log₂(p/m) + q·log₂(q/m))`` with ``m = (p+q)/2``; it is never
    negative. The whole equals the square of SciPy's ``jensenshannon(p, q, base=2)``.

    Args:
        first: (J,) counts or weights; they need not sum to 1.
        second: (J,) likewise.

    Returns:
        The divergence, from 0 to 1, and its (J,) contributions.

    Raises:
        NotEstimable: When a mix is empty or holds something other than counts.

    >>> value, parts = jensen_shannon([1, 1, 0], [1, 0, 1])
    >>> round(value, 3), parts.round(3).tolist()
    (0.5, [0.0, 0.25, 0.25])
    """
    one, two = _counts(first, "a mix"), _counts(second, "a mix")
    if one.shape != two.shape or one.ndim != 1:
        raise NotEstimable("the two mixes must have the same parts")
    if one.sum() <= 0 or two.sum() <= 0:
        raise NotEstimable("one of the mixes is empty")
    parts = _parts(one / one.sum(), two / two.sum())
    return float(parts.sum()), parts


def _parts(p: FloatArray, q: FloatArray) -> FloatArray:
    """Contributions of each part, over the last axis; tiny negative rounding is cut off."""
    m = (p + q) / 2
    parts = (special.rel_entr(p, m) + special.rel_entr(q, m)) / (2 * np.log(2))
    return np.asarray(np.maximum(parts, 0.0))


def _leave_one_out(counts: FloatArray) -> FloatArray:
    """(B, ...) counts without bucket b; refuses when one bucket holds everything."""
    rest = counts.sum(axis=0) - counts
    # What rounding leaves of an empty rest is nothing.
    rest = np.where(rest < 1e-12 * counts.sum(), 0.0, rest)
    if (rest.sum(axis=1) <= 0).any():
        raise NotEstimable("one bucket of users holds everything, so no error can be given")
    return np.asarray(rest)


def mix_divergence(first: ArrayLike, second: ArrayLike, level: float = 0.95) -> Divergence:
    """Jensen–Shannon divergence between two mixes, with an interval from buckets.

    Near the same mix the estimate is a sum of squares, where a normal interval fails: there
    ``JS ≈ dᵀHd`` with share differences ``d ~ N(δ, V)``, V from the jackknife over buckets (both
    mixes lose the bucket together, which keeps the covariance when the users are the same). So
    the interval inverts a scaled noncentral χ². Its mean under no difference is ``tr(HV)``; its
    scale moves from the one that matches the second moment under no difference (Satterthwaite)
    to the one whose far limit is the ordinary delta-method interval.

    Args:
        first: (B, J) counts of the first mix by bucket.
        second: (B, J) counts of the second, in the same buckets.
        level: Coverage.

    Returns:
        Value, interval, test, and contributions by part.

    Raises:
        NotEstimable: When a mix is empty, lies in one bucket, fewer than two parts are used,
            there are too few buckets for the parts, or no bucket differs from another.
    """
    one, two = _counts(first, "a mix"), _counts(second, "a mix")
    if one.shape != two.shape or one.ndim != 2:
        raise NotEstimable("the two mixes must have the same buckets and parts")
    keep = (one.sum(axis=1) + two.sum(axis=1)) > 0
    one, two = one[keep], two[keep]
    if one.sum() <= 0 or two.sum() <= 0:
        raise NotEstimable("one of the mixes is empty")
    if ((one.sum(axis=0) + two.sum(axis=0)) > 0).sum() < 2:
        raise NotEstimable("only one part is used at all, so the mix cannot change")
    p, q = one.sum(axis=0) / one.sum(), two.sum(axis=0) / two.sum()
    parts = _parts(p, q)
    value = float(parts.sum())
    shift = q - p
    rest_one, rest_two = _leave_one_out(one), _leave_one_out(two)
    p_b = rest_one / rest_one.sum(axis=1, keepdims=True)
    q_b = rest_two / rest_two.sum(axis=1, keepdims=True)
    covariance = jackknife_covariance(q_b - p_b)
    variance = float(jackknife_covariance(_parts(p_b, q_b).sum(axis=1, keepdims=True))[0, 0])
    se = np.sqrt(np.diag(covariance))
    z = float(special.ndtri((1 + level) / 2))
    low, high, corrected = _interval((p + q) / 2, covariance, value, variance, level)
    return Divergence(
        value, corrected, low, high, level, _wald(shift, covariance, len(one)), parts, p, q, shift,
        se, shift - z * se, shift + z * se, len(one),
    )  # fmt: skip


def _wald(shift: FloatArray, covariance: FloatArray, buckets: int) -> float:
    """Hotelling's T² that all shifts are 0; the shares sum to 1, so one direction is free."""
    values, vectors = np.linalg.eigh(covariance)
    used = values > max(float(values.max()), 0.0) * 1e-9
    rank = int(used.sum())
    if rank == 0:
        if np.allclose(shift, 0.0, atol=1e-12):
            return 1.0
        # Perhaps certain, perhaps three people: without any spread nobody can say which.
        raise NotEstimable("every bucket of users moved by the same shares, so there is no error")
    if buckets <= rank:
        raise NotEstimable("too few buckets of users for this many parts")
    t2 = float((((vectors.T @ shift)[used]) ** 2 / values[used]).sum())
    f = t2 * (buckets - rank) / (rank * (buckets - 1))
    return float(special.fdtrc(rank, buckets - rank, f))


def _interval(
    middle: FloatArray, covariance: FloatArray, value: float, variance: float, level: float
) -> tuple[float, float, float]:
    """Interval and corrected value: see `mix_divergence`."""
    # JS ≈ Σ d²/(8 m ln 2): the second-order term of each part about the same mix.
    curve = np.zeros_like(middle)
    curve[middle > 0] = 1.0 / (8 * np.log(2) * middle[middle > 0])
    spread = np.sqrt(curve)[:, None] * covariance * np.sqrt(curve)
    trace, trace2 = float(np.trace(spread)), float((spread**2).sum())
    corrected = max(0.0, value - trace)
    if trace <= 0 or value <= 0:
        return value, value, corrected
    far = corrected / value
    scale = (1 - far) * trace2 / trace + far * variance / (4 * value)
    if scale <= 0:
        return value, value, corrected
    freedom, statistic, tail = trace / scale, value / scale, (1 - level) / 2
    low = scale * _noncentrality(1 - tail, freedom, statistic)
    high = scale * _noncentrality(tail, freedom, statistic)
    return low, min(1.0, high), corrected


def _noncentrality(probability: float, freedom: float, statistic: float) -> float:
    """The λ at which a noncentral χ² lies below `statistic` with this probability; 0 if none."""
    if float(special.chdtr(freedom, statistic)) <= probability:
        return 0.0

    def gap(shift: float) -> float:
        return float(special.chndtr(statistic, freedom, shift)) - probability

    # √χ² is close to normal with unit spread, so the answer lies within ten of the root.
    high = (np.sqrt(statistic) + 10.0) ** 2
    return float(optimize.brentq(gap, 0.0, high, xtol=1e-10))


def kitagawa(
    hits_first: ArrayLike,
    trials_first: ArrayLike,
    hits_second: ArrayLike,
    trials_second: ArrayLike,
) -> Kitagawa:
    """Split the gap between two overall rates into rates and mix (Kitagawa 1955).

    ``rate = Σ ½(w₁+w₀)(r₁−r₀)`` and ``mix = Σ ½(r₁+r₀)(w₁−w₀)`` with rates r and shares w of the
    strata. A stratum that one group lacks takes the other group's rate: its whole part is mix.

    Args:
        hits_first: (S,) or (B, S) successes (or sums) of the first group; B buckets of users.
        trials_first: The trials (or users) behind them, same shape.
        hits_second: The same of the second group.
        trials_second: The same of the second group.

    Returns:
        The gap first minus second and its parts, with errors when there are buckets.

    Raises:
        NotEstimable: When a group is empty or the shapes differ.

    >>> split = kitagawa([90, 10], [100, 100], [40, 5], [50, 150])
    >>> round(split.gap, 3), round(split.rate, 3), round(split.mix, 3)
    (0.275, 0.079, 0.196)
    """
    hits = [np.asarray(h, dtype=np.float64) for h in (hits_first, hits_second)]
    trials = [_counts(t, "trials") for t in (trials_first, trials_second)]
    shapes = {a.shape for a in (*hits, *trials)}
    if len(shapes) != 1 or hits[0].ndim not in (1, 2):
        raise NotEstimable("hits and trials of both groups must have the same strata")
    if not all(np.isfinite(h).all() for h in hits):
        raise NotEstimable("hits must be finite numbers")
    if hits[0].ndim == 1:
        return Kitagawa(*_split(hits[0], trials[0], hits[1], trials[1]))
    whole = _split(*(a.sum(axis=0) for a in (hits[0], trials[0], hits[1], trials[1])))
    rest = [a.sum(axis=0) - a for a in (hits[0], trials[0], hits[1], trials[1])]
    replicates = np.array([_split(*(r[b] for r in rest))[:3] for b in range(len(rest[0]))])
    gap, rate, mix = (float(x) for x in np.sqrt(np.diag(jackknife_covariance(replicates))))
    return Kitagawa(*whole, gap_se=gap, rate_se=rate, mix_se=mix)


def _split(
    h1: FloatArray, n1: FloatArray, h0: FloatArray, n0: FloatArray
) -> tuple[float, float, float, FloatArray, FloatArray]:
    if n1.sum() <= 0 or n0.sum() <= 0:
        raise NotEstimable("one of the groups has nobody in it")
    w1, w0 = n1 / n1.sum(), n0 / n0.sum()
    r1 = np.divide(h1, n1, out=np.zeros_like(h1), where=n1 > 0)
    r0 = np.divide(h0, n0, out=np.zeros_like(h0), where=n0 > 0)
    r1, r0 = np.where(n1 > 0, r1, r0), np.where(n0 > 0, r0, r1)
    rate, mix = (w1 + w0) / 2 * (r1 - r0), (r1 + r0) / 2 * (w1 - w0)
    return float(w1 @ r1 - w0 @ r0), float(rate.sum()), float(mix.sum()), rate, mix
