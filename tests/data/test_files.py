"""Files: found, told apart, and turned into UTF-8."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from octad.data.files import find, kind_of, matches, sniff, write_utf8
from octad.errors import UnknownNameError
from tests.data import exports


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.CSV", "csv"),
        ("a.tsv.gz", "csv"),
        ("a.parquet.zst", "parquet"),
        ("a.ndjson", "json"),
        ("a.duckdb", "duckdb"),
        ("reviews (3).csv", "csv"),
        ("plain", None),
        ("a.xlsx", None),
    ],
)
def test_kinds(name: str, kind: str | None) -> None:
    assert kind_of(Path(name)) == kind


def test_a_name_a_glob_and_a_folder(tmp_path: Path) -> None:
    root = tmp_path / "odd [1] folder"
    a = exports.write(root / "d/a.csv", "x")
    b = exports.write(root / "d/e/b.csv", "x")
    exports.write(root / "d/note.md", "x")
    assert matches(root, "d/a.csv") == [a]
    assert matches(root, "d/*.csv") == [a]
    assert matches(root, "d/**/*.csv") == [a, b]
    assert matches(root, "d") == [a, b]
    assert matches(root, str(b)) == [b]
    brackets = exports.write(root / "d/x[2].csv", "x")
    assert matches(root, "d/x[2].csv") == [brackets]


def test_a_missing_file_says_what_is_there(tmp_path: Path) -> None:
    exports.write(tmp_path / "data/events.parquet", "x")
    with pytest.raises(UnknownNameError) as caught:
        find(tmp_path, "data/event.parquet", None)
    assert "Did you mean 'data/events.parquet'?" in caught.value.mend
    for absent in ("no/such/x.csv", "data/*.csv", "../x.csv"):
        with pytest.raises(UnknownNameError) as caught:
            find(tmp_path, absent, None)
        assert caught.value.mend


@given(text=st.text(min_size=1), size=st.integers(1, 8))
def test_utf8_is_known_as_such_however_it_is_cut(
    tmp_path_factory: pytest.TempPathFactory, text: str, size: int
) -> None:
    data = text.replace("\0", "").encode()
    file = exports.write(tmp_path_factory.mktemp("t") / "a.txt", data)
    patch = pytest.MonkeyPatch()
    patch.setattr("octad.data.files._BLOCK", size)
    try:
        assert sniff(file).plain or data.startswith((b"\xff\xfe", b"\xfe\xff"))
    finally:
        patch.undo()


def test_a_gzipped_text_is_unpacked(tmp_path: Path) -> None:
    file = exports.write(tmp_path / "a.csv.gz", gzip.compress("é,付".encode("utf-16")))
    found = sniff(file)
    assert found.encoding == "utf-16"
    write_utf8(file, found, tmp_path / "out" / "a.txt")
    assert (tmp_path / "out" / "a.txt").read_text(encoding="utf-8").lstrip("\ufeff") == "é,付"
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["a.txt"]
