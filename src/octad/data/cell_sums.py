"""Sums by arm and bucket, and by slice: users are put in order once, then counted by metric.

Sums of squares are taken raw, which is fast, and turned into second moments about the mean. Where
values are large beside their spread too few digits would be left; that is noticed, and those
metrics are counted again in two passes. Small whole numbers are counted two at a time, side by
side in the 52 bits of one double; their sums are exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from octad.data.cell_terms import BITS, Terms, terms_of, width
from octad.data.population import BUCKETS
from octad.data.segments import Slices, cross
from octad.data.slice_sums import SliceSums
from octad.model.inputs import Slice
from octad.stats.moments import Moments
from octad.stats.parts import Parts

__all__ = ["Grouping"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

_CANCELS = 1e-6
"""Below this share of the raw squares, what is left of them has lost six digits and more."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """Users in the order of arm, half and bucket, and the slices they are in.

    Attributes:
        slices: Length S, everyone first.
        arms: How many arms.
        order: (n,) users; `cell` (n,) their arm and bucket, `half` (n,) their arm and half.
        starts: (cells,) where each arm and bucket begins in it; `there` (cells,) which those are.
        finding: (B,) the buckets on which harm is looked for.
        searched: As in `Slices`.
        made: The slices, for going back to users one by one; `sums` for adding them up.
    """

    slices: tuple[Slice, ...]
    arms: int
    order: IntArray
    cell: IntArray
    half: IntArray
    starts: IntArray
    there: IntArray
    finding: BoolArray
    searched: int = 0
    made: Slices | None = None
    sums: SliceSums | None = None
    counted: dict[bytes, tuple[FloatArray, FloatArray]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        arm: IntArray,
        bucket: IntArray,
        arms: int,
        slices: Slices | None = None,
        finding: BoolArray | None = None,
    ) -> Grouping:
        """Put users in order.

        Args:
            arm: (n,) codes.
            bucket: (n,) buckets.
            arms: How many arms there are.
            slices: Everyone alone when absent.
            finding: (B,) the buckets on which harm is looked for; it is looked for in slices only.
        """
        early = np.zeros(BUCKETS, dtype=bool) if finding is None else finding
        half = arm * 2 + ~early[bucket]
        cell = arm * BUCKETS + bucket
        # Numbers of 16 bits are sorted by their digits, in a fifth of the time.
        small = np.uint16 if 2 * arms * BUCKETS < 1 << 16 else np.int32
        order = np.argsort((half * BUCKETS + bucket).astype(small), kind="stable")
        half, cell = half[order], cell[order]
        starts = np.flatnonzero(np.concatenate([[True], cell[1:] != cell[:-1]])[: len(cell)])
        place = order, cell, half, starts, cell[starts]
        if slices is None or len(slices.slices) == 1:
            searched = 0 if slices is None else slices.searched
            return cls((Slice(),), arms, *place, early, searched)
        sums = SliceSums.of(slices, order, cell, half, (arms, BUCKETS))
        return cls(slices.slices, arms, *place, early, slices.searched, slices, sums)

    def moments(
        self, columns: Sequence[FloatArray], counted: BoolArray
    ) -> tuple[Moments, Parts | None]:
        """Moments of everyone by arm and bucket, (1, A, B), and of the slices, if there are any.

        Args:
            columns: k columns, (n,) each.
            counted: (n,) users who are counted at all.

        Raises:
            ValueError: When values are not finite, or too large to square.
        """
        terms = terms_of(columns, counted, self.order)
        if not terms.finite:
            return self._carefully(columns, counted)
        one, users = self._users(counted)
        cell = None if terms.rows is None else self.cell[terms.rows]
        totals = [self._summed(column, cell) for column in terms.columns]
        products = {pair: self._summed(term, cell) for pair, term in terms.products.items()}
        everyone = _moments(columns, terms, one, totals, products)
        parts = None
        if self.sums is not None and everyone is not None:
            sums = self.sums if terms.rows is None else self.sums.some(terms.rows)
            parts = self._parts(sums, columns, terms, users, totals, products)
        if everyone is None or (self.sums is not None and parts is None):
            return self._carefully(columns, counted)
        return everyone[None], parts

    def _users(self, counted: BoolArray) -> tuple[FloatArray, FloatArray]:
        """(A, B) users, and by slice (S, A, B); the same for all metrics of a window."""
        key = np.packbits(counted).tobytes()
        if key not in self.counted:
            there = counted[self.order].astype(np.float64)
            one = self._summed(there)
            every: FloatArray = one[None]
            if self.sums is not None:
                every = self._filled(self.sums.by_bucket(there), one)
            self.counted[key] = one, every
        return self.counted[key]

    def _filled(self, slices: FloatArray, everyone: FloatArray) -> FloatArray:
        """(S, A, B), everyone first."""
        shaped = slices.reshape(len(self.slices), self.arms, BUCKETS)
        shaped[0] = everyone
        return shaped

    def _summed(self, column: FloatArray, cell: IntArray | None = None) -> FloatArray:
        """(A, B) sums of a column.

        Args:
            column: In order, of everybody, or of some.
            cell: Arm and bucket of those; None for everybody.
        """
        size = self.arms * BUCKETS
        if cell is not None:
            out = np.asarray(np.bincount(cell, column, size), dtype=np.float64)
        else:
            out = np.zeros(size)
            if len(self.starts):
                out[self.there] = np.add.reduceat(column, self.starts)
        return out.reshape(self.arms, BUCKETS)

    def _parts(
        self,
        sums: SliceSums,
        columns: Sequence[FloatArray],
        terms: Terms,
        users: FloatArray,
        everyone: list[FloatArray],
        squares: dict[tuple[int, int], FloatArray],
    ) -> Parts | None:
        """The slices; None when raw squares cancel in one of them.

        Args:
            sums: Adds up.
            columns: As they were given.
            terms: Those that vary, and their products.
            users: (S, A, B).
            everyone: (A, B) sums of the columns that vary.
            squares: (A, B) sums of the products.
        """
        totals = self._by_bucket(sums, terms, everyone)
        ends = [self._halved(total) for total in totals]
        products = {}
        if terms.products:
            rows = sums.by_half(list(terms.products.values()))
            for row, (pair, whole) in zip(rows, squares.items(), strict=True):
                row[0] = self._halved(whole[None])[0]
                products[pair] = row
        halves = _moments(columns, terms, self._halved(users), ends, products)
        if halves is None:
            return None
        return Parts(halves, users, self._whole(columns, terms, totals, users), self.finding)

    def _whole(
        self,
        columns: Sequence[FloatArray],
        terms: Terms,
        totals: list[FloatArray],
        users: FloatArray,
    ) -> tuple[FloatArray, ...]:
        """(S, A, B) sums of every column; of those that are the same for all, users times that."""
        found = dict(zip(terms.varied, totals, strict=True))
        nothing = np.broadcast_to(np.zeros(()), users.shape)
        for i, column in enumerate(columns):
            if i not in found:
                value = float(column[0]) if len(column) else 0.0
                found[i] = users if value == 1 else users * value if value else nothing
        return tuple(found[i] for i in range(len(columns)))

    def _by_bucket(
        self, sums: SliceSums, terms: Terms, everyone: list[FloatArray]
    ) -> list[FloatArray]:
        """(S, A, B) sums of the columns that vary; two at a time where they are small and whole."""
        widths = [width(c, t) for c, t in zip(terms.columns, everyone, strict=True)]
        found: list[FloatArray] = []
        for i, (column, bits) in enumerate(zip(terms.columns, widths, strict=True)):
            if len(found) > i:
                continue
            if i + 1 < len(widths) and bits + widths[i + 1] <= BITS:
                both = sums.by_bucket(column + terms.columns[i + 1] * float(1 << bits))
                packed = both.astype(np.int64)
                found.append((packed & ((1 << bits) - 1)).astype(np.float64))
                found.append((packed >> bits).astype(np.float64))
            else:
                found.append(sums.by_bucket(column))
        return [self._filled(s, own) for s, own in zip(found, everyone, strict=True)]

    def _halved(self, sums: FloatArray) -> FloatArray:
        """(S, A, 2) of (S, A, B)."""
        return sums @ np.stack([self.finding, ~self.finding], axis=1).astype(np.float64)

    def _carefully(
        self, columns: Sequence[FloatArray], counted: BoolArray
    ) -> tuple[Moments, Parts | None]:
        """By two passes over every user, for values that are large beside their spread."""
        k, size = len(columns), self.arms * BUCKETS
        there = np.flatnonzero(counted[self.order])
        rows = np.stack([column[self.order][there] for column in columns], axis=1)
        flat = Moments.from_rows(rows, self.cell[there], size)
        shape = (1, self.arms, BUCKETS)
        everyone = Moments(
            flat.n.reshape(shape), flat.mean.reshape(*shape, k), flat.comoment.reshape(*shape, k, k)
        )
        if self.sums is None or self.made is None:
            return everyone, None
        _, users = self._users(counted)
        sums = []
        for column in columns:
            own = np.where(counted, column, 0.0)[self.order]
            sums.append(self._filled(self.sums.by_bucket(own), self._summed(own)))
        halves = Moments.empty((len(self.slices), self.arms * 2), k)
        for first, number, who in self._members(self.made, there):
            groups = int(number.max(initial=-1)) + 1
            code = number * self.arms * 2 + self.half[there[who]]
            part = Moments.from_rows(rows[who], code, groups * self.arms * 2)
            span = slice(first, first + groups)
            halves.n[span] = part.n.reshape(groups, -1)
            halves.mean[span] = part.mean.reshape(groups, -1, k)
            halves.comoment[span] = part.comoment.reshape(groups, -1, k, k)
        shape = (len(self.slices), self.arms, 2)
        shaped = Moments(
            halves.n.reshape(shape),
            halves.mean.reshape(*shape, k),
            halves.comoment.reshape(*shape, k, k),
        )
        return everyone, Parts(shaped, users, tuple(sums), self.finding)

    def _members(self, slices: Slices, there: IntArray) -> Iterator[tuple[int, IntArray, IntArray]]:
        """Slices without a user in common: the first's number, users' numbers from it, and whose.

        Args:
            slices: All of them.
            there: Places in the order; users are given as places in this.
        """
        yield 0, np.zeros(len(there), dtype=np.int64), np.arange(len(there))
        for group, number in slices.numbers:
            mine = number[cross(group)][self.order][there]
            inside = np.flatnonzero(mine >= 0)
            first = int(number[number >= 0].min())
            yield first, mine[inside] - first, inside
        place = np.full(len(self.order), -1, dtype=np.int64)
        place[self.order[there]] = np.arange(len(there))
        first = len(slices.slices) - len(slices.deep)
        for i, who in enumerate(slices.deep):
            inside = place[who]
            inside = inside[inside >= 0]
            yield first + i, np.zeros(len(inside), dtype=np.int64), inside


def _moments(
    columns: Sequence[FloatArray],
    terms: Terms,
    n: FloatArray,
    totals: Sequence[FloatArray],
    products: dict[tuple[int, int], FloatArray],
) -> Moments | None:
    """Means and second moments from sums; None when raw squares cancel.

    Args:
        columns: As they were given.
        terms: Those that vary.
        n: (..., A, cells) users.
        totals: The sums of the columns that vary, each (..., A, cells).
        products: Those of products, likewise.
    """
    k = len(columns)
    mean, comoment = np.zeros((*n.shape, k)), np.zeros((*n.shape, k, k))
    for i, column in enumerate(columns):
        if i not in terms.varied and len(column) and column[0]:
            mean[..., i] = np.where(n > 0, column[0], 0.0)
    if not _fill(n, totals, products, terms, mean, comoment):
        return None
    return Moments(n, mean, comoment)


def _fill(
    n: FloatArray,
    totals: Sequence[FloatArray],
    products: dict[tuple[int, int], FloatArray],
    terms: Terms,
    mean: FloatArray,
    comoment: FloatArray,
) -> bool:
    """Write means and second moments, unless raw squares cancel.

    Args:
        n: (..., A, cells) users.
        totals: The sums of the columns that vary, each (..., A, cells).
        products: Those of products, likewise.
        terms: Which those are.
        mean: (..., A, cells, k) to be written.
        comoment: (..., A, cells, k, k) to be written.
    """
    safe = np.where(n > 0, n, 1.0)
    for i, total in enumerate(totals):
        mean[..., terms.varied[i]] = total / safe
    every = products | {pair: totals[i] for pair, i in terms.alike.items()}
    for (i, j), raw in every.items():
        one, two = totals[i], totals[j]
        rest = raw - one * two / safe
        if i == j:
            np.maximum(rest, 0.0, out=rest)
            if _cancels(n.sum(axis=-1), one.sum(axis=-1), raw.sum(axis=-1)):
                return False
        a, b = terms.varied[i], terms.varied[j]
        comoment[..., a, b] = comoment[..., b, a] = rest
    return True


def _cancels(n: FloatArray, total: FloatArray, squares: FloatArray) -> bool:
    """Whether too little is left of the raw squares in some slice and arm.

    Of a single user nothing can be left, and of small whole numbers nothing is lost.
    """
    left = squares - total * total / np.where(n > 0, n, 1.0)
    exact = (squares == np.floor(squares)) & (squares < float(1 << BITS)) & (left == 0)
    return bool(((n > 1) & (squares > 0) & (left < _CANCELS * squares) & ~exact).any())
