"""From rows of users and days to what is drawn by day: activity, levels, and both by bucket."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from octad.data.clock import DAY
from octad.data.population import BUCKETS, Population
from octad.model.inputs import Daily, Retention
from octad.stats.moments import Moments

__all__ = ["DayRows", "Days"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class DayRows:
    """A metric's numbers on days since exposure; users and days without a row have 0.

    Attributes:
        uid: (rows,) users, each with one row a day at most.
        day: (rows,) from 0.
        y: (rows,) the numerator; `d` (rows,) the denominator, None where it is 1.
    """

    uid: IntArray
    day: IntArray
    y: FloatArray
    d: FloatArray | None = None


@dataclass(frozen=True, slots=True)
class Days:
    """The days since exposure that users were observed to the end.

    Attributes:
        seen: (n,) such days of each user.
        count: The most of any user; days run from 0 to `count` - 1.
    """

    population: Population
    seen: IntArray
    count: int

    @classmethod
    def of(cls, population: Population) -> Days:
        """As far as the frame reaches."""
        seen = (population.frame.until - population.exposed) // DAY
        return cls(population, seen, int(seen.max(initial=0)))

    @property
    def numbers(self) -> IntArray:
        """(D,) the days."""
        return np.arange(self.count)

    def observed(self) -> IntArray:
        """(A, B, D) users observed to the end of each day."""
        p = self.population
        size = len(p.arms) * BUCKETS
        cell = (p.arm * BUCKETS + p.bucket) * (self.count + 1) + self.seen
        counts = np.bincount(cell, minlength=size * (self.count + 1))
        grid = counts.reshape(len(p.arms), BUCKETS, self.count + 1)
        return np.ascontiguousarray(grid[..., ::-1].cumsum(axis=2)[..., ::-1][..., 1:])

    def retention(self, active: NDArray[np.bool_], query: str | None) -> Retention:
        """Active users of those observed.

        Args:
            active: (days, n) whether each user did anything on each day from 0.
            query: Digest of what made it.
        """
        p, observed = self.population, self.observed()
        size = len(p.arms) * BUCKETS
        cell = p.arm * BUCKETS + p.bucket
        grid = np.zeros((self.count, size), dtype=np.int64)
        for day in range(min(self.count, len(active))):
            grid[day] = np.bincount(cell[active[day] & (self.seen > day)], minlength=size)
        there = np.ascontiguousarray(grid.T).reshape(observed.shape)
        return Retention(
            days=self.numbers,
            active=there.sum(axis=1),
            observed=observed.sum(axis=1),
            by_bucket=np.stack([there, observed], axis=-1),
            query=query,
        )

    def daily(self, metric: str, rows: DayRows, query: str | None) -> Daily:
        """A metric's level on every day, over users observed to its end."""
        p, arms = self.population, len(self.population.arms)
        whole = rows.day < self.seen[rows.uid]
        uid, day, y = rows.uid[whole], rows.day[whole], rows.y[whole]
        d = None if rows.d is None else rows.d[whole]
        observed = self.observed()
        columns = y[:, None] if d is None else np.stack([y, d], axis=1)
        present = Moments.from_rows(columns, p.arm[uid] * self.count + day, arms * self.count)
        shape = (arms, self.count)
        k = columns.shape[1]
        there = Moments(
            present.n.reshape(shape),
            present.mean.reshape(*shape, k),
            present.comoment.reshape(*shape, k, k),
        )
        nought = Moments.empty(shape, k)
        rest = Moments(observed.sum(axis=1) - there.n, nought.mean, nought.comoment)
        sums = [observed, self._grid(uid, day, y)]
        sums.append(observed if d is None else self._grid(uid, day, d))
        return Daily(
            metric=metric,
            days=self.numbers,
            moments=_widened(there + rest),
            by_bucket=np.stack(sums, axis=-1).astype(np.float64),
            query=query,
        )

    def halves(self, rows: DayRows, spans: tuple[tuple[int, int], tuple[int, int]]) -> Moments:
        """A user's mean per day in two spans of days, by arm, of those observed through both.

        Args:
            rows: The metric's numbers on days.
            spans: Each (first day, last day), last excluded.
        """
        p = self.population
        means = []
        for first, last in spans:
            inside = (rows.day >= first) & (rows.day < last)
            total = np.bincount(rows.uid[inside], rows.y[inside], len(p.arm))
            means.append(total / (last - first))
        whole = self.seen >= spans[1][1]
        return Moments.from_rows(np.stack(means, axis=1)[whole], p.arm[whole], len(p.arms))

    def _grid(self, uid: IntArray, day: IntArray, weights: FloatArray | None) -> FloatArray:
        p = self.population
        cell = (p.arm[uid] * BUCKETS + p.bucket[uid]) * self.count + day
        size = len(p.arms) * BUCKETS * self.count
        counted = np.bincount(cell, weights, minlength=size)
        return counted.reshape(len(p.arms), BUCKETS, self.count).astype(np.float64)


def _widened(some: Moments) -> Moments:
    """With the columns that are not there: a denominator of 1, and no pre-period."""
    k = some.k
    mean = np.zeros((*some.shape, 4))
    mean[..., :k] = some.mean
    mean[..., k:] = [1.0, 0.0, 1.0][k - 1 :]
    comoment = np.zeros((*some.shape, 4, 4))
    comoment[..., :k, :k] = some.comoment
    return Moments(some.n, mean, comoment)
