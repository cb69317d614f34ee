"""Where a gain came from: a part of the users, of the visits, of the events, or of the days.

A gain that is spread evenly lies where the use already lay: a tenth of all use makes a tenth of
the gain. A part is a *source* of the gain when it makes more of it than that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from octad.stats.buckets import Jackknifed, jackknife_arms
from octad.stats.refusal import NotEstimable

__all__ = ["DayShare", "GainShare", "gain_share", "largest_day"]

FloatArray = NDArray[np.float64]

FEWEST_DAYS = 10


@dataclass(frozen=True, slots=True)
class GainShare:
    """A part's share of a gain.

    Attributes:
        share: The part's gain over the whole gain; above 1 when the rest lost.
        low, high: Fieller interval.
        fair: The larger of the part's share of all use and of all users, in control: what its
            share would be, were the gain spread evenly.
        p: One-sided, that the share is no larger than fair.
        rest: The gain outside of the part, relative to the control's whole level; `rest_low` and
            `rest_high` its interval.
        level: Coverage.
    """

    share: float
    low: float
    high: float
    fair: float
    p: float
    rest: float
    rest_low: float
    rest_high: float
    level: float


@dataclass(frozen=True, slots=True)
class DayShare:
    """The day that stands out most from its neighbours.

    Attributes:
        day: Its index.
        share: Its share of the whole gain; `low`, `high` the interval that the other days' spread
            gives it.
        fair: Its share of the control's use.
        p: That the largest of all days stands out so far by chance (Bonferroni over the days).
        rest: The relative gain without that day.
        level: Coverage.
    """

    day: int
    share: float
    low: float
    high: float
    fair: float
    p: float
    rest: float
    level: float


def gain_share(sums: ArrayLike, *, level: float = 0.95) -> GainShare:
    """How much of a gain a part makes, against what it would make were the gain even.

    Two even spreads can be defended: in proportion to use, and the same for every user. The part
    must exceed both; p is the larger of the two tests' (intersection-union, Berger 1982). Errors
    come of leaving out one bucket of users at a time.

    Args:
        sums: (2, B, 3) or (2, B, 4) by arm (control first) and bucket: users; the metric's sum over
            all of them; its sum in the part; and, when the part is of users, how many they are.
        level: Coverage.

    Raises:
        NotEstimable: When the whole gain cannot be told from none, so that nothing has a share in
            it, or nobody varies.
    """
    s = np.asarray(sums, dtype=np.float64)
    sign = float(np.sign(_gains(s.sum(axis=1))[0]))

    def statistic(totals: FloatArray) -> FloatArray:
        whole, part = _gains(totals)
        use, users = _fair(totals)
        level_c = totals[..., 0, 1] / totals[..., 0, 0]
        return np.stack(
            [whole, part, part - use * whole, part - users * whole, (whole - part) / level_c], -1
        )

    found = jackknife_arms(s, statistic)
    low, high = _fieller(found, level)
    excess, error = sign * found.value[2:4], found.se[2:4]
    p = np.where(error > 0, special.stdtr(found.df[2:4], -excess / np.maximum(error, 1e-300)), 1.0)
    use, users = (float(x) for x in _fair(s.sum(axis=1)))
    half = found.reach(level, 4) * float(found.se[4])
    rest = float(found.value[4])
    return GainShare(
        float(found.value[1] / found.value[0]), low, high, max(use, users), float(p.max()),
        rest, rest - half, rest + half, level,
    )  # fmt: skip


def _gains(totals: FloatArray) -> tuple[FloatArray, FloatArray]:
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = totals[..., 1:3] / totals[..., :1]
    gain = mean[..., 1, :] - mean[..., 0, :]
    return gain[..., 0], gain[..., 1]


def _fair(totals: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Share of control's use that lies in the part; and of all users, 0 where that is unknown."""
    with np.errstate(divide="ignore", invalid="ignore"):
        use = totals[..., 0, 2] / totals[..., 0, 1]
        if totals.shape[-1] < 4:
            return use, np.zeros_like(use)
        return use, totals[..., 3].sum(axis=-1) / totals[..., 0].sum(axis=-1)


def _fieller(found: Jackknifed, level: float) -> tuple[float, float]:
    """Bounds of part over whole; the whole must be clear of zero."""
    (whole, part), reach = found.value[:2], found.reach(level)
    v = reach**2 * found.covariance[:2, :2]
    a = whole**2 - v[0, 0]
    if not np.isfinite(found.value).all() or a <= 0:
        raise NotEstimable("the gain cannot be told from none, so nothing has a share in it")
    middle = whole * part - v[0, 1]
    root = np.sqrt(max(0.0, middle**2 - a * (part**2 - v[1, 1])))
    return float((middle - root) / a), float((middle + root) / a)


def largest_day(
    control: ArrayLike, treatment: ArrayLike, users: ArrayLike, *, level: float = 0.95
) -> DayShare:
    """The day whose gain stands out most from the days about it.

    Each day's relative gain is held against a parabola through those of the other days (a gain
    that grows or wears off is no outlying day), with their spread, which has in it whatever makes
    days differ; the chance is Student's, times the number of days.

    Args:
        control: (N,) the metric's sum by calendar day in control.
        treatment: (N,) the same of the treatment.
        users: (N, 2) users exposed by then, control and treatment.
        level: Coverage.

    Raises:
        NotEstimable: With fewer than ten days of use in both arms, or no gain.
    """
    c, t = np.asarray(control, dtype=np.float64), np.asarray(treatment, dtype=np.float64)
    n = np.asarray(users, dtype=np.float64)
    keep = (n > 0).all(axis=1) & (c > 0) & (t > 0)
    days = np.flatnonzero(keep)
    if len(days) < FEWEST_DAYS:
        raise NotEstimable(f"one day is told from the others only among {FEWEST_DAYS} or more")
    c, t, n = c[keep], t[keep], n[keep]
    base, gain = c / n[:, 0], t / n[:, 1] - c / n[:, 0]
    whole = float((gain * n[:, 0]).sum())
    if whole == 0:
        raise NotEstimable("there is no gain to have a share in")
    left, freedom, spread = _left_out(days.astype(np.float64), gain / base, c)
    z = np.sign(whole) * left / spread
    day = int(z.argmax())
    p = min(1.0, len(days) * float(special.stdtr(freedom, -z[day])))
    share = float(gain[day] * n[day, 0]) / whole
    half = float(special.stdtrit(freedom, 0.5 + level / 2)) * spread[day] * c[day] / abs(whole)
    rest = (whole - float(gain[day] * n[day, 0])) / float(c.sum() - c[day])
    return DayShare(
        int(days[day]), share, share - half, share + half, float(c[day] / c.sum()), p, rest, level
    )


def _left_out(
    x: FloatArray, y: FloatArray, weight: FloatArray
) -> tuple[FloatArray, int, FloatArray]:
    """What each day has over a weighted parabola through the others, and its error there."""
    u = (x - x.mean()) / np.ptp(x)
    root = np.sqrt(weight / weight.mean())
    design = np.stack([np.ones_like(u), u, u**2], axis=1) * root[:, None]
    q, _ = np.linalg.qr(design)
    lever = np.minimum((q**2).sum(axis=1), 1 - 1e-9)
    residual = root * y - q @ (q.T @ (root * y))
    freedom = len(x) - 4
    total = float(residual @ residual)
    variance = np.maximum(total - residual**2 / (1 - lever), 1e-300) / freedom
    return residual / (1 - lever) / root, freedom, np.sqrt(variance / (1 - lever)) / root
