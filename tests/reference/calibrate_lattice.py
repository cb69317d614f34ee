"""Slices chosen from hundreds on one half, confirmed on the other: errors and what is found."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np

from octad.stats.lattice_scan import Slice
from octad.stats.segments import find_harm
from tests.reference.chance import Measured, at_least, at_most, explained
from tests.reference.lattice_worlds import people, slice_moments

__all__ = ["SIMULATIONS", "confirmed", "searched"]

SIZES = (4, 4, 4, 4, 4)
USERS = 32_000
HARMED: Slice = ((0, 1), (2, 2), (3, 0))
HARM = 0.65
KEEP = 60

WIDE: list[Slice] = [
    tuple(zip(group, values, strict=True))
    for depth in (1, 2)
    for group in combinations(range(len(SIZES)), depth)
    for values in product(*(range(SIZES[a]) for a in group))
]
"""Every single value and every pair: 180."""


def confirmed(
    rng: np.random.Generator, *, seed: int, harm: float = 0.0, other: int = 0, share: float = 1.0
) -> bool:
    """One launch, searched to the depth of three: whether any slice is confirmed.

    Args:
        seed: Of the halves.
        harm: What each treated user of the harmed slice loses.
        other: Added to the seed that the candidates are found with; 0 is right.
        share: Of users who do anything at all.
    """
    world = people(rng, users=USERS, sizes=SIZES, harmed=HARMED, harm=harm, share=share)
    found = world.search(seed + other, keep=KEEP).slices
    search = find_harm(slice_moments(world, [(), *found]), seed=seed)
    if not harm:
        return bool(search.confirmed.any())
    # The harmed slice, or one inside it: not merely one that overlaps it.
    hits = [set(s) >= set(HARMED) for s in found]
    return bool(search.confirmed[1:][hits].any())


def searched(rng: np.random.Generator, repetitions: int) -> list[Measured]:
    """820 slices of up to three of five attributes: none harmed, and a triple harmed."""
    runs = min(max(repetitions // 10, 20), 400)
    null = [confirmed(rng, seed=run) for run in range(runs)]
    rare = [confirmed(rng, seed=run, share=0.02) for run in range(runs)]
    wrong = [confirmed(rng, seed=run, other=10_000) for run in range(runs // 2)]
    planted = [confirmed(rng, seed=run, harm=HARM) for run in range(runs // 2)]
    wide = [_by_pairs(rng, run) for run in range(runs // 4)]
    name = "820 slices searched, 60 kept"
    note = "shown for comparison: with another seed a quarter of the users is looked at twice"
    diluted = "shown for comparison: singles and pairs water a harm of three attributes down"
    return [
        at_most(f"{name}: any false", np.array(null), 0.05),
        at_most(f"{name}, 2% active: any false", np.array(rare), 0.05),
        explained(f"{name}, the halves not the same: any false", np.array(wrong), 0.05, note),
        at_least(f"{name}: a harmed triple confirmed", np.array(planted), 0.8),
        explained("singles and pairs: the same harm confirmed", np.array(wide), 0.8, diluted),
    ]


def _by_pairs(rng: np.random.Generator, run: int) -> bool:
    """Whether singles and pairs alone confirm any harm around the harmed triple."""
    world = people(rng, users=USERS, sizes=SIZES, harmed=HARMED, harm=HARM)
    search = find_harm(slice_moments(world, [(), *WIDE]), seed=run)
    around = [set(s) <= set(HARMED) for s in WIDE]
    return bool(search.confirmed[1:][around].any())


SIMULATIONS = (searched,)
