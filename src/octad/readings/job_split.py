"""Why a job is done more or less: more people do it, or each does it more often."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from octad.model.finding import Finding, Table
from octad.model.inputs import Inputs, JobUse
from octad.model.numbers import plain
from octad.model.plan import Plan
from octad.readings.base import ASSUMES, BREAKS, grade_of
from octad.readings.claims import in_arm
from octad.stats.divergence import Kitagawa, kitagawa
from octad.stats.multiplicity import holm
from octad.stats.refusal import NotEstimable

__all__ = ["split"]

FloatArray = NDArray[np.float64]

_SURE = 0.05
_WHOLE = 0.9
_Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class _Job:
    """One job's change in use per exposed user, split in two."""

    name: str
    before: float
    parts: Kitagawa
    q: float = 1.0

    @property
    def p(self) -> float:
        """Two-sided, that use per user did not change."""
        se = self.parts.gap_se or 0.0
        return float(2 * special.ndtr(-abs(self.parts.gap) / se)) if se > 0 else 1.0


def _of_job(
    use: JobUse, j: int, sides: tuple[tuple[int, int], ...], people: FloatArray
) -> _Job | None:
    """Split one job's change between two (period, arm) sides; `people` (2,) exposed users."""
    hits, trials = [], []
    for (period, arm), all_users in zip(sides, people, strict=True):
        did = use.users[period, arm, :, j]
        # How many people a bucket has is not known, so each is taken to have as many: the errors
        # come out a little wide. In all, idle people are as many as they are.
        idle = np.maximum(float(all_users) / len(did) - did, 0.0)
        idle *= max(float(all_users) - float(did.sum()), 0.0) / max(float(idle.sum()), 1e-300)
        hits.append(np.stack([use.events[period, arm, :, j], np.zeros(len(did))], axis=1))
        trials.append(np.stack([did, idle], axis=1))
    try:
        parts = kitagawa(hits[1], trials[1], hits[0], trials[0])
    except NotEstimable:
        return None
    return _Job(use.jobs[j], float(hits[0].sum() / trials[0].sum()), parts)


def split(plan: Plan, inputs: Inputs, use: JobUse) -> list[Finding]:
    """Split each named job's change in use per user (Kitagawa 1955): told only.

    The strata are who did the job and who did not. The part of the mix is that more people, or
    fewer, did it; the part of the rate is that each of them did it more often, or less.

    Returns:
        One finding a treatment arm; none without the number of exposed users.
    """
    exposure = inputs.exposure
    named = [j for j, name in enumerate(use.jobs) if name in plan.project.charter.jobs]
    if exposure is None or not named:
        return []
    armed = len(inputs.arms) > 1
    found = []
    for arm in range(1, len(inputs.arms)) if armed else range(1):
        sides = ((1, 0), (1, arm)) if armed else ((0, 0), (1, 0))
        people = exposure.counts[[0, arm]].astype(np.float64)
        jobs = [job for j in named if (job := _of_job(use, j, sides, people)) is not None]
        if jobs:
            adjusted = holm([job.p for job in jobs])
            told = [replace(job, q=float(q)) for job, q in zip(jobs, adjusted, strict=True)]
            found.append(_finding(plan, inputs, use, arm, told))
    return found


def _finding(plan: Plan, inputs: Inputs, use: JobUse, arm: int, jobs: list[_Job]) -> Finding:
    grade = grade_of(plan)
    shown = [job for job in jobs if job.q <= _SURE]
    shown.sort(key=lambda job: -abs(job.parts.gap))
    armed = len(inputs.arms) > 1
    claim = "; ".join(_said(job) for job in shown[:2])
    if not shown:
        claim = "No job's use per user is shown to have changed"
    arm_words = in_arm(inputs, inputs.arms[arm]) if armed else ""
    return Finding(
        id="product.split" + (f".{inputs.arms[arm]}" if len(inputs.arms) > 2 else ""),
        claim=f"{claim}{arm_words}.",
        grade=grade,
        n=None if inputs.exposure is None else int(inputs.exposure.counts.sum()),
        method="Kitagawa's decomposition of use per exposed user by who did the job and who did "
        f"not; jackknife over {use.events.shape[2]} buckets of users, Holm over the jobs",
        assumes=ASSUMES[grade],
        breaks=f"An event that is logged otherwise. {BREAKS[grade]}",
        evidence=(_table(jobs, ("control", "treatment") if armed else ("before", "after")),),
        query_digest=use.query,
    )


def _said(job: _Job) -> str:
    parts = job.parts
    way = "more" if parts.gap > 0 else "less"
    words = f"“{job.name}” is done {way} ({_per(job, parts.gap)} per user)"
    people = "more people do it" if parts.mix > 0 else "fewer people do it"
    often = "each does it more often" if parts.rate > 0 else "each does it less often"
    if parts.mix * parts.rate < 0:
        return f"{words}: {people} ({_per(job, parts.mix)}), but {often} ({_per(job, parts.rate)})"
    of = parts.mix / parts.gap
    if of >= _WHOLE:
        return f"{words}: {people}"
    if of <= 1 - _WHOLE:
        return f"{words}: {often}"
    return f"{words}: {of:.0%} of that because {people}, the rest because {often}"


def _per(job: _Job, change: float) -> str:
    """A change as a share of use per user before; in uses a user where there was none."""
    if job.before > 0:
        return f"{plain(100 * change / job.before, 1, signed=True)}%"
    return f"{plain(change, 2, signed=True)} uses"


def _edges(value: float, se: float | None) -> str:
    if se is None:
        return plain(value, 3, signed=True)
    low, high = value - _Z * se, value + _Z * se
    return (
        f"{plain(value, 3, signed=True)} "
        f"[{plain(low, 3, signed=True)}, {plain(high, 3, signed=True)}]"
    )


def _table(jobs: list[_Job], sides: tuple[str, str]) -> Table:
    rows = tuple(
        (
            job.name,
            round(job.before, 3),
            round(job.before + job.parts.gap, 3),
            _edges(job.parts.gap, job.parts.gap_se),
            _edges(job.parts.mix, job.parts.mix_se),
            _edges(job.parts.rate, job.parts.rate_se),
            "yes" if job.q <= _SURE else "no",
        )
        for job in jobs
    )
    return Table(
        title="Use per user: more people, or each more often",
        columns=(
            "job", f"uses a user, {sides[0]}", sides[1], "change", "from how many do it",
            "from how often each does", "change shown",
        ),
        rows=rows,
    )  # fmt: skip
