"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from pathlib import Path

from octad.errors import FileError, Where
from octad.project.problems import shown

__all__ = ["sync_folder", "write_bytes", "write_text"]


def write_text(path: Path, text: str) -> None:
    """Write a text file (UTF-8, its newlines as given), whole or not at all.

    Raises:
        FileError: When it cannot be written; what was there before is untouched.
    """
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all: beside it under another name, then renamed into place.

    A reader sees the old file or the new one, whatever happens in between; a kill leaves at worst
    a hidden file whose name ends in ``.tmp``.

    Raises:
        FileError: When it cannot be written; what was there before is untouched.
    """
    target = path.resolve()  # a link stays a link: the file it points to is replaced
    if target.exists() and not target.is_file():
        _pour(target, content, path)
        return
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _write_new(temporary, content, _mode(target))
        temporary.replace(target)
    except OSError as error:
        raise FileError(
            f"The file cannot be written ({reason(error)}).",
            where=Where(shown(path)),
            mend=mend(error),
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    sync_folder(target.parent)


def _pour(target: Path, content: bytes, path: Path) -> None:
    """Write into what is no regular file, such as a pipe or a device: it must not be replaced."""
    try:
        with target.open("wb") as handle:
            handle.write(content)
    except OSError as error:
        raise FileError(
            f"Nothing can be written there ({reason(error)}).",
            where=Where(shown(path)),
            mend=mend(error),
        ) from error


def _mode(target: Path) -> int:
    """The mode of the file that is replaced; else what the person's umask makes of 0666."""
    try:
        return target.stat().st_mode & 0o777
    except OSError:
        return 0o666


def _write_new(path: Path, content: bytes, mode: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags, mode)
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())


def sync_folder(folder: Path) -> None:
    """Make a name in a folder outlast a power cut, where the system can promise that."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def reason(error: OSError) -> str:
    """Why the system refused, in its own few words.

    >>> reason(OSError(28, "No space left on device"))
    'no space left on device'
    """
    text = error.strerror or str(error)
    return text[:1].lower() + text[1:]


def mend(error: OSError) -> str:
    """What a person can do about it."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "Make room on the disk, and run it again."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "Choose a folder you may write to, or change its permissions."
    return "Check the folder, and run it again."
