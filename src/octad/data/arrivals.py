"""How fast users come: the first day each is seen after a given one."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import ibis
import numpy as np
from numpy.typing import NDArray

from octad.data.connect import Engine

__all__ = ["arrivals"]


def arrivals(engine: Engine, events: Any, start: date) -> NDArray[np.float64]:
    """Users by the day they are first seen, counted from `start`.

    Args:
        engine: An open engine.
        events: user, time.
        start: The first day.

    Returns:
        (days,) users first seen on each day; everyone counts as new on `start`.
    """
    since = events.filter(
        events.time >= ibis.timestamp(datetime.combine(start, datetime.min.time()))
    )
    first = since.group_by("user").agg(day=since.time.min().date())
    rows = engine.backend.to_pyarrow(first.group_by("day").agg(users=first.count()))
    days = rows["day"].to_numpy().astype("datetime64[D]")
    offset = (days - np.datetime64(start, "D")).astype(int)
    out = np.zeros(int(offset.max(initial=-1)) + 1)
    out[offset] = rows["users"].to_numpy()
    return out
