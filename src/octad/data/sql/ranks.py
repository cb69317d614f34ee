"""Order statistics in the engine, exact and the same on every engine.

Engines disagree about percentiles (some interpolate, some only estimate), so they are read off
running counts of equal values: the value of rank r is the smallest up to which more than r rows
lie.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import ibis
import numpy as np
import pyarrow as pa

from octad.data.tape import Tape

__all__ = ["inverted_rank", "linear_ranks", "values_at"]


def inverted_rank(n: int, level: float) -> int:
    """The rank, from 0, of the smallest value that a share `level` of n does not exceed.

    As `numpy.quantile` with ``method="inverted_cdf"`` reckons it (Hyndman and Fan 1996, 1).

    >>> inverted_rank(4, 0.75)
    2
    """
    at = n * level - 1.0
    return max(int(np.ceil(at)), 0)


def linear_ranks(n: int, level: float) -> tuple[int, int, float]:
    """The two ranks between which the default quantile of n values lies, and how far along.

    >>> linear_ranks(5, 0.5)
    (2, 3, 0.0)
    """
    at = (n - 1) * level
    low = int(np.floor(at))
    return low, min(low + 1, n - 1), at - low


def values_at(
    tape: Tape, what: str, values: ibis.Table, asked: Iterable[tuple[int, int]]
) -> Mapping[tuple[int, int], float]:
    """Values of given ranks within groups.

    Args:
        tape: Runs the query.
        what: What it is for.
        values: group, value, times; a value may come in several rows.
        asked: Group and rank, from 0.

    Returns:
        By group and rank; nothing for ranks that a group does not reach.
    """
    pairs = sorted(set(asked))
    if not pairs:
        return {}
    counted = values.group_by("group", "value").agg(times=values.times.sum())
    running = counted.mutate(
        upto=counted.times.sum().over(ibis.cumulative_window(group_by="group", order_by="value"))
    )
    wanted = tape.place(
        "ranks",
        pa.table(
            {
                "group": pa.array([g for g, _ in pairs], pa.int32()),
                "rank": pa.array([r for _, r in pairs], pa.int64()),
            }
        ),
    )
    hit = running.join(wanted, "group")
    hit = hit.filter((hit.rank < hit.upto) & (hit.rank >= hit.upto - hit.times))
    rows, _ = tape.read(what, hit.select("group", "rank", "value"))
    return {(r["group"], r["rank"]): float(r["value"]) for r in rows.to_pylist()}
