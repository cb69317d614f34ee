"""What makes release notes alike, and what does not."""

from __future__ import annotations

import pytest

from octad.text.notes import likeness

NOTES = [
    "Bug fixes and performance improvements.",
    """• Dark mode: easier on your eyes at night
    • Fixed a crash when opening the camera
    • Receipts can be exported
    • The map of shops has a legend""",
    "支持指纹和人脸登录",
    "Meet Stories! Share moments with friends, follow people, like and comment",
    "Send money abroad in 40 currencies",
    "Tampilan beranda baru yang lebih simpel",
]


@pytest.mark.parametrize(
    ("one", "best", "thing"),
    [
        ("A dark theme", 1, "dark mode"),
        ("Sign in with a passkey", 2, "signing in"),
        ("A social feed: see what friends buy", 3, "social feed"),
        ("转账到海外", 4, "sending money"),
        ("A new home page", 5, "home page"),
    ],
)
def test_the_closest_line_counts_in_any_of_three_languages(one: str, best: int, thing: str) -> None:
    found = likeness(NOTES, one)
    assert found is not None
    assert found.alike.argmax() == best
    assert (found.alike >= 0.3).sum() == 1
    assert thing in found.words[best]
    assert found.lines[best] in NOTES[best]


def test_what_all_notes_say_makes_none_alike() -> None:
    assert likeness(NOTES, "Bug fixes and improvements") is None
    found = likeness(NOTES, "A dark theme. Bug fixes and performance improvements.")
    assert found is not None
    assert found.alike[0] == 0


def test_one_word_in_common_is_chance_and_two_are_not() -> None:
    found = likeness(["A legend for old maps", "Walk the old town"], "Maps of the old harbour")
    assert found is not None
    assert found.alike[0] > 0
    assert found.alike[1] == 0


def test_a_thing_that_only_goes_with_the_launch_says_no_more_than_a_word() -> None:
    alone = likeness(NOTES, "Bonds for savers", also="dark mode")
    assert alone is not None
    assert not alone.alike.any()


def test_no_notes() -> None:
    found = likeness([], "A dark theme")
    assert found is not None
    assert len(found.alike) == 0
