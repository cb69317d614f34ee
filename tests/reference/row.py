"""One line of the numbers table."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["Row", "exact", "row", "worst"]

EXACT = 1e-9
"""Two double-precision programs for one formula: they differ by rounding alone."""


@dataclass(frozen=True, slots=True)
class Row:
    """Our value, theirs, and whether they agree.

    Attributes:
        tolerance: The largest absolute difference that still counts as agreement.
        source: Paper and table, or package and version, so that the number can be found again.
    """

    name: str
    ours: float
    reference: float
    difference: float
    tolerance: float
    source: str
    ok: bool

    def as_dict(self) -> dict[str, object]:
        """The row as JSON wants it."""
        return asdict(self)


def row(name: str, ours: float, reference: float, *, tolerance: float, source: str) -> Row:
    """Compare one number.

    Args:
        name: What it is, starting with the method: ``sBG alpha, Regular``.
        ours: What our code gives.
        reference: The published or the other package's number.
        tolerance: Absolute. For a printed number: half a unit of its last digit, no more; a
            larger one needs a comment beside it that says why.
        source: Where the reference comes from.
    """
    mine, theirs = float(ours), float(reference)
    difference = mine - theirs
    ok = bool(math.isfinite(difference) and abs(difference) <= tolerance)
    return Row(name, mine, theirs, difference, float(tolerance), source, ok)


def exact(name: str, ours: float, reference: float, *, source: str) -> Row:
    """Compare with a number known to full precision; the tolerance is rounding alone."""
    return row(name, ours, reference, tolerance=EXACT * max(1.0, abs(reference)), source=source)


def worst(
    name: str, ours: ArrayLike, reference: ArrayLike, *, source: str, relative: float = EXACT
) -> Row:
    """Compare many random cases and keep the worst of them.

    Args:
        name: What was compared.
        ours: (n,) our values.
        reference: (n,) theirs.
        source: The package and its version.
        relative: Largest difference, as a fraction of the reference (or of 1, if that is larger).
    """
    mine = np.asarray(ours, dtype=np.float64).ravel()
    theirs = np.asarray(reference, dtype=np.float64).ravel()
    room = relative * np.maximum(1.0, np.abs(theirs))
    with np.errstate(invalid="ignore"):
        share = np.abs(mine - theirs) / room
    at = int(np.argmax(np.where(np.isnan(share), np.inf, share)))
    return row(
        f"{name} (worst of {len(mine)})",
        mine[at],
        theirs[at],
        tolerance=float(room[at]),
        source=source,
    )
