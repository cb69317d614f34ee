"""A product of many users with few events, in which one kind of people is harmed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np

from tests.data.small import START, Event, World

__all__ = ["harmed_world"]

METRICS: dict[str, dict[str, Any]] = {
    "opens": {"count": "open", "window": "7d"},
    "spend": {"sum": "value", "of": "pay", "winsorize": 0.99},
    "crash_rate": {"ratio": ["crash", "open"], "better": "down"},
}


def harmed_world(seed: int, users: int) -> World:
    """Users in three arms; of one age in the north, long here, the treated open and pay less."""
    rng = np.random.default_rng(seed)
    events: list[Event] = []
    exposures: list[tuple[str, datetime, str | None]] = []
    people: list[tuple[str, str | None, float | None, bool]] = []
    for i in range(users):
        user = f"user {i}"
        arm = ("off", "on", "loud")[int(rng.integers(0, 3))]
        region = ("north", "south", None)[int(rng.integers(0, 3))]
        age = (20.0, 40.0, 60.0)[int(rng.integers(0, 3))]
        at = START + timedelta(seconds=int(rng.integers(0, 9 * 86_400)))
        old = rng.random() < 0.5
        people.append((user, region, age, False))
        exposures.append((user, at, arm))
        if old:
            events.append((user, at - timedelta(days=14), "open", None, None, None))
        elif rng.random() < 0.5:
            events.append((user, at - timedelta(days=2), "open", None, None, None))
        harmed = arm == "on" and region == "north" and age == 40.0 and old
        for name, mean in (("open", 2.0), ("pay", 0.6), ("crash", 0.3)):
            for _ in range(int(rng.poisson(mean * (0.4 if harmed and name != "crash" else 1)))):
                value = float(rng.exponential(9.0)) if name == "pay" else None
                moment = at + timedelta(seconds=int(rng.integers(0, 7 * 86_400)))
                events.append((user, moment, name, value, None, None))
    # Long enough that every window has ended.
    events.append(("nobody", START + timedelta(days=20), "open", None, None, None))
    return World(events, exposures, people, {}, dict(METRICS))
