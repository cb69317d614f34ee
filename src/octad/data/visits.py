"""How deep visits are: whether anything that people come for happens in them, beside the KPI."""

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
from octad.model.plan import Plan

__all__ = ["MOST_USERS", "deep_events", "some_users", "visits_of"]

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


def deep_events(plan: Plan, metric: CountMetric) -> tuple[str, ...]:
    """Events that make a visit more than shallow: those of the charter's other jobs.

    The launch's own jobs do not count, or a feed that shows itself on every visit would make every
    visit deep. Without such jobs the answer is empty: then any event but the KPI's counts.
    """
    served = plan.launch.jobs
    jobs = plan.project.charter.jobs.items()
    found = dict.fromkeys(e for name, job in jobs if name not in served for e in job.events)
    return tuple(e for e in found if e not in metric.count)


def visits_of(
    tape: Tape,
    who: ibis.Table,
    events: ibis.Table,
    metric: CountMetric,
    *,
    deep: tuple[str, ...],
    arms: int,
    users: int,
    until: int,
) -> Visits | None:
    """Count visits, and the KPI's events in them, by arm and bucket.

    A visit ends after 30 quiet minutes; it is shallow when nothing of `deep` happened in it. Only
    users whose window has ended count, and only what they did within it.

    Args:
        tape: Runs the queries.
        who: The users compared: user, code (arm), exposed (microseconds).
        events: user, time, event, and what the metric's condition names.
        metric: The KPI.
        deep: From `deep_events`; when empty, every event but the KPI's.
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
    visits = _by_bucket(chosen, _marked(events, metric, deep), window, until)
    rows, key = tape.read("visits and what was done in them", visits)
    found = {name: _grid(rows, name, arms) for name in ("visits", "shallow", "kpi", "kpi_shallow")}
    return Visits(**found, users=_grid(people, "users", arms), query=key)


def _marked(events: ibis.Table, metric: CountMetric, deep: tuple[str, ...]) -> ibis.Table:
    """Events with their moment, whether they are the KPI's, and whether they make a visit deep."""
    own = events.event.isin(metric.count)
    if metric.where is not None:
        own = own & condition(events, metric.where).fill_null(False)
    own = own.fill_null(False)
    more = events.event.isin(deep).fill_null(False) if deep else ~own
    return events.select(user=events.user, at=micros(events.time), own=own, deep=more)


def _by_bucket(
    chosen: ibis.Table, marked: ibis.Table, window: int | None, until: int
) -> ibis.Table:
    t = marked.join(chosen, "user")
    t = t.filter((t.at >= t.exposed) & (t.at < until))
    if window is not None:
        t = t.filter(t.at < t.exposed + window)
    t = t.select("user", "code", "hex", "at", "own", "deep")
    before = t.at.lag().over(ibis.window(group_by=t.user, order_by=t.at))
    t = t.mutate(opens=(before.isnull() | (t.at - before > _GAP)).cast("int64"))
    t = t.mutate(
        visit=t.opens.sum().over(
            ibis.window(group_by=t.user, order_by=t.at, preceding=None, following=0)
        )
    )
    visits = t.group_by("code", "hex", "user", "visit").agg(
        own=t.count(where=t.own), other=t.count(where=t.deep)
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
