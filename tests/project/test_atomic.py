from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path

import pytest

from octad.errors import FileError
from octad.project.atomic import write_bytes, write_text


def test_a_file_is_written_and_replaced(here: Path) -> None:
    path = here / "reviews" / "circles.html"
    write_text(path, "one\n")
    write_text(path, "zwei ü 付款\n")
    assert path.read_bytes() == "zwei ü 付款\n".encode()
    assert [entry.name for entry in path.parent.iterdir()] == ["circles.html"]


@pytest.mark.parametrize("fault", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt()])
def test_what_was_there_stays_when_it_fails(
    here: Path, monkeypatch: pytest.MonkeyPatch, fault: BaseException
) -> None:
    path = here / "report.html"
    write_text(path, "before")

    def refuse(descriptor: int) -> None:
        raise fault

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises((FileError, KeyboardInterrupt)):
        write_bytes(path, b"after")
    assert path.read_text() == "before"
    assert [entry.name for entry in here.iterdir()] == ["report.html"]


def test_a_full_disk_is_said(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(FileError) as caught:
        write_text(here / "report.html", "x")
    assert str(caught.value) == (
        "report.html: The file cannot be written (no space left on device). "
        "Make room on the disk, and run it again."
    )


def test_a_folder_that_is_a_file_is_said(here: Path) -> None:
    (here / "reviews").write_text("")
    with pytest.raises(FileError, match="cannot be written"):
        write_text(here / "reviews" / "circles.html", "x")


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX links and modes")
def test_links_and_modes_are_kept(here: Path) -> None:
    real = here / "real.html"
    write_text(real, "one")
    real.chmod(0o600)
    (here / "link.html").symlink_to(real)
    write_text(here / "link.html", "two")
    assert (here / "link.html").is_symlink()
    assert real.read_text() == "two"
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
