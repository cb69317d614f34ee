"""What the team has walked, where it has been, and whose use its own is like."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from octad.model.finding import Stance, Table
from octad.model.inputs import Ways
from octad.readings.user_walked import checklist, gone_by_team, like_whom, places, walked
from tests.readings.made import ARMS
from tests.readings.ways_kit import ways


def test_the_share_is_by_use_and_by_users_and_the_launch_brought_what_is_not_walked() -> None:
    found = walked(ways([5, 0, 0, 0]), ARMS, [])
    assert found is not None
    assert found.estimate is not None
    assert found.estimate.value == pytest.approx(4000 / 4800)
    assert "83% of what users do step by step" in found.claim
    assert "50%, weighed by how many people" in found.claim
    assert "With the launch it is 71%, without 100%" in found.claim
    assert found.stance is Stance.MIXED


def test_a_team_that_has_been_everywhere_is_for_it() -> None:
    found = walked(ways([5, 5, 5, 5]), ARMS, [])
    assert found is not None
    assert found.stance is Stance.FOR


def test_a_logged_walk_covers_what_lies_within_it() -> None:
    some = ways([5, 0, 0, 0])
    assert gone_by_team(some, [("open", "feed", "like")]).all()
    assert gone_by_team(some, [("feed", "like")]).tolist() == [True, False, True, False]
    assert gone_by_team(some, [("pen", "feed")]).tolist() == [True, False, False, False]
    found = walked(some, ARMS, [("open", "feed", "like")])
    assert found is not None
    assert found.stance is Stance.FOR


def test_the_checklist_lets_the_longer_way_stand_for_its_parts() -> None:
    rows = checklist(ways([5, 0, 0, 0]), [])
    assert rows == [(("open", "feed", "like"), Ways.TURN, 200, 400)]


def test_a_part_that_many_more_go_keeps_its_own_line() -> None:
    some = ways([5, 0, 0, 0])
    more = replace(
        some,
        who=np.concatenate([some.who, np.arange(0, 400, 2)]),
        way=np.concatenate([some.way, np.full(200, 1)]),
        often=np.concatenate([some.often, np.ones(200, dtype=np.int64)]),
    )
    assert [row[0] for row in checklist(more, [])] == [("open", "feed"), ("open", "feed", "like")]


def test_the_place_where_most_live_and_nobody_has_been_is_named() -> None:
    device = np.where(np.arange(400) % 4 == 0, 1, 0)
    been = np.array([[True, True, True, True], [False, False, False, False]])
    found = places(ways([5, 5, 5, 5], places={"device": (("new", "old"), device, been)}), [])
    assert found is not None
    assert "device old are 25% of all; of what they do, team members" in found.claim
    assert "have walked 0%" in found.claim
    assert found.stance is Stance.MIXED
    table = found.evidence[0]
    assert isinstance(table, Table)
    assert table.rows[0][1] == "old"


def test_small_places_are_not_named() -> None:
    device = np.where(np.arange(400) < 49, 1, 0)
    been = np.array([[True] * 4, [False] * 4])
    found = places(ways([5, 5, 5, 5], places={"device": (("new", "old"), device, been)}), [])
    assert found is not None
    assert "at least 100%" in found.claim


def test_the_teams_mix_is_held_against_users_and_segments() -> None:
    device = np.arange(400) % 2
    been = np.ones((2, 4), dtype=bool)
    found = like_whom(
        ways(
            [5, 5, 5, 5],
            places={"device": (("new", "old"), device, been)},
            team_mix=np.array([100.0, 400.0, 0.0]),
        )
    )
    assert found is not None
    assert "The team does 80% 'social', users 9%." in found.claim
    assert "nearest to that of device old, and farthest from device new" in found.claim


def test_a_team_that_uses_it_as_users_do_is_said_to() -> None:
    found = like_whom(ways([5] * 4, team_mix=np.array([91.0, 9.0, 0.0])))
    assert found is not None
    assert "much as users do" in found.claim


def test_a_team_that_did_nothing_is_like_nobody() -> None:
    assert like_whom(ways([0] * 4, team_mix=np.zeros(3))) is None
