from __future__ import annotations

import pytest

from octad.faces.view import NBSP, view
from octad.model.finding import Answer, Finding, Stance
from octad.model.review import READINGS
from tests.faces.sample import review, thin_review


def _with_kpi(**finding: str) -> Answer:
    one = Finding(id="kpi.a", **{"claim": "A.", **finding})
    return Answer(stance=Stance.FOR, question="?", summary="s", findings=(one, one))


def test_readings_come_in_the_order_of_every_face() -> None:
    mixed = dict(reversed(review().readings.items()))
    shown = view(review().model_copy(update={"readings": mixed}))
    assert [reading.name for reading in shown.readings] == list(READINGS)
    assert [reading.side for reading in shown.readings] == list(range(8))


def test_a_reading_that_was_not_taken_is_a_silent_side() -> None:
    assert view(thin_review()).stances == ("silent",) * 8


def test_the_first_sentence_is_the_headline() -> None:
    shown = view(review())
    assert shown.headline == "Opens rose, payments fell, and fewer people come back in week four."
    assert len(shown.reasons) == 3


def test_a_silent_reading_says_what_it_needs() -> None:
    assert view(review()).readings[7].summary == "needs: a forecast in the plan, under ‘expects’"


def test_what_a_finding_rests_on_is_said_once() -> None:
    kpi = _with_kpi(assumes="x", breaks="y")
    first, second = view(review().model_copy(update={"kpi": kpi})).kpi.findings
    assert (first.said_before, second.said_before) == (False, True)


def test_a_summary_that_a_claim_repeats_is_not_said_twice() -> None:
    kpi = _with_kpi().model_copy(update={"summary": "A · and more"})
    assert view(review().model_copy(update={"kpi": kpi})).kpi.lead == ""
    assert view(review()).readings[0].lead != ""


@pytest.mark.parametrize(
    ("text", "set_right"),
    [
        ('"moving" to', "“moving” to"),
        ("the plan's", "the plan’s"),
        ("reviews' stars", "reviews’ stars"),
        ("met 'blank_feed' once", "met ‘blank_feed’ once"),
        ("[−4.0, −2.2]", f"[−4.0,{NBSP}−2.2]"),
        ("[a list, of words]", "[a list, of words]"),
        ("chance (p < .0001)", f"chance (p{NBSP}<{NBSP}.0001)"),
        ("the weakest, p .0030", f"the weakest, p{NBSP}.0030"),
        ("20,676 : 18,474", f"20,676{NBSP}:{NBSP}18,474"),
        ("The charter's `jobs:`", "The charter’s ‘jobs:’"),
    ],
)
def test_prose_is_set_right(text: str, set_right: str) -> None:
    assert view(review().model_copy(update={"warnings": (text,)})).warnings == (set_right,)


def test_the_glossary_explains_only_what_is_used() -> None:
    full = dict(view(review()).glossary)
    assert "Sample ratio" in full
    assert "Sample ratio" not in dict(view(thin_review()).glossary)
    assert "Surrogate" not in full


def test_a_query_s_anchor_is_made_of_its_order() -> None:
    shown = view(review())
    assert [anchor for anchor, _ in shown.queries] == ["query-1", "query-2"]
    assert shown.kpi.findings[0].query_anchor == "query-1"
    assert shown.kpi.findings[1].query_anchor == ""
