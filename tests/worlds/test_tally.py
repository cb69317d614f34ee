from __future__ import annotations

import numpy as np

from octad.worlds.base import Random
from octad.worlds.change import FEED, Rollout
from octad.worlds.life import DAY, PAY, Life
from octad.worlds.people import born
from octad.worlds.tally import Tally


def test_windows_begin_with_exposure_and_exclude_their_end() -> None:
    random, n = Random(5), 400
    life = Life(random, born(random, n), FEED, Rollout(), np.zeros(n, dtype=np.bool_))
    tally = Tally(life.state.since, 40)
    opened: list[list[int]] = [[] for _ in range(n)]
    paid: list[list[int]] = [[] for _ in range(n)]
    for day in range(40):
        s = life.day(day)
        tally.add(s)
        for row in range(len(s)):
            who, at = int(s.user[row]), int(s.at[row])
            opened[who] += [at] * (1 + int(s.relaunched[row]))
            if s.kind[row] == PAY and s.done[row]:
                paid[who] += [at] * (1 + int(s.retried[row]))
    for who in range(n):
        since = int(life.state.since[who])
        ages = [at - since for at in opened[who]] if since >= 0 else []
        payments = [at - since for at in paid[who]] if since >= 0 else []
        assert tally.value("opens")[who] == sum(0 <= age < 14 * DAY for age in ages)
        assert tally.value("payments")[who] == sum(0 <= age < 28 * DAY for age in payments)
        assert tally.value("retained")[who] == any(21 * DAY <= age < 28 * DAY for age in ages)
    exposed_opens = sum(
        sum(at >= t for at in o) for o, t in zip(opened, life.state.since, strict=True) if t >= 0
    )
    assert tally.by_day["opens"].sum() == exposed_opens
