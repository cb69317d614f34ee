"""From a request to what the one read must keep."""

from __future__ import annotations

from collections.abc import Iterable

from octad.data.clock import DAY
from octad.data.fold_order import reading_of
from octad.data.fold_state import Form
from octad.data.primitives import Part, Primitive, Recipe
from octad.data.work import Request

__all__ = ["asked_of", "form_of", "parts_of"]


def parts_of(recipe: Recipe) -> list[Part]:
    """The parts of a recipe that there are."""
    return [p for p in (recipe.y, recipe.d, recipe.x, recipe.w) if p is not None]


def form_of(
    request: Request,
    primitives: Iterable[Primitive],
    *,
    back: int,
    sampled: int,
    until: int | None,
    starts: int | None = None,
) -> Form:
    """What must be kept.

    Args:
        request: What is asked for.
        primitives: Everything that is added up.
        back: Days before exposure that are kept.
        sampled: Users of buckets below this one are followed event by event.
        until: The first moment that is not seen, in microseconds since 1970.
        starts: The first moment at which anybody is exposed; None where none is said.

    Where all that is asked for names its events, the others are not read.
    """
    primitives = tuple(primitives)
    funnels = request.funnels.values()
    steps = {event for f in funnels for step in f.funnel for event in step}
    readings = tuple(dict.fromkeys(reading_of(q) for q in request.quantiles.values()))
    reach = max([0, *(f.window.days + 1 for f in funnels if f.window is not None)])
    events = {event for p in primitives for event in p.events} | steps | set(request.errors)
    events |= {event for r in readings for event in r.events}
    events |= {event for job in request.jobs.values() for event in job}
    where = [p.where for p in primitives] + [f.where for f in funnels]
    where += [r.condition for r in readings]
    sums: dict[str, set[str]] = {}
    for p in primitives:
        if p.column is not None:
            sums.setdefault(p.column, set()).update(p.events)
    nameless = any(not p.events for p in primitives) or any(not r.events for r in readings)
    edges = {e for p in primitives for e in (p.after, p.before) if e is not None and e % DAY}
    back = max(back, reach)
    return Form(
        events=tuple(sorted(events)),
        conditions=tuple(sorted({text for text in where if text is not None})),
        sums=tuple((column, tuple(sorted(sums[column]))) for column in sorted(sums)),
        readings=readings,
        ordered=tuple(sorted(steps)),
        back=back,
        edges=tuple(sorted(edges)),
        sampled=sampled,
        until=until,
        since=None if starts is None else starts - back * DAY,
        others=request.everything or nameless or not events,
    )


def asked_of(
    request: Request, primitives: Iterable[Primitive], form: Form
) -> dict[str | None, int]:
    """Event (None for those nobody names) to the conditions asked of it, as bits."""
    found: dict[str | None, int] = dict.fromkeys((None, *form.events), 0)

    def ask(events: Iterable[str], text: str | None) -> None:
        if text is not None:
            bit = 1 << form.conditions.index(text)
            some: tuple[str | None, ...] = tuple(events)
            for event in some or tuple(found):
                found[event] |= bit

    for primitive in primitives:
        ask(primitive.events, primitive.where)
    for funnel in request.funnels.values():
        ask((event for step in funnel.funnel for event in step), funnel.where)
    return found
