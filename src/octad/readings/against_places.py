"""Where the case against a launch is looked for, and the strongest point of each kind of place.

Each kind keeps its own error: the p of its strongest point is corrected over all its places, by
Holm, Bonferroni or the halves of the segment search. `octad.readings.against` corrects over the
kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from octad.model.finding import Finding, Stance
from octad.model.inputs import Inputs
from octad.model.metric import ReviewMetric
from octad.model.numbers import plain, share
from octad.model.plan import Plan
from octad.readings.base import percent_text, signed_percent
from octad.readings.breadth_segments import search
from octad.readings.claims import brief, in_arm, segment_words, spoken
from octad.readings.doubt_before import controls, pre_period
from octad.readings.doubt_split import sample_ratios
from octad.readings.measure import measure
from octad.readings.stars import stars
from octad.readings.voices import Talk, listen
from octad.stats.buckets import jackknife_arms, relative_lift
from octad.stats.effects import compare, of_shares
from octad.stats.refusal import NotEstimable

__all__ = ["KINDS", "Point", "one_sided"]

FloatArray = NDArray[np.float64]

_FEWEST_DAYS = 9


@dataclass(frozen=True, slots=True)
class Point:
    """The strongest point against the launch among places of one kind.

    Attributes:
        kind: Of place.
        words: What is said against the launch there, as a clause with its figures.
        p: One-sided, corrected over the places of this kind.
        places: How many there were.
        order: Points that stand are said in this order.
    """

    kind: str
    words: str
    p: float
    places: int
    order: int = 0


Seen = tuple[float, float, str]
"""A one-sided p, minus the effect's size (the larger of equals is said), and what it would say."""

_SURE = 1e-12
"""Below this one p is as good as another."""


def one_sided(z: float, sign: int, df: float = np.inf) -> float:
    """Chance of a value this far in the bad direction; `sign` is +1 where more is better."""
    return float(special.stdtr(df, sign * z) if np.isfinite(df) else special.ndtr(sign * z))


def _strongest(kind: str, seen: Sequence[Seen]) -> Point | None:
    """The smallest p times the number of places (Bonferroni; Holm's first step)."""
    if not seen:
        return None
    p, _, words = min((max(p, _SURE), size, words) for p, size, words in seen)
    return Point(kind, words, min(1.0, p * len(seen)), len(seen))


def _arms(inputs: Inputs) -> range:
    return range(1, len(inputs.arms)) if len(inputs.arms) > 1 else range(1)


def _judged(plan: Plan, inputs: Inputs) -> list[str]:
    """The plan's metrics that are measured on users."""
    return [
        n
        for n in plan.launch.metrics
        if n in inputs.metrics and not isinstance(plan.metric(n), ReviewMetric)
    ]


def _metrics(plan: Plan, inputs: Inputs) -> Point | None:
    """The KPI, results and guardrails among all users."""
    seen: list[Seen] = []
    for name in _judged(plan, inputs):
        for arm in _arms(inputs):
            m = measure(plan, inputs, name, arm)
            if m is not None:
                e = m.absolute
                words = f"{brief(m)}{in_arm(inputs, m.arm)} among all users"
                seen.append((one_sided(e.z, m.sign, e.df), -abs(m.best.value), words))
    return _strongest("metrics, all users", seen)


def _segments(plan: Plan, inputs: Inputs) -> Point | None:
    """Every segment known before exposure, found on one half and confirmed on the other."""
    found = search(plan, inputs)
    if not found.runs:
        return None
    best: tuple[float, float, str] | None = None
    places = 0
    for name, arm, s in found.runs:
        places += s.searched + inputs.metrics[name].searched
        named = [h.index for h in found.named if h.metric == name and h.arm == arm]
        i = min(named, key=lambda k: s.p[k]) if named else int(np.argmin(s.p))
        if not s.found[i]:
            continue
        figure = percent_text(
            float(s.value[i]),
            float(s.value[i] - 1.96 * s.se[i]),
            float(s.value[i] + 1.96 * s.se[i]),
        )
        if not s.relative:
            figure = plain(float(s.value[i]), 3, signed=True)
        who = segment_words(inputs.metrics[name].slices[i].values)
        words = (
            f"{spoken(name)} {figure}{in_arm(inputs, inputs.arms[arm])} among {who} "
            f"({share(float(s.n[i] / s.n[0]), 0 if s.n[i] >= 0.01 * s.n[0] else None)} of all)"
        )
        one = (float(s.p[i]), -abs(float(s.value[i] / s.se[i])), words)
        best = one if best is None else min(best, one)
    if best is None:
        return Point("segments", "no segment looked worse on the finding half", 1.0, places)
    return Point("segments", best[2], min(1.0, best[0] * len(found.runs)), places)


def _days(plan: Plan, inputs: Inputs) -> Point | None:
    """The effect on every day since exposure; the day of exposure is day 1, as elsewhere."""
    seen: list[Seen] = []
    for name, daily in inputs.daily.items():
        if name not in plan.launch.metrics or daily.by_bucket is None:
            continue
        sign = 1 if plan.metric(name).better == "up" else -1
        for arm in range(1, len(inputs.arms)):
            for day in range(daily.by_bucket.shape[2]):
                one = _lift(daily.by_bucket[[0, arm]][:, :, day : day + 1])
                if one is not None:
                    value, se, df = one
                    words = (
                        f"{spoken(name)} {signed_percent(value)}"
                        f"{in_arm(inputs, inputs.arms[arm])} on day {day + 1} after exposure"
                    )
                    seen.append((one_sided(value / se, sign, df), -abs(value), words))
    return _strongest("days since exposure", seen)


def _lift(sums: FloatArray) -> tuple[float, float, float] | None:
    """Relative effect of some days taken together, its error and degrees of freedom."""
    flat = np.stack(
        [sums[..., 0].max(axis=2), sums[..., 1].sum(axis=2), sums[..., 2].sum(axis=2)], axis=-1
    ).astype(np.float64)
    try:
        seen = jackknife_arms(
            flat,
            lambda t: relative_lift(np.moveaxis(t[..., 1], -1, 0), np.moveaxis(t[..., 2], -1, 0))[
                ..., None
            ],
        )
    except NotEstimable:
        return None
    se = float(seen.se[0])
    return (float(seen.value[0]), se, float(seen.df[0])) if se > 0 else None


def _fading(plan: Plan, inputs: Inputs) -> Point | None:
    """Whether the last third of the days is worse than the first, in the KPI and the results."""
    seen: list[Seen] = []
    for name, daily in inputs.daily.items():
        if name not in plan.launch.metrics or daily.by_bucket is None:
            continue
        sign = 1 if plan.metric(name).better == "up" else -1
        enough = daily.by_bucket[..., 0].sum(axis=(0, 1))
        days = int((enough >= 0.5 * enough[0]).sum())
        if days < _FEWEST_DAYS:
            continue
        third = days // 3
        for arm in range(1, len(inputs.arms)):
            sums = daily.by_bucket[[0, arm]].astype(np.float64)
            one = _change(sums[:, :, :third], sums[:, :, days - third : days])
            if one is not None:
                early, late, z, df = one
                words = (
                    f"{spoken(name)} went from {signed_percent(early)} in the first {third} days "
                    f"to {signed_percent(late)} in the last{in_arm(inputs, inputs.arms[arm])}"
                )
                seen.append((one_sided(z, sign, df), -abs(late - early), words))
    return _strongest("early days against late", seen)


def _change(early: FloatArray, late: FloatArray) -> tuple[float, float, float, float] | None:
    """Effects in two spans, and z of the later less the earlier, the same users in both."""
    parts = [part[..., 1:].sum(axis=2) for part in (early, late)]
    flat = np.concatenate([early[..., 0].max(axis=2)[..., None], *parts], axis=2)

    def statistic(t: FloatArray) -> FloatArray:
        arms = np.moveaxis(t, -2, 0)
        one = relative_lift(arms[..., 1], arms[..., 2])
        two = relative_lift(arms[..., 3], arms[..., 4])
        return np.stack([one, two, two - one], axis=-1)

    try:
        seen = jackknife_arms(flat, statistic)
    except NotEstimable:
        return None
    se = float(seen.se[2])
    if se <= 0:
        return None
    first, last, change = (float(v) for v in seen.value)
    return first, last, change / se, float(seen.df[2])


def _kinds(plan: Plan, inputs: Inputs) -> Point | None:
    """Each event that a metric counts, by itself."""
    seen: list[Seen] = []
    for name, kinds in inputs.kinds.items():
        if name not in plan.launch.metrics:
            continue
        for kind, cells in kinds.items():
            for arm in _arms(inputs):
                m = measure(plan, inputs, name, arm, cells=cells)
                if m is not None:
                    figure = brief(m).removeprefix(spoken(name)).strip()
                    words = f"the event {kind} {figure}{in_arm(inputs, m.arm)}"
                    e = m.absolute
                    seen.append((one_sided(e.z, m.sign, e.df), -abs(m.best.value), words))
    return _strongest("event kinds", seen)


def _coming_back(_plan: Plan, inputs: Inputs) -> Point | None:
    """The share of users active on each day after exposure; its own day is day 1."""
    retention = inputs.retention
    seen: list[Seen] = []
    if retention is None:
        return None
    for arm in range(1, len(inputs.arms)):
        for i, day in enumerate(retention.days):
            if not int(day):
                continue
            try:
                e = compare(
                    *(
                        of_shares(int(retention.active[a, i]), int(retention.observed[a, i]))
                        for a in (0, arm)
                    ),
                    relative=False,
                )
            except NotEstimable:
                continue
            words = (
                f"{share(e.treatment)} of users came back on day {int(day) + 1}"
                f"{in_arm(inputs, inputs.arms[arm])}, {share(e.control)} of control's"
            )
            seen.append((one_sided(e.z, 1), -abs(e.value), words))
    return _strongest("coming back, by day", seen)


def _jobs(plan: Plan, inputs: Inputs) -> Point | None:
    """The charter's core jobs: the share of users who do each after exposure."""
    use = inputs.jobs
    seen: list[Seen] = []
    if use is None or len(inputs.arms) < 2:
        return None
    everyone = inputs.exposure.counts if inputs.exposure is not None else None
    if everyone is None:
        return None
    did = use.users[1].sum(axis=1)
    for j, name in enumerate(use.jobs):
        job = plan.project.charter.jobs.get(name)
        if job is None or not job.core:
            continue
        for arm in range(1, len(inputs.arms)):
            try:
                e = compare(
                    *(of_shares(float(did[a, j]), int(everyone[a])) for a in (0, arm)),
                    relative=False,
                )
            except (NotEstimable, ValueError):
                continue
            words = (
                f"{share(e.treatment)} of users still {spoken(name)}"
                f"{in_arm(inputs, inputs.arms[arm])}, {share(e.control)} of control's"
            )
            seen.append((one_sided(e.z, 1), -abs(e.value), words))
    return _strongest("core jobs", seen)


def _errors(_plan: Plan, inputs: Inputs) -> Point | None:
    """Errors that users meet, by how heavily they used it before."""
    errors = inputs.errors
    seen: list[Seen] = []
    if errors is None or len(inputs.arms) < 2:
        return None
    for kind, met in errors.kinds.items():
        for arm in range(1, len(inputs.arms)):
            for band, label in enumerate(errors.bands):
                try:
                    e = compare(
                        *(
                            of_shares(int(met[a, band]), int(errors.users[a, band]))
                            for a in (0, arm)
                        ),
                        relative=False,
                    )
                except (NotEstimable, ValueError):
                    continue
                who = segment_words([("use before", label)])
                words = (
                    f"{share(e.treatment)} of {who} met {kind}"
                    f"{in_arm(inputs, inputs.arms[arm])}, {share(e.control)} of control's"
                )
                seen.append((one_sided(e.z, -1), -abs(e.value), words))
    return _strongest("errors, by use before", seen)


def _reviews(plan: Plan, inputs: Inputs) -> Point | None:
    """Our stars beside rivals'; a fall that earlier dates showed as often is no point."""
    talk = listen(plan, inputs)
    found = stars(talk) if isinstance(talk, Talk) else None
    if found is None or found.estimate is None or found.estimate.z is None:
        return None
    p = one_sided(found.estimate.z, 1) if found.stance is Stance.AGAINST else 1.0
    return Point("stars in reviews", found.claim[:1].lower() + found.claim[1:].rstrip("."), p, 1)


def _measurement(plan: Plan, inputs: Inputs) -> Point | None:
    """The measurement itself: the split, the arms before exposure, the negative controls."""
    checks = [*sample_ratios(plan, inputs), *pre_period(plan, inputs), *controls(plan, inputs)]
    seen: list[Seen] = []
    for f in checks:
        e = f.estimate
        p = None if e is None else e.p_adjusted if e.p_adjusted is not None else e.p
        if p is not None:
            seen.append((p, 0.0, _as_opponent(f)))
    return _strongest("the measurement itself", seen)


def _as_opponent(f: Finding) -> str:
    """What a check says, as one says it who would rather that it failed."""
    claim = f.claim[:1].lower() + f.claim[1:].rstrip(".")
    if f.trust == "holds" and f.id == "doubt.sample_ratio":
        return f"the arms hold {claim.split(': ', 1)[1]}"
    if f.trust == "holds" and "; the furthest" in claim:
        where = "before exposure" if f.id == "doubt.pre" else "in the split"
        return f"{where}, the furthest{claim.split('; the furthest', 1)[1]}"
    return claim


KINDS: tuple[Callable[[Plan, Inputs], Point | None], ...] = (
    _measurement,
    _metrics,
    _segments,
    _fading,
    _errors,
    _jobs,
    _coming_back,
    _reviews,
    _kinds,
    _days,
)
"""Every kind of place, in the order in which points that stand are said."""
