"""Funnels, which need the order of events, and quantiles, which need their values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from octad.data.fold_order import MOST_VALUES
from octad.data.population import BUCKETS
from octad.data.primitives import Primitive
from octad.data.sql.layout import Kind
from octad.data.sql.people import IntArray
from octad.data.sql.ranks import values_at
from octad.data.sql.seen import Seen
from octad.data.tape import Tape
from octad.model.inputs import Quantiles
from octad.model.metric import FunnelMetric, QuantileMetric
from octad.stats.moments import Moments
from octad.stats.quantiles import bracket, error_of, rank_of

__all__ = ["Read", "funnel_rows", "quantiles_of"]


FloatArray = NDArray[np.float64]


def _micros(span: timedelta | None) -> int | None:
    return None if span is None else span // timedelta(microseconds=1)


def _chosen(seen: Seen, primitive: Primitive) -> ibis.Table:
    """The events of users compared that a primitive counts."""
    t, layout = seen.compared, seen.layout
    held = [kind for kind in seen.kinds if layout.counts(primitive, kind)]
    return t.filter(_among(t, layout.masks, held))


def _among(t: ibis.Table, masks: Sequence[str], kinds: Sequence[Kind]) -> Any:
    if not masks:
        return t.name.isin([kind.name for kind in kinds])
    by_mask: dict[tuple[int, ...], list[int]] = {}
    for kind in kinds:
        by_mask.setdefault(kind.masks, []).append(kind.name)
    parts = [
        ibis.and_(t.name.isin(names), *(t[m] == v for m, v in zip(masks, values, strict=True)))
        for values, names in by_mask.items()
    ]
    return ibis.or_(*parts) if parts else ibis.literal(False)


def funnel_rows(seen: Seen, number: int, metric: FunnelMetric, back: int) -> ibis.Table:
    """Who entered a funnel and who got through, after exposure and before it.

    Args:
        seen: What the one read left.
        number: Of the metric, in the table of users' numbers.
        metric: The funnel.
        back: Microseconds before exposure that make the pre-period.

    Returns:
        uid, metric, role, value: a row for each that is 1.
    """
    events = tuple(dict.fromkeys(event for step in metric.funnel for event in step))
    t = _chosen(seen, Primitive(events, where=metric.where))
    end = _micros(metric.window)
    t = t.filter((t.since >= -back) & ((t.since < end) if end is not None else True))
    places = {name: i for i, name in enumerate(seen.layout.names)}
    steps = [tuple(places[event] for event in step) for step in metric.funnel]
    t = t.select("uid", after=t.since >= 0, at=t.since, event=t.name)
    done = _steps_done(t, steps, within=_micros(metric.within) or 0)
    parts = [
        done.filter(done[what] & (done.after == after)).select(
            "uid",
            metric=ibis.literal(number, "int32"),
            role=ibis.literal(role, "int32"),
            value=ibis.literal(1.0),
        )
        for role, (what, after) in enumerate(
            (("through", True), ("entered", True), ("through", False), ("entered", False))
        )
    ]
    return ibis.union(*parts)


def _steps_done(t: ibis.Table, steps: Sequence[tuple[Any, ...]], *, within: int) -> ibis.Table:
    """Which users entered a funnel and which got through it in time.

    Each row carries the latest moment at which a run through the funnel began that has come as far
    as the row's step. The latest beginning is the one with the most time left, so no run that
    would have been in time is missed.

    Args:
        t: uid, after (whether after exposure), at (microseconds), event.
        steps: For each step, the events that are it.
        within: Microseconds from the first step to the last.

    Returns:
        uid, after, entered, through.
    """
    so_far: Any = t.at
    for i, step in enumerate(steps):
        hit = t.event.isin(step)
        t = t.mutate(**{f"hit{i}": ibis.ifelse(hit, so_far, ibis.null("int64"))})
        if i == len(steps) - 1:
            break
        t = t.mutate(**{f"run{i}": t[f"hit{i}"].max().over(_up_to_here(step, steps[i + 1]))})
        so_far = t[f"run{i}"]
    final = t[f"hit{len(steps) - 1}"]
    through = final.notnull() & (t.at - final <= within)
    return t.group_by("uid", "after").agg(
        entered=t.hit0.notnull().any(), through=through.fill_null(False).any()
    )


def _up_to_here(step: tuple[Any, ...], following: tuple[Any, ...]) -> Any:
    """The rows that may come before the next step.

    A step at the very moment of the one before counts, so events of one moment are taken
    together. Where one event may be both steps, it must not be both at once.
    """
    group = ["uid", "after"]
    if set(step) & set(following):
        return ibis.window(group_by=group, order_by="at", preceding=(None, 1))
    return ibis.range_window(group_by=group, order_by="at", preceding=None, following=0)


@dataclass(frozen=True, slots=True)
class Read:
    """A quantile metric: its numbers, users whose window has not ended, the query's digest."""

    quantiles: Quantiles
    waiting: int
    query: str


def quantiles_of(tape: Tape, seen: Seen, name: str, metric: QuantileMetric) -> Read:
    """A quantile over events by arm, with errors clustered by user.

    Three small answers make it: the quantile by rank, the counts of each user below it (only their
    sums and squares come over, exact as whole numbers), and the two values that bracket it.
    """
    people, arms = seen.people, len(seen.people.arms)
    column = seen.layout.columns.index(metric.of)
    t = _chosen(seen, Primitive(metric.on or (), metric.of, where=metric.where))
    value = t[f"v{column}"]
    t = t.filter((t.since >= 0) & value.notnull() & ~value.isnan() & ~value.isinf())
    t = t.select("uid", "code", "bucket", "since", value=value)
    window, waiting = _micros(metric.window), 0
    if window is not None:
        whose = people.table.select("uid", "exposed")
        t = t.filter(t.since < window).join(whose, "uid")
        t = t.filter(people.has_ended(t, window))
        waiting = people.n - int(people.ended(tape, [window])[window].sum())
    rough = int(tape.read(f"how many values of {name}", t.agg(n=t.count()))[0]["n"][0].as_py())
    if rough > MOST_VALUES:
        t = t.filter(t.bucket < max(1, int(BUCKETS * MOST_VALUES / rough)))
    kept = tape.step("quantile_values", t.select("uid", "code", "value"))
    sizes, key = tape.read(
        f"values of {metric.of}",
        kept.group_by("code").agg(n=kept.count(), users=kept.uid.nunique()),
    )
    events = np.zeros(arms, dtype=np.int64)
    users = np.zeros(arms, dtype=np.int64)
    at = sizes["code"].to_numpy()
    events[at], users[at] = sizes["n"].to_numpy(), sizes["users"].to_numpy()
    out = _with_errors(tape, kept, metric.quantile, events, users)
    return Read(Quantiles(out[0], out[1], users), waiting, key)


def _with_errors(
    tape: Tape, t: ibis.Table, p: float, events: IntArray, users: IntArray
) -> FloatArray:
    counted = t.group_by(group=t.code, value=t.value).agg(times=t.count())
    able = [a for a in range(len(events)) if users[a] > 1]
    ranks = {a: rank_of(p, int(events[a])) for a in able}
    found = values_at(tape, "values at the quantile", counted, ranks.items())
    level = {a: found[a, ranks[a]] for a in able}
    out = np.full((2, len(events)), np.nan)
    if not able:
        return out
    shares = _shares(tape, t, level)
    ends = {a: bracket(shares[a], p) for a in able}
    asked = {(a, side): rank_of(ends[a][side], int(events[a])) for a in able for side in (0, 1)}
    edges = values_at(
        tape, "values that bracket the quantile", counted, [(a, r) for (a, _), r in asked.items()]
    )
    for a in able:
        low, high = (edges[a, asked[a, side]] for side in (0, 1))
        out[0, a], out[1, a] = level[a], error_of(level[a], (low, high))
    return out


def _shares(tape: Tape, t: ibis.Table, level: Mapping[int, float]) -> dict[int, Moments]:
    """Moments over users of their events below the quantile, and of all their events."""
    edges = tape.place(
        "quantile_levels",
        pa.table(
            {
                "code": pa.array(list(level), pa.int32()),
                "edge": pa.array(list(level.values()), pa.float64()),
            }
        ),
    )
    joined = t.join(edges, "code")
    own = joined.group_by("uid", "code").agg(
        below=joined.count(where=joined.value <= joined.edge), events=joined.count()
    )
    rows, _ = tape.read(
        "users' events below the quantile",
        own.group_by("code").agg(
            n=own.count(),
            b=own.below.sum(),
            e=own.events.sum(),
            bb=(own.below * own.below).sum(),
            be=(own.below * own.events).sum(),
            ee=(own.events * own.events).sum(),
        ),
    )
    found = {}
    for row in rows.to_pylist():
        n, b, e = row["n"], row["b"], row["e"]
        # In whole numbers up to the division, so that nothing cancels.
        bb, be, ee = (
            (n * row[k] - s) / n for k, s in (("bb", b * b), ("be", b * e), ("ee", e * e))
        )
        found[row["code"]] = Moments(
            np.array(float(n)), np.array([b / n, e / n]), np.array([[bb, be], [be, ee]])
        )
    return found
