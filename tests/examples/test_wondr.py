"""The figures of examples/wondr, held to its README."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

import octad
from octad.model.finding import Stance
from octad.model.review import Review, Verdict
from tests.examples.scripts import script
from tests.examples.shows import finding, page, quotes, rows, silent

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def review(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Review:
    made = script("wondr", "make_project")
    root = made.make(shared_data / "bni_wondr", tmp_path_factory.mktemp("bank") / "wondr")
    return octad.open(str(root)).review("nov25")


def test_words_alone_give_no_verdict(review: Review) -> None:
    assert review.verdict is Verdict.CANNOT_TELL
    assert silent(review) == {"results", "horizon", "breadth", "user", "doubt", "reflection"}
    assert review.readings["rival"].stance is Stance.AGAINST
    assert review.readings["product"].stance is Stance.AGAINST


def test_what_rose_is_the_outage(review: Review, shared_data: Path) -> None:
    rose = finding(review, "rival.rose")
    assert rose.stance is Stance.AGAINST
    table = rows(rose)
    assert table["gangguan"][1:3] == ("1.9%", "8.9%")
    assert {"perbaikan", "maintenance", "seharian"} <= set(table)
    with (shared_data / "bni_wondr" / "wondr_reviews.csv").open(encoding="utf-8") as file:
        day = [int(r["score"]) for r in csv.DictReader(file) if r["at"][:10] == "2024-11-25"]
    assert (len(day), round(sum(day) / len(day), 2)) == (2402, 1.71)


def test_the_praise_that_followed_is_set_aside_and_hid_the_fall(review: Review) -> None:
    assert rows(finding(review, "rival.praise"))["wondr"][1:3] == ("30 Nov to 5 Dec 2024", 853)
    assert "853 five-star reviews of wondr" in review.readings["rival"].summary
    stars = finding(review, "rival.stars")
    assert stars.stance is Stance.AGAINST
    assert "from 2.6 to 2.3 (to 2.6 if suspect praise is counted)" in stars.claim


def test_the_old_app_is_named_as_no_control(review: Review) -> None:
    claim = finding(review, "rival.release").claim
    assert "×3.6, ×22.2 with the other product's change taken off" in claim
    assert "leans on one control: without BNI Mobile Banking (×0.16) it is ×3.6" in claim


def test_the_never_lines_are_held_against_what_people_wrote(review: Review) -> None:
    shut = finding(review, "product.never.shut_out")
    assert shut.stance is Stance.AGAINST
    assert not shut.harm
    assert "254 reviews after the launch may speak against it, 44 before" in shut.claim
    assert any("dibuka" in text for text in quotes(shut))
    money = finding(review, "product.never.lost_money")
    assert money.stance is Stance.MIXED
    assert "142 reviews after the launch may speak against it, 101 before" in money.claim


def test_the_readme_says_these_figures() -> None:
    said = page("wondr")
    for figure in ("1.9% to 8.9%", "2,402", "1.71", "853", "2.6 to 2.3", "×3.6", "×22.2", "×0.16",
                   "254", "44 before", "142", "101 before"):  # fmt: skip
        assert figure in said
