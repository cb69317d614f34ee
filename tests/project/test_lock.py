from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from octad.project import lock


@pytest.mark.parametrize("fate", ["replaced", "removed"])
def test_a_file_that_changed_while_one_waited_is_opened_again(
    here: Path, monkeypatch: pytest.MonkeyPatch, fate: str
) -> None:
    path = here / "ledger.jsonl"
    path.write_text("old\n")
    real = lock.exclusive
    waits: list[int] = []

    @contextmanager
    def slow(descriptor: int) -> Iterator[None]:
        with real(descriptor):
            waits.append(descriptor)
            if len(waits) == 1 and fate == "replaced":
                (here / "new").write_text("new\n")
                (here / "new").replace(path)
            elif len(waits) == 1:
                path.unlink()
            yield

    monkeypatch.setattr(lock, "exclusive", slow)
    with lock.locked(path) as (descriptor, made):
        os.write(descriptor, b"mine\n")
        assert made == (fate == "removed")
    assert len(waits) == 2
    assert path.read_text() == ("new\nmine\n" if fate == "replaced" else "mine\n")
