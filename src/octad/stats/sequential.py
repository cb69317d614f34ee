"""Looking more than once: anytime-valid intervals and group-sequential boundaries.

A fixed 95% interval promises 95% for one look on a day named beforehand. Whoever looks every day
and stops at the first "significant" one is wrong far more often. Two honest ways out are here:
an interval that holds at every look at once (Howard, Ramdas, McAuliffe, Sekhon 2021; asymptotic
form of Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas 2024, theorem 2.2), and boundaries for a
number of looks planned beforehand (Lan and DeMets 1983).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special

__all__ = [
    "DEFAULT_PLANNED_N",
    "anytime_multiplier",
    "anytime_p",
    "anytime_radius",
    "best_rho",
    "group_sequential",
    "mixture_bound",
    "obrien_fleming_spending",
    "pocock_spending",
]

FloatArray = NDArray[np.float64]

DEFAULT_PLANNED_N = 10_000.0
"""Users the anytime interval is tuned to when no plan says. It holds for any value that does not
depend on the data; a wrong one only makes it wider than need be."""


def best_rho(planned: float, error: float) -> float:
    """The mixture's parameter that makes the two-sided bound tightest at `planned`.

    Howard et al. (2021), section 3.5; the closed form of their package `confseq`.

    >>> round(best_rho(100, 0.05), 5)
    12.60056
    """
    spread = 2 * math.log(1 / error)
    return planned / (spread + math.log1p(spread))


def mixture_bound(variance: ArrayLike, *, rho: float, error: float) -> FloatArray:
    """Two-sided normal-mixture boundary for a sum whose variance process is `variance`.

    Howard et al. (2021), equation 14: sqrt((v + rho) log((v + rho) / (rho error^2))).

    Args:
        variance: (...,) accumulated variance v.
        rho: The mixture's parameter, fixed beforehand (see `best_rho`).
        error: Chance that the sum ever leaves the boundary, over all time.

    >>> round(float(mixture_bound(100, rho=best_rho(100, 0.05), error=0.05)), 5)
    30.35209
    """
    v = np.asarray(variance, dtype=np.float64)
    return np.asarray(np.sqrt((v + rho) * np.log((v + rho) / (rho * error**2))))


def anytime_multiplier(
    n: ArrayLike, *, level: float = 0.95, planned_n: float | None = None
) -> FloatArray:
    """How many standard errors an anytime-valid interval reaches to each side.

    Takes the place of 1.96. It is the boundary of `mixture_bound` in units of the standard error,
    with the number of users as the clock (the variance of a sum of n users grows as n).

    Args:
        n: (...,) users so far, all arms together.
        level: Coverage over all looks at once.
        planned_n: Users expected at the end, from the plan; never from the data.

    Returns:
        (...,) above 1.96 for level .95; infinite where n is 0.
    """
    users = np.asarray(n, dtype=np.float64)
    rho = best_rho(planned_n or DEFAULT_PLANNED_N, 1 - level)
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = mixture_bound(users, rho=rho, error=1 - level) / np.sqrt(users)
    return np.where(users > 0, scaled, np.inf)


def anytime_radius(
    se: ArrayLike, n: ArrayLike, *, level: float = 0.95, planned_n: float | None = None
) -> FloatArray:
    """Half the width of an interval that holds at every look at once.

    Asymptotic: it takes the standard error as known, which needs some hundred users before the
    first look (Waudby-Smith et al. 2024, section 2.2).

    Args:
        se: (...,) standard error of the estimate now.
        n: (...,) users so far, all arms together.
        level: Coverage over all looks at once.
        planned_n: Users expected at the end, from the plan; never from the data.
    """
    reach = anytime_multiplier(n, level=level, planned_n=planned_n)
    spread = np.asarray(se, dtype=np.float64)
    return np.where(spread == 0, 0.0, spread * np.where(spread == 0, 0.0, reach))


def anytime_p(z: ArrayLike, n: ArrayLike, *, planned_n: float | None = None) -> FloatArray:
    """The smallest error at which the anytime interval leaves out zero; at most 1.

    The mixture's parameter stays that of a 95% interval, so p below .05 and the 95% interval
    agree. It is the inverse of the normal mixture's likelihood ratio.

    Args:
        z: (...,) estimate over its standard error.
        n: (...,) users so far, all arms together.
        planned_n: As for `anytime_radius`.
    """
    users = np.asarray(n, dtype=np.float64)
    rho = best_rho(planned_n or DEFAULT_PLANNED_N, 0.05)
    share = users / (users + rho)
    power = 0.5 * np.asarray(z, dtype=np.float64) ** 2 * share
    return np.asarray(np.minimum(np.exp(-power) / np.sqrt(rho / (users + rho)), 1.0))


def obrien_fleming_spending(fraction: float, error: float) -> float:
    """Error spent by the time `fraction` of the information is in (Lan and DeMets 1983).

    >>> f"{obrien_fleming_spending(1 / 3, 0.025):.6f}, {obrien_fleming_spending(1, 0.025):.6f}"
    '0.000104, 0.025000'
    """
    return float(2 * special.ndtr(special.ndtri(error / 2) / math.sqrt(fraction)))


def pocock_spending(fraction: float, error: float) -> float:
    """Error spent evenly over the looks (Lan and DeMets 1983, the Pocock-like function).

    >>> f"{pocock_spending(1, 0.025):.4f}"
    '0.0250'
    """
    return float(error * math.log1p((math.e - 1) * fraction))


def group_sequential(
    fractions: Sequence[float],
    *,
    error: float = 0.025,
    spending: Callable[[float, float], float] = obrien_fleming_spending,
) -> FloatArray:
    """Upper boundaries for z at looks planned beforehand.

    The density of the score process that has not crossed yet is carried from look to look by
    Gauss-Legendre quadrature (Armitage, McPherson, Rowe 1969), and each boundary is where the
    chance of crossing now uses up what the spending function allows.

    Args:
        fractions: Share of the planned information at each look, rising, at most 1.
        error: One-sided error over all looks.
        spending: Error spent by a fraction.

    Returns:
        (looks,) boundaries; cross the lower one at minus these for the other side.

    Raises:
        ValueError: When the fractions do not rise from above 0 to at most 1.

    >>> group_sequential([1 / 3, 2 / 3, 1]).round(4).tolist()
    [3.7103, 2.5114, 1.993]
    """
    times = np.asarray(fractions, dtype=np.float64)
    if times.size == 0 or times[0] <= 0 or times[-1] > 1 + 1e-12 or (np.diff(times) <= 0).any():
        msg = "looks must rise from above 0 to at most 1 of the planned information"
        raise ValueError(msg)
    nodes, node_weights = np.polynomial.legendre.leggauss(400)
    spent = np.diff([0.0, *(spending(float(t), error) for t in times)])
    bounds = np.empty(times.size)
    points, mass, before = np.zeros(1), np.ones(1), 0.0
    for look, time in enumerate(times):
        scale = math.sqrt(time - before)

        def excess(
            z: float, *, scale: float = scale, time: float = time, look: int = look
        ) -> float:
            beyond = special.ndtr((points - z * math.sqrt(time)) / scale)  # noqa: B023
            return float(mass @ beyond - spent[look])  # noqa: B023

        # Beyond 38 standard errors the normal tail is 0 in double precision.
        bounds[look] = (
            optimize.brentq(excess, -10.0, 38.0, xtol=1e-12) if spent[look] > 0 else np.inf
        )
        low, high = -10.0 * math.sqrt(time), min(bounds[look], 10.0) * math.sqrt(time)
        fresh = 0.5 * (high - low) * nodes + 0.5 * (high + low)
        away = (fresh[:, None] - points[None, :]) / scale
        density = np.exp(-0.5 * away**2) / (scale * math.sqrt(2 * math.pi))
        mass = 0.5 * (high - low) * node_weights * (density @ mass)
        points, before = fresh, float(time)
    return bounds
