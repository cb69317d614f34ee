"""Traces that lost events leave behind: broken pairs within visits, and hours without a sound."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from octad.data.clock import SECOND
from octad.data.samples import Sample
from octad.model.inputs import Logged

__all__ = ["logged_of"]

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

_HOUR = 3_600 * SECOND
_AWAY = 1_800 * SECOND
_MOST_NAMES = 24
_FEWEST = 200
"""Visits, in an arm, that hold the later event of a pair."""
_ALWAYS = 0.998
"""A pair belongs together where, in one arm at least, the later has so often the earlier."""
_LATE = np.iinfo(np.int64).max


def logged_of(
    sample: Sample,
    people: IntArray,
    places: Mapping[str, tuple[tuple[str, ...], IntArray, IntArray]],
) -> Logged | None:
    """Count visits in which something came that never comes alone, and users by the hour.

    A pair is an event and another that comes before it in the same visit, in 998 of 1,000 visits
    of the arm in which that is more often so. A visit lacks the earlier one when the later came
    without it, and no other earlier one is lacking: a new way in passes several steps at once.
    Visits that began within half an hour of the exposure are left out, for they may have begun
    before it.

    Args:
        sample: Events in order, from exposure on.
        people: (U,) numbers of the sampled users with any event, rising.
        places: Attribute to its values, and their codes (U,); -1 where nothing is known.

    Returns:
        None without two arms and a thousand visits.
    """
    arms = len(sample.arms)
    mine = sample.person >= 0
    person, time = sample.person[mine], sample.time[mine]
    if arms < 2 or not len(person):
        return None
    numbers, first, visit = np.unique(sample.visit[mine], return_index=True, return_inverse=True)
    late = time[first] >= sample.exposed[person[first]] + _AWAY
    if int(late.sum()) < 5 * _FEWEST:
        return None
    who = person[first]
    arm = sample.arm[who]
    names, came = _first_times(sample, mine, visit, time, len(numbers))
    missing, reached, earlier = _pairs(came, arm, late, arms)
    alone = missing & (missing.sum(axis=0) == 1)
    lacks = np.zeros((len(earlier), arms))
    holds, users = np.zeros_like(lacks), np.zeros_like(lacks)
    for i in range(len(earlier)):
        lacks[i] = np.bincount(arm[alone[i]], minlength=arms)
        holds[i] = np.bincount(arm[reached[i]], minlength=arms)
        users[i] = np.bincount(sample.arm[np.unique(who[alone[i]])], minlength=arms)
    hours, active, exposed = _by_hour(sample, person, time)
    return Logged(
        earlier=tuple(names[i] for i in earlier),
        lacks=lacks,
        holds=holds,
        users_lack=users,
        users=np.bincount(sample.arm[people], minlength=arms).astype(np.float64),
        places=_by_place(alone, reached, np.searchsorted(people, who), arm, arms, places),
        hours=hours,
        active=active,
        exposed=exposed,
        query=sample.query,
    )


def _first_times(
    sample: Sample, mine: BoolArray, visit: IntArray, time: IntArray, visits: int
) -> tuple[list[str], IntArray]:
    """The commonest events, and when each first came in each visit (E, V)."""
    event = sample.event[mine]
    often = np.bincount(event, minlength=len(sample.names))
    kept = [int(c) for c in np.argsort(-often, kind="stable")[:_MOST_NAMES] if often[c] >= _FEWEST]
    came = np.full((len(kept), visits), _LATE, dtype=np.int64)
    for row, code in enumerate(kept):
        there = np.flatnonzero(event == code)
        # Events lie in the order of time, so that the last one written is the first one there.
        came[row, visit[there[::-1]]] = time[there[::-1]]
    return [sample.names[code] for code in kept], came


def _pairs(
    came: IntArray, arm: IntArray, late: BoolArray, arms: int
) -> tuple[BoolArray, BoolArray, list[int]]:
    """Visits that lack an earlier event (P, V), those that should have it, and which it is."""
    there = (came < _LATE) & late
    by_arm = [arm == a for a in range(arms)]
    missing, reached, earlier = [], [], []
    for a in range(len(came)):
        alone = there & (came[a] > came)
        lack, reach = np.zeros(came.shape[1], dtype=bool), np.zeros(came.shape[1], dtype=bool)
        for b in range(len(came)):
            held = np.array([float((there[b] & rows).sum()) for rows in by_arm])
            if a == b or held.min() < _FEWEST:
                continue
            broken = np.array([float((alone[b] & rows).sum()) for rows in by_arm])
            if (1 - broken / held).max() >= _ALWAYS:
                lack |= alone[b]
                reach |= there[b]
        if reach.any():
            missing.append(lack)
            reached.append(reach)
            earlier.append(a)
    empty = np.zeros((0, came.shape[1]), dtype=bool)
    if not earlier:
        return empty, empty, []
    return np.stack(missing), np.stack(reached), earlier


def _by_place(
    alone: BoolArray,
    reached: BoolArray,
    row: IntArray,
    arm: IntArray,
    arms: int,
    places: Mapping[str, tuple[tuple[str, ...], IntArray, IntArray]],
) -> dict[str, tuple[tuple[str, ...], FloatArray]]:
    """Visits that lack one and visits that should have it, by arm and value (2, A, V)."""
    found = {}
    for name, (values, codes, _) in places.items():
        code = codes[row]
        cell = arm * len(values) + code
        sums = []
        for flags in (alone, reached):
            weight = flags.sum(axis=0)[code >= 0]
            sums.append(np.bincount(cell[code >= 0], weight, arms * len(values)))
        found[name] = (values, np.stack(sums).reshape(2, arms, len(values)).astype(np.float64))
    return found


def _by_hour(
    sample: Sample, person: IntArray, time: IntArray
) -> tuple[NDArray[np.datetime64], FloatArray, FloatArray]:
    """Hours from the first to the last, sampled users seen in each, and exposed before it."""
    arms = len(sample.arms)
    hour = time // _HOUR
    start = int(hour.min())
    count = int(hour.max()) - start + 1
    once = np.unique(person * count + (hour - start))
    cell = (once % count) * arms + sample.arm[once // count]
    active = np.bincount(cell, minlength=count * arms).reshape(count, arms)
    known = np.array(sorted(n for n in sample.ids if n >= 0), dtype=np.int64)
    since = np.clip(sample.exposed[known] // _HOUR + 1 - start, 0, count)
    come = np.bincount(since * arms + sample.arm[known], minlength=(count + 1) * arms)
    exposed = come.reshape(count + 1, arms).cumsum(axis=0)[:count]
    hours = (start + np.arange(count)).astype("datetime64[h]")
    return hours, active.astype(np.float64), exposed.astype(np.float64)
