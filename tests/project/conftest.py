"""Every test of this layer works in a folder of its own, and stands in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.project.wallet import write


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, and the working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def wallet(here: Path) -> Path:
    """The design's project, with its launch `circles`."""
    return write(here)
