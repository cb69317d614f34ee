"""The main job at full size: the worked example, from nothing to its verdict."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import octad
from octad.faces.terminal import terminal_text
from octad.lifecycle import demo
from octad.model.finding import Stance, State
from octad.model.review import Review, Verdict

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demo.create(tmp_path_factory.mktemp("demo") / "demo")


@pytest.fixture(scope="module")
def review(folder: Path) -> Review:
    return octad.open(str(folder)).review("circles", log_look=False)


def test_the_social_feed_is_rolled_back(review: Review) -> None:
    assert review.verdict is Verdict.ROLL_BACK
    assert review.verdict.exit_code == 20
    assert review.simulated
    assert review.final
    assert review.sealed is not None
    assert not review.deviations


def test_the_kpi_rises_while_the_results_fall(review: Review) -> None:
    assert review.kpi.stance is Stance.FOR
    found = {f.id: f for f in review.readings["results"].findings}
    assert found["results.payments"].state is State.WORSE
    assert found["results.retained"].state is State.WORSE
    assert "results.parting" in found


def test_every_estimate_holds_the_truth_of_the_world(review: Review, folder: Path) -> None:
    """The 95% intervals of seed 7 hold what running the world under both arms gives."""
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    effects = truth["relative_effects"]["everyone"]
    answers = [review.kpi, *review.readings.values()]
    checked = 0
    for finding in (f for answer in answers for f in answer.findings):
        e = finding.estimate
        if finding.id in ("kpi.opens", "results.payments", "results.retained"):
            assert e is not None
            assert e.low is not None
            assert e.high is not None
            assert e.low <= effects[str(finding.metric)] <= e.high, finding.id
            checked += 1
    assert checked == 3


def test_the_harmed_are_found_among_the_old_phones_and_people(review: Review) -> None:
    harmed = [f for f in review.readings["breadth"].findings if f.segment and f.harm]
    assert harmed
    words = " ".join(f.claim for f in harmed)
    assert "north" in words
    assert "60 and over" in words


def test_what_only_users_meet_is_named(review: Review) -> None:
    claims = {f.id: f.claim for f in review.readings["user"].findings}
    assert "The team itself never met it." in claims["user.error.blank_feed"]
    assert review.readings["user"].stance is Stance.AGAINST


def test_reviews_turn_to_the_feed_and_a_rival_gains(review: Review) -> None:
    claims = " ".join(f.claim for f in review.readings["rival"].findings)
    assert "feed" in claims
    assert "OtherPay" in claims
    assert review.readings["rival"].stance is Stance.AGAINST


def test_the_readme_shows_what_the_demo_prints(review: Review) -> None:
    shown = (ROOT / "README.md").read_text(encoding="utf-8")
    text = terminal_text(review, width=108, full="demo/reviews/circles.html")
    for line in text.strip("\n").splitlines():
        if " rows read in " in line:
            break  # the cost differs from run to run
        assert line.rstrip() in shown, line


def _rounded(value: Any) -> Any:
    """Sums over threads come in any order, so the last two of a float's digits are not defined."""
    if isinstance(value, float):
        return float(f"{value:.12g}")
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list | tuple) else value


def test_a_launch_reviewed_twice_says_the_same(review: Review, folder: Path) -> None:
    again = octad.open(str(folder)).review("circles", log_look=False)
    first, second = (r.model_dump(exclude={"cost"}) for r in (review, again))
    assert _rounded(second) == _rounded(first)
