"""How well early metrics have foretold a result over past launches, each foretold from the others.

A combination that is fitted and judged on the same launches always looks good. Here each launch
is foretold by what the other launches teach, and the noise of its own measurement is taken off.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from octad.stats.proxies import effect_covariance
from octad.stats.refusal import NotEstimable

__all__ = ["Record", "held_out_record"]

FloatArray = NDArray[np.float64]

FEWEST = 20
EACH = 5
"""Launches for each metric that is combined, beyond ten."""


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """What each way of foretelling has missed the true result by, root mean square.

    Attributes:
        weights: (p,) of the combination, from all launches at the typical error.
        combined: By the combination; `alone` by the first metric alone; `mean` by always naming
            the mean of the other launches.
        better: Mean squared miss of the first metric alone less that of the combination, and
            `better_se` its error.
        p: One-sided, that the combination is no better.
        foretold: (k,) what the combination said of each launch.
        k: Launches.
    """

    weights: FloatArray
    combined: float
    alone: float
    mean: float
    better: float
    better_se: float
    p: float
    foretold: FloatArray
    k: int


def held_out_record(effects: ArrayLike, errors: ArrayLike) -> Record:
    """Foretell each launch's result from its early metrics, as the other launches teach.

    The rule is the best linear one for a launch of that size,
    ``w = (Λ_PP + Σ_PP)⁻¹ Λ_PN`` (Tripuraneni et al. 2023), with Λ from the other launches. The
    miss against the *measured* result is freed of measurement noise: its own variance, and its
    covariance with the early metrics' noise, come of the same users and are known.

    Args:
        effects: (k, 1 + p), the early metrics first, of which the first is the one that is also
            tried alone; the result last.
        errors: (k, 1 + p, 1 + p) their covariances.

    Raises:
        NotEstimable: With too few launches for so many metrics.
    """
    y, s = np.asarray(effects, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    proxies = y.shape[1] - 1
    least = max(FEWEST, 10 + EACH * proxies)
    if len(y) < least:
        raise NotEstimable(
            f"a combination of {proxies} metrics needs at least {least} past launches; there are "
            f"{len(y)}"
        )
    true = effect_covariance(y, s)
    k = true.k
    means = (k * true.mean - y) / (k - 1)
    foretold, squared = np.zeros((3, k)), np.zeros((3, k))
    for i in range(k):
        lam = _positive(true.jackknife[i])
        for way, used in enumerate((list(range(proxies)), [0], [])):
            w = _rule(lam, s[i], used)
            foretold[way, i] = means[i, -1] + w @ (y[i, used] - means[i, used])
            noise = s[i, -1, -1] - 2 * w @ s[i, used, -1]
            squared[way, i] = (y[i, -1] - foretold[way, i]) ** 2 - noise
    gain = squared[1] - squared[0]
    better, error = float(gain.mean()), float(gain.std(ddof=1)) / math.sqrt(k)
    p = float(special.stdtr(k - 1, -better / error)) if error > 0 else 1.0
    combined, alone, mean = (math.sqrt(max(0.0, float(x.mean()))) for x in squared)
    weights = _rule(true.covariance, true.noise, list(range(proxies)))
    return Record(weights, combined, alone, mean, better, error, p, foretold[0], k)


def _positive(matrix: FloatArray) -> FloatArray:
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return np.asarray((vectors * np.maximum(values, 0.0)) @ vectors.T)


def _rule(lam: FloatArray, noise: FloatArray, used: list[int]) -> FloatArray:
    """Weights of the best linear rule from the metrics `used` to the last."""
    if not used:
        return np.zeros(0)
    whole = lam[np.ix_(used, used)] + noise[np.ix_(used, used)]
    return np.asarray(np.linalg.lstsq(whole, lam[used, -1], rcond=None)[0], dtype=np.float64)
