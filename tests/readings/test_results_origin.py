"""Where the KPI's gain came from: each of five sources planted, and none blamed without cause."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from octad.model.finding import Answer, Intervals, Stance
from octad.model.inputs import Inputs, MetricCells, Slice, Visits, Volume
from octad.readings import results
from octad.readings.results_origin import CUT
from tests.readings.made import (
    BUCKETS,
    FloatArray,
    N,
    cells,
    counts,
    exposure,
    found,
    four,
    inputs,
    plan,
    tail,
)

LIFT = 1.3
CALM = cells("payments", four(counts(5, 3)), four(counts(5, 4)))


def read(seen: Inputs, **launch: Any) -> Answer:
    return results.read(plan(results={"payments": "9%"}, **launch), seen)


def named(answer: Answer) -> set[str]:
    """Sources that stand out."""
    keys = {"top_users", "new_users", "shallow_visits", "one_event", "one_day"}
    return {f.id.removeprefix("results.") for f in answer.findings} & keys


def tops(one: FloatArray, two: FloatArray) -> dict[str, object]:
    """Everything that speaks of the top 1%."""
    cut = float(np.quantile(np.concatenate([one, two]), 0.99, method="inverted_cdf"))
    lower = cells("opens", four(np.minimum(one, cut)), four(np.minimum(two, cut)))
    return {
        "tails": {"opens": tail("opens", one, two)},
        "variants": {"opens": {CUT: lower}},
    }


def skewed(seed: int) -> FloatArray:
    return np.random.default_rng(seed).lognormal(1, 1, N)


def test_a_gain_of_the_top_is_named() -> None:
    one, two = skewed(1), skewed(2)
    two = np.where(two > np.quantile(two, 0.99), 3 * two, two)
    seen = inputs(cells("opens", four(one), four(two)), CALM, **tops(one, two))
    f = found(read(seen), "results.top_users")
    assert f.estimate is not None
    assert f.estimate.value > 80
    assert "With them cut to the level of the rest" in f.claim
    assert f.stance is Stance.AGAINST, "without the top 1% there is no gain"


def test_a_gain_in_proportion_is_not_laid_on_the_top() -> None:
    one, two = skewed(3), LIFT * skewed(4)
    seen = inputs(cells("opens", four(one), four(two)), CALM, **tops(one, two))
    assert not named(read(seen))


def visits(shallow: float, deep: float) -> Visits:
    """Per user visits with one open each, in control 2 deep and 1 shallow."""
    rng = np.random.default_rng(5)
    users = np.full((2, BUCKETS), 20.0)
    kinds = [
        np.stack([rng.poisson(20 * level, BUCKETS) for level in pair]).astype(float)
        for pair in ((1.0, shallow), (2.0, deep))
    ]
    both = kinds[0] + kinds[1]
    return Visits(both, kinds[0], both, kinds[0], users=users)


def test_a_gain_of_shallow_visits_is_named() -> None:
    seen = inputs(_more(), CALM, visits=visits(1.6, 2.0))
    claim = found(read(seen), "results.shallow_visits").claim
    assert "nothing else in them" in claim
    jobs = {"pay": {"events": ["pay"]}, "social": {"events": ["feed"]}}
    claim = found(
        read(seen, charter={"jobs": jobs}, jobs=["social"]), "results.shallow_visits"
    ).claim
    assert "visits with none of pay in them" in claim


def test_where_other_visits_shrink_the_gain_is_more_than_all_of_it() -> None:
    seen = inputs(_more(), CALM, visits=visits(1.9, 1.7))
    assert "All of the gain in opens" in found(read(seen), "results.shallow_visits").claim


def _more() -> MetricCells:
    return cells("opens", four(counts(5, 1)), four(LIFT * counts(5, 2)))


def test_deeper_visits_are_no_source() -> None:
    assert not named(read(inputs(_more(), CALM, visits=visits(1.25, 2.5))))


def test_one_event_of_several_is_named() -> None:
    open_, peek = [counts(4, 1), counts(4, 2)], [counts(1, 3), counts(2.5, 4)]
    kinds = {
        "open": cells("opens", *(four(v) for v in open_)),
        "peek": cells("opens", *(four(v) for v in peek)),
    }
    whole = cells("opens", *(four(a + b) for a, b in zip(open_, peek, strict=True)))
    f = found(read(inputs(whole, CALM, kinds={"opens": kinds})), "results.one_event")
    assert "one event, peek, which makes 20%" in f.claim


def calendar(jump: float) -> Volume:
    rng = np.random.default_rng(6)
    dates = (np.datetime64("2026-03-01") + np.arange(28)).astype("datetime64[D]")
    control = rng.normal(2000, 30, 28)
    treatment = control * rng.normal(1.05, 0.01, 28)
    treatment[9] += jump
    metric = np.stack([control, treatment], axis=1)
    return Volume(dates, metric, metric, metrics={"opens": metric})


@pytest.mark.parametrize(("jump", "stands"), [(6000.0, True), (0.0, False)])
def test_one_day_is_named_when_it_makes_the_gain(jump: float, stands: bool) -> None:
    seen = inputs(_more(), CALM, volume=calendar(jump), exposure=exposure(N, N))
    answer = read(seen)
    assert ("one_day" in named(answer)) is stands
    if stands:
        assert "2026-03-10" in found(answer, "results.one_day").claim


def test_where_none_stands_out_all_are_shown() -> None:
    new = np.arange(N) % 5 == 0
    slices = {
        Slice((("first seen", "within the week before"),)): [new, new],
        Slice((("first seen", "a week or more before"),)): [~new, ~new],
    }
    opens = cells("opens", four(counts(5, 1)), four(counts(6, 2)), slices=slices)
    seen = inputs(opens, CALM, volume=calendar(0), exposure=exposure(N, N))
    f = found(read(seen), "results.origin")
    assert "hangs on no single source" in f.claim
    assert f.stance is Stance.FOR
    (picture,) = f.evidence
    assert isinstance(picture, Intervals)
    assert [row.note for row in picture.rows] == ["even: 20%", "even: 4%"]


def test_without_a_gain_nothing_is_asked() -> None:
    flat = cells("opens", four(counts(5, 1)), four(counts(5, 2)))
    answer = read(inputs(flat, CALM, visits=visits(1.6, 2.0)))
    assert not named(answer)
    assert not [f for f in answer.findings if f.id == "results.origin"]


def test_an_early_look_asks_for_more_before_it_speaks_of_a_gain() -> None:
    barely = cells("opens", four(counts(5, 1)), four(counts(5.11, 2)))
    seen = inputs(barely, CALM, visits=visits(1.6, 2.0), final=False)
    assert not named(read(seen))


def test_several_arms_share_one_error_and_keep_their_names() -> None:
    arms = ("control", "one", "two")
    rows = [four(counts(5, 1)), four(counts(6.5, 2)), four(counts(5.0, 3))]
    both = visits(1.6, 2.0)

    def again(v: FloatArray) -> FloatArray:
        """A third arm that is like control."""
        return np.concatenate([v, v[:1]])

    seen = inputs(
        cells("opens", *rows),
        cells("payments", *(four(counts(5, s)) for s in (4, 5, 6))),
        arms=arms,
        visits=Visits(
            again(both.visits),
            again(both.shallow),
            again(both.kpi),
            again(both.kpi_shallow),
            users=np.full((3, BUCKETS), 20.0),
        ),
    )
    named_arms = {"control": "off", "one": "a", "two": "b"}
    answer = results.read(plan(results={"payments": "9%"}, arms=named_arms), seen)
    assert [f.id for f in answer.findings if "visits" in f.id] == ["results.shallow_visits.one"]
    assert "in one" in found(answer, "results.shallow_visits.one").claim
    assert found(answer, "results.together.one").claim.endswith("in one.")
