"""Reviews in the forms that stores and tools hand them out, written from their documentation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from octad.data.envelopes import unwrapped
from octad.data.intake import Intake
from octad.data.sources import open_sources
from octad.model.presets import names
from tests.data import exports


def read(root: Path, table: str, preset: str, **more: Any) -> tuple[list[dict[str, Any]], Intake]:
    """The reviews under our names, in time, and the account of them."""
    source = {"table": table, "preset": preset, **more}
    with exports.engine(root) as engine:
        tables = open_sources(engine, exports.project({"reviews": source}))
        assert tables.reviews is not None
        rows = tables.reviews.order_by("time", "text").to_pyarrow().to_pylist()
    return rows, tables.intake["reviews"]


def connect_page(*rows: tuple[str, int, str, str, str]) -> dict[str, Any]:
    """A page of the customerReviews API, with the reply to the first review."""
    return {
        "data": [
            {
                "type": "customerReviews",
                "id": place,
                "attributes": {
                    "rating": stars,
                    "title": title,
                    "body": body,
                    "reviewerNickname": "ann",
                    "createdDate": when,
                    "territory": "USA",
                },
                "relationships": {"response": {"links": {"self": "x"}}},
            }
            for place, stars, title, body, when in rows
        ],
        "included": [
            {
                "type": "customerReviewResponses",
                "id": "r1",
                "attributes": {"responseBody": "We are sorry.", "state": "PUBLISHED"},
            }
        ],
        "links": {"self": "x"},
        "meta": {"paging": {"total": len(rows), "limit": 200}},
    }


CRASH = ("a1", 1, "Crash", "It closes at start 😡", "2026-07-10T08:10:55-07:00")
FINE = ("a2", 5, "Fine", "Does what it should", "2026-07-11T23:30:00-07:00")


@pytest.mark.parametrize("indent", [None, 2])
def test_app_store_connect(tmp_path: Path, indent: int | None) -> None:
    exports.write(tmp_path / "Wallet.json", json.dumps(connect_page(CRASH, FINE), indent=indent))
    rows, account = read(tmp_path, "Wallet.json", "app_store_connect", product="file")
    assert (account.read, account.kept, account.rejects) == (2, 2, ())
    assert [(r["product"], r["rating"], r["title"], r["text"]) for r in rows] == [
        ("Wallet", 1.0, "Crash", "It closes at start 😡"),
        ("Wallet", 5.0, "Fine", "Does what it should"),
    ]
    assert rows[0]["time"].isoformat() == "2026-07-10T15:10:55"
    assert not any("sorry" in str(value) for row in rows for value in row.values())


def test_pages_one_a_line_and_a_review_on_two_of_them(tmp_path: Path) -> None:
    pages = [connect_page(CRASH, FINE), connect_page(FINE)]
    exports.write(tmp_path / "Wallet.json", "\n".join(json.dumps(page) for page in pages))
    rows, account = read(tmp_path, "Wallet.json", "app_store_connect", product="file")
    assert (len(rows), account.duplicates) == (2, 1)


def entry(place: str, stars: str | None, text: str) -> dict[str, Any]:
    """An entry of the feed; without stars, the one on the app that old pages begin with."""
    if stars is None:
        return {"id": {"label": place}, "im:name": {"label": "Wallet"}, "title": {"label": text}}
    return {
        "author": {"uri": {"label": "x"}, "name": {"label": "ann"}, "label": ""},
        "updated": {"label": f"2026-09-14T04:24:2{place}-07:00"},
        "im:rating": {"label": stars},
        "im:version": {"label": "3.1.2"},
        "id": {"label": place},
        "title": {"label": "On it"},
        "content": {"label": text, "attributes": {"type": "text"}},
        "im:voteSum": {"label": "0"},
    }


def test_app_store_rss(tmp_path: Path) -> None:
    pages: list[Any] = [
        {"feed": {"author": {}, "entry": [entry("9", None, "Wallet"), entry("1", "5", "好用👍")]}},
        {"feed": {"entry": entry("2", "2", "slow,\nvery")}},
    ]
    for place, page in enumerate(pages, 1):
        exports.write(tmp_path / f"page{place}.json", json.dumps(page, ensure_ascii=False))
    rows, account = read(tmp_path, "page*.json", "app_store_rss")
    assert [(r.reason, r.rows) for r in account.rejects] == [("no time", 1)]
    assert [(r["product"], r["rating"], r["text"], r["version"], r["author"]) for r in rows] == [
        ("Wallet", 5.0, "好用👍", "3.1.2", "ann"),
        ("Wallet", 2.0, "slow,\nvery", "3.1.2", "ann"),
    ]
    assert rows[0]["time"].isoformat() == "2026-09-14T11:24:21"


def test_appfollow(tmp_path: Path) -> None:
    exports.write(
        tmp_path / "reviews.csv",
        "review_id,ext_id,store,author,user_id,title,content,content_translated,rating,date,time,"
        "created,country,app_version,was_changed,answer_text,answer_date,is_deleted\n"
        "7,com.example.wallet,gp,Ann,u1,,Kann nicht zahlen,Cannot pay,1,2026-03-01,08:00:00,"
        "2026-03-02 01:00:00,none,3.1,0,Thank you!,2026-03-03,0\n"
        "7,com.example.wallet,gp,Ann,u1,,Geht wieder,Works again,4,2026-03-05,09:00:00,"
        "2026-03-05 10:00:00,none,3.2,1,Thank you!,2026-03-06,0\n"
        "8,com.other.pay,as,Bob,u2,Wow,best best,best best,5,2026-03-04,09:00:00,"
        "2026-03-04 10:00:00,us,2.0,0,,,1\n",
    )
    rows, account = read(tmp_path, "reviews.csv", "appfollow")
    assert account.duplicates == 1
    assert [(r["product"], r["rating"], r["text"], r["version"], r["deleted"]) for r in rows] == [
        ("com.other.pay", 5.0, "best best", "2.0", True),
        ("com.example.wallet", 4.0, "Geht wieder", "3.2", False),
    ]
    assert not any("Thank" in str(value) for row in rows for value in row.values())


def test_appbot_with_headings_as_a_person_would_write_them(tmp_path: Path) -> None:
    text = (
        "ID;App Name;Date;Rating;Subject;Body;Author;Version;Country;Sentiment;Reply\r\n"
        "1;Wallet;01.03.2026;★★★★☆;Schön;Läuft „gut“;Änne;3.1;DE;positive;Danke\r\n"
        "2;Wallet;17.03.2026;1 star;Nein;Stürzt ab;Bob;3.2;DE;negative;\r\n"
    )
    exports.write(tmp_path / "utf16.csv", b"\xff\xfe" + text.encode("utf-16-le"))
    rows, _ = read(tmp_path, "utf16.csv", "appbot", timezone="Europe/Berlin")
    assert [(r["rating"], r["title"], r["text"]) for r in rows] == [
        (4.0, "Schön", "Läuft „gut“"),
        (1.0, "Nein", "Stürzt ab"),
    ]
    assert rows[1]["time"].isoformat() == "2026-03-16T23:00:00"


def test_appbots_answers(tmp_path: Path) -> None:
    row = {"id": 5, "rating": 3, "subject": "Meh", "body": "ok", "published_at": "2026-03-01"}
    exports.write(tmp_path / "a.json", json.dumps({"results": [row], "total_count": 1, "page": 1}))
    rows, _ = read(tmp_path, "a.json", "appbot")
    assert [(r["rating"], r["text"]) for r in rows] == [(3.0, "ok")]


@pytest.mark.parametrize(
    "text",
    [
        '{"user": "a", "data": [{"x": 1}]}\n{"user": "b"}\n',
        '{"data": [1, 2]}\n',
        '{"data": [{"x": 1}], "items": [{"x": 2}]}',
        '{"feed": {"title": "none yet"}}',
        '{"data": [{"x": 1}]}\n{"user": "b"}\n',
        '{"data": [{"x": 1}]}\nnonsense\n',
        '{"broken\n{"user": "b"}\n',
        "[]",
        "",
    ],
)
def test_rows_are_not_taken_for_answers(tmp_path: Path, text: str) -> None:
    assert not unwrapped(exports.write(tmp_path / "a.json", text), tmp_path / "b.jsonl")
    assert not (tmp_path / "b.jsonl").exists()


def test_every_preset_is_in_the_docs() -> None:
    page = Path(__file__).parents[2].joinpath("docs", "files.md").read_text(encoding="utf-8")
    assert [name for name in names() if f"| `{name}` |" not in page] == []
