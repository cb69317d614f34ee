"""Segments: what was known of users before exposure, and the overlapping slices made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations, pairwise

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from octad.data.clock import micros
from octad.data.population import Population
from octad.data.rollup import Units
from octad.data.tape import Tape
from octad.model.inputs import Slice

__all__ = [
    "TENURE",
    "UNKNOWN",
    "USE",
    "Attribute",
    "Slices",
    "from_arrow",
    "from_behaviour",
    "from_table",
    "make_slices",
]

IntArray = NDArray[np.int64]

UNKNOWN = "(unknown)"
OTHER = "(other)"
TENURE = "first seen"
USE = "use before"
_MOST_VALUES = 20
_NUMERIC_BANDS = 4
_MOST_SLICES = 400


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of every user compared: (n,) codes into `values`."""

    name: str
    values: tuple[str, ...]
    codes: IntArray


@dataclass(frozen=True, slots=True)
class Slices:
    """Overlapping sets of users, everyone first.

    Attributes:
        combos: For each combination of attributes: the slice number of each user, or -1 where
            the user's slice is too small to be kept; (n,).
        slices: All slices, in the order of their numbers.
        small: How many slices were too small to look at.
    """

    combos: tuple[IntArray, ...]
    slices: tuple[Slice, ...]
    small: int


def _from_column(name: str, column: pa.ChunkedArray) -> Attribute | None:
    """Codes for one column; numbers with many values become bands of equal size."""
    filled = column.combine_chunks()
    if pa.types.is_boolean(filled.type):
        filled = pc.if_else(filled, "yes", "no")
    if _is_number(filled.type):
        numbers = pc.cast(filled, pa.float64()).to_numpy(zero_copy_only=False)
        banded = _bands(name, numbers)
        return banded if banded is not None else _few_numbers(name, numbers)
    text = pc.fill_null(pc.cast(filled, pa.string()), UNKNOWN)
    encoded = pc.dictionary_encode(text)
    values = [str(v) for v in encoded.dictionary.to_pylist()]
    codes = encoded.indices.to_numpy().astype(np.int64)
    counts = np.bincount(codes, minlength=len(values))
    if len(values) > _MOST_VALUES:
        keep = np.argsort(-counts, kind="stable")[: _MOST_VALUES - 1]
        mapping = np.full(len(values), _MOST_VALUES - 1)
        mapping[keep] = np.arange(len(keep))
        codes = mapping[codes]
        values = [*(values[k] for k in keep), OTHER]
    order = np.argsort(values)
    rank = np.empty(len(values), dtype=np.int64)
    rank[order] = np.arange(len(values))
    return Attribute(name, tuple(values[i] for i in order), rank[codes])


def _is_number(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind)
    )


def _few_numbers(name: str, numbers: NDArray[np.float64]) -> Attribute:
    """Each of a few numbers as a value, in their own order, and then those not known."""
    known = np.isfinite(numbers)
    values, index = np.unique(numbers[known], return_inverse=True)
    codes = np.full(len(numbers), len(values), dtype=np.int64)
    codes[known] = index
    names = tuple(np.format_float_positional(v, trim="-") for v in values)
    return Attribute(name, names if known.all() else (*names, UNKNOWN), codes)


def _bands(name: str, numbers: NDArray[np.float64]) -> Attribute | None:
    known = np.isfinite(numbers)
    if len(np.unique(numbers[known])) <= _MOST_VALUES:
        return None
    edges = np.unique(np.quantile(numbers[known], np.linspace(0, 1, _NUMERIC_BANDS + 1)[1:-1]))
    codes = np.searchsorted(edges, numbers, side="right")
    names = [f"under {edges[0]:g}"]
    names += [f"{low:g} to under {high:g}" for low, high in pairwise(edges)]
    names += [f"{edges[-1]:g} and more", UNKNOWN]
    codes = np.where(known, codes, len(names) - 1)
    return Attribute(name, tuple(names), codes.astype(np.int64))


def from_table(
    tape: Tape, population: Population, users: ibis.Table, names: tuple[str, ...]
) -> tuple[list[Attribute], dict[str, str]]:
    """Read attributes of the users compared.

    Returns:
        The attributes, and those refused with the reason: measured after exposure.
    """
    who = population.table.select("uid", "user", "exposed")
    once = users.distinct(on="user", keep="first")
    joined = who.left_join(once, who.user == once.user)
    shown = {name: joined[name] for name in names}
    if "known" in users.columns and users.known.type().is_timestamp():
        late = (micros(joined.known) > joined.exposed).fill_null(False)
        count = int(joined.filter(late).count().to_pyarrow().as_py())
        if count > 0.01 * population.n:
            why = (
                f"for {count:,} users it was written down after their exposure, so the launch "
                "itself may have moved it"
            )
            return [], dict.fromkeys(names, why)
        shown = {name: late.ifelse(ibis.null(value.type()), value) for name, value in shown.items()}
    rows, _ = tape.read(
        "attributes known before exposure",
        joined.select("uid", **{f"a{i}": value for i, value in enumerate(shown.values())}).order_by(
            "uid"
        ),
    )
    return from_arrow(rows, {f"a{i}": name for i, name in enumerate(names)}), {}


def from_arrow(rows: pa.Table, names: Mapping[str, str]) -> list[Attribute]:
    """Attributes that lie in a table already brought over, one row a user.

    Args:
        rows: One row a user.
        names: Column to what the attribute is called.
    """
    found = [_from_column(name, rows[column]) for column, name in names.items()]
    return [a for a in found if a is not None and len(a.values) > 1]


def from_behaviour(units: Units, actions: NDArray[np.float64], days: int) -> list[Attribute]:
    """What use before exposure says of a user: how long here, and how heavy.

    Args:
        units: For the first day seen.
        actions: (n,) events in the days before exposure.
        days: How many days those are.

    Returns:
        Nothing when there was no use before exposure to speak of.
    """
    used = actions > 0
    if not len(used) or used.mean() < 0.05:
        return []
    bands = []
    week_before = units.first_day < -7
    bands.append(
        Attribute(
            TENURE,
            ("within the week before", "a week or more before"),
            week_before.astype(np.int64),
        )
    )
    half, top = np.quantile(actions[used], [0.5, 0.9])
    if not 0 < half < top:
        return bands
    names = (
        f"none in {days} days",
        f"light (up to {half:g} actions in {days} days)",
        f"regular (up to {top:g} actions)",
        f"heavy (over {top:g} actions)",
    )
    codes = np.where(used, 1 + (actions > half).astype(np.int64) + (actions > top), 0)
    bands.append(Attribute(USE, names, codes))
    return bands


def make_slices(
    attributes: list[Attribute], arm: IntArray, *, fewest: int, deepest: int = 2
) -> Slices:
    """Every value of every attribute, and every pair of values of two of them.

    Args:
        attributes: Known before exposure.
        arm: (n,) arm codes, for the smallest arm within a slice.
        fewest: A slice needs this many users in each arm.
        deepest: How many attributes a slice may combine, at most three.
    """
    n = len(arm)
    arms = int(arm.max(initial=0)) + 1
    slices = [Slice()]
    combos: list[IntArray] = [np.zeros(n, dtype=np.int64)]
    small = 0
    for depth in range(1, deepest + 1):
        for group in combinations(attributes, depth):
            codes, labels = _cross(group)
            counts = np.bincount(codes * arms + arm, minlength=len(labels) * arms)
            smallest = counts.reshape(-1, arms).min(axis=1)
            taken = counts.reshape(-1, arms).sum(axis=1) > 0
            keep = (smallest >= fewest) & np.array([_speaks(label) for label in labels])
            small += int((taken & ~keep).sum())
            room = _MOST_SLICES - len(slices)
            chosen = np.flatnonzero(keep)
            if len(chosen) > room:
                largest = np.argsort(-smallest[chosen], kind="stable")[:room]
                small += len(chosen) - room
                chosen = np.sort(chosen[largest])
            if not len(chosen):
                continue
            number = np.full(len(labels), -1, dtype=np.int64)
            number[chosen] = len(slices) + np.arange(len(chosen))
            slices += [labels[i] for i in chosen]
            combos.append(number[codes])
    return Slices(tuple(combos), tuple(slices), small)


def _speaks(label: Slice) -> bool:
    """A slice of people of whom something is unknown is nobody's segment."""
    return not any(value in (UNKNOWN, OTHER) for _, value in label.values)


def _cross(group: tuple[Attribute, ...]) -> tuple[IntArray, list[Slice]]:
    codes = np.zeros(len(group[0].codes), dtype=np.int64)
    labels: list[tuple[tuple[str, str], ...]] = [()]
    for attribute in group:
        codes = codes * len(attribute.values) + attribute.codes
        labels = [(*label, (attribute.name, v)) for label in labels for v in attribute.values]
    return codes, [Slice(label) for label in labels]
