"""Segments: the overlapping slices that are made of what was known of users before exposure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from octad.data.attributes import Attribute
from octad.data.bands import OTHER, UNKNOWN
from octad.data.deep import MOST_EACH, deep_of, searchable, shallowest, silent
from octad.data.population import BUCKETS
from octad.data.turns import in_turn
from octad.model.inputs import Slice
from octad.stats.lattice import Finders, members
from octad.stats.lattice_scan import Scan
from octad.stats.refusal import NotEstimable

__all__ = [
    "Chosen",
    "Group",
    "Slices",
    "Sought",
    "choose_slices",
    "cross",
    "deepen",
    "make_slices",
    "sizes_of",
]

IntArray = NDArray[np.int64]

_MOST_SLICES = 400


Group: TypeAlias = tuple[Attribute, ...]


@dataclass(frozen=True, slots=True)
class Slices:
    """Overlapping sets of users, everyone first.

    Attributes:
        numbers: For each combination of attributes: the slice number of each of its crossed
            values, or -1 where that slice is too small to be kept.
        slices: All slices, in the order of their numbers.
        small: How many slices were too small to look at.
        deep: (users in it,) rows of each of the last slices: those that `deepen` found, and that
            no combination of two attributes holds.
        whole: Whether every value and every pair of values that is large enough is there.
        searched: Further combinations among which the deep ones were the most harmed.
    """

    numbers: tuple[tuple[Group, IntArray], ...]
    slices: tuple[Slice, ...]
    small: int
    deep: tuple[IntArray, ...] = ()
    whole: bool = True
    searched: int = 0


@dataclass(frozen=True, slots=True)
class Sought:
    """A metric in which harm is looked for.

    Attributes:
        columns: Its columns, each (n,), in the order of `octad.model.inputs.COLUMNS`.
        ended: (n,) users whose window is complete; nobody else is looked at.
    """

    columns: Sequence[NDArray[np.float64]]
    ended: NDArray[np.bool_]
    better: Literal["up", "down"]


def make_slices(
    attributes: list[Attribute], arm: IntArray, *, fewest: int, deepest: int = 2
) -> Slices:
    """Every value of every attribute, and every pair of values of two of them.

    Where there are more than can be kept, the largest are; `deepen` then finds the others that
    matter.

    Args:
        attributes: Known before exposure.
        arm: (n,) arm codes, for the smallest arm within a slice.
        fewest: A slice needs this many users in each arm.
        deepest: How many attributes a slice may combine here, at most two.
    """
    arms = int(arm.max(initial=0)) + 1

    def counts(group: Group) -> IntArray:
        codes, size = cross(group), sizes_of(group)
        found = np.bincount(codes * arms + arm, minlength=size * arms)
        return np.asarray(found.reshape(size, arms), dtype=np.int64)

    groups = [g for k in range(1, min(deepest, 2) + 1) for g in combinations(attributes, k)]
    made = dict(zip(map(_key, groups), in_turn(counts, groups), strict=True))
    chosen = choose_slices(
        attributes, lambda group: made[_key(group)], fewest=fewest, deepest=deepest
    )
    return Slices(chosen.numbers, chosen.slices, chosen.small, whole=chosen.whole)


def _key(group: Group) -> tuple[int, ...]:
    return tuple(id(attribute) for attribute in group)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which slices are kept.

    Attributes:
        slices: All of them, in the order of their numbers, everyone first.
        numbers: For each combination of attributes: the slice number of each of its values (the
            last attribute's varying fastest), or -1.
        small, whole: As in `Slices`.
    """

    slices: tuple[Slice, ...]
    numbers: tuple[tuple[Group, IntArray], ...]
    small: int
    whole: bool


def choose_slices(
    attributes: Sequence[Attribute],
    counts: Callable[[Group], IntArray],
    *,
    fewest: int,
    deepest: int = 2,
) -> Chosen:
    """Choose slices from how many users they hold; nobody's own codes are looked at.

    Args:
        attributes: Known before exposure.
        counts: Users by crossed value and arm, of a combination of attributes.
        fewest: A slice needs this many users in each arm.
        deepest: How many attributes a slice may combine, at most two.
    """
    slices = [Slice()]
    numbers: list[tuple[Group, IntArray]] = []
    small, whole = 0, True
    for depth in range(1, min(deepest, 2) + 1):
        groups = list(combinations(attributes, depth))
        sizes = [_smallest(group, counts(group)) for group in groups]
        large = [np.where(held >= fewest, held, 0) for held, _ in sizes]
        room = _MOST_SLICES - len(slices)
        every = np.concatenate([*large, np.zeros(0, dtype=np.int64)])
        fits = np.count_nonzero(every) <= room
        # The bar that the largest pass; of equals, all or none, so that no order decides.
        bar = 1 if fits else (int(np.sort(every)[::-1][room]) + 1 if room > 0 else every.max() + 1)
        whole = whole and bool(fits)
        for group, held, (_, taken) in zip(groups, large, sizes, strict=True):
            chosen = np.flatnonzero(held >= bar)
            small += int((taken & (held < bar)).sum())
            if len(chosen):
                labels = _labels(group)
                number = np.full(len(labels), -1, dtype=np.int64)
                number[chosen] = len(slices) + np.arange(len(chosen))
                slices += [labels[i] for i in chosen]
                numbers.append((group, number))
    return Chosen(tuple(slices), tuple(numbers), small, whole)


def _smallest(group: Group, counts: IntArray) -> tuple[IntArray, NDArray[np.bool_]]:
    """Users in each combination's smallest arm (0 where it makes no segment), and who is there."""
    speaks = np.array([_speaks(label) for label in _labels(group)])
    return np.where(speaks, counts.min(axis=1), 0), counts.sum(axis=1) > 0


def deepen(
    slices: Slices,
    attributes: list[Attribute],
    sought: Iterable[Sought],
    arm: IntArray,
    bucket: IntArray,
    *,
    seed: int,
) -> Slices:
    """Add the combinations of up to three values that look most harmed on the finding half.

    Everything is searched, and little is kept: `octad.stats.lattice` looks at every triple (and
    every pair, where not all pairs are there) on one half of the buckets, and only what stands out
    becomes a slice. `octad.stats.segments` confirms on the other half, so `seed` must be the one
    that it is given: the launch's `halving`.

    Args:
        slices: From `make_slices`.
        attributes: Known before exposure.
        sought: Metrics in which to look for harm; taken one at a time.
        arm: (n,) arm codes, 0 the control.
        bucket: (n,) hash buckets.
        seed: Of the halving.
    """
    numbers = searchable([a.values for a in attributes], whole=slices.whole)
    if not numbers:
        return slices
    known = [attributes[i] for i in numbers]
    codes = [np.where(silent(a.values)[a.codes], -1, a.codes) for a in known]
    arms = int(arm.max(initial=0)) + 1
    sizes = [len(a.values) for a in known]
    made: dict[tuple[int, bytes], Finders | None] = {}

    def finders(treated: int, ended: NDArray[np.bool_]) -> Finders | None:
        key = treated, np.packbits(ended).tobytes()
        if key not in made:
            side = np.where(arm == treated, 1, np.where(arm == 0, 0, -1))
            side[~ended] = -1
            made[key] = None
            with suppress(NotEstimable):
                made[key] = Finders.of(codes, sizes, side, bucket, buckets=BUCKETS, seed=seed)
        return made[key]

    def asked() -> Iterator[tuple[Finders, Sought]]:
        for metric in sought:
            for treated in range(1, arms):
                found = finders(treated, metric.ended)
                if found is not None:
                    yield found, metric

    def scan(one: tuple[Finders, Sought]) -> Scan:
        found, metric = one
        return found.candidates(
            metric.columns,
            better=metric.better,
            keep=MOST_EACH,
            shallowest=shallowest(whole=slices.whole),
        )

    names = [(a.name, a.values) for a in known]
    deep = deep_of(slices.slices, names, in_turn(scan, asked()), whole=slices.whole)
    return replace(
        slices,
        slices=(*slices.slices, *deep.slices),
        deep=tuple(np.asarray(who, dtype=np.int64) for who in members(codes, deep.pieces)),
        searched=deep.searched,
    )


def _speaks(label: Slice) -> bool:
    """A slice of people of whom something is unknown is nobody's segment."""
    return not any(value in (UNKNOWN, OTHER) for _, value in label.values)


def sizes_of(group: Group) -> int:
    """How many combinations of values a combination of attributes has."""
    return int(np.prod([len(attribute.values) for attribute in group]))


def cross(group: Group) -> IntArray:
    """(n,) each user's combination of values, the last attribute's varying fastest."""
    codes = np.zeros(len(group[0].codes), dtype=np.int64)
    for attribute in group:
        codes = codes * len(attribute.values) + attribute.codes
    return codes


def _labels(group: Group) -> list[Slice]:
    labels: list[tuple[tuple[str, str], ...]] = [()]
    for attribute in group:
        labels = [(*label, (attribute.name, v)) for label in labels for v in attribute.values]
    return [Slice(label) for label in labels]
