"""Users with four attributes and every slice of one or two of their values: 76, overlapping."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from octad.stats.moments import Moments

__all__ = ["SLICES", "lattice"]

VALUES = (3, 3, 3, 4)

Choice = tuple[tuple[int, int], ...]

SLICES: tuple[Choice, ...] = (
    (),
    *(((a, v),) for a, count in enumerate(VALUES) for v in range(count)),
    *(
        ((a, v), (b, w))
        for a, b in itertools.combinations(range(len(VALUES)), 2)
        for v in range(VALUES[a])
        for w in range(VALUES[b])
    ),
)
"""Everyone, then 13 single values and 63 pairs: (attribute, value) that must hold."""


def lattice(
    rng: np.random.Generator,
    *,
    users: int = 8000,
    buckets: int = 128,
    spread: float = 0.0,
    harmed: Choice = (),
    harm: float = 0.0,
    share: float = 0.5,
) -> Moments:
    """A launch among users with attributes.

    Args:
        rng: The source of chance.
        users: How many.
        buckets: Hash buckets.
        spread: Sigma of a lognormal factor; 0 gives plain exponential values.
        harmed: The slice that loses.
        harm: How much each of its treated users loses.
        share: Of the users in the treatment.

    Returns:
        Leading shape (77, 2, buckets), columns y, d, x, w.
    """
    attributes = np.stack([rng.integers(0, count, users) for count in VALUES], axis=1)
    arm = (rng.random(users) < share).astype(np.int64)
    code = arm * buckets + rng.integers(0, buckets, users)
    before = rng.exponential(1.0, users)
    after = 0.5 * before + rng.exponential(1.0, users) * np.exp(spread * rng.normal(size=users))
    if harm:
        after = after - harm * arm * _inside(attributes, harmed)
    one = np.ones(users)
    rows = np.stack([after, one, before, one], axis=1)
    parts = []
    for choice in SLICES:
        inside = _inside(attributes, choice)
        parts.append(Moments.from_rows(rows[inside], code[inside], 2 * buckets))
    shape = (len(SLICES), 2, buckets)
    return Moments(
        np.stack([p.n for p in parts]).reshape(shape),
        np.stack([p.mean for p in parts]).reshape(*shape, 4),
        np.stack([p.comoment for p in parts]).reshape(*shape, 4, 4),
    )


def _inside(attributes: NDArray[np.int64], choice: Choice) -> NDArray[np.bool_]:
    inside = np.ones(len(attributes), dtype=bool)
    for attribute, value in choice:
        inside &= attributes[:, attribute] == value
    return inside
