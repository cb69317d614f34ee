"""Core jobs done less: how often users do each, against control.

A job that is displaced is seldom given up by people altogether; they do it less. So beside who
still does it (`octad.readings.jobs.displaced`) stands how often it is done.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from octad.model.finding import Finding, Stance
from octad.model.inputs import Inputs, JobUse
from octad.model.plan import Plan
from octad.readings.base import ASSUMES, BREAKS, VETO, grade_of, percent_text
from octad.readings.claims import in_arm
from octad.readings.job_back import LOST, came_back
from octad.readings.measure import anytime_decides, effect_number
from octad.stats.effects import Effect, compare
from octad.stats.moments import Moments
from octad.stats.multiplicity import holm
from octad.stats.refusal import NotEstimable

__all__ = ["done_less"]

FloatArray = NDArray[np.float64]


def done_less(plan: Plan, inputs: Inputs, use: JobUse) -> list[Finding]:
    """Compare events per user of each core job with control, adjusted by those before exposure.

    Against when a job is shown to be done less (Holm over jobs and arms) and a twentieth of its
    use or more is gone: at the end, where its days show that some of it came back. Only jobs that
    fell are told.
    """
    if len(inputs.arms) < 2:
        return []
    jobs, tried = plan.project.charter.jobs, []
    for arm in range(1, len(inputs.arms)):
        for j, name in enumerate(use.jobs):
            if name in jobs and jobs[name].core:
                effect = _effect(plan, inputs, use, arm, j)
                if effect is not None:
                    tried.append((arm, j, effect))
    if not tried:
        return []
    adjusted = holm([effect.p for *_, effect in tried])
    return [
        _finding(plan, inputs, use, arm, j, effect, float(q))
        for (arm, j, effect), q in zip(tried, adjusted, strict=True)
        if _fell(plan, inputs, effect, float(q))
    ]


def _fell(plan: Plan, inputs: Inputs, effect: Effect, q: float) -> bool:
    if anytime_decides(plan, inputs):
        return effect.anytime_high is not None and effect.anytime_high < 0
    return effect.value < 0 and q <= VETO


def _effect(plan: Plan, inputs: Inputs, use: JobUse, arm: int, j: int) -> Effect | None:
    """The relative effect on the job's events per user; hash buckets are the units."""
    users = _users(inputs, use)
    if users is None:
        return None

    def moments(a: int) -> Moments:
        held = users[a] > 0
        after, before = use.events[1, a, held, j], use.events[0, a, held, j]
        n = users[a][held]
        return Moments.from_rows(np.stack([after, n, before, n], axis=1))

    try:
        return compare(moments(0), moments(arm), relative=True, level=plan.launch.rules.level)
    except (NotEstimable, ValueError):
        return None


def _users(inputs: Inputs, use: JobUse) -> FloatArray | None:
    """(A, B) users by bucket: of a metric for which nobody waits; None where none says so."""
    shape = use.events.shape[1:3]
    for cells in inputs.metrics.values():
        if cells.waiting == 0 and cells.quantiles is None:
            n = np.asarray(cells.moments.n[0], dtype=np.float64)
            if n.shape == shape and n.sum() > 0:
                return n
    exposure = inputs.exposure
    if exposure is None or len(exposure.counts) != shape[0]:
        return None
    return np.repeat(exposure.counts[:, None] / shape[1], shape[1], axis=1)


def _finding(
    plan: Plan, inputs: Inputs, use: JobUse, arm: int, j: int, effect: Effect, q: float
) -> Finding:
    name, grade = use.jobs[j], grade_of(plan)
    several = len(inputs.arms) > 2
    back = came_back(plan, inputs, name, arm)
    lasting = effect.value if back is None else back.late
    return Finding(
        id=f"product.less.{name}" + (f".{inputs.arms[arm]}" if several else ""),
        claim=f"The core job “{name}” is done less: "
        f"{percent_text(effect.value, effect.low, effect.high)} events per user"
        f"{in_arm(inputs, inputs.arms[arm])}."
        + ("" if back is None else f" The loss shrinks: {back.said}."),
        stance=Stance.AGAINST if lasting <= -LOST else Stance.MIXED,
        grade=grade,
        estimate=effect_number(effect, p_adjusted=q),
        n=None if inputs.exposure is None else int(inputs.exposure.counts[[0, arm]].sum()),
        method="the job's events per user after exposure, adjusted by those before it; hash "
        "buckets of users are the units; Holm over the core jobs and arms; where a metric "
        "counts just its events, the last third of days against the first, in the same users",
        assumes=ASSUMES[grade],
        breaks=f"{BREAKS[grade]} An event of the job that the launch logs otherwise.",
        query_digest=use.query,
    )
