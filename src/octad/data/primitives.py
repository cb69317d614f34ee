"""Metrics as sums over days: what the one scan must add up, and how a user's numbers come of it.

A primitive is a count or a sum per user and day since exposure, so it is additive over files,
days and users. Every metric but quantiles and funnels is a short reckoning on a few primitives.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Literal, TypeAlias

import ibis

from octad.data.clock import DAY
from octad.data.columns import column, number
from octad.data.expression import condition
from octad.model.metric import (
    AnyMetric,
    CountMetric,
    MeanMetric,
    Metric,
    RatioMetric,
    ReturnsMetric,
    SumMetric,
)

__all__ = [
    "ACTIVE",
    "OPEN",
    "PRE_DAYS",
    "Part",
    "Primitive",
    "Recipe",
    "aggregate",
    "calendar_of",
    "kinds_of",
    "recipe",
]

_How: TypeAlias = Literal["sum", "any", "days"]

PRE_DAYS = 28
"""CUPED looks this many days back, or as many as there are; a longer window as far as itself, so
that what was before can be read beside what came after."""

OPEN = 36_500
"""Days that stand for no end: a hundred years."""


@dataclass(frozen=True, slots=True)
class Primitive:
    """One additive number per user and day.

    Attributes:
        events: Names counted; every event when empty.
        column: Added up over the events; the events are counted when None.
        present: With `column`: count the events that have it, instead of adding it up.
        where: A condition, as the plan writes it.
        after: Only events at or after this many microseconds since exposure, and `before` only
            those earlier than this many, for windows that are no whole days.
    """

    events: tuple[str, ...] = ()
    column: str | None = None
    present: bool = False
    where: str | None = None
    after: int | None = None
    before: int | None = None


ACTIVE = Primitive()
"""Every event: whether a user was there at all."""


@dataclass(frozen=True, slots=True)
class Part:
    """A primitive over days since exposure, first included, last excluded.

    Attributes:
        how: ``sum`` adds it up; ``any`` is 1 where that is more than zero; ``days`` counts the
            days on which it is.
    """

    primitive: Primitive
    first: int
    last: int
    how: _How = "sum"


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a metric's four columns (`octad.model.inputs.COLUMNS`) come of primitives.

    Attributes:
        y, d, x, w: Parts; None stands for 1 in `d` and `w`, and for 0 in `x`.
        window: Microseconds after exposure until a user's number is complete; None when it is
            open to the end of the data.
        daily: The primitives drawn day by day: one, or a ratio's two.
        daily_any: Whether a day's number is whether the user did it, not how often.
    """

    y: Part
    d: Part | None = None
    x: Part | None = None
    w: Part | None = None
    window: int | None = None
    daily: tuple[Primitive, ...] = field(default_factory=tuple)
    daily_any: bool = False


def _micros(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


def recipe(metric: Metric, *, days: int, mirror: int | None = None) -> Recipe | None:
    """Reckon a metric from primitives.

    Args:
        metric: Any metric.
        days: Days since exposure that anybody was observed; stands for an open window.
        mirror: For launches compared with their own past: microseconds from the launch to the end
            of the data, which stand for an open window. The span before exposure then equals the
            one after it; without it, that is `PRE_DAYS`.

    Returns:
        None for metrics that are not sums over days: quantiles, funnels, columns, reviews.
    """
    if isinstance(metric, ReturnsMetric):
        return _returns(metric)
    window = None if metric.window is None else _micros(metric.window)
    forward = _Span.of(0, days * DAY if window is None else window)
    if mirror is None:
        back = _Span.of(-max(PRE_DAYS * DAY, window or 0), 0)
    else:
        back = _Span.of(-(mirror if window is None else window), 0)

    def both(plain: Primitive, how: _How = "sum") -> tuple[Part, Part]:
        return forward.part(plain, how), back.part(plain, how)

    match metric:
        case CountMetric():
            p = Primitive(metric.count, where=metric.where)
        case SumMetric():
            p = Primitive(metric.of, metric.sum, where=metric.where)
        case AnyMetric():
            p = Primitive(metric.any, where=metric.where)
            y, x = both(p, "any")
            return Recipe(y, None, x, None, window, (p,), daily_any=True)
        case MeanMetric():
            p = Primitive(metric.of, metric.mean, where=metric.where)
            q = Primitive(metric.of, metric.mean, present=True, where=metric.where)
            (y, x), (d, w) = both(p), both(q)
            return Recipe(y, d, x, w, window, (p, q))
        case RatioMetric():
            p = Primitive(metric.ratio[0], where=metric.where)
            q = Primitive(metric.ratio[1], where=metric.where)
            (y, x), (d, w) = both(p), both(q)
            return Recipe(y, d, x, w, window, (p, q))
        case _:
            return None
    y, x = both(p)
    return Recipe(y, None, x, None, window, (p,))


@dataclass(frozen=True, slots=True)
class _Span:
    """Days since exposure, with the exact moments where they are no whole days."""

    first: int
    last: int
    after: int | None = None
    before: int | None = None

    @classmethod
    def of(cls, start: int, end: int) -> _Span:
        """From one moment to another, in microseconds since exposure, the end not included."""
        return cls(
            start // DAY,
            -(-end // DAY),
            start if start % DAY else None,
            end if end % DAY else None,
        )

    def part(self, plain: Primitive, how: _How) -> Part:
        return Part(
            replace(plain, after=self.after, before=self.before), self.first, self.last, how
        )


def _returns(metric: ReturnsMetric) -> Recipe:
    """Before exposure, a return is any event within as long a span, up to exposure."""
    first, last = (_micros(span) for span in metric.between)
    p = Primitive(metric.returns, where=metric.where)
    return Recipe(
        y=_Span.of(first, last).part(p, "any"),
        x=_Span.of(first - last, 0).part(p, "any"),
        window=last,
        daily=(p,),
        daily_any=True,
    )


def kinds_of(metric: Metric) -> dict[str, Metric]:
    """A metric of several events as one metric for each of them; empty where that says nothing."""
    match metric:
        case CountMetric():
            key, events = "count", metric.count
        case AnyMetric():
            key, events = "any", metric.any
        case SumMetric():
            key, events = "of", metric.of
        case _:
            return {}
    if len(events) < 2:
        return {}
    return {event: metric.model_copy(update={key: (event,)}) for event in events}


def calendar_of(metric: Metric) -> Primitive | None:
    """What is added up by calendar day: of counts and sums alone, whatever their window."""
    match metric:
        case CountMetric():
            return Primitive(metric.count, where=metric.where)
        case SumMetric():
            return Primitive(metric.of, metric.sum, where=metric.where)
        case _:
            return None


def aggregate(table: ibis.Table, primitive: Primitive, since: Any) -> Any:
    """A primitive as an Ibis aggregate over `table`.

    `count(where=)` and `sum(where=)` become FILTER clauses; `(condition).sum()` would add up flags
    that are cast to numbers first, over every row.
    """
    conditions: list[Any] = []
    if primitive.events:
        conditions.append(
            table.event == primitive.events[0]
            if len(primitive.events) == 1
            else table.event.isin(primitive.events)
        )
    if primitive.where is not None:
        conditions.append(condition(table, primitive.where))
    if primitive.after is not None:
        conditions.append(since >= primitive.after)
    if primitive.before is not None:
        conditions.append(since < primitive.before)
    value = None if primitive.column is None else number(column(table, primitive.column))
    if value is not None:
        conditions.append(value.notnull())
    where = ibis.and_(*conditions) if conditions else None
    if value is None or primitive.present:
        return table.count(where=where).cast("float64")
    return value.sum(where=where).fill_null(0.0)
