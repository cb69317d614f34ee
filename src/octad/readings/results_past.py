"""What the KPI has been worth: how its effect foretold the results' over past launches."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray
from scipy import special

from octad.model.finding import (
    Curve,
    CurveLine,
    Evidence,
    Finding,
    Grade,
    Interval,
    Intervals,
    Number,
    Stance,
)
from octad.model.inputs import Inputs, PastLaunch
from octad.model.metric import Metric, ReturnsMetric
from octad.model.numbers import plain
from octad.model.plan import Plan
from octad.readings.claims import capital, spoken
from octad.readings.judge import Judged
from octad.readings.measure import Measured, measure
from octad.readings.results_joint import beside
from octad.stats.proxies import (
    Slope,
    TrueCovariance,
    divergence,
    effect_covariance,
    rolling_slopes,
    slope_on_kpi,
)
from octad.stats.proxy_record import FEWEST, Record, held_out_record
from octad.stats.refusal import NotEstimable

__all__ = ["FEWEST_PAST", "Library", "past"]

FEWEST_PAST = 10
"""Past launches from which the KPI's worth is spoken of."""
FEWEST_LATE = 12
"""And in each half, for saying that it has changed lately."""
WINDOW = 12

FloatArray = NDArray[np.float64]

_ASSUMES = (
    "The next launch is like the past ones: what moves the KPI moves the result in the same way."
)
_BREAKS = "A launch that moves the KPI by another way than the past ones did."


@dataclass(frozen=True, slots=True)
class Library:
    """Past launches measured in the KPI and one result, oldest first, up being good.

    Attributes:
        effects: (k, m), errors (k, m, m), columns as asked for.
    """

    names: tuple[str, ...]
    effects: FloatArray
    errors: FloatArray


def past(plan: Plan, inputs: Inputs, judged: Sequence[Judged]) -> tuple[list[Finding], list[str]]:
    """What past launches say of the KPI, and what is missing where they cannot.

    Returns:
        Findings, and sentences that name what is lacking.
    """
    kpi = plan.launch.kpi
    results = [n for n in dict.fromkeys(j.measured.metric for j in judged) if n != kpi]
    if kpi is None or len(inputs.arms) < 2:
        return [], []
    findings: list[Finding] = []
    lacking: list[str] = []
    for result in results:
        library = _library(plan, inputs.history.launches, (kpi, result))
        k = len(library.names)
        worth = f"What a gain in {spoken(kpi)} is worth in {spoken(result)}"
        if k < FEWEST_PAST:
            lacking.append(
                f"{worth}: at least {FEWEST_PAST} past launches measured in both; the ledger holds "
                f"{k or 'none'}."
            )
            continue
        try:
            true = effect_covariance(library.effects, library.errors)
            slope = slope_on_kpi(true, level=plan.launch.rules.level)
        except NotEstimable as refused:
            lacking.append(f"{worth}: {refused}.")
            continue
        findings.append(_worth(plan, result, library, true, slope))
        findings += _short(plan, inputs, judged, result, slope)
        findings += _combined(plan, inputs, result)
    return findings, lacking


def _library(plan: Plan, launches: Sequence[PastLaunch], names: tuple[str, ...]) -> Library:
    """Launches in which every pair of these metrics has its joint error."""
    signs = np.array([1.0 if plan.metric(n).better == "up" else -1.0 for n in names])
    rows: list[tuple[PastLaunch, FloatArray, FloatArray]] = []
    for launch in launches:
        if not all(n in launch.effects for n in names):
            continue
        errors = np.diag([launch.effects[n][1] ** 2 for n in names])
        whole = True
        for i, one in enumerate(names):
            for j, two in enumerate(names[:i]):
                shared = _shared(launch, one, two)
                whole = whole and shared is not None
                errors[i, j] = errors[j, i] = shared or 0.0
        value = np.array([launch.effects[n][0] for n in names])
        if whole and np.isfinite(value).all() and (np.diag(errors) > 0).all():
            rows.append((launch, value * signs, errors * np.outer(signs, signs)))
    rows.sort(key=lambda row: row[0].at)
    m = len(names)
    return Library(
        tuple(launch.launch for launch, _, _ in rows),
        np.array([v for _, v, _ in rows]).reshape(len(rows), m),
        np.array([e for _, _, e in rows]).reshape(len(rows), m, m),
    )


def _shared(launch: PastLaunch, one: str, two: str) -> float | None:
    first, second = sorted((one, two))
    if (first, second) in launch.joint:
        return launch.joint[first, second]
    if launch.kpi in (one, two):
        return launch.with_kpi.get(two if launch.kpi == one else one)
    return None


def _worth(
    plan: Plan, result: str, library: Library, true: TrueCovariance, slope: Slope
) -> Finding:
    """What each per cent of the KPI has come to in the result, noise removed."""
    kpi, k = str(plan.launch.kpi), slope.k
    each = _rate(slope.slope, slope.low, slope.high)
    follows = slope.low > 0
    said = (
        f"Over {k} past launches, each 1% of {spoken(kpi)} came with {each} of {spoken(result)}, "
        "noise removed"
    )
    if not follows:
        said += (
            ": a gain in the KPI has told nothing sure of the result"
            if slope.high > 0
            else (": the more the KPI rose, the more the result fell")
        )
    late, changed = _lately(library, plan.launch.rules.level)
    return Finding(
        id=f"results.worth.{result}",
        claim=f"{said}.{late}",
        stance=Stance.FOR if follows and not changed else Stance.MIXED,
        grade=Grade.C,
        metric=result,
        estimate=Number(
            value=slope.slope,
            low=slope.low,
            high=slope.high,
            level=plan.launch.rules.level,
            unit=f"% of {result} for each % of {kpi}",
            se=slope.se,
        ),
        n=k,
        method="slope of the true effects: covariance of the estimates less that of their errors "
        "(Bibaut et al. 2024), interval by leaving out one launch at a time; correlation of the "
        f"true effects {plain(float(true.correlation[0, 1]), 2)}",
        assumes=_ASSUMES,
        breaks=_BREAKS,
        evidence=_over_time(library, kpi, result),
    )


def _rate(value: float, low: float, high: float) -> str:
    each, least, most = (plain(x, 2, signed=True) for x in (value, low, high))
    return f"{each}% [{least}, {most}]"


def _lately(library: Library, level: float) -> tuple[str, bool]:
    """Whether the later half of the launches has another slope than the earlier one."""
    k = len(library.names)
    if k < 2 * FEWEST_LATE:
        return "", False
    halves = []
    for part in (slice(0, k // 2), slice(k // 2, k)):
        try:
            true = effect_covariance(library.effects[part], library.errors[part])
            halves.append(slope_on_kpi(true, level=level))
        except NotEstimable:
            return "", False
    before, since = halves
    gap, se = since.slope - before.slope, float(np.hypot(before.se, since.se))
    reach = float(special.stdtrit(min(before.k, since.k) - 2, 0.5 + level / 2))
    words = (
        f"{_rate(since.slope, since.low, since.high)} over the last {since.k}, "
        f"{_rate(before.slope, before.low, before.high)} before"
    )
    if se <= 0 or abs(gap) <= reach * se:
        return f" No change lately can be told: {words}.", False
    verb = "weakened" if abs(since.slope) < abs(before.slope) or gap < 0 else "grown stronger"
    return f" Lately it has {verb}: {words}.", gap < 0


def _over_time(library: Library, kpi: str, result: str) -> tuple[Evidence, ...]:
    """The slope over the last dozen launches, launch by launch."""
    slopes = rolling_slopes(library.effects, library.errors, WINDOW)
    known = [(name, s) for name, s in zip(library.names, slopes, strict=True) if s is not None]
    if len(known) < 2:
        return ()
    return (
        Curve(
            title=f"What 1% of {spoken(kpi)} was worth in {spoken(result)}",
            x_label=f"launch, each with the {WINDOW - 1} before it",
            y_label=f"% of {spoken(result)} for each % of {spoken(kpi)}",
            x=tuple(name for name, _ in known),
            lines=(
                CurveLine(
                    name="slope, noise removed",
                    y=tuple(s.slope for _, s in known),
                    low=tuple(s.low for _, s in known),
                    high=tuple(s.high for _, s in known),
                ),
            ),
        ),
    )


def _short(
    plan: Plan, inputs: Inputs, judged: Sequence[Judged], result: str, slope: Slope
) -> list[Finding]:
    """This launch's result against what its KPI, as in the past, would have foretold."""
    findings = []
    kpi = str(plan.launch.kpi)
    for j in judged:
        if j.measured.metric != result:
            continue
        arm = inputs.arms.index(j.measured.arm)
        m = measure(plan, inputs, kpi, arm)
        b = None if m is None else beside(plan, inputs, m, j)
        if m is None or b is None:
            continue
        try:
            gap = divergence(
                b.kpi, b.result, b.covariance,
                slope=slope.slope, slope_se=slope.se, intercept=slope.intercept,
                spread=slope.spread,
            )  # fmt: skip
        except NotEstimable:
            continue
        if abs(gap.gap) <= b.reach * gap.se:
            continue
        findings.append(_gap_finding(plan, inputs, m, j, gap.expected, gap.gap, b.reach * gap.se))
    return findings


def _gap_finding(
    plan: Plan, inputs: Inputs, kpi: Measured, j: Judged, expected: float, gap: float, half: float
) -> Finding:
    result = spoken(j.measured.metric)
    came = expected + gap
    less = "short of" if gap < 0 else "beyond"
    least, most = (plain(100 * edge, 1) for edge in (abs(gap) - half, abs(gap) + half))
    several = len(inputs.arms) > 2
    return Finding(
        id=f"results.foretold.{j.measured.metric}" + (f".{kpi.arm}" if several else ""),
        claim=f"{capital(result)} is {plain(100 * abs(gap), 1)} points [{least}, {most}] {less} "
        f"what such a change in {spoken(kpi.metric)} has come with before "
        f"({plain(100 * expected, 1, signed=True)}%)" + (f" in {kpi.arm}" if several else "") + ".",
        stance=Stance.AGAINST if gap < 0 and came < 0 else Stance.MIXED,
        grade=Grade.C,
        metric=j.measured.metric,
        estimate=Number(
            value=gap, low=gap - half, high=gap + half, level=plan.launch.rules.level, unit="share"
        ),
        n=j.measured.n,
        method="result less the past launches' line at this KPI effect; the error has in it both "
        "effects' joint error, that of the slope, and how far true results lie about the line",
        assumes=_ASSUMES,
        breaks=_BREAKS,
        evidence=(
            Intervals(
                title=f"{capital(result)}: foretold from the KPI, and as it came",
                x_label="change against control, good to the right",
                rows=(
                    Interval(label="foretold from the KPI", value=expected),
                    Interval(label="as it came", value=came),
                    Interval(label="between them", value=gap, low=gap - half, high=gap + half),
                ),
                percent=True,
            ),
        ),
        query_digest=j.measured.query,
    )


def _ends(metric: Metric) -> timedelta:
    """How long after exposure a metric is known; a metric without window never is for good."""
    if isinstance(metric, ReturnsMetric):
        return metric.between[1]
    return timedelta.max if metric.window is None else metric.window


def _combined(plan: Plan, inputs: Inputs, result: str) -> list[Finding]:
    """The combination of earlier metrics that would foretell the result best, and its record."""
    kpi = str(plan.launch.kpi)
    end = _ends(plan.metric(result))
    counts = {
        name: sum(name in launch.effects for launch in inputs.history.launches)
        for name in plan.project.metrics
    }
    early = [
        name
        for name, metric in plan.project.metrics.items()
        if name not in (kpi, result) and counts[name] >= FEWEST and _ends(metric) < end
    ]
    early.sort(key=lambda name: -counts[name])
    for size in range(len(early), 0, -1):
        names = (kpi, *early[:size])
        library = _library(plan, inputs.history.launches, (*names, result))
        # Refused while there are too few launches for so many metrics; then one metric fewer.
        with contextlib.suppress(NotEstimable):
            record = held_out_record(library.effects, library.errors)
            return [_record_finding(plan, result, names, record)]
    return []


def _record_finding(plan: Plan, result: str, names: tuple[str, ...], record: Record) -> Finding:
    kpi, who = names[0], spoken(result)
    missed = {
        "the combination": record.combined,
        f"{spoken(kpi)} alone": record.alone,
        "always the mean": record.mean,
    }
    said = ", ".join(f"{plain(100 * x, 2)} points by {name}" for name, x in missed.items())
    weights = " ".join(
        f"{plain(float(w), 2, signed=True)} × {spoken(n)}"
        for n, w in zip(names, record.weights, strict=True)
    )
    wins = record.p <= 1 - plan.launch.rules.level
    lead = (
        f"A better early sign of {who} than {spoken(kpi)}: {weights}"
        if wins
        else f"No combination of early metrics is shown to foretell {who} better than "
        f"{spoken(kpi)} alone"
    )
    return Finding(
        id=f"results.combination.{result}",
        claim=f"{lead}. Over {record.k} past launches, each foretold from the others, the miss was "
        f"{said}.",
        stance=Stance.MIXED if wins else None,
        grade=Grade.C,
        metric=result,
        n=record.k,
        method="best linear rule for a launch of that size (Tripuraneni et al. 2023), each launch "
        "held out in turn, measurement noise taken off the misses; root mean square",
        assumes=_ASSUMES,
        breaks=_BREAKS,
    )  # fmt: skip
