from __future__ import annotations

import numpy as np

from octad.text.quotes import LONGEST, pick_quotes, quote_text
from octad.text.tokens import term_matrix

TEXTS = [
    "Crashes at the till when I scan a code, every time",
    "The app crashes every time I scan a code at the till",
    "It crashes when I scan a code, so I pay cash at the till",
    "crash",
    "crash " + "and then a long story about my week " * 30,
    "Never had a crash when I scan, great work",
    "Lovely colours",
]


def test_typical_quotes_say_something_and_one_disagrees() -> None:
    matrix = term_matrix(TEXTS, min_docs=1)
    pick = pick_quotes(
        matrix,
        TEXTS,
        np.array([True, True, True, True, True, True, False]),
        ratings=np.array([1.0, 1.0, 2.0, 1.0, 1.0, 5.0, 5.0]),
    )
    assert pick.typical[0] in {0, 1, 2}
    assert pick.dissent == 5


def test_no_candidates_no_quotes() -> None:
    matrix = term_matrix(TEXTS, min_docs=1)
    assert pick_quotes(matrix, TEXTS, np.zeros(7, dtype=bool)).typical == ()


def test_equal_texts_are_quoted_once() -> None:
    texts = ["闪退", "闪退", "闪退！", "又闪退"]
    matrix = term_matrix(texts, min_docs=1)
    pick = pick_quotes(matrix, texts, np.ones(4, dtype=bool), k=3)
    shown = [texts[i] for i in pick.typical]
    assert len(set(shown)) == len(shown)


def test_no_terms_at_all() -> None:
    texts = ["!!!", "???"]
    matrix = term_matrix(texts)
    assert len(pick_quotes(matrix, texts, np.ones(2, dtype=bool)).typical) >= 1


def test_a_long_quote_is_cut_around_its_term() -> None:
    text = "word " * 500 + "the crash came " + "word " * 500
    shown = quote_text(text, "crash")
    assert "crash" in shown
    assert len(shown) <= LONGEST + 2
    assert shown.startswith("…")
    assert shown.endswith("…")


def test_a_title_that_repeats_the_text_is_dropped() -> None:
    assert quote_text("装了没几天就闪退\n装了没几天就闪退，真差") == "装了没几天就闪退,真差"
    assert quote_text("Bad\nIt froze") == "Bad It froze"
