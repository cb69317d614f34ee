"""Every defensible way to reckon an effect, side by side (Simonsohn, Simmons & Nelson 2020)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from octad.stats.refusal import NotEstimable

__all__ = ["SpecificationCurve", "specification_curve"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class SpecificationCurve:
    """All specifications at once.

    Attributes:
        order: (S,) indexes that sort the estimates, smallest first.
        median: Median estimate; `lowest` and `highest` the ends.
        agree: How many estimates have the median's sign.
        clear: How many of those leave zero out of their interval.
        against: How many leave zero out on the other side.
        n: Specifications.
        spans_zero: Whether estimates of both signs occur.
        contested: Whether clear estimates of both signs occur: the answer hangs on the choice.
        p_median, p_agree, p_clear: Share of re-randomised data with a median as far from zero, as
            many of one sign, as many clear of zero on one side; None without them.
        runs: How many re-randomisations there were.
    """

    order: NDArray[np.intp]
    median: float
    lowest: float
    highest: float
    agree: int
    clear: int
    against: int
    n: int
    spans_zero: bool
    contested: bool
    p_median: float | None = None
    p_agree: float | None = None
    p_clear: float | None = None
    runs: int = 0


def specification_curve(
    estimates: ArrayLike,
    se: ArrayLike,
    *,
    permuted: tuple[ArrayLike, ArrayLike] | None = None,
    level: float = 0.95,
) -> SpecificationCurve:
    """Summarise all specifications, and test them jointly by re-randomisation.

    Specifications share their data, so counting them as independent evidence is wrong; the joint
    test reckons every specification again on data whose arms were dealt anew. Ties count against
    us, and the real assignment is one of the runs: ``p = (1 + #as far)/(1 + runs)``.

    Args:
        estimates: (S,) estimates on one scale.
        se: (S,) standard errors; 0 when a specification has none counts any estimate as clear.
        permuted: Estimates and errors (R, S) with arms re-randomised.
        level: Coverage that makes an estimate clear of zero.

    Raises:
        NotEstimable: Without specifications, or with values that are not finite.

    >>> found = specification_curve([1794.34, -8497.52], [632.85, 712.02])
    >>> found.spans_zero, found.contested
    (True, True)
    """
    e, s = np.asarray(estimates, dtype=np.float64), np.asarray(se, dtype=np.float64)
    if e.shape != s.shape or e.ndim != 1 or not len(e):
        raise NotEstimable("the curve needs at least one specification, each with its error")
    if not (np.isfinite(e).all() and np.isfinite(s).all()) or (s < 0).any():
        raise NotEstimable("every specification needs a finite estimate and error")
    z = float(special.ndtri((1 + level) / 2))
    median, agree, clear, against = (x[0] for x in _summary(e[None], s[None], z))
    p_median = p_agree = p_clear = None
    runs = 0
    if permuted is not None:
        pe, ps = (np.asarray(x, dtype=np.float64) for x in permuted)
        if pe.shape != ps.shape or pe.ndim != 2 or pe.shape[1] != len(e) or not len(pe):
            raise NotEstimable("re-randomised estimates must cover every specification")
        if not (np.isfinite(pe).all() and np.isfinite(ps).all()):
            raise NotEstimable("re-randomised estimates must be finite")
        runs = len(pe)
        m, a, c, _ = _summary(pe, ps, z)
        # A hair of room, so that the same data reckoned in another order still counts as a tie.
        room = 1e-12 * max(1.0, abs(float(median)))
        p_median = float((1 + (np.abs(m) >= abs(median) - room).sum()) / (1 + runs))
        p_agree = float((1 + (a >= agree).sum()) / (1 + runs))
        p_clear = float((1 + (c >= clear).sum()) / (1 + runs))
    return SpecificationCurve(
        # Choices that come to the same stay as they were given, in whatever order sums were made.
        np.argsort(np.round(e / (np.abs(e).max() or 1.0), 11), kind="stable"),
        float(median),
        float(e.min()),
        float(e.max()),
        int(agree),
        int(clear),
        int(against),
        len(e),
        bool((e > 0).any() and (e < 0).any()),
        bool(clear and against),
        p_median,
        p_agree,
        p_clear,
        runs,
    )


def _summary(e: FloatArray, s: FloatArray, z: float) -> tuple[FloatArray, ...]:
    """Median, estimates of its sign, clear ones of that sign, clear ones of the other; by run."""
    median = np.median(e, axis=1)
    # A median of exactly zero has no sign: then the commoner sign stands in.
    sign = np.where(median != 0, np.sign(median), np.where((e > 0).sum(1) >= (e < 0).sum(1), 1, -1))
    towards = e * sign[:, None]
    clear = np.abs(e) > z * s
    return (
        median,
        (towards > 0).sum(axis=1).astype(np.float64),
        ((towards > 0) & clear).sum(axis=1).astype(np.float64),
        ((towards < 0) & clear).sum(axis=1).astype(np.float64),
    )
