"""What people use the product for: the mix of jobs, core jobs displaced, and the way to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from octad.model.finding import Bars, Finding, Interval, Intervals, Stance, Table
from octad.model.inputs import Inputs, JobUse
from octad.model.numbers import plain, share
from octad.model.plan import Plan
from octad.readings.base import ASSUMES, BREAKS, VETO, grade_of, percent_text
from octad.readings.claims import in_arm
from octad.readings.job_back import LOST, Back, came_back
from octad.readings.measure import anytime_decides, effect_number
from octad.stats.divergence import mix_divergence
from octad.stats.effects import Effect, change, compare, of_shares
from octad.stats.moments import Moments
from octad.stats.multiplicity import holm
from octad.stats.refusal import NotEstimable

__all__ = ["displaced", "mix", "steps"]

FloatArray = NDArray[np.float64]

_DRIFT = 0.02
"""A core share within two points of what it was is the same product."""


def _bounds(plan: Plan, inputs: Inputs, effect: Effect) -> tuple[float, float]:
    """The interval that decides: the anytime one when this is not the one look at the end."""
    if anytime_decides(plan, inputs):
        low, high = effect.anytime_low, effect.anytime_high
        return (-np.inf if low is None else low), (np.inf if high is None else high)
    return effect.low, effect.high


def _columns(plan: Plan, use: JobUse) -> tuple[list[int], list[int]]:
    """Which of the jobs' columns are named jobs, and which of those are core."""
    jobs = plan.project.charter.jobs
    named = [j for j, name in enumerate(use.jobs) if name in jobs]
    return named, [j for j in named if jobs[use.jobs[j]].core]


def _compare(
    inputs: Inputs, y: FloatArray, d: FloatArray, arm: int, level: float, *, relative: bool
) -> Effect | None:
    """Compare sums over buckets; `y` and `d` are (2, A, B), before and after exposure.

    The buckets are the units: users fall into them by a hash, so one person's many events count
    as one bucket's. A launch without arms is compared with the same users' past.
    """

    def moments(a: int) -> Moments:
        return Moments.from_rows(np.stack([y[1, a], d[1, a], y[0, a], d[0, a]], axis=1))

    try:
        if len(inputs.arms) < 2:
            return change(moments(0), relative=relative, level=level)
        return compare(moments(0), moments(arm), relative=relative, level=level)
    except (NotEstimable, ValueError):
        return None


def _per_user(inputs: Inputs, events: FloatArray) -> FloatArray:
    """(2, A, B) a bucket's expected number of users, so that a ratio is events per user."""
    exposure = inputs.exposure
    counts = (
        np.ones(events.shape[1])
        if exposure is None or len(exposure.counts) != events.shape[1]
        else np.maximum(exposure.counts.astype(np.float64), 1.0)
    )
    return np.broadcast_to((counts / events.shape[2])[None, :, None], events.shape)


def mix(plan: Plan, inputs: Inputs, use: JobUse) -> list[Finding]:
    """Compare the core jobs' share of all use of jobs, and say which job drifted."""
    named, core = _columns(plan, use)
    if not core or len(named) < 2:
        return []
    events = use.events[..., named]
    whole, held = events.sum(axis=-1), use.events[..., core].sum(axis=-1)
    arms = range(1, len(inputs.arms)) if len(inputs.arms) > 1 else range(1)
    found = []
    for arm in arms:
        level = plan.launch.rules.level
        part = _compare(inputs, held, whole, arm, level, relative=False)
        if part is None:
            continue
        per = _compare(inputs, held, _per_user(inputs, held), arm, level, relative=True)
        found.append(_mix_finding(_Arm(plan, inputs, use, arm), part, per))
    return found


@dataclass(frozen=True, slots=True)
class _Arm:
    """A treatment arm's use of the jobs, beside control's, or after beside before."""

    plan: Plan
    inputs: Inputs
    use: JobUse
    arm: int

    @property
    def armed(self) -> bool:
        """Whether there is a control arm."""
        return len(self.inputs.arms) > 1

    @property
    def suffix(self) -> str:
        """What tells findings of several arms apart."""
        return f".{self.inputs.arms[self.arm]}" if len(self.inputs.arms) > 2 else ""

    @property
    def words(self) -> str:
        """The arm in words, when there are several."""
        return in_arm(self.inputs, self.inputs.arms[self.arm])

    def sides(self) -> tuple[FloatArray, FloatArray]:
        """(B, named jobs) events to compare: control and treatment, or before and after."""
        named = _columns(self.plan, self.use)[0]
        events = self.use.events[..., named]
        return (events[1, 0], events[1, self.arm]) if self.armed else (events[0, 0], events[1, 0])


def _mix_finding(at: _Arm, part: Effect, per: Effect | None) -> Finding:
    grade = grade_of(at.plan)
    low, high = _bounds(at.plan, at.inputs, part)
    empty = part.control == 0 and part.treatment == 0
    falls = per is not None and _bounds(at.plan, at.inputs, per)[1] < 0
    stance = Stance.MIXED
    if high < 0 and falls and part.p <= VETO:
        stance = Stance.AGAINST
    elif low > -_DRIFT and not empty:
        stance = Stance.FOR
    names = [at.use.jobs[j] for j in _columns(at.plan, at.use)[1]]
    what = f"“{names[0]}”" if len(names) == 1 else f"the core jobs ({', '.join(names)})"
    old, new = share(part.control, 1), share(part.treatment, 1)
    verb = "fell" if part.value < 0 else "rose"
    went = f"stayed at {new}" if old == new else f"{verb} from {old} to {new}"
    claim = f"{what[:1].upper()}{what[1:]} {went} of all use{at.words}"
    if per is not None:
        claim += f"; core use per user {percent_text(per.value, per.low, per.high)}"
    one, two = at.sides()
    drift, chart = _drift(at, one, two)
    exposure = at.inputs.exposure
    return Finding(
        id=f"product.mix{at.suffix}",
        claim=claim + ".",
        stance=stance,
        grade=grade,
        estimate=effect_number(part, "share"),
        n=None if exposure is None else int(exposure.counts.sum()),
        method=f"share of the named jobs' events, {'arms' if at.armed else 'before and after'} "
        f"compared; errors over {at.use.events.shape[2]} buckets of users{drift}",
        assumes=ASSUMES[grade],
        breaks="An event that is logged otherwise in one arm, or a job named by the wrong events. "
        f"{BREAKS[grade]}",
        evidence=(_mix_bars(at, one, two), *chart),
        query_digest=at.use.query,
    )


def _drift(at: _Arm, one: FloatArray, two: FloatArray) -> tuple[str, tuple[Intervals, ...]]:
    """The Jensen–Shannon divergence in words, and each job's change in share."""
    try:
        js = mix_divergence(one, two, at.plan.launch.rules.level)
    except NotEstimable:
        return "", ()
    names = [at.use.jobs[j] for j in _columns(at.plan, at.use)[0]]
    parts = js.contributions / max(js.value, 1e-12)
    most = int(np.argmax(parts))
    said = (
        f"; drift {js.value:.4f} bits of 1 (Jensen–Shannon, interval {js.low:.4f} to "
        f"{js.high:.4f}), most of it from {names[most]} ({parts[most]:.0%})"
    )
    rows = tuple(
        Interval(
            label=name,
            value=float(js.shift[i]),
            low=float(js.shift_low[i]),
            high=float(js.shift_high[i]),
            note=f"{parts[i]:.0%} of the drift",
        )
        for i, name in enumerate(names)
    )
    title = "Change in each job's share of use"
    return said, (Intervals(title=title, x_label="points of use", rows=rows, percent=True),)


def _mix_bars(at: _Arm, one: FloatArray, two: FloatArray) -> Bars:
    names = ("control", "treatment") if at.armed else ("before", "after")
    return Bars(
        title="What it is used for",
        y_label="share of use",
        labels=tuple(at.use.jobs[j] for j in _columns(at.plan, at.use)[0]),
        groups={
            name: tuple(float(x) for x in side.sum(axis=0) / max(float(side.sum()), 1.0))
            for name, side in zip(names, (one, two), strict=True)
        },
        percent=True,
    )


def displaced(plan: Plan, inputs: Inputs, use: JobUse) -> list[Finding]:
    """Of those who did a core job before, how many still do it, against control.

    Fewer are against the launch, unless its days show that the loss shrinks, and that in the last
    third of them less than `LOST` of the job's events are gone.
    """
    if len(inputs.arms) < 2:
        return []
    core = _columns(plan, use)[1]
    level = plan.launch.rules.level
    tried: list[tuple[int, int, Effect]] = []
    for arm in range(1, len(inputs.arms)):
        for j in core:
            had, kept = use.had[:, j], use.kept[:, j]
            try:
                effect = compare(
                    of_shares(int(kept[0]), int(had[0])),
                    of_shares(int(kept[arm]), int(had[arm])),
                    relative=False,
                    level=level,
                )
            except (NotEstimable, ValueError):
                continue
            tried.append((arm, j, effect))
    if not tried:
        return []
    grade, adjusted = grade_of(plan), holm([effect.p for *_, effect in tried])
    return [
        _displaced_finding(_Arm(plan, inputs, use, arm), j, effect, float(q)).model_copy(
            update={"grade": grade, "assumes": ASSUMES[grade], "breaks": BREAKS[grade]}
        )
        for (arm, j, effect), q in zip(tried, adjusted, strict=True)
    ]


def _gone(at: _Arm, j: int) -> Finding:
    """A core job that nobody does any more, in either arm: more likely lost in logging."""
    had = int(at.use.had[0, j] + at.use.had[at.arm, j])
    return Finding(
        id=f"product.displaced.{at.use.jobs[j]}{at.suffix}",
        claim=f"Nobody in either arm did “{at.use.jobs[j]}” after exposure, though {had:,} users "
        f"had before: was its logging lost?{at.words}",
        stance=Stance.MIXED,
        n=had,
        method="users who did the job before exposure, and those of them who did it after",
        query_digest=at.use.query,
    )


def _displaced_finding(at: _Arm, j: int, effect: Effect, q: float) -> Finding:
    low, high = _bounds(at.plan, at.inputs, effect)
    stance: Stance | None = None
    back: Back | None = None
    if high < 0 and q <= VETO:
        back = came_back(at.plan, at.inputs, at.use.jobs[j], at.arm)
        stance = Stance.AGAINST if back is None or back.late <= -LOST else Stance.MIXED
    elif low > -_DRIFT:
        stance = Stance.FOR
    if effect.control == 0 and effect.treatment == 0:
        return _gone(at, j)
    edges = ", ".join(plain(100 * v, 2, signed=True) for v in (effect.low, effect.high))
    points = f"{plain(100 * effect.value, 2, signed=True)} points [{edges}]"
    return Finding(
        id=f"product.displaced.{at.use.jobs[j]}{at.suffix}",
        claim=f"Of those who did “{at.use.jobs[j]}” before, {share(effect.treatment, 1)} still do, "
        f"against {share(effect.control, 1)} in control ({points})"
        f"{at.words}."
        + ("" if back is None else f" In how often it is done, the loss shrinks: {back.said}."),
        stance=stance,
        estimate=effect_number(effect, "share", p_adjusted=q),
        n=int(at.use.had[0, j] + at.use.had[at.arm, j]),
        method="difference of shares among users who did the job before exposure; Holm over the "
        "core jobs and arms",
        query_digest=at.use.query,
    )


def steps(plan: Plan, inputs: Inputs, use: JobUse) -> list[Finding]:
    """Events before each core job within a visit, and how many visits reach it: told only."""
    if use.steps is None or use.reach is None:
        return []
    rows, parts = [], []
    for j in _columns(plan, use)[1]:
        taken, reach = use.steps[:, j], use.reach[:, j]
        if not np.isfinite(taken[0]):
            continue
        for arm in range(1, len(inputs.arms)) if len(inputs.arms) > 1 else range(1):
            rows.append(
                (
                    use.jobs[j],
                    inputs.arms[arm],
                    float(taken[0]),
                    None if not np.isfinite(taken[arm]) else float(taken[arm]),
                    share(float(reach[0])),
                    share(float(reach[arm])),
                )
            )
            if arm and np.isfinite(taken[arm]) and taken[arm] != taken[0]:
                more = float(taken[arm] - taken[0])
                parts.append(
                    f"{plain(abs(more), 0 if more == int(more) else 1)} "
                    f"{'more' if more > 0 else 'fewer'} to {use.jobs[j]}"
                    f"{in_arm(inputs, inputs.arms[arm])}"
                )
    if not rows:
        return []
    visits = None if use.visits is None else int(use.visits.sum())
    says = (
        ", ".join(parts)
        if parts
        else "as many as in control"
        if len(inputs.arms) > 1
        else "see the table"
    )
    return [
        Finding(
            id="product.steps",
            claim=f"Steps from the start of a visit to each core job: {says}.",
            grade=grade_of(plan),
            n=visits,
            method="median events before the job within a visit (30 quiet minutes end one), over "
            "sampled visits that reach it; no error is given",
            assumes="A visit of few events is an easy one.",
            breaks="Events that the launch itself logs on the way are counted as steps.",
            evidence=(
                Table(
                    title="The way to the core jobs",
                    columns=(
                        "job",
                        "arm",
                        "steps, control",
                        "steps",
                        "reached, control",
                        "reached",
                    ),
                    rows=tuple(rows),
                ),
            ),
            query_digest=use.query,
        )
    ]
