"""The figures of examples/messaging, held to its README."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

import octad
from octad.model.finding import Stance
from octad.model.review import Review, Verdict
from tests.examples.scripts import script
from tests.examples.shows import finding, page, quotes, rows

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def review(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Review:
    made = script("messaging", "make_project")
    root = made.make(shared_data / "messaging_2024", tmp_path_factory.mktemp("apps") / "month")
    return octad.open(str(root)).review("search")


def test_nothing_is_against_the_search(review: Review) -> None:
    assert review.verdict is Verdict.CANNOT_TELL
    assert review.readings["rival"].stance is Stance.MIXED
    stars = finding(review, "rival.stars")
    assert stars.stance is Stance.MIXED
    assert "from 4.4 to 4.3; with rivals' change taken off, −0.1" in stars.claim
    assert "none of 3 rivals rose" in finding(review, "rival.gains").claim


def test_what_rose_is_reading_aloud(review: Review, shared_data: Path) -> None:
    rose = finding(review, "rival.rose")
    term, row = next((t, r) for t, r in rows(rose).items() if t.startswith("read"))
    assert term in page("messaging")
    assert row[1:3] == ("0.65%", "4.7%")
    assert row[5] == 2.8
    assert any("aloud" in text.lower() for text in quotes(rose))
    with (shared_data / "messaging_2024" / "reviews.csv").open(encoding="utf-8") as file:
        ours = [r for r in csv.DictReader(file) if r["app_name"] == "ChatGPT"]
    after = [r["at"].startswith("Nov") or r["at"] == "Oct 31, 2024" for r in ours]
    aloud = ["read aloud" in r["review"].lower() for r in ours]
    assert sum(after) == 2562
    assert len(ours) - sum(after) == 8910
    assert sum(a and b for a, b in zip(aloud, after, strict=True)) == 82
    assert sum(a and not b for a, b in zip(aloud, after, strict=True)) == 17


def test_a_week_is_called_a_week_and_what_stayed_stayed(review: Review) -> None:
    assert "In the week from the launch reviews a day went to ×0.97" in (
        finding(review, "rival.release").claim
    )
    assert "stayed at 18% of our reviews" in finding(review, "product.talk").claim
    never = finding(review, "product.never.made_up")
    assert never.stance is None
    assert "none speaks against it" in never.claim


def test_a_pinned_demand_is_told_under_its_name(review: Review) -> None:
    assert "free quota" in rows(finding(review, "rival.demands"))


def test_the_readme_says_these_figures() -> None:
    said = page("messaging")
    for figure in ("44,286", "4.4 → 4.3", "0.65% to 4.7%", "2.8 stars", "82 of 2,562",
                   "17 of 8,910", "×0.97", "18%", '"free\nquota"'):  # fmt: skip
        assert figure in said
