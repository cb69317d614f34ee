"""Lost logging: a day, a step, users who fall silent, an event that ends in one arm."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from octad.model.inputs import Volume
from octad.readings.doubt_logging import breaks_of, gaps, vanished
from tests.readings.made import cells, counts, exposure, four, inputs, plan, volume


def _noise(seed: int, days: int = 30) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.asarray(10 * (1 + 0.02 * rng.normal(size=days)))


def test_a_step_that_stays_is_found_where_it_began() -> None:
    one, two = _noise(1), _noise(2)
    two[17:] *= 0.75
    step, *odd = breaks_of(one, two)
    assert (step.at, step.stays) == (17, True)
    assert step.size == pytest.approx(-0.25, abs=0.03)
    assert not odd


def test_a_day_alone_is_no_step() -> None:
    one, two = _noise(1), _noise(2)
    one[9] *= 0.5
    (odd,) = breaks_of(one, two)
    assert (odd.at, odd.stays) == (9, False)


def test_an_effect_that_fades_is_no_break() -> None:
    one, two = _noise(1), _noise(2) * (1 + 0.3 * np.exp(-np.arange(30) / 7))
    assert breaks_of(one, two) == []


def test_few_days_and_silent_series_say_nothing() -> None:
    assert breaks_of(_noise(1, 6), _noise(2, 6)) == []
    assert breaks_of(np.zeros(30), _noise(2)) == []


def test_a_step_fails_trust_and_says_in_which_arm_and_from_when() -> None:
    made = volume(30)
    events = made.events.copy()
    events[12:, 1] *= 0.7
    (finding,) = gaps(inputs(volume=replace(made, events=events)))
    assert finding.trust == "fails"
    assert "from 13 Mar 2026 on, events a user parts between the arms" in finding.claim
    assert "the step is in treatment" in finding.claim


def test_one_events_loss_is_seen_in_its_own_series() -> None:
    made = volume(30)
    pay = made.events / 10
    pay[12:, 0] *= 0.6
    (finding,) = gaps(inputs(volume=replace(made, metrics={"payments": pay})))
    assert finding.trust == "fails"
    assert "payments a user" in finding.claim
    assert "the step is in control" in finding.claim


def test_users_who_fall_silent_are_seen_though_the_others_are_as_busy() -> None:
    made = volume(30)
    keep = np.ones((30, 2))
    keep[15:, 1] = 0.7
    lost = Volume(made.days, made.events * keep, made.users * keep)
    (finding,) = gaps(inputs(volume=lost, exposure=exposure(1_000, 1_000)))
    assert finding.trust == "fails"
    assert "share of users seen" in finding.claim


def test_a_day_without_any_event_is_named() -> None:
    made = volume(21)
    there = np.arange(21) != 8
    cut = Volume(made.days[there], made.events[there], made.users[there])
    (finding,) = gaps(inputs(volume=cut))
    assert finding.trust == "warns"
    assert "no event at all was logged on 9 Mar 2026" in finding.claim


def test_an_event_that_ends_in_one_arm_alone() -> None:
    before = counts(5, 1)
    live, dead = four(counts(5, 2), x=before), four(np.zeros(len(before)), x=before)
    (treated,) = vanished(plan(), inputs(cells("opens", live, dead, paired=True)))
    assert treated.trust == "warns"
    assert "either the launch took it away" in treated.claim
    (control,) = vanished(plan(), inputs(cells("opens", dead, live, paired=True)))
    assert control.trust == "fails"


def test_an_event_kind_that_ends_in_one_arm_is_named() -> None:
    before = counts(5, 1)
    live, dead = four(counts(5, 2), x=before), four(np.zeros(len(before)), x=before)
    kinds = {"opens": {"open_push": cells("opens", dead, live, paired=True)}}
    (finding,) = vanished(plan(), inputs(kinds=kinds))
    assert finding.claim.startswith("Opens: open push all but ends in control")


def test_what_ends_in_every_arm_is_lost() -> None:
    before = counts(5, 1)
    dead = four(np.zeros(len(before)), x=before)
    (finding,) = vanished(plan(), inputs(cells("opens", dead, dead, paired=True)))
    assert finding.trust == "fails"
    assert "in every arm" in finding.claim
