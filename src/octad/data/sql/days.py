"""Days since exposure and days of the calendar, added up in the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from octad.data.clock import DAY
from octad.data.primitives import Primitive, Recipe
from octad.data.sql.cells import cells_by
from octad.data.sql.layout import Kind, Layout
from octad.data.sql.people import People
from octad.data.sql.seen import Seen
from octad.data.tape import Tape
from octad.model.inputs import Retention, Volume
from octad.stats.moments import Moments

__all__ = ["Drawn", "daily_of", "retention_of", "volume_of"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A metric day by day.

    Attributes:
        moments: Leading shape (A, D), columns `octad.model.inputs.COLUMNS`, no pre-period.
        by_bucket: (A, B, D, 3) users observed through the day, the sum of y, and of d.
    """

    moments: Moments
    by_bucket: FloatArray


def _watched(people: People) -> IntArray:
    """(A, B, D) users who were observed through each day since exposure."""
    last = int(people.seen.max(initial=0))
    counts = np.zeros((last + 1, *people.counts.shape), dtype=np.int64)
    inside = people.seen >= 0
    counts[people.seen[inside]] = people.seen_counts[inside]
    through = counts[::-1].cumsum(axis=0)[::-1][1:]
    return np.ascontiguousarray(np.moveaxis(through, 0, -1))


def _whole(seen: Seen) -> ibis.Table:
    """Days since exposure that were observed to their end."""
    t = seen.days
    whose = seen.people.table.select("uid", "exposed")
    t = t.filter(t.day >= 0).join(whose, "uid")
    end = t.exposed + (t.day.cast("int64") + 1) * DAY
    return t.filter(end <= seen.people.frame.until)


def retention_of(tape: Tape, seen: Seen) -> Retention:
    """Users with any event on each day since exposure, of those observed through it."""
    t = _whole(seen)
    there = t.select("uid", "code", "bucket", "day").distinct()
    rows, key = tape.read(
        "users active by day since exposure",
        there.group_by("code", "bucket", "day").agg(active=there.count()),
    )
    watched = _watched(seen.people)
    active = np.zeros_like(watched)
    active[tuple(rows[c].to_numpy() for c in ("code", "bucket", "day"))] = rows["active"].to_numpy()
    return Retention(
        days=np.arange(watched.shape[-1]),
        active=active.sum(axis=1),
        observed=watched.sum(axis=1),
        by_bucket=np.stack([active, watched], axis=-1),
        query=key,
    )


def daily_of(tape: Tape, seen: Seen, recipes: Mapping[str, Recipe]) -> tuple[dict[str, Drawn], str]:
    """Each metric by arm, bucket and day since exposure, over users observed through the day."""
    names = [name for name, made in recipes.items() if made.daily]
    if not names:
        return {}, ""
    layout = seen.layout
    terms = [
        (kind.name, *kind.masks, i, role, layout.pick(primitive), recipes[name].daily_any)
        for i, name in enumerate(names)
        for role, primitive in enumerate(recipes[name].daily)
        for kind in seen.kinds
        if layout.counts(primitive, kind)
    ]
    listed = tape.place("daily_terms", _terms(layout, terms))
    t = _whole(seen).join(listed, [*layout.keys])
    t = t.select("uid", "code", "bucket", "day", "metric", "role", "any", value=layout.picked(t))
    own = t.group_by("uid", "code", "bucket", "day", "metric", "any").agg(
        y=t.value.sum(where=t.role == 0).fill_null(0.0),
        d=t.value.sum(where=t.role == 1).fill_null(0.0),
    )
    own = own.mutate(y=ibis.ifelse(own.any, ibis.ifelse(own.y > 0, 1.0, 0.0), own.y))
    kept = tape.step("by_day", own)
    rows, key = cells_by(
        tape,
        "moments by day since exposure",
        kept,
        ("y", "d"),
        ("metric", "code", "bucket", "day"),
    )
    watched = _watched(seen.people)
    metric = rows["metric"].to_numpy()
    found = {}
    for i, name in enumerate(names):
        mine = rows.filter(pa.array(metric == i))
        found[name] = _drawn(mine, watched, ratio=len(recipes[name].daily) == 2)
    return found, key


def _terms(layout: Layout, rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    names = (*layout.keys, "metric", "role", "pick", "any")
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    kinds = {name: pa.int64() for name in layout.masks} | {"any": pa.bool_()}
    return pa.table(
        {
            name: pa.array(values, kinds.get(name, pa.int32()))
            for name, values in zip(names, columns, strict=True)
        }
    )


def _drawn(rows: pa.Table, watched: IntArray, *, ratio: bool) -> Drawn:
    at = tuple(rows[c].to_numpy() for c in ("code", "bucket", "day"))
    n = np.zeros(watched.shape)
    n[at] = rows["n"].to_numpy()
    mean, comoment = np.zeros((*n.shape, 4)), np.zeros((*n.shape, 4, 4))
    mean[..., (1, 3)] = (n > 0)[..., None]
    places = (("y", 0), ("d", 1)) if ratio else (("y", 0),)
    for column, i in places:
        mean[(*at, i)] = rows[column].to_numpy()
        comoment[(*at, i, i)] = rows[column * 2].to_numpy() * n[at]
    if ratio:
        comoment[(*at, 0, 1)] = comoment[(*at, 1, 0)] = rows["yd"].to_numpy() * n[at]
    absent = watched - n
    nothing = np.array([0.0, 0.0 if ratio else 1.0, 0.0, 1.0])
    rest = np.where((absent > 0)[..., None], nothing, 0.0)
    moments = Moments(n, mean, comoment) + Moments(absent, rest, np.zeros_like(comoment))
    sums = np.stack([moments.n, moments.mean[..., 0] * moments.n, moments.mean[..., 1] * moments.n])
    total = moments.total(1)
    # What is 1 for every user is 1 where there are none, too: it may stand below a line.
    total.mean[..., (3,) if ratio else (1, 3)] = 1.0
    return Drawn(total, np.moveaxis(sums, 0, -1))


def volume_of(tape: Tape, seen: Seen, totals: Mapping[str, Primitive]) -> Volume:
    """Events by calendar day and arm, among the exposed and after their exposure.

    Args:
        tape: Runs the queries.
        seen: What the one read left.
        totals: Metrics whose sums are wanted too, each with what it adds up.
    """
    layout = seen.layout
    t = seen.compared
    t = t.filter(t.since >= 0)
    counted = t.group_by("on", "code", *layout.keys).agg(**layout.added(t))
    sums, _ = tape.read("events by calendar day and kind", counted)
    seen_by, _ = tape.read(
        "events by calendar day",
        t.group_by("on", "code").agg(events=t.count(), users=t.uid.nunique()),
    )
    days, index = np.unique(seen_by["on"].to_numpy(), return_inverse=True)
    shape = (len(days), len(seen.people.arms))
    out = np.zeros((2, *shape))
    at = (index, seen_by["code"].to_numpy())
    out[0][at], out[1][at] = seen_by["events"].to_numpy(), seen_by["users"].to_numpy()
    kinds = [Kind(r["name"], tuple(r[m] for m in layout.masks)) for r in sums.to_pylist()]
    place = (np.searchsorted(days, sums["on"].to_numpy()), sums["code"].to_numpy())
    found = {}
    for name, primitive in totals.items():
        found[name] = np.zeros(shape)
        mine = np.array([layout.counts(primitive, kind) for kind in kinds], dtype=bool)
        values = sums[layout.sums[layout.pick(primitive)]].fill_null(0.0).to_numpy()
        np.add.at(found[name], (place[0][mine], place[1][mine]), values[mine])
    return Volume(days.astype("datetime64[D]"), out[0], out[1], found)
