"""Real weeks of reviews, one in which nothing happened and one in which praise was pushed."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from octad.model.finding import Answer, Finding, Stance, Table
from octad.model.inputs import Inputs
from octad.readings import rival
from tests.readings.voices_kit import Row, plan_of, reviews_of

APPS = ("ChatGPT", "Discord", "Google Gemini", "Telegram")


def _found(answer: Answer, name: str) -> Finding:
    return next(f for f in answer.findings if f.id == f"rival.{name}")


def _messaging(folder: Path) -> list[Row]:
    with (folder / "messaging_2024" / "reviews.csv").open(encoding="utf-8") as file:
        return [
            (
                row["app_name"].split(" - ")[0],
                datetime.strptime(row["at"], "%b %d, %Y").replace(tzinfo=UTC),
                float(row["score"]),
                row["review"],
            )
            for row in csv.DictReader(file)
        ]


@pytest.mark.real
def test_a_day_on_which_nothing_was_launched_says_nothing(shared_data: Path) -> None:
    """Four apps in October 2024: 22 October was no launch of any, and no finding takes a side.

    Telegram's reviewers ask for the code that does not come (“code, bangladesh, sms”), before as
    after: that is a demand, and not what rose.
    """
    rows = _messaging(shared_data)
    for own in APPS:
        rivals = tuple(app for app in APPS if app != own)
        answer = rival.read(
            plan_of(own, date(2024, 10, 22), rivals), Inputs(reviews=reviews_of(rows, own))
        )
        assert answer.stance is Stance.MIXED
        assert {f.stance for f in answer.findings} <= {Stance.MIXED, None}
        stars = _found(answer, "stars").estimate
        assert stars is not None
        assert stars.value is not None
        assert abs(stars.value) < 0.1
        moved = _found(answer, "moving").estimate
        assert moved is not None
        assert moved.low is not None
        assert moved.low < 1
        assert moved.high is not None
        assert moved.high > 1


@pytest.mark.real
def test_wondr_september_2024_is_praise_and_no_rating_rests_on_it(shared_data: Path) -> None:
    """3,546 five-star reviews in five days, where so many days bring 124."""
    with (shared_data / "bni_wondr" / "wondr_reviews.csv").open(encoding="utf-8") as file:
        rows: list[Row] = [
            (
                "wondr",
                datetime.fromisoformat(row["at"]).replace(tzinfo=UTC),
                float(row["score"]),
                row["content"],
            )
            for row in csv.DictReader(file)
            if row["at"] < "2024-11-01"
        ]
    answer = rival.read(
        plan_of("wondr", date(2024, 9, 2), ()), Inputs(reviews=reviews_of(rows, "wondr"))
    )
    table = _found(answer, "praise").evidence[0]
    assert isinstance(table, Table)
    burst = next(row for row in table.rows if row[1] == "2 Sep to 6 Sep 2024")
    assert burst[2] == 3546
    stars = _found(answer, "stars")
    assert stars.estimate is not None
    assert stars.estimate.treatment is not None
    # With the burst counted the mean is 4.1, and the claim says so.
    assert stars.estimate.treatment < 3.1
    assert "4.1 if suspect praise is counted" in stars.claim
