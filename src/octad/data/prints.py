"""What a file holds, as a digest that is dear once and cheap afterwards."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from octad.data.store import put_bytes

__all__ = ["Print", "prints", "remembered", "still"]

_BLOCK = 1 << 20
_EDGE = 1 << 16
_GRAIN = 3 * 10**9
"""A file that changed less than these nanoseconds before it was read in full may have changed
again within one tick of its clock (2 s on FAT), without any sign of it but its bytes."""


@dataclass(frozen=True, slots=True)
class Print:
    """One file as it was found.

    Attributes:
        path: Where it lies.
        state: Size, both times in nanoseconds, inode, and a digest of its first and last bytes.
        content: 128 bits of BLAKE2b over all its bytes.
    """

    path: Path
    state: tuple[int | str, ...]
    content: str

    def key(self, root: Path) -> str:
        """What its rows are kept under: its bytes and its name, for a row may carry the name."""
        inside = self.path.is_relative_to(root)
        name = str(self.path.relative_to(root) if inside else self.path)
        return hashlib.blake2b(f"{self.content}\0{name}".encode(), digest_size=12).hexdigest()


def _state(path: Path) -> tuple[int | str, ...]:
    with path.open("rb") as file:
        stat = os.fstat(file.fileno())
        digest = hashlib.blake2b(file.read(4096), digest_size=12)
        if stat.st_size > 4096:
            # A Parquet file's last bytes hold the sums of all its columns.
            file.seek(max(stat.st_size - _EDGE, 4096))
            digest.update(file.read(_EDGE))
    return (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino, digest.hexdigest())


def _content(path: Path) -> str:
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def prints(paths: Sequence[Path], store: Path | None = None) -> tuple[Print, ...]:
    """Every file's print.

    A file is read in full the first time; afterwards only when its size, its times, its inode,
    its first 4 or its last 64 kB differ, or when it was so young that its clock could not have
    shown a change. (20 million events in 56 Parquet files, 317 MB: 0.3 s in full, 0.004 s by
    state.)

    Args:
        paths: The files.
        store: Where what was found is remembered; nowhere when absent.
    """
    known = _load(store)
    found: dict[str, tuple[Print, int]] = {}
    fresh: list[tuple[Path, tuple[int | str, ...]]] = []
    for path in paths:
        state = _state(path)
        was = known.get(str(path))
        if was is not None and was[0].state == state and _settled(state, was[1]):
            found[str(path)] = was
        else:
            fresh.append((path, state))
    if fresh:
        # Hashing lets go of the interpreter, so two files are read at a time.
        taken = time.time_ns()
        with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
            contents = list(pool.map(_content, (path for path, _ in fresh)))
        for (path, state), content in zip(fresh, contents, strict=True):
            found[str(path)] = (Print(path, state, content), taken)
        _save(store, found)
    return tuple(found[str(path)][0] for path in paths)


def remembered(paths: Sequence[Path], store: Path | None) -> tuple[Print | None, ...]:
    """The prints of files that are as they were when `prints` took them; no file is read through.

    Args:
        paths: The files.
        store: As for `prints`.
    """
    known = _load(store)

    def as_it_was(path: Path) -> Print | None:
        was = known.get(str(path))
        state = _state(path)
        return was[0] if was and was[0].state == state and _settled(state, was[1]) else None

    return tuple(as_it_was(path) for path in paths)


def _settled(state: tuple[int | str, ...], taken: int) -> bool:
    return max(int(state[1]), int(state[2])) + _GRAIN < taken


def still(found: Sequence[Print]) -> bool:
    """Whether files are as they were found: not replaced, removed or written to since."""
    try:
        return all(_state(one.path) == one.state for one in found)
    except OSError:
        return False


def _load(store: Path | None) -> Mapping[str, tuple[Print, int]]:
    if store is None:
        return {}
    try:
        rows = json.loads(store.read_bytes())
        return {
            path: (Print(Path(path), tuple(state), str(content)), int(taken))
            for path, (state, content, taken) in rows.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _save(store: Path | None, found: Mapping[str, tuple[Print, int]]) -> None:
    if store is None:
        return
    rows = {path: (one.state, one.content, taken) for path, (one, taken) in found.items()}
    put_bytes(store, json.dumps(rows).encode())
