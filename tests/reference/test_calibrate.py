"""The calibration runs, says what is off, and fails when something is."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.reference.calibrate import main, run, simulations
from tests.reference.chance import at_least, at_most, equal, explained


def _hits(share: float) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    hits = np.zeros(1000, dtype=bool)
    hits[: round(1000 * share)] = True
    return hits


def test_what_is_off_is_said_to_be() -> None:
    assert equal("x", _hits(0.06), 0.05).ok
    assert not equal("x", _hits(0.1), 0.05).ok
    assert not equal("x", _hits(0.01), 0.05).ok
    assert at_most("x", _hits(0.01), 0.05).ok
    assert not at_most("x", _hits(0.1), 0.05).ok
    assert at_least("x", _hits(0.9), 0.8).ok
    assert not at_least("x", _hits(0.7), 0.8).ok
    assert explained("x", _hits(0.3), 0.05, "on purpose").ok


def test_json_has_every_key_and_the_cheap_simulations_hold(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = main(["--json", "--only", "single.shares", "--repetitions", "2000"])
    rows = json.loads(capsys.readouterr().out)
    keys = {"name", "measured", "nominal", "error", "bound", "repetitions", "ok", "note"}
    assert code == 0
    assert all(set(r) == keys for r in rows)


def test_a_run_repeats_exactly_and_names_differ() -> None:
    one, two = run(200, only="many.families"), run(200, only="many.families")
    assert one == two
    found = simulations()
    assert len({(s.__module__, s.__name__) for s in found}) == len(found) > 10


def test_no_such_simulation_is_a_failure() -> None:
    assert main(["--json", "--only", "nothing of the kind"]) == 1
