"""Journeys made by hand: what everyone does, and what only the second arm does."""

from __future__ import annotations

from typing import Any

import numpy as np

from octad.model.inputs import Ways

STEPS = (("open", "pay"), ("open", "feed"), ("feed", "like"), ("open", "feed", "like"))
KIND = (Ways.STEP, Ways.STEP, Ways.STEP, Ways.TURN)


def ways(staff: list[int], users: int = 400, **more: Any) -> Ways:
    """Everyone pays ten times; in the second arm, which is the odd, all use the feed twice."""
    odd = np.arange(users) % 2 == 1
    who = [np.arange(users)] + [np.flatnonzero(odd)] * 3
    return Ways(
        kind=KIND,
        steps=STEPS,
        who=np.concatenate(who),
        way=np.repeat(np.arange(4), [len(w) for w in who]),
        often=np.repeat([10, 2, 2, 2], [len(w) for w in who]),
        arm=odd.astype(np.int64),
        staff=np.array(staff),
        team=9,
        team_events=500,
        places=more.get("places", {}),
        jobs=("pay", "social", "(other)"),
        mix=np.stack([np.full(users, 10.0), 2.0 * odd, np.zeros(users)], axis=1),
        team_mix=more.get("team_mix", np.array([500.0, 0.0, 0.0])),
    )
