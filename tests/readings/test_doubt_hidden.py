"""How strong a hidden cause would have to be, where chance did not choose."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from octad.model.finding import Table
from octad.model.inputs import Inputs
from octad.readings.doubt_hidden import hidden
from octad.stats.sensitivity import robustness
from tests.readings.made import cells, counts, four, inputs, plan

TARGETED: dict[str, Any] = {"design": {"targeted": "the best customers"}}


def _seen(gain: float) -> Inputs:
    x = counts(10, 3)
    return inputs(
        cells(
            "opens",
            four(x + np.random.default_rng(1).normal(0, 1, len(x)), x=x),
            four(x + gain + np.random.default_rng(2).normal(0, 1, len(x)), x=x),
            paired=True,
        )
    )


def test_a_dealt_split_needs_no_such_question() -> None:
    assert hidden(plan(), _seen(1.0)) == []


def test_the_strength_is_the_robustness_value_beside_what_the_past_explains() -> None:
    (finding,) = hidden(plan(**TARGETED), _seen(1.0))
    assert finding.grade is not None
    assert finding.grade.value == "C"
    assert finding.estimate is not None
    assert "the users' own past explains" in finding.claim
    weaker = hidden(plan(**TARGETED), _seen(0.1))[0].estimate
    assert weaker is not None
    assert weaker.value < finding.estimate.value
    # A gain of one residual deviation in two arms of equal size: t is √n/2, whatever else.
    t = 8_000**0.5 / 2
    assert finding.estimate.value == pytest.approx(robustness(t, 1.0, 7_997).robustness, rel=0.05)


def test_three_negative_controls_calibrate_it() -> None:
    known = {name: {"count": name} for name in ("opens", "a", "b", "c")}
    made = plan(known, controls=["a", "b", "c"], **TARGETED)
    strayed = [cells(n, four(counts(5, i)), four(counts(5.5, i + 9))) for i, n in enumerate("abc")]
    seen = _seen(1.0)
    seen = inputs(*seen.metrics.values(), *strayed)
    (finding,) = hidden(made, seen)
    assert "judged by what the negative controls show" in finding.claim
    (table,) = finding.evidence
    assert isinstance(table, Table)
    # All three strayed by a tenth, and so may this gain of a tenth have.
    assert table.rows[-1][1] is not None
    assert str(table.rows[-1][1]).startswith(("+0.", "−0.", "0."))
