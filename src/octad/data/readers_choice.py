"""Whose timelines to read: fair to both arms, to light and heavy use, and to those in trouble."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from octad.stats.choosing import gaussian_kernel, prototypes_and_criticisms

__all__ = ["COMPLAINED", "HURT", "ROLES", "TYPICAL", "UNLIKE", "WORST", "People", "choose"]

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

TYPICAL = "typical"
UNLIKE = "unlike the typical"
WORST = "among the tenth with most trouble"
COMPLAINED = "wrote a complaint"
HURT = "in a segment that is hurt"

ROLES = (TYPICAL, WORST, TYPICAL, UNLIKE, HURT, TYPICAL, COMPLAINED, WORST, TYPICAL, UNLIKE)
"""Ten timelines in the order they are chosen; a longer list begins again, a shorter one stops."""

_MOST = 1_000
_TENTH = 0.1


@dataclass(frozen=True, slots=True)
class People:
    """Sampled users; all arrays are of length U.

    Attributes:
        features: (U, k) what each does: counts of events, visits, pace.
        arm: Arm codes.
        band: Codes of intensity of use, lightest first.
        trouble: Errors and signs of trouble, for each action.
        complained, hurt: Who wrote a complaint; who is in a segment that the launch hurts.
        order: A fixed order of the users that means nothing, such as that of keyed hashes.
    """

    features: FloatArray
    arm: IntArray
    band: IntArray
    trouble: FloatArray
    complained: BoolArray
    hurt: BoolArray
    order: IntArray


def choose(people: People, count: int) -> list[tuple[int, str]]:
    """Choose whom to read, the same on every run.

    The arms take turns, role by role, so that each role is read as often in each arm. Typical
    users are prototypes within their band of use (the bands take turns too); the unlike are the
    criticisms of the same choice (Kim, Khanna and Koyejo 2016). Prototypes hide the tail, so some
    always come from the tenth with most trouble, from those who complained, and from a segment
    that is hurt; where nobody fits a role, a typical user takes the place.

    Args:
        people: Sampled users.
        count: How many to choose; fewer when there are fewer users.

    Returns:
        Row numbers with the role each was chosen for.
    """
    if not len(people.arm):
        return []
    pools = _pools(people, count)
    arms = sorted({int(a) for a in people.arm})
    taken: set[int] = set()
    chosen: list[tuple[int, str]] = []
    turn = 0
    while len(chosen) < min(count, len(people.arm)):
        role = ROLES[(turn // len(arms)) % len(ROLES)]
        arm = arms[turn % len(arms)]
        for wanted in (role, TYPICAL):
            one = next((i for i in pools[wanted](arm) if i not in taken), None)
            if one is not None:
                taken.add(one)
                chosen.append((one, wanted))
                break
        turn += 1
        if turn > 4 * len(arms) * (count + len(ROLES)):
            break  # an arm has nobody left, and the others' turns are used up
    return chosen


def _pools(people: People, count: int) -> dict[str, Callable[[int], list[int]]]:
    """For each role, its candidates in an arm, best first."""
    cut = np.quantile(people.trouble, 1 - _TENTH)
    worst = (people.trouble >= cut) & (people.trouble > 0)
    made: dict[int, tuple[list[int], list[int]]] = {
        arm: _typical(people, arm, count) for arm in {int(a) for a in people.arm}
    }

    def by_order(mask: BoolArray, arm: int) -> list[int]:
        found = np.flatnonzero(mask & (people.arm == arm))
        return [int(i) for i in found[np.argsort(people.order[found], kind="stable")]]

    return {
        TYPICAL: lambda arm: made[arm][0],
        UNLIKE: lambda arm: made[arm][1],
        WORST: lambda arm: by_order(worst, arm),
        COMPLAINED: lambda arm: by_order(people.complained, arm),
        HURT: lambda arm: by_order(people.hurt, arm),
    }


def _typical(people: People, arm: int, count: int) -> tuple[list[int], list[int]]:
    """Prototypes of each band in turn, heaviest first, then everyone else; and the criticisms."""
    mine = np.flatnonzero(people.arm == arm)
    mine = mine[np.argsort(people.order[mine], kind="stable")]
    by_band: list[list[int]] = []
    odd: list[int] = []
    for band in sorted({int(b) for b in people.band[mine]}, reverse=True):
        rows = mine[people.band[mine] == band][:_MOST]
        kernel = gaussian_kernel(_standard(people.features[rows]))
        found = prototypes_and_criticisms(kernel, min(count, len(rows)), min(count, len(rows)))
        by_band.append([int(rows[i]) for i in found.prototypes])
        odd += [int(rows[i]) for i in found.criticisms]
    typical = [
        band[i]
        for i in range(max(map(len, by_band), default=0))
        for band in by_band
        if i < len(band)
    ]
    rest = [int(i) for i in mine if int(i) not in set(typical)]
    return typical + rest, odd


def _standard(features: FloatArray) -> FloatArray:
    """Logs of counts, each column on its own scale."""
    logs = np.log1p(features)
    spread = logs.std(axis=0)
    return np.asarray((logs - logs.mean(axis=0)) / np.where(spread > 0, spread, 1.0))
