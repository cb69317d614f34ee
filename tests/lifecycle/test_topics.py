"""What a person writes into topics.yml, from the file to the report."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

import pytest

from octad.faces.report import report
from octad.lifecycle.session import Session
from octad.model.finding import Table
from octad.model.review import Review

PROJECT = """\
product: Wallet
sources:
  reviews: {table: reviews.csv}
rivals: [OtherPay]
metrics:
  stars: {reviews: stars}
"""
LAUNCH = "launch: spring\nwhat: A new look.\ndesign: {everyone: 2026-03-01}\nkpi: stars\n"
SAID = [
    (5, "pays in a blink, so fast"),
    (2, "slow again, every screen is slow"),
    (1, "cannot log in with my password"),
    (2, "the app crashes when I open it"),
    (1, "crashed again today"),
    (3, "my passbook does not print"),
    (4, "simple and good"),
    (5, "love it, thank you"),
]


def _project(root: Path, topics: str = "") -> Path:
    (root / "launches").mkdir(parents=True)
    (root / "octad.yml").write_text(PROJECT, encoding="utf-8")
    (root / "launches" / "spring.yml").write_text(LAUNCH, encoding="utf-8")
    if topics:
        (root / "topics.yml").write_text(topics, encoding="utf-8")
    with (root / "reviews.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["product", "time", "rating", "text", "author"])
        for app in ("Wallet", "OtherPay"):
            for d in range(-60, 60):
                day = date(2026, 3, 1) + timedelta(days=d)
                for i in range(4):
                    stars, text = SAID[(d + 60 + 3 * i) % len(SAID)]
                    table.writerow([app, day, stars, f"{text} {app}", f"{app}-{d}-{i}"])
    return root


def _review(root: Path) -> Review:
    return Session.open(root).review("spring")


def _demands(review: Review) -> dict[str, tuple[str | float | int | None, ...]]:
    found = next(f for f in review.readings["rival"].findings if f.id == "rival.demands")
    table = found.evidence[0]
    assert isinstance(table, Table)
    return {str(row[0]): row for row in table.rows}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Review:
    return _review(_project(tmp_path_factory.mktemp("plain") / "wallet"))


def test_without_the_file_demands_carry_the_names_octad_gives(plain: Review) -> None:
    assert {"speed", "signing in", "crashing and freezing"} <= set(_demands(plain))
    assert "passbook" not in _demands(plain)


def test_what_a_person_pins_renames_and_merges_reaches_the_report(
    plain: Review, tmp_path: Path
) -> None:
    topics = (
        "pin:\n  the passbook: [passbook]\n"
        "rename:\n  speed: how quick it is\n"
        "merge:\n  getting in: [signing in, crashing and freezing]\n"
    )
    review = _review(_project(tmp_path / "wallet", topics))
    found, before = _demands(review), _demands(plain)
    assert {"the passbook", "how quick it is", "getting in"} <= set(found)
    assert not {"speed", "signing in", "crashing and freezing"} & set(found)
    # A name changes nothing else: the same reviewers, the same stars.
    assert found["how quick it is"][1:] == before["speed"][1:]
    share = {name: float(str(row[2]).rstrip("%")) for name, row in {**before, **found}.items()}
    # Nobody writes of both, so the merged share is the sum, each rounded to two digits.
    parts = share["signing in"] + share["crashing and freezing"]
    assert share["getting in"] == pytest.approx(parts, abs=1)
    page = report(review)
    for name in ("the passbook", "how quick it is", "getting in"):
        assert name in page
    assert review.verdict is plain.verdict


def test_a_name_that_is_none_of_the_demands_is_said_in_the_report(tmp_path: Path) -> None:
    review = _review(_project(tmp_path / "wallet", "rename:\n  pumpkins: gourds\n"))
    missing = review.readings["rival"].missing
    assert any("topics.yml speaks of “pumpkins”" in words for words in missing)
    assert "pumpkins" in report(review)
