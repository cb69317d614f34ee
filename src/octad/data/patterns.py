"""Signs of trouble that no event names: read off the order and the pace of what people do.

An event called `error` is logged by a developer who foresaw it. What users run into otherwise
shows in what they do next: the same thing again and again, straight back, round in circles, a long
wait, gone. Each sign below is a rule a person could apply to a timeline with a pencil.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from octad.data.clock import SECOND

__all__ = ["PATTERNS", "Track", "patterns_of"]

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

AGAIN = "the same again and again"
BACK = "straight back"
CIRCLES = "round in circles"
WAIT = "a long wait"
GONE = "gone after an error"

PATTERNS = {
    AGAIN: "the same event three times or more, each within 10 seconds of the one before, where "
    "that event seldom follows itself so soon",
    BACK: "another event, and back to the first within 5 seconds",
    CIRCLES: "two events in turn, three times over, and nothing else between",
    WAIT: "a pause over 10 seconds that is also five times as long as is usual between these two",
    GONE: "an error, and nothing more in the visit",
}
"""Each sign with its rule, in words."""

_AGAIN_WITHIN = 10 * SECOND
_BACK_WITHIN = 5 * SECOND
_WAIT_AT_LEAST = 10 * SECOND
_WAIT_TIMES = 5
_FEWEST_GAPS = 30
_SELDOM = 0.1


@dataclass(frozen=True, slots=True)
class Track:
    """Events of several people, sorted by person and time.

    Attributes:
        time: (m,) microseconds.
        event: (m,) codes.
        visit: (m,) visit numbers; no visit belongs to two people.
        error: (m,) whether the event means that something failed.
    """

    time: IntArray
    event: IntArray
    visit: IntArray
    error: BoolArray


def patterns_of(track: Track) -> dict[str, BoolArray]:
    """Where each sign of trouble is complete.

    A sign is marked once for each run of it, at the event that completes it, so that a person who
    taps twenty times in a row has met it once.

    Returns:
        Name to (m,) flags.
    """
    return {
        AGAIN: _again(track),
        BACK: _back(track),
        CIRCLES: _circles(track),
        WAIT: _wait(track),
        GONE: _gone(track),
    }


def _before(track: Track, steps: int) -> BoolArray:
    """Whether the event so many places before belongs to the same visit."""
    inside = np.zeros(len(track.visit), dtype=bool)
    inside[steps:] = track.visit[steps:] == track.visit[: max(0, len(track.visit) - steps)]
    return inside


def _shifted(values: IntArray, steps: int) -> IntArray:
    out = np.full_like(values, -1)
    out[steps:] = values[: max(0, len(values) - steps)]
    return out


def _later(flags: BoolArray, steps: int) -> BoolArray:
    """The flags of so many places before."""
    out = np.zeros(len(flags), dtype=bool)
    out[steps:] = flags[: max(0, len(flags) - steps)]
    return out


def _again(track: Track) -> BoolArray:
    same = _before(track, 1) & (track.event == _shifted(track.event, 1))
    quick: BoolArray = same & (track.time - _shifted(track.time, 1) <= _AGAIN_WITHIN)
    # Pages of a feed or notes of a song follow one another by their nature.
    often = np.bincount(track.event) if len(track.event) else np.zeros(0)
    soon = np.bincount(track.event[quick], minlength=len(often))
    usual = (often >= _FEWEST_GAPS) & (soon > _SELDOM * often)
    return quick & _later(quick, 1) & ~_later(quick, 2) & ~usual[track.event]


def _back(track: Track) -> BoolArray:
    first, other = _shifted(track.event, 2), _shifted(track.event, 1)
    quick: BoolArray = (
        _before(track, 2)
        & (track.event == first)
        & (track.event != other)
        & (track.time - _shifted(track.time, 1) <= _BACK_WITHIN)
    )
    return quick


def _circles(track: Track) -> BoolArray:
    """A B A B A B: the sixth event completes it, and a seventh adds nothing."""
    turn: BoolArray = (
        _before(track, 2)
        & (track.event == _shifted(track.event, 2))
        & (track.event != _shifted(track.event, 1))
    )
    whole = turn & _later(turn, 1) & _later(turn, 2) & _later(turn, 3)
    return whole & ~_later(turn, 4)


def _wait(track: Track) -> BoolArray:
    """Against the usual pause between the same two events, over everyone."""
    inside = _before(track, 1)
    gap = np.where(inside, track.time - _shifted(track.time, 1), 0)
    width = int(track.event.max(initial=0)) + 1
    pair = np.where(inside, _shifted(track.event, 1) * width + track.event, -1)
    order = np.lexsort((gap, pair))
    kinds, start, count = np.unique(pair[order], return_index=True, return_counts=True)
    usual = gap[order][start + count // 2].astype(np.float64)
    usual[count < _FEWEST_GAPS] = np.inf
    typical = usual[np.searchsorted(kinds, pair)]
    long: BoolArray = inside & (gap > _WAIT_AT_LEAST) & (gap > _WAIT_TIMES * typical)
    return long


def _gone(track: Track) -> BoolArray:
    last = np.ones(len(track.visit), dtype=bool)
    last[:-1] = track.visit[1:] != track.visit[:-1]
    return last & track.error
