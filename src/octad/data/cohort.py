"""Older users: what they did in their first days beside what came of it later.

They enter so long before the launch that what came of them, up to the plan's horizon, was seen
before it began. Rows of people are added up here to moments by bucket; nothing personal leaves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import ibis
import numpy as np
from numpy.typing import NDArray

from octad.data.clock import DAY, from_micros, micros, to_micros
from octad.data.population import BUCKETS, bucket_hex, buckets_from_hex
from octad.data.primitives import Primitive, aggregate, recipe
from octad.data.samples import some_users
from octad.data.tape import Tape
from octad.model.inputs import Cohort, Exposure
from octad.model.metric import AnyMetric, CountMetric, Metric, ReturnsMetric, SumMetric
from octad.model.plan import Plan
from octad.stats.concentration import winsor_threshold
from octad.stats.moments import Moments

__all__ = ["Spans", "cohort_of", "spans_of"]

FloatArray = NDArray[np.float64]

MOST_TEACHERS = 200_000
MOST_USERS = 400_000
"""Users that are brought over, of the cohort and of the launch: a hundred megabytes at the most."""
_LONGEST_EARLY = 28
_WEEK = 7
_MONTH = 28
_LEAST_EARLY = 14
"""Two weeks, so that the first can be asked about the second."""
_PERIODS = 4
_SEEN = 0.2
_DIGITS = 2
_SHIFT = 6


@dataclass(frozen=True, slots=True)
class Spans:
    """The time a forecast is learnt from.

    Attributes:
        early: Days whose behaviour foretells; `horizon` days over which is foretold.
        first: First moment of the first period of entry, in microseconds.
        length: Days of a period; `periods` how many there are.
    """

    early: int
    horizon: int
    first: int
    length: int
    periods: int


def spans_of(
    plan: Plan, exposure: Exposure, *, starts: int, until: int, events_from: datetime | None
) -> Spans | None:
    """Lay out the cohort's time; None when the data do not reach far enough, or it is too early.

    Args:
        plan: For the horizon.
        exposure: For when the launch's users entered.
        starts: The launch's first moment, in microseconds; `until` the first not observed.
        until: See `starts`.
        events_from: The first event there is.
    """
    if plan.launch.horizon is None or events_from is None or not len(exposure.days):
        return None
    horizon = plan.launch.horizon.days
    entered = exposure.by_day.sum(axis=1)
    day = exposure.days.astype("datetime64[us]").astype(np.int64)
    seen = (until - day) // DAY - 1
    # Entered days, latest first: how long a fifth of the users were seen at most.
    order = np.argsort(seen, kind="stable")
    reached = np.searchsorted(entered[order].cumsum(), _SEEN * entered.sum())
    early = min(_LONGEST_EARLY, int(seen[order][min(reached, len(seen) - 1)]))
    early -= early % _WEEK
    if early < _LEAST_EARLY or horizon <= early:
        return None
    past = (starts - horizon * DAY - to_micros(events_from)) // DAY
    enrolling = int((day.max() - day.min()) // DAY) + 1
    length = int(np.clip(enrolling, _WEEK, 2 * _WEEK))
    if past // length < 2:
        length = _WEEK
    periods = int(min(_PERIODS, past // length))
    if periods < 2:
        return None
    return Spans(early, horizon, starts - (horizon + periods * length) * DAY, length, periods)


_USE = "days of use"


@dataclass(frozen=True, slots=True)
class _Column:
    """One early figure: a primitive in a week; None counts the days with any use."""

    name: str
    primitive: Primitive | None
    week: int
    cut: float | None


@dataclass(frozen=True, slots=True)
class _Outcome:
    """One later figure: a primitive over some of the last days; `share` says whether any."""

    metric: str
    spoken: str
    primitive: Primitive
    first: int
    share: bool
    cut: float | None
    early: str = _USE


def cohort_of(
    tape: Tape,
    plan: Plan,
    spans: Spans,
    who: ibis.Table,
    events: ibis.Table,
    users: ibis.Table | None,
    *,
    arms: int,
    count: int,
    until: int,
) -> Cohort | None:
    """Learn from older users, over the spans given; and the same early figures of the launch's.

    Args:
        tape: Runs the queries.
        plan: For its KPI and results.
        spans: From `spans_of`.
        who: The users compared: user, code (arm), exposed.
        events: user, time, event, and the metrics' columns.
        users: For staff, who are left out.
        arms: How many arms; `count` how many users; `until` the first moment not observed.
        count: See `arms`.
        until: See `arms`.

    Returns:
        None when the metrics have nothing to learn or too few users were there.
    """
    columns, outcomes = _figures(plan, spans)
    if not outcomes:
        return None
    teachers, key = _teachers(tape, spans, events, users, columns, outcomes)
    if len(teachers.rows) < 20 * (len(columns) + 1):
        return None
    launch = _launch(tape, spans, who, events, columns, count, until)
    cuts = _cuts(teachers.rows, columns, outcomes)
    rows = np.minimum(teachers.rows, cuts)
    place = teachers.period * BUCKETS + teachers.bucket
    flat = Moments.from_rows(rows, place, spans.periods * BUCKETS)
    k = rows.shape[1]
    periods = Moments(
        flat.n.reshape(spans.periods, BUCKETS),
        flat.mean.reshape(spans.periods, BUCKETS, k),
        flat.comoment.reshape(spans.periods, BUCKETS, k, k),
    )
    m = len(columns)
    mine = Moments.from_rows(
        np.minimum(launch.rows, cuts[:m]), launch.period * BUCKETS + launch.bucket, arms * BUCKETS
    )
    return Cohort(
        features=tuple(c.name for c in columns),
        outcomes=tuple(o.metric for o in outcomes),
        moments=periods.total(0),
        launch=Moments(
            mine.n.reshape(arms, BUCKETS),
            mine.mean.reshape(arms, BUCKETS, m),
            mine.comoment.reshape(arms, BUCKETS, m, m),
        ),
        early=spans.early,
        horizon=spans.horizon,
        entered=(
            _day(spans.first),
            _day(spans.first + (spans.periods * spans.length - 1) * DAY),
        ),
        periods=periods,
        names=tuple(o.spoken for o in outcomes),
        early_of=tuple(o.early for o in outcomes),
        query=key,
    )


def _day(moment: int) -> date:
    found: date = from_micros(np.array([moment]))[0].astype("datetime64[D]").item()
    return found


def _figures(plan: Plan, spans: Spans) -> tuple[list[_Column], list[_Outcome]]:
    """What is read of everyone: each event of KPI and results by week, and what they came to."""
    launch = plan.launch
    names = dict.fromkeys((*((launch.kpi,) if launch.kpi else ()), *launch.results))
    metrics: Mapping[str, Metric] = {n: plan.metric(n) for n in names}
    plain: dict[Primitive, tuple[str, float | None]] = {}
    outcomes: list[_Outcome] = []
    for name, metric in metrics.items():
        made = recipe(metric, days=spans.horizon)
        for p in made.daily if made is not None else ():
            plain.setdefault(p, (name, getattr(metric, "winsorize", None)))
        if (outcome := _outcome(name, metric, spans)) is not None:
            early = _USE if outcome.share else plain[outcome.primitive][0]
            outcomes.append(replace(outcome, early=early))
    last = spans.horizon - _WEEK
    outcomes.append(
        _Outcome("(active)", f"users active in {_days(last, spans)}", Primitive(), last, True, None)
    )
    weeks = range(spans.early // _WEEK)
    columns = [_Column(f"{_USE}, {_of(w)}", None, w, None) for w in weeks]
    columns += [
        _Column(f"{name}, {_of(w)}", p, w, cut) for p, (name, cut) in plain.items() for w in weeks
    ]
    return columns, outcomes


def _of(week: int) -> str:
    return f"days {week * _WEEK + 1} to {(week + 1) * _WEEK}"


def _days(first: int, spans: Spans) -> str:
    return f"days {first + 1} to {spans.horizon}"


def _outcome(name: str, metric: Metric, spans: Spans) -> _Outcome | None:
    said = name.replace("_", " ")
    match metric:
        case CountMetric():
            p = Primitive(metric.count, where=metric.where)
        case SumMetric():
            p = Primitive(metric.of, metric.sum, where=metric.where)
        case AnyMetric():
            first = max(0, spans.horizon - _MONTH)
            p = Primitive(metric.any, where=metric.where)
            return _Outcome(name, f"{said} in {_days(first, spans)}", p, first, True, None)
        case ReturnsMetric():
            width = max(1, (metric.between[1] - metric.between[0]).days)
            first = max(0, spans.horizon - width)
            p = Primitive(metric.returns, where=metric.where)
            return _Outcome(name, f"{said} in {_days(first, spans)}", p, first, True, None)
        case _:
            return None
    return _Outcome(name, f"{said} over {spans.horizon} days", p, 0, False, metric.winsorize)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Figures of users: (n, k); `period` their period of entry, or their arm."""

    rows: FloatArray
    bucket: NDArray[np.int64]
    period: NDArray[np.int64]


def _terms(t: ibis.Table, columns: list[_Column]) -> dict[str, Any]:
    """Early figures as aggregates over events with `since` and `day`."""
    terms: dict[str, Any] = {}
    for i, c in enumerate(columns):
        after, before = c.week * _WEEK * DAY, (c.week + 1) * _WEEK * DAY
        if c.primitive is None:
            inside = (t.since >= after) & (t.since < before)
            terms[f"f{i}"] = t.day.nunique(where=inside).cast("float64")
        else:
            terms[f"f{i}"] = aggregate(t, replace(c.primitive, after=after, before=before), t.since)
    return terms


def _teachers(
    tape: Tape,
    spans: Spans,
    events: ibis.Table,
    users: ibis.Table | None,
    columns: list[_Column],
    outcomes: list[_Outcome],
) -> tuple[_Rows, str]:
    """Users who were there in their period: each is asked in one period alone, by the hash."""
    end = spans.first + spans.periods * spans.length * DAY
    at = micros(events.time)
    there = events.filter((at >= spans.first) & (at < end))
    there = there.select(
        user=there.user,
        at=micros(there.time),
        period=((micros(there.time) - spans.first) // (spans.length * DAY)).cast("int64"),
    )
    if users is not None and "staff" in users.columns:
        there = there.anti_join(users.filter(users.staff).select("user").distinct(), "user")
    digits = [f"{d:0{_DIGITS}x}" for d in range(16**_DIGITS)]
    turn = there.user.hexdigest("md5").substr(_SHIFT, _DIGITS)
    theirs = ibis.or_(
        *((there.period == g) & turn.isin(digits[g :: spans.periods]) for g in range(spans.periods))
    )
    entered = (
        there.filter(theirs)
        .group_by("user")
        .agg(entry=lambda t: t.at.min(), period=lambda t: t.period.min())
    )
    everyone = tape.step("older_users", entered.mutate(hex=bucket_hex(entered.user)))
    count = int(everyone.count().to_pyarrow().as_py())
    chosen = some_users(everyone, count, MOST_TEACHERS)
    t = events.join(chosen, "user")
    since = micros(t.time) - t.entry
    t = t.filter((since >= 0) & (since < spans.horizon * DAY))
    t = t.mutate(since=micros(t.time) - t.entry)
    t = t.mutate(day=(t.since // DAY).cast("int64"))
    terms = _terms(t, columns)
    for i, o in enumerate(outcomes):
        plain = replace(o.primitive, after=o.first * DAY, before=spans.horizon * DAY)
        terms[f"o{i}"] = aggregate(t, plain, t.since)
    rows, key = tape.read(
        "first days of older users, and what came of them",
        t.group_by("user", "hex", "period").agg(**terms).drop("user"),
    )
    figures = [f"f{i}" for i in range(len(columns))] + [f"o{i}" for i in range(len(outcomes))]
    values = np.stack([rows[c].fill_null(0.0).to_numpy().astype(np.float64) for c in figures], 1)
    for i, o in enumerate(outcomes):
        if o.share:
            values[:, len(columns) + i] = values[:, len(columns) + i] > 0
    found = _Rows(values, buckets_from_hex(rows["hex"]), rows["period"].to_numpy().astype(np.int64))
    return found, key


def _launch(
    tape: Tape,
    spans: Spans,
    who: ibis.Table,
    events: ibis.Table,
    columns: list[_Column],
    count: int,
    until: int,
) -> _Rows:
    """The same early figures of the launch's own users, of those seen so long."""
    chosen = some_users(who.select("uid", "user", "code", "exposed"), count, MOST_USERS)
    chosen = chosen.filter(chosen.exposed + spans.early * DAY <= until)
    chosen = tape.step("early_users", chosen.mutate(hex=bucket_hex(chosen.user)))
    people, _ = tape.read(
        "users seen through the early days", chosen.select("uid", "code", "hex").order_by("uid")
    )
    t = events.join(chosen, "user")
    since = micros(t.time) - t.exposed
    t = t.filter((since >= 0) & (since < spans.early * DAY))
    t = t.mutate(since=micros(t.time) - t.exposed)
    t = t.mutate(day=(t.since // DAY).cast("int64"))
    rows, _ = tape.read(
        "first days of the launch's users", t.group_by("uid").agg(**_terms(t, columns))
    )
    uid = people["uid"].to_numpy()
    at = np.searchsorted(uid, rows["uid"].to_numpy())
    values = np.zeros((len(uid), len(columns)))
    for i in range(len(columns)):
        values[at, i] = rows[f"f{i}"].fill_null(0.0).to_numpy()
    code = people["code"].to_numpy().astype(np.int64)
    return _Rows(values, buckets_from_hex(people["hex"]), code)


def _cuts(rows: FloatArray, columns: list[_Column], outcomes: list[_Outcome]) -> FloatArray:
    """Where each figure is cut, as its metric is; one cut for older users and the launch's."""
    cuts = np.full(rows.shape[1], np.inf)
    for i, cut in enumerate([*(c.cut for c in columns), *(o.cut for o in outcomes)]):
        if cut is not None:
            edge = winsor_threshold(rows[:, i], cut)
            cuts[i] = edge if edge > 0 else np.inf
    return cuts
