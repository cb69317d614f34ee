"""Tables to files, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

__all__ = ["write_table"]

_ROW_GROUP = 500_000


@runtime_checkable
class Coded(Protocol):
    """A column of few distinct texts: codes into names, -1 for nothing."""

    codes: NDArray[np.int32]
    names: tuple[str, ...]


def _arrow(column: Any) -> pa.Array:
    if isinstance(column, Coded):
        codes = np.asarray(column.codes)
        indices = pa.array(codes, mask=codes < 0)
        return pa.DictionaryArray.from_arrays(indices, pa.array(list(column.names)))
    values = np.asarray(column)
    if values.dtype == object or values.dtype.kind in "US":
        return pa.array(values.tolist(), type=pa.string())
    if values.dtype.kind == "f":
        return pa.array(values, mask=np.isnan(values))
    return pa.array(values)


def write_table(
    columns: Mapping[str, Any], path: Path, progress: Callable[[str, float], None] | None = None
) -> int:
    """Write a table as Parquet or CSV, by the file's ending.

    Args:
        columns: Name to a numpy array, or to a column of codes and names; all of one length.
        path: Where to; its folder is made. A file that was there is replaced in one step.
        progress: Told the file's name and the share that is written.

    Returns:
        How many rows were written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table({name: _arrow(column) for name, column in columns.items()})
    part = path.with_name(f".{path.name}.part")
    try:
        if path.suffix == ".csv":
            pacsv.write_csv(_plain(table), part)
        else:
            with pq.ParquetWriter(part, table.schema, compression="zstd") as writer:
                for start in range(0, max(1, len(table)), _ROW_GROUP):
                    writer.write_table(table.slice(start, _ROW_GROUP))
                    if progress is not None:
                        progress(path.name, min(1.0, (start + _ROW_GROUP) / max(1, len(table))))
        os.replace(part, path)  # noqa: PTH105 - the same, and says "in one step"
    finally:
        part.unlink(missing_ok=True)
    return len(table)


def _plain(table: pa.Table) -> pa.Table:
    """CSV has no dictionaries."""
    fields = []
    for name in table.column_names:
        column = table[name]
        if pa.types.is_dictionary(column.type):
            column = column.cast(pa.string())
        fields.append(column)
    return pa.table(dict(zip(table.column_names, fields, strict=True)))
