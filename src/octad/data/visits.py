"""How deep visits are: whether anything that people come for happens in them, beside the KPI."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from octad.data.clock import SECOND
from octad.data.population import BUCKETS
from octad.data.samples import Sample
from octad.model.inputs import Visits
from octad.model.metric import CountMetric
from octad.model.plan import Plan

__all__ = ["deep_events", "visits_of"]


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
    sample: Sample, metric: CountMetric, deep: tuple[str, ...], until: int
) -> Visits | None:
    """Count visits, and the KPI's events in them, by arm and bucket.

    A visit ends after 30 quiet minutes; it is shallow when nothing of `deep` happened in it. Only
    users whose window has ended count, and only what they did within it. A sample is of few of the
    512 buckets, so its users are dealt to buckets anew, by their place in the order of their ids.

    Args:
        sample: Events in order.
        metric: The KPI.
        deep: From `deep_events`; when empty, every event but the KPI's.
        until: The first moment not observed.

    Returns:
        None when nobody's window has ended, or the metric has a condition, which a sample of names
        cannot tell.
    """
    if metric.where is not None:
        return None
    end = until - sample.exposed
    if metric.window is not None:
        window = round(metric.window.total_seconds()) * SECOND
        end = np.where(end >= window, window, -1)
    known = np.array(sorted(n for n in sample.ids if n >= 0), dtype=np.int64)
    bucket = np.full(len(sample.arm), -1, dtype=np.int64)
    bucket[known] = np.arange(len(known)) % BUCKETS
    counted = known[end[known] >= 0]
    if not len(counted):
        return None
    mine = sample.person >= 0
    person, event = sample.person[mine], sample.event[mine]
    inside = sample.time[mine] - sample.exposed[person] < end[person]
    person, event, visit = person[inside], event[inside], sample.visit[mine][inside]
    own = np.isin(event, _codes(sample, metric.count))
    other = np.isin(event, _codes(sample, deep)) if deep else ~own
    _, first, index = np.unique(visit, return_index=True, return_inverse=True)
    kpi = np.bincount(index, own, len(first)).astype(np.float64)
    shallow = (np.bincount(index, other, len(first)) == 0).astype(np.float64)
    cell = (sample.arm * BUCKETS + bucket)[person[first]]

    def grid(at: NDArray[np.int64], weights: NDArray[np.float64] | None) -> NDArray[np.float64]:
        made = np.bincount(at, weights, len(sample.arms) * BUCKETS)
        return made.reshape(len(sample.arms), BUCKETS).astype(np.float64)

    return Visits(
        visits=grid(cell, None),
        shallow=grid(cell, shallow),
        kpi=grid(cell, kpi),
        kpi_shallow=grid(cell, kpi * shallow),
        users=grid((sample.arm * BUCKETS + bucket)[counted], None),
        query=sample.query,
    )


def _codes(sample: Sample, names: tuple[str, ...]) -> list[int]:
    return [i for i, name in enumerate(sample.names) if name in names]
