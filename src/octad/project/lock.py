"""One writer at a time, across processes."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["exclusive", "locked"]

_PATIENCE = 60.0
"""Seconds to wait for another writer, where the system cannot wait for us."""


@contextmanager
def exclusive(descriptor: int) -> Iterator[None]:
    """Hold the operating system's lock on an open file; it falls with the process, even if killed.

    Raises:
        OSError: When the file system cannot lock, or (on Windows) nobody lets go in a minute.
    """
    try:
        import fcntl  # noqa: PLC0415 - only where there is one
    except ImportError:
        with _exclusive_windows(descriptor):
            yield
        return
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


@contextmanager
def _exclusive_windows(descriptor: int) -> Iterator[None]:
    import msvcrt  # noqa: PLC0415 - only where there is one

    # Windows locks bytes, not files. One far beyond the end is everybody's, and hides no content.
    far = 2**30

    def act(mode: int) -> None:
        here = os.lseek(descriptor, 0, os.SEEK_CUR)
        os.lseek(descriptor, far, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, mode, 1)  # type: ignore[attr-defined,unused-ignore]
        finally:
            os.lseek(descriptor, here, os.SEEK_SET)

    limit = time.monotonic() + _PATIENCE
    while True:
        try:
            act(msvcrt.LK_NBLCK)  # type: ignore[attr-defined,unused-ignore]
            break
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EDEADLK) or time.monotonic() > limit:
                raise
            time.sleep(0.02)
    try:
        yield
    finally:
        act(msvcrt.LK_UNLCK)  # type: ignore[attr-defined,unused-ignore]


@contextmanager
def locked(path: Path) -> Iterator[tuple[int, bool]]:
    """Open a file for reading and appending, alone, making it if it is not there.

    While one waits, another may have replaced or removed the file (a checkout, an undone first
    write); then what was opened is no longer what the name means, and it is opened again.

    Yields:
        The descriptor, and whether the file was made just now.

    Raises:
        OSError: When it cannot be opened or locked.
    """
    while True:
        descriptor, made = _open(path)
        try:
            with exclusive(descriptor):
                if _same(path, os.fstat(descriptor)):
                    yield descriptor, made
                    return
        finally:
            os.close(descriptor)


def _open(path: Path) -> tuple[int, bool]:
    flags = os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0)
    while True:
        try:
            return os.open(path, flags), False
        except FileNotFoundError:
            pass
        try:
            return os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o666), True
        except FileExistsError:
            continue  # another writer was a moment earlier


def _same(path: Path, held: os.stat_result) -> bool:
    try:
        return os.path.samestat(path.stat(), held)
    except FileNotFoundError:
        return False
