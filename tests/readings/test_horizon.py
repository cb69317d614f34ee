"""Whether it lasts: gains that stay, gains that fade, and too early to tell."""

from __future__ import annotations

import numpy as np
import pytest

from octad.model.finding import Stance
from octad.model.inputs import Inputs
from octad.readings import halves, horizon
from octad.stats.moments import Moments
from tests.readings.made import daily, found, inputs, plan, retention

DAYS = 28
BASE = np.full(DAYS, 2.0)


@pytest.mark.parametrize(
    ("treatment", "stance", "word"),
    [
        (BASE * 1.2, Stance.FOR, "still there"),
        (BASE * np.linspace(1.3, 1.0, DAYS), Stance.AGAINST, "fades"),
        (BASE * np.linspace(1.0, 0.9, DAYS), Stance.AGAINST, "gets worse"),
        (BASE, Stance.MIXED, "No change over time"),
    ],
)
def test_the_last_third_against_the_first(treatment: np.ndarray, stance: Stance, word: str) -> None:
    seen = inputs(daily={"opens": daily("opens", BASE, treatment)}, retention=retention(0.3, 0.3))
    f = found(horizon.read(plan(), seen), "horizon.opens")
    assert f.stance is stance
    assert word in f.claim


@pytest.mark.parametrize(
    ("share", "stance"), [(0.36, Stance.FOR), (0.25, Stance.AGAINST), (0.3, Stance.MIXED)]
)
def test_who_still_comes_back(share: float, stance: Stance) -> None:
    seen = inputs(daily={"opens": daily("opens", BASE, BASE)}, retention=retention(0.3, share))
    assert found(horizon.read(plan(), seen), "horizon.retention").stance is stance


def test_a_fading_gain_is_against_and_a_lasting_one_is_for() -> None:
    def overall(treatment: np.ndarray, share: float) -> Stance:
        made = {"opens": daily("opens", BASE, treatment)}
        return horizon.read(plan(), inputs(daily=made, retention=retention(0.3, share))).stance

    assert overall(BASE * 1.2, 0.36) is Stance.FOR
    assert overall(BASE * 1.2, 0.25) is Stance.AGAINST
    assert overall(BASE * np.linspace(1.3, 1, DAYS), 0.36) is Stance.AGAINST
    assert overall(BASE, 0.3) is Stance.MIXED


def test_it_is_silent_while_too_few_days_are_seen() -> None:
    some = daily("opens", BASE[:9], BASE[:9])
    early = inputs(daily={"opens": some}, retention=retention(0.3, 0.2, 9), final=False)
    answer = horizon.read(plan(), early)
    assert answer.stance is Stance.SILENT
    assert "too early" in answer.summary


def test_it_is_silent_without_days() -> None:
    for seen in (Inputs(), inputs()):
        answer = horizon.read(plan(), seen)
        assert answer.stance is Stance.SILENT
        assert answer.missing


def test_a_longer_horizon_than_the_data_is_said() -> None:
    seen = inputs(daily={"opens": daily("opens", BASE, BASE)}, retention=retention(0.3, 0.3))
    answer = horizon.read(plan(horizon="90d"), seen)
    assert any("90 days" in m for m in answer.missing)


def test_errors_of_early_and_late_ratios_match_a_bootstrap() -> None:
    """2,000 resamples know a standard error to 1.6%; four times that is allowed."""
    rng = np.random.default_rng(11)
    use = [rng.gamma(1.0, 1.0, size) for size in (1200, 900)]
    arms = [
        np.stack([rng.poisson(3 * lift[0] * h), rng.poisson(3 * lift[1] * h)], axis=1) / 7
        for h, lift in zip(use, ((1.0, 1.0), (1.2, 1.05)), strict=True)
    ]
    ours = halves.ratio_errors(*(Moments.from_rows(arm) for arm in arms))
    drawn = []
    for _ in range(2000):
        one, two = (arm[rng.integers(0, len(arm), len(arm))].mean(axis=0) for arm in arms)
        early, late = two / one
        drawn.append((early, late, late - early))
    assert ours == pytest.approx(np.std(drawn, axis=0), rel=0.065)
