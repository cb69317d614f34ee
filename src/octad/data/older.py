"""What is asked of events beyond the one scan: an older cohort, from before the launch."""

from __future__ import annotations

from typing import Protocol

import ibis

from octad.data.cohort import cohort_of, spans_of
from octad.data.gathering import Gathering
from octad.data.population import Frame
from octad.model.inputs import Exposure

__all__ = ["Compared", "gather_older"]


class Compared(Protocol):
    """Who is compared, as far as this needs it."""

    @property
    def table(self) -> ibis.Table:
        """uid, user, code (arm), exposed (microseconds)."""

    @property
    def arms(self) -> tuple[str, ...]:
        """Names in the plan, control first."""

    @property
    def exposure(self) -> Exposure:
        """Who entered when."""

    @property
    def frame(self) -> Frame:
        """The time that is seen."""


def gather_older(job: Gathering, compared: Compared, events: ibis.Table, rows: int) -> None:
    """Fill in the older cohort, when it is asked for and there is one.

    Args:
        job: The gathering.
        compared: The users compared.
        events: The events source.
        rows: How many events there are, for the account of what was read.
    """
    plan, needs, tape = job.plan, job.needs, job.tape
    frame, exposure = compared.frame, compared.exposure
    arms, users = len(compared.arms), int(exposure.counts.sum())
    if not needs.cohort or arms < 2 or frame.starts is None:
        return
    first = job.tables.intake["events"].first
    spans = spans_of(plan, exposure, starts=frame.starts, until=frame.until, events_from=first)
    if spans is None:
        return
    with tape.stage("what older users' first days came to", 2 * rows):
        job.parts["cohort"] = cohort_of(
            tape, plan, spans, compared.table, events, job.tables.users,
            arms=arms, count=users, until=frame.until,
        )  # fmt: skip
