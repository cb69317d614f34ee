"""Guardrails against their margins, harmed segments, and rates whose base was padded."""

from __future__ import annotations

import numpy as np
import pytest

from octad.model.finding import Stance, State
from octad.model.inputs import Inputs, Slice
from octad.readings import breadth
from tests.readings.made import N, cells, counts, found, four, inputs, plan


def _crash(rate: float, seed: int, opens: float = 20.0) -> np.ndarray:
    base = counts(opens, seed + 50)
    hits = np.random.default_rng(seed).poisson(rate * np.maximum(base, 0)).astype(float)
    hits *= rate * base.sum() / hits.sum()
    return four(hits, base)


@pytest.mark.parametrize(
    ("rate", "margin", "state", "stance"),
    [
        (0.05, "2%", State.BETTER, Stance.FOR),
        (0.10, "9%", State.WITHIN, Stance.FOR),
        (0.10, "0.1%", State.UNCLEAR, Stance.MIXED),
        (0.13, "2%", State.WORSE, Stance.AGAINST),
    ],
)
def test_each_guardrail_comes_out(rate: float, margin: str, state: State, stance: Stance) -> None:
    seen = inputs(cells("crash_rate", _crash(0.10, 1), _crash(rate, 2)))
    answer = breadth.read(plan(guardrails={"crash_rate": margin}), seen)
    assert found(answer, "breadth.crash_rate").state is state
    assert answer.stance is stance


def test_a_rate_whose_base_was_padded_says_so() -> None:
    seen = inputs(cells("crash_rate", _crash(0.10, 1), _crash(0.08, 2, opens=30.0)))
    answer = breadth.read(plan(guardrails={"crash_rate": "2%"}), seen)
    padded = found(answer, "breadth.crash_rate.per_user")
    assert padded.stance is Stance.MIXED
    assert answer.stance is Stance.MIXED
    assert padded.estimate is not None
    assert padded.estimate.value == pytest.approx(0.2, abs=1e-9)


def _segments(loss: float, seed: int = 3) -> Inputs:
    region = np.arange(N) % 4
    device = np.arange(N) // 4 % 3
    slices = {Slice((("region", f"r{r}"),)): [region == r] * 2 for r in range(4)}
    slices |= {Slice((("device", f"d{d}"),)): [device == d] * 2 for d in range(3)}
    treatment = counts(5, seed) - np.where(region == 2, loss, 0.0)
    return inputs(cells("payments", four(counts(5, seed + 1)), four(treatment), slices=slices))


def test_a_harmed_segment_is_found_and_named() -> None:
    answer = breadth.read(plan(results={"payments": "1%"}), _segments(0.8))
    assert answer.stance is Stance.AGAINST
    harmed = [f for f in answer.findings if f.harm]
    assert [f.segment for f in harmed] == [{"region": "r2"}]


def test_no_segment_is_named_where_none_is_harmed() -> None:
    for seed in (3, 13, 23, 33):
        answer = breadth.read(plan(results={"payments": "1%"}), _segments(0.0, seed))
        assert not [f for f in answer.findings if f.harm]
        assert "no proof of safety" in found(answer, "breadth.segments").claim


def test_refused_segments_are_said() -> None:
    seen = inputs(refused_segments={"age": "it was written down after exposure"})
    answer = breadth.read(plan(), seen)
    assert "after exposure" in found(answer, "breadth.refused.age").claim


def test_without_data_it_is_silent() -> None:
    for seen in (Inputs(), inputs()):
        answer = breadth.read(plan(guardrails={"crash_rate": "2%"}), seen)
        assert answer.stance is Stance.SILENT
        assert answer.summary.startswith("no guardrail can be measured yet")
        assert answer.missing


def test_a_guardrail_that_is_missing_is_never_for() -> None:
    seen = inputs(cells("crash_rate", _crash(0.10, 1), _crash(0.05, 2)))
    answer = breadth.read(plan(guardrails={"crash_rate": "2%", "payments": "1%"}), seen)
    assert answer.stance is Stance.MIXED
