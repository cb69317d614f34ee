from __future__ import annotations

import time

import pytest

from octad.text.language import MAX_CHARS, clean, script_of, scripts


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("Works fine", "latin"),
        ("更新之后一打开就闪退", "han"),
        ("华为 Mate20 连不上 wifi router", "han"),
        ("good app 很好", "latin"),
        ("アプリがすぐ落ちます", "kana"),
        ("bagus sekali (ノ・ω・)ノ", "latin"),
        ("앱이 자꾸 꺼져요", "hangul"),
        ("แอปดีมาก", "thai"),
        ("تطبيق ممتاز جدا", "arabic"),
        ("Отличное приложение", "cyrillic"),
        ("ভালো অ্যাপ", "other"),
        ("12345 !!! 👍", "none"),
        ("", "none"),
    ],
)
def test_script_of_a_text(text: str, script: str) -> None:
    assert script_of(text) == script


def test_scripts_keeps_the_order() -> None:
    assert scripts(["好用", "good", "👍"]).tolist() == ["han", "latin", "none"]


@pytest.mark.parametrize("missing", [None, float("nan"), 5, b"bytes"])
def test_clean_makes_anything_but_text_empty(missing: object) -> None:
    assert clean(missing) == ""


def test_clean_takes_out_what_is_invisible_or_steers() -> None:
    hostile = "pay\u202eever\u0000 \x1b[31mred\u200b\ufeff \ud800 a\u00adb ok\n"
    assert clean(hostile) == "payever [31mred  ab ok\n"


def test_clean_cuts_a_megabyte_in_no_time() -> None:
    started = time.process_time()
    assert len(clean("\ufdfa" * 1_000_000)) == MAX_CHARS
    assert len(clean("a" * 1_000_000)) == MAX_CHARS
    assert time.process_time() - started < 0.5  # generous: it takes milliseconds
