"""Every row of the numbers table holds."""

from __future__ import annotations

import json

import pytest

from tests.reference.row import row
from tests.reference.table import collect, main

ROWS = collect()


@pytest.mark.parametrize("number", range(len(ROWS)), ids=[r.name for r in ROWS])
def test_row_agrees(number: int) -> None:
    found = ROWS[number]
    assert found.ok, f"{found.name}: {found.ours!r} against {found.reference!r} ({found.source})"


def test_names_are_unique_and_sources_are_named() -> None:
    names = [r.name for r in ROWS]
    assert len(set(names)) == len(names)
    assert all(r.source and r.tolerance < 0.5 * max(1.0, abs(r.reference)) for r in ROWS)


def test_a_row_that_is_off_is_said_to_be() -> None:
    assert not row("x", 1.0, 2.0, tolerance=0.5, source="s").ok
    assert not row("x", float("nan"), 2.0, tolerance=0.5, source="s").ok


def test_json_has_the_agreed_keys(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--json", "--only", "rows_effects"])
    rows = json.loads(capsys.readouterr().out)
    keys = {"name", "ours", "reference", "difference", "tolerance", "source", "ok"}
    assert rows
    assert all(set(r) == keys for r in rows)
