"""Who stays: the shifted beta-geometric model, and the difference of two retention curves."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special

from octad.stats.novelty import simultaneous_band
from octad.stats.refusal import NotEstimable

__all__ = [
    "CurveDifference",
    "ShiftedBetaGeometric",
    "churn_from_survival",
    "fit_sbg",
    "retention_difference",
]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ShiftedBetaGeometric:
    """Each person leaves with an own chance per period, drawn from Beta(α, β).

    Attributes:
        alpha, beta: The parameters.
        covariance: (2, 2) of their logarithms, from the curvature of the likelihood; None where it
            is flat.
        log_likelihood: At the estimates.
        mean_churn: α/(α+β), the share that leaves in the first period.
        n: People.
    """

    alpha: float
    beta: float
    covariance: FloatArray | None
    log_likelihood: float
    mean_churn: float
    n: float

    def survival(self, periods: ArrayLike) -> FloatArray:
        """Share still there after each number of periods: ``B(α, β+t)/B(α, β)``."""
        t = np.asarray(periods, dtype=np.float64)
        log = special.betaln(self.alpha, self.beta + t) - special.betaln(self.alpha, self.beta)
        return np.asarray(np.exp(log))

    def retention(self, periods: ArrayLike) -> FloatArray:
        """Share of those there after t−1 periods who are there after t: ``(β+t−1)/(α+β+t−1)``."""
        t = np.asarray(periods, dtype=np.float64)
        return np.asarray((self.beta + t - 1) / (self.alpha + self.beta + t - 1))

    def survival_interval(self, period: float, level: float = 0.95) -> tuple[float, float]:
        """Interval of the share still there, by the delta method on the log-odds scale.

        It counts the error of α and β, not that the model may be wrong.

        Raises:
            NotEstimable: When the likelihood is too flat to give an error.
        """
        if self.covariance is None:
            raise NotEstimable("the curve is too flat to say how sure its forecast is")
        a, b = self.alpha, self.beta
        s = float(self.survival(period))
        ends, tail = special.digamma([a + b, a + b + period]), special.digamma([b, b + period])
        slope = np.array([a * (ends[0] - ends[1]), b * (tail[1] - tail[0] + ends[0] - ends[1])])
        se = math.sqrt(max(0.0, float(slope @ self.covariance @ slope))) / max(1 - s, 1e-300)
        half = float(special.ndtri((1 + level) / 2)) * se
        logit = math.log(s) - math.log1p(-s) if s < 1 else math.inf
        return float(special.expit(logit - half)), float(special.expit(logit + half))


@dataclass(frozen=True, slots=True, eq=False)
class CurveDifference:
    """Second retention curve minus the first.

    Attributes:
        difference: (D,) in shares.
        se: (D,).
        low, high: (D,) a band that holds the whole curve.
        critical: Multiplier of the errors in the band.
        first, second: (D,) the curves.
        used: (D,) days where both arms had anybody observed; other days hold 0 and infinite bands.
        p: That the curves are the same on every used day, from the largest |z|.
    """

    difference: FloatArray
    se: FloatArray
    low: FloatArray
    high: FloatArray
    critical: float
    first: FloatArray
    second: FloatArray
    used: NDArray[np.bool_]
    p: float


def churn_from_survival(survivors: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Turn a cohort's survivors into losses and censored people, for `fit_sbg`.

    Args:
        survivors: (T+1,) people at the start and after each period; never rising.

    Returns:
        (T,) lost in each period, and (T,) still there when last seen (all in the last place).

    >>> lost, still = churn_from_survival([1000, 631, 468])
    >>> lost.tolist(), still.tolist()
    ([369.0, 163.0], [0.0, 468.0])
    """
    s = np.asarray(survivors, dtype=np.float64)
    if s.ndim != 1 or len(s) < 2 or not np.isfinite(s).all() or (s < 0).any():
        raise NotEstimable("survivors must be counts at the start and after each period")
    lost = -np.diff(s)
    if (lost < 0).any():
        raise NotEstimable("survivors may not rise: people who come back are not lost")
    still = np.zeros(len(lost))
    still[-1] = s[-1]
    return lost, still


def fit_sbg(lost: ArrayLike, censored: ArrayLike) -> ShiftedBetaGeometric:
    """Fit the shifted beta-geometric model by maximum likelihood (Fader & Hardie 2007).

    ``P(T = t) = B(α+1, β+t−1)/B(α, β)`` and ``S(t) = B(α, β+t)/B(α, β)``. Immature cohorts are
    simply censored earlier: add up the losses of all cohorts by age, and put those still there at
    the age they were last seen.

    Args:
        lost: (T,) people who left in period 1, 2, …
        censored: (T,) people still there when last seen, by their age in periods.

    Raises:
        NotEstimable: With fewer than two periods, nobody lost, everybody lost in the first
            period, or a curve on which the parameters run away.
    """
    d, c = np.asarray(lost, dtype=np.float64), np.asarray(censored, dtype=np.float64)
    if d.shape != c.shape or d.ndim != 1 or len(d) < 2:
        raise NotEstimable("retention needs losses over at least two periods")
    if not (np.isfinite(d).all() and np.isfinite(c).all()) or (d < 0).any() or (c < 0).any():
        raise NotEstimable("losses and those still there must be counts")
    if d.sum() <= 0:
        raise NotEstimable("nobody has left yet, so leaving cannot be forecast")
    if d[1:].sum() + c.sum() <= 0:
        raise NotEstimable("everybody left in the first period, so there is no curve")
    t = np.arange(1.0, len(d) + 1)

    def loss(log: FloatArray) -> tuple[float, FloatArray]:
        a, b = np.exp(log)
        base, whole = special.betaln(a, b), special.digamma(a + b)
        died = special.betaln(a + 1, b + t - 1) - base
        stayed = special.betaln(a, b + t) - base
        end = special.digamma(a + b + t)
        by_a = d @ (special.digamma(a + 1) - end) + c @ (special.digamma(a) - end)
        by_a -= (d.sum() + c.sum()) * (special.digamma(a) - whole)
        by_b = d @ (special.digamma(b + t - 1) - end) + c @ (special.digamma(b + t) - end)
        by_b -= (d.sum() + c.sum()) * (special.digamma(b) - whole)
        return -float(d @ died + c @ stayed), -np.array([a * by_a, b * by_b])

    runs = [
        optimize.minimize(
            loss, np.log(start), jac=True, method="L-BFGS-B", bounds=[(-7.0, 7.0)] * 2,
            options={"ftol": 1e-15, "gtol": 1e-9, "maxiter": 500},
        )
        for start in ((1.0, 1.0), (0.3, 3.0), (5.0, 20.0))
    ]  # fmt: skip
    best = min(runs, key=lambda run: float(run.fun))
    if (np.abs(best.x) > 6.9).any():
        raise NotEstimable(
            "the curve has the same shape for ever stronger parameters: too few periods, or a "
            "chance of leaving that does not differ between people"
        )
    alpha, beta = (float(x) for x in np.exp(best.x))
    return ShiftedBetaGeometric(
        alpha,
        beta,
        _log_covariance(loss, np.asarray(best.x, dtype=np.float64)),
        -float(best.fun),
        alpha / (alpha + beta),
        float(d.sum() + c.sum()),
    )


def _log_covariance(
    loss: Callable[[FloatArray], tuple[float, FloatArray]], at: FloatArray
) -> FloatArray | None:
    """Inverse of the curvature by central differences of the exact slope."""
    step = 1e-5
    rows = [(loss(at + e)[1] - loss(at - e)[1]) / (2 * step) for e in step * np.eye(2)]
    curvature = np.array(rows)
    curvature = (curvature + curvature.T) / 2
    values = np.linalg.eigvalsh(curvature)
    if values[0] <= 1e-9 * max(values[1], 1e-300):
        return None
    return np.asarray(np.linalg.inv(curvature))


def retention_difference(
    active: ArrayLike,
    observed: ArrayLike,
    *,
    level: float = 0.95,
    covariance: ArrayLike | None = None,
) -> CurveDifference:
    """Difference of two retention curves with a band over all days.

    On each day only those observed that far count, so that immature users do not look lost. Errors
    are those of shares, with one event and one non-event added when somewhere nobody or everybody
    was active, so that they are not 0. Without a covariance the days are taken as independent in
    the band, which makes it too wide, never too narrow (Šidák 1967).

    Args:
        active: (2, D) people active on each day.
        observed: (2, D) people observed that far.
        level: Coverage of the whole curve.
        covariance: (D, D) of the differences, for a tighter band.

    Raises:
        NotEstimable: When no day has people of both arms, or counts do not fit.
    """
    y, n = np.asarray(active, dtype=np.float64), np.asarray(observed, dtype=np.float64)
    if y.shape != n.shape or y.ndim != 2 or len(y) != 2:
        raise NotEstimable("retention compares two arms day by day")
    if not (np.isfinite(y).all() and np.isfinite(n).all()) or (y < 0).any() or (y > n).any():
        raise NotEstimable("the active must be counted among those observed")
    used = np.asarray((n > 0).all(axis=0))
    if not used.any():
        raise NotEstimable("on no day were people of both arms observed")
    safe = np.maximum(n, 1)
    share = y / safe
    edge = (y == 0) | (y == n)
    smooth = np.where(edge, (y + 1) / (safe + 2), share)
    se = np.sqrt((smooth * (1 - smooth) / safe).sum(axis=0))
    difference = np.where(used, share[1] - share[0], 0.0)
    errors: FloatArray = se[used]
    if covariance is not None:
        v = np.asarray(covariance, dtype=np.float64)
        if v.shape != (y.shape[1], y.shape[1]):
            raise NotEstimable("the covariance must cover every day")
        errors = v[np.ix_(used, used)]
        se = np.where(used, np.sqrt(np.maximum(np.diag(v), 0.0)), se)
    band = simultaneous_band(difference[used], errors, level)
    low, high = np.full(len(used), -np.inf), np.full(len(used), np.inf)
    low[used], high[used] = band.low, band.high
    live = used & (se > 0)
    largest = float(np.abs(difference[live] / se[live]).max()) if live.any() else 0.0
    inside = 1 - 2 * float(special.ndtr(-largest))
    p = float(-np.expm1(int(live.sum()) * math.log(inside))) if inside > 0 else 1.0
    return CurveDifference(
        difference,
        np.where(used, se, np.inf),
        low,
        high,
        band.critical,
        np.where(used, share[0], 0.0),
        np.where(used, share[1], 0.0),
        used,
        p,
    )
