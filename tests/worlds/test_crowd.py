from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from octad.worlds.base import Random
from octad.worlds.crowd import circle, demand, ties, unrecorded
from octad.worlds.faults import Faults
from octad.worlds.kinds import KINDS
from octad.worlds.people import born
from octad.worlds.wallet import simulate as live

Tables = dict[str, dict[str, Any]]


def test_friendship_goes_both_ways_and_a_larger_world_holds_the_smaller_one() -> None:
    friends = circle(200)
    both = {(a, int(b)) for a, row in enumerate(friends) for b in row}
    assert all((b, a) in both for a, b in both)
    assert not any(a == b for a, b in both)
    assert np.array_equal(circle(500)[:200], friends)
    assert circle(120).max() < 120


def test_every_friendship_is_one_tie() -> None:
    one, other = ties(120)
    assert np.all(one < other)
    pairs = set(zip(one.tolist(), other.tolist(), strict=True))
    assert len(pairs) == len(one)
    friends = circle(120)
    assert pairs == {(min(a, int(b)), max(a, int(b))) for a in range(120) for b in friends[a]}


def test_only_the_world_of_friends_says_who_they_are() -> None:
    for name in ("friends", "neutral"):
        launched = next(kind for kind in KINDS if kind.name == name).at("plain")
        made = live(launched, seed=4, users=200, progress=lambda _what, _share: None)
        assert ("links" in made.tables) == (name == "friends")
        assert ("links:" in made.files["octad.yml"]) == (name == "friends")
        if name == "friends":
            ends = made.tables["links"]["user_id"]
            assert np.isin(np.asarray(ends), np.asarray(made.tables["users"]["user_id"])).all()
            assert len(made.tables["links"]["other_id"]) == 3 * 200


def test_the_season_and_a_rival_come_over_everyone() -> None:
    people = born(Random(1), 100)
    nobody = np.zeros(100, dtype=np.bool_)
    faults = Faults(season=(1.0, 0.9), rival_day=5, rival_size=-0.2)
    assert demand(people, faults, nobody, -1) == 1.0
    assert demand(people, faults, nobody, 3) == pytest.approx(0.9)
    assert demand(people, faults, nobody, 9) == pytest.approx(0.72)


def test_only_those_with_treated_friends_are_changed_by_them() -> None:
    people = born(Random(1), 500)
    faults = Faults(friends=-0.1)
    has_it = np.zeros(500, dtype=np.bool_)
    assert np.all(demand(people, faults, has_it, 1) == 1.0)
    has_it[0] = True
    touched = np.flatnonzero(np.asarray(demand(people, faults, has_it, 1)) < 1.0)
    assert set(touched) == set(circle(500)[0].tolist())
    assert np.all(np.asarray(demand(people, faults, ~has_it, 1)) >= 0)


def test_lost_exposures_are_of_the_treated_who_come_seldom() -> None:
    people = born(Random(2), 20_000)
    treated = people.arm < 0.5
    lost = unrecorded(Random(2), people, Faults(unrecorded=0.1), treated)
    often = people.pay + people.transfer + people.balance
    assert not np.any(lost & ~treated)
    assert lost[treated].mean() == pytest.approx(0.1, abs=0.01)  # three standard errors
    assert often[lost].max() < np.median(often[treated])
    assert not unrecorded(Random(2), people, Faults(), treated).any()


def test_a_fault_shows_in_a_crowd_and_not_among_a_few() -> None:
    assert not Faults(unrecorded=0.02).shows(2_000)
    assert Faults(unrecorded=0.02).shows(200_000)
    assert Faults(unlogged=0.15, unlogged_days=(16, 39)).shows(20_000)
    # From the first day on there is no day before to hold it against.
    assert Faults(unlogged=0.15, unlogged_days=(0, 39)).shows(20_000)
    assert not Faults(unlogged=0.15, unlogged_days=(0, 39)).shows(40)
    assert not Faults(unlogged=0.005, unlogged_days=(0, 39)).shows(10**6)
    down = Faults(unlogged=0.95, unlogged_days=(15, 16), unlogged_hours=(8, 20))
    assert down.bias == pytest.approx(0.95 * 12 / 16 / 28)
    assert down.shows(20_000)
    old = Faults(unlogged=0.25, unlogged_days=(0, 39), unlogged_devices=(2,))
    assert old.bias == pytest.approx(0.05)
    assert old.shows(20_000)
    assert not Faults(friends=0.1).shows(10**6)


@pytest.fixture(scope="module")
def tables() -> Tables:
    """Two kinds of the same small world, one of them whole."""
    found: Tables = {}
    for name in ("neutral", "dropped_logging", "bought_praise", "staged_nothing"):
        launched = next(kind for kind in KINDS if kind.name == name).at("plain")
        made = live(launched, seed=4, users=2_000, progress=lambda _what, _share: None)
        found[name] = {key: made.tables[key] for key in ("events", "exposures", "reviews")}
    return found


def test_events_are_lost_from_one_arm_from_a_day_on(tables: Tables) -> None:
    whole, some = (_by_half(tables[name]) for name in ("neutral", "dropped_logging"))
    kept = {key: some[key] / whole[key] for key in whole}
    assert kept["off", "early"] == kept["off", "late"] == kept["on", "early"] == 1
    assert kept["on", "late"] == pytest.approx(0.6, abs=0.03)


def _by_half(tables: dict[str, Any]) -> dict[tuple[str, str], int]:
    events, exposures = tables["events"], tables["exposures"]
    arm = exposures["arm"]
    late = events["ts"] >= np.datetime64("2026-03-17T00:00:00", "us")
    treated = np.isin(events["user_id"], exposures["user_id"][arm.is_("on")])
    control = np.isin(events["user_id"], exposures["user_id"][arm.is_("off")])
    return {
        (name, half): int((who & when).sum())
        for name, who in (("off", control), ("on", treated))
        for half, when in (("early", ~late), ("late", late))
    }


def test_praise_is_bought_in_its_days_alone(tables: Tables) -> None:
    calm, bought = (tables[name]["reviews"] for name in ("neutral", "bought_praise"))
    more = len(bought["score"]) - len(calm["score"])
    assert more == pytest.approx(150 * 9 * 2_000 / 100_000, rel=0.6)  # Poisson of 27
    days = bought["at"].astype("datetime64[D]")
    inside = (days >= np.datetime64("2026-03-02")) & (days < np.datetime64("2026-03-11"))
    assert (bought["score"][inside] == 5).sum() >= more
    assert len(bought["score"][~inside]) == len(calm["score"]) - _inside(calm)


def _inside(reviews: dict[str, Any]) -> int:
    at = reviews["at"]
    days = at.astype("datetime64[D]")
    return int(((days >= np.datetime64("2026-03-02")) & (days < np.datetime64("2026-03-11"))).sum())


def test_a_staged_rollout_reaches_region_after_region(
    tables: Tables,
) -> None:
    exposures = tables["staged_nothing"]["exposures"]
    assert exposures["arm"].is_("on").all()
    first = np.sort(exposures["ts"].astype("datetime64[D]"))
    assert (first >= np.datetime64("2026-03-22")).any()
    assert (first < np.datetime64("2026-03-08")).any()


@pytest.mark.parametrize(
    "name", ["lost_from_start", "collector_down", "old_batches", "dropped_logging"]
)
def test_a_log_that_loses_events_loses_them_only_where_the_fault_says(name: str) -> None:
    kind = next(kind for kind in KINDS if kind.name == name)
    launched = kind.at("plain")
    clean = replace(launched, faults=Faults())
    whole, found = (
        live(one, seed=4, users=1_500, progress=lambda _what, _share: None).tables
        for one in (clean, launched)
    )
    lost = len(whole["events"]["ts"]) - len(found["events"]["ts"])
    assert lost > 0
    day = [
        (np.asarray(t["events"]["ts"]) - np.datetime64("2026-03-01")) // np.timedelta64(1, "D")
        for t in (whole, found)
    ]
    first, last = launched.faults.unlogged_days
    by_day = [np.bincount(d[d >= 0], minlength=60) for d in day]
    less = by_day[0] - by_day[1]
    assert less[first:last].sum() == lost
    if launched.faults.unlogged_devices:
        on = [old_devices(t) for t in (whole, found)]
        assert on[0] - on[1] == lost


def old_devices(tables: dict[str, Any]) -> int:
    """Events by people with an old device."""
    users = tables["users"]
    old = np.asarray(users["user_id"])[users["device_class"].is_("old")]
    return int(np.isin(np.asarray(tables["events"]["user_id"]), old).sum())
