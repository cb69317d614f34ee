"""Sums by slice, arm and bucket: users are put in order once, and then counted metric by metric.

Measured for a million users in 400 slices, 2 arms and 512 buckets, one metric: 14 weighted counts
of every user, slice by slice of attributes, take 2.1 s. Three things bring that down to 0.1 s.
Users lie in the order of their cells, so that a count writes where it wrote before. Users who
never did it add nothing but their number, which is the same for every metric of a window. And
whole numbers that are small enough are counted several at a time, side by side in the 52 bits of
one double; their sums are exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from octad.data.population import BUCKETS
from octad.data.segments import Slices
from octad.model.inputs import Slice
from octad.stats.moments import Moments

__all__ = ["Grouping"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_BITS = 52
_CANCELS = 1e-6
"""Below this share of the raw squares, what is left of them has lost six digits and more."""


@dataclass(frozen=True, slots=True)
class _Group:
    """Slices that have no user in common, with neighbouring numbers.

    Attributes:
        first: The number of the first slice; `size` how many there are.
        number: Each user's slice, from 0, or `size` for none.
        rows: Whose: places in `Grouping.order`; everyone's when None.
    """

    first: int
    size: int
    number: NDArray[np.int16]
    rows: IntArray | None = None


@dataclass(frozen=True, slots=True)
class Grouping:
    """Users in the order of their cells, and the slices they are in.

    Attributes:
        slices: Length S, everyone first.
        arms: How many arms; `cells` is arms times buckets.
        order: (n,) users by cell; `cell` (n,) int32 the cells in that order.
        searched: As in `Slices`.
    """

    slices: tuple[Slice, ...]
    arms: int
    order: IntArray
    cell: NDArray[np.int32]
    groups: tuple[_Group, ...]
    searched: int = 0
    counted: dict[bytes, FloatArray] = field(default_factory=dict)

    @classmethod
    def of(
        cls, arm: IntArray, bucket: IntArray, arms: int, slices: Slices | None = None
    ) -> Grouping:
        """Put users in order.

        Args:
            arm: (n,) codes.
            bucket: (n,) buckets.
            arms: How many arms there are.
            slices: Everyone alone when absent.
        """
        cell = (arm * BUCKETS + bucket).astype(np.int32)
        order = np.argsort(cell, kind="stable")
        if slices is None:
            groups = [_Group(0, 1, np.zeros(len(arm), dtype=np.int16))]
            return cls((Slice(),), arms, order, cell[order], tuple(groups))
        place = np.empty(len(arm), dtype=np.int64)
        place[order] = np.arange(len(arm))
        groups = [g for c in slices.combos if (g := _of_combo(c, order)) is not None]
        groups += _of_deep(slices, place)
        return cls(slices.slices, arms, order, cell[order], tuple(groups), slices.searched)

    @property
    def cells(self) -> int:
        """Arms times buckets."""
        return self.arms * BUCKETS

    def moments(self, columns: Sequence[FloatArray], counted: NDArray[np.bool_]) -> Moments:
        """Means and second moments by slice, arm and bucket.

        Args:
            columns: k columns, (n,) each.
            counted: (n,) users who are counted at all.

        Raises:
            ValueError: When values are not finite, or too large to square.
        """
        n = self._users(counted)
        lead = (len(self.slices), self.arms, BUCKETS)
        k = len(columns)
        # The planes that nothing is written to take no memory, so they lie apart.
        mean, comoment = np.zeros((k, *lead)), np.zeros((k, k, *lead))
        varied = [i for i, column in enumerate(columns) if not _constant(column)]
        for i in set(range(k)) - set(varied):
            if len(columns[i]) and columns[i][0]:
                np.copyto(mean[i], columns[i][0], where=n > 0)
        found = self._sums([columns[i] for i in varied], counted)
        if found is None or not _filled(n, found, varied, mean, comoment):
            return self._carefully(columns, counted)
        return Moments(n, np.moveaxis(mean, 0, -1), np.moveaxis(comoment, (0, 1), (-2, -1)))

    def _users(self, counted: NDArray[np.bool_]) -> FloatArray:
        """(S, A, B) users; the same for all metrics of a window, so counted once."""
        key = np.packbits(counted).tobytes()
        if key not in self.counted:
            rows = np.flatnonzero(counted[self.order])
            found = self._counts(rows, [None])[0]
            self.counted[key] = found.reshape(len(self.slices), self.arms, BUCKETS)
        return self.counted[key]

    def _sums(
        self, columns: list[FloatArray], counted: NDArray[np.bool_]
    ) -> dict[tuple[int, ...], FloatArray] | None:
        """Sums of the columns and of their products, by place: (S, A, B).

        Returns:
            None when a value or a square of one is not finite.
        """
        if not columns:
            return {}
        some = counted & np.any([column != 0 for column in columns], axis=0)
        rows = np.flatnonzero(some[self.order])
        held = [column[self.order] for column in columns]
        terms: dict[tuple[int, ...], FloatArray] = {(i,): c for i, c in enumerate(held)}
        same: dict[tuple[int, ...], tuple[int, ...]] = {}
        with np.errstate(over="ignore", invalid="ignore"):
            for i, one in enumerate(held):
                for j, two in enumerate(held[i:], start=i):
                    if i == j and ((one == 0) | (one == 1)).all():
                        same[i, j] = (i,)
                    else:
                        terms[i, j] = one * two
        if not all(np.isfinite(term[rows]).all() for term in terms.values()):
            return None
        sums = self._packed(rows, terms)
        sums |= {pair: sums[alike] for pair, alike in same.items()}
        shape = (len(self.slices), self.arms, BUCKETS)
        return {key: found.reshape(shape) for key, found in sums.items()}

    def _packed(
        self, rows: IntArray, terms: dict[tuple[int, ...], FloatArray]
    ) -> dict[tuple[int, ...], FloatArray]:
        """Sum terms up, several at a time where they are small whole numbers."""
        packs: list[list[tuple[tuple[int, ...], int]]] = []
        room = 0
        for key, term in terms.items():
            width = self._width(term[rows], rows)
            if packs and width <= room:
                packs[-1].append((key, _BITS - room))
                room -= width
            else:
                packs.append([(key, 0)])
                room = _BITS - width
        weights = [sum(terms[key] * float(1 << offset) for key, offset in pack) for pack in packs]
        found = self._counts(rows, [np.asarray(weight) for weight in weights])
        out: dict[tuple[int, ...], FloatArray] = {}
        for pack, total in zip(packs, found, strict=True):
            if len(pack) == 1:
                out[pack[0][0]] = total
                continue
            whole = total.astype(np.int64)
            ends = [offset for _, offset in pack[1:]] + [_BITS]
            for (key, offset), end in zip(pack, ends, strict=True):
                out[key] = ((whole >> offset) & ((1 << (end - offset)) - 1)).astype(np.float64)
        return out

    def _width(self, term: FloatArray, rows: IntArray) -> int:
        """Bits that the sum of a term takes in any cell; all of them unless it is whole."""
        if not len(term) or term.min() < 0 or (term != np.floor(term)).any():
            return _BITS
        most = np.bincount(self.cell[rows], term, self.cells).max()
        return min(_BITS, int(most).bit_length() + 1) if most < 1 << _BITS else _BITS

    def _counts(self, rows: IntArray, weights: Sequence[FloatArray | None]) -> list[FloatArray]:
        """(S, cells) sums of each weight over some users, places in `order`."""
        out = [np.zeros((len(self.slices), self.cells)) for _ in weights]
        cell = self.cell[rows]
        near = [None if w is None else w[rows] for w in weights]
        inside = np.zeros(len(self.order), dtype=bool)
        inside[rows] = True
        for group in self.groups:
            if group.rows is None:
                number, where, terms = group.number[rows], cell, near
            else:
                mine = inside[group.rows]
                who = group.rows[mine]
                number, where = group.number[mine], self.cell[who]
                terms = [None if w is None else w[who] for w in weights]
            width = group.size + 1
            code = (where * np.int32(width) + number).astype(np.intp)
            span = slice(group.first, group.first + group.size)
            for into, term in zip(out, terms, strict=True):
                total = np.bincount(code, term, self.cells * width).reshape(self.cells, width)
                into[span] = total[:, : group.size].T
        return out

    def _carefully(self, columns: Sequence[FloatArray], counted: NDArray[np.bool_]) -> Moments:
        """By two passes over every user, for values that are large beside their spread."""
        k, size = len(columns), len(self.slices) * self.cells
        n, mean, comoment = np.zeros(size), np.zeros((size, k)), np.zeros((size, k, k))
        held = np.stack(columns, axis=1)[self.order]
        there = counted[self.order]
        for group in self.groups:
            who = np.arange(len(self.order)) if group.rows is None else group.rows
            mine = there[who] & (group.number < group.size)
            who = who[mine]
            code = group.number[mine].astype(np.int64) * self.cells + self.cell[who]
            part = Moments.from_rows(held[who], code, group.size * self.cells)
            span = slice(group.first * self.cells, (group.first + group.size) * self.cells)
            n[span], mean[span], comoment[span] = part.n, part.mean, part.comoment
        shape = (len(self.slices), self.arms, BUCKETS)
        return Moments(n.reshape(shape), mean.reshape(*shape, k), comoment.reshape(*shape, k, k))


def _of_combo(combo: NDArray[np.int16], order: IntArray) -> _Group | None:
    inside = combo >= 0
    if not inside.any():
        return None
    first, last = int(combo[inside].min()), int(combo.max()) + 1
    number = np.where(inside, combo - first, last - first).astype(np.int16)
    return _Group(first, last - first, number[order])


def _of_deep(slices: Slices, place: IntArray) -> Iterator[_Group]:
    """Slices that no combination of two attributes holds, one by one."""
    first = len(slices.slices) - len(slices.deep)
    for i, who in enumerate(slices.deep):
        rows = np.sort(place[who])
        yield _Group(first + i, 1, np.zeros(len(rows), dtype=np.int16), rows)


def _constant(column: FloatArray) -> bool:
    return not len(column) or bool((column == column[0]).all())


def _filled(
    n: FloatArray,
    sums: dict[tuple[int, ...], FloatArray],
    varied: list[int],
    mean: FloatArray,
    comoment: FloatArray,
) -> bool:
    """Write means and second moments, unless raw squares cancel in some slice and arm."""
    safe = np.where(n > 0, n, 1.0)
    for key, total in sums.items():
        if len(key) == 1:
            mean[varied[key[0]]] = total / safe
            continue
        i, j = key
        one, two = sums[i,], sums[j,]
        rest = total - one * two / safe
        if i == j:
            np.maximum(rest, 0.0, out=rest)
            if _cancels(n.sum(axis=-1), one.sum(axis=-1), total.sum(axis=-1)):
                return False
        comoment[varied[i], varied[j]] = comoment[varied[j], varied[i]] = rest
    return True


def _cancels(n: FloatArray, total: FloatArray, squares: FloatArray) -> bool:
    """Whether too little is left of the raw squares in some slice and arm.

    Of a single user nothing can be left, and of small whole numbers nothing is lost.
    """
    left = squares - total * total / np.where(n > 0, n, 1.0)
    exact = (squares == np.floor(squares)) & (squares < float(1 << _BITS)) & (left == 0)
    return bool(((n > 1) & (squares > 0) & (left < _CANCELS * squares) & ~exact).any())
