"""What a program may rely on: the JSON of a review, and its committed schema."""

from __future__ import annotations

import importlib
import json
from typing import Any

import pytest

from octad.faces.json import committed_schema, json_text, schema_text
from octad.model.finding import Finding, Number
from octad.model.review import READINGS, Review
from tests.faces.sample import review, thin_review

HOW = (
    "The model has changed. If that is meant, write octad.faces.json.schema_text() to "
    "src/octad/faces/schema/review.schema.json, and tell in CHANGELOG.md what programs must know."
)


def test_the_committed_schema_is_the_model_s() -> None:
    assert committed_schema() == schema_text(), HOW


@pytest.mark.parametrize("made", [review(), thin_review()])
def test_a_review_fits_its_schema(made: Review) -> None:
    checker: Any = importlib.import_module("jsonschema")  # it brings no types
    checker.validate(json.loads(json_text(made)), json.loads(committed_schema()))


def test_a_review_comes_back_whole() -> None:
    assert Review.model_validate_json(json_text(review())) == review()


def test_what_the_design_promises_is_there() -> None:
    made: dict[str, Any] = json.loads(json_text(review()))
    promised = "octad launch verdict because next looks plan_digest sealed deviations kpi readings"
    assert [key for key in made if key in promised.split()] == [
        key for key in made if key in set(promised.split())
    ]
    assert set(promised.split()) <= set(made)
    assert list(made["readings"]) == list(READINGS)
    assert made["verdict"] == "roll back"
    finding = "id claim stance grade metric segment estimate n method assumes breaks evidence"
    assert {*finding.split(), "query_digest"} <= set(made["kpi"]["findings"][0])
    estimate = "value low high level relative unit p anytime_low anytime_high"
    assert set(estimate.split()) <= set(made["kpi"]["findings"][0]["estimate"])
    assert made["kpi"]["findings"][1]["metric"] is None


def test_keys_come_in_one_order() -> None:
    made = json.loads(json_text(review()))
    assert list(made) == list(Review.model_fields)
    assert list(made["kpi"]["findings"][0]) == list(Finding.model_fields)


def test_what_is_not_a_number_is_null() -> None:
    made = review()
    finding = Finding(id="x", claim="x", estimate=Number(value=1.0, low=float("-inf")))
    made = made.model_copy(
        update={"kpi": made.kpi.model_copy(update={"findings": (finding,)})},
    )
    text = json_text(made)
    assert json.loads(text)["kpi"]["findings"][0]["estimate"]["low"] is None
    assert "Infinity" not in text


def test_a_terminal_that_shows_json_obeys_nothing() -> None:
    text = json_text(review())
    assert not set(text) & {"\x1b", "\x9b", "\u202e", "\u200b"}
    assert "\\u202e" in text
