from __future__ import annotations

import pytest

from octad.text.concepts import concepts_of, speaks_of
from octad.text.mentions import mentions, terms_pattern


@pytest.mark.parametrize(
    ("text", "hit"),
    [
        ("I pay daily", True),
        ("PAYING is easy", True),
        ("payments fail", True),
        ("paypal is better", False),
        ("repay me", False),
        ("无法付款", True),
        ("send  money fast", True),
        (None, False),
    ],
)
def test_words_of_a_charter(text: object, hit: bool) -> None:
    assert mentions([text], ["pay", "payment", "付款", "send money"]).tolist() == [hit]


def test_no_terms_no_mentions() -> None:
    assert terms_pattern(["", " "]) is None
    assert mentions(["a", "b"], []).tolist() == [False, False]


def test_terms_are_no_patterns() -> None:
    assert mentions(["a+b", "aab"], ["a+b"]).tolist() == [True, False]


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
