"""How the values of an attribute are chosen and called, from counts alone."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "MOST_VALUES",
    "NUMERIC_BANDS",
    "OTHER",
    "TENURE",
    "TENURES",
    "UNKNOWN",
    "USE",
    "USE_LEVELS",
    "WEEK",
    "band_names",
    "enough_use",
    "few_words",
    "number_names",
    "use_names",
]

IntArray = NDArray[np.int64]

UNKNOWN = "(unknown)"
OTHER = "(other)"
TENURE = "first seen"
TENURES = ("within the week before", "a week or more before")
WEEK = 7
USE = "use before"
USE_LEVELS = (0.5, 0.9)
MOST_VALUES = 20
NUMERIC_BANDS = 4
_FEWEST_USED = 0.05


def few_words(values: Sequence[str], counts: IntArray) -> tuple[tuple[str, ...], IntArray]:
    """The commonest values of a column in their order, the others as one; the code of each."""
    names = sorted(values)
    if len(values) > MOST_VALUES:
        common = heapq.nsmallest(
            MOST_VALUES - 1, range(len(values)), key=lambda k: (-counts[k], values[k])
        )
        names = sorted([*(values[k] for k in common), OTHER])
    place = {value: i for i, value in enumerate(names)}
    code = [place.get(value, place.get(OTHER, -1)) for value in values]
    return tuple(names), np.array(code, dtype=np.int64)


def number_names(values: Iterable[float], *, whole: bool) -> tuple[str, ...]:
    """How a few numbers are called, and those not known unless the column is whole."""
    names = tuple(np.format_float_positional(v, trim="-") for v in values)
    return names if whole else (*names, UNKNOWN)


def band_names(edges: Sequence[float]) -> tuple[str, ...]:
    """How bands of numbers are called, the last being those not known."""
    names = [f"under {edges[0]:g}"]
    names += [f"{low:g} to under {high:g}" for low, high in pairwise(edges)]
    return (*names, f"{edges[-1]:g} and more", UNKNOWN)


def enough_use(used: int, users: int) -> bool:
    """Whether use before exposure says anything: one user in twenty had some."""
    return users > 0 and used / users >= _FEWEST_USED


def use_names(half: float, top: float, days: int) -> tuple[str, ...]:
    """How the bands of use before exposure are called, lightest first."""
    return (
        f"none in {days} days",
        f"light (up to {half:g} actions in {days} days)",
        f"regular (up to {top:g} actions)",
        f"heavy (over {top:g} actions)",
    )
