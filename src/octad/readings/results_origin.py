"""Where the KPI's gain came from: few users, new users, shallow visits, one event, one day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from octad.model.finding import Evidence, Finding, Interval, Intervals, Number, Stance
from octad.model.inputs import Inputs, MetricCells
from octad.model.metric import FunnelMetric, MeanMetric, QuantileMetric, RatioMetric
from octad.model.numbers import plain
from octad.model.plan import Plan
from octad.readings.base import grade_of, signed_percent
from octad.readings.claims import brief, in_arm, spoken
from octad.readings.judge import by_interval
from octad.readings.measure import anytime_decides, measure
from octad.stats.multiplicity import holm
from octad.stats.origin import DayShare, GainShare, gain_share, largest_day
from octad.stats.refusal import NotEstimable

__all__ = ["CUT", "where_from"]

CUT = "largest 1% cut"
"""The variant of a metric in which the top 1% of users count no more than the next."""

TENURE = "first seen"
NAMED = 1 / 3
"""Share of the gain from which a source is worth naming."""
BEYOND = 1.5
"""And how many times its even share it must be."""
ERROR = 0.05
"""That anything is named without cause, over all sources and arms of a review together."""

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Source:
    """One place a gain may have come from, measured.

    Attributes:
        tried: How many were tried for this to be the largest.
        claim: The sentence, should it stand out; `even` how its even share is said.
        hollow: Whether no gain is shown without it, so that standing out speaks against.
    """

    key: str
    label: str
    found: GainShare | DayShare
    claim: str
    even: str
    tried: int = 1
    segment: dict[str, str] | None = None
    hollow: bool = False


@dataclass(frozen=True, slots=True)
class _Case:
    """One arm's gain in the KPI."""

    plan: Plan
    inputs: Inputs
    kpi: str
    cells: MetricCells
    arm: int

    @property
    def gain(self) -> str:
        """How the gain is called in a sentence."""
        return f"the gain in {spoken(self.kpi)}{in_arm(self.inputs, self.inputs.arms[self.arm])}"


def where_from(plan: Plan, inputs: Inputs) -> list[Finding]:
    """Name what makes a third or more of the KPI's gain, beyond its even share and beyond chance.

    One error of 5% is shared (Holm) by all sources in all arms. It speaks against the launch when
    few users stand out and no gain is shown with them cut to the level of the rest: then the gain
    is theirs, not the product's. Where none stands out, that is said too, with all as a picture.
    """
    kpi = plan.launch.kpi
    cells = inputs.metrics.get(kpi) if kpi else None
    if kpi is None or cells is None or cells.quantiles is not None:
        return []
    if isinstance(plan.metric(kpi), RatioMetric | MeanMetric | QuantileMetric | FunnelMetric):
        return []  # a ratio is no sum that falls into parts
    arms = [a for a in range(1, len(inputs.arms)) if _gained(plan, inputs, kpi, a)]
    sources = [(arm, s) for arm in arms for s in _sources(plan, inputs, kpi, cells, arm)]
    if not sources:
        return []
    p = holm(np.minimum(1.0, [s.found.p * s.tried for _, s in sources]))
    stands = [q <= ERROR and _much(s.found) for q, (_, s) in zip(p, sources, strict=True)]
    findings: list[Finding] = []
    for arm in arms:
        mine = [(s, q, n) for (a, s), q, n in zip(sources, p, stands, strict=True) if a == arm]
        findings += _of_arm(plan, inputs, kpi, arm, mine)
    return findings


def _gained(plan: Plan, inputs: Inputs, kpi: str, arm: int) -> bool:
    """Whether there is a gain to be shared out: shown, and there before any adjustment."""
    m = measure(plan, inputs, kpi, arm)
    if m is None or by_interval(m.best, m.sign, anytime=anytime_decides(plan, inputs)) is not (
        Stance.FOR
    ):
        return False
    return (m.raw_treatment - m.raw_control) * m.sign > 0


def _much(found: GainShare | DayShare) -> bool:
    return found.share >= NAMED and found.share >= BEYOND * found.fair


def _of_arm(
    plan: Plan, inputs: Inputs, kpi: str, arm: int, mine: list[tuple[_Source, float, bool]]
) -> list[Finding]:
    picture = (_picture(kpi, mine),) if len(mine) > 1 else ()
    named = [(s, q) for s, q, stands in mine if stands]
    findings = [
        _finding(plan, inputs, kpi, arm, s, q, picture if i == 0 else ())
        for i, (s, q) in enumerate(sorted(named, key=lambda pair: -pair[0].found.share))
    ]
    if findings or len(mine) < 2:
        return findings
    names = ", ".join(s.label for s, _, _ in mine)
    return [
        Finding(
            id="results.origin" + _suffix(inputs, arm),
            claim=f"The gain in {spoken(kpi)}{in_arm(inputs, inputs.arms[arm])} hangs on no single "
            f"source. Looked at: {names}.",
            stance=Stance.FOR,
            grade=grade_of(plan),
            metric=kpi,
            method=_METHOD,
            assumes=_ASSUMES,
            breaks="A source that was not looked at.",
            evidence=picture,
            query_digest=inputs.metrics[kpi].query,
        )
    ]


_METHOD = (
    "each source's share of the raw difference of means against its even share (the larger of its "
    "shares of control's use and of users), errors by leaving out one bucket of users at a time; "
    "named from a third of the gain and 1.5 times the even share, with one error of 5% over all "
    "sources together (Holm), for this one look"
)
_ASSUMES = "A gain that belongs to everyone lies where the use already lay."


def _suffix(inputs: Inputs, arm: int) -> str:
    return f".{inputs.arms[arm]}" if len(inputs.arms) > 2 else ""


def _finding(
    plan: Plan,
    inputs: Inputs,
    kpi: str,
    arm: int,
    source: _Source,
    p: float,
    picture: tuple[Evidence, ...],
) -> Finding:
    found = source.found
    return Finding(
        id=f"results.{source.key}" + _suffix(inputs, arm),
        claim=source.claim,
        stance=Stance.AGAINST if source.hollow else Stance.MIXED,
        grade=grade_of(plan),
        metric=kpi,
        segment=source.segment,
        estimate=Number(
            value=100 * found.share,
            low=100 * found.low,
            high=100 * found.high,
            level=found.level,
            unit="% of the gain",
            p=found.p,
            p_adjusted=p,
        ),
        n=int(inputs.metrics[kpi].moments.n[0, [0, arm]].sum()),
        method=_METHOD,
        assumes=_ASSUMES,
        breaks="A product that lives from exactly these users, visits or days.",
        evidence=picture,
        query_digest=inputs.metrics[kpi].query,
    )


def _side(source: _Source, *, stands: bool) -> Stance:
    if not stands:
        return Stance.FOR
    return Stance.AGAINST if source.hollow else Stance.MIXED


def _picture(kpi: str, mine: list[tuple[_Source, float, bool]]) -> Intervals:
    return Intervals(
        title=f"Where the gain in {spoken(kpi)} came from",
        x_label="share of the gain, beside what it would be were the gain even",
        rows=tuple(
            Interval(
                label=s.label,
                value=s.found.share,
                low=s.found.low,
                high=s.found.high,
                stance=_side(s, stands=stands),
                note=s.even,
            )
            for s, _, stands in mine
        ),
        percent=True,
    )


def _sources(
    plan: Plan, inputs: Inputs, kpi: str, cells: MetricCells, arm: int
) -> Iterator[_Source]:
    case = _Case(plan, inputs, kpi, cells, arm)
    for make in (_top_users, _new_users, _shallow_visits, _one_kind, _one_day):
        try:
            source = make(case)
        except NotEstimable:
            continue
        if source is not None:
            yield source


def _sums(cells: MetricCells, arm: int, index: int = 0) -> FloatArray:
    """(2, B, 2) users and the metric's sum, control and this arm."""
    if index and cells.parts is not None:
        sides = cells.parts.arms(0, arm)
        return np.stack([sides.n[index], sides.sums[0][index]], axis=-1)
    moments = cells.moments[0, [0, arm]]
    return np.stack([moments.n, moments.n * moments.mean[..., 0]], axis=-1)


def _share(found: GainShare | DayShare) -> str:
    low, high = (plain(100 * edge, 0) for edge in (found.low, found.high))
    return f"{plain(100 * found.share, 0)}% [{low}, {high}]"


def _top_users(case: _Case) -> _Source | None:
    """The sum that the top 1% of each arm's users hold.

    Its level is counted exactly; its error is that of what these users have above the cut, which
    is the influence function of a tail's sum.
    """
    tail, variants = case.inputs.tails.get(case.kpi), case.inputs.variants.get(case.kpi, {})
    cut, whole = variants.get(CUT), variants.get("nothing cut", case.cells)
    if tail is None or cut is None or (whole is case.cells and case.cells.winsor is not None):
        return None
    sums, below = _sums(whole, case.arm), _sums(cut, case.arm)
    excess = sums[..., 1] - below[..., 1]
    held = (tail.top_share * tail.total / np.maximum(tail.n, 1))[[0, case.arm]]
    shift = held - excess.sum(axis=1) / np.maximum(sums[..., 0].sum(axis=1), 1)
    part = excess + sums[..., 0] * shift[:, None]
    found = gain_share(np.concatenate([sums, part[..., None]], axis=-1))
    without = measure(case.plan, case.inputs, case.kpi, case.arm, cells=cut)
    rest = f" With them cut to the level of the rest: {brief(without)}." if without else ""
    early = anytime_decides(case.plan, case.inputs)
    gone = (
        without is not None
        and by_interval(without.best, without.sign, anytime=early) is not Stance.FOR
    )
    return _Source(
        "top_users",
        "top 1% of users",
        found,
        f"The 1% of users with most {spoken(case.kpi)} make {_share(found)} of "
        f"{case.gain}, and hold {found.fair:.0%} of all without it.{rest}",
        f"even: {found.fair:.0%}",
        hollow=gone,
    )


def _new_users(case: _Case) -> _Source | None:
    index = next(
        (
            i
            for i, s in enumerate(case.cells.slices)
            if len(s.values) == 1
            and s.values[0][0] == TENURE
            and s.values[0][1].startswith("within")
        ),
        None,
    )
    if index is None:
        return None
    part = _sums(case.cells, case.arm, index)
    found = gain_share(np.concatenate([_sums(case.cells, case.arm), part[..., ::-1]], axis=-1))
    people = case.cells.totals.n[:, [0, case.arm]].sum(axis=1)
    share = float(people[index] / people[0])
    return _Source(
        "new_users",
        "users new in the week before",
        found,
        f"{_share(found)} of {case.gain} comes from users not seen a week "
        f"before, who are {share:.0%} of all.",
        f"even: {found.fair:.0%}",
        segment={TENURE: case.cells.slices[index].values[0][1]},
    )


def _shallow_visits(case: _Case) -> _Source | None:
    visits = case.inputs.visits
    if visits is None or visits.users is None:
        return None
    pick = [0, case.arm]
    served = case.plan.launch.jobs
    jobs = [name for name in case.plan.project.charter.jobs if name not in served]
    what = f"none of {', '.join(spoken(j) for j in jobs)}" if jobs else "nothing else"
    sums = np.stack([visits.users[pick], visits.kpi[pick], visits.kpi_shallow[pick]], axis=-1)
    found = gain_share(sums)
    return _Source(
        "shallow_visits",
        f"visits with {what}",
        found,
        _of_visits(case, found, what) + f"; without the launch such visits hold {found.fair:.0%} "
        f"of {spoken(case.kpi)} ({int(sums[..., 0].sum()):,} users' visits).",
        f"even: {found.fair:.0%}",
    )


def _of_visits(case: _Case, found: GainShare, what: str) -> str:
    """More than all of a gain means that the other visits hold less than before."""
    if found.share <= 1:
        return f"{_share(found)} of {case.gain} lies in visits with {what} in them"
    return (
        f"All of {case.gain} lies in visits with {what} in them ({_share(found)} of it, since "
        "other visits hold less than before)"
    )


def _one_kind(case: _Case) -> _Source | None:
    kinds = case.inputs.kinds.get(case.kpi, {})
    whole = case.inputs.variants.get(case.kpi, {}).get("nothing cut", case.cells)
    if len(kinds) < 2 or (whole is case.cells and case.cells.winsor is not None):
        return None
    base = _sums(whole, case.arm)
    found = {
        event: gain_share(np.concatenate([base, _sums(part, case.arm)[..., 1:]], axis=-1))
        for event, part in kinds.items()
    }
    event, most = max(found.items(), key=lambda pair: pair[1].share - pair[1].fair)
    return _Source(
        "one_event",
        f"the event {event}",
        most,
        f"{_share(most)} of {case.gain} comes of one event, {event}, which "
        f"makes {most.fair:.0%} of it without the launch.",
        f"even: {most.fair:.0%}",
        tried=len(kinds),
    )


def _one_day(case: _Case) -> _Source | None:
    volume, exposure = case.inputs.volume, case.inputs.exposure
    if volume is None or exposure is None or not len(exposure.days):
        return None
    if case.kpi not in volume.metrics:
        return None
    totals, pick = volume.metrics[case.kpi], [0, case.arm]
    entered = np.cumsum(exposure.by_day[:, pick], axis=0)
    at = np.searchsorted(exposure.days, volume.days, side="right") - 1
    users = np.where(at[:, None] >= 0, entered[np.maximum(at, 0)], 0)
    settled = (users >= users[-1] / 2).all(axis=1)  # the first days of a rollout are few users'
    if not settled.any():
        return None
    found = largest_day(totals[settled, 0], totals[settled, case.arm], users[settled])
    day = volume.days[settled][found.day]
    return _Source(
        "one_day",
        f"one day ({day})",
        found,
        f"One day, {day}, makes {_share(found)} of {case.gain}, and holds "
        f"{found.fair:.0%} of its use; without it {spoken(case.kpi)} is "
        f"{signed_percent(found.rest)}.",
        f"even: {found.fair:.0%}",
    )
