"""Slices of the users: moments on each half of the hash buckets, and plain sums bucket by bucket.

A search for harm (`octad.stats.segments`) needs second moments only of each half of the buckets,
and of every bucket only how far it moves an estimate, which plain sums say. Second moments of
every slice and bucket would take ten times the memory, and nobody would look at them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from octad.stats.moments import Moments

__all__ = ["Parts"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Parts:
    """Overlapping slices of the users, everyone first.

    Attributes:
        halves: (S, A, 2) moments by slice, arm and half: finding, confirming.
        n: (S, A, B) users by bucket.
        sums: For each of the k columns, (S, A, B) its sum by bucket.
        finding: (B,) whether a bucket is in the finding half.
    """

    halves: Moments
    n: FloatArray
    sums: tuple[FloatArray, ...]
    finding: BoolArray

    @classmethod
    def of(cls, moments: Moments, finding: BoolArray) -> Parts:
        """From moments of every bucket.

        Args:
            moments: (S, A, B).
            finding: (B,) whether a bucket is in the finding half.
        """
        first, second = moments.total_of(finding), moments.total_of(~finding)
        halves = Moments(
            np.stack([first.n, second.n], axis=-1),
            np.stack([first.mean, second.mean], axis=-2),
            np.stack([first.comoment, second.comoment], axis=-3),
        )
        sums = tuple(moments.n * moments.mean[..., j] for j in range(moments.k))
        return cls(halves, moments.n, sums, finding)

    @cached_property
    def users(self) -> FloatArray:
        """(S,) users of all arms."""
        return np.asarray(self.halves.n.sum(axis=(1, 2)))

    @cached_property
    def total(self) -> Moments:
        """(S, A) moments of all users."""
        return self.halves.total(2)

    def arms(self, *which: int) -> Parts:
        """Some of the arms, in this order."""
        keep = list(which)
        if keep == list(range(self.n.shape[1])):
            return self
        sums = tuple(column[:, keep] for column in self.sums)
        return Parts(self.halves[:, keep], self.n[:, keep], sums, self.finding)
