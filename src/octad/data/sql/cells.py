"""From users' numbers in the engine to cells: only counts, means and second moments come over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from octad.data.sql.layout import ROLES, Key, Unit
from octad.data.sql.people import IntArray
from octad.data.sql.units import Units
from octad.data.tape import Tape
from octad.errors import DataError
from octad.stats.moments import Moments

__all__ = ["Cut", "cells", "cells_by", "chosen", "moments_of"]

FloatArray = NDArray[np.float64]
_PLAIN = ("y", "x")


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a metric's users are cut, after exposure and before; None where they are not."""

    after: float | None = None
    before: float | None = None


def chosen(tape: Tape, units: Units, cuts: Mapping[Key, Cut], name: str) -> ibis.Table:
    """The rows of some metrics, each cut where it should be.

    Args:
        tape: Puts the cuts into the engine.
        units: The users' numbers.
        cuts: By metric; all that are named come back.
        name: What the table of cuts is called there.
    """
    table = units.of(cuts)
    if not any(cut != Cut() for cut in cuts.values()):
        return table
    listed = tape.place(
        name,
        pa.table(
            {
                "metric": pa.array([units.number(key) for key in cuts], pa.int32()),
                "cut_y": pa.array([cut.after for cut in cuts.values()], pa.float64()),
                "cut_x": pa.array([cut.before for cut in cuts.values()], pa.float64()),
            }
        ),
    )
    joined = table.join(listed, "metric")
    return joined.mutate(
        y=ibis.ifelse(joined.y > joined.cut_y, joined.cut_y, joined.y),
        x=ibis.ifelse(joined.x > joined.cut_x, joined.cut_x, joined.x),
    ).drop("cut_y", "cut_x")


def cells(
    tape: Tape,
    units: Units,
    table: ibis.Table,
    keys: Sequence[Key],
    by: Sequence[str] = ("code", "bucket"),
) -> tuple[dict[Key, pa.Table], str]:
    """Moments of metrics within groups, over the users who have rows.

    Args:
        tape: Runs the queries.
        units: The users' numbers.
        table: Their rows, from `chosen`.
        keys: The metrics.
        by: What is grouped by.

    Returns:
        By metric: the groups, `n`, a mean by column (`y`) and a covariance by pair (`yx`); and the
        digest of the query.
    """
    found: dict[Key, pa.Table] = {}
    digest = ""
    plain = [key for key in keys if units.units[units.number(key)].plain]
    for some, roles in ((plain, _PLAIN), ([k for k in keys if k not in plain], ROLES)):
        if not some:
            continue
        numbers = {units.number(key): key for key in some}
        rows = table.filter(table.metric.isin(list(numbers)))
        got, digest = cells_by(tape, "moments of metrics", rows, roles, ("metric", *by))
        metric = got["metric"].to_numpy()
        for number, key in numbers.items():
            found[key] = got.filter(pa.array(metric == number))
    return found, digest


def cells_by(
    tape: Tape, what: str, rows: ibis.Table, columns: Sequence[str], by: Sequence[str]
) -> tuple[pa.Table, str]:
    """Count, means and covariances (over n) of columns within groups."""
    sums: dict[str, Any] = {"n": rows.count()}
    sums |= {column: rows[column].mean() for column in columns}
    for one, two in combinations_with_replacement(columns, 2):
        sums[one + two] = (
            rows[one].var(how="pop") if one == two else rows[one].cov(rows[two], how="pop")
        )
    return tape.read(what, rows.group_by(*by).agg(**sums))


def moments_of(unit: Unit, rows: pa.Table, at: tuple[IntArray, ...], counts: IntArray) -> Moments:
    """Cells of one metric, users without rows and all.

    Args:
        unit: The metric.
        rows: Of users with rows, from `cells`.
        at: Where in `counts` each row lies.
        counts: Users of each cell, with a row or without.

    Raises:
        DataError: When values are infinite, or too large to square.
    """
    shape = counts.shape
    n = np.zeros(shape)
    mean = np.zeros((*shape, 4))
    comoment = np.zeros((*shape, 4, 4))
    n[at] = rows["n"].to_numpy()
    place: tuple[Any, ...] = at
    known: tuple[str, ...] = _PLAIN if unit.plain else ROLES
    for one, two in combinations_with_replacement(known, 2):
        i, j = ROLES.index(one), ROLES.index(two)
        if i == j:
            mean[(*place, i)] = rows[one].to_numpy()
        comoment[(*place, i, j)] = rows[one + two].to_numpy() * rows["n"].to_numpy()
        comoment[..., j, i] = comoment[..., i, j]
    if not (np.isfinite(mean).all() and np.isfinite(comoment).all()):
        raise DataError(
            f"the metric '{unit.key[1]}' has values that cannot be reckoned with: they are "
            "infinite, no numbers, or too large to square.",
            mend="Look at its column's largest values, or winsorize it.",
        )
    nothing = np.array([0.0, 1.0, 0.0, 1.0]) if unit.plain else np.zeros(4)
    if unit.plain:
        mean[..., (1, 3)] = np.where(n > 0, 1.0, 0.0)[..., None]
    return _with_absent(Moments(n, mean, comoment), counts - n, nothing)


def _with_absent(present: Moments, absent: FloatArray, row: FloatArray) -> Moments:
    """Add so many equal rows to each group, by the update of Chan, Golub and LeVeque (1979)."""
    there = (absent > 0)[..., None]
    mean = np.where(there, row, 0.0)
    return present + Moments(absent, mean, np.zeros_like(present.comoment))
