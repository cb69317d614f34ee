"""Looking more than once: anytime-valid intervals and group-sequential boundaries.

A fixed 95% interval promises 95% for one look on a day named beforehand. Whoever looks every day
and stops at the first "significant" one is wrong far more often. Two honest ways out are here:
an interval that holds at every look at once (Howard, Ramdas, McAuliffe, Sekhon 2021; asymptotic
form of Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas 2024, theorem 2.2), and boundaries for a
number of looks planned beforehand (Lan and DeMets 1983).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["DEFAULT_PLANNED_N", "anytime_multiplier", "anytime_radius", "best_rho", "mixture_bound"]

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
