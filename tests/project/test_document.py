from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from octad.errors import FileError, OctadError
from octad.project.document import MAX_BYTES, read

EMPTY = "The file is empty. Fill it in; `octad init` in another folder writes one to begin from."
CUT = (
    "YAML cannot tell where the value on this line begins and ends. "
    "Put the whole value in quotes; inside single quotes an apostrophe is written twice."
)
TAB = "A tab stands where YAML wants spaces. Indent with spaces, two a level."
COLON = "A line here has no colon after its key. Write `key: value`, with a space after the colon."

REFUSED = {
    "": (None, EMPTY),
    "# nothing yet\n": (None, EMPTY),
    "a: 1\n\tb: 2\n": (2, TAB),
    "a:\n\tb: 2\n": (2, TAB),
    "\ta: 1\n": (1, TAB),
    "where: > 10\n": (
        1,
        'Text that begins with > or | must be in quotes. Such as "> 10".',
    ),
    "a: b: c\n": (
        1,
        (
            "A colon stands where YAML does not expect one. "
            "Put text that holds ': ' in quotes; "
            "check that the line is indented like its neighbours."
        ),
    ),
    "a: @x\n": (1, 'Text that begins with @ must be in quotes. Such as "@…".'),
    "a: `x\n": (1, 'Text that begins with ` must be in quotes. Such as "`…".'),
    "a: %x\n": (1, 'Text that begins with % must be in quotes. Such as "%…".'),
    "a: 'x\nb: 2\n": (
        1,
        (
            "A quote is opened and not closed. "
            "Close it; inside double quotes a backslash is written twice."
        ),
    ),
    'a: "C:\\data"\n': (
        1,
        (
            "A backslash in double quotes begins an escape that YAML does not know. "
            "Use single quotes: 'data\\events.csv'."
        ),
    ),
    "a: 1\nb: {c: 1\nd: 2\n": (
        2,
        "A { is not closed, or a comma is missing inside it. Write {key: value, key: value}.",
    ),
    "a: [1, 2\nb: 3\n": (
        1,
        "A [ is not closed, or a comma is missing inside it. Write [one, two].",
    ),
    "a: 1\nfoo\nb: 2\n": (2, COLON),
    "a:\n  b: 1\n c: 2\n": (
        3,
        (
            "The indentation does not fit the lines above. "
            "Begin keys of one level in the same column, and each list item with '- '."
        ),
    ),
    "a: - b\n": (
        1,
        (
            "A list item (- ) stands where YAML does not expect one. "
            "Begin the list on the next line, or write [one, two]."
        ),
    ),
    "a: 'it's'\n": (1, CUT),
    'a: "x" y\n': (1, CUT),
    "a: *.parquet\n": (
        1,
        (
            "A bare *.parquet refers to a YAML anchor, and plans take none. "
            'If text is meant, such as a file pattern, put it in quotes: "*.parquet".'
        ),
    ),
    "a: &x 1\n": (
        1,
        (
            "A bare &x marks a YAML anchor, and plans take none. "
            "Write the value out where it is used; put text that begins with & in quotes."
        ),
    ),
    "a: 1\nb: !!python/object/apply:os.system [ls]\n": (
        2,
        (
            "!!python/object/apply:os.system is a YAML tag, and plans take none. "
            "Take it out; put text that begins with ! in quotes."
        ),
    ),
    "a: 1\nb: 2\na: 3\n": (3, "'a' is written twice, here and in line 1. Keep one of them."),
    "a: 1\n---\nb: 2\n": (2, "A second document begins here (---). Keep one a file."),
    "? [a]\n: 1\n": (
        1,
        (
            "A key here is a list or a mapping of its own; keys are plain words. "
            "Text such as {name} must be in quotes."
        ),
    ),
    "<<: 1\n": (1, "<< merges YAML anchors, and plans take none. Write the keys out."),
    ": 1\n": (1, "A key is empty. Write a name before the colon."),
    "- a\n- b\n": (
        1,
        (
            "The file holds a list, where keys with values are meant. "
            "Write one key a line, with a space after the colon, such as `product: Wallet`."
        ),
    ),
    "product:Wallet\n": (
        1,
        (
            "The file holds a single value, where keys with values are meant. "
            "Write one key a line, with a space after the colon, such as `product: Wallet`."
        ),
    ),
    "a: .nan\n": (
        1,
        (
            ".nan is no number that can be reckoned with. "
            'Write a number; or, if text is meant, put it in quotes: ".nan".'
        ),
    ),
    "a: 1\nb: x\x07\n": (
        2,
        (
            "A character here (code 7) cannot stand in YAML. "
            "Take it out; it is probably invisible, and came with a paste."
        ),
    ),
    "%YAML 1.1\n---\na: on\n": (
        2,
        "The file asks for another YAML than 1.2, which Octad reads. Take the %YAML line out.",
    ),
}


@pytest.mark.parametrize("text", REFUSED)
def test_each_fault_is_said_in_words_at_its_line(here: Path, text: str) -> None:
    path = here / "octad.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FileError) as caught:
        read(path)
    line, message = REFUSED[text]
    place = "octad.yml" if line is None else f"octad.yml:{line}"
    assert str(caught.value) == f"{place}: {message}"


def test_values_are_read_by_yaml_1_2_and_kept_as_written(here: Path) -> None:
    path = here / "x.yml"
    path.write_text(
        "t: true\nn: ~\ni: 010\nf: 1.10\ne: 1e3\no: 0o17\nh: 0xff\ns: on\nd: 2026-03-01\n"
        'q: "1.10"\nu: 1_000\nlist:\n  - a\n  - {b: 2}\n',
        encoding="utf-8",
    )
    document = read(path)
    assert document.data == {
        "t": True,
        "n": None,
        "i": 10,
        "f": 1.1,
        "e": 1000.0,
        "o": 15,
        "h": 255,
        "s": "on",
        "d": "2026-03-01",
        "q": "1.10",
        "u": "1_000",
        "list": ["a", {"b": 2}],
    }
    assert document.scalars["f",].text == "1.10"
    assert document.scalars["f",].plain
    assert not document.scalars["q",].plain
    assert document.lines()["list.1.b"] == 14
    assert str(document.where(("list", 1, "nowhere"))) == "x.yml:14"


def test_keys_are_text_whatever_they_look_like(here: Path) -> None:
    path = here / "x.yml"
    path.write_text("1: a\n1.10: b\ntrue: c\nno: d\n", encoding="utf-8")
    assert read(path).data == {"1": "a", "1.10": "b", "true": "c", "no": "d"}


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_a_byte_order_mark_do_not_matter(
    here: Path, newline: str, mark: bytes
) -> None:
    path = here / "x.yml"
    path.write_bytes(mark + newline.join(["a: 1", "b:", "  c: 付款", ""]).encode())
    document = read(path)
    assert document.data == {"a": 1, "b": {"c": "付款"}}
    assert document.lines()["b.c"] == 3


def test_a_latin_1_byte_is_named_with_its_line(here: Path) -> None:
    path = here / "x.yml"
    path.write_bytes(b"a: 1\nb: caf\xe9\n")
    with pytest.raises(FileError) as caught:
        read(path)
    assert str(caught.value) == (
        "x.yml:2: A byte here (0xE9, 'é' in Latin-1) is not UTF-8. "
        "Save the file as UTF-8 (in the editor's 'Save as')."
    )


def test_utf_16_is_named(here: Path) -> None:
    path = here / "x.yml"
    path.write_text("a: 1\n", encoding="utf-16")
    with pytest.raises(FileError, match="saved as UTF-16"):
        read(path)


def test_a_large_file_is_refused_without_being_read(here: Path) -> None:
    path = here / "x.yml"
    path.write_bytes(b"a: 1\n" * 1_000_000)
    with pytest.raises(FileError) as caught:
        read(path)
    assert str(caught.value) == (
        f"x.yml: The file is larger than {MAX_BYTES // 1024} KB, which no plan needs. "
        "Keep data in tables of their own, and name them under `sources`."
    )


@pytest.mark.parametrize("bomb", ["[" * 200_000, "a: " + "{b: " * 5000, "- " * 20_000])
def test_deep_nesting_is_refused_at_once(here: Path, bomb: str) -> None:
    path = here / "x.yml"
    path.write_text(bomb, encoding="utf-8")
    with pytest.raises(FileError, match="nested more than 16 levels deep"):
        read(path)


def test_a_billion_laughs_are_refused(here: Path) -> None:
    lines = ["a: &a [lol, lol]"]
    lines += [f"{c}: &{c} [*{p}, *{p}]" for p, c in zip("abcdefgh", "bcdefghi", strict=True)]
    path = here / "x.yml"
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(FileError, match="A bare &a marks a YAML anchor"):
        read(path)


def test_a_folder_and_a_missing_file_are_named(here: Path) -> None:
    (here / "x.yml").mkdir()
    with pytest.raises(FileError, match=r"x\.yml: This is a folder, where a file is meant\."):
        read(here / "x.yml")
    with pytest.raises(FileError, match=r"y\.yml: There is no such file\."):
        read(here / "y.yml")


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="ab:{}[]-?!&*|>'\"%@`#, \n\t~0.1\r\\", max_size=40))
def test_no_text_ends_in_a_traceback(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yml"
    path.write_text(text, encoding="utf-8")
    with suppress(OctadError):
        read(path)
