from __future__ import annotations

import csv
import time
from pathlib import Path

import numpy as np
import pytest

from octad.text.tokens import cut_chinese, term_matrix


def terms_of(*texts: object, phrases: bool = True) -> set[str]:
    return set(term_matrix(list(texts), min_docs=1, phrases=phrases).terms)


def test_english_words_and_phrases() -> None:
    assert terms_of("Face recognition fails.") == {
        "face",
        "recognition",
        "fails",
        "face recognition",
        "recognition fails",
    }


def test_a_phrase_does_not_cross_a_full_stop_or_a_review() -> None:
    assert "slow crash" not in terms_of("slow. crash", "slow", "crash")


@pytest.mark.parametrize(
    ("text", "phrase", "bare"),
    [
        ("it doesn't work", "not work", "work"),
        ("it doesn’t even work", "not work", "work"),
        ("can't login", "can't login", "login"),
        ("tidak bisa masuk", "tidak masuk", "masuk"),
        ("gak bisa transfer", "tidak transfer", "transfer"),
        ("无法连接", "无法连接", "连接"),
        ("不支持指纹", "不支持", "支持"),
    ],
)
def test_a_negated_word_is_only_a_phrase(text: str, phrase: str, bare: str) -> None:
    indonesian = ["yang ini untuk saya dan itu tidak"] * 10
    found = terms_of(text, *indonesian)
    assert phrase in found
    assert bare not in found


def test_inflections_fold_into_a_base_that_occurs() -> None:
    assert terms_of("it was crashing", "crashes", "a crash", "crashed", phrases=False) == {"crash"}
    assert terms_of("amazing", "the news", "new", phrases=False) == {"amazing", "news", "new"}


def test_long_drawn_words_and_emoji() -> None:
    matrix = term_matrix(["sloooooow 😡😡😡👍🏽", "sloow"], min_docs=1)
    assert set(matrix.terms) == {"sloow", "😡", "👍"}
    assert matrix.counts()[matrix.terms.index("😡")] == 1


def test_chinese() -> None:
    assert cut_chinese("一打开就闪退") == ["一", "打开", "就", "闪退"]
    found = terms_of("更新之后一打开就闪退，太卡了")
    assert {"更新", "打开", "闪退", "卡"} <= found
    assert not {"之后", "就", "了", "太"} & found


def test_a_term_counts_once_a_document() -> None:
    matrix = term_matrix(["crash crash crash", "crash", "fine"], min_docs=1)
    column = matrix.terms.index("crash")
    assert matrix.counts()[column] == 2
    assert matrix.counts(np.array([True, False, True]))[column] == 1
    assert matrix.column("crash").tolist() == [True, True, False]
    with pytest.raises(KeyError):
        matrix.column("absent")


def test_rare_terms_are_left_out() -> None:
    assert set(term_matrix(["login", "login", "logo"], min_docs=2).terms) == {"login"}


def test_languages_that_do_not_part_words_are_named_and_not_read() -> None:
    matrix = term_matrix(["アプリがすぐ落ちます", "แอปดีมาก", "slow"], min_docs=1)
    assert set(matrix.terms) == {"slow"}
    assert any("Japanese" in note for note in matrix.notes)
    assert any("Thai" in note for note in matrix.notes)


def test_other_spaced_languages_are_read_with_a_note() -> None:
    matrix = term_matrix(["приложение вылетает", "приложение работает"], min_docs=1)
    assert "приложение" in matrix.terms
    assert matrix.notes


def test_nothing_to_read() -> None:
    for texts in ([], ["", None, float("nan"), "!!!", "\x00"]):
        matrix = term_matrix(texts)
        assert matrix.terms == ()
        assert len(matrix) == len(texts)
        assert matrix.counts().shape == (0,)


def test_hostile_texts_neither_crash_nor_stall() -> None:
    started = time.process_time()
    hostile = [
        "a" * 1_000_000,
        "'" * 1_000_000,
        "a'" * 500_000,
        "\u202e\u202d" * 500_000,
        "<script>alert(1)</script>" * 40_000,
        "闪退" * 500_000,
        "\x00\x1b[2J=cmd()" * 90_000,
        "\ud800 lone surrogate",
        "👍" * 300_000,
        "-" * 999_999 + "开发者回复",
    ]
    matrix = term_matrix(hostile, min_docs=1)
    assert "闪退" in matrix.terms
    assert not any("\x00" in term or "\x1b" in term for term in matrix.terms)
    # Generous: the texts are cut at 5,000 characters, so it takes a tenth of this.
    assert time.process_time() - started < 3


@pytest.mark.real
def test_speed_is_within_a_minute_a_million(shared_data: Path) -> None:
    with (shared_data / "messaging_2024" / "reviews.csv").open(encoding="utf-8") as file:
        texts = [row["review"] for row in csv.DictReader(file)][:20_000]
    started = time.process_time()
    term_matrix(texts)
    # The aim is 16,667 a second; measured about 95,000. A quarter of the aim fails the test, so
    # that a busy machine does not.
    assert len(texts) / (time.process_time() - started) > 4_000


def test_numbers_and_accounts_are_no_terms() -> None:
    assert terms_of("qq839419791 5 2024 mei88321", "5g 2fa") == {"5g", "2fa", "5g 2fa"}


@pytest.mark.parametrize(
    "said",
    [
        (
            "la aplicación se cierra sola cuando abro la cámara",
            "no puedo iniciar sesión con mi PIN",
        ),
        ("die App stürzt ständig ab wenn ich sie öffne", "ich kann mich hier nicht mehr anmelden"),
        ("التطبيق يتوقف عن العمل عند فتح الكاميرا", "لا أستطيع تسجيل الدخول إلى حسابي"),
    ],
)
def test_a_language_without_a_list_is_read_and_said(said: tuple[str, str]) -> None:
    found = term_matrix([*said] * 20)
    assert len(found.terms) > 8
    assert found.notes
    assert found.notes[0].startswith("40 texts are in a language")


def test_english_with_slang_is_no_strange_language() -> None:
    english = ["the app crashes when I open it on my phone", "it is the best app that I have"] * 20
    assert term_matrix([*english, *["bekar ghatiya app hai bhai"] * 3]).notes == ()
