"""What comes over everyone, or from one to another: the season, a rival's launch, friends.

And who is lost on the way into the tables.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from octad.worlds.base import Bools, Floats, Random
from octad.worlds.faults import Faults
from octad.worlds.people import People

__all__ = ["circle", "demand", "ties", "unrecorded"]

_NEIGHBOURS = 50
_STEPS = np.array([1, -1, 7, -7, 18, -18])
"""How far round the neighbourhood a person's friends live: friendship goes both ways."""


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
        share = has_it[circle(len(people))].mean(axis=1)
        factor = factor * np.maximum(1 + faults.friends * share * people.friends, 0.0)
    return factor


def circle(n: int) -> NDArray[np.int64]:
    """Who is friends with whom: (N, K) indices of each person's friends.

    People are friends within neighbourhoods of fifty, so that a larger world holds the smaller
    one. In a world that does not end on a full neighbourhood, the last people's friends are
    counted round its beginning.

    Args:
        n: How many people.
    """
    who = np.arange(n)
    home, place = who // _NEIGHBOURS * _NEIGHBOURS, who % _NEIGHBOURS
    return np.asarray((home[:, None] + (place[:, None] + _STEPS) % _NEIGHBOURS) % n)


def ties(n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every friendship once, as places of its two people.

    Args:
        n: How many people.
    """
    one = np.repeat(np.arange(n), len(_STEPS))
    other = circle(n).ravel()
    pairs = np.unique(np.stack([np.minimum(one, other), np.maximum(one, other)]), axis=1)
    return pairs[0], pairs[1]


def unrecorded(random: Random, people: People, faults: Faults, treated: Bools) -> Bools:
    """Whose exposure is never written: some of the treated, among those who come least.

    A page that reports itself only when it has stood for a while misses those who hurry; what is
    left looks busier than it is.

    Args:
        random: The world's randomness.
        people: Who lives there.
        faults: How many are lost.
        treated: (N,) who was exposed to the launch.
    """
    if not faults.unrecorded or not treated.any():
        return np.zeros(len(people), dtype=np.bool_)
    often = people.pay + people.transfer + people.balance
    seldom = often < np.median(often[treated])
    lost = random.chance("unrecorded", 2 * faults.unrecorded, np.arange(len(people)))
    return np.asarray(lost & seldom & treated & ~people.staff)
