"""Signs of trouble on timelines written by hand."""

from __future__ import annotations

import numpy as np

from octad.data.clock import SECOND
from octad.data.patterns import AGAIN, BACK, CIRCLES, GONE, PATTERNS, WAIT, Track, patterns_of


def _track(events: str, gaps: list[float] | None = None, visits: list[int] | None = None) -> Track:
    gaps = gaps if gaps is not None else [20.0] * len(events)
    return Track(
        time=(np.cumsum(gaps) * SECOND).astype(np.int64),
        event=np.array([ord(c) - 97 for c in events], dtype=np.int64),
        visit=np.array(visits if visits is not None else [0] * len(events), dtype=np.int64),
        error=np.array([c == "x" for c in events], dtype=bool),
    )


def _at(track: Track, name: str) -> list[int]:
    return [int(i) for i in np.flatnonzero(patterns_of(track)[name])]


def test_again_counts_a_run_once_where_it_is_complete() -> None:
    assert _at(_track("aaaaaab", [1] * 7), AGAIN) == [2]
    assert _at(_track("aabaa", [1] * 5), AGAIN) == []
    assert _at(_track("aaa", [1, 1, 11]), AGAIN) == []
    assert _at(_track("aaabaaa", [1] * 7), AGAIN) == [2, 6]


def test_what_follows_itself_by_its_nature_is_no_trouble() -> None:
    scrolled = "b" + "aaa" * 12
    assert _at(_track(scrolled, [1] * len(scrolled)), AGAIN) == []
    seldom = "aaa" + "ba" * 60
    assert _at(_track(seldom, [1] * len(seldom)), AGAIN) == [2]


def test_again_does_not_cross_visits() -> None:
    assert _at(_track("aaa", [1] * 3, [0, 0, 1]), AGAIN) == []


def test_straight_back_is_quick_and_to_where_one_was() -> None:
    assert _at(_track("aba", [9, 9, 5]), BACK) == [2]
    assert _at(_track("aba", [9, 9, 6]), BACK) == []
    assert _at(_track("abc", [9, 9, 1]), BACK) == []
    assert _at(_track("aaa", [9, 9, 1]), BACK) == []


def test_circles_need_three_turns_and_are_counted_once() -> None:
    assert _at(_track("ababab"), CIRCLES) == [5]
    assert _at(_track("ababa"), CIRCLES) == []
    assert _at(_track("abababab"), CIRCLES) == [5]
    assert _at(_track("ababcab"), CIRCLES) == []
    assert _at(_track("ababab", None, [0, 0, 0, 1, 1, 1]), CIRCLES) == []


def test_a_wait_is_long_against_what_is_usual_between_the_same_two() -> None:
    usual = "ab" * 40
    gaps = [30.0, 2.0] * 40
    track = _track(usual + "ab", [*gaps, 30.0, 11.0])
    assert _at(track, WAIT) == [81]
    assert _at(_track(usual + "ab", [*gaps, 30.0, 9.0]), WAIT) == []
    assert _at(_track("ab", [1.0, 900.0]), WAIT) == []  # nobody knows what is usual


def test_gone_is_an_error_that_ends_a_visit() -> None:
    assert _at(_track("axaxa", None, [0, 0, 1, 1, 1]), GONE) == [1]
    assert _at(_track("ax"), GONE) == [1]


def test_no_events_have_no_signs_and_every_sign_is_explained() -> None:
    found = patterns_of(_track(""))
    assert set(found) == set(PATTERNS)
    assert not any(flags.any() for flags in found.values())
    for events in ("a", "ab", "aba"):
        assert all(len(flags) == len(events) for flags in patterns_of(_track(events)).values())
