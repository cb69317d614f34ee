from __future__ import annotations

import math

import pytest
from pydantic import ValidationError

from octad.model.records import (
    Decision,
    Lesson,
    Look,
    Outcome,
    Record,
    Seal,
    Tagged,
    Unknown,
    Unlocked,
    Walked,
    read_record,
    record_body,
)

RECORDS: list[Record] = [
    Seal(launch="a", plan_digest="0", record={"launch": {"kpi": "opens"}}, before_data=True),
    Look(launch="a", plan_digest="0", verdict="hold", effects={"opens": (0.1, 0.02)}),
    Decision(launch="a", what="ship", who="Mei", why="we must", against=("breadth",)),
    Outcome(launch="a", metric="opens", sure=0.8, happened=1.0, change="at least 5%"),
    Tagged(launch="a", user="h1", reader="Lin", tags=("lost",)),
    Unlocked(launch="a", read=10),
    Walked(launch="a", step=("open", "pay"), who="Lin"),
    Lesson(launch="a", text="Ask the payers."),
    Unknown(launch="a", kind="hologram", body={"launch": "a", "x": [1]}),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.kind)
def test_every_kind_comes_back_as_it_was(record: Record) -> None:
    assert read_record(record.kind, record_body(record)) == record


def test_a_key_of_a_newer_version_is_passed_over() -> None:
    body = {**record_body(RECORDS[0]), "hologram": True}
    assert read_record("seal", body) == RECORDS[0]


def test_a_record_that_lacks_what_it_needs_is_refused() -> None:
    with pytest.raises(ValidationError):
        read_record("seal", {"launch": "a"})


def test_an_effect_that_could_not_be_reckoned_is_left_out() -> None:
    look = Look(
        launch="a", plan_digest="0", verdict="hold", effects={"x": (math.nan, 1), "y": (0.1, 0.2)}
    )
    assert look.effects == {"y": (0.1, 0.2)}
