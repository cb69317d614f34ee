"""Sums of users' numbers by slice and bucket, and by slice and half, many slices at once.

A user is in one slice of every attribute and of every pair of them: fifty-six for ten attributes.
Counted slice by slice, a million users and forty metrics take a quarter of a minute. Three things
make it a second or two:

- **Blocks.** The table over the values of three attributes holds those of their three pairs, so a
  few blocks of attributes cover all pairs, and what the slices hold comes of the blocks' tables.
- **One sparse product.** A matrix with a 1 for each user and block, times the users' numbers, adds
  all blocks up in one pass over the users. It is made once, for all metrics.
- **Chunks.** Users lie in the order of arm, half and bucket; those of a few buckets are added up
  together, into tables that fit a processor's cache.

Measured for a million users, ten attributes, 400 slices, 2 arms and 512 buckets, in time of one
busy processor: 19 ms for one column by bucket, 6 ms for one product by half; bincount, attribute
by attribute, takes 300 ms for either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from octad.data.segments import Group, Slices, cross, sizes_of
from octad.data.turns import in_turn

__all__ = ["SliceSums"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_ROOM = 160
"""Cells of a block of attributes whose sums are kept by bucket."""
_WIDE = 1 << 12
"""The same, where they are kept by half."""
_CHUNKS = 32
"""So many, and no fewer than one for each arm and half."""


@dataclass(frozen=True, slots=True, eq=False)
class _Chunk:
    """Users of a few neighbouring buckets of one arm and half.

    Attributes:
        rows: Their places in the order.
        leads: Which arms and buckets (arm times B plus bucket) they are of, (L,).
        half: Arm times two, plus one for the confirming half.
        fine: (L * narrow cells, m) which cell each user adds to; `wide` (wide cells, m) likewise.
        deep: (deep slices * L, m) likewise, for slices that no block holds.
        some: Which of those users there are numbers of; None for all. `fine` and `wide` are then
            theirs alone.
    """

    rows: slice
    leads: IntArray
    half: int
    fine: sparse.csc_array
    wide: sparse.csc_array
    deep: sparse.csr_array | None
    some: IntArray | None = None

    def deeply(self, own: FloatArray) -> FloatArray:
        """(deep slices * L, ...) sums of numbers, (m, ...), where there are any such slices."""
        assert self.deep is not None  # noqa: S101 - asked for only then
        if self.some is not None:
            every = np.zeros((self.deep.shape[1], *own.shape[1:]))
            every[self.some] = own
            own = every
        return np.asarray(self.deep @ own)


@dataclass(frozen=True, slots=True, eq=False)
class SliceSums:
    """Users in the order of arm, half and bucket, and the slices that they are in.

    Attributes:
        size: How many slices; `arms` and `buckets` how many of those.
        first_deep: The number of the first slice that no block holds.
        narrow, wide: (S, cells) which cells of the blocks make each slice.
    """

    size: int
    arms: int
    buckets: int
    first_deep: int
    chunks: tuple[_Chunk, ...]
    narrow: sparse.csr_array
    wide: sparse.csr_array

    @classmethod
    def of(
        cls,
        slices: Slices,
        order: IntArray,
        lead: IntArray,
        half: IntArray,
        shape: tuple[int, int],
    ) -> SliceSums:
        """Put users into blocks.

        Args:
            slices: Which slices there are.
            order: (n,) users by half.
            lead: (n,) their arm times B plus bucket, in that order.
            half: (n,) their arm times two, plus one for the confirming half; rising.
            shape: How many arms and buckets there are.
        """
        size = len(slices.slices)
        few, many = (_cover(slices, room) for room in (_ROOM, _WIDE))
        fine, wide = (_codes(blocks, order) for blocks in (few, many))
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        deep = [np.sort(place[who]) for who in slices.deep]
        narrow, broad = (_spread(slices, blocks) for blocks in (few, many))
        cuts = _rows(lead, half)
        most = max((rows.stop - rows.start for rows in cuts), default=0)
        blocks = _Blocks(fine, wide, narrow.shape[1], broad.shape[1], np.ones(most * fine.shape[1]))
        chunks = tuple(
            in_turn(lambda rows: _chunk(rows, lead, int(half[rows.start]), blocks, deep), cuts)
        )
        return cls(size, *shape, size - len(deep), chunks, narrow, broad)

    def some(self, rows: IntArray) -> SliceSums:
        """The same for numbers of some users alone; all others' are 0.

        Args:
            rows: Their places in the order, rising.
        """
        ends = np.searchsorted(rows, [chunk.rows.start for chunk in self.chunks])
        cuts = [*ends.tolist(), len(rows)]
        chunks = []
        for chunk, first, last in zip(self.chunks, cuts, cuts[1:], strict=False):
            own = rows[first:last] - chunk.rows.start
            fine, wide = (_some(matrix, own) for matrix in (chunk.fine, chunk.wide))
            chunks.append(replace(chunk, rows=slice(first, last), fine=fine, wide=wide, some=own))
        return replace(self, chunks=tuple(chunks))

    def by_bucket(self, column: FloatArray) -> FloatArray:
        """(S, cells) sums of a column by slice, arm and bucket; everyone's are left at 0.

        Args:
            column: (n,) in order.
        """
        cells = self.arms * self.buckets
        table = np.zeros((cells, self.narrow.shape[1]))
        deep = np.zeros((self.size - self.first_deep, cells))
        for chunk in self.chunks:
            own, width = column[chunk.rows], len(chunk.leads)
            table[chunk.leads] = (chunk.fine @ own).reshape(width, -1)
            if chunk.deep is not None:
                deep[:, chunk.leads] = chunk.deeply(own).reshape(-1, width)
        out: FloatArray = self.narrow @ np.ascontiguousarray(table.T)
        out[self.first_deep :] = deep
        return out

    def by_half(self, terms: Sequence[FloatArray]) -> FloatArray:
        """(terms, S, A, 2) sums by slice, arm and half; everyone's are left at 0.

        Args:
            terms: Each (n,) in order.
        """
        count = len(terms)
        tables = np.zeros((self.arms * 2, self.wide.shape[1], count))
        deep = np.zeros((self.arms * 2, self.size - self.first_deep, count))
        for chunk in self.chunks:
            own = np.stack([term[chunk.rows] for term in terms], axis=1)
            tables[chunk.half] += chunk.wide @ own
            if chunk.deep is not None:
                found = chunk.deeply(own).reshape(-1, len(chunk.leads), count)
                deep[chunk.half] += found.sum(axis=1)
        out = np.stack([self.wide @ table for table in tables])
        out[:, self.first_deep :] = deep
        return np.moveaxis(out, (2, 1), (0, 1)).reshape(count, self.size, self.arms, 2)


def _cover(slices: Slices, room: int) -> list[Group]:
    """Blocks of attributes, with at most so many cells each, that hold every combination.

    A combination that is larger than that is a block of its own.
    """
    groups = [group for group, _ in slices.numbers]
    every = list({id(a): a for group in groups for a in group}.values())
    left = {_key(group): group for group in sorted(groups, key=len, reverse=True)}
    blocks: list[Group] = []
    while left:
        block = next(iter(left.values()))
        while True:
            inside = {id(a) for a in block}
            best: tuple[int, Group] | None = None
            for attribute in every:
                if id(attribute) in inside:
                    continue
                wider = (*block, attribute)
                if sizes_of(wider) > room:
                    continue
                more = len(_held(wider, left))
                if best is None or more > best[0]:
                    best = more, wider
            if best is None or best[0] <= len(_held(block, left)):
                break
            block = best[1]
        blocks.append(block)
        for key in _held(block, left):
            del left[key]
    return blocks


def _key(group: Group) -> frozenset[int]:
    return frozenset(id(a) for a in group)


def _held(block: Group, left: dict[frozenset[int], Group]) -> list[frozenset[int]]:
    """Which of some combinations a block holds."""
    numbers = sorted(id(a) for a in block)
    found = (frozenset(c) for depth in (1, 2) for c in combinations(numbers, depth))
    return [key for key in found if key in left]


def _codes(blocks: Sequence[Group], order: IntArray) -> NDArray[np.int32]:
    """(n, blocks) each user's cell in every block; the blocks' cells lie one after another."""
    out = np.empty((len(order), len(blocks)), dtype=np.int32)
    first = 0
    for i, block in enumerate(blocks):
        out[:, i] = (cross(block) + first)[order]
        first += sizes_of(block)
    return out


def _spread(slices: Slices, blocks: Sequence[Group]) -> sparse.csr_array:
    """(S, cells) a 1 where a cell of a block is in a slice; each slice in one block only."""
    left = {_key(group): (group, number) for group, number in slices.numbers}
    rows, columns, first = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], 0
    for block in blocks:
        sizes = [len(a.values) for a in block]
        values = np.unravel_index(np.arange(sizes_of(block)), sizes)
        for key in _held(block, {k: g for k, (g, _) in left.items()}):
            group, number = left.pop(key)
            places = [next(i for i, own in enumerate(block) if own is a) for a in group]
            at = np.ravel_multi_index(
                tuple(values[p] for p in places), tuple(sizes[p] for p in places)
            )
            inside = np.flatnonzero(number[at] >= 0)
            rows.append(number[at][inside])
            columns.append(first + inside)
        first += sizes_of(block)
    at, where = np.concatenate(rows), np.concatenate(columns)
    shape = (len(slices.slices), first)
    return sparse.csr_array((np.ones(len(at)), (at, where)), shape=shape)


def _rows(lead: IntArray, half: IntArray) -> list[slice]:
    """The chunks: whole buckets of one arm and half."""
    if not len(lead):
        return []
    starts = np.flatnonzero(np.concatenate([[True], lead[1:] != lead[:-1]]))
    each = max(1, -(-len(starts) // _CHUNKS))
    cuts: list[int] = []
    since = 0
    for i, start in enumerate(starts.tolist()):
        if not cuts or half[start] != half[cuts[-1]] or i - since >= each:
            cuts.append(start)
            since = i
    return [slice(a, b) for a, b in zip(cuts, [*cuts[1:], len(lead)], strict=True)]


@dataclass(frozen=True, slots=True, eq=False)
class _Blocks:
    """Each user's cells, (n, blocks), how many cells there are, and ones for all matrices."""

    fine: NDArray[np.int32]
    wide: NDArray[np.int32]
    narrow_cells: int
    wide_cells: int
    ones: FloatArray


def _chunk(
    rows: slice, lead: IntArray, half: int, blocks: _Blocks, deep: Sequence[IntArray]
) -> _Chunk:
    """Make the matrices of one chunk."""
    leads, near = np.unique(lead[rows], return_inverse=True)
    users = len(near)
    offset = (near * blocks.narrow_cells).astype(np.int32)
    within = None
    if deep:
        ends = [np.searchsorted(who, (rows.start, rows.stop)) for who in deep]
        parts = [who[a:b] for who, (a, b) in zip(deep, ends, strict=True)]
        who = np.concatenate(parts) - rows.start
        number = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        code = number * len(leads) + near[who]
        shape = (len(deep) * len(leads), users)
        within = sparse.csr_array((np.ones(len(who)), (code, who)), shape=shape)
    return _Chunk(
        rows,
        leads,
        half,
        _ones(blocks.fine[rows] + offset[:, None], blocks.narrow_cells * len(leads), blocks.ones),
        _ones(blocks.wide[rows], blocks.wide_cells, blocks.ones),
        within,
    )


def _ones(codes: NDArray[np.int32], cells: int, ones: FloatArray) -> sparse.csc_array:
    """(cells, users) a 1 in each of a user's cells."""
    users, blocks = codes.shape
    starts = np.arange(users + 1, dtype=np.int32) * blocks
    return sparse.csc_array((ones[: codes.size], codes.ravel(), starts), shape=(cells, users))


def _some(matrix: sparse.csc_array, users: IntArray) -> sparse.csc_array:
    """The columns of some users; every user has a 1 in as many cells."""
    blocks = int(matrix.indptr[1]) if matrix.shape[1] else 0
    every = matrix.indices.reshape(matrix.shape[1], blocks)
    return _ones(every.take(users, axis=0), matrix.shape[0], matrix.data)
