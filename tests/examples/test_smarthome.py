"""The figures of examples/smarthome's second story, held to its README."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

import octad
from octad.model.finding import Stance
from octad.model.review import Review, Verdict
from tests.examples.scripts import EXAMPLES
from tests.examples.shows import finding, page, rows

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def review(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Review:
    root = tmp_path_factory.mktemp("home") / "huawei"
    shutil.copytree(EXAMPLES / "smarthome" / "huawei", root)
    shutil.copy(shared_data / "smarthome_cn" / "reviews.csv", root)
    return octad.open(str(root)).review("nov2018")


def test_what_rose_is_the_crash(review: Review, shared_data: Path) -> None:
    rose = finding(review, "rival.rose")
    assert rose.stance is Stance.AGAINST
    assert rows(rose)["闪退"][1:5] == ("43%", "70%", "×3.14", "×0.90")
    assert rows(finding(review, "rival.fell"))["英文"][1:3] == ("11%", "0%")
    with (shared_data / "smarthome_cn" / "reviews.csv").open(encoding="utf-8") as file:
        day = [
            r["title"] + r["text"]
            for r in csv.DictReader(file)
            if r["app"] == "华为智能家居" and r["t"][:10] == "2018-11-08"
        ]
    assert len(day) == 344
    assert sum("闪退" in text for text in day) == 316


def test_padded_bursts_are_named(review: Review) -> None:
    praise = finding(review, "rival.praise")
    table = rows(praise)
    assert table["海尔智家"][1:3] == ("17 Dec to 18 Dec 2018", 205)
    assert "100% gave five stars (usually 16%)" in str(table["海尔智家"][4])
    assert "and 2 more bursts" in praise.claim


def test_loud_and_not_liked(review: Review) -> None:
    assert review.verdict is Verdict.CANNOT_TELL
    assert review.readings["rival"].stance is Stance.AGAINST
    assert review.readings["product"].stance is Stance.AGAINST
    liked = finding(review, "kpi.liked")
    assert "from 1.5 to 1.7" in liked.claim
    assert "happy reviews a day from 0.1 to 0.7 and unhappy reviews a day from 1.5 to 4.8" in (
        liked.claim
    )
    assert "went to ×16.8" in finding(review, "rival.release").claim
    assert finding(review, "rival.stars").stance is Stance.MIXED
    never = finding(review, "product.never.shut_out")
    assert never.stance is Stance.AGAINST
    assert "360 reviews after the launch may speak against it, 74 before" in never.claim


def test_the_readme_says_these_figures() -> None:
    said = page("smarthome")
    for figure in ("43% to 70%", "×0.90", "316 of 344", "11%", "360", "74 before", "205", "16%",
                   "1.5 → 1.7", "×16.8", "0.1 to 0.7", "1.5 to 4.8"):  # fmt: skip
        assert figure in said
