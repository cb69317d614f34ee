from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from octad.faces import safe
from tests.faces.sample import HOSTILE

OBEYED = [*range(0x20), 0x7F, *range(0x80, 0xA0), 0x200B, 0x200E, 0x200F]
OBEYED += [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF, 0x2028, 0x2029]


@given(st.text(max_size=300))
def test_nothing_that_is_obeyed_survives(text: str) -> None:
    out = safe.clean(text)
    assert not set(map(ord, out)) & set(OBEYED)
    out.encode("utf-8")


@given(st.text(max_size=300))
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    assert safe.clean(safe.clean(text)) == safe.clean(text)


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=300))
def test_html_has_no_markup(text: str) -> None:
    out = safe.html(text)
    assert "<" not in out
    assert ">" not in out
    assert '"' not in out
    assert "'" not in out


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;https://e.vil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bPq#0;2\x1b\\sixel", "sixel"),
        ("\x9b2Jgone", "gone"),
        ("\x1b]0;never closed", "0;never closed"),
        ("\x1b(0lines\x1b(B", "lines"),
        ("a\x08b\x7fc", "abc"),
        ("\u202etxt.exe\u202c", "txt.exe"),
        ("\u2066x\u2069", "x"),
        ("pay\u200bpal", "paypal"),
        ("\ufeffbom", "bom"),
        ("tag\U000e0041\U000e0042", "tag"),
        ("\ud800lone", "\ufffdlone"),
        ("two\r\nlines\tand  more", "two lines and more"),
        ("naïve café 付款 العربية", "naïve café 付款 العربية"),
        ("می\u200cروم", "می\u200cروم"),
        ("👩\u200d👧", "👩\u200d👧"),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    assert safe.clean(text) == shown


def test_stacked_marks_are_cut_to_three() -> None:
    assert safe.clean("a" + "\u0301" * 60) == "a" + "\u0301" * 3


def test_lines_may_stay() -> None:
    assert safe.clean("a\r\nb\u2028c", lines=True) == "a\nb\nc"


def test_a_megabyte_is_cut_counted_and_quick() -> None:
    began = time.perf_counter()
    out = safe.clean("\x1b[31m" + "word " * 250_000)
    assert len(out) < safe.LIMIT + 60
    assert out.endswith("… (1,250,005 characters in all)")
    # Tens of milliseconds at worst; a pattern that backtracks would take minutes.
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize("attack", ["\x1b]" * 200_000, "\x1b" * 400_000, "\u0301" * 400_000])
def test_no_text_makes_cleaning_slow(attack: str) -> None:
    began = time.perf_counter()
    safe.clean(attack)
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("<b>&amp;", "&lt;b&gt;&amp;amp;"),
        ("a|b", r"a\|b"),
        ("[x](javascript:alert(1))", r"\[x\](javascript:alert(1))"),
        ("![x](y)", r"!\[x\](y)"),
        ("https://e.vil www.e.vil", r"https\://e.vil www\.e.vil"),
        ("`code` *b* _i_ ~s~", r"\`code\` \*b\* \_i\_ \~s\~"),
        ("# head", r"\# head"),
        ("- item", r"\- item"),
        ("1. item", r"1\. item"),
        ("---", r"\---"),
        ("50.01% of 3.1", "50.01% of 3.1"),
        ("me@e.vil", "me&#64;e.vil"),
        ("line\n# two", "line # two"),
    ],
)
def test_markdown_is_inert(text: str, written: str) -> None:
    assert safe.markdown(text) == written


@pytest.mark.parametrize("start", "=+-@|%")
def test_a_spreadsheet_runs_no_cell(start: str) -> None:
    assert str(safe.csv_cell(f"{start}cmd()")).startswith("'")
    assert str(safe.csv_cell(f"\t\x00 {start}cmd()")).startswith("'")


def test_numbers_stay_numbers_in_a_cell() -> None:
    assert safe.csv_cell(-3.5) == -3.5
    assert safe.csv_cell(None) is None


@pytest.mark.parametrize("text", HOSTILE)
def test_the_sample_s_texts_are_inert(text: str) -> None:
    assert "<script" not in safe.html(text)
    assert "\x1b" not in safe.clean(text)
