"""Sums per user, as whatever added them up hands them over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from octad.data.primitives import Part

__all__ = ["Units"]


@dataclass(frozen=True, slots=True)
class Units:
    """Sums per user.

    Attributes:
        columns: Part to (n,) numbers, 0 for users without events.
        first_day: (n,) earliest day with any event, as far back as the scan looked; the largest
            integer for users without one. Empty where no band of use was asked for.
        query: Digest of the query that made them.
    """

    columns: Mapping[Part, NDArray[np.float64]]
    first_day: NDArray[np.int64]
    query: str
