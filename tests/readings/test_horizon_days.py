"""Novelty, learning and what is left, named from days with a planted shape."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from octad.model.finding import Answer, Curve, Finding, Grade, Stance
from octad.model.inputs import Exposure
from octad.readings import horizon, horizon_days
from octad.readings.halves import Change, change_of, widening
from tests.readings.made import daily, found, inputs, plan, retention, returning

DAYS = 28
BASE = np.full(DAYS, 2.0)
T = np.arange(DAYS)
FloatArray = NDArray[np.float64]


def read(treatment: FloatArray, seed: int = 1, **more: Any) -> Answer:
    asked = plan(horizon="90d", **more.pop("launch", {}))
    made = {"opens": daily("opens", BASE, treatment, seed)}
    return horizon.read(asked, inputs(daily=made, retention=retention(0.3, 0.3), **more))


def main(answer: Answer) -> Finding:
    return found(answer, "horizon.opens")


def test_novelty_has_its_half_life_and_what_stays() -> None:
    f = main(read(BASE * (1.1 + 0.3 * 0.5 ** (T / 5))))
    assert "The gain fades (novelty)" in f.claim
    assert "half of what passes is over after" in f.claim
    assert "would stay" in f.claim
    later = found(read(BASE * (1.1 + 0.3 * 0.5 ** (T / 5))), "horizon.opens.later")
    e = later.estimate
    assert e is not None
    assert e.low is not None
    assert e.high is not None
    assert e.low < 0.1 < e.high
    assert later.grade is Grade.C


def test_learning_is_named() -> None:
    f = main(read(BASE * (1.3 - 0.3 * 0.5 ** (T / 5))))
    assert "The gain grows (learning)" in f.claim
    assert f.stance is Stance.FOR


def test_a_flat_gain_is_still_there_and_no_pace_is_given() -> None:
    f = main(read(BASE * 1.2))
    assert "still there" in f.claim
    assert "half of" not in f.claim


def test_a_slide_that_goes_on_has_no_end() -> None:
    f = main(read(BASE * np.linspace(1.2, 0.9, DAYS)))
    assert f.stance is Stance.AGAINST
    assert "would stay" not in f.claim or "half" in f.claim


def test_a_forecast_never_makes_it_for() -> None:
    """A gain in the days seen that people do not come back for: still mixed."""
    answer = read(BASE * 1.2)
    assert found(answer, "horizon.opens.later").stance is Stance.FOR
    assert answer.stance is Stance.MIXED


def test_a_loss_foretold_speaks_against() -> None:
    answer = read(BASE * np.linspace(1.05, 0.8, DAYS))
    assert found(answer, "horizon.opens.later").stance is Stance.AGAINST
    assert answer.stance is Stance.AGAINST


def test_the_band_holds_all_days_with_and_without_buckets() -> None:
    made = daily("opens", BASE, BASE * 1.2)
    bare = type(made)(made.metric, made.days, made.moments, made.halves, made.spans)
    widths = []
    for one in (made, bare):
        seen = inputs(daily={"opens": one}, retention=retention(0.3, 0.3))
        curve = main(horizon.read(plan(), seen)).evidence[0]
        assert isinstance(curve, Curve)
        line = curve.lines[0]
        assert line.low is not None
        assert line.high is not None
        edges = zip(line.high, line.low, strict=True)
        widths.append(sum(b - a for b, a in edges if a is not None and b is not None))
    # These users' days are independent, where both bands are the same but for the buckets' noise.
    assert widths[0] == pytest.approx(widths[1], rel=0.03)


def test_looks_before_the_end_have_wider_intervals() -> None:
    early, late = inputs(final=False), inputs()
    assert widening(plan(), early, 8000) > 1.2
    assert widening(plan(), late, 8000) == 1
    flat = [main(read(BASE * 1.05, final=final)).estimate for final in (True, False)]
    spans = [e.high - e.low for e in flat if e and e.high is not None and e.low is not None]
    assert spans[1] > 1.2 * spans[0]


def test_no_change_is_named_on_flat_days() -> None:
    """5% of twenty is one; the calibration counts it over hundreds."""
    claims = [main(read(BASE * 1.2, seed=seed + 100)).claim for seed in range(20)]
    assert sum("still there" not in claim for claim in claims) <= 3


def test_retention_curves_and_the_day_they_part() -> None:
    control = np.full(DAYS, 0.4)
    treatment = np.where(T > 10, 0.33, 0.4)
    seen = inputs(
        daily={"opens": daily("opens", BASE, BASE)}, retention=returning(control, treatment)
    )
    f = found(horizon.read(plan(), seen), "horizon.retention")
    assert f.stance is Stance.AGAINST
    assert "day by day, beyond chance fewer on day" in f.claim
    assert [e.title for e in f.evidence] == [
        "Users active on each day since exposure",
        "Difference of the two curves, in points",
    ]
    assert f.estimate is not None
    assert f.estimate.value == pytest.approx(0.33 / 0.4 - 1, abs=0.03)


def test_retention_alike_does_not_part() -> None:
    share = np.full(DAYS, 0.4)
    seen = inputs(daily={"opens": daily("opens", BASE, BASE)}, retention=returning(share, share, 3))
    claim = found(horizon.read(plan(), seen), "horizon.retention").claim
    assert "on no day do the curves part beyond chance" in claim


def test_too_early_names_the_day_to_ask_again() -> None:
    days = np.array(["2026-03-01", "2026-03-03"], dtype="datetime64[D]")
    entry = Exposure(np.array([100, 100]), days, np.array([[20, 20], [80, 80]]))
    some = daily("opens", BASE[:9], BASE[:9])
    seen = inputs(
        daily={"opens": some}, retention=retention(0.3, 0.2, 9), final=False, exposure=entry,
        as_of=datetime(2026, 3, 12, tzinfo=UTC),
    )  # fmt: skip
    answer = horizon.read(plan(), seen)
    # Half of them have entered by 3 March, and have been seen for 14 whole days on the 18th.
    assert "ask again on 2026-03-18" in answer.summary


def test_a_horizon_beyond_the_data_names_its_day_and_what_a_forecast_needs() -> None:
    days = np.array(["2026-03-01"], dtype="datetime64[D]")
    entry = Exposure(np.array([100, 100]), days, np.array([[100, 100]]))
    missing = read(BASE * 1.2, exposure=entry).missing
    assert "2026-05-31" in missing[0]
    assert str(date(2026, 3, 1).replace(year=2025, month=11, day=17)) in missing[1]


def test_a_change_that_only_the_days_together_show_is_told_with_their_figure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The figure beside a claim is that of the test which the claim rests on."""

    def unsure(*args: Any) -> Change | None:
        change = change_of(*args)
        return change and replace(change, shown=False)

    monkeypatch.setattr(horizon_days, "change_of", unsure)
    f = main(read(BASE * (1.1 + 0.3 * 0.5 ** (T / 5))))
    assert f.claim.startswith("Part of the gain passed (novelty).")
    assert "over all days together, from +" in f.claim
    e = f.estimate
    assert e is not None
    assert e.p is not None
    assert e.p < 0.025
    assert e.value is not None
    assert e.value < -0.1
    assert e.low is None
