from __future__ import annotations

from octad.text.words import (
    CHINESE_STOP,
    ENGLISH_STOP,
    INDONESIAN_STOP,
    NEGATORS,
    NOT_INFLECTED,
    PARTICLES,
    SINGLE_HAN,
)


def test_a_word_that_turns_a_meaning_round_is_no_stop_word() -> None:
    for stop in (ENGLISH_STOP, INDONESIAN_STOP, CHINESE_STOP):
        assert not stop & set(NEGATORS)
        assert not stop & PARTICLES


def test_lists_hold_what_the_tokeniser_makes() -> None:
    words = ENGLISH_STOP | INDONESIAN_STOP | CHINESE_STOP | set(NEGATORS) | NOT_INFLECTED
    assert all(word == word.lower() and not word.isspace() for word in words)
    assert all(len(letter) == 1 for letter in SINGLE_HAN)
    assert all(word.isascii() for word in ENGLISH_STOP | INDONESIAN_STOP)
