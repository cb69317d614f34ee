"""Which combinations of three values become slices, from what the search of each metric found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from octad.data.bands import OTHER, UNKNOWN
from octad.model.inputs import Slice
from octad.stats.lattice_scan import Scan, even

__all__ = ["MOST_EACH", "Deep", "Piece", "deep_of", "searchable", "shallowest", "silent"]

Piece: TypeAlias = tuple[tuple[int, int], ...]
"""(attribute, value) by number, as `octad.stats.lattice` has them."""

MOST_EACH = 40
"""Slices that one metric and arm may add."""
_MOST_DEEP = 200


@dataclass(frozen=True, slots=True)
class Deep:
    """The slices that the search adds.

    Attributes:
        pieces: By numbers, the most harmed first; `slices` the same by name.
        searched: Combinations among which they were found.
    """

    pieces: tuple[Piece, ...]
    slices: tuple[Slice, ...]
    searched: int


def silent(values: Sequence[str]) -> NDArray[np.bool_]:
    """Which values of an attribute make no segment, since nothing is known of who has them."""
    return np.array([value in (UNKNOWN, OTHER) for value in values], dtype=bool)


def searchable(attributes: Sequence[Sequence[str]], *, whole: bool) -> list[int]:
    """The numbers of the attributes to be searched; none where nothing more is to be found.

    Args:
        attributes: The values of each.
        whole: Whether every pair that is large enough is a slice already.
    """
    known = [i for i, values in enumerate(attributes) if not silent(values).all()]
    return known if len(known) >= shallowest(whole=whole) else []


def shallowest(*, whole: bool) -> int:
    """How many values the combinations that are looked for have at least."""
    return 3 if whole else 2


def deep_of(
    there: Sequence[Slice],
    attributes: Sequence[tuple[str, Sequence[str]]],
    scans: Iterable[Scan],
    *,
    whole: bool,
) -> Deep:
    """Choose among what the searches found, the most harmed first.

    Args:
        there: The slices there are.
        attributes: Name and values of those that were searched.
        scans: One for each metric and arm.
        whole: As in `searchable`.
    """
    found: dict[Piece, float] = {}
    searched = 0
    for scan in scans:
        looked = [v.looked + v.pruned for v in scan.levels if v.depth >= shallowest(whole=whole)]
        searched = max(searched, sum(looked))
        # Without the digits that rounding makes: of equals, none comes first by chance.
        for piece, score in zip(scan.slices, even(scan.score).tolist(), strict=True):
            found[piece] = max(score, found.get(piece, 0.0))
    held = {frozenset(piece.values) for piece in there}
    named = {
        piece: Slice(tuple((attributes[a][0], attributes[a][1][v]) for a, v in piece))
        for piece in sorted(found, key=lambda p: (-found[p], p))
    }
    chosen = [p for p, slice_ in named.items() if frozenset(slice_.values) not in held]
    chosen = chosen[:_MOST_DEEP]
    return Deep(tuple(chosen), tuple(named[p] for p in chosen), searched)
