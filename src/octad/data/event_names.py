"""What a plan's metrics lean on, checked against the events: names, columns, conditions."""

from __future__ import annotations

from typing import Any

from octad.data.columns import column
from octad.data.expression import condition
from octad.data.gathering import Gathering
from octad.errors import UnknownNameError, nearest
from octad.model.metric import MeanMetric, QuantileMetric, SumMetric
from octad.model.plan import Plan

__all__ = ["check_names"]

_COLUMNS: dict[str, type[Any]] = {"sum": SumMetric, "mean": MeanMetric, "of": QuantileMetric}


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


def check_names(job: Gathering, events: Any) -> None:
    """Refuse a plan that leans on what the data do not hold: a typing slip would read as zero.

    Raises:
        UnknownNameError: When an event or a column is not there; says what is near.
        DataError: When a condition compares what cannot be compared.
    """
    for name in sorted(job.needs.metrics):
        metric = job.plan.metric(name)
        key = next((k for k, kind in _COLUMNS.items() if isinstance(metric, kind)), None)
        if key is not None:
            column(events, getattr(metric, key), where=job.place(f"metrics.{name}.{key}"))
        if metric.where is not None:
            condition(events, metric.where, where=job.place(f"metrics.{name}.where"))
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
