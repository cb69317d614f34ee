from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML

from octad.errors import UnknownNameError
from octad.model.plan import Launch
from octad.worlds import kinds, names, simulate
from octad.worlds.launches import STRENGTHS


@cache
def _truth(name: str, strength: str = "plain") -> dict[str, Any]:
    return simulate(name, users=1_990, seed=3, strength=strength).truth


def _harms(truth: dict[str, Any]) -> set[str]:
    return {h["what"] for h in truth["harm"]}


def _year(truth: dict[str, Any], metric: str, who: str = "everyone") -> float:
    return float(truth["year"][who][metric])


def _window(truth: dict[str, Any], metric: str, who: str = "everyone") -> float:
    return float(truth["window"][who][metric])


def test_every_kind_is_a_world_and_tells_what_it_is() -> None:
    assert tuple(kind.name for kind in kinds()) == names()
    assert len(set(names())) == len(names())
    for kind in kinds():
        assert kind.title
        assert kind.about.endswith(".")
        assert kind.strengths == tuple(s for s in STRENGTHS if s in kind.strengths)
        assert kind.strengths[-1] == "plain"
        for strength in kind.strengths:
            assert kind.at(strength).world == kind.name
            assert kind.at(strength).design in kind.designs


def test_a_strength_that_there_is_none_of_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="no strength 'strong'"):
        simulate("true_win", strength="strong", users=100)
    with pytest.raises(UnknownNameError, match="It can be plain"):
        simulate("icon", strength="faint", users=100)


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.name)
def test_a_plan_says_what_its_truth_is_judged_by(kind: Any) -> None:
    launched = kind.at("plain")
    plan = Launch.model_validate(YAML(typ="safe").load(launched.plan))
    assert plan.launch == launched.launch
    design = plan.design if isinstance(plan.design, str) else type(plan.design).__name__.lower()
    assert design == launched.design
    assert plan.kpi == launched.aims.kpi
    assert {n: m.value for n, m in plan.results.items()} == pytest.approx(launched.aims.results)
    guards = {n: m.value for n, m in plan.guardrails.items()}
    assert guards == pytest.approx(launched.aims.guardrails)
    assert tuple(plan.segments or ()) == launched.aims.segments


@pytest.mark.parametrize("name", ["hollow_win", "gamed", "heavy_bug"])
def test_the_same_seed_gives_the_same_truth(name: str) -> None:
    one, two = (simulate(name, seed=4, users=110) for _ in range(2))
    assert one.truth == two.truth
    first, second = (np.asarray(w.tables["events"]["ts"]) for w in (one, two))
    assert np.array_equal(first, second)


def test_a_true_win_is_good_now_and_later() -> None:
    truth = _truth("true_win")
    assert truth["good"]
    assert not truth["harm"]
    assert _window(truth, "payments") > 0.06
    assert _year(truth, "spend") > 0.06
    assert truth["right"][0] == "ship"


def test_nothing_is_nothing() -> None:
    truth = _truth("neutral")
    assert set(truth["window"]["everyone"].values()) == {0.0}
    assert set(truth["year"]["everyone"].values()) == {0.0}
    assert truth["right"] == ["hold"]


def test_a_hollow_win_is_a_win_at_first() -> None:
    truth = _truth("hollow_win", "faint")
    assert _window(truth, "opens") > 0.04
    assert _window(truth, "payments") > -0.03  # within its margin, so far
    assert _year(truth, "payments") < -0.03
    assert "result worse" in _harms(truth)
    assert not truth["visible"]


def test_a_novelty_fades() -> None:
    truth = _truth("novelty")
    assert _window(truth, "opens") > 0.05
    assert abs(_year(truth, "opens")) < 0.02
    assert _harms(truth) == {"gain fades"}


def test_a_slow_win_costs_the_kpi_first() -> None:
    truth = _truth("slow_win")
    assert _window(truth, "opens") < -0.01
    assert truth["by_day"]["payments"][0] < 0 < truth["by_day"]["payments"][27]
    assert _year(truth, "payments") > 0.05
    assert truth["good"]


def test_only_old_phones_are_harmed() -> None:
    truth = _truth("segment_harmed")
    assert _window(truth, "payments") > 0
    assert _window(truth, "spend", "device_class=old") < -0.1
    assert _window(truth, "spend", "device_class=new") > 0.05
    assert "segment harmed" in _harms(truth)
    assert "result worse" not in _harms(truth)


def test_a_bug_grows_with_use() -> None:
    truth = _truth("heavy_bug", "clear")
    assert _year(truth, "retained", "heavy users") < -0.02
    assert _year(truth, "retained") > -0.02
    assert "heavy users harmed" in _harms(truth)


def test_a_few_accounts_make_the_gain() -> None:
    truth = _truth("gamed")
    assert _window(truth, "transfers") > 0.1
    assert abs(_year(truth, "transfers", "all but farms")) < 0.005
    assert "gain made by few" in _harms(truth)


def test_a_core_job_is_displaced_though_people_come_more_often() -> None:
    truth = _truth("cannibal")
    assert _window(truth, "opens") > 0.05
    assert _window(truth, "transfers") < -0.3
    assert abs(_window(truth, "payments")) < 0.01
    assert "core job displaced" in _harms(truth)
    posts = simulate("cannibal", users=1000).tables["events"]["name"]
    assert posts.is_("post").any()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "metric", "who"),
    [
        ("true_win", "payments", "everyone"),
        ("hollow_win", "retained", "everyone"),
        ("cannibal", "transfers", "everyone"),
    ],
)
def test_a_stronger_one_does_more(name: str, metric: str, who: str) -> None:
    effects = [abs(_window(_truth(name, s), metric, who)) for s in ("faint", "plain")]
    assert effects[0] < effects[1]


def test_more_users_see_more() -> None:
    truths = [simulate("true_win", users=n, strength="clear").truth for n in (400, 1_600)]
    errors = [t["se"]["everyone"]["payments"] for t in truths]
    # the standard error falls with the square root of the users: 4 times as many, 2
    assert errors[0] / errors[1] == pytest.approx(2.0, rel=0.2)
    assert truths[0]["power"] < truths[1]["power"]
