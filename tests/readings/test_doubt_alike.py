"""An arm that is smaller than meant, and made up of other people."""

from __future__ import annotations

import numpy as np
import pytest

from octad.model.finding import Table
from octad.model.inputs import Inputs
from octad.readings import doubt
from octad.readings.doubt_alike import ALIKE, alike
from octad.readings.doubt_before import pre_period
from octad.readings.doubt_split import sample_ratios
from tests.readings.made import cells, counts, exposure, found, four, inputs, plan


def _world(treated: int, before: float, *, control: int = 4_000) -> Inputs:
    """Arms of some size, whose users opened it so often before; control did five times."""
    rows = four(counts(5, 1), x=counts(5, 3)), four(counts(5, 2), x=counts(before, 4))
    return inputs(cells("opens", *rows, paired=True), exposure=exposure(control, treated))


@pytest.mark.parametrize(
    ("treated", "before", "trust"),
    [
        (4_000, 5.0, "holds"),
        (3_790, 5.0, "holds"),  # a size that is doubtful alone, among people like control's
        (4_000, 5.13, "holds"),  # a past that is, in an arm of the size that was meant
        (3_790, 5.13, "fails"),
        (3_790, 4.87, "fails"),
        (4_220, 4.87, "fails"),
    ],
)
def test_size_and_past_add_up(treated: int, before: float, trust: str) -> None:
    seen = _world(treated, before)
    (finding,) = alike(plan(), seen)
    assert finding.trust == trust
    for alone in (*sample_ratios(plan(), seen), *pre_period(plan(), seen)):
        assert alone.trust != "fails"
    if trust == "fails":
        assert ("smaller" if treated < 4_000 else "larger") in finding.claim
        assert f"had {'more' if before > 5 else 'less'} opens" in finding.claim
        assert doubt.read(plan(), seen).stance.value == "against"
    (table,) = finding.evidence
    assert isinstance(table, Table)
    assert table.rows[0][:2] == ("treatment", f"{treated:,}")


def test_sizes_are_held_to_the_split_that_was_planned() -> None:
    meant = plan(split={"control": 2, "treatment": 1})
    assert alike(meant, _world(2_000, 5.13))[0].trust == "holds"
    assert alike(meant, _world(1_860, 5.13))[0].trust == "fails"


def test_what_fails_alone_is_not_said_twice() -> None:
    assert alike(plan(), _world(3_500, 5.0)) == []
    assert alike(plan(), _world(4_000, 5.5)) == []


def test_it_needs_a_past_a_kpi_and_chance() -> None:
    rows = four(counts(5, 1)), four(counts(5, 2))
    pastless = inputs(cells("opens", *rows), exposure=exposure(4_000, 3_000))
    assert alike(plan(), pastless) == []
    seen = _world(3_790, 5.13)
    assert alike(plan(kpi=None, results={"opens": "1%"}), seen) == []
    assert alike(plan(design={"targeted": "the best customers"}), seen) == []
    assert alike(plan(), inputs(*seen.metrics.values())) == []
    assert alike(plan(), _world(0, 5.0, control=12)) == []


def test_chance_alone_seldom_fails_it() -> None:
    rng = np.random.default_rng(7)
    fails = 0
    for _ in range(400):
        x = rng.poisson(5, (2, 2_000)).astype(float)
        arms = (four(x[0], x=x[0]), four(x[1], x=x[1]))
        sizes = rng.binomial(4_000, 0.5)
        seen = inputs(cells("opens", *arms, paired=True), exposure=exposure(sizes, 4_000 - sizes))
        fails += alike(plan(), seen)[0].trust != "holds"
    assert fails <= 12  # .01 of 400 is 4; 12 or more come of chance once in a thousand times


def test_doubt_lists_it() -> None:
    assert found(doubt.read(plan(), _world(4_000, 5.0)), ALIKE).trust == "holds"
