"""Files known by what they hold."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from octad.data import prints as module
from octad.data.prints import prints, still


def aged(path: Path, text: bytes, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that looks old enough for its clock to be believed."""
    path.write_bytes(text)
    monkeypatch.setattr(module, "_GRAIN", -(10**15))
    return path


def test_a_print_is_of_the_bytes(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).write_bytes(b"x" * 100_000)
    one, two = prints([tmp_path / "a", tmp_path / "b"])
    assert one.content == two.content
    assert one.key(tmp_path) != two.key(tmp_path)
    (tmp_path / "a").touch()
    assert prints([tmp_path / "a"])[0].key(tmp_path) == one.key(tmp_path)


def test_a_file_is_read_in_full_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = aged(tmp_path / "a", b"x" * 200_000, monkeypatch)
    store = tmp_path / "prints.json"
    first = prints([file], store)
    monkeypatch.setattr(module, "_content", lambda _path: "read again")
    assert prints([file], store) == first
    os.utime(file, ns=(1, 1))
    assert prints([file], store)[0].content == "read again"


def test_a_young_file_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes changed within one tick of the clock leave size, times and inode as they were."""
    file, store = tmp_path / "a", tmp_path / "prints.json"
    file.write_bytes(b"x" * 200_000)
    state = module._state(file)
    monkeypatch.setattr(module, "_state", lambda _path: state)
    first = prints([file], store)
    file.write_bytes(b"x" * 100_000 + b"y" + b"x" * 99_999)
    assert prints([file], store)[0].content != first[0].content


def test_the_last_bytes_are_looked_at_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, store = aged(tmp_path / "a", b"x" * 200_000, monkeypatch), tmp_path / "prints.json"
    first = prints([file], store)
    assert still(first)
    stat = file.stat()
    file.write_bytes(b"x" * 199_999 + b"y")
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert not still(first)
    assert prints([file], store)[0].content != first[0].content
    file.unlink()
    assert not still(first)


@pytest.mark.parametrize("kept", [b"", b"{", b"[]", b'{"a": 1}', b'{"a": [[1], "x", "y"]}'])
def test_what_is_remembered_may_be_damaged(tmp_path: Path, kept: bytes) -> None:
    file, store = tmp_path / "a", tmp_path / "prints.json"
    file.write_bytes(b"x")
    expected = prints([file])
    store.write_bytes(kept)
    assert prints([file], store) == expected
