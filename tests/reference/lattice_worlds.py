"""Users with attributes of whom some combination may be harmed, searched with and without care."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from octad.stats.lattice import candidates
from octad.stats.lattice_grid import Grid
from octad.stats.lattice_scan import Scan, Slice, even, scan
from octad.stats.lattice_scores import HarmScore
from octad.stats.moments import Moments

__all__ = ["People", "everything", "inside", "people", "slice_moments", "tightest"]

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

BUCKETS = 128


@dataclass(frozen=True, slots=True)
class People:
    """Codes (A, n) of attributes of `sizes` values, arm, bucket, and rows (n, 4)."""

    codes: IntArray
    sizes: tuple[int, ...]
    arm: IntArray
    bucket: IntArray
    rows: FloatArray

    def search(self, seed: int, **options: object) -> Scan:
        """Candidates on the half that `seed` gives."""
        return candidates(
            self.codes,
            self.sizes,
            self.rows,
            self.arm,
            self.bucket,
            buckets=BUCKETS,
            seed=seed,
            **options,  # type: ignore[arg-type]
        )


def people(
    rng: np.random.Generator,
    *,
    users: int,
    sizes: tuple[int, ...],
    share: float = 1.0,
    harmed: Slice = (),
    harm: float = 0.0,
) -> People:
    """A launch.

    Args:
        users: How many.
        sizes: Values of each attribute.
        share: Of the users who do anything at all; the others' outcome is 0.
        harmed: The slice that loses.
        harm: How much each of its treated users loses.
    """
    codes = np.stack([rng.integers(0, size, users) for size in sizes])
    arm = rng.integers(0, 2, users)
    before = rng.exponential(1.0, users)
    after = 0.5 * before + rng.exponential(1.0, users)
    after = np.where(rng.random(users) < share, after, 0.0)
    if harm:
        after = after - harm * arm * inside(codes, harmed)
    one = np.ones(users)
    rows = np.stack([after, one, before, one], axis=1)
    return People(codes, sizes, arm, rng.integers(0, BUCKETS, users), rows)


def inside(codes: IntArray, piece: Slice) -> BoolArray:
    """(n,) who is in a slice."""
    out = np.ones(codes.shape[1], dtype=bool)
    for attribute, value in piece:
        out &= codes[attribute] == value
    return out


def slice_moments(world: People, slices: list[Slice]) -> Moments:
    """Leading shape (S, 2, buckets), as `find_harm` takes it."""
    where = world.arm * BUCKETS + world.bucket
    parts = []
    for piece in slices:
        these = inside(world.codes, piece)
        parts.append(Moments.from_rows(world.rows[these], where[these], 2 * BUCKETS))
    shape = (len(slices), 2, BUCKETS)
    return Moments(
        np.stack([p.n for p in parts]).reshape(shape),
        np.stack([p.mean for p in parts]).reshape(*shape, 4),
        np.stack([p.comoment for p in parts]).reshape(*shape, 4, 4),
    )


def everything(
    world: People, *, fewest: int, keep: int, rest: bool = False, distinct: bool = False
) -> tuple[Scan, list[tuple[Slice, float]]]:
    """The walk's best slices of all users, and those of scoring every slice by itself."""
    h = -world.rows[:, 0]
    score = HarmScore.of(h, world.arm, fewest, rest=rest)
    grid = Grid(list(world.codes), world.sizes, world.arm, 2)
    found = scan(grid, score, keep=keep, deepest=3, least=0.0, distinct=distinct)
    return found, _brute(world, h, fewest, keep, rest=rest, distinct=distinct)


def _brute(
    world: People, h: FloatArray, fewest: int, keep: int, *, rest: bool, distinct: bool
) -> list[tuple[Slice, float]]:
    names = [
        tuple(zip(group, values, strict=True))
        for depth in (1, 2, 3)
        for group in combinations(range(len(world.sizes)), depth)
        for values in product(*(range(world.sizes[a]) for a in group))
    ]
    split = {s: _arms(world, h, inside(world.codes, s)) for s in names}
    large = {s: v for s, v in split.items() if min(len(a) for a in v) >= fewest}
    singles = [v for s, v in large.items() if len(s) == 1]
    spreads = [[float(v[a].var(ddof=1)) for v in singles] for a in (0, 1)]
    floors = [0.25 * min((x for x in some if x > 0), default=0.0) for some in spreads]
    scores: dict[Slice, float] = {}
    for s, arms in large.items():
        floor = floors if len(s) > 1 else [0.0, 0.0]
        square = sum(max(a.var(ddof=1), f) / len(a) for a, f in zip(arms, floor, strict=True))
        harm = arms[1].mean() - arms[0].mean()
        if rest:
            others = _arms(world, h, ~inside(world.codes, s))
            if min(len(a) for a in others) < fewest:
                continue
            square += sum(a.var(ddof=1) / len(a) for a in others)
            harm -= others[1].mean() - others[0].mean()
        scores[s] = float(harm / np.sqrt(square)) if square > 0 else 0.0
    kept = [
        (s, z)
        for s, z in scores.items()
        if z > 0 and not (distinct and any(z <= other * (1 + 1e-9) for other in _around(s, scores)))
    ]
    return sorted(kept, key=lambda f: (-even(np.array(f[1])), len(f[0]), f[0]))[:keep]


def _around(piece: Slice, scores: dict[Slice, float]) -> list[float]:
    wider = [c for k in range(1, len(piece)) for c in combinations(piece, k)]
    return [scores[w] for w in wider if w in scores]


def _arms(world: People, h: FloatArray, these: BoolArray) -> list[FloatArray]:
    return [h[these & (world.arm == a)] for a in (0, 1)]


def tightest(world: People, h: FloatArray, within: BoolArray, fewest: int, value: float) -> float:
    """The largest √a·mean that any a ≥ `fewest` of the treated can have, found by sorting.

    Args:
        within: The slice whose users may be chosen.
        value: The centre from which outcomes are counted.
    """
    best = np.sort(h[within & (world.arm == 1)] - value)[::-1]
    sizes = np.arange(1, len(best) + 1)
    return float((np.cumsum(best) / np.sqrt(sizes))[fewest - 1 :].max())
