"""Harmed segments: named simply, at the size that the confirming half gives."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from octad.model.inputs import History, Inputs, Slice
from octad.readings.breadth_segments import harm_findings, look_error, search
from tests.readings.made import N, cells, counts, four, inputs, plan


def _inputs(loss: float, seed: int = 3, *, everywhere: float = 0.0, **more: Any) -> Inputs:
    """Four regions by three devices; those of region 2 with device 1 lose."""
    region, device = np.arange(N) % 4, np.arange(N) // 4 % 3
    slices = {Slice((("region", f"r{r}"),)): [region == r] * 2 for r in range(4)}
    slices |= {Slice((("device", f"d{d}"),)): [device == d] * 2 for d in range(3)}
    slices |= {
        Slice((("region", f"r{r}"), ("device", f"d{d}"))): [(region == r) & (device == d)] * 2
        for r in range(4)
        for d in range(3)
    }
    lost = np.where((region == 2) & (device == 1), loss, 0.0) + everywhere
    rows = four(counts(5, seed + 1)), four(counts(5, seed) - lost)
    return inputs(cells("payments", *rows, slices=slices), **more)


PLAN = plan(results={"payments": "1%"})


def test_a_pair_is_named_and_sized_by_the_confirming_half() -> None:
    answer = harm_findings(PLAN, _inputs(2.0), search(PLAN, _inputs(2.0)))
    (harmed,) = [f for f in answer if f.harm]
    assert harmed.segment == {"region": "r2", "device": "d1"}
    assert harmed.estimate is not None
    assert harmed.estimate.low is not None
    assert harmed.estimate.high is not None
    assert harmed.estimate.low < -0.4 < harmed.estimate.high
    assert harmed.claim.startswith("Users in r2 whose device is d1 (8% of all): payments −")


def test_the_wider_segment_is_named_where_all_of_it_is_hurt() -> None:
    region, device = np.arange(N) % 4, np.arange(N) // 4 % 3
    slices = {Slice((("region", f"r{r}"),)): [region == r] * 2 for r in range(4)}
    slices |= {
        Slice((("region", "r2"), ("device", f"d{d}"))): [(region == 2) & (device == d)] * 2
        for d in range(3)
    }
    rows = four(counts(5, 4)), four(counts(5, 3) - np.where(region == 2, 1.5, 0.0))
    seen = inputs(cells("payments", *rows, slices=slices))
    named = search(PLAN, seen).named
    assert [h.slice.values for h in named] == [(("region", "r2"),)]


def test_when_all_pay_alike_one_segment_is_enough() -> None:
    found_ = search(PLAN, _inputs(0.0, everywhere=1.0))
    assert len(found_.hits) > 1
    assert len(found_.named) <= 2


def test_what_could_not_be_seen_is_told_by_size() -> None:
    seen = _inputs(0.0)
    coverage = found_coverage(seen)
    assert "no proof of safety" in coverage
    assert "tenth of the users" in coverage


def found_coverage(seen: Inputs) -> str:
    """The finding that says what was searched."""
    return next(
        f.claim for f in harm_findings(PLAN, seen, search(PLAN, seen)) if f.id.endswith("segments")
    )


def test_the_searched_triples_are_counted() -> None:
    seen = _inputs(0.0)
    metrics = {n: replace(c, searched=1_000) for n, c in seen.metrics.items()}
    assert "1,0" in found_coverage(replace(seen, metrics=metrics))


@pytest.mark.parametrize("looks", [1, 2, 5])
def test_looks_before_the_end_share_the_error(looks: int) -> None:
    seen = replace(_inputs(0.0), final=False, history=History(looks=looks))
    assert look_error(PLAN, seen) == pytest.approx(0.05 * 6 / (math.pi * looks) ** 2)
    assert look_error(PLAN, replace(seen, final=True, history=History())) == 0.05


def test_over_any_number_of_looks_the_error_is_no_more_than_promised() -> None:
    total = sum(
        look_error(PLAN, replace(Inputs(), final=False, history=History(looks=k)))
        for k in range(1, 2_000)
    )
    assert 0.0499 < total < 0.05


def test_without_slices_nothing_is_said() -> None:
    seen = inputs(cells("payments", four(counts(5, 1)), four(counts(5, 2))))
    assert harm_findings(PLAN, seen, search(PLAN, seen)) == []
