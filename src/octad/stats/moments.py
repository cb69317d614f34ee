"""Means and centred second moments that add up.

Raw sums of squares cancel when values are large beside their spread (1e9 ± 1e-6), so cells keep
the sum of squares and products *about the mean* and merge with the update of Chan, Golub and
LeVeque (1979), equation 2.1, in its pairwise form generalised to several groups at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Moments"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Count, mean and centred second moment of k columns in any number of groups.

    Attributes:
        n: (...,) how many rows.
        mean: (..., k) the mean of each column; 0 where n is 0.
        comoment: (..., k, k) sum over rows of the products of deviations from the mean.
    """

    n: FloatArray
    mean: FloatArray
    comoment: FloatArray

    @property
    def k(self) -> int:
        """The number of columns."""
        return int(self.mean.shape[-1])

    @property
    def shape(self) -> tuple[int, ...]:
        """The leading shape."""
        return tuple(self.n.shape)

    @classmethod
    def empty(cls, shape: tuple[int, ...], k: int) -> Moments:
        """Groups without rows."""
        return cls(np.zeros(shape), np.zeros((*shape, k)), np.zeros((*shape, k, k)))

    @classmethod
    def from_rows(
        cls, rows: ArrayLike, group: ArrayLike | None = None, size: int | None = None
    ) -> Moments:
        """Sum rows up into groups.

        Args:
            rows: (n, k) values; a column of finite numbers each.
            group: (n,) group of each row, from 0; one group when absent.
            size: The number of groups; needed with `group` when the last may be empty.

        Returns:
            Leading shape (size,), or () without `group`.

        Raises:
            ValueError: When rows are not a table, a value is not finite or too large to square,
                or a group lies outside `size`.

        >>> two = Moments.from_rows([[1.0], [3.0], [10.0]], group=[0, 0, 1])
        >>> two.n.tolist(), two.mean.ravel().tolist(), two.comoment.ravel().tolist()
        ([2.0, 1.0], [2.0, 10.0], [2.0, 0.0])
        """
        values = np.asarray(rows, dtype=np.float64)
        if values.ndim != 2:
            msg = "rows must be a table of n rows and k columns"
            raise ValueError(msg)
        if not np.isfinite(values).all():
            msg = "rows must be finite; leave out or mend NaN and infinite values first"
            raise ValueError(msg)
        if group is None:
            one = cls.from_rows(values, np.zeros(len(values), dtype=np.int64), 1)
            return one[0]
        codes = np.asarray(group, dtype=np.int64)
        groups = int(codes.max(initial=-1)) + 1 if size is None else size
        if len(codes) != len(values) or groups <= int(codes.max(initial=-1)):
            msg = "every row needs a group, from 0 to less than size"
            raise ValueError(msg)
        k = values.shape[1]
        n = np.bincount(codes, minlength=groups).astype(np.float64)
        safe = np.where(n > 0, n, 1.0)
        mean = np.stack(
            [np.bincount(codes, values[:, j], groups) / safe for j in range(k)], axis=-1
        ).reshape(groups, k)
        # One step of iterative refinement: the rounding left in the mean is added back, so that
        # equal values have a mean that equals them and a second moment of exactly 0.
        for j in range(k):
            mean[:, j] += np.bincount(codes, values[:, j] - mean[codes, j], groups) / safe
        centred = values - mean[codes]
        comoment = np.empty((groups, k, k))
        with np.errstate(over="ignore", invalid="ignore"):
            for i in range(k):
                for j in range(i, k):
                    comoment[:, i, j] = np.bincount(codes, centred[:, i] * centred[:, j], groups)
                    comoment[:, j, i] = comoment[:, i, j]
        if not np.isfinite(comoment).all():
            msg = "values are too large to square; measure them in a larger unit"
            raise ValueError(msg)
        return cls(n, mean, comoment)

    def __getitem__(self, key: Any) -> Moments:
        """Index the leading dimensions."""
        return Moments(np.asarray(self.n[key]), self.mean[key], self.comoment[key])

    def columns(self, keep: tuple[int, ...]) -> Moments:
        """Keep some of the columns, in the order given."""
        index = np.asarray(keep)
        return Moments(self.n, self.mean[..., index], self.comoment[..., index[:, None], index])

    def total(self, axis: int | tuple[int, ...]) -> Moments:
        """Merge groups along leading axes."""
        lead = len(self.shape)
        axes = tuple(a % lead for a in ((axis,) if isinstance(axis, int) else axis))
        n = self.n.sum(axis=axes)
        safe = np.where(n > 0, n, 1.0)
        weight = self.n[..., None] / np.expand_dims(safe, axes)[..., None]
        mean = (weight * self.mean).sum(axis=axes)
        # Refined as in `from_rows`: merging groups of one constant leaves that constant.
        mean = mean + (weight * (self.mean - np.expand_dims(mean, axes))).sum(axis=axes)
        away = self.mean - np.expand_dims(mean, axes)
        comoment = self.comoment.sum(axis=axes)
        # Product by product: all of them at once would take sixteen times the means' memory.
        for i in range(self.k):
            weighed = self.n * away[..., i]
            for j in range(i, self.k):
                between = (weighed * away[..., j]).sum(axis=axes)
                comoment[..., i, j] += between
                if j > i:
                    comoment[..., j, i] += between
        return Moments(n, mean, comoment)

    def total_of(self, keep: ArrayLike) -> Moments:
        """Merge those groups along the last leading axis that are kept, without copying them.

        Args:
            keep: (B,) whether to keep each, B the length of the last leading axis.
        """
        mask = np.asarray(keep, dtype=np.float64)
        some = np.asarray(keep, dtype=bool)
        flat = self.comoment.reshape(*self.shape, self.k**2)
        inside = (mask @ flat).reshape(*self.shape[:-1], self.k, self.k)
        nothing = np.broadcast_to(np.zeros(()), (*self.n[..., some].shape, self.k, self.k))
        between = Moments(self.n[..., some], self.mean[..., some, :], nothing).total(-1)
        return Moments(between.n, between.mean, between.comoment + inside)

    def __add__(self, other: Moments) -> Moments:
        """Merge group by group."""
        both = Moments(
            np.stack([self.n, other.n]),
            np.stack([self.mean, other.mean]),
            np.stack([self.comoment, other.comoment]),
        )
        return both.total(0)

    def __sub__(self, other: Moments) -> Moments:
        """Group by group, the rows of this that are not among `other`'s rows.

        The inverse of Chan's update; `other` must be a part of this.
        """
        n = np.maximum(self.n - other.n, 0.0)
        left = (n > 0)[..., None]
        safe = np.where(n > 0, n, 1.0)[..., None]
        away = other.mean - self.mean
        mean = np.where(left, self.mean - other.n[..., None] / safe * away, 0.0)
        between = (other.n * self.n / safe[..., 0])[..., None, None] * (
            away[..., :, None] * away[..., None, :]
        )
        comoment = np.where((n > 1)[..., None, None], self.comoment - other.comoment - between, 0.0)
        # What is left of a variance may be rounding below zero.
        index = np.arange(self.k)
        comoment[..., index, index] = np.maximum(comoment[..., index, index], 0.0)
        return Moments(n, mean, comoment)

    def linear(self, weights: ArrayLike) -> Moments:
        """Moments of linear combinations of the columns.

        Args:
            weights: (m, k); row i makes the new column i.
        """
        w = np.atleast_2d(np.asarray(weights, dtype=np.float64))
        return Moments(
            self.n,
            np.einsum("mk,...k->...m", w, self.mean),
            np.einsum("ik,...kl,jl->...ij", w, self.comoment, w),
        )

    def covariance(self) -> FloatArray:
        """(..., k, k) unbiased covariances of the rows; 0 where there are fewer than two."""
        return np.asarray(self.comoment / np.where(self.n > 1, self.n - 1, np.inf)[..., None, None])
