"""What a look leaves for the next one, on disk: states, whom they cover, and one small file on top.

Everything is written under names of its own and synced before `look.json` is renamed into place,
so that a kill at any moment leaves the look before or this one, never half of one.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from octad.data import clock, fold, fold_files, fold_rows, fold_state
from octad.data.fold_state import Form, State
from octad.data.kept_merge import size_of
from octad.data.store import PARTIAL, sweep

__all__ = ["Coverage", "Look", "Slot", "recipe_digest"]

_FORM = 1
"""Raised when what is kept changes its meaning without a line of the folding code changing."""

_MOST_SLOTS = 6
"""Launches, or plans of one, whose states are kept beside one another."""

_LOOK = "look.json"


@dataclass(frozen=True, slots=True)
class Coverage:
    """Whose events the states hold.

    A user's rows count in states from `since` on: who came back, or was exposed anew, was read
    again into a later one.

    Attributes:
        user: (n,) uint64 half of the MD5 of each id, rising.
        exposed: (n,) int64 microseconds since 1970.
        since: (n,) int32 number of the first state that counts.
        staff: (m,) uint64, rising; `staff_since` (m,) int32 the same for them.
    """

    user: NDArray[np.uint64]
    exposed: NDArray[np.int64]
    since: NDArray[np.int32]
    staff: NDArray[np.uint64]
    staff_since: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Look:
    """A look that was kept.

    Attributes:
        files: Keys of the files that were read.
        rules: How their rows were read.
        cut: Rows from this moment on were not used; None when all were.
        sampled: As in `Form`.
        day: The last day that it saw.
        parts: Names of the states, in the order they were made.
        sizes: How many rows each has.
        users: Name of the coverage.
    """

    files: tuple[str, ...]
    rules: str
    cut: int | None
    sampled: int
    day: date
    parts: tuple[str, ...]
    sizes: tuple[int, ...]
    users: str


_READER = TypeAdapter(Look)


def recipe_digest(form: Form, asked: dict[str | None, int]) -> str:
    """What a state depends on besides rows and users: the form, and the code that fills it."""
    digest = hashlib.blake2b(digest_size=10)
    digest.update(repr((_FORM, replace(form, until=None, sampled=0))).encode())
    digest.update(repr(sorted(asked.items(), key=repr)).encode())
    for module in (clock, fold, fold_files, fold_rows, fold_state):
        digest.update(Path(module.__file__ or "").read_bytes())
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of one launch's kept look.

    Attributes:
        folder: Under `.octad/rollup`.
    """

    folder: Path

    @classmethod
    def of(cls, hidden: Path, launch: str, digest: str) -> Slot:
        """The place for a launch, whatever its name holds."""
        safe = "".join(c if c.isalnum() and c.isascii() else "_" for c in launch)[:40]
        named = hashlib.blake2b(launch.encode(), digest_size=4).hexdigest()
        return cls(hidden / "rollup" / f"{safe}-{named}-{digest}")

    def look(self) -> Look | None:
        """The look that is kept, if it is there and whole as far as its own file goes."""
        try:
            return _READER.validate_json((self.folder / _LOOK).read_bytes())
        except (OSError, ValueError):
            return None

    def coverage(self, look: Look) -> Coverage:
        """Whom it covers.

        Raises:
            ValueError: When that cannot be read.
        """
        folder = self.folder / look.users
        try:
            found = {
                f.name: np.load(folder / f"{f.name}.npy", mmap_mode="r", allow_pickle=False)
                for f in fields(Coverage)
            }
        except (OSError, ValueError, EOFError) as error:
            msg = f"{look.users} cannot be read: {error}"
            raise ValueError(msg) from error
        return Coverage(**found)

    def states(self, look: Look) -> list[State]:
        """Its states, their arrays mapped from the disk.

        Raises:
            ValueError: When one cannot be read.
        """
        return [State.load(self.folder / name) for name in look.parts]

    def keep(
        self,
        look: Look,
        state: State | None,
        coverage: Coverage,
        *,
        still: Callable[[], bool],
    ) -> bool:
        """Put a look in place of the one before.

        Args:
            look: Its parts are those of older looks that go on counting.
            state: What this look adds to them; None when it adds nothing.
            coverage: Whom all of them cover together.
            still: Whether the files are as they were when they were read.

        Returns:
            Whether it is kept. A full disk or a folder that may not be written is no error.
        """
        names = [f"users-{secrets.token_hex(6)}"]
        written = {names[0]: lambda path: _write_coverage(coverage, path)}
        if state is not None:
            names.append(f"part-{secrets.token_hex(6)}")
            written[names[1]] = state.save
            look = replace(look, parts=(*look.parts, names[1]), sizes=(*look.sizes, size_of(state)))
        look = replace(look, users=names[0])
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for name, write in written.items():
                _write_folder(self.folder / name, write)
            if not still():
                return self._take_back(names)
            _write_look(self.folder, look)
        except OSError:
            return self._take_back(names)
        self._sweep(look)
        return True

    def _take_back(self, names: Sequence[str]) -> bool:
        for name in names:
            shutil.rmtree(self.folder / name, ignore_errors=True)
        return False

    def _sweep(self, look: Look) -> None:
        """Remove what no look counts any more, here and among the other launches."""
        mine = {_LOOK, look.users, *look.parts}
        for name in mine:
            with contextlib.suppress(OSError):
                os.utime(self.folder / name)
        sweep(self.folder, lambda entry: entry.name in mine)
        with contextlib.suppress(OSError):
            os.utime(self.folder)
            slots = [e for e in self.folder.parent.iterdir() if e.is_dir()]
            newest = sorted(slots, key=lambda e: e.stat().st_mtime, reverse=True)[:_MOST_SLOTS]
            sweep(self.folder.parent, lambda entry: entry in newest)


def _write_folder(target: Path, write: Callable[[Path], object]) -> None:
    """Write a folder beside its place, sync it, and rename it there."""
    partial = target.with_name(f"{PARTIAL}{target.name}")
    try:
        partial.mkdir(parents=True)
        write(partial)
        for entry in partial.iterdir():
            _sync(entry)
        _sync(partial)
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _write_coverage(coverage: Coverage, folder: Path) -> None:
    for f in fields(Coverage):
        np.save(folder / f"{f.name}.npy", getattr(coverage, f.name), allow_pickle=False)


def _write_look(folder: Path, look: Look) -> None:
    partial = folder / f"{PARTIAL}{secrets.token_hex(6)}"
    try:
        partial.write_bytes(_READER.dump_json(look))
        _sync(partial)
        _sync(folder)
        partial.replace(folder / _LOOK)
    finally:
        partial.unlink(missing_ok=True)
    _sync(folder)


def _sync(path: Path) -> None:
    """Make what was written outlast a power cut, where the system can promise that."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:
        if path.is_file():
            raise
    finally:
        os.close(descriptor)
