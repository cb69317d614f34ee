"""How deep visits are: whether anything but the KPI's own events happens in them."""

from __future__ import annotations

from typing import Any

import ibis
import numpy as np

from octad.data.clock import SECOND, micros
from octad.data.expression import condition
from octad.data.population import BUCKETS, bucket_hex, buckets_from_hex
from octad.data.tape import Tape
from octad.model.inputs import Visits
from octad.model.metric import CountMetric

__all__ = ["MOST_USERS", "some_users", "visits_of"]

MOST_USERS = 60_000
"""Users whose visits are read: order needs the events themselves."""
_GAP = 30 * 60 * SECOND
_DIGITS = 3


def some_users(table: ibis.Table, users: int, most: int) -> ibis.Table:
    """About `most` of the users, chosen by other digits of the hash than those of the bucket.

    Args:
        table: With a column `user`.
        users: How many there are.
        most: How many are wanted; all when there are no more.
    """
    if users <= most:
        return table
    below = f"{max(1, round(16**_DIGITS * most / users)):0{_DIGITS}x}"
    return table.filter(table.user.hexdigest("md5").substr(_DIGITS, _DIGITS) < below)


def visits_of(
    tape: Tape,
    who: ibis.Table,
    events: ibis.Table,
    metric: CountMetric,
    *,
    arms: int,
    users: int,
    until: int,
) -> Visits | None:
    """Count visits, and the KPI's events in them, by arm and bucket.

    A visit ends after 30 quiet minutes; it is shallow when nothing but the KPI's own events
    happened in it. Only users whose window has ended count, and only what they did within it.

    Args:
        tape: Runs the queries.
        who: The users compared: user, code (arm), exposed (microseconds).
        events: user, time, event, and what the metric's condition names.
        metric: The KPI.
        arms: How many arms; `users` how many users; `until` the first moment not observed.
        users: See `arms`.
        until: See `arms`.

    Returns:
        None when nobody's window has ended.
    """
    window = None if metric.window is None else round(metric.window.total_seconds()) * SECOND
    chosen = some_users(who.select("user", "code", "exposed"), users, MOST_USERS)
    if window is not None:
        chosen = chosen.filter(chosen.exposed + window <= until)
    chosen = tape.step("visitors", chosen.mutate(hex=bucket_hex(chosen.user)))
    people, _ = tape.read(
        "users whose visits are read",
        chosen.group_by("code", "hex").agg(users=chosen.count()),
    )
    if not people.num_rows:
        return None
    rows, key = tape.read("visits and what was done in them", _by_bucket(chosen, events, metric,
                          window, until))  # fmt: skip
    found = {name: _grid(rows, name, arms) for name in ("visits", "shallow", "kpi", "kpi_shallow")}
    return Visits(**found, users=_grid(people, "users", arms), query=key)


def _by_bucket(
    chosen: ibis.Table, events: ibis.Table, metric: CountMetric, window: int | None, until: int
) -> ibis.Table:
    own = events.event.isin(metric.count)
    if metric.where is not None:
        own = own & condition(events, metric.where).fill_null(False)
    marked = events.select(user=events.user, at=micros(events.time), own=own.fill_null(False))
    t = marked.join(chosen, "user")
    t = t.filter((t.at >= t.exposed) & (t.at < until))
    if window is not None:
        t = t.filter(t.at < t.exposed + window)
    t = t.select("user", "code", "hex", "at", "own")
    before = t.at.lag().over(ibis.window(group_by=t.user, order_by=t.at))
    t = t.mutate(opens=(before.isnull() | (t.at - before > _GAP)).cast("int64"))
    t = t.mutate(
        visit=t.opens.sum().over(
            ibis.window(group_by=t.user, order_by=t.at, preceding=None, following=0)
        )
    )
    visits = t.group_by("code", "hex", "user", "visit").agg(
        own=t.count(where=t.own), other=t.count(where=~t.own)
    )
    return visits.group_by("code", "hex").agg(
        visits=visits.count(),
        shallow=visits.count(where=visits.other == 0),
        kpi=visits.own.sum(),
        kpi_shallow=visits.own.sum(where=visits.other == 0).fill_null(0),
    )


def _grid(rows: Any, column: str, arms: int) -> Any:
    """(A, B) sums by arm and bucket."""
    out = np.zeros((arms, BUCKETS))
    at = (rows["code"].to_numpy().astype(np.int64), buckets_from_hex(rows["hex"]))
    np.add.at(out, at, rows[column].to_numpy().astype(np.float64))
    return out
