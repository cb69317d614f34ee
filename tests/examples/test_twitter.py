"""The figures of examples/twitter, held to its README."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

import octad
from octad.model.finding import Stance
from octad.model.review import Review, Verdict
from tests.examples.scripts import script
from tests.examples.shows import finding, page, rows

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def review(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Review:
    made = script("twitter", "make_project")
    root = made.make(shared_data / "twitter_takeover", tmp_path_factory.mktemp("bird") / "year")
    return octad.open(str(root)).review("owner")


def test_counts_alone_give_no_verdict_and_no_stars(review: Review) -> None:
    assert review.verdict is Verdict.CANNOT_TELL
    assert review.readings["rival"].stance is Stance.MIXED
    assert review.kpi.summary == "talk ×1.6"
    assert "stars" not in finding(review, "rival.release").claim
    assert "nan" not in review.model_dump_json().lower().replace("finan", "")


def test_where_people_went_is_named(review: Review, shared_data: Path) -> None:
    claim = finding(review, "rival.gains").claim
    assert "talk about Mastodon went to ×30.5" in claim
    assert "Hive was heard of for the first time (2,947 reviews)" in claim
    assert "Mastodon" in review.readings["rival"].summary
    table = rows(finding(review, "rival.gains"))
    assert len(table["Hive"]) == 4
    assert table["Hive"][3] is None
    with (shared_data / "twitter_takeover" / "panel_weekly.csv").open(encoding="utf-8") as file:
        weeks = {r["date"]: r["n"] for r in csv.DictReader(file) if "twitter" in r["app"]}
    assert [weeks[d] for d in ("2022-10-20", "2022-10-27", "2022-11-03")] == [
        "2313",
        "4153",
        "5740",
    ]


def test_a_control_that_moves_by_itself_is_named(review: Review) -> None:
    found = finding(review, "rival.release")
    assert "went to ×2.1, ×2.9 with other products' change taken off" in found.claim
    assert "Truth Social moved the other way (talk ×0.14)" in found.claim
    assert "without it ×2.3" in found.claim
    assert "talk moved as clearly at 0 of 9" in found.claim
    assert set(rows(found, "left out")) == {"Gettr", "MeWe", "Truth Social", "VK"}


def test_the_readme_says_these_figures() -> None:
    said = page("twitter")
    for figure in ("×1.6", "×2.1", "2,313", "4,153", "5,740", "×30.5", "2,947", "×2.9", "×0.14",
                   "×2.3", "0 of 9"):  # fmt: skip
        assert figure in said
