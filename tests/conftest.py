"""What every test may ask for."""

from __future__ import annotations

import os

# Two workers with a thread pool each would fight over two cores; small matrices need no pool.
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(name, "1")

from pathlib import Path

import pytest
from hypothesis import settings

# A deadline of 200 ms an example fails when other work has the processor.
settings.register_profile("octad", deadline=None)
settings.load_profile("octad")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the project; skipped, with the reason, where it is absent."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        reason = "the real data (../shared/data) do not lie beside this checkout"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return folder
