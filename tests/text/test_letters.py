from __future__ import annotations

import unicodedata

import numpy as np

from octad.text.language import clean, clean_all, script_of, scripts
from octad.text.letters import CHUNK, Letters, Stems, between, table
from octad.text.store import every_own_words, own_words


def hostile(n: int) -> list[str]:
    """Texts of letters from everywhere: marks that join, halves of pairs, controls, full width."""
    rng = np.random.default_rng(1)
    spans = [(0, 128), (0x80, 0x3100), (0x300, 0x370), (0xD800, 0xFFFF), (0x10000, 0x110000)]
    letters = "".join(
        chr(code)
        for codes in zip(*(rng.integers(*span, 2 * n) for span in spans), strict=True)
        for code in codes
    )
    lengths = rng.integers(0, 9, n)
    return [letters[8 * i : 8 * i + length] for i, length in enumerate(lengths.tolist())]


def test_letters_and_texts_are_the_same_thing() -> None:
    texts = ["", "ab", "很好👍", ""]
    page = Letters.of(texts)
    assert page.texts() == texts
    assert page.lengths().tolist() == [0, 2, 3, 0]
    digits = table(str.isdecimal)
    assert Letters.of(["a1", "22"]).count(digits[Letters.of(["a1", "22"]).codes]).tolist() == [1, 2]
    kept = page.keep(between(("a", "z"))[page.codes])
    assert kept.texts() == ["", "ab", "", ""]
    assert page.take(np.array([False, False, True, False])).texts() == ["很好👍"]


def test_all_at_once_is_what_one_by_one_gives() -> None:
    texts = [*hostile(3 * CHUNK), "（该条评论已经被删除）好……\n开发者回复：谢谢", "ﷺ" * 900]
    assert clean_all(texts, 700) == [clean(text, 700) for text in texts]
    cleaned = clean_all(texts)
    assert every_own_words(texts).texts.tolist() == [own_words(text) for text in texts]
    assert scripts(cleaned).tolist() == [script_of(text) for text in cleaned]
    assert all(unicodedata.is_normalized("NFKC", text) for text in cleaned if "ﷺ" not in text)


def test_no_text_that_holds_a_piece_is_missed_and_few_others_pass() -> None:
    stems = Stems(["卸", "再也", "bye", "nstal", "competitor"])
    texts = ["uninstalled", "卸载", "再 也", "by", "e", "competition", "good bye", "", "再也不"]
    texts += ["x"] * CHUNK + ["uninstall"]
    held = [any(stem in text for stem in stems.stems) for text in texts]
    assert stems.may_hold(texts)[held].all()
    # "competition" begins as "competitor" does, and "by" runs on into the next text's "e".
    passed = [text for text, yes in zip(texts, stems.may_hold(texts), strict=True) if yes]
    few = ["uninstalled", "卸载", "by", "competition", "good bye", "再也不", "uninstall"]
    assert passed == few
    assert not Stems([]).may_hold(["a"]).any()
