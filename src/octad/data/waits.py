"""In words: how long what cannot be measured yet must wait."""

from __future__ import annotations

import numpy as np

from octad.data.clock import from_micros

__all__ = ["day_of", "waits_for"]


def day_of(moment: int) -> str:
    """The day of a moment in microseconds since 1970.

    >>> day_of(86_400_000_000)
    '1970-01-02'
    """
    return str(from_micros(np.array(moment)).astype("datetime64[D]"))


def waits_for(earliest: int, window: int) -> str:
    """Why a metric is absent of whose users nobody's window has ended.

    Args:
        earliest: The first exposure of all; `window` after it; both in microseconds.
        window: How long a user is watched.
    """
    day = day_of(earliest + window)
    return f"nobody's window has ended yet; it needs data until {day}"
