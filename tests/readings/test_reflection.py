"""Forecasts against what was measured."""

from __future__ import annotations

from typing import Any

import pytest

from octad.model.finding import Stance
from octad.model.inputs import History, Inputs, PastForecast
from octad.readings import reflection
from tests.readings.made import cells, counts, found, four, inputs, plan


def _plan(change: str, sure: str = "80%") -> Any:
    return plan(expects=[{"metric": "opens", "change": change, "sure": sure}])


def _seen(level: float, **more: Any) -> Inputs:
    return inputs(cells("opens", four(counts(10, 1)), four(counts(level, 2))), **more)


@pytest.mark.parametrize(
    ("change", "sure", "stance"),
    [
        ("at least 5%", "80%", Stance.FOR),
        ("at least 20%", "80%", Stance.AGAINST),
        ("at least 20%", "55%", Stance.MIXED),
        ("at least 10%", "80%", Stance.MIXED),
        ("between 5% and 15%", "80%", Stance.FOR),
        ("at most 2%", "90%", Stance.AGAINST),
        ("no worse than -1%", "90%", Stance.FOR),
    ],
)
def test_each_stance(change: str, sure: str, stance: Stance) -> None:
    assert reflection.read(_plan(change, sure), _seen(11.0)).stance is stance


def test_the_brier_score_is_the_mean_square() -> None:
    past = tuple(PastForecast("old", "m", 0.9, 0.0) for _ in range(3))
    answer = reflection.read(_plan("at least 5%"), _seen(11.0, history=History(forecasts=past)))
    score = found(answer, "reflection.score").estimate
    assert score is not None
    assert score.value == pytest.approx((3 * 0.81 + 0.04) / 4)


def test_without_forecasts_or_data_it_is_silent() -> None:
    assert reflection.read(plan(), _seen(11.0)).stance is Stance.SILENT
    for seen in (Inputs(), inputs()):
        answer = reflection.read(_plan("at least 5%"), seen)
        assert answer.stance is Stance.SILENT
        assert answer.missing
