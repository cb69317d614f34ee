"""Looks are counted, and the interval for every look stands beside the one for a single look."""

from __future__ import annotations

from dataclasses import replace

from octad.model.finding import Intervals, Stance, Table
from octad.model.inputs import History
from octad.readings.doubt_looks import deviations, looks
from tests.readings.made import cells, counts, four, inputs, plan

SEEN = inputs(cells("opens", four(counts(10, 1)), four(counts(10.17, 2))))


def test_both_intervals_stand_side_by_side() -> None:
    (finding,) = looks(plan(), SEEN)
    (chart,) = finding.evidence
    assert isinstance(chart, Intervals)
    fixed, anytime = chart.rows
    assert (fixed.note, anytime.note) == ("fixed, one look", "anytime, every look")
    assert fixed.low is not None
    assert anytime.low is not None
    assert anytime.low < fixed.low
    assert finding.stance is None


def test_an_early_look_says_that_it_matters() -> None:
    early = replace(SEEN, final=False, history=History(looks=3, early_looks=3))
    (finding,) = looks(plan(), early)
    assert finding.stance is Stance.MIXED
    assert "looked at 3 times, 3 of them before the last day" in finding.claim
    assert "by a single look's interval opens moved" in finding.claim


def test_each_deviation_is_listed() -> None:
    history = History(deviations=("kpi: opens, was payments", "rules.looks: 3, was 1"))
    (finding,) = deviations(replace(SEEN, history=history))
    (table,) = finding.evidence
    assert isinstance(table, Table)
    assert len(table.rows) == 2
    assert deviations(SEEN) == []
