"""Random arms by the thousand, and how often an answer about them was right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from octad.stats.effects import Effects
from octad.stats.moments import Moments

__all__ = [
    "Measured",
    "at_least",
    "at_most",
    "binary",
    "covers",
    "draw",
    "equal",
    "explained",
    "floats",
    "stack",
]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

REACH = 3.0
"""Monte-Carlo errors that a figure may be off. The seeds are fixed, so a run repeats exactly."""


@dataclass(frozen=True, slots=True)
class Measured:
    """How often something happened, beside how often it should.

    Attributes:
        error: One Monte-Carlo standard error of `measured`.
        bound: "equal" when it should be the nominal share, "at most" when it may be below,
            "at least" when it may be above.
        ok: Within three Monte-Carlo errors, or explained by a note.
        note: Why a figure is off, when it must be; the page says the same.
    """

    name: str
    measured: float
    nominal: float
    error: float
    bound: str
    repetitions: int
    ok: bool
    note: str


def _measured(name: str, hits: BoolArray, nominal: float, *, bound: str, note: str) -> Measured:
    n = len(hits)
    share = float(hits.mean())
    error = float(np.sqrt(max(nominal * (1 - nominal), share * (1 - share)) / n))
    signs = {"at most": 1.0, "at least": -1.0}
    away = signs[bound] * (share - nominal) if bound in signs else abs(share - nominal)
    inside = away <= REACH * error
    return Measured(
        name, share, nominal, error, bound, n, inside or bool(note), "" if inside else note
    )


def equal(name: str, hits: BoolArray, nominal: float) -> Measured:
    """The share of hits should be the nominal one."""
    return _measured(name, hits, nominal, bound="equal", note="")


def at_most(name: str, hits: BoolArray, nominal: float) -> Measured:
    """The share of hits must not be above the nominal one."""
    return _measured(name, hits, nominal, bound="at most", note="")


def at_least(name: str, hits: BoolArray, nominal: float) -> Measured:
    """The share of hits must not be below the nominal one."""
    return _measured(name, hits, nominal, bound="at least", note="")


def explained(name: str, hits: BoolArray, nominal: float, note: str) -> Measured:
    """The share of hits may be off; the note, kept only if it is, says why."""
    return _measured(name, hits, nominal, bound="equal", note=note)


def covers(effects: Effects, truth: float) -> BoolArray:
    """Whether each interval holds the truth; refused ones are left out."""
    ok = effects.ok
    return np.asarray((effects.low[ok] <= truth) & (truth <= effects.high[ok]))


def floats(values: ArrayLike) -> FloatArray:
    """As double-precision numbers."""
    return np.asarray(values, dtype=np.float64)


def draw(rng: np.random.Generator, kind: str, shape: tuple[int, int]) -> FloatArray:
    """Values of mean 1: normal, exponential (skewness 2) or lognormal (skewness 33)."""
    if kind == "normal":
        return rng.normal(1.0, 1.0, shape)
    if kind == "exponential":
        return rng.exponential(1.0, shape)
    if kind == "lognormal":
        return rng.lognormal(-0.5 * 1.5**2, 1.5, shape)
    msg = f"no family is called {kind}"
    raise ValueError(msg)


def stack(
    y: FloatArray,
    *,
    d: FloatArray | None = None,
    x: FloatArray | None = None,
    w: FloatArray | None = None,
) -> Moments:
    """Moments of (repetitions, users) values; leading shape (repetitions,)."""
    one, zero = np.ones_like(y), np.zeros_like(y)
    columns = [y, one if d is None else d, zero if x is None else x, one if w is None else w]
    rows = np.stack(columns, axis=-1)
    mean = rows.mean(axis=1)
    centred = rows - mean[:, None]
    comoment = np.swapaxes(centred, 1, 2) @ centred
    # A column of ones is exactly that; its rounding would pass for a denominator that varies.
    constant = (rows == rows[:, :1]).all(axis=1)
    comoment[constant[:, :, None] | constant[:, None, :]] = 0.0
    mean = np.where(constant, rows[:, 0], mean)
    return Moments(np.full(len(y), float(y.shape[1])), mean, comoment)


def binary(hits: FloatArray, n: int) -> Moments:
    """Moments of shares, without drawing every user; leading shape (repetitions,)."""
    share = hits / n
    one, zero = np.ones_like(share), np.zeros_like(share)
    comoment = np.zeros((len(share), 4, 4))
    comoment[:, 0, 0] = n * share * (1 - share)
    return Moments(np.full(len(share), float(n)), np.stack([share, one, zero, one], -1), comoment)
