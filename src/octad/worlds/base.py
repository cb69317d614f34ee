"""What every world is built from: keyed randomness, frugal columns, and the world itself.

A draw is a pure function of the world's seed, the mechanism's name and counters (user, day, which
one). So a new mechanism never reshuffles another's draws, a world with more users holds the
smaller world within it, and both arms of a counterfactual share every draw (common random
numbers), which makes their difference nearly free of noise.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

__all__ = ["Categorical", "Column", "Random", "Table", "World", "pick", "poisson"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_WORD = 2**64 - 1
_GOLDEN, _SILVER = 0x9E3779B97F4A7C15, 0xD1B54A32D192ED03
_MIX = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)


@dataclass(frozen=True, slots=True)
class Categorical:
    """A column of few distinct texts.

    Attributes:
        codes: (R,) int32, each an index into `names`; -1 where there is no value.
        names: The texts.
    """

    codes: NDArray[np.int32]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.codes)

    def texts(self) -> NDArray[np.object_]:
        """The texts, one a row; ``None`` where there is no value."""
        return np.array([*self.names, None], dtype=object)[self.codes]

    def is_(self, *names: str) -> Bools:
        """Whether each row holds one of the names."""
        return np.isin(self.codes, [self.names.index(name) for name in names])


Column = NDArray[Any] | Categorical
Table = Mapping[str, Column]


@dataclass(frozen=True, slots=True)
class World:
    """A simulated product.

    Attributes:
        tables: `events`, `users`, `exposures`, `reviews` and `releases`, and `links` where friends
            matter, as parallel columns.
        files: Relative path to text: `octad.yml`, `launches/*.yml`, `README.md`.
        truth: What is true of it, ready for JSON. Nothing that reviews a launch may read it.
    """

    tables: dict[str, Table]
    files: dict[str, str]
    truth: dict[str, Any]


def _mix(word: int) -> int:
    word = ((word ^ (word >> 30)) * _MIX[0]) & _WORD
    word = ((word ^ (word >> 27)) * _MIX[1]) & _WORD
    return word ^ (word >> 31)


class Random:
    """Randomness by key and counter, with the SplitMix64 finaliser (Steele, Lea, Flood 2014).

    >>> draw = Random(7).uniform("need", np.arange(3), day=2)
    >>> bool(np.all(draw == Random(7).uniform("need", np.arange(5), day=2)[:3]))
    True
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._keys: dict[str, int] = {}
        self._day: int | None = None
        self._held: dict[tuple[str, int], Floats] = {}

    def _key(self, name: str) -> int:
        if name not in self._keys:
            digest = hashlib.blake2b(f"{self.seed}:{name}".encode(), digest_size=8).digest()
            self._keys[name] = int.from_bytes(digest, "little")
        return self._keys[name]

    def words(self, name: str, unit: ArrayLike, day: int = 0, turn: ArrayLike = 0) -> NDArray[Any]:
        """64 random bits for each unit.

        Args:
            name: The mechanism.
            unit: Counter of the unit, such as the user; any integer shape.
            day: Counter of the day.
            turn: Counter within the day; broadcast against `unit`.
        """
        base = _mix((self._key(name) + day * _GOLDEN) & _WORD)
        x = np.atleast_1d(np.asarray(unit)).astype(np.uint64)
        x = x * np.uint64(_GOLDEN) + np.uint64(base)
        x = x + np.atleast_1d(np.asarray(turn)).astype(np.uint64) * np.uint64(_SILVER)
        x ^= x >> np.uint64(30)
        x *= np.uint64(_MIX[0])
        x ^= x >> np.uint64(27)
        x *= np.uint64(_MIX[1])
        x ^= x >> np.uint64(31)
        return x

    def uniform(self, name: str, unit: ArrayLike, day: int = 0, turn: ArrayLike = 0) -> Floats:
        """Uniform on the open interval (0, 1); arguments as `words`."""
        bits = self.words(name, unit, day, turn) >> np.uint64(11)
        return (bits.astype(np.float64) + 0.5) * 2.0**-53

    def of_all(self, name: str, n: int, day: int) -> Floats:
        """Uniforms of the first `n` units on a day, kept until another day is asked for.

        Both arms of a counterfactual ask for the same ones; nobody may write into them.
        """
        if day != self._day:
            self._day, self._held = day, {}
        if (name, n) not in self._held:
            self._held[name, n] = self.uniform(name, np.arange(n), day)
        return self._held[name, n]

    def normal(self, name: str, unit: ArrayLike, day: int = 0, turn: ArrayLike = 0) -> Floats:
        """Standard normal; arguments as `words`."""
        return np.asarray(ndtri(self.uniform(name, unit, day, turn)), dtype=np.float64)

    def chance(
        self, name: str, p: Floats | float, unit: ArrayLike, day: int = 0, turn: ArrayLike = 0
    ) -> Bools:
        """True with probability `p`; the others as `words`."""
        return np.asarray(self.uniform(name, unit, day, turn) < p, dtype=np.bool_)


def poisson(u: Floats, rate: Floats, most: int = 12) -> Ints:
    """Poisson counts by inversion, rising in both arguments, so that arms share their draws.

    Args:
        u: (N,) uniforms.
        rate: (N,) expected counts, meant to be small.
        most: No count is larger.
    """
    count = np.zeros(len(u), dtype=np.int64)
    left = np.flatnonzero(u > np.exp(-rate))
    term = np.exp(-rate[left])
    below = term.copy()
    for k in range(1, most + 1):
        count[left] = k
        term *= rate[left] / k
        below += term
        more = u[left] > below
        left, term, below = left[more], term[more], below[more]
        if not len(left):
            break
    return count


def pick(u: Floats, shares: ArrayLike) -> NDArray[np.int32]:
    """Choose by share: codes 0 to K-1.

    Args:
        u: (N,) uniforms.
        shares: (K,), or (N, K) with one row a unit; need not add up to one.
    """
    edges = np.cumsum(np.asarray(shares, dtype=np.float64), axis=-1)
    edges = edges / edges[..., -1:]
    if edges.ndim == 1:
        return np.searchsorted(edges[:-1], u, side="right").astype(np.int32)
    return np.asarray((u[:, None] >= edges[:, :-1]).sum(axis=1), dtype=np.int32)
