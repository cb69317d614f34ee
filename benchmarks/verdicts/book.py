"""Runs that were made, one JSON line each, so that a stopped measurement goes on."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.verdicts.run import Case, Run

__all__ = ["HOME", "Book", "code_version"]

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".worlds"
"""Where books lie: one for each version of the code, ignored by git."""


def code_version() -> str:
    """A digest of all code that a verdict hangs on: Octad without its faces, and this harness."""
    digest = hashlib.blake2b(digest_size=6)
    source = ROOT / "src" / "octad"
    files = [p for p in sorted(source.rglob("*.py")) if p.relative_to(source).parts[0] != "faces"]
    for path in (*files, *(Path(__file__).with_name(n) for n in ("run.py", "rules.py"))):
        digest.update(str(path.relative_to(ROOT)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


@dataclass(slots=True)
class Book:
    """The runs of one version of the code.

    Attributes:
        path: The file; made with the first run.
        runs: Those it holds, by world.
    """

    path: Path
    runs: dict[Case, Run] = field(default_factory=dict)

    @classmethod
    def open(cls, home: Path = HOME, version: str | None = None) -> Book:
        """Read the book of a version; half a line at the end, of a run cut short, is dropped."""
        book = cls(home / f"{version or code_version()}.jsonl")
        if book.path.exists():
            for line in book.path.read_text(encoding="utf-8").splitlines():
                try:
                    found = Run.of(json.loads(line))
                except (ValueError, TypeError, KeyError):
                    continue
                book.runs[found.case] = found
        return book

    def lacks(self, case: Case, *, looks: bool) -> bool:
        """Whether a world is still to be run, with looks where they are asked for."""
        found = self.runs.get(case)
        return found is None or (looks and not found.looks)

    def add(self, made: Run) -> None:
        """Keep a run."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a+b") as file:
            if file.tell() and not self._whole_lines():
                file.write(b"\n")
            file.write((json.dumps(made.record(), ensure_ascii=False) + "\n").encode())
        self.runs[made.case] = made

    def _whole_lines(self) -> bool:
        with self.path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"
