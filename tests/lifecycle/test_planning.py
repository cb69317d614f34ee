"""What a plan is told before it is sealed: each reading's outlook, cautions, precedents."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest

from octad.lifecycle.cautions import warnings
from octad.lifecycle.likeness import alike
from octad.lifecycle.outlook import Known, prospects
from octad.model.inputs import History, PastForecast, PastLaunch
from octad.model.plan import Launch, Plan, Project
from octad.model.planned import MetricSize, Prospect
from octad.model.records import Lesson, Record, Seal
from octad.model.review import READINGS
from octad.project.chain import Entry

SOURCES: dict[str, Any] = {
    "events": {"table": "e"},
    "exposures": {"table": "x"},
    "users": {"table": "u", "attributes": ["region"], "staff": "staff"},
    "reviews": {"table": "r"},
    "releases": {"table": "l"},
}


def plan(sources: dict[str, Any] | None = None, **launch: Any) -> Plan:
    metrics = {name: {"count": name} for name in ("opens", "payments", "crashes")}
    charter = {"jobs": {"pay": {"events": ["pay"], "core": True}}, "errors": ["crash"]}
    project = {
        "product": "Wallet",
        "rivals": ["OtherPay"],
        "charter": charter,
        "sources": SOURCES if sources is None else sources,
        "metrics": metrics,
    }
    usual: dict[str, Any] = {
        "launch": "circles",
        "what": "A social feed on the home page.",
        "arms": {"control": "off", "treatment": "on"},
        "starts": date(2026, 3, 1),
        "ends": date(2026, 3, 28),
        "enrol_until": date(2026, 3, 14),
        "kpi": "opens",
        "results": {"payments": "1%"},
        "guardrails": {"crashes": "2%"},
        "horizon": "90d",
        "jobs": ["pay"],
        "expects": [{"metric": "opens", "change": "at least 5%", "sure": "80%"}],
        "signed": {"product": "Mei"},
    }
    usual = {k: v for k, v in {**usual, **launch}.items() if v is not None}
    return Plan(project=Project.model_validate(project), launch=Launch.model_validate(usual))


SIZES = (
    MetricSize(metric="opens", role="KPI", level=5.0, visible=0.01),
    MetricSize(metric="payments", role="result", visible=0.014, margin=0.01, users=90_000, days=40),
    MetricSize(metric="crashes", role="guardrail", visible=0.04, margin=0.02, users=900_000),
)
OLD = Known(users=80_000, since=date(2025, 6, 1), until=date(2026, 2, 28))


def outlook(made: Plan, known: Known = OLD) -> dict[str, Prospect]:
    found = prospects(made, SIZES, known)
    assert tuple(p.reading for p in found) == READINGS
    return {p.reading: p for p in found}


def test_each_reading_says_what_it_will_see() -> None:
    said = outlook(plan())
    assert all(p.will for p in said.values())
    assert said["results"].will[0] == (
        "payments: a change of 1.4% or more; a loss kept within 1% from 90,000 users on, day 40."
    )
    assert "they are not on the way" in said["breadth"].cannot[0]
    assert "A forecast for 90d" in said["horizon"].will[1]
    assert said["doubt"].speaks == "yes"


def test_a_split_that_could_be_seen_is_the_textbook_s() -> None:
    said = outlook(plan())["doubt"].will[0]
    # (z of .0005 + z of .8) times half a point over the root of 80,000: 4.132 × .5 / 282.8 = .73.
    assert said == "A split that is off by 0.73 points or more."


def test_a_horizon_that_no_data_reach_is_said_with_what_would() -> None:
    short = Known(users=1, since=date(2026, 2, 1), until=date(2026, 2, 28))
    said = outlook(plan(), short)["horizon"]
    assert said.speaks == "partly"
    assert "holds 28 days" in said.cannot[0]
    assert said.needs == ("events from 2025-11-17 on",)


def test_what_is_not_there_is_asked_for() -> None:
    everyone = {"everyone": "2026-03-01"}
    bare = plan(sources={}, results={}, guardrails={}, expects=[], design=everyone, arms=None)
    found = prospects(bare, SIZES[:1], Known())
    assert {p.reading for p in found if p.speaks == "no"} == set(READINGS)
    assert all(p.needs for p in found)


def test_a_harmed_group_s_size_follows_from_the_noise() -> None:
    few = Known(users=8_000, variances={"payments": 4.0})
    many = Known(users=800_000, variances={"payments": 4.0})
    one, two = (outlook(plan(), known)["breadth"].will[-1] for known in (few, many))
    assert "In a group of a tenth of the users, by region: a loss of about" in one
    sizes = [float(text.split("about ")[1].split("%")[0]) for text in (one, two)]
    assert sizes[0] == pytest.approx(10 * sizes[1], rel=0.01)  # a hundred times the users


def test_forecasts_and_launches_are_counted() -> None:
    forecasts = (PastForecast("a", "opens", 0.8, 1.0),) * 20
    said = outlook(plan(), Known(history=History(forecasts=forecasts)))
    assert not said["reflection"].cannot
    launches = tuple(past(f"l{i}", 0.1, 0.1) for i in range(12))
    said = outlook(plan(), Known(history=History(launches=launches)))
    assert "over 12 launches" in said["results"].will[-1]


def past(name: str, gain: float, result: float, **more: Any) -> PastLaunch:
    effects = {"opens": (gain, 0.01), "payments": (result, 0.01)}
    usual: dict[str, Any] = {"verdict": "hold", "decided": "ship", "kpi": "opens"}
    return PastLaunch(name, date(2025, 11, 3), effects=effects, **{**usual, **more})


def said_of(made: Plan, known: Known = OLD, sizes: tuple[MetricSize, ...] = SIZES) -> str:
    return " ".join(warnings(made, sizes, known))


def test_a_sound_plan_is_warned_of_nothing_but_its_margin() -> None:
    assert len(warnings(plan(), SIZES, OLD)) == 1
    assert warnings(plan(), SIZES[:2], OLD) == ()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"results": {}}, "No result is named"),
        ({"results": {"opens": "1%"}}, "opens is the KPI and the result at once"),
        ({"guardrails": {}}, "No guardrail is named"),
        ({"expects": []}, "Nothing is forecast"),
        ({"signed": {}}, "Nobody has signed"),
    ],
)
def test_what_is_missing_is_said(change: dict[str, Any], says: str) -> None:
    assert says in said_of(plan(**change))


def test_a_result_that_is_the_kpi_by_another_name_is_said() -> None:
    made = plan()
    metrics = {**made.project.metrics, "payments": made.project.metrics["opens"]}
    same = made.model_copy(update={"project": made.project.model_copy(update={"metrics": metrics})})
    assert "payments is the KPI and the result at once" in said_of(same)


def test_margins_that_nobody_could_test_are_said() -> None:
    assert "900,000 users, and they are not on the way" in said_of(plan())
    slow = (SIZES[1].model_copy(update={"days": 400}),)
    assert "takes 400 days to show, and nobody waits longer than 180" in said_of(plan(), OLD, slow)
    never = (SIZES[1].model_copy(update={"days": 31_869}),)
    assert "takes more than ten years to show" in said_of(plan(), OLD, never)


def test_a_horizon_beyond_the_data_is_warned_of() -> None:
    short = Known(since=date(2026, 2, 1), until=date(2026, 2, 28))
    assert "The horizon of 90d is reached by no data" in said_of(plan(), short)
    assert "horizon" not in said_of(plan(horizon="20d"), short)


def test_a_kpi_that_parted_from_the_result_is_said() -> None:
    launches = (past("moments", 0.05, -0.04), past("icon", 0.04, 0.03), past("dull", 0.0, -0.04))
    said = said_of(plan(), Known(history=History(launches=launches)))
    assert "once in 3 past launches it gained while payments lost (moments)" in said


@pytest.mark.parametrize(("slope", "warned"), [(0.0, True), (-0.8, True), (0.8, False)])
def test_a_kpi_is_a_poor_proxy_only_where_its_gains_come_without_the_result_s(
    slope: float, warned: bool
) -> None:
    rng = np.random.default_rng(1)
    kpi = rng.normal(0, 0.05, 40)
    result = slope * kpi + rng.normal(0, 0.01, 40)
    launches = tuple(
        past(f"l{i}", float(k), float(r), joint={("opens", "payments"): 2e-5})
        for i, (k, r) in enumerate(zip(kpi, result, strict=True))
    )
    said = said_of(plan(), Known(history=History(launches=launches)))
    assert ("poor stand-in for payments: over 40 past launches" in said) is warned


def entry(record: Record) -> Entry:
    return Entry(1, datetime(2025, 11, 1, tzinfo=UTC), record, "", "", 1)


def seal(name: str, what: str, jobs: list[str], results: dict[str, str]) -> Entry:
    launch = {"launch": name, "what": what, "jobs": jobs, "kpi": "opens", "results": results}
    return entry(Seal(launch=name, plan_digest="1", record={"launch": launch}))


def test_precedents_are_those_that_share_something_likest_first() -> None:
    entries = [
        seal("moments", "A feed of friends on the home page.", ["pay"], {"payments": "1%"}),
        entry(Lesson(launch="moments", text="Ask the payers.")),
        seal("icon", "A new icon.", [], {}),
        seal("loans", "Loans.", ["lend"], {}),
    ]
    launches = (
        past("loans", 0.0, 0.0, kpi="loans"),
        past("icon", 0.01, 0.0),
        past("moments", 0.05, -0.04),
    )
    other = PastLaunch("other", date(2025, 1, 1), "hold", "", "spend", {"spend": (0.1, 0.1)})
    found = alike(plan().launch, (*launches, other), entries)
    assert [p.launch for p in found] == ["moments", "icon", "loans"]
    first = found[0]
    assert first.alike[0] == "the same KPI, opens"
    assert "for the same job, pay" in first.alike
    assert "both speak of feed, home, page" in first.alike
    assert first.came[0] == "opens +5.0% [+3.0%, +7.0%]"
    assert first.lessons == ("Ask the payers.",)


def test_chinese_launches_are_likened_by_their_words() -> None:
    entries = [seal("moments", "首页加了朋友圈动态", [], {})]
    made = plan(what="朋友圈上首页", kpi="opens").launch
    found = alike(made, (past("moments", 0.0, 0.0, kpi="spend"),), entries)
    assert any("首页" in said for said in found[0].alike)
