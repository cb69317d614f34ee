"""Who pays: harmed segments over everything known before exposure, named in words."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from octad.model.finding import Evidence, Finding, Interval, Intervals, Number, Stance, Table
from octad.model.inputs import Inputs, MetricCells, Slice
from octad.model.metric import QuantileMetric, ReviewMetric
from octad.model.numbers import count, plain, share
from octad.model.plan import Plan
from octad.readings.base import (
    ASSUMES,
    BREAKS,
    grade_of,
    once,
    percent_text,
    signed_percent,
)
from octad.readings.claims import capital, in_arm, segment_words, spoken
from octad.readings.measure import of_look, share_like
from octad.stats.effects import compare
from octad.stats.moments import Moments
from octad.stats.parts import Parts
from octad.stats.refusal import NotEstimable
from octad.stats.segments import FEWEST_USERS, HarmSearch, find_harm

__all__ = ["Hit", "Searched", "harm_findings", "look_error", "search", "searched_metrics"]

_SHOWN = 4
_APART = 1.645
"""Standard errors by which a segment must be worse off than the rest of a wider one around it, or
the wider one is named."""
_OUT = 3.0
"""Standard errors by which a segment must be worse off than everyone to stand out: the furthest of
some hundreds of overlapping segments comes near it by chance."""
_SHARES = (0.1, 0.03, 0.01)
_Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Hit:
    """A slice confirmed to be harmed in one metric and arm."""

    metric: str
    arm: int
    index: int
    search: HarmSearch
    slice: Slice


@dataclass(frozen=True, slots=True)
class Searched:
    """Every search that was made, what it confirmed, and what of it is worth naming.

    Attributes:
        runs: Metric, arm and search.
        hits: Everything confirmed; `named` those that say most.
        error: Chance of confirming anything at all if nobody is harmed.
    """

    runs: tuple[tuple[str, int, HarmSearch], ...]
    hits: tuple[Hit, ...]
    named: tuple[Hit, ...]
    error: float


def searched_metrics(plan: Plan) -> list[str]:
    """Metrics in which a harmed segment is looked for: results first, then guardrails."""
    names = dict.fromkeys((*plan.launch.results, *plan.launch.guardrails))
    return [n for n in names if not isinstance(plan.metric(n), ReviewMetric | QuantileMetric)]


def look_error(plan: Plan, inputs: Inputs) -> float:
    """The familywise error that this look may spend."""
    return plan.launch.rules.segment_error * of_look(plan, inputs)


@once
def search(plan: Plan, inputs: Inputs) -> Searched:
    """Search every metric's slices; the familywise error is shared among the searches."""
    names = [n for n in searched_metrics(plan) if _can_search(inputs.metrics.get(n))]
    arms = range(1, len(inputs.arms))
    whole = look_error(plan, inputs)
    error = whole / max(1, len(names) * len(arms))
    runs: list[tuple[str, int, HarmSearch]] = []
    hits: list[Hit] = []
    for name in names:
        cells = inputs.metrics[name]
        for arm in arms:
            try:
                found = find_harm(
                    _pair(cells, arm),
                    better=plan.metric(name).better,
                    error=error,
                    seed=plan.launch.halving,
                )
            except NotEstimable:
                continue
            runs.append((name, arm, found))
            hits += [
                Hit(name, arm, int(i), found, cells.slices[int(i)])
                for i in np.flatnonzero(found.confirmed)
            ]
    return Searched(tuple(runs), tuple(hits), tuple(_most_telling(plan, inputs, hits)), whole)


def _can_search(cells: MetricCells | None) -> bool:
    return cells is not None and cells.quantiles is None and len(cells.slices) > 1


def _pair(cells: MetricCells, arm: int) -> Moments | Parts:
    """Every slice's control and one other arm."""
    return cells.moments[:, [0, arm]] if cells.parts is None else cells.parts.arms(0, arm)


def _most_telling(plan: Plan, inputs: Inputs, hits: list[Hit]) -> list[Hit]:
    """Those that stand out most from everyone, in their simplest words.

    Of slices within one another one is named. Where none stands out from everyone, all pay alike:
    the surest alone is named, and not even that when everyone is seen to pay and another segment
    is named.
    """
    out = [h for h in hits if _excess(plan, h) > _OUT]
    for name, arm in dict.fromkeys((h.metric, h.arm) for h in hits):
        own = [h for h in hits if (h.metric, h.arm) == (name, arm)]
        if not any(h in out for h in own) and not _everyone_pays(plan, own[0]):
            out.append(_simplest(plan, inputs, _surest(own), own))
    if not out and hits:
        return [_simplest(plan, inputs, _surest(hits), hits)]
    chosen: list[Hit] = []
    for hit in sorted(out, key=lambda h: _excess(plan, h), reverse=True):
        simple = _simplest(plan, inputs, hit, out)
        mine = set(simple.slice.values)
        if not any(
            other.metric == simple.metric
            and other.arm == simple.arm
            and (mine >= set(other.slice.values) or mine <= set(other.slice.values))
            for other in chosen
        ):
            chosen.append(simple)
        if len(chosen) == _SHOWN:
            break
    return chosen


def _surest(hits: list[Hit]) -> Hit:
    return min(hits, key=lambda h: (float(h.search.p[h.index]), -float(h.search.n[h.index])))


def _everyone_pays(plan: Plan, hit: Hit) -> bool:
    """Whether all users together are seen to lose in this metric."""
    s = hit.search
    up = plan.metric(hit.metric).better == "up"
    return bool(s.all_high[0] < 0) if up else bool(s.all_low[0] > 0)


def _excess(plan: Plan, hit: Hit) -> float:
    """How far the segment is hurt beyond everyone, in standard errors."""
    s, i = hit.search, hit.index
    everyone = float(s.all_value[0]) if np.isfinite(s.all_value[0]) else 0.0
    sign = 1 if plan.metric(hit.metric).better == "up" else -1
    return sign * (everyone - float(s.all_value[i])) / float(s.all_se[i])


def _simplest(plan: Plan, inputs: Inputs, hit: Hit, hits: list[Hit]) -> Hit:
    """The widest confirmed slice around this one whose other users fare no better than it."""
    values = set(hit.slice.values)
    around = [
        h
        for h in hits
        if h.metric == hit.metric and h.arm == hit.arm and set(h.slice.values) < values
    ]
    for wider in sorted(around, key=lambda h: (len(h.slice.values), -_excess(plan, h))):
        if not _worse_than_rest(plan, inputs, hit, wider):
            return wider
    return hit


def _worse_than_rest(plan: Plan, inputs: Inputs, hit: Hit, wider: Hit) -> bool:
    totals = inputs.metrics[hit.metric].totals
    inner, outer = (totals[i, [0, hit.arm]] for i in (hit.index, wider.index))
    rest = outer - inner
    if float(rest.n.min()) < FEWEST_USERS:
        return False
    try:
        here, there = (compare(m[0], m[1], relative=hit.search.relative) for m in (inner, rest))
    except NotEstimable:
        return False
    sign = 1 if plan.metric(hit.metric).better == "up" else -1
    return sign * (there.value - here.value) > _APART * math.hypot(here.se, there.se)


def harm_findings(plan: Plan, inputs: Inputs, found: Searched) -> list[Finding]:
    """A finding for each segment named, and one for what was searched and could not be seen."""
    if not found.runs:
        return []
    named = [_harmed(plan, inputs, hit, found, rank) for rank, hit in enumerate(found.named)]
    return [*named, _coverage(plan, inputs, found)]


def _harmed(plan: Plan, inputs: Inputs, hit: Hit, found: Searched, rank: int) -> Finding:
    s, i = hit.search, hit.index
    cells = inputs.metrics[hit.metric]
    users, total = float(s.n[i]), float(s.n[0])
    value, se = float(s.value[i]), float(s.se[i])
    low, high = value - _Z * se, value + _Z * se
    levels = cells.totals[i]
    ratio = levels.mean[:, 0] / np.where(levels.mean[:, 1] > 0, levels.mean[:, 1], 1.0)
    figure = percent_text(value, low, high)
    if not s.relative:
        figure = f"{plain(value, 3, signed=True)} [{plain(low, 3)}, {plain(high, 3)}]"
    grade = grade_of(plan)
    who = capital(segment_words(hit.slice.values))
    evidence: tuple[Evidence, ...] = (_beside(hit, cells),)
    return Finding(
        id=f"breadth.harmed.{rank + 1}.{hit.metric}"
        + (f".{inputs.arms[hit.arm]}" if len(inputs.arms) > 2 else ""),
        claim=f"{who} ({share(users / total, 0 if users >= 0.01 * total else None)} of all): "
        f"{spoken(hit.metric)} {figure}{in_arm(inputs, inputs.arms[hit.arm])}.",
        stance=Stance.AGAINST,
        grade=grade,
        metric=hit.metric,
        segment=dict(hit.slice.values),
        harm=True,
        estimate=Number(
            value=value,
            low=low,
            high=high,
            level=0.95,
            relative=s.relative,
            unit="share" if share_like(plan.metric(hit.metric), levels[0]) else "",
            p_adjusted=min(1.0, float(s.p[i]) * len(found.runs)),
            se=se,
            control=float(ratio[0]),
            treatment=float(ratio[hit.arm]),
        ),
        n=int(users),
        method="found on one half of the users and confirmed on the other (step-down max-T over "
        f"overlapping segments, familywise error {share(found.error)} over all metrics and arms); "
        "the figure is the confirming half's alone, which had no part in the choice",
        assumes=ASSUMES[grade] + " The attributes were known before exposure.",
        breaks=BREAKS[grade],
        evidence=evidence,
        query_digest=cells.query,
    )


def _label(piece: Slice) -> str:
    """A segment on a chart's axis, as short as it goes."""
    return ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in piece.values)


def _beside(hit: Hit, cells: MetricCells) -> Intervals:
    """The segment between everyone and the wider segments around it."""
    s = hit.search
    values = set(hit.slice.values)
    rows = [(0, "everyone")]
    rows += [
        (i, _label(piece))
        for i, piece in enumerate(cells.slices)
        if piece.values and set(piece.values) < values and not s.unseen[i]
    ]
    rows.append((hit.index, _label(hit.slice)))
    return Intervals(
        title=f"{capital(spoken(hit.metric))}: the segment and those around it, all users",
        x_label="change against control",
        rows=tuple(
            Interval(
                label=label,
                value=float(s.all_value[i]),
                low=float(s.all_low[i]),
                high=float(s.all_high[i]),
                stance=Stance.AGAINST if i == hit.index else None,
                note=f"{count(int(s.n[i]))} users",
            )
            for i, label in rows
            if np.isfinite(s.all_value[i])
        ),
        percent=s.relative,
    )


def _visible(s: HarmSearch) -> list[float]:
    """The smallest visible harm in segments of some shares of the users; infinite where unseen.

    What can be seen falls with the root of a segment's users; the middle segment sets the scale.
    """
    known = np.isfinite(s.visible) & (s.n > 0)
    if not known.any():
        return [math.inf] * len(_SHARES)
    scale = float(np.median(s.visible[known] * np.sqrt(s.n[known])))
    sizes = [part * float(s.n[0]) for part in _SHARES]
    return [scale / math.sqrt(n) if n >= 4 * FEWEST_USERS else math.inf for n in sizes]


def _loss(value: float, *, relative: bool) -> str:
    if math.isinf(value) or (relative and value >= 1):
        return "nothing"
    return signed_percent(value).lstrip("+") if relative else plain(value, 3)


def _coverage(plan: Plan, inputs: Inputs, found: Searched) -> Finding:
    """What was searched, and what could not have been seen."""
    looked = {name: s.searched + inputs.metrics[name].searched for name, _, s in found.runs}
    searched = max(looked.values())
    unseen = max(int(s.unseen.sum()) for _, _, s in found.runs)
    rows = tuple(
        (
            f"{spoken(name)}{in_arm(inputs, inputs.arms[arm])}",
            looked[name],
            *(_loss(v, relative=s.relative) for v in _visible(s)),
        )
        for name, arm, s in found.runs
    )
    hits, named = len(found.hits), len(found.named)
    claim = f"{count(searched)} segments were searched for harm; "
    if hits > named:
        claim += (
            f"{hits} are confirmed, most of them inside or around others; the {named} that "
            f"{'says' if named == 1 else 'say'} most {'is' if named == 1 else 'are'} named"
        )
    else:
        claim += f"{hits} {'is' if hits == 1 else 'are'} confirmed" if hits else "none is confirmed"
    claim += f"; {count(unseen)} are too small to say anything of." if unseen else "."
    first = rows[0]
    if not hits and first[2] != "nothing":
        least = f", in one of 1% only a loss of {first[4]}" if first[4] != "nothing" else ""
        claim += (
            " That is no proof of safety: in a segment of a tenth of the users a loss of "
            f"{first[2]} in {first[0]} would have been seen four times out of five{least}."
        )
    elif not hits:
        claim += " That is no proof of safety: with so few users hardly any harm would be seen."
    return Finding(
        id="breadth.segments",
        claim=claim,
        stance=Stance.AGAINST if hits else Stance.FOR,
        grade=grade_of(plan),
        n=int(max(float(s.n[0]) for _, _, s in found.runs)),
        method="every value known before exposure, every pair and every three of them; found on "
        "one half of the users, confirmed on the other; the halves are fixed by the launch's name",
        assumes="The segments that matter are made of these attributes.",
        breaks="A harm that cuts across all of them.",
        evidence=(
            Table(
                title="The smallest loss that would have been confirmed four times out of five",
                columns=("metric", "segments", "in 10% of users", "in 3%", "in 1%"),
                rows=rows,
            ),
        ),
    )
