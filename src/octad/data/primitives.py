"""Metrics as sums over days: what the one scan must add up, and how a user's numbers come of it.

A primitive is a count or a sum per user and day since exposure, so it is additive over files,
days and users. Every metric but quantiles and funnels is a short reckoning on a few primitives.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import ibis

from octad.data.clock import DAY
from octad.data.columns import column, number
from octad.data.expression import condition
from octad.model.metric import (
    AnyMetric,
    CountMetric,
    FunnelMetric,
    MeanMetric,
    Metric,
    QuantileMetric,
    RatioMetric,
    ReturnsMetric,
    SumMetric,
)

__all__ = ["PRE_DAYS", "Part", "Primitive", "Recipe", "aggregate", "recipe"]

PRE_DAYS = 28
"""CUPED looks this many days back, or as many as there are."""


@dataclass(frozen=True, slots=True)
class Primitive:
    """One additive number per user and day.

    Attributes:
        events: Names counted; every event when empty.
        column: Added up over the events; the events are counted when None.
        present: With `column`: count the events that have it, instead of adding it up.
        where: A condition, as the plan writes it.
        before: Only events earlier than this many microseconds after exposure, for windows that
            are no whole days.
    """

    events: tuple[str, ...] = ()
    column: str | None = None
    present: bool = False
    where: str | None = None
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Sum a primitive over days since exposure, first included, last excluded."""

    primitive: Primitive
    first: int
    last: int
    positive: bool = False
    """Whether only "more than zero" matters."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a metric's four columns (`octad.model.inputs.COLUMNS`) come of primitives.

    Attributes:
        y, d, x, w: Parts; None stands for 1 in `d` and `w`, and for 0 in `x`.
        window: Microseconds after exposure until a user's number is complete; None when it is
            open to the end of the data.
        daily: The primitive drawn day by day.
    """

    y: Part
    d: Part | None = None
    x: Part | None = None
    w: Part | None = None
    window: int | None = None
    daily: tuple[Primitive, ...] = field(default_factory=tuple)


def _micros(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


def recipe(metric: Metric, *, days: int, mirror: bool = False) -> Recipe | None:
    """Reckon a metric from primitives.

    Args:
        metric: Any metric.
        days: Days since exposure that anybody was observed; stands for an open window.
        mirror: Look back as long as forward, for launches compared with their own past, instead
            of `PRE_DAYS`.

    Returns:
        None for metrics that are not sums over days: quantiles, funnels, columns, reviews.
    """
    window = None if metric.window is None else _micros(metric.window)
    length = days if window is None else -(-window // DAY)
    cut = window if window is not None and window % DAY else None
    back = length if mirror else PRE_DAYS

    def both(primitive: Primitive, *, positive: bool = False) -> tuple[Part, Part]:
        whole = Primitive(primitive.events, primitive.column, primitive.present, primitive.where)
        return Part(primitive, 0, length, positive), Part(whole, -back, 0, positive)

    match metric:
        case CountMetric():
            p = Primitive(metric.count, where=metric.where, before=cut)
            y, x = both(p)
            return Recipe(y, None, x, None, window, (p,))
        case SumMetric():
            p = Primitive(metric.of, metric.sum, where=metric.where, before=cut)
            y, x = both(p)
            return Recipe(y, None, x, None, window, (p,))
        case AnyMetric():
            p = Primitive(metric.any, where=metric.where, before=cut)
            y, x = both(p, positive=True)
            return Recipe(y, None, x, None, window, (p,))
        case MeanMetric():
            p = Primitive(metric.of, metric.mean, where=metric.where, before=cut)
            q = Primitive(metric.of, metric.mean, present=True, where=metric.where, before=cut)
            (y, x), (d, w) = both(p), both(q)
            return Recipe(y, d, x, w, window, (p, q))
        case RatioMetric():
            p = Primitive(metric.ratio[0], where=metric.where, before=cut)
            q = Primitive(metric.ratio[1], where=metric.where, before=cut)
            (y, x), (d, w) = both(p), both(q)
            return Recipe(y, d, x, w, window, (p, q))
        case ReturnsMetric():
            return _returns(metric)
        case QuantileMetric() | FunnelMetric():
            return None
        case _:
            return None


def _returns(metric: ReturnsMetric) -> Recipe:
    first, last = (_micros(span) for span in metric.between)
    start, end = first // DAY, -(-last // DAY)
    p = Primitive(metric.returns, where=metric.where, before=last if last % DAY else None)
    width = end - start
    return Recipe(
        y=Part(p, start, end, positive=True),
        x=Part(Primitive(metric.returns, where=metric.where), -width, 0, positive=True),
        window=last,
        daily=(p,),
    )


def aggregate(table: ibis.Table, primitive: Primitive, since: Any) -> Any:
    """A primitive as an Ibis aggregate over `table`.

    `count(where=)` and `sum(where=)` become FILTER clauses; `(condition).sum()` would become a
    CASE over every row, which costs two to three times as much.
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
    if primitive.before is not None:
        conditions.append(since < primitive.before)
    value = None if primitive.column is None else number(column(table, primitive.column))
    if value is not None:
        conditions.append(value.notnull())
    where = ibis.and_(*conditions) if conditions else None
    if value is None or primitive.present:
        return table.count(where=where).cast("float64")
    return value.sum(where=where).fill_null(0.0)
