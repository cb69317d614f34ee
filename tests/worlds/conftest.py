"""One small wallet for all tests of worlds."""

from __future__ import annotations

import pytest

from octad.worlds import World, simulate


@pytest.fixture(scope="session")
def wallet() -> World:
    """The wallet with 8,000 users."""
    return simulate("wallet", seed=7, users=8_000)
