"""From days to one number per user, in long form: a row for each user and metric with any event.

Many columns per user are very dear in every engine that was tried; few columns and many rows are
not. Whoever has no row has 0 (or 1), and is counted, not stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import pyarrow as pa

from octad.data.primitives import Part
from octad.data.sql.layout import ROLES, Key, Kind, Layout, Unit, spans
from octad.data.sql.people import IntArray
from octad.data.sql.seen import Seen
from octad.data.tape import Tape

__all__ = ["Units", "make_units"]


@dataclass(frozen=True, slots=True)
class Units:
    """The table of users' numbers.

    Attributes:
        table: uid, metric (number), code, bucket, y, d, x, w and the attributes; only users whose
            window has ended.
        units: What each metric number is.
        ended: By reach: (A, B) users whose window has ended, with a row or without.
    """

    table: ibis.Table
    units: tuple[Unit, ...]
    ended: Mapping[int | None, IntArray]
    seen: Seen

    def number(self, key: Key) -> int:
        """The number of a metric."""
        return next(i for i, unit in enumerate(self.units) if unit.key == key)

    def of(self, keys: Iterable[Key]) -> ibis.Table:
        """The rows of some metrics."""
        wanted = set(keys)
        numbers = [i for i, unit in enumerate(self.units) if unit.key in wanted]
        return self.table.filter(self.table.metric.isin(numbers))


def make_units(
    tape: Tape,
    seen: Seen,
    units: Sequence[Unit],
    *,
    free: Sequence[ibis.Table] = (),
    attributes: ibis.Table | None = None,
) -> Units:
    """Add up days by user and metric.

    Args:
        tape: Runs the queries.
        seen: What the one read left.
        units: The metrics.
        free: Further rows for those that are `free`: uid, metric, role, value.
        attributes: uid and codes to be kept beside each row.
    """
    parts = [
        (number, role, part, unit.others)
        for number, unit in enumerate(units)
        for role, part in unit.parts()
    ]
    long = list(free)
    if any(part.how != "days" for _, _, part, _ in parts):
        long.append(_summed(tape, seen, [p for p in parts if p[2].how != "days"]))
    if any(part.how == "days" for _, _, part, _ in parts):
        long.append(_counted(tape, seen, [p for p in parts if p[2].how == "days"]))
    rows = long[0] if len(long) == 1 else ibis.union(*long)
    sums = {
        role: rows.value.sum(where=rows.role == i).fill_null(0.0) for i, role in enumerate(ROLES)
    }
    table = rows.group_by("uid", "metric").agg(**sums)
    kinds = tape.place("metrics", _metrics(units))
    table = table.join(kinds, "metric")
    whose = seen.people.table.select("uid", "code", "bucket", "exposed")
    table = table.join(whose, "uid")
    table = table.filter(table.reach.isnull() | seen.people.has_ended(table, table.reach))
    table = table.select(
        "uid",
        "metric",
        "code",
        "bucket",
        y=ibis.ifelse(table.any, ibis.ifelse(table.y > 0, 1.0, 0.0), table.y),
        d=ibis.ifelse(table.plain, 1.0, table.d),
        x=ibis.ifelse(table.any, ibis.ifelse(table.x > 0, 1.0, 0.0), table.x),
        w=ibis.ifelse(table.plain, 1.0, table.w),
    )
    if attributes is not None:
        table = table.join(attributes, "uid")
    ended = seen.people.ended(tape, (unit.reach for unit in units))
    return Units(tape.step("units", table), tuple(units), ended, seen)


def _metrics(units: Sequence[Unit]) -> pa.Table:
    return pa.table(
        {
            "metric": pa.array(range(len(units)), pa.int32()),
            "reach": pa.array([unit.reach for unit in units], pa.int64()),
            "any": pa.array([unit.y is not None and unit.y.how == "any" for unit in units]),
            "plain": pa.array([unit.plain for unit in units]),
        }
    )


_Wanted = tuple[int, int, Part, bool]


def _summed(tape: Tape, seen: Seen, parts: Sequence[_Wanted]) -> ibis.Table:
    """Sums over runs of days: days are added up to runs first, of which each part takes some."""
    layout, runs = seen.layout, spans(part for _, _, part, _ in parts)
    t = seen.days
    t = t.mutate(run=ibis.cases(*[(t.day < last, i) for i, (_, last) in enumerate(runs)], else_=-1))
    t = t.filter((t.day >= runs[0][0]) & (t.run >= 0)).mutate(run=lambda t: t.run.cast("int32"))
    added = t.group_by("uid", "run", *layout.keys).agg(**{s: t[s].sum() for s in layout.sums})
    terms = [
        (run, *place)
        for place, part in _places(layout, seen.kinds, parts)
        for run, (first, last) in enumerate(runs)
        if part.first <= first and last <= part.last
    ]
    names = ("run", *layout.keys, "metric", "role", "pick")
    listed = tape.place("terms", _table(names, terms, layout))
    joined = added.join(listed, ["run", *layout.keys])
    return joined.select("uid", "metric", "role", value=layout.picked(joined))


def _counted(tape: Tape, seen: Seen, parts: Sequence[_Wanted]) -> ibis.Table:
    """Days on which something was done: each day counts once, of however many kinds it was."""
    layout = seen.layout
    terms = [(*place, part.first, part.last) for place, part in _places(layout, seen.kinds, parts)]
    names = (*layout.keys, "metric", "role", "pick", "first", "last")
    listed = tape.place("day_terms", _table(names, terms, layout))
    joined = seen.days.join(listed, [*layout.keys])
    joined = joined.filter((joined.day >= joined.first) & (joined.day < joined.last))
    joined = joined.select("uid", "day", "metric", "role", value=layout.picked(joined))
    by_day = joined.group_by("uid", "day", "metric", "role").agg(value=joined.value.sum())
    done = by_day.filter(by_day.value > 0)
    return done.select("uid", "metric", "role", value=ibis.literal(1.0))


def _places(
    layout: Layout, kinds: Sequence[Kind], parts: Sequence[_Wanted]
) -> Iterable[tuple[tuple[Any, ...], Part]]:
    """Which kinds each part takes."""
    for number, role, part, others in parts:
        pick = layout.pick(part.primitive)
        for kind in kinds:
            if layout.counts(part.primitive, kind, others=others):
                yield (kind.name, *kind.masks, number, role, pick), part


def _table(names: Sequence[str], rows: Sequence[tuple[Any, ...]], layout: Layout) -> pa.Table:
    types = {name: pa.int64() if name in layout.masks else pa.int32() for name in names}
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    return pa.table(
        {name: pa.array(values, types[name]) for name, values in zip(names, columns, strict=True)}
    )
