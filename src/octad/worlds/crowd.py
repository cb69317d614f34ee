"""What comes over everyone, or from one to another: the season, a rival's launch, friends."""

from __future__ import annotations

import numpy as np

from octad.worlds.base import Bools, Floats
from octad.worlds.faults import Faults
from octad.worlds.people import People

__all__ = ["demand"]


def demand(people: People, faults: Faults, has_it: Bools, day: int) -> Floats | float:
    """The factor on everyone's needs on a day.

    Args:
        people: Who lives there.
        faults: What comes over them.
        has_it: (N,) who has the launched change by now.
        day: Days since the launch's start; below zero before it.

    Returns:
        One factor for all, or (N,) one for each.
    """
    factor: Floats | float = 1.0
    if faults.season and day >= 0:
        factor = faults.season[min(day, len(faults.season) - 1)]
    if faults.rival_day is not None and day >= faults.rival_day:
        factor = factor * (1 + faults.rival_size)
    if faults.friends:
        share = float(np.mean(has_it))
        factor = factor * (1 + faults.friends * share * people.friends)
    return factor
