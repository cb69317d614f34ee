"""The figures of examples/upworthy, held to its README."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.examples.scripts import EXAMPLES, script

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def library() -> Any:
    return script("upworthy", "library")


@pytest.fixture(scope="module")
def tests(library: Any, shared_data: Path) -> Any:
    return library.read(shared_data / "upworthy" / "headline_tests.parquet")


def test_what_is_read(tests: Any) -> None:
    assert len(tests) == 4_873
    assert sum(len(test.shown) for test in tests) == 22_666
    assert sum(test.shown.sum() for test in tests) == 81_024_151
    assert sum(test.clicks.sum() for test in tests) == 1_231_208


def test_the_sample_ratio_finds_what_the_authors_withdrew(library: Any, tests: Any) -> None:
    sound = {test.name for test in library.even(tests)}
    inside = [test for test in tests if library.in_doubt(test)]
    # The published correction speaks of 22% of the archive's tests.
    assert len(inside) / len(tests) == pytest.approx(0.22, abs=0.01)
    assert sum(test.name not in sound for test in tests) == 753
    assert sum(test.name not in sound for test in inside) == 736


def test_clicks_and_the_winner_s_luck(library: Any, tests: Any) -> None:
    kept = [test for test in library.even(tests) if not library.in_doubt(test)]
    found = library.clicks(kept)
    assert found["pairs"] == 3_751
    assert found["significant"] == pytest.approx(0.227, abs=5e-4)
    # REML is found by a root search; its last digits are the optimiser's.
    assert found["noise share"] == pytest.approx(0.33, abs=0.005)
    assert found["claimed"] == pytest.approx(1.029, abs=1e-3)
    assert found["true"] == pytest.approx(0.479, abs=1e-3)


def test_the_quarters_are_the_readme_s(library: Any, tests: Any, shared_data: Path) -> None:
    page = (EXAMPLES / "upworthy" / "README.md").read_text(encoding="utf-8")
    users = library.traffic(shared_data / "upworthy" / "site_daily.csv")
    rows = library.by_quarter(tests, users)
    assert len(users) == 850
    for quarter, rate, seen, n, odd in rows:
        assert f"| {quarter} | {rate:.2%} | {seen:,.0f} | {n} | {odd} |" in page
    assert len(rows) == 10


def test_octad_does_not_answer_what_the_library_cannot_tell(library: Any, tests: Any) -> None:
    page = (EXAMPLES / "upworthy" / "README.md").read_text(encoding="utf-8")
    said = library.asked(tests)
    assert "the ledger holds none" in said
    assert f"> {said}" in page
