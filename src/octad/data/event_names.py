"""Event names that a plan leans on, checked against the data."""

from __future__ import annotations

from typing import Any

from octad.data.gathering import Gathering
from octad.errors import UnknownNameError, nearest
from octad.model.plan import Plan

__all__ = ["check_event_names"]


def _named_events(plan: Plan) -> dict[str, str]:
    """Every event name the plan leans on, with the key that names it."""
    found: dict[str, str] = {}
    names = (*plan.launch.metrics, *(e.metric for e in plan.launch.expects))
    for name in dict.fromkeys(names):
        metric = plan.metric(name)
        for key in ("count", "of", "any", "returns", "on", "ratio", "funnel"):
            value = getattr(metric, key, None)
            if value is None or isinstance(value, str):
                continue
            for item in value:
                for event in (item,) if isinstance(item, str) else item:
                    found.setdefault(event, f"metrics.{name}.{key}")
    return found


def check_event_names(job: Gathering, events: Any) -> None:
    """Refuse a plan that leans on an event the data do not hold: a typing slip reads as zero."""
    wanted = _named_events(job.plan)
    if not wanted:
        return
    kinds = events.select("event").distinct()
    seen = kinds.filter(kinds.event.isin(list(wanted))).to_pyarrow()["event"].to_pylist()
    for event, key in wanted.items():
        if event not in seen:
            known = [str(e) for e in kinds.limit(5_000).to_pyarrow()["event"].to_pylist()]
            raise UnknownNameError(
                f"there is no event '{event}' in the data.",
                where=job.place(key),
                mend=nearest(event, known),
            )
