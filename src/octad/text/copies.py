"""Near copies: texts that were pasted, padded or lightly changed and posted again.

Each text's set of short pieces (eight Chinese letters, or twenty others) is sketched by eight
minimum hashes (Broder 1997), and two texts are taken for copies when two hashes in a row agree:
at a Jaccard similarity of 0.8 that happens 98 times in 100, at 0.3 a third of the time; unrelated
texts share no pieces of that length. It all runs on one array of letters, without a loop over
pieces.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from octad.text.store import own_words

__all__ = ["MIN_LETTERS", "near_copies"]

MIN_LETTERS = 20
"""Shorter Chinese texts are often the same by chance; in other letters it takes twice as many."""

_PIECES = {True: 8, False: 20}
_HASHES = 8
_READ = 600
_HAN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_BETWEEN = re.compile(r"[\W_]+")
_CHUNK = 20_000
_BASE = np.uint64(0x9E3779B97F4A7C15)
_SEEDS = np.random.default_rng(8).integers(1, 2**63, size=_HASHES, dtype=np.uint64) | np.uint64(1)


def _sketch(texts: list[str], piece: int) -> NDArray[np.uint64]:
    """(len(texts), 8) minimum hashes of texts that are each longer than a piece."""
    letters = np.frombuffer("".join(texts).encode("utf-32-le", "replace"), dtype=np.uint32)
    lengths = np.array([len(text) for text in texts], dtype=np.int64)
    starts = np.cumsum(lengths) - lengths
    size = len(letters) - piece + 1
    rolled = np.zeros(size, dtype=np.uint64)
    for j in range(piece):
        rolled = (rolled ^ letters[j : j + size]) * _BASE
        rolled ^= rolled >> np.uint64(29)
    # Pieces that run from one text into the next must never be a minimum.
    across = (starts[1:, None] - np.arange(1, piece)).ravel()
    sketch = np.empty((len(texts), _HASHES), dtype=np.uint64)
    for k, seed in enumerate(_SEEDS):
        mixed = rolled * seed
        mixed ^= mixed >> np.uint64(32)
        mixed[across] = np.iinfo(np.uint64).max
        sketch[:, k] = np.minimum.reduceat(mixed, starts)
    return sketch


def near_copies(texts: Sequence[object] | NDArray[np.object_]) -> NDArray[np.int64]:
    """Group texts that are near copies of one another.

    Args:
        texts: (N,) documents; the first 600 letters of each count, spaces and signs aside.

    Returns:
        (N,) number of the group, from 0; -1 for a text that has no copy, or is too short to tell.

    >>> praise = "This is the best wallet that I have ever had on any phone"
    >>> near_copies([praise, "Crashes when I scan a code at the till", praise + "!!!"]).tolist()
    [0, -1, 0]
    """
    group = np.full(len(texts), -1, dtype=np.int64)
    squeezed = [_BETWEEN.sub("", own_words(text, _READ)).lower() for text in texts]
    groups = 0
    for dense, piece in _PIECES.items():
        least = MIN_LETTERS if dense else 2 * MIN_LETTERS
        rows = np.array(
            [
                i
                for i, text in enumerate(squeezed)
                if len(text) >= least and (_HAN.search(text) is not None) == dense
            ],
            dtype=np.int64,
        )
        if len(rows) < 2:
            continue
        label = _linked(
            np.concatenate(
                [
                    _sketch([squeezed[i] for i in rows[start : start + _CHUNK]], piece)
                    for start in range(0, len(rows), _CHUNK)
                ]
            )
        )
        often = np.bincount(label)[label] >= 2
        if often.any():
            found, numbers = np.unique(label[often], return_inverse=True)
            group[rows[often]] = numbers + groups
            groups += len(found)
    return group


def _linked(sketch: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Label the texts that are joined through any band of two equal hashes."""
    n, bands = len(sketch), []
    for k in range(0, _HASHES, 2):
        pair = sketch[:, k] * _BASE ^ sketch[:, k + 1]
        bands.append(np.unique(pair, return_inverse=True)[1].astype(np.int64))
    # A graph from texts to bands: texts in one component are copies.
    offset = np.cumsum([n, *(int(band.max()) + 1 for band in bands)])
    left = np.tile(np.arange(n), len(bands))
    right = np.concatenate([band + offset[i] for i, band in enumerate(bands)])
    size = int(offset[-1])
    edges = sparse.coo_matrix((np.ones(len(left), dtype=np.int8), (left, right)), (size, size))
    return np.asarray(connected_components(edges, directed=False)[1][:n], dtype=np.int64)
