"""What the end of a Parquet file says of its columns: often, that no row of it can be out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq

from octad.data.columns import COMMON_BLANKS
from octad.data.roles import NUMBERS, TIMES, Found
from octad.data.times import EARLIEST, LATEST

__all__ = ["Proof", "proof_of", "proven"]

_MARGIN = timedelta(days=2)
"""More than any time zone is away from UTC."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What must hold of a file's columns so that each of its rows is in.

    Attributes:
        words: Columns that must be text and say something in every row.
        counted: Columns of text that must be there in every row; what they say is counted, so that
            the words for nothing would be seen among it.
        whole: Columns, not text, that must be there in every row.
        times: Columns that must be there, and between the years there are times of.
    """

    words: frozenset[str]
    counted: frozenset[str]
    whole: frozenset[str]
    times: frozenset[str]


def proof_of(
    table: ir.Table, required: Mapping[str, Found | None], roles: Mapping[str, Found]
) -> Proof | None:
    """What a file's footer would have to say; None where no footer says it.

    Args:
        table: The rows as they lie in the files.
        required: The roles without which a row is out.
        roles: All roles that the table has.
    """
    kinds: dict[str, set[str]] = {f.name: set() for f in fields(Proof)}
    for role, found in required.items():
        column = None if found is None else _plain(table, found)
        if found is None or column is None:
            return None
        kind = found.value.type()
        if role in TIMES:
            if not isinstance(kind, dt.Timestamp):
                return None
            kinds["times"].add(column)
        elif isinstance(kind, dt.String):
            kinds["counted" if role == "event" else "words"].add(column)
        elif isinstance(kind, dt.Integer | dt.Boolean | dt.UUID):
            kinds["whole"].add(column)
        else:
            return None
    # A number that is written as text may be no number.
    if any(isinstance(roles[role].value.type(), dt.String) for role in NUMBERS & set(roles)):
        return None
    return Proof(**{kind: frozenset(columns) for kind, columns in kinds.items()})


def _plain(table: ir.Table, found: Found) -> str | None:
    """The column that a role is read from, where it is a column of the files and no more."""
    value = found.value.op()
    if len(found.columns) == 1 and isinstance(value, ops.Field) and value.name in table.columns:
        return str(value.name)
    return None


def proven(path: Path, proof: Proof) -> bool:
    """Whether a file's footer shows that all of its rows are in.

    DuckDB leaves row groups out by the same numbers, so nothing new is trusted here. What a footer
    does not say is not proven: then the rows are looked at.
    """
    try:
        return _proven(pq.read_metadata(path), proof)
    except (OSError, pa.ArrowException, ValueError, TypeError, OverflowError):
        return False


def _proven(footer: Any, proof: Proof) -> bool:
    places = {footer.schema.column(i).path: i for i in range(footer.num_columns)}
    wanted = proof.words | proof.counted | proof.whole | proof.times
    if not wanted <= set(places):
        return False
    for group in range(footer.num_row_groups):
        rows = footer.row_group(group)
        if not rows.num_rows:
            continue
        for column in wanted:
            said = rows.column(places[column]).statistics
            if said is None or not said.has_null_count or said.null_count:
                return False
            if column in proof.whole | proof.counted:
                continue
            if not said.has_min_max:
                return False
            if not (_says_something if column in proof.words else _in_time)(said.min, said.max):
                return False
    return True


def _says_something(low: Any, high: Any) -> bool:
    """Whether none of the words for nothing can lie between the least and the greatest."""
    if not (isinstance(low, str) and isinstance(high, str)):
        return False
    # Parquet orders text by its bytes.
    first, last = low.encode(), high.encode()
    return not any(first <= blank.encode() <= last for blank in COMMON_BLANKS)


def _in_time(low: Any, high: Any) -> bool:
    first, last = _moment(low), _moment(high)
    early = EARLIEST.replace(tzinfo=UTC) + _MARGIN
    return early <= first and last < LATEST.replace(tzinfo=UTC) - _MARGIN


def _moment(value: Any) -> datetime:
    if not isinstance(value, datetime):
        msg = "not a time"
        raise TypeError(msg)
    return value if value.tzinfo else value.replace(tzinfo=UTC)
