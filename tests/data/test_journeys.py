"""Journeys on timelines written by hand, and against counting with a loop."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from octad.data.journeys import Traces, ways_of
from octad.model.inputs import Ways

NAMES = ("open", "scan", "pay", "feed", "help")
JOBS = {"pay": ("pay", "scan"), "social": ("feed",)}


def _traces(visits: list[tuple[int, str]], arm: list[int], **more: object) -> Traces:
    """Visits as (person, first letters of events)."""
    letters = {n[0]: i for i, n in enumerate(NAMES)}
    visits = sorted(visits, key=lambda v: v[0])
    person = np.array([p for p, text in visits for _ in text], dtype=np.int64)
    event = np.array([letters[c] for _, text in visits for c in text], dtype=np.int64)
    visit = np.array([i for i, (_, text) in enumerate(visits) for _ in text], dtype=np.int64)
    return Traces(person, event, visit, NAMES, np.array(arm), more.get("places", {}))  # type: ignore[arg-type]


def _ways(visits: list[tuple[int, str]], arm: list[int], **more: object) -> Ways:
    found = ways_of(_traces(visits, arm, **more), JOBS, ("pay",), "q")
    assert found is not None
    return found


def _users(ways: Ways, kind: str, *steps: str) -> int:
    place = list(zip(ways.kind, ways.steps, strict=True)).index((kind, steps))
    return int((ways.way == place).sum())


def test_steps_turns_and_ways_to_a_job_are_counted_by_person() -> None:
    ways = _ways([(0, "ofp"), (0, "ofp"), (1, "os"), (1, "of"), (-1, "os")], [0, 1])
    assert _users(ways, Ways.STEP, "open", "feed") == 2
    assert _users(ways, Ways.TURN, "open", "feed", "pay") == 1
    assert _users(ways, "pay", "open", "feed", "pay") == 1
    assert _users(ways, "pay", "open", "scan") == 1
    gone = {s for k, s, n in zip(ways.kind, ways.steps, ways.staff, strict=True) if n}
    assert gone == {("open", "scan")}
    assert ways.team == 1
    assert ways.team_events == 2


def test_nothing_crosses_a_visit() -> None:
    ways = _ways([(0, "o"), (0, "f")], [0])
    assert ways.steps == ()
    assert len(ways.who) == 0


def test_a_way_to_a_job_takes_repeats_as_one_and_leaves_out_the_middle_of_long_ones() -> None:
    ways = _ways([(0, "ooofffp"), (1, "ofhfhfhfhfp")], [0, 0])
    to_pay = [s for k, s in zip(ways.kind, ways.steps, strict=True) if k == "pay"]
    assert ("open", "feed", "pay") in to_pay
    long = next(s for s in to_pay if len(s) > 3)
    assert long == ("open", "feed", "help", "feed", "help", "…", "feed", "pay")


def test_what_only_the_team_does_is_no_way_of_users() -> None:
    ways = _ways([(0, "of"), (-1, "hp"), (-1, "of")], [0])
    assert ways.steps == (("open", "feed"),)
    assert ways.staff.tolist() == [1]


def test_places_say_where_the_team_has_been() -> None:
    places = {"device": (("old", "new"), np.array([0, 1]), np.array([1, -1]))}
    ways = _ways([(0, "of"), (1, "of"), (-1, "of"), (-2, "of")], [0, 0], places=places)
    values, codes, gone = ways.places["device"]
    assert values == ("old", "new")
    assert codes.tolist() == [0, 1]
    assert gone[:, 0].tolist() == [False, True]  # the second member's device is not known


def test_mixes_count_each_job_and_the_rest() -> None:
    ways = _ways([(0, "osfh"), (1, "p"), (-1, "pp")], [0, 0])
    assert ways.jobs == ("pay", "social", "(other)")
    assert ways.mix.tolist() == [[1, 1, 2], [1, 0, 0]]
    assert ways.team_mix.tolist() == [2, 0, 0]


def test_the_team_alone_is_nobody() -> None:
    assert ways_of(_traces([(-1, "op")], []), JOBS, ("pay",), None) is None


@pytest.mark.parametrize("length", [2, 3])
def test_counts_are_those_of_a_loop(length: int) -> None:
    rng = np.random.default_rng(length)
    visits = [
        (int(rng.integers(-3, 20)), "".join(rng.choice(list("ospfh"), rng.integers(1, 9))))
        for _ in range(300)
    ]
    ways = _ways(visits, [0] * 20)
    full = {n[0]: n for n in NAMES}
    wanted: Counter[tuple[int, tuple[str, ...]]] = Counter(
        (person, tuple(full[c] for c in text[i : i + length]))
        for person, text in visits
        for i in range(len(text) - length + 1)
        if person >= 0
    )
    kind = {2: Ways.STEP, 3: Ways.TURN}[length]
    found = {
        (int(u), ways.steps[w]): int(n)
        for u, w, n in zip(ways.who, ways.way, ways.often, strict=True)
        if ways.kind[w] == kind
    }
    assert found == dict(wanted)
