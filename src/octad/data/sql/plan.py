"""From a request to the units that the engine must make, and to what one read must keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from octad.data.behaviour import OTHER, thirds
from octad.data.clock import DAY
from octad.data.primitives import ACTIVE, OPEN, PRE_DAYS, Part, Primitive, Recipe
from octad.data.sql.habits import ALL
from octad.data.sql.layout import Key, Layout, Unit
from octad.data.sql.people import People
from octad.data.work import Request

__all__ = ["Asked", "asked_of"]

Spans = tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be made.

    Attributes:
        units: A number per user each.
        layout: What is kept of events.
        back: Days before exposure that are added up.
        deep: Microseconds before exposure from which events are kept.
        jobs: Names of jobs, the others last.
        spans: Two spans of days, early and late, that are compared; None when too few were seen.
        funnel_back: By funnel, microseconds before exposure that make its pre-period.
    """

    units: tuple[Unit, ...]
    layout: Layout
    back: int
    deep: int
    jobs: tuple[str, ...]
    spans: Spans | None
    funnel_back: Mapping[str, int]


def asked_of(request: Request, people: People) -> Asked:
    """Lay out the work."""
    spans = thirds(int(people.seen_quantile(0.1)))
    units = [Unit.of(("metric", name), made) for name, made in request.recipes.items()]
    units += [
        Unit.of(("kind", name, event), made)
        for name, kinds in request.kinds.items()
        for event, made in kinds.items()
    ]
    units += [
        Unit(("metric", name), reach=_micros(metric.window), free=True)
        for name, metric in request.funnels.items()
    ]
    jobs = _jobs(request.jobs, request.before, request.after)
    units += [*jobs, *_errors(request.errors), *_halves(request, spans)]
    wanted = [ACTIVE, *request.calendar.values()]
    wanted += [part.primitive for unit in units for _, part in unit.parts()]
    wanted += [p for name in sorted(request.daily) for p in _daily(request, name)]
    for funnel in request.funnels.values():
        events = tuple(dict.fromkeys(event for step in funnel.funnel for event in step))
        wanted.append(Primitive(events, where=funnel.where))
    wanted += [Primitive(m.on or (), m.of, where=m.where) for m in request.quantiles.values()]
    parts = [part for unit in units for _, part in unit.parts()]
    backs = {name: _back(request, m.window) for name, m in request.funnels.items()}
    return Asked(
        units=tuple(units),
        layout=Layout.of(wanted),
        back=max([PRE_DAYS, request.before, *(-part.first for part in parts)]),
        deep=max(backs.values(), default=0),
        jobs=tuple(unit.key[1] for unit in jobs),
        spans=spans,
        funnel_back=backs,
    )


def _micros(span: timedelta | None) -> int | None:
    return None if span is None else span // timedelta(microseconds=1)


def _back(request: Request, window: timedelta | None) -> int:
    reach = _micros(window)
    if request.mirror is not None:
        return request.mirror if reach is None else reach
    return max(PRE_DAYS * DAY, reach or 0)


def _jobs(jobs: Mapping[str, tuple[str, ...]], before: int, after: int) -> list[Unit]:
    """Each job, and every event that belongs to none."""

    def unit(name: str, events: tuple[str, ...], *, others: bool = False) -> Unit:
        counted = Primitive(events)
        y, x = Part(counted, 0, after), Part(counted, -before, 0)
        return Unit(("job", name), y=y, x=x, others=others)

    held = {name: events for name, events in jobs.items() if events}
    if not held:
        return []
    claimed = tuple(sorted({event for events in held.values() for event in events}))
    found = [unit(name, events) for name, events in held.items()]
    return [*found, unit(OTHER, claimed, others=True)]


def _errors(names: tuple[str, ...]) -> list[Unit]:
    if not names:
        return []
    sums: dict[Key, Primitive] = {("error", name): Primitive((name,)) for name in names}
    sums |= {("errors", ALL): Primitive(names), ("actions", ALL): ACTIVE}
    return [Unit(key, y=Part(counted, 0, OPEN)) for key, counted in sums.items()]


def _daily(request: Request, name: str) -> tuple[Primitive, ...]:
    made = request.recipes.get(name)
    return () if made is None else made.daily


def _halves(request: Request, spans: Spans | None) -> list[Unit]:
    """A user's early and late numbers of each metric drawn by day, where it is one number."""
    if spans is None:
        return []
    found = []
    for name in sorted(request.daily):
        made: Recipe | None = request.recipes.get(name)
        if made is None or len(made.daily) != 1:
            continue
        early, late = (
            Part(made.daily[0], *span, "days" if made.daily_any else "sum") for span in spans
        )
        found.append(Unit(("early and late", name), y=early, x=late, reach=spans[1][1] * DAY))
    return found
