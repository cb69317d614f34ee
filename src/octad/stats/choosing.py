"""Whom to look at: a few of many that stand for the rest, and a few that do not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from octad.stats.refusal import NotEstimable

__all__ = ["Chosen", "gaussian_kernel", "mmd_squared", "prototypes_and_criticisms"]

FloatArray = NDArray[np.float64]

_LARGEST = 5_000
"""Points that the kernel matrix is made for: 200 MB."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Points that stand for the others, and points that the former leave out.

    Attributes:
        prototypes: Row numbers, in the order they were chosen.
        criticisms: Row numbers of those worst represented, in the order they were chosen.
        mmd2: Squared maximum mean discrepancy between the prototypes and all points: 0 when the
            prototypes are spread as all points are.
    """

    prototypes: tuple[int, ...]
    criticisms: tuple[int, ...]
    mmd2: float


def gaussian_kernel(rows: ArrayLike) -> FloatArray:
    """``exp(−‖x−y‖²/(2σ²))`` with σ the median distance of two points (Gretton et al. 2012).

    Args:
        rows: (n, k) points; columns should be on one scale.

    Returns:
        (n, n) similarities, 1 on the diagonal.

    Raises:
        NotEstimable: Without points, with numbers that are not finite, or too many points.
    """
    x = np.asarray(rows, dtype=np.float64)
    if x.ndim != 2 or not len(x):
        raise NotEstimable("there is nothing to choose from")
    if len(x) > _LARGEST:
        raise NotEstimable(f"at most {_LARGEST} can be chosen from; draw a sample first")
    if not np.isfinite(x).all():
        raise NotEstimable("the points must be finite numbers")
    square = (x**2).sum(axis=1)
    distance = np.maximum(square[:, None] + square[None, :] - 2 * x @ x.T, 0.0)
    apart = distance[np.triu_indices(len(x), 1)]
    apart = apart[apart > 1e-12]  # copies of one point say nothing of the scale
    scale = float(np.median(apart)) if len(apart) else 1.0
    kernel = np.exp(-distance / (2 * scale))
    np.fill_diagonal(kernel, 1.0)
    return np.asarray(kernel)


def mmd_squared(kernel: FloatArray, chosen: ArrayLike) -> float:
    """Squared maximum mean discrepancy between some points and all of them (Gretton et al. 2012).

    Args:
        kernel: (n, n) similarities.
        chosen: Row numbers.

    >>> round(mmd_squared(np.array([[1.0, 0.0], [0.0, 1.0]]), [0, 1]), 6)
    0.0
    """
    some = np.asarray(chosen, dtype=np.int64)
    if not len(some):
        raise NotEstimable("nothing has been chosen")
    cross = kernel[:, some].mean()
    return float(max(0.0, kernel.mean() - 2 * cross + kernel[np.ix_(some, some)].mean()))


def prototypes_and_criticisms(
    kernel: FloatArray, prototypes: int, criticisms: int, among: ArrayLike | None = None
) -> Chosen:
    """Choose greedily whom to read (MMD-critic; Kim, Khanna and Koyejo 2016).

    Prototypes make the discrepancy to all points smallest, one after the other; greedy choice
    reaches at least 1 − 1/e of the best possible gain (their corollary 3). Criticisms are where
    the witness function ``mean k(x, all) − mean k(x, prototypes)`` is farthest from 0; a log
    determinant keeps them unlike one another (their equation 4).

    Args:
        kernel: (n, n) similarities, as from `gaussian_kernel`.
        prototypes: How many to choose; fewer when there are fewer points.
        criticisms: How many besides.
        among: (n,) which points may be chosen; all stand for the whole either way.

    Raises:
        NotEstimable: Without a point that may be chosen, or with no prototype asked for.
    """
    n = len(kernel)
    free = np.ones(n, dtype=bool) if among is None else np.array(among, dtype=bool)
    if prototypes < 1 or not free.any():
        raise NotEstimable("at least one must be chosen, from at least one")
    near = kernel.mean(axis=1)
    chosen = _prototypes(kernel, near, free, prototypes)
    witness = near - kernel[:, chosen].mean(axis=1)
    free[chosen] = False
    odd = _criticisms(kernel, witness, free, criticisms)
    return Chosen(tuple(chosen), tuple(odd), mmd_squared(kernel, chosen))


def _prototypes(
    kernel: FloatArray, near: FloatArray, allowed: NDArray[np.bool_], count: int
) -> list[int]:
    free = allowed.copy()
    chosen: list[int] = []
    total = inside = 0.0
    to_chosen = np.zeros(len(kernel))
    while len(chosen) < count and free.any():
        size = len(chosen) + 1
        value = 2 * (total + near) / size
        value -= (inside + 2 * to_chosen + kernel.diagonal()) / size**2
        value[~free] = -np.inf
        best = int(np.argmax(value))
        total += float(near[best])
        inside += float(2 * to_chosen[best] + kernel[best, best])
        to_chosen += kernel[:, best]
        free[best] = False
        chosen.append(best)
    return chosen


def _criticisms(
    kernel: FloatArray, witness: FloatArray, allowed: NDArray[np.bool_], count: int
) -> list[int]:
    """Greedy, with the log determinant grown one row at a time by Cholesky."""
    free = allowed.copy()
    chosen: list[int] = []
    left = kernel.diagonal().copy()
    rows = np.zeros((0, len(kernel)))
    while len(chosen) < count and free.any():
        # A point that is wholly explained by those chosen (a copy) adds minus infinity.
        gain = witness + np.log(np.maximum(left, 1e-300))
        gain[~free | (left < 1e-9)] = -np.inf
        best = int(np.argmax(gain))
        if not np.isfinite(gain[best]):
            break
        row = (kernel[best] - rows[:, best] @ rows) / np.sqrt(left[best])
        rows = np.vstack([rows, row])
        left = left - row**2
        free[best] = False
        chosen.append(best)
    return chosen
