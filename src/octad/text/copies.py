"""Near copies: texts that were pasted, padded or lightly changed and posted again.

Each text's set of short pieces (eight Chinese letters, or twenty others) is sketched by twelve
minimum hashes (Broder 1997), and two texts are taken for copies when two hashes in a row agree:
at a Jaccard similarity of 0.8 that happens nearly always, at 0.3 four times in ten; unrelated
texts share no pieces of that length. It all runs on one array of letters, without a loop over
pieces.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from octad.text.letters import Letters, between, chunks, table
from octad.text.store import Texts, every_own_words

__all__ = ["MIN_LETTERS", "near_copies"]

MIN_LETTERS = 20
"""Shorter Chinese texts are often the same by chance; in other letters it takes twice as many."""

_PIECES = {True: 8, False: 20}
_HASHES = 12
_READ = 600
_DENSE = between(("\u3040", "\u30ff"), ("\u3400", "\u9fff"), ("\uac00", "\ud7af"))
_BASE = 0x9E3779B97F4A7C15
_SEEDS = np.random.default_rng(8).integers(1, 2**63, size=_HASHES, dtype=np.uint64) | np.uint64(1)

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]
HashArray = NDArray[np.uint64]


@cache
def _alnum() -> BoolArray:
    return table(str.isalnum)


def _rolled(codes: NDArray[np.uint32], piece: int) -> HashArray:
    """Hash every run of `piece` letters: a polynomial, its powers doubled rather than stepped."""
    one = codes.astype(np.uint64) * np.uint64(_BASE)
    one ^= one >> np.uint64(32)
    runs, size = {1: one}, 1
    while 2 * size <= piece:
        half = runs[size]
        power = np.uint64(pow(_BASE, size, 2**64))
        runs[2 * size] = half[:-size] * power + half[size:]
        size *= 2
    hashed, done = runs[size], size
    for more in (size >> k for k in range(1, size.bit_length())):
        if done + more <= piece:
            n = len(codes) - done - more + 1
            power = np.uint64(pow(_BASE, more, 2**64))
            hashed = hashed[:n] * power + runs[more][done : done + n]
            done += more
    return hashed


def _sketch(page: Letters, piece: int) -> HashArray:
    """(len(page), 12) minimum hashes of texts that are each longer than a piece."""
    hashed = _rolled(page.codes, piece)
    pieces = page.lengths() - piece + 1
    # Pieces that run from one text into the next are left out.
    whole = np.ones(len(page.codes), dtype=bool)
    whole[(page.starts[1:, None] - np.arange(1, piece)).ravel()] = False
    hashed = hashed[whole[: len(hashed)]]
    starts = np.cumsum(pieces) - pieces
    sketch = np.empty((len(page), _HASHES), dtype=np.uint64)
    mixed = np.empty_like(hashed)
    for k, seed in enumerate(_SEEDS):
        np.multiply(hashed, seed, out=mixed)
        sketch[:, k] = np.minimum.reduceat(mixed, starts)
    return sketch


def _squeezed(texts: NDArray[np.object_]) -> Iterator[tuple[IntArray, Letters, BoolArray]]:
    """Yield row numbers of texts, their letters and digits alone, and which texts are dense."""
    for part in chunks(len(texts)):
        page = Letters.of([text[:_READ].lower() for text in texts[part]])
        page = page.keep(_alnum()[page.codes])
        yield np.arange(part.start, part.stop), page, page.count(_DENSE[page.codes]) > 0


def near_copies(texts: Texts) -> IntArray:
    """Group texts that are near copies of one another.

    Args:
        texts: (N,) documents; the first 600 letters of each count, spaces and signs aside.

    Returns:
        (N,) number of the group, from 0; -1 for a text that has no copy, or is too short to tell.

    >>> praise = "This is the best wallet that I have ever had on any phone"
    >>> near_copies([praise, "Crashes when I scan a code at the till", praise + "!!!"]).tolist()
    [0, -1, 0]
    """
    rows: dict[bool, list[IntArray]] = {dense: [] for dense in _PIECES}
    sketches: dict[bool, list[HashArray]] = {dense: [] for dense in _PIECES}
    for numbers, page, dense in _squeezed(every_own_words(texts).texts):
        for kind, piece in _PIECES.items():
            long = (page.lengths() >= (1 if kind else 2) * MIN_LETTERS) & (dense == kind)
            if long.any():
                rows[kind].append(numbers[long])
                sketches[kind].append(_sketch(page.take(long), piece))
    group = np.full(len(texts), -1, dtype=np.int64)
    groups = 0
    for kind in _PIECES:
        if not rows[kind]:
            continue
        label = _linked(np.concatenate(sketches[kind]))
        often = np.bincount(label)[label] >= 2
        if often.any():
            found, numbers = np.unique(label[often], return_inverse=True)
            group[np.concatenate(rows[kind])[often]] = numbers + groups
            groups += len(found)
    return group


def _linked(sketch: HashArray) -> IntArray:
    """Label the texts that are joined through any band of two equal hashes."""
    n = len(sketch)
    left, right = [], []
    for k in range(0, _HASHES, 2):
        pair = sketch[:, k] * np.uint64(_BASE) ^ sketch[:, k + 1]
        order = np.argsort(pair, kind="stable")
        same = np.flatnonzero(pair[order[1:]] == pair[order[:-1]])
        left.append(order[same])
        right.append(order[same + 1])
    one, two = np.concatenate(left), np.concatenate(right)
    edges = sparse.coo_matrix((np.ones(len(one), dtype=np.int8), (one, two)), (n, n))
    return np.asarray(connected_components(edges, directed=False)[1], dtype=np.int64)
