"""Truth is read off, not written down: the same world is lived on under both arms.

Both futures share every draw, so their difference is what the launch did to these very people,
with almost no noise.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from octad.worlds.base import Bools, Floats, Random
from octad.worlds.change import Change, Rollout
from octad.worlds.life import Life
from octad.worlds.people import born
from octad.worlds.tally import Tally

__all__ = ["both_arms", "by_day", "effects", "later"]

_COUNTS = ("opens", "payments", "transfers", "retained")
_RATES = {"crash_rate": ("crashes", "all_opens"), "pay_success": ("good", "payments")}


def both_arms(start: Life, days: int) -> tuple[Tally, Tally]:
    """Live on from the launch's start with everyone off, then again with everyone on.

    Args:
        start: The world at the start of day 0; it is left as it was.
        days: How many days to live.
    """
    tallies = []
    for treated in (False, True):
        life = start.branch(np.full(len(start.people), treated))
        tally = Tally(life.state.since, days)
        for day in range(days):
            tally.add(life.day(day))
        tallies.append(tally)
    return tallies[0], tallies[1]


def effects(off: Tally, on: Tally, who: Bools) -> dict[str, float]:
    """Relative effects on the metrics among some people: 0.05 is five per cent more."""
    found = {name: _relative(off.value(name)[who], on.value(name)[who]) for name in _COUNTS}
    for name, (up, down) in _RATES.items():
        rates = [t.value(up)[who].sum() / max(t.value(down)[who].sum(), 1.0) for t in (off, on)]
        found[name] = round(float(rates[1] / rates[0] - 1), 5) if rates[0] else 0.0
    return found


def by_day(off: Tally, on: Tally, days: int) -> dict[str, list[float]]:
    """Relative effects on each of the first days since exposure."""
    return {
        name: [_relative(off.by_day[name][[d]], on.by_day[name][[d]]) for d in range(days)]
        for name in off.by_day
    }


def later(
    random: Random,
    people: int,
    change: Change,
    rollout: Rollout,
    spans: Mapping[str, tuple[int, int]],
) -> dict[str, dict[str, float]]:
    """Relative effects long after, among the world's first `people`.

    Args:
        random: The world's randomness.
        people: How many of its people to follow.
        change: What the launch changes.
        rollout: Who gets it when.
        spans: Name to a span of days since exposure, the last excluded.
    """
    life = Life(random, born(random, people), change, rollout, np.zeros(people, dtype=np.bool_))
    for day in range(-28, 0):
        life.day(day)
    enrolment = min(rollout.closes, len(rollout.reach) + 7)
    off, on = both_arms(life, max(last for _, last in spans.values()) + enrolment)
    return {
        name: {
            metric: _relative(off.by_day[metric][first:last], on.by_day[metric][first:last])
            for metric in off.by_day
        }
        for name, (first, last) in spans.items()
    }


def _relative(off: Floats, on: Floats) -> float:
    before = float(off.sum())
    return round(float(on.sum()) / before - 1, 5) if before else 0.0
