"""Time in the engine, exact to the microsecond.

Ibis' `epoch_seconds` says it is an integer and comes back from DuckDB as a fraction; differences
of timestamps are intervals whose unit depends on the engine. Whole microseconds since 1970 are the
same everywhere.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import numpy as np
from numpy.typing import NDArray

__all__ = ["DAY", "SECOND", "day_since", "from_micros", "micros", "to_micros"]

SECOND = 1_000_000
DAY = 86_400 * SECOND


@ibis.udf.scalar.builtin(  # type: ignore[untyped-decorator]
    name="epoch_us", signature=((dt.timestamp,), dt.int64)
)
def _epoch_us(_: Any) -> Any: ...


def micros(column: Any) -> Any:
    """Microseconds since 1970 UTC of a timestamp column."""
    return _epoch_us(column)


def day_since(time: Any, start: Any) -> Any:
    """Whole days of 24 hours from `start` to `time`; negative before it. Both in microseconds."""
    return ((time - start) / float(DAY)).floor().cast("int32")


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970 of a moment; without a zone it is UTC.

    >>> to_micros(datetime(1970, 1, 2))
    86400000000
    """
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def from_micros(values: NDArray[np.int64]) -> NDArray[np.datetime64]:
    """Turn microseconds since 1970 into datetime64[us]."""
    return values.astype("datetime64[us]")
