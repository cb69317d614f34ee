"""The figures of examples/asos, held to its README."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.examples.scripts import EXAMPLES, script

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def replay() -> Any:
    return script("asos", "replay")


@pytest.fixture(scope="module")
def paths(replay: Any, shared_data: Path) -> Any:
    return replay.read(shared_data / "asos" / "experiments.csv")


def test_what_is_read(paths: Any) -> None:
    assert len(paths) == 381
    assert sum(len(path.n) for path in paths) == 23_366


def test_what_was_called_as_it_was(replay: Any, paths: Any) -> None:
    assert replay.replay(paths) == {
        "comparisons": 381,
        "at the end": 105,
        "peeking": 224,
        "peeking unsaid": 122,
        "anytime": 105,
        "anytime unsaid": 33,
    }


def test_how_often_nothing_is_called_something(replay: Any, paths: Any) -> None:
    found = replay.without_effect(paths)
    # 762,000 draws in all, many of each schedule: the simulation's error is about .05 points.
    assert found["fixed, once at the end"] == pytest.approx(0.05, abs=0.001)
    assert found["fixed, at every look"] == pytest.approx(0.150, abs=0.002)
    assert found["anytime"] == pytest.approx(0.006, abs=0.001)


def test_the_readme_says_these_figures() -> None:
    page = (EXAMPLES / "asos" / "README.md").read_text(encoding="utf-8")
    for figure in ("23,366", "**15.0%**", "0.6%", "| 224 | **122** (54%) |", "| 105 | 33 (31%) |"):
        assert figure in page
