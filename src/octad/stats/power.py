"""How much a test can see: users, days, and the smallest effect in sight."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special, stats

__all__ = [
    "autocorrelation",
    "days_needed",
    "effective_days",
    "power",
    "sample_size",
    "sample_size_shares",
    "smallest_visible",
    "smallest_visible_by_days",
]

FloatArray = NDArray[np.float64]
Sides = Literal["one", "two"]


def _tail(error: float, sides: Sides) -> float:
    return error / 2 if sides == "two" else error


def power(
    effect: float,
    variance: float,
    n: float,
    *,
    share: float = 0.5,
    error: float = 0.05,
    sides: Sides = "two",
) -> float:
    """Chance that a t test of two means sees an effect, by the noncentral t.

    Args:
        effect: True absolute difference.
        variance: Between users, within an arm.
        n: Users of both arms.
        share: Of them in the treatment.
        error: Of a false alarm.
        sides: Whether either direction counts.

    >>> round(power(0.3, 100, 39906), 4)
    0.85
    """
    freedom = n - 2
    if freedom <= 0 or variance <= 0:
        return float(variance <= 0 and effect != 0)
    shift = abs(effect) / math.sqrt(variance / n / (share * (1 - share)))
    reach = float(special.stdtrit(freedom, 1 - _tail(error, sides)))
    # With very many users the noncentral t is the normal to seven digits, and far slower.
    if freedom > 1e5:
        near, far = float(special.ndtr(shift - reach)), float(special.ndtr(-shift - reach))
    else:
        # scipy gives NaN far from the null, where the effect is certain to be seen on the near
        # side, and where the far side is below rounding.
        sides_of_t = stats.nct.sf(reach, freedom, shift), stats.nct.cdf(-reach, freedom, shift)
        near, far = (
            float(found) if math.isfinite(found) else otherwise
            for found, otherwise in zip(sides_of_t, (1.0, 0.0), strict=True)
        )
    return near + (far if sides == "two" else 0.0)


def sample_size(
    effect: float,
    variance: float,
    *,
    share: float = 0.5,
    error: float = 0.05,
    wanted: float = 0.8,
    sides: Sides = "two",
) -> int:
    """Users in both arms that let a t test see an effect with the power wanted.

    Args:
        effect: Absolute difference; for non-inferiority, the margin with `sides="one"`.
        variance: Between users, within an arm; after CUPED, times one minus its reduction.
        share: Of the users in the treatment.
        error: Of a false alarm.
        wanted: Power.
        sides: Whether either direction counts.

    Raises:
        ValueError: When the effect is zero, the variance not above zero, or a rate not in (0, 1).

    >>> sample_size(0.3, 100, wanted=0.85)
    39906
    """
    _check_rates(share, error, wanted)
    if effect == 0 or not math.isfinite(effect) or not variance > 0:
        msg = "an effect of zero cannot be seen by any number of users"
        raise ValueError(msg)
    reach = special.ndtri(1 - _tail(error, sides)) + special.ndtri(wanted)
    start = variance / (share * (1 - share)) * (float(reach) / effect) ** 2

    def seen(n: float) -> float:
        return power(effect, variance, n, share=share, error=error, sides=sides)

    return _first_pair(seen, start, wanted)


def sample_size_shares(
    control: float,
    treatment: float,
    *,
    share: float = 0.5,
    error: float = 0.05,
    wanted: float = 0.8,
    sides: Sides = "two",
) -> int:
    """Users in both arms that let the pooled z test tell two shares apart.

    Fleiss, Levin, Paik (2003), equation 4.14: the pooled variance under no effect, each arm's own
    under the effect.

    Args:
        control: The control's share.
        treatment: The treatment's share.
        share: Of the users in the treatment.
        error: Of a false alarm.
        wanted: Power.
        sides: Whether either direction counts.

    Raises:
        ValueError: When the shares are equal, or a rate is not between 0 and 1.

    >>> sample_size_shares(0.34, 0.343, wanted=0.85)
    897348
    """
    _check_rates(share, error, wanted, control, treatment)
    if control == treatment:
        msg = "an effect of zero cannot be seen by any number of users"
        raise ValueError(msg)
    pooled = (1 - share) * control + share * treatment
    null = math.sqrt(pooled * (1 - pooled) / (share * (1 - share)))
    true = math.sqrt(control * (1 - control) / (1 - share) + treatment * (1 - treatment) / share)
    reach = float(special.ndtri(1 - _tail(error, sides)))
    away = abs(treatment - control)
    start = ((reach * null + float(special.ndtri(wanted)) * true) / away) ** 2

    def seen(n: float) -> float:
        near = special.ndtr((away * math.sqrt(n) - reach * null) / true)
        far = special.ndtr((-away * math.sqrt(n) - reach * null) / true)
        return float(near + (far if sides == "two" else 0.0))

    return _first_pair(seen, start, wanted)


def _first_pair(seen: Callable[[float], float], start: float, wanted: float) -> int:
    """The smallest even number of users with the power wanted; `start` is near it."""
    low, high = max(3.0, 0.5 * start), max(6.0, 2 * start + 40)
    while seen(high) < wanted:
        high *= 2
    if seen(low) >= wanted:
        low = 3.0
    if seen(low) >= wanted:
        return 4
    exact = optimize.brentq(lambda n: seen(n) - wanted, low, high, xtol=1e-9 * start, rtol=1e-13)
    return 2 * math.ceil(float(exact) / 2 - 1e-9)


def smallest_visible(
    variance: float,
    n: float,
    *,
    share: float = 0.5,
    error: float = 0.05,
    wanted: float = 0.8,
    sides: Sides = "two",
) -> float:
    """The smallest absolute difference seen with the power wanted; infinite under three users.

    >>> round(smallest_visible(100, 39906, wanted=0.85), 4)
    0.3
    """
    _check_rates(share, error, wanted)
    if n < 3:
        return math.inf
    if variance <= 0:
        return 0.0
    unit = math.sqrt(variance / n / (share * (1 - share)))

    def short(effect: float) -> float:
        return power(effect, variance, n, share=share, error=error, sides=sides) - wanted

    top = 8.0 * unit
    while short(top) < 0:
        top *= 2
    return float(optimize.brentq(short, 0.0, top, xtol=1e-12 * unit))


def days_needed(users: float, new_users: ArrayLike, window: float = 0.0) -> int | None:
    """Whole days until enough users have been exposed and their window has ended.

    New users a day fall as the launch goes on, because the keenest come first; the forecast
    carries on the last week's fall rather than the average, so that it does not promise too much.

    Args:
        users: Needed, both arms.
        new_users: (E,) users newly exposed on each day of this project's history.
        window: Days after exposure that the metric counts.

    Returns:
        None when, at the rate at which new users fall, that many never come.

    >>> days_needed(700, [100, 100, 100, 100, 100, 100, 100], window=14)
    21
    >>> days_needed(10_000, [64, 32, 16, 8, 4, 2, 1]) is None
    True
    """
    daily = np.asarray(new_users, dtype=np.float64).ravel()
    if daily.size == 0 or not np.isfinite(daily).all() or (daily < 0).any():
        msg = "a forecast of days needs the new users of at least one day"
        raise ValueError(msg)
    so_far = daily.cumsum()
    wait = math.ceil(window)
    if so_far[-1] >= users:
        return int(np.searchsorted(so_far, users) + 1) + wait
    week = daily[-7:]
    keep = 1.0
    if len(week) > 2 and (week > 0).all():
        slope = np.polyfit(np.arange(len(week)), np.log(week), 1)[0]
        keep = min(1.0, math.exp(slope))
    rate, missing = float(week[-1] if keep < 1 else week.mean()), users - float(so_far[-1])
    if rate <= 0:
        return None
    if keep > 1 - 1e-9:
        return daily.size + math.ceil(missing / rate - 1e-9) + wait
    ceiling = rate * keep / (1 - keep)
    if missing >= ceiling:
        return None
    return daily.size + math.ceil(math.log(1 - missing / ceiling) / math.log(keep) - 1e-9) + wait


def autocorrelation(series: ArrayLike, lags: int | None = None) -> FloatArray:
    """Autocorrelations of a daily series from lag 1, up to the first that is not above zero.

    Geyer's (1992) idea of stopping where the noise begins, in its simplest form: later lags of a
    short history are noise, and summing them would make the error look small by chance.

    Args:
        series: (D,) one value a day.
        lags: The most lags to look at; a third of the days when absent.
    """
    rows = np.asarray(series, dtype=np.float64).ravel()
    away = rows - rows.mean() if rows.size else rows
    squares = float(away @ away)
    most = len(rows) // 3 if lags is None else min(lags, len(rows) - 1)
    found: list[float] = []
    for lag in range(1, most + 1):
        value = float(away[lag:] @ away[:-lag]) / squares if squares > 0 else 0.0
        if value <= 0:
            break
        found.append(value)
    return np.asarray(found, dtype=np.float64)


def effective_days(days: float, correlations: ArrayLike) -> float:
    """How many independent days are worth as much as these, when neighbours resemble each other.

    The variance of a mean of m days is σ²/m·(1 + 2·Σ(1 − k/m)·ρ_k).

    >>> effective_days(10, [])
    10.0
    >>> round(effective_days(30, [0.5, 0.25, 0.125]), 1)
    11.3
    """
    rho = np.asarray(correlations, dtype=np.float64).ravel()
    lags = np.arange(1, len(rho) + 1)
    return float(days / (1 + 2 * (np.maximum(1 - lags / max(days, 1.0), 0.0) * rho).sum()))


def smallest_visible_by_days(
    history: ArrayLike, days: float, *, error: float = 0.05, wanted: float = 0.8
) -> float:
    """The smallest lasting step in a daily series that a number of days would show.

    For launches without a control group: the mean of the days after against the mean of the
    history, with the history's own spread and autocorrelation.

    Args:
        history: (D,) one value a day before the launch.
        days: After it.
        error: Of a false alarm, two-sided.
        wanted: Power.

    Returns:
        In the series' own unit; infinite with fewer than eight days of history.
    """
    rows = np.asarray(history, dtype=np.float64).ravel()
    if len(rows) < 8 or days < 1:
        return math.inf
    rho = autocorrelation(rows)
    before, after = effective_days(len(rows), rho), effective_days(days, rho)
    # A short correlated history shows less than its full spread; this undoes it to first order.
    variance = float(rows.var(ddof=1)) * len(rows) / max(len(rows) - len(rows) / before + 1, 1.0)
    reach = float(special.stdtrit(max(before - 1, 1.0), 1 - error / 2)) + float(
        special.ndtri(wanted)
    )
    return reach * math.sqrt(variance * (1 / before + 1 / after))


def _check_rates(*rates: float) -> None:
    if not all(0 < rate < 1 for rate in rates):
        msg = "shares, error and power lie between 0 and 1"
        raise ValueError(msg)
