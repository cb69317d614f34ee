"""Whether a core job that is done less comes back.

Whoever has to learn new ways does without for a while. Where a metric counts just the job's events,
its days tell whether the loss is still there at the end.
"""

from __future__ import annotations

from dataclasses import dataclass

from octad.model.inputs import Inputs
from octad.model.metric import CountMetric
from octad.model.plan import Plan
from octad.readings.base import signed_percent
from octad.readings.halves import change_of

__all__ = ["LOST", "Back", "came_back", "counted_by"]

LOST = 0.05
"""A core job that loses less than a twentieth of its use may still be the same job."""


def counted_by(plan: Plan) -> dict[str, str]:
    """Core job to a metric that counts just its events, which can be followed day by day."""
    found: dict[str, str] = {}
    for name, job in plan.project.charter.jobs.items():
        for metric, how in plan.project.metrics.items():
            same = isinstance(how, CountMetric) and set(how.count) == set(job.events)
            if job.core and same and how.where is None:
                found.setdefault(name, metric)
    return found


@dataclass(frozen=True, slots=True)
class Back:
    """A loss of which the days show that some came back.

    Attributes:
        late: The relative effect on the job's events in the last third of days.
        said: That of the first third and of the last, as told.
    """

    late: float
    said: str


def came_back(plan: Plan, inputs: Inputs, name: str, arm: int) -> Back | None:
    """Whether a job's loss shrinks over the days, beyond chance, in the same users."""
    daily = inputs.daily.get(counted_by(plan).get(name, ""))
    if daily is None or daily.halves is None or daily.spans is None:
        return None
    change = change_of(plan, inputs, daily.halves[[0, arm]], 1)
    if change is None or not change.shown or change.shift <= 0:
        return None
    (a, b), (c, d) = daily.spans
    return Back(
        change.late,
        f"{signed_percent(change.early)} in days {a + 1} to {b}, "
        f"{signed_percent(change.late)} in days {c + 1} to {d}",
    )
