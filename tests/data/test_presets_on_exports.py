"""Every preset reads an export shaped like the tool's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from octad.data.columns import column, number
from octad.data.expression import condition
from octad.data.sources import open_sources
from tests.data import exports


@pytest.mark.parametrize(
    ("writer", "name"),
    [
        (exports.write_posthog_parquet, "events.parquet"),
        (exports.write_posthog_jsonl, "events.jsonl.gz"),
    ],
)
def test_posthog(tmp_path: Path, writer: Callable[[Path], Path], name: str) -> None:
    writer(tmp_path / name)
    project = exports.project(
        {
            "events": {"table": name, "preset": "posthog"},
            "exposures": {"table": name, "preset": "posthog"},
        }
    )
    with exports.engine(tmp_path) as engine:
        tables = open_sources(engine, project)
        events, exposures = tables.events, tables.exposures
        assert events is not None
        assert exposures is not None
        account = tables.intake["events"]
        assert (account.read, account.kept, account.duplicates) == (8, 7, 1)
        users = events.group_by("user").aggregate(n=events.count()).to_pyarrow().to_pylist()
        assert {row["user"]: row["n"] for row in users} == {"p1": 3, "p2": 2, "eve": 2}
        assert account.first == exports.START.replace(tzinfo=None)
        arms = exposures.order_by("time").to_pyarrow().to_pylist()
        assert [(row["user"], row["launch"], row["arm"]) for row in arms] == [
            ("p1", "circles", "test"),
            ("p2", "circles", "false"),
        ]
        spent = number(column(events, "properties.amount")).sum()
        assert spent.to_pyarrow().as_py() == 19.5
        city = events.filter(condition(events, 'properties.deep.city == "Oslo"'))
        assert city.count().to_pyarrow().as_py() == 1
        new = events.filter(condition(events, "properties.is_new and properties.plan != 'pro'"))
        assert new.select("user").to_pyarrow().to_pylist() == [{"user": "eve"}]
        rich = condition(events, "properties.amount > 7")
        assert events.filter(rich).count().to_pyarrow().as_py() == 1


@pytest.mark.parametrize(
    ("writer", "name"),
    [
        (exports.write_ga4_parquet, "events_20260301.parquet"),
        (exports.write_ga4_jsonl, "events_20260301.jsonl"),
    ],
)
def test_ga4(tmp_path: Path, writer: Callable[[Path], Path], name: str) -> None:
    writer(tmp_path / name)
    arm = "user_properties.firebase_exp_3"
    project = exports.project(
        {
            "events": {"table": "events_*", "preset": "ga4"},
            "exposures": {
                "table": "events_*",
                "preset": "ga4",
                "arm": arm,
                "where": f"{arm} is not null",
            },
        }
    )
    with exports.engine(tmp_path) as engine:
        tables = open_sources(engine, project)
        events, exposures = tables.events, tables.exposures
        assert events is not None
        assert exposures is not None
        account = tables.intake["events"]
        assert (account.read, account.kept, account.duplicates) == (5, 3, 1)
        assert [(r.reason, r.rows) for r in account.rejects] == [("no user", 1)]
        assert account.first == exports.START.replace(tzinfo=None)
        assert account.warnings == ()
        rows = events.order_by("time").mutate(
            page=column(events, "event_params.page"),
            engaged=number(column(events, "event_params.engaged")),
            wait=number(column(events, "event_params.wait")),
            version=column(events, "app_info.version"),
        )
        found = rows.select("user", "event", "value", "page", "engaged", "wait", "version")
        assert [tuple(row.values()) for row in found.to_pyarrow().to_pylist()] == [
            ("d1", "page_view", None, "/pay", 1.0, None, "3.1"),
            ("d1", "purchase", 9.5, None, 0.0, None, "3.1"),
            ("d2", "page_view", None, None, None, 0.25, "3.1"),
        ]
        assert set(exposures.select("arm").to_pyarrow()["arm"].to_pylist()) == {"1"}
        paid = condition(events, 'event_params.page == "/pay" and event_params.engaged >= 1')
        assert events.filter(paid).count().to_pyarrow().as_py() == 1


def test_google_play(tmp_path: Path) -> None:
    name = "reviews_reviews_com.example.wallet_202601 (3).csv"
    exports.write_google_play(tmp_path / "data" / name)
    project = exports.project({"reviews": {"table": "data/*.csv", "preset": "google_play"}})
    with exports.engine(tmp_path) as engine:
        tables = open_sources(engine, project)
        assert tables.reviews is not None
        rows = tables.reviews.order_by("time").to_pyarrow().to_pylist()
        account = tables.intake["reviews"]
    assert (account.read, account.kept, account.duplicates) == (3, 2, 1)
    assert account.rejects == ()
    assert any("UTF-16" in warning for warning in account.warnings)
    assert [(r["rating"], r["text"], r["version"]) for r in rows] == [
        (5.0, None, None),
        (4.0, "Agora abre", "3.1.3"),
    ]
    assert rows[0]["time"].isoformat() == "2026-01-01T00:02:48.053000"
    assert {row["product"] for row in rows} == {"com.example.wallet"}


def test_google_play_scraper_needs_a_product_or_takes_the_files_name(tmp_path: Path) -> None:
    lines = (
        ",reviewId,userName,userImage,content,score,thumbsUpCount,reviewCreatedVersion,at,"
        "replyContent,repliedAt,appVersion\n"
        '0,a1,Ann,x,"nice\nand fast",5,0,2.1,2021-03-25 15:52:53,,,2.1\n'
        "1,a2,Bob,x,slow,2,0,,2021-03-26 09:00:00,,,\n"
        "2,a2,Bob,x,slow,2,0,,2021-03-26 09:00:00,,,\n"
    )
    exports.write(tmp_path / "OtherPay.csv", lines)
    source = {
        "table": "OtherPay.csv",
        "preset": "google_play_scraper",
        "product": "file",
        "timezone": "Asia/Jakarta",
    }
    with exports.engine(tmp_path) as engine:
        tables = open_sources(engine, exports.project({"reviews": source}))
        assert tables.reviews is not None
        rows = tables.reviews.order_by("time").to_pyarrow().to_pylist()
    assert tables.intake["reviews"].duplicates == 1
    assert [(r["product"], r["text"], r["version"]) for r in rows] == [
        ("OtherPay", "nice\nand fast", "2.1"),
        ("OtherPay", "slow", None),
    ]
    assert rows[0]["time"].isoformat() == "2021-03-25T08:52:53"


def test_github_releases(tmp_path: Path) -> None:
    exports.write(
        tmp_path / "releases.json",
        '[{"tag_name": "v1.2.0", "name": null, "body": "Feed.", "draft": false,'
        ' "created_at": "2026-01-01T00:00:00Z", "published_at": "2026-02-01T10:00:00Z"},'
        ' {"tag_name": "v1.3.0", "body": null, "draft": true, "published_at": null}]',
    )
    source = {"table": "releases.json", "preset": "github_releases"}
    with exports.engine(tmp_path) as engine:
        tables = open_sources(engine, exports.project({"releases": source}))
        assert tables.releases is not None
        rows = tables.releases.to_pyarrow().to_pylist()
    assert [(r["product"], r["version"], r["notes"]) for r in rows] == [
        ("Wallet", "v1.2.0", "Feed.")
    ]
    assert [(r.reason, r.rows) for r in tables.intake["releases"].rejects] == [("no time", 1)]
