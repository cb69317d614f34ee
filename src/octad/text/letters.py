"""Many texts as one array of letters, so that what is asked of each is asked of all at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["CHUNK", "LAST", "Letters", "Stems", "between", "chunks", "table"]

CHUNK = 2_048
"""Texts at a time: their letters then stay in the processor's cache."""

LAST = 0x110000
"""One past the last code point."""

_GRAM = 4
_MIX = tuple(map(np.uint32, (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F)))

BoolArray = NDArray[np.bool_]
CodeArray = NDArray[np.uint32]
IntArray = NDArray[np.int64]


def chunks(n: int, size: int = CHUNK) -> Iterator[slice]:
    """Slices of `size` out of n."""
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))


def table(fits: Callable[[str], bool]) -> BoolArray:
    """(0x110000,) whether each letter there is fits; a tenth of a second, so once a process."""
    return np.fromiter(map(fits, map(chr, range(LAST))), dtype=bool, count=LAST)


def between(*spans: tuple[str, str]) -> BoolArray:
    """(0x110000,) whether each letter lies in any of the spans, ends included."""
    result = np.zeros(LAST, dtype=bool)
    for first, last in spans:
        result[ord(first) : ord(last) + 1] = True
    return result


@dataclass(frozen=True, slots=True, eq=False)
class Letters:
    """N texts, M letters.

    Attributes:
        codes: (M,) code points, text after text.
        starts: (N + 1,) where each text begins; the last is M.
    """

    codes: CodeArray
    starts: IntArray

    @classmethod
    def of(cls, texts: Sequence[str]) -> Letters:
        """Spread texts out."""
        joined = "".join(texts).encode("utf-32-le", "surrogatepass")
        return cls(np.frombuffer(joined, dtype=np.uint32), _starts([len(text) for text in texts]))

    def __len__(self) -> int:
        """The number of texts."""
        return len(self.starts) - 1

    def lengths(self) -> IntArray:
        """(N,) letters of each text."""
        return np.diff(self.starts)

    def count(self, marked: NDArray[Any]) -> IntArray:
        """(N,) sums over each text of (M,) marks."""
        before = np.zeros(len(marked) + 1, dtype=np.int64)
        np.cumsum(marked, out=before[1:])
        return np.diff(before[self.starts])

    def keep(self, marked: BoolArray) -> Letters:
        """The texts with only the marked of their (M,) letters left."""
        return Letters(self.codes[marked], _starts(self.count(marked)))

    def take(self, chosen: BoolArray) -> Letters:
        """The chosen of the (N,) texts."""
        lengths = self.lengths()
        return Letters(self.codes[np.repeat(chosen, lengths)], _starts(lengths[chosen]))

    def texts(self) -> list[str]:
        """The texts again, as strings."""
        joined = self.codes.tobytes().decode("utf-32-le", "surrogatepass")
        ends = self.starts.tolist()
        return [joined[a:b] for a, b in pairwise(ends)]


def _starts(lengths: Sequence[int] | IntArray) -> IntArray:
    starts = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=starts[1:])
    return starts


class Stems:
    """Plain pieces to look for in many texts at once, before a pattern is tried on the few.

    The first letters of each piece (four at most) are hashed to sixteen bits and looked up at every
    place of the texts. Of the texts that pass, some hold no piece; of the others, none does.
    """

    def __init__(self, stems: Iterable[str]) -> None:
        """Hash the pieces; empty ones are passed over."""
        self.stems = tuple(dict.fromkeys(stem for stem in stems if stem))
        self._tables: dict[int, BoolArray] = {}
        for stem in self.stems:
            size = min(len(stem), _GRAM)
            there = self._tables.setdefault(size, np.zeros(1 << 16, dtype=bool))
            there[_grams(Letters.of([stem]).codes, size)[0]] = True

    def may_hold(self, texts: Sequence[str]) -> BoolArray:
        """(N,) which texts may hold one of the pieces."""
        result = np.zeros(len(texts), dtype=bool)
        for part in chunks(len(texts)):
            page = Letters.of(texts[part])
            marked = np.zeros(len(page.codes), dtype=bool)
            for size, there in self._tables.items():
                if len(marked) >= size:
                    marked[: len(marked) - size + 1] |= there[_grams(page.codes, size)]
            result[part] = page.count(marked) > 0
        return result


def _grams(codes: CodeArray, size: int) -> CodeArray:
    """(M − size + 1,) hashes of the runs of `size` letters, below 2¹⁶."""
    n = len(codes) - size + 1
    mixed = codes[:n] * _MIX[0]
    for k in range(1, size):
        mixed ^= codes[k : n + k] * _MIX[k]
        mixed *= _MIX[0]
    mixed >>= np.uint32(16)
    return mixed
