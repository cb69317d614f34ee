"""Which of a hundred thousand slices to ask about: a search of combinations of attribute values.

Twelve attributes of eight values have 117,000 combinations of up to three values. To keep cells
for each and to correct for each would cost the memory and the power. So candidates are *found* on
one half of the hash buckets, user by user, and only they are made into slices; `find_harm` then
confirms on the other half. Whatever is chosen here, by whatever rule, the confirmation's
familywise error holds, since the choice has seen no user of the half it is made on.

**The seam.** Before it makes slices, the data layer calls, once a metric and treatment arm::

    found = candidates(codes, sizes, rows, arm, bucket, buckets=BUCKETS, seed=seed)

with `codes` (A, n) each user's value of every attribute (-1 for a value that makes no segment,
such as "(unknown)"), `rows` (n, 4) the metric's columns y, d, x, w of users whose window is
complete, `arm` (n,) 0 for the control and 1 for the treatment (others are left out), and `bucket`
(n,). Each of `found.slices`, as (attribute, value) numbers, becomes one more slice beside the
single values and pairs (then `shallowest=3` lists only triples). `members` gives the row numbers
of each: a triple holds few users, and a column of n slice numbers for every group of attributes
would take gigabytes.

`seed` must be the one that `find_harm` is given, and `find_harm` must halve the same buckets:
with another seed half of the confirming users would have been looked at in the search, and what
was found by chance would be confirmed (in simulation 16% of launches without any harm, instead of
5%). For the same reason slices that are shared by several metrics or arms need one seed for all
of them: the metrics belong to the same users, so what stood out by chance in one metric's finding
half may well stand out in another's.

**Two scores.** `candidates` looks for harm; `worst_slices` has the published score of SliceLine
(Sagadeeva and Boehm 2021), for errors or losses per row, and holds the pruning to account against
the package of that name. The scores and their bounds are in `octad.stats.lattice_scores`, the
walk in `octad.stats.lattice_scan`. A million users, twelve attributes of eight values and slices
of three take half a second on one core.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from octad.stats.lattice_grid import Grid
from octad.stats.lattice_scan import Scan, Slice, scan
from octad.stats.lattice_scores import HarmScore, SliceLineScore
from octad.stats.levels import ROUNDING, divide
from octad.stats.refusal import NotEstimable
from octad.stats.segments import EXPLORE, FEWEST_BUCKETS, FEWEST_USERS, halves

__all__ = ["Finders", "candidates", "finding_half", "members", "outcomes", "worst_slices"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer[Any]]
BoolArray = NDArray[np.bool_]


def finding_half(held: ArrayLike, seed: int) -> BoolArray:
    """The buckets on which `find_harm` finds; it confirms on the others that are held.

    Args:
        held: (B,) whether anybody is in the bucket, in either arm.
        seed: The seed given to `find_harm`.

    Raises:
        NotEstimable: With fewer than 64 buckets that hold anybody.

    >>> finding_half([True] * 100, 7).sum()
    np.int64(50)
    """
    inside = np.asarray(held, dtype=bool)
    if inside.sum() < FEWEST_BUCKETS:
        raise NotEstimable(
            "The users fall into too few groups to split them in two halves and search one of them."
        )
    return inside & halves(len(inside), seed)


def outcomes(rows: ArrayLike, arm: ArrayLike) -> FloatArray:
    """Each user's share in a metric, less what the time before exposure foretold.

    That is (y − R·d) − θ·(x − S·w), with R and S the ratios of all these users and θ from the
    covariance within arms (as in `octad.stats.levels`, where the metric is a ratio of sums).
    One R for both arms: the difference of two arms' means in any slice is then, to first order,
    the slice's effect times its mean of d.

    Args:
        rows: (n, 4) columns y, d, x, w.
        arm: (n,) 0 or 1.

    Returns:
        (n,) not adjusted where x is too large to square.
    """
    table, codes = np.asarray(rows, dtype=np.float64), np.asarray(arm)
    order = np.argsort(codes, kind="stable")
    split = int((codes == 0).sum())
    out = np.empty(len(table))
    out[order] = _outcomes([column[order] for column in table.T], split)
    return out


def _outcomes(columns: Sequence[FloatArray], split: int) -> FloatArray:
    """`outcomes` of users who lie in order: so many controls, then the treated."""
    y, d, x, w = columns
    with np.errstate(over="ignore", invalid="ignore"):
        after = y - _ratio(y, d) * d
        before = x - _ratio(x, w) * w
        shared = square = 0.0
        for arm in (slice(split), slice(split, None)):
            own = before[arm]
            if len(own):
                away = own - own.mean()
                shared, square = shared + _dot(away, after[arm]), square + _dot(away, away)
        # What is left of a covariate that is the same for all is rounding.
        if square > ROUNDING * _dot(x, x):
            after -= shared / square * before
    return np.asarray(after)


def _dot(one: FloatArray, two: FloatArray) -> float:
    """Not `@`: several searches run at once, and BLAS would start threads for each of them."""
    return float(np.einsum("i,i->", one, two))


def _ratio(top: FloatArray, bottom: FloatArray) -> float:
    return float(divide(np.asarray(top.sum()), np.asarray(bottom.sum())))


def candidates(
    codes: Sequence[IntArray] | IntArray,
    sizes: Sequence[int],
    rows: ArrayLike,
    arm: IntArray,
    bucket: IntArray,
    *,
    buckets: int,
    seed: int,
    better: Literal["up", "down"] = "up",
    against: Literal["nothing", "rest"] = "nothing",
    fewest: int = FEWEST_USERS,
    keep: int = 200,
    deepest: int = 3,
    shallowest: int = 1,
    distinct: bool = True,
) -> Scan:
    """The slices that look most harmed on the finding half, to be confirmed on the other.

    Args:
        codes: (A, n) value of each attribute, known before exposure; -1 makes no slice.
        sizes: (A,) how many values each attribute has.
        rows: (n, 4) columns y, d, x, w of the metric.
        arm: (n,) 0 control, 1 treatment; other users are left out.
        bucket: (n,) hash bucket.
        buckets: How many there are.
        seed: The one given to `find_harm`.
        better: Which direction of the metric is good.
        against: As in `find_harm`.
        fewest: Users that each arm of a slice needs in the half (and its rest, when asked about).
        keep: How many slices to find.
        deepest: How many attributes a slice may combine.
        shallowest: List only slices of at least this many.
        distinct: Leave out a slice when a wider one around it looks at least as harmed.

    Returns:
        Slices with a z above that of `find_harm`'s first half, the highest first.

    Raises:
        NotEstimable: With fewer than 64 buckets that hold anybody.
        ValueError: When arrays do not belong together, or a value is not finite.
    """
    table = np.asarray(rows, dtype=np.float64)
    if table.ndim != 2 or not len(table) == len(arm) == len(bucket):
        msg = "rows, arm and bucket need one entry for every user"
        raise ValueError(msg)
    finders = Finders.of(codes, sizes, arm, bucket, buckets=buckets, seed=seed)
    return finders.candidates(
        tuple(table.T),
        better=better,
        against=against,
        fewest=fewest,
        keep=keep,
        deepest=deepest,
        shallowest=shallowest,
        distinct=distinct,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Finders:
    """The users of the finding half, controls first, on the grid of their attributes' values.

    Made once for all metrics whose windows have ended for the same users.

    Attributes:
        who: Their row numbers.
        grid: Their values.
        split: How many of them are controls.
    """

    who: NDArray[np.int64]
    grid: Grid
    split: int

    @classmethod
    def of(
        cls,
        codes: Sequence[IntArray] | IntArray,
        sizes: Sequence[int],
        arm: IntArray,
        bucket: IntArray,
        *,
        buckets: int,
        seed: int,
    ) -> Finders:
        """Find them; arguments and errors as in `candidates`."""
        held = np.bincount(bucket[(arm == 0) | (arm == 1)], minlength=buckets) > 0
        early = finding_half(held, seed)[bucket]
        sides = [np.flatnonzero(early & (arm == a)) for a in (0, 1)]
        who, split = np.concatenate(sides), len(sides[0])
        return cls(who, _grid(codes, sizes, who, arm[who], 2), split)

    def candidates(
        self,
        columns: Sequence[FloatArray],
        *,
        better: Literal["up", "down"] = "up",
        against: Literal["nothing", "rest"] = "nothing",
        fewest: int = FEWEST_USERS,
        keep: int = 200,
        deepest: int = 3,
        shallowest: int = 1,
        distinct: bool = True,
    ) -> Scan:
        """As `candidates`, of everybody's columns y, d, x, w, each (n,).

        Raises:
            ValueError: When a value is not finite.
        """
        own = [np.asarray(column, dtype=np.float64)[self.who] for column in columns]
        if not all(np.isfinite(column).all() for column in own):
            msg = "rows must be finite; leave out or mend NaN and infinite values first"
            raise ValueError(msg)
        harm = _outcomes(own, self.split)
        if better == "up":
            harm = -harm
        score = HarmScore.of(harm, self.grid.lead, fewest, rest=against == "rest")
        return scan(
            self.grid,
            score,
            keep=keep,
            deepest=deepest,
            shallowest=shallowest,
            least=float(special.ndtri(1 - EXPLORE)),
            distinct=distinct,
        )


def worst_slices(
    codes: Sequence[IntArray] | IntArray,
    sizes: Sequence[int],
    errors: ArrayLike,
    *,
    alpha: float = 0.95,
    fewest: int = 32,
    keep: int = 4,
    deepest: int = 3,
) -> Scan:
    """SliceLine (Sagadeeva and Boehm 2021): the slices where errors are large and many.

    It looks for error, not for effect: a slice where all do badly, launch or not, is found.

    Args:
        codes: (A, n) value of each attribute; -1 makes no slice.
        sizes: (A,) how many values each attribute has.
        errors: (n,) losses, none below 0.
        alpha: Weight of a slice's mean error against its size, above 0 and at most 1.
        fewest: Rows that a slice needs.
        keep: How many slices to find.
        deepest: How many attributes a slice may combine.

    Raises:
        ValueError: When an error is below 0 or not finite, or alpha is out of its range.

    >>> found = worst_slices([np.array([0, 0, 1, 1])], [2], [1.0, 1.0, 5.0, 5.0], fewest=2)
    >>> found.slices
    (((0, 1),),)
    """
    losses = np.asarray(errors, dtype=np.float64)
    if not np.isfinite(losses).all() or (losses < 0).any() or not 0 < alpha <= 1:
        msg = "errors must be finite and not below 0, and alpha above 0 and at most 1"
        raise ValueError(msg)
    every = np.arange(len(losses))
    grid = _grid(codes, sizes, every, np.zeros(len(losses), dtype=np.int64), 1)
    score = SliceLineScore(losses, alpha, float(max(fewest, 1)))
    return scan(grid, score, keep=keep, deepest=deepest, least=0.0)


def members(codes: Sequence[IntArray] | IntArray, slices: Sequence[Slice]) -> list[IntArray]:
    """Who is in each slice: (users in it,) rising row numbers.

    Args:
        codes: (A, n) value of each attribute, as in `candidates`.
        slices: As `candidates` gives them.

    >>> [who.tolist() for who in members(np.array([[0, 1, 1], [2, 2, 0]]), [((0, 1), (1, 2))])]
    [[1]]
    """
    found: list[IntArray] = []
    holding: dict[tuple[int, int], IntArray] = {}
    for piece in slices:
        for attribute, value in piece:
            if (attribute, value) not in holding:
                own = np.flatnonzero(np.asarray(codes[attribute]) == value)
                holding[attribute, value] = own.astype(np.int32)
        # From the rarest value on, so that the fewest users are asked for the others.
        values = sorted(piece, key=lambda one: len(holding[one]))
        rows = holding[values[0]] if values else np.arange(len(codes[0]), dtype=np.int32)
        for attribute, value in values[1:]:
            rows = rows[np.flatnonzero(np.asarray(codes[attribute])[rows] == value)]
        found.append(rows)
    return found


def _grid(
    codes: Sequence[IntArray] | IntArray,
    sizes: Sequence[int],
    rows: NDArray[np.int64],
    lead: IntArray,
    leads: int,
) -> Grid:
    """The grid of some of the rows; codes are checked, since a wrong one would add to another."""
    if len(codes) != len(sizes) or any(
        len(c) and not -1 <= int(c.min()) <= int(c.max()) < size
        for c, size in zip(codes, sizes, strict=False)
    ):
        msg = "every attribute needs codes from 0 to less than its size, or -1 for none"
        raise ValueError(msg)
    return Grid([np.asarray(c)[rows].astype(np.int32) for c in codes], tuple(sizes), lead, leads)
