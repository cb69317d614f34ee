"""Traces of lost events: visits that lack what always comes first, and silent hours."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from octad.model.inputs import Inputs, Logged
from octad.readings.doubt_traces import orphans, silences, silent_hours
from tests.readings.made import inputs, plan

HOURS = 24 * 35


def logged(rng: np.random.Generator, *, users: int = 4_000, lost: float = 0.0) -> Logged:
    """People who open and pay at rates of their own; some of the treated's events are lost."""
    names = ("open", "pay")
    lacks, holds, who = (np.zeros((2, 2)) for _ in range(3))
    for arm, share in ((0, 0.0), (1, lost)):
        visits = rng.poisson(6 * rng.gamma(2.0, 0.5, users))
        for event, often in ((0, 1.0), (1, 0.5)):
            there = rng.binomial(visits, often)
            broken = rng.binomial(there, share + 2e-4)
            lacks[event, arm], holds[event, arm] = broken.sum(), there.sum()
            who[event, arm] = (broken > 0).sum()
    return Logged(
        earlier=names,
        lacks=lacks,
        holds=holds,
        users_lack=who,
        users=np.array([users, users], dtype=float),
        places={},
        hours=np.datetime64("2026-03-01T00", "h") + np.arange(HOURS),
        active=seen(rng, users),
        exposed=np.full((HOURS, 2), float(users)),
    )


def seen(rng: np.random.Generator, users: int = 4_000) -> np.ndarray:
    """Users seen in each hour: more by day, more at weekends, more on some days."""
    hour = np.arange(HOURS)
    rate = 0.04 * np.exp(-(((hour % 24) - 14) ** 2) / 40) * (1 + 0.3 * (hour // 24 % 7 > 4))
    rate *= np.exp(0.1 * rng.normal(size=HOURS // 24))[hour // 24]
    return np.asarray(rng.poisson(users * rate[:, None], (HOURS, 2)), dtype=float)


def test_events_lost_from_the_first_day_leave_broken_pairs_and_fail_trust() -> None:
    (finding,) = orphans(plan(), inputs(logged=logged(np.random.default_rng(1), lost=0.1)))
    assert finding.trust == "fails"
    assert "In treatment, 'open' and 'pay' are lacking in 9.9% of the visits" in finding.claim
    assert "fewer were counted than happened" in finding.claim


def test_a_loss_within_a_quarter_of_the_smallest_margin_only_warns() -> None:
    lost = inputs(logged=logged(np.random.default_rng(1), lost=0.01))
    (strict,) = orphans(plan(results={"payments": "2%"}), lost)
    (wide,) = orphans(plan(results={"payments": "8%"}), lost)
    assert (strict.trust, wide.trust) == ("fails", "warns")


def test_one_step_that_is_passed_may_be_a_new_way_in() -> None:
    made = logged(np.random.default_rng(2))
    lacks, who = made.lacks.copy(), made.users_lack.copy()
    lacks[0, 1], who[0, 1] = 0.3 * made.holds[0, 1], 2_000
    (finding,) = orphans(plan(), inputs(logged=replace(made, lacks=lacks, users_lack=who)))
    assert finding.trust == "warns"
    assert "a new way passes that step" in finding.claim
    # No metric counts it: then nothing that is measured rests on it, and it is only told.
    other = replace(made, earlier=("menu", "pay"), lacks=lacks, users_lack=who)
    (finding,) = orphans(plan(), inputs(logged=other))
    assert finding.trust == "holds"
    assert "'menu' is lacking" in finding.claim
    (finding,) = orphans(
        plan(),
        inputs(logged=replace(other, lacks=lacks[:, ::-1], users_lack=who[:, ::-1])),
    )
    assert finding.trust == "warns"


def test_a_loss_on_one_device_is_placed_there() -> None:
    made = logged(np.random.default_rng(3), lost=0.05)
    sums = np.array([[[5.0, 3.0], [20.0, 900.0]], [[9e3, 3e3], [9e3, 3e3]]])
    made = replace(made, places={"device": (("new", "old"), sums)})
    (finding,) = orphans(plan(), inputs(logged=made))
    assert "nearly all of it where device is old (30.0%)" in finding.claim


def test_without_a_loss_one_in_a_thousand_reviews_is_warned_at_most() -> None:
    rng, warned = np.random.default_rng(4), 0
    for _ in range(400):
        one = inputs(logged=logged(rng))
        warned += any(f.trust != "holds" for f in orphans(plan(), one))
        warned += any(f.trust != "holds" for f in silent_hours(plan(), one))
    # 0.8 are to be expected of 800 at the error of 0.1% each; four or more come once in 100
    assert warned <= 3


def test_silent_hours_are_found_to_the_hour_and_said() -> None:
    rng = np.random.default_rng(5)
    made = logged(rng)
    active = made.active.copy()
    down = slice(24 * 15 + 10, 24 * 15 + 18)
    active[down, 1] = np.floor(0.15 * active[down, 1])
    (one,) = silences(active, made.exposed)
    assert (one.arm, one.first, one.last) == (1, down.start, down.stop - 1)
    assert one.fall == pytest.approx(0.85, abs=0.05)
    (finding,) = silent_hours(plan(), inputs(logged=replace(made, active=active)))
    assert finding.trust == "fails"
    assert "On 16 Mar 2026, 10:00 to 18:00 UTC" in finding.claim
    assert finding.claim.endswith("by that enough to matter.")
    assert "0.50% or more was lost" in finding.method
    (wide,) = silent_hours(
        plan(results={"payments": "20%"}), inputs(logged=replace(made, active=active))
    )
    assert wide.trust == "warns"
    assert wide.claim.endswith("by that too little to matter to a margin of the plan.")


def _three(made: Logged, active: np.ndarray) -> Inputs:
    """Control, and the treatment twice: two arms that are alike."""
    twice = [0, 1, 1]
    return inputs(
        arms=("control", "one", "two"),
        logged=replace(
            made,
            lacks=made.lacks[:, twice],
            holds=made.holds[:, twice],
            users_lack=made.users_lack[:, twice],
            users=made.users[twice],
            active=active,
            exposed=made.exposed[:, twice],
        ),
    )


def test_what_control_loses_counts_once_beside_several_arms() -> None:
    made = logged(np.random.default_rng(2))
    lacks, who = made.lacks.copy(), made.users_lack.copy()
    lacks[0, 0], who[0, 0] = 0.3 * made.holds[0, 0], 2_000
    active = np.column_stack([made.active, seen(np.random.default_rng(9))])
    down = slice(24 * 15 + 10, 24 * 15 + 18)
    active[down, 0] = np.floor(0.15 * active[down, 0])
    broken = _three(replace(made, lacks=lacks, users_lack=who), active)
    (finding,) = orphans(plan(), broken)
    # One event, however many arms it is lacking beside: no sign that all are lost alike.
    assert finding.trust == "warns"
    assert "'open' is lacking" in finding.claim
    (finding,) = silent_hours(plan(results={"payments": "20%"}), broken)
    assert finding.claim.count("users of control") == 1


def test_two_days_without_a_sound_do_not_make_the_days_beside_them_look_full() -> None:
    made = logged(np.random.default_rng(7))
    active = made.active.copy()
    active[24 * 15 : 24 * 17, 1] = 0
    found = silences(active, made.exposed)
    assert {one.arm for one in found} == {1}
    assert {one.first // 24 for one in found} == {15, 16}
    usual = made.active[24 * 15 : 24 * 17, 0].sum()
    assert sum(one.missing for one in found) == pytest.approx(usual, rel=0.15)


def test_a_campaign_that_lifts_one_arm_and_a_lure_that_fades_are_no_silence() -> None:
    made = logged(np.random.default_rng(6))
    active = made.active.copy()
    active[24 * 15 + 10 : 24 * 15 + 14, 1] *= 2.0
    assert silences(active, made.exposed) == []
    fading = 1 + 0.5 * np.exp(-np.arange(HOURS) / (24 * 5))
    active = np.stack([made.active[:, 0], np.round(made.active[:, 1] * fading)], axis=1)
    assert silences(active, made.exposed) == []


def test_nothing_is_said_of_what_was_not_followed() -> None:
    assert orphans(plan(), inputs()) == []
    assert silent_hours(plan(), inputs()) == []
    assert silences(np.ones((30, 2)), np.ones((30, 2))) == []
