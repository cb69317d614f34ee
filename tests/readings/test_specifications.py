"""Every defensible choice as a curve: what agrees, what hangs on a choice, what is drawn."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from octad.model.finding import Intervals, Stance
from octad.model.inputs import Daily, Inputs, Slice
from octad.readings.specifications import choices, specifications
from octad.stats.moments import Moments
from tests.readings.made import BUCKETS, N, cells, counts, four, inputs, plan

PLAN = plan(results={"payments": "1%"})


def _daily(early: float, late: float, days: int = 14) -> Daily:
    """Under one a day; the treatment's first three days differ from the others."""
    rng = np.random.default_rng(9)
    bucket = np.arange(N) % BUCKETS
    effect = np.where(np.arange(days) < 3, early, late)
    by_bucket = np.zeros((2, BUCKETS, days, 3))
    for arm in (0, 1):
        y = rng.poisson(0.7 * (1 + arm * effect), (N, days))
        np.add.at(by_bucket[arm, :, :, 1], bucket, y)
        by_bucket[arm, :, :, 0] = np.bincount(bucket, minlength=BUCKETS)[:, None]
    by_bucket[..., 2] = by_bucket[..., 0]
    return Daily("opens", np.arange(days), Moments.empty((2, days), 4), by_bucket=by_bucket)


def _seen(daily: Daily | None = None, other: float = 11.0) -> Inputs:
    region = np.arange(N) % 4
    slices = {Slice((("region", f"r{r}"),)): [region == r] * 2 for r in range(4)}
    x = counts(10, 5)
    rows = four(counts(10, 1) + x, x=x), four(counts(11, 2) + x, x=x)
    variant = cells("opens", four(counts(10, 1)), four(counts(other, 2)))
    return inputs(
        cells("opens", *rows, slices=slices, paired=True),
        variants={"opens": {"largest 1% cut": variant}},
        daily={} if daily is None else {"opens": daily},
    )


def test_every_kind_of_choice_is_there() -> None:
    labels = [c.label for c in choices(PLAN, _seen(_daily(0.1, 0.1)), "opens")]
    assert labels[0] == "as planned"
    assert labels[1] == "without the past"
    assert "largest 1% cut" in labels
    assert "within groups by region" in labels
    assert {"without the first day", "without the first 3 days", "over the first 7 days only"} <= {
        *labels
    }


def test_the_days_are_those_of_the_window() -> None:
    found = {c.label: c for c in choices(PLAN, _seen(_daily(0.2, 0.0, days=28)), "opens")}
    # The window is 14 days, of which three gain a fifth: 3 in 7 of the first week.
    for label, truth in (
        ("over the first 7 days only", 0.2 * 3 / 7),
        ("without the first 3 days", 0.0),
    ):
        one = found[label]
        assert abs(one.value - truth) < 3 * one.se
        assert one.se < 0.02
    assert "over the first 14 days only" not in found


def test_a_gain_that_lives_on_its_first_days_hangs_on_them() -> None:
    (finding,), split = specifications(PLAN, _seen(_daily(0.1, 0.0)))
    assert split
    assert finding.stance is Stance.MIXED
    assert "without the first" in finding.claim


def test_a_curve_is_in_order_and_holds_every_choice() -> None:
    seen = _seen(_daily(0.1, 0.1))
    (finding,), _ = specifications(PLAN, seen)
    (curve,) = finding.evidence
    assert isinstance(curve, Intervals)
    values = [row.value for row in curve.rows]
    # Some come to the same; their last digits hang on the order of a sum, and the curve does not.
    assert all(b - a > -1e-12 for a, b in pairwise(values))
    given = [c.label for c in choices(PLAN, seen, "opens")]
    alike = [row.label.lower() for row in curve.rows if abs(row.value - values[0]) < 1e-12]
    assert len(values) == len(given)
    assert alike == [label for label in given if label in alike]
    assert finding.claim.startswith(f"{len(values)} of {len(values)} specifications agree")


def test_the_sign_of_nothing_is_no_disagreement() -> None:
    rows = four(counts(10, 1)), four(counts(10.02, 2))
    other = cells("opens", four(counts(10, 1)), four(counts(9.98, 2)))
    seen = inputs(cells("opens", *rows), variants={"opens": {"largest 1% cut": other}})
    (finding,), split = specifications(PLAN, seen)
    assert not split
    assert "2 of 2 specifications agree" in finding.claim


def test_a_choice_that_turns_it_around_is_named() -> None:
    (finding,), split = specifications(PLAN, _seen(other=9.0))
    assert split
    assert "with largest 1% cut" in finding.claim
