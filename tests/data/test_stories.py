"""Timelines: told by visit, cut in the middle, redacted, and never with a user's id."""

from __future__ import annotations

import numpy as np

from octad.data.clock import DAY, SECOND
from octad.data.samples import Sample
from octad.data.stories import Said, Teller, teller_of

KEY = b"k" * 32
NAMES = ("crash", "open", "pay")
MINUTE = 60 * SECOND


def _teller(events: list[tuple[int, int, int, int]], said: list[Said] | None = None) -> Teller:
    """Events as (person, visit, microseconds since exposure, code)."""
    rows = np.array(sorted(events, key=lambda e: (e[0], e[2])), dtype=np.int64).reshape(-1, 4)
    people = int(rows[:, 0].max(initial=0)) + 1
    sample = Sample(
        person=rows[:, 0],
        arms=("control", "treatment"),
        arm=np.arange(people) % 2,
        bucket=np.zeros(people, dtype=np.int64),
        exposed=np.zeros(people, dtype=np.int64),
        time=rows[:, 2],
        event=rows[:, 3],
        names=NAMES,
        visit=rows[:, 1],
        users=people,
        staff=0,
        query="q",
        ids={i: f"someone{i}@example.org" for i in range(people)},
    )
    return teller_of(sample, ("crash",), KEY, said or [])


def test_a_visit_is_a_line_with_repeats_counted_and_failures_marked() -> None:
    teller = _teller([(0, 0, 0, 1), (0, 0, MINUTE, 1), (0, 0, 4 * MINUTE, 0), (0, 1, DAY, 2)])
    story = teller.tell(0)
    assert [line.event for line in story.lines] == ["open ×2 → crash", "pay"]
    assert story.lines[0].note == "4 min; failed: crash; gone after an error"
    assert [line.error for line in story.lines] == [True, False]
    assert [line.day for line in story.lines] == [0, 1]
    assert story.title == "2 visits over 2 days, 4 events"


def test_silence_is_told() -> None:
    story = _teller([(0, 0, 0, 1), (0, 1, 9 * DAY, 1)]).tell(0)
    assert [(line.day, line.note) for line in story.lines][1] == (1, "nothing for 8 days")


def test_what_a_user_wrote_stands_in_its_place_and_is_redacted() -> None:
    words = Said(0, DAY // 2, 1.0, "Call me on 0812 3456 7890, it crashed")
    story = _teller([(0, 0, 0, 1), (0, 1, DAY, 2)], [words]).tell(0)
    assert story.lines[1].event == "wrote"
    assert story.lines[1].note.startswith("1 star: “Call me on [number]")
    assert story.lines[1].error


def test_no_id_is_ever_told() -> None:
    teller = _teller([(p, p, 0, 1) for p in range(4)])
    told = [teller.tell(row) for row in range(4)]
    assert len({s.user for s in told}) == 4
    assert not any("@" in s.model_dump_json() for s in told)
    assert {s.arm for s in told} == {"control", "treatment"}
    assert not any(s.arm in s.title for s in told)


def test_a_long_life_is_cut_in_the_middle_and_says_what_failed_there() -> None:
    events = [(0, v, v * DAY, 0 if v == 30 else 1) for v in range(100)]
    story = _teller(events).tell(0)
    assert len(story.lines) == 40
    assert story.lines[0].day == 0
    assert story.lines[-1].day == 99
    middle = [line for line in story.lines if "left out" in line.note]
    assert [line.note for line in middle] == ["61 lines left out, 1 of them with a failure"]


def test_a_long_visit_is_cut_too() -> None:
    events = [(0, 0, i * SECOND, 1 + i % 2) for i in range(30)]
    assert "… 19 more …" in _teller(events).tell(0).lines[0].event


def test_arms_are_known_for_those_who_are_named_and_in_the_sample() -> None:
    teller = _teller([(p, p, 0, 1) for p in range(4)])
    wanted = frozenset({teller.names[1], "ffffffff"})
    assert teller.arms_of(wanted) == {teller.names[1]: "treatment"}


def test_complainers_and_those_in_trouble_are_chosen_among_others() -> None:
    rng = np.random.default_rng(1)
    events = [
        (p, 10 * p + v, v * DAY + int(rng.integers(DAY // 2)), int(rng.integers(1, 3)))
        for p in range(60)
        for v in range(int(rng.integers(1, 9)))
    ]
    events += [(7, 77, DAY, 0), (8, 88, DAY, 0)]
    said = [Said(p, DAY, 1.0, "bad") for p in (20, 21)]
    chosen = _teller(events, said).chosen(20)
    why = dict(chosen)
    assert len(why) == 20
    assert {why.get(20), why.get(21)} == {"wrote a complaint"}
    assert {7, 8} <= set(why)  # in trouble, unless they were typical before that turn came
    assert "among the tenth with most trouble" in {why[7], why[8]}
    assert chosen == _teller(events, said).chosen(20)


def test_nobody_has_no_story() -> None:
    assert _teller([]).chosen(10) == []
