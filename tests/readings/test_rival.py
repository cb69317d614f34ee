from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from octad.model.finding import Answer, Finding, Quotes, Stance, Table
from octad.model.inputs import Inputs
from octad.model.plan import Launch, Plan, Staged
from octad.readings import rival
from tests.readings.voices_kit import Row, plan_of, releases_of, reviews_of, smart_home, spread

CALM = [
    (5.0, "Pays at every shop"),
    (4.0, "quick and safe"),
    (3.0, "fine so far"),
    (5.0, "love it"),
]
LOUD = [
    (1.0, "The feed covers the pay button"),
    (1.0, "remove the feed, I only want to pay"),
    (2.0, "feed is noise. Moving to OtherPay"),
    (5.0, "the feed is fun"),
]


def found(answer: Answer, name: str) -> Finding:
    return next(f for f in answer.findings if f.id == f"rival.{name}")


def story(after: list[tuple[float, str]], rivals_after: list[tuple[float, str]]) -> Inputs:
    rows = spread("Wallet", CALM, first=-300, last=0, times=150)
    rows += spread("Wallet", after, first=0, last=40, times=40)
    rows += spread("OtherPay", CALM, first=-300, last=0, times=100)
    rows += spread("OtherPay", rivals_after, first=0, last=40, times=20)
    return Inputs(reviews=reviews_of(rows, "Wallet"))


def test_a_launch_that_people_hate() -> None:
    answer = rival.read(plan_of(), story(LOUD, CALM))
    assert answer.stance is Stance.AGAINST
    stars = found(answer, "stars")
    assert stars.stance is Stance.AGAINST
    assert stars.estimate is not None
    # Planted: 17/4 stars before (the window cuts a round short), 9/4 after, rivals unchanged.
    assert stars.estimate.control == pytest.approx(17 / 4, abs=0.05)
    assert stars.estimate.treatment == pytest.approx(9 / 4)
    assert stars.estimate.value == pytest.approx(-2, abs=0.1)  # as above, on both sides
    rose = found(answer, "rose")
    assert "“feed”" in rose.claim
    quotes = next(e for e in rose.evidence if isinstance(e, Quotes))
    assert quotes.dissent is not None
    assert quotes.dissent.text == "the feed is fun"
    moves = found(answer, "moving")
    assert moves.stance is Stance.AGAINST
    assert "OtherPay (40)" in moves.claim
    assert found(answer, "stars").estimate is not None
    assert "OtherPay" in found(answer, "gains").claim


def test_a_shock_that_hits_everyone_is_nobodys_launch() -> None:
    down = [(1.0, "phone update broke everything"), (1.0, "crash since update"), (2.0, "crash")]
    answer = rival.read(plan_of(), story(down, down))
    stars = found(answer, "stars")
    assert stars.estimate is not None
    assert abs(stars.estimate.value) < 0.2
    assert stars.stance is Stance.MIXED
    assert not any(f.id == "rival.rose" for f in answer.findings)


def test_it_works_without_rivals_and_says_what_is_missing() -> None:
    rows = spread("Wallet", CALM, first=-300, last=0, times=150)
    rows += spread("Wallet", LOUD, first=0, last=40, times=40)
    answer = rival.read(plan_of(), Inputs(reviews=reviews_of(rows, "Wallet")))
    assert answer.stance is Stance.AGAINST
    assert any("Reviews of OtherPay" in line for line in answer.missing)
    assert "no rivals to compare with" in found(answer, "stars").method


def test_silence_names_what_would_let_it_speak() -> None:
    def missing(inputs: Inputs, plan: Plan | None = None) -> str:
        answer = rival.read(plan or plan_of(), inputs)
        assert answer.stance is Stance.SILENT
        return answer.missing[0]

    assert "`reviews` source" in missing(Inputs())
    only = spread("OtherPay", CALM, first=-60, last=60, times=50)
    assert "our own product" in missing(Inputs(reviews=reviews_of(only, "Wallet")))
    few = spread("Wallet", CALM, first=-60, last=10, times=5)
    assert "At least 20 sound reviews" in missing(Inputs(reviews=reviews_of(few, "Wallet")))
    past = spread("Wallet", CALM, first=-90, last=-10, times=50)
    assert "2026-02-1" in missing(Inputs(reviews=reviews_of(past, "Wallet")))
    undated = Launch(launch="x", arms={"control": "a", "b": "b"})
    undated = Launch(launch="x", arms={"control": "a", "b": "b"})
    bare = Plan(project=plan_of().project, launch=undated)
    assert "starts" in missing(Inputs(reviews=reviews_of(few, "Wallet")), bare)


def test_a_staged_launch_begins_with_its_first_group() -> None:
    staged = Staged(staged="region", dates={"a": date(2026, 3, 9), "b": date(2026, 3, 1)})
    plan = Plan(project=plan_of().project, launch=Launch(launch="x", design=staged))
    assert "2026-03-01" in found(rival.read(plan, story(LOUD, CALM)), "stars").method


def test_nothing_after_the_reviews_today_is_read() -> None:
    inputs = story(LOUD, CALM)
    early = Inputs(reviews=inputs.reviews, as_of=datetime(2026, 3, 15, tzinfo=UTC))
    assert found(rival.read(plan_of(), early), "stars").method.count("14 days from") == 1


def test_bought_praise_is_named_and_no_rating_rests_on_it() -> None:
    inputs = story(LOUD, CALM)
    assert inputs.reviews is not None
    bought = spread("Wallet", [(5.0, "great"), (5.0, "best")], first=3, last=3.5, times=100)
    old = [
        (str(p), str(t), float(r), str(x))
        for p, t, r, x in zip(
            inputs.reviews.product,
            inputs.reviews.time,
            inputs.reviews.rating,
            inputs.reviews.text,
            strict=True,
        )
    ]
    answer = rival.read(plan_of(), Inputs(reviews=reviews_of([*old, *bought], "Wallet")))
    stars = found(answer, "stars")
    assert stars.stance is Stance.AGAINST
    assert "if suspect praise is counted" in stars.claim
    table = found(answer, "praise").evidence[0]
    assert isinstance(table, Table)
    assert table.rows[0][0] == "Wallet"
    assert table.rows[0][1] == "4 Mar 2026"


def test_precedents() -> None:
    rows = []
    for first, texts in ((-600, LOUD), (-400, LOUD), (-200, CALM)):
        rows += spread("Wallet", CALM, first=first - 40, last=first, times=20)
        rows += spread("Wallet", texts, first=first, last=first + 40, times=20)
    rows += spread("Wallet", CALM, first=-100, last=0, times=100)
    rows += spread("Wallet", CALM, first=0, last=40, times=20)

    def day(offset: int) -> str:
        return str(np.datetime64("2026-03-01") + offset)

    notes = releases_of(
        [
            ("Wallet", day(-600), "A social feed of your friends' payments"),
            ("Wallet", day(-400), "New social feed on the first page"),
            ("Wallet", day(-200), "Pay with your fingerprint"),
        ],
        "Wallet",
    )
    inputs = Inputs(reviews=reviews_of(rows, "Wallet"), releases=notes)
    answer = rival.read(plan_of(what="A social feed on the home page"), inputs)
    past = found(answer, "precedents")
    assert past.claim.startswith("After 2 of 2 similar past releases ratings fell")
    assert "after 67% of all 3 past releases" in past.claim
    table = past.evidence[0]
    assert isinstance(table, Table)
    assert "feed" in str(table.rows[0][3])
    assert past.stance is None


def test_quotes_carry_no_numbers_links_or_controls() -> None:
    nasty = [
        (
            1.0,
            "feed <script>alert(1)</script> \x1b[31m mail me a.b@example.com or +62 812 3456 7890",
        ),
        (1.0, "feed \u202e evil https://example.com/x?y=1 \x00"),
        (1.0, "feed =cmd()|' /C calc'!A0 " + "a" * 1_000_000),
        (1.0, "feed 卡号 6222021234567890123 身份证 11010519491231002X"),
    ]
    answer = rival.read(plan_of(), story(nasty, CALM))
    shown = [
        quote.text
        for f in answer.findings
        for e in f.evidence
        if isinstance(e, Quotes)
        for quote in e.quotes
    ]
    assert shown
    for text in shown:
        assert len(text) <= 242  # the limit and two ellipses
        for mark in ("\x1b", "\x00", "\u202e", "example.com", "3456", "6222", "1010519"):
            assert mark not in text


@pytest.mark.real
def test_huawei_november_2018_crashes_are_what_rose(shared_data: Path) -> None:
    own = "华为智能家居"
    rivals = ("米家", "小米商城", "美居", "海尔智家")
    reviews = smart_home(shared_data, own, until="2018-12-31")
    answer = rival.read(plan_of(own, date(2018, 11, 1), rivals), Inputs(reviews=reviews))
    rose = found(answer, "rose")
    table = rose.evidence[0]
    assert isinstance(table, Table)
    assert table.rows[0][:3] == ("闪退", "20%", "77%")
    assert rose.stance is Stance.AGAINST
    assert answer.stance is Stance.AGAINST  # an outcry: over a quarter of all who write


@pytest.mark.real
@pytest.mark.parametrize(
    ("own", "day", "until", "burst"),
    [
        ("美居", date(2019, 5, 7), "2020-01-01", "7 May to 17 May 2019"),
        ("海尔智家", date(2018, 7, 13), "2018-09-30", "13 Jul to 18 Jul 2018"),
    ],
)
def test_padded_launches_are_named_and_earn_nothing(
    shared_data: Path, own: str, day: date, until: str, burst: str
) -> None:
    rivals = tuple({"米家", "小米商城", "美居", "海尔智家", "华为智能家居"} - {own})
    reviews = smart_home(shared_data, own, until=until)
    answer = rival.read(plan_of(own, day, rivals), Inputs(reviews=reviews))
    table = found(answer, "praise").evidence[0]
    assert isinstance(table, Table)
    assert burst in {str(row[1]) for row in table.rows if row[0] == own}
    stars = found(answer, "stars")
    assert stars.estimate is not None
    assert stars.estimate.treatment is not None
    # With the bursts the means are 3.8 and 4.4.
    assert stars.estimate.treatment < 1.8
    assert answer.stance is Stance.MIXED


@pytest.mark.real
def test_wondr_november_2024(shared_data: Path) -> None:
    rows: list[Row] = []
    for name, file, form in (
        ("wondr", "wondr_reviews.csv", "%Y-%m-%d %H:%M:%S"),
        ("BNI Mobile", "bni_mobile_reviews.csv", "%m/%d/%Y %H:%M"),
    ):
        with (shared_data / "bni_wondr" / file).open(encoding="utf-8") as handle:
            rows += [
                (
                    name,
                    datetime.strptime(r["at"], form).replace(tzinfo=UTC),
                    float(r["score"]),
                    r["content"],
                )
                for r in csv.DictReader(handle)
            ]
    rows = [row for row in rows if str(row[1]) < "2024-12-08"]
    answer = rival.read(
        plan_of("wondr", date(2024, 11, 24), ("BNI Mobile",)),
        Inputs(reviews=reviews_of(rows, "wondr")),
    )
    rose = found(answer, "rose")
    table = rose.evidence[0]
    assert isinstance(table, Table)
    # An outage: "gangguan" is a disturbance, "perbaikan" a repair.
    assert {"gangguan", "perbaikan"} <= {str(row[0]) for row in table.rows[:3]}
    stars = {str(row[0]): float(row[5] or 5) for row in table.rows}
    assert max(stars["gangguan"], stars["perbaikan"]) < 2
    assert "BNI Mobile (4" in found(answer, "moving").claim
