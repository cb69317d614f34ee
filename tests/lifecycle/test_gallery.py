"""The gallery: each planted fault is found, and nothing else is claimed."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from octad.model.review import Review, Verdict
from octad.worlds.planted import FAULTS, Fault

ROOT = Path(__file__).resolve().parents[2]
FOUND = {
    "redirect": (Verdict.CANNOT_TELL, {"doubt.sample_ratio", "doubt.sample_ratio.parts"}),
    "badges": (Verdict.HOLD, {"kpi.opens", "results.together", "horizon.opens"}),
    "gestures": (Verdict.ROLL_BACK, {"breadth.harmed.1.saves"}),
    "reminders": (Verdict.HOLD, {"kpi.opens", "results.together"}),
    "icon": (Verdict.HOLD, set()),
    "batching": (Verdict.CANNOT_TELL, {"doubt.gaps"}),
}
BY_NAME = {fault.name: fault for fault in FAULTS}


@pytest.fixture(scope="module")
def gallery() -> Any:
    path = ROOT / "tools" / "gallery.py"
    spec = importlib.util.spec_from_file_location("tools_gallery", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["tools_gallery"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module", params=[fault.name for fault in FAULTS])
def seen(request: Any, gallery: Any, tmp_path_factory: Any) -> tuple[Fault, Review]:
    fault = BY_NAME[request.param]
    return fault, gallery.reviewed(fault, tmp_path_factory.mktemp("planted") / fault.name)


def test_the_fault_is_found_and_nothing_else_is_claimed(
    gallery: Any, seen: tuple[Fault, Review]
) -> None:
    fault, review = seen
    verdict, found = FOUND[fault.name]
    assert {f.id for f in gallery.claimed(review)} == found
    assert review.verdict is verdict
    for finding in gallery.claimed(review):
        if finding.harm:
            assert finding.segment == dict(fault.segment)
    if fault.looks:
        assert review.looks == len(fault.looks)
        opens = next(f for f in review.kpi.findings if f.id == "kpi.opens").estimate
        assert opens is not None
        # The fixed interval leaves out zero on this look: a peeker would have called it.
        assert opens.anytime_low is not None
        assert opens.anytime_low < 0 < (opens.low or 0)


def test_the_page_is_what_the_reviews_say(gallery: Any, seen: tuple[Fault, Review]) -> None:
    page = gallery.PAGE.read_text(encoding="utf-8")
    assert page.startswith(gallery.HEAD)
    assert gallery.entry(*seen) in page
