"""Attributes: what was known of users before exposure, as codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from octad.data.bands import (
    MOST_VALUES,
    NUMERIC_BANDS,
    TENURE,
    TENURES,
    UNKNOWN,
    USE,
    USE_LEVELS,
    WEEK,
    band_names,
    enough_use,
    few_words,
    number_names,
    use_names,
)
from octad.data.clock import micros
from octad.data.population import Population
from octad.data.tape import Tape
from octad.data.units import Units

__all__ = ["Attribute", "from_arrow", "from_behaviour", "from_table"]

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of every user compared: (n,) codes into `values`."""

    name: str
    values: tuple[str, ...]
    codes: IntArray


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
    names, code = few_words(values, np.bincount(codes, minlength=len(values)))
    return Attribute(name, names, code[codes])


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
    return Attribute(name, number_names(values, whole=bool(known.all())), codes)


def _bands(name: str, numbers: NDArray[np.float64]) -> Attribute | None:
    known = np.isfinite(numbers)
    if len(np.unique(numbers[known])) <= MOST_VALUES:
        return None
    edges = np.unique(np.quantile(numbers[known], np.linspace(0, 1, NUMERIC_BANDS + 1)[1:-1]))
    codes = np.searchsorted(edges, numbers, side="right")
    names = band_names(edges.tolist())
    codes = np.where(known, codes, len(names) - 1)
    return Attribute(name, names, codes.astype(np.int64))


def from_table(
    tape: Tape, population: Population, users: ibis.Table, names: tuple[str, ...]
) -> tuple[list[Attribute], dict[str, str]]:
    """Read attributes of the users compared.

    Returns:
        The attributes, and those refused with the reason: measured after exposure.
    """
    who = population.table.select("uid", "user", "exposed")
    joined = who.left_join(users, who.user == users.user)
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
    if not enough_use(int(used.sum()), len(used)):
        return []
    week_before = units.first_day < -WEEK
    bands = [Attribute(TENURE, TENURES, week_before.astype(np.int64))]
    half, top = np.quantile(actions[used], USE_LEVELS)
    if not 0 < half < top:
        return bands
    names = use_names(half, top, days)
    codes = np.where(used, 1 + (actions > half).astype(np.int64) + (actions > top), 0)
    bands.append(Attribute(USE, names, codes))
    return bands
