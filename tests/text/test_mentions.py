from __future__ import annotations

import pytest

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
