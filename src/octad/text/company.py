"""Which words share documents, counted under many weightings of the documents at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

__all__ = ["company"]

_MOST_PAIRS = 4_000_000


def company(part: Any, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """How often words share a document, under each of R weightings of the documents.

    Each pair of words in a document is written down once and summed under all weightings at once,
    which costs half of as many products of tables.

    Args:
        part: (N, W) sparse, 1 where the document holds the word.
        weights: (R, N) how many such documents there are.

    Returns:
        (R, W, W) counts; the diagonal tells the documents that hold a word.

    >>> table = sparse.csr_matrix([[1, 1, 0], [0, 1, 1], [1, 1, 1]])
    >>> company(table, np.array([[1.0, 1.0, 2.0]]))[0].astype(int).tolist()
    [[3, 3, 2], [3, 4, 3], [2, 3, 3]]
    """
    rounds, size = len(weights), part.shape[1]
    both = np.zeros((size * size, rounds))
    held = np.diff(part.indptr).astype(np.int64)
    pairs = np.concatenate([[0], np.cumsum(held * (held + 1) // 2)])
    start = 0
    while start < part.shape[0]:
        stop = int(np.searchsorted(pairs, pairs[start] + _MOST_PAIRS, side="right")) - 1
        stop = min(max(stop, start + 1), part.shape[0])
        place = np.arange(part.indptr[start], part.indptr[stop], dtype=np.int32)
        others = np.repeat(part.indptr[start + 1 : stop + 1], held[start:stop]) - place
        first = np.repeat(place, others)
        second = np.arange(len(first), dtype=np.int32)
        second += np.repeat(place - (np.cumsum(others) - others).astype(np.int32), others)
        code = part.indices[first] * np.int32(size) + part.indices[second]
        bounds = (pairs[start : stop + 1] - pairs[start]).astype(np.int32)
        table = sparse.csc_matrix(
            (np.ones(len(code)), code, bounds), shape=(size * size, stop - start)
        )
        both += table @ np.ascontiguousarray(weights[:, start:stop].T)
        start = stop
    square = both.T.reshape(rounds, size, size)
    return np.asarray(square + square.transpose(0, 2, 1) - square * np.eye(size))
