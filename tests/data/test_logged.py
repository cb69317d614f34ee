"""Broken pairs and silent hours, counted from events in order."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from octad.data.clock import DAY, SECOND
from octad.data.logged import logged_of
from octad.data.samples import Sample, sample_of

USERS = 200


def _sample(lost: float, *, arms: tuple[str, ...] = ("off", "on"), days: int = 20) -> Sample:
    """Each opens, pays and has paid once a day; half the users' openings are lost now and then."""
    rng = np.random.default_rng(3)
    uid, at, name = [], [], []
    for user in range(USERS):
        for day in range(days):
            for step, event in enumerate(("open", "pay", "pay_ok")):
                gone = user % 2 and event == "open" and rng.random() < lost
                if not gone:
                    uid.append(user)
                    at.append(day * DAY + (9 * 3600 + 60 * step) * SECOND)
                    name.append(event)
    rows = pa.table({"uid": uid, "at": at, "event": name})
    return sample_of(
        rows,
        arms=arms,
        arm=np.arange(USERS) % 2,
        bucket=np.zeros(USERS, dtype=np.int64),
        exposed=np.zeros(USERS, dtype=np.int64),
        users=USERS,
        ids={n: str(n) for n in range(USERS)},
        query="q",
    )


def test_visits_that_lack_what_comes_first_are_counted_by_arm_and_place() -> None:
    people = np.arange(USERS)
    old = (people % 4 == 3).astype(np.int64)
    places = {"device": (("new", "old"), old, np.zeros(0, dtype=np.int64))}
    found = logged_of(_sample(0.1), people, places)
    assert found is not None
    assert found.earlier == ("pay", "open")
    opened = found.earlier.index("open")
    visits = USERS // 2 * 20
    assert found.holds[opened].tolist() == [visits, visits]
    assert found.lacks[opened, 0] == 0
    assert found.lacks[opened, 1] == pytest.approx(0.1 * visits, rel=0.15)
    assert found.lacks[1 - opened].tolist() == [0, 0]
    values, sums = found.places["device"]
    assert values == ("new", "old")
    assert sums[0, 1].sum() == found.lacks[:, 1].sum()
    assert sums[1].sum() == found.holds.sum()


def test_users_are_counted_by_the_hour_among_those_exposed() -> None:
    found = logged_of(_sample(0.0), np.arange(USERS), {})
    assert found is not None
    assert found.hours[0] == np.datetime64("1970-01-01T09")
    assert len(found.hours) == 19 * 24 + 1
    assert found.active[0].tolist() == [USERS // 2, USERS // 2]
    assert found.active.sum() == USERS * 20
    assert (found.exposed == USERS // 2).all()


def test_one_arm_or_few_visits_say_nothing() -> None:
    assert logged_of(_sample(0.1, arms=("everyone",)), np.arange(USERS), {}) is None
    assert logged_of(_sample(0.1, days=3), np.arange(USERS), {}) is None
