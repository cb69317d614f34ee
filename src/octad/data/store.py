"""Writing under `.octad/`: whole or not at all, and never a reason to fail."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import time
from collections.abc import Callable
from pathlib import Path

__all__ = ["PARTIAL", "put", "put_bytes", "size_of", "sweep"]

PARTIAL = ".partial-"
"""Begins the name of what is being written; a killed review may leave one behind."""

_ABANDONED = 3600.0
"""Seconds after which what is half written, or no longer asked for, belongs to nobody."""


def put(target: Path, write: Callable[[Path], object]) -> bool:
    """Write a file beside its place, then rename it there.

    Args:
        target: The file; its folder is made.
        write: Writes the path it is given. It may raise `OSError`.

    Returns:
        Whether it is there now. A full disk or a folder that may not be written is no error:
        what is kept only saves time.
    """
    partial = target.with_name(f"{PARTIAL}{secrets.token_hex(6)}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write(partial)
        partial.replace(target)
    except OSError:
        return False
    else:
        return True
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def put_bytes(target: Path, content: bytes) -> bool:
    """Write bytes as `put` does."""
    return put(target, lambda path: path.write_bytes(content))


def sweep(folder: Path, keep: Callable[[Path], bool]) -> None:
    """Remove what is half written or no longer asked for, once nobody can be using it.

    Args:
        folder: Whose entries are looked at; entries in use are touched by whoever uses them.
        keep: Whether an entry stays whatever its age.
    """
    now = time.time()
    with contextlib.suppress(OSError):
        for entry in list(folder.iterdir()):
            if not entry.name.startswith(PARTIAL) and keep(entry):
                continue
            with contextlib.suppress(OSError):
                if now - entry.stat().st_mtime < _ABANDONED:
                    continue
                if entry.is_dir():
                    shutil.rmtree(entry, ignore_errors=True)
                else:
                    entry.unlink(missing_ok=True)


def size_of(folder: Path) -> int:
    """Bytes that a folder's files take; 0 when there is none."""
    total = 0
    for base, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += (Path(base) / name).lstat().st_size
    return total
