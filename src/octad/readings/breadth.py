"""Who and what pays for it?"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from octad.model.finding import (
    Answer,
    Evidence,
    Finding,
    Interval,
    Intervals,
    Number,
    Stance,
    State,
    Table,
)
from octad.model.inputs import Inputs, MetricCells, Slice
from octad.model.metric import MeanMetric, QuantileMetric, RatioMetric, ReviewMetric
from octad.model.needs import Needs
from octad.model.numbers import count, plain
from octad.model.plan import Plan
from octad.readings.base import (
    ASSUMES,
    BREAKS,
    grade_of,
    missing_metrics,
    percent_text,
    signed_percent,
)
from octad.readings.claims import brief, capital, finding_of, forest, in_arm, segment_words, spoken
from octad.readings.judge import Judged, judge, stance_of_states
from octad.readings.measure import effect_number, per_user, share_like
from octad.stats.effects import compare
from octad.stats.refusal import NotEstimable
from octad.stats.segments import HarmSearch, find_harm

QUESTION = "Who and what pays for it?"
_SHOWN = 4


def needs(plan: Plan) -> Needs:
    """Every guardrail; results and guardrails by segment."""
    guards = frozenset(_guardrails(plan))
    return Needs(totals=guards, sliced=frozenset(_searched(plan)))


def _guardrails(plan: Plan) -> list[str]:
    return [n for n in plan.launch.guardrails if not isinstance(plan.metric(n), ReviewMetric)]


def _searched(plan: Plan) -> list[str]:
    """Metrics in which a harmed segment is looked for: results first, then guardrails."""
    names = dict.fromkeys((*plan.launch.results, *plan.launch.guardrails))
    return [n for n in names if not isinstance(plan.metric(n), ReviewMetric | QuantileMetric)]


def read(plan: Plan, inputs: Inputs) -> Answer:
    """Judge every guardrail, and search all segments known before exposure for harm.

    Against: a guardrail is worse, or a harmed segment is confirmed. For: every guardrail is shown
    within its margin and no segment is harmed. Mixed: a guardrail is unclear. Silent: there is
    nothing to judge and nobody to search.
    """
    guards = {n: m for n, m in plan.launch.guardrails.items() if n in _guardrails(plan)}
    judged = (
        judge(plan, inputs, guards, one_sided=plan.launch.rules.guardrail_error) if guards else []
    )
    findings = [finding_of(plan, inputs, "breadth", j, guards[j.measured.metric]) for j in judged]
    if len(judged) > 1:
        chart = forest("Guardrails against control", judged)
        if chart.rows:
            findings[0] = findings[0].model_copy(
                update={"evidence": (chart, *findings[0].evidence)}
            )
    padded = _padded(plan, inputs, judged)
    segments = _segments(plan, inputs)
    harmed = [f for f in segments if f.harm]
    refused = _refused(inputs)
    missing = list(missing_metrics(inputs, list(guards)))
    if not guards:
        missing.append("A 'guardrails:' in the plan: what must not get worse, and by how much.")
    if not segments and not _searched(plan):
        missing.append("A 'results:' or 'guardrails:' in the plan, to search segments for harm in.")
    elif not segments:
        missing.append(
            "Attributes of users known before exposure, to see who pays: a users source, or use "
            "before exposure."
        )
    if not judged and not segments:
        return Answer(
            stance=Stance.SILENT,
            question=QUESTION,
            summary="no guardrail and no segment to look at",
            findings=tuple(refused),
            missing=tuple(missing),
        )
    stance = Stance.AGAINST if harmed else stance_of_states([j.state for j in judged])
    if stance is Stance.SILENT or (stance is Stance.FOR and any(f.stance for f in padded)):
        stance = Stance.MIXED
    if stance is Stance.FOR and any(n in inputs.absent or n not in inputs.metrics for n in guards):
        stance = Stance.MIXED
    return Answer(
        stance=stance,
        question=QUESTION,
        summary=_summary(inputs, judged, harmed) or segments[-1].claim.split(". ")[0].rstrip("."),
        findings=(*harmed, *findings, *padded, *(f for f in segments if not f.harm), *refused),
        missing=tuple(missing),
    )


def _summary(inputs: Inputs, judged: list[Judged], harmed: list[Finding]) -> str:
    words = [f.claim.rstrip(".") for f in harmed[:1]]
    for j in judged:
        m = j.measured
        arm = in_arm(inputs, m.arm)
        if j.state is State.WITHIN:
            words.append(f"{spoken(m.metric)} within its margin{arm}")
        elif j.state is State.UNCLEAR:
            words.append(f"{spoken(m.metric)} not shown within its margin{arm}")
        else:
            words.append(f"{brief(m)}{arm}")
    return " · ".join(words)


def _padded(plan: Plan, inputs: Inputs, judged: list[Judged]) -> list[Finding]:
    """Ratios whose denominator the launch moved, with their numerator per user beside them.

    A crash rate falls when openings are padded, without one crash fewer.
    """
    found = []
    for j in judged:
        m = j.measured
        cells = inputs.metrics[m.metric]
        metric = plan.metric(m.metric)
        if not isinstance(metric, RatioMetric | MeanMetric) or len(inputs.arms) < 2:
            continue
        arms = [cells.moments[0, a].total(0) for a in (0, inputs.arms.index(m.arm))]
        try:
            below = compare(*(per_user(a, denominator=True) for a in arms))
            above = compare(*(per_user(a) for a in arms))
        except NotEstimable:
            continue
        if below.p > 1 - plan.launch.rules.level:
            continue
        said = spoken(m.metric)
        worse = m.sign * above.value < 0 and above.p <= 1 - plan.launch.rules.level
        what = " or ".join(metric.ratio[0] if isinstance(metric, RatioMetric) else metric.of)
        under = (
            " or ".join(metric.ratio[1]) if isinstance(metric, RatioMetric) else f"{what} events"
        )
        found.append(
            Finding(
                id=f"breadth.{m.metric}.per_user" + (f".{m.arm}" if len(inputs.arms) > 2 else ""),
                claim=f"{capital(said)} is a rate whose base the launch moved: {under} per user "
                f"{signed_percent(below.value)}. Per user, {what} went "
                f"{percent_text(above.value, above.low, above.high)}"
                f"{in_arm(inputs, m.arm)}.",
                stance=Stance.MIXED if worse else None,
                grade=grade_of(plan),
                metric=m.metric,
                estimate=effect_number(above),
                n=m.n,
                method="the ratio's numerator and denominator, each as a mean per user",
                assumes=ASSUMES[grade_of(plan)],
                breaks=BREAKS[grade_of(plan)],
                query_digest=m.query,
            )
        )
    return found


def _refused(inputs: Inputs) -> list[Finding]:
    return [
        Finding(
            id=f"breadth.refused.{name}",
            claim=f"'{name}' is refused as a segment: {why}.",
            method="segments must be known before exposure",
            assumes="",
            breaks="",
        )
        for name, why in inputs.refused_segments.items()
    ]


@dataclass(frozen=True, slots=True)
class _Hit:
    metric: str
    arm: int
    index: int
    search: HarmSearch
    slice: Slice


def _seed(plan: Plan, name: str) -> int:
    """The halving is fixed by the launch's name, so that nobody can try another."""
    return int.from_bytes(hashlib.sha256(f"{plan.launch.launch}/{name}".encode()).digest()[:4])


def _segments(plan: Plan, inputs: Inputs) -> list[Finding]:
    """Search every metric's slices; the familywise error is shared among the searches."""
    names = [n for n in _searched(plan) if _can_search(inputs.metrics.get(n))]
    arms = range(1, len(inputs.arms))
    if not names or not arms:
        return []
    error = plan.launch.rules.segment_error / (len(names) * len(arms))
    hits: list[_Hit] = []
    searches: list[tuple[str, HarmSearch]] = []
    for name in names:
        cells = inputs.metrics[name]
        for arm in arms:
            try:
                search = find_harm(
                    cells.moments[:, [0, arm]],
                    better=plan.metric(name).better,
                    error=error,
                    seed=_seed(plan, name),
                )
            except NotEstimable:
                continue
            searches.append((name, search))
            hits += [
                _Hit(name, arm, int(i), search, cells.slices[int(i)])
                for i in np.flatnonzero(search.confirmed)
            ]
    if not searches:
        return []
    top = _most_telling(hits)
    found = [_harm_finding(plan, inputs, hit, searches, rank) for rank, hit in enumerate(top)]
    return [*found, _coverage(plan, searches, hits)]


def _can_search(cells: MetricCells | None) -> bool:
    return cells is not None and cells.quantiles is None and len(cells.slices) > 1


def _most_telling(hits: list[_Hit]) -> list[_Hit]:
    """Those that stand out most from everyone; of slices within one another only one is named."""
    hits = sorted(hits, key=_excess, reverse=True)
    chosen: list[_Hit] = []
    for hit in hits:
        mine = set(hit.slice.values)
        covered = False
        for other in chosen:
            theirs = set(other.slice.values)
            if other.metric == hit.metric and (mine >= theirs or mine <= theirs):
                covered = True
                break
        if not covered:
            chosen.append(hit)
        if len(chosen) == _SHOWN:
            break
    return chosen


def _excess(hit: _Hit) -> float:
    """How far the segment is hurt beyond everyone, in standard errors."""
    s, i = hit.search, hit.index
    everyone = float(s.all_value[0]) if np.isfinite(s.all_value[0]) else 0.0
    return abs(float(s.all_value[i]) - everyone) / float(s.all_se[i])


def _harm_finding(
    plan: Plan, inputs: Inputs, hit: _Hit, searches: list[tuple[str, HarmSearch]], rank: int
) -> Finding:
    s, i = hit.search, hit.index
    cells = inputs.metrics[hit.metric]
    total = float(cells.moments[0].n.sum())
    users = float(s.n[i])
    value, low, high = float(s.all_value[i]), float(s.all_low[i]), float(s.all_high[i])
    levels = cells.moments[i].total(-1)
    ratio = levels.mean[:, 0] / np.where(levels.mean[:, 1] > 0, levels.mean[:, 1], 1.0)
    figure = percent_text(value, low, high)
    if not s.relative:
        figure = f"{plain(value, 3, signed=True)} [{plain(low, 3)}, {plain(high, 3)}]"
    grade = grade_of(plan)
    several = len(inputs.arms) > 2
    who = segment_words(hit.slice.values)
    evidence: tuple[Evidence, ...] = (_picture(hit, cells, searches),) if rank == 0 else ()
    return Finding(
        id=f"breadth.harmed.{rank + 1}.{hit.metric}"
        + (f".{inputs.arms[hit.arm]}" if several else ""),
        claim=f"{capital(who)} ({users / total:.0%} of all): {spoken(hit.metric)} {figure}"
        f"{in_arm(inputs, inputs.arms[hit.arm])}.",
        stance=Stance.AGAINST,
        grade=grade,
        metric=hit.metric,
        segment=dict(hit.slice.values),
        harm=True,
        estimate=Number(
            value=value,
            low=low,
            high=high,
            level=plan.launch.rules.level,
            relative=s.relative,
            unit="share" if share_like(plan.metric(hit.metric), levels[0]) else "",
            p_adjusted=float(s.p[i]),
            se=float(s.all_se[i]),
            control=float(ratio[0]),
            treatment=float(ratio[hit.arm]),
        ),
        n=int(users),
        method="found on one half of the users and confirmed on the other (step-down max-T over "
        f"overlapping segments, familywise error {plan.launch.rules.segment_error:.0%} over all "
        "metrics); the size shown is over both halves, and so a little too large",
        assumes=ASSUMES[grade] + " The attributes were known before exposure.",
        breaks=BREAKS[grade],
        evidence=evidence,
        query_digest=cells.query,
    )


def _label(piece: Slice) -> str:
    """A segment on a chart's axis, as short as it goes."""
    return ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in piece.values)


def _picture(hit: _Hit, cells: MetricCells, searches: list[tuple[str, HarmSearch]]) -> Intervals:
    """Who gains and who pays: the single attributes' slices of this metric."""
    search = next(s for name, s in searches if name == hit.metric)
    rows = [
        Interval(
            label=_label(piece),
            value=float(search.all_value[i]),
            low=float(search.all_low[i]),
            high=float(search.all_high[i]),
            stance=Stance.AGAINST if search.confirmed[i] else None,
        )
        for i, piece in enumerate(cells.slices)
        if len(piece.values) == 1 and not search.unseen[i]
    ]
    if len(hit.slice.values) > 1:
        i = hit.index
        rows.insert(
            0,
            Interval(
                label=_label(hit.slice),
                value=float(search.all_value[i]),
                low=float(search.all_low[i]),
                high=float(search.all_high[i]),
                stance=Stance.AGAINST,
            ),
        )
    return Intervals(
        title=f"{hit.metric}: who gains and who pays",
        x_label="change against control",
        rows=tuple(rows[:30]),
        percent=search.relative,
    )


def _coverage(plan: Plan, searches: list[tuple[str, HarmSearch]], hits: list[_Hit]) -> Finding:
    """What was searched, and what could not have been seen."""
    searched = max(s.searched for _, s in searches)
    unseen = max(int(s.unseen.sum()) for _, s in searches)
    rows = []
    for name, s in searches:
        visible = s.visible[np.isfinite(s.visible)]
        if len(visible):
            rows.append(
                (
                    name,
                    int(s.searched),
                    signed_percent(-float(np.median(visible)))
                    if s.relative
                    else plain(float(np.median(visible)), 3),
                    signed_percent(-float(visible.max()))
                    if s.relative
                    else plain(float(visible.max()), 3),
                )
            )
    claim = (
        f"{count(searched)} segments were searched for harm"
        + (
            f"; {len(hits)} confirmed, some of them inside others"
            if hits
            else "; none is confirmed"
        )
        + (f"; {count(unseen)} are too small to say anything of" if unseen else "")
        + "."
    )
    if rows and not hits:
        claim += (
            " That is no proof of safety: in a middling segment a loss of "
            f"{rows[0][2].lstrip('−+')} in {rows[0][0]} would have been seen four times out of "
            "five, a smaller one more seldom."
        )
    return Finding(
        id="breadth.segments",
        claim=claim,
        stance=Stance.AGAINST if hits else Stance.FOR,
        grade=grade_of(plan),
        n=int(max(float(s.n[0]) for _, s in searches)),
        method="every value of every attribute known before exposure, and every pair of values; "
        "found on one half of the users, confirmed on the other",
        assumes="The segments that matter are made of these attributes.",
        breaks="A harm that cuts across all of them.",
        evidence=(
            Table(
                title="The smallest harm this search would have confirmed four times out of five",
                columns=("metric", "segments", "in a middling segment", "in the smallest"),
                rows=tuple(rows),
            ),
        )
        if rows
        else (),
    )
