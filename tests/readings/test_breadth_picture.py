"""One picture of who gains and who pays: everything in it, and true all at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from octad.model.finding import Panel, Stance
from octad.model.inputs import Slice
from octad.readings.breadth_picture import picture
from tests.readings.made import N, cells, counts, four, inputs, plan

REGION = np.arange(N) % 4
SLICES = {Slice((("region", f"r{r}"),)): [r == REGION] * 2 for r in range(4)}


def _panel(loss: float) -> Panel:
    hurt = np.where(REGION == 1, loss, 0.0)
    seen = inputs(
        cells("opens", four(counts(9, 1)), four(counts(10, 2)), slices=SLICES),
        cells("payments", four(counts(5, 3)), four(counts(5, 4) - hurt), slices=SLICES),
    )
    (finding,) = picture(plan(results={"payments": "1%"}), seen)
    (drawn,) = finding.evidence
    assert isinstance(drawn, Panel)
    return drawn


def test_every_value_and_every_metric_is_drawn() -> None:
    drawn = _panel(2.0)
    assert drawn.columns == ("opens", "payments")
    assert [row.label for row in drawn.rows] == [
        "everyone",
        *(f"region: r{r}" for r in range(4)),
    ]
    paying = [
        row.label
        for row in drawn.rows[1:]
        if row.cells[1] is not None and row.cells[1].stance is Stance.AGAINST
    ]
    assert paying == ["region: r1"]


def test_intervals_are_wider_than_one_by_one() -> None:
    drawn = _panel(0.0)
    cell = drawn.rows[1].cells[0]
    assert cell is not None
    assert cell.low is not None
    assert cell.high is not None
    # Eight at once: z is 2.73 instead of 1.96, and a quarter of the users doubles the error.
    everyone = drawn.rows[0].cells[0]
    assert everyone is not None
    assert everyone.low is not None
    assert everyone.high is not None
    ratio = (cell.high - cell.low) / (everyone.high - everyone.low)
    assert 1.8 < ratio < 2.2


def test_a_metric_without_some_slice_leaves_its_cell_open() -> None:
    few = dict(list(SLICES.items())[:2])
    seen = inputs(
        cells("opens", four(counts(9, 1)), four(counts(10, 2)), slices=SLICES),
        cells("payments", four(counts(5, 3)), four(counts(5, 4)), slices=few),
    )
    (finding,) = picture(plan(results={"payments": "1%"}), seen)
    (drawn,) = finding.evidence
    assert isinstance(drawn, Panel)
    assert [row.cells[1] is None for row in drawn.rows] == [False, False, False, True, True]


def test_an_early_look_draws_the_anytime_intervals() -> None:
    made = plan(results={"payments": "1%"})
    seen = inputs(cells("opens", four(counts(9, 1)), four(counts(10, 2)), slices=SLICES))
    fixed, early = picture(made, seen), picture(made, replace(seen, final=False))
    assert "anytime" in early[0].method
    assert "anytime" not in fixed[0].method


def test_without_segments_there_is_no_picture() -> None:
    seen = inputs(cells("opens", four(counts(9, 1)), four(counts(10, 2))))
    assert picture(plan(), seen) == []
