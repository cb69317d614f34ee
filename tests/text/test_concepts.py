from __future__ import annotations

import pytest

from octad.text.concepts import concepts_of, speaks_of, touches

FAMILY = concepts_of("family", "Show a person's family something they would be ashamed of.")


@pytest.mark.parametrize(
    ("text", "hit"),
    [
        ("My wife saw what I bought. Embarrassing!", True),
        ("the feed showed it to my mother", True),
        ("我老婆看到了我的消费记录", True),
        ("istri saya malu melihat ini", True),
        ("my wife loves it", False),
        ("so embarrassing, it crashed", False),
        ("", False),
    ],
)
def test_speaking_against_a_never_line(text: str, hit: bool) -> None:
    assert speaks_of([text], FAMILY).tolist() == [hit]


def test_a_line_without_close_words_stands_for_itself() -> None:
    line = concepts_of("receipts", "Throw away receipts before tax day.")
    assert "receipts" in line.words
    assert speaks_of(["my receipts were thrown away, before tax"], line).tolist() == [True]
    assert speaks_of(["nice receipts"], line).tolist() == [False]
    assert speaks_of(["anything"], concepts_of("", "")).tolist() == [False]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("money_lost", True),
        ("wrongBalance", True),
        ("LOST_FUNDS", True),
        ("余额错误", True),
        ("page_timeout", False),
        ("lost_connection", False),
    ],
)
def test_names_of_events_that_touch_a_line(name: str, expected: bool) -> None:
    assert touches(name, concepts_of("money", "Lose a person's money.")) is expected


def test_a_line_in_chinese_is_heard_under_a_name_in_english() -> None:
    line = concepts_of("shut_out", "用户打不开应用，登录不了，或者控制不了自己的设备。")
    texts = [
        "闪退，根本打不开",
        "登陆不上",
        "很好用",
        "The app won't open",
        "Apk tidak bisa dibuka",
    ]
    assert speaks_of(texts, line).tolist() == [True, True, False, True, True]
