"""Are the arms as large as they were meant to be: in all, on every day, in every segment?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from octad.model.finding import Curve, CurveLine, Evidence, Finding, Grade, Number, Stance, Table
from octad.model.inputs import Exposure, Inputs
from octad.model.numbers import count, day, p_value
from octad.model.plan import Plan
from octad.readings.base import grade_of
from octad.readings.claims import spoken
from octad.stats.multiplicity import holm
from octad.stats.refusal import NotEstimable
from octad.stats.sample_ratio import sample_ratio

__all__ = ["BY_TRUST", "FEWEST", "Trust", "exposures", "planned", "sample_ratios", "trust_of"]

Trust = Literal["holds", "warns", "fails"]
BY_TRUST = {"holds": Stance.FOR, "warns": Stance.MIXED, "fails": Stance.AGAINST}

FEWEST = 20
"""Users expected in an arm below which chi-square is not to be relied on."""
_SHOWN = 8
_LEAK = 0.01


def trust_of(p: float, fails: float, warns: float) -> Trust:
    """What a p this small means for trust."""
    return "fails" if p < fails else "warns" if p < warns else "holds"


def planned(plan: Plan, inputs: Inputs) -> list[float] | None:
    """Each arm's share of users as the plan meant it, in any unit; None for equal ones."""
    split = plan.launch.split
    return None if split is None else [split.get(arm, 1.0) for arm in inputs.arms]


def sample_ratios(plan: Plan, inputs: Inputs) -> list[Finding]:
    """Test the split in all, then on each day and in each segment, corrected across them."""
    exposure = inputs.exposure
    if exposure is None or not plan.launch.randomised:
        return []
    weights = planned(plan, inputs)
    return [
        *_in_all(plan, inputs, exposure, weights),
        *_in_parts(plan, inputs, exposure, weights),
    ]


def _in_all(
    plan: Plan, inputs: Inputs, exposure: Exposure, weights: list[float] | None
) -> list[Finding]:
    counts = exposure.by_day if len(exposure.days) else exposure.counts
    try:
        found = sample_ratio(counts, weights)
    except NotEstimable:
        return []
    rules = plan.launch.rules
    trust = trust_of(found.p, rules.ratio_fails, rules.ratio_warns)
    sizes = " : ".join(count(int(n)) for n in exposure.counts)
    meant = " : ".join(count(round(n)) for n in found.expected)
    said = {
        "holds": "The arms are as large as they were meant to be",
        "warns": "The arms' sizes are doubtful",
        "fails": "The arms' sizes are not what the split meant: something decides who is counted",
    }[trust]
    rows = tuple(
        (name, int(n), round(e))
        for name, n, e in zip(inputs.arms, exposure.counts, found.expected, strict=True)
    )
    return [
        Finding(
            id="doubt.sample_ratio",
            claim=f"{said}: {sizes}, where {meant} were meant ({p_value(found.p)}).",
            stance=BY_TRUST[trust],
            grade=grade_of(plan),
            trust=trust,
            estimate=Number(value=found.chi_square, unit="chi-square", p=found.p),
            n=int(exposure.counts.sum()),
            method="chi-square test of the arms' sizes against the split (Fabijan et al. 2019); "
            f"beside it, valid at every look: {p_value(found.anytime_p)} (Lindon and Malek 2022)",
            assumes=f"Fails trust under {p_value(rules.ratio_fails)}, warns under "
            f"{p_value(rules.ratio_warns)}.",
            breaks="Exposures logged late, or lost, in one arm; bots; a redirect that loses users.",
            evidence=(Table(title="Users by arm", columns=("arm", "users", "meant"), rows=rows),),
            query_digest=exposure.query,
        )
    ]


@dataclass(frozen=True, slots=True)
class _Part:
    """The arms' sizes on one day or in one segment."""

    name: str
    counts: tuple[int, ...]
    expected: tuple[float, ...]
    chi: float
    p: float


def _parts(exposure: Exposure, weights: list[float] | None) -> list[_Part]:
    named = [
        (f"on {day(d.astype('datetime64[D]').item())}", row)
        for d, row in zip(exposure.days, exposure.by_day, strict=True)
    ]
    for attribute, (values, rows) in exposure.by_attribute.items():
        named += [
            (f"where {spoken(attribute)} is {value}", row)
            for value, row in zip(values, rows, strict=True)
        ]
    found = []
    for name, row in named:
        try:
            one = sample_ratio(row, weights)
        except NotEstimable:
            continue
        if min(one.expected) >= FEWEST:
            found.append(_Part(name, one.counts, one.expected, one.chi_square, one.p))
    return found


def _in_parts(
    plan: Plan, inputs: Inputs, exposure: Exposure, weights: list[float] | None
) -> list[Finding]:
    parts = _parts(exposure, weights)
    if len(parts) < 2:
        return []
    adjusted = holm(np.array([part.p for part in parts]))
    place = int(np.argmin([part.p for part in parts]))
    worst, q = parts[place], float(adjusted[place])
    rules = plan.launch.rules
    trust = trust_of(q, rules.ratio_fails, rules.ratio_warns)
    days = sum(part.name.startswith("on ") for part in parts)
    kinds = [
        f"{count(n)} {what}{'' if n == 1 else 's'}"
        for n, what in ((days, "day"), (len(parts) - days, "segment"))
        if n
    ]
    where = " and ".join(kinds)
    sizes = " : ".join(count(n) for n in worst.counts)
    meant = " : ".join(count(round(n)) for n in worst.expected)
    if trust == "holds":
        claim = (
            f"The split holds in each of {where}; the furthest off is {worst.name} ({sizes}, where "
            f"{meant} were meant; {p_value(q)} corrected)."
        )
    else:
        off = int((adjusted < rules.ratio_warns).sum())
        others = "1 other part" if off == 2 else f"{off - 1} other parts"
        more = f", and in {others}" if off > 1 else ""
        claim = (
            f"The split breaks {worst.name}{more}: {sizes}, where {meant} were meant "
            f"({p_value(q)} corrected over {where})."
        )
    return [
        Finding(
            id="doubt.sample_ratio.parts",
            claim=claim,
            stance=BY_TRUST[trust],
            grade=grade_of(plan),
            trust=trust,
            estimate=Number(value=worst.chi, unit="chi-square", p=worst.p, p_adjusted=q),
            n=int(exposure.counts.sum()),
            method="the same test on every day of exposure and in every segment known before it; "
            "Holm's correction over all of them",
            assumes="The split was meant to be the same on every day and for everybody.",
            breaks="A launch that was opened to more people step by step.",
            evidence=_shown(inputs, exposure, parts, adjusted),
            query_digest=exposure.query,
        )
    ]


def _shown(
    inputs: Inputs, exposure: Exposure, parts: list[_Part], adjusted: NDArray[np.float64]
) -> tuple[Evidence, ...]:
    """The days as a curve, and the parts that are furthest off."""
    rows = tuple(
        (
            parts[i].name,
            " : ".join(count(n) for n in parts[i].counts),
            " : ".join(count(round(n)) for n in parts[i].expected),
            p_value(parts[i].p),
            p_value(float(adjusted[i])),
        )
        for i in np.argsort([part.p for part in parts], kind="stable")[:_SHOWN]
    )
    table = Table(
        title=f"The parts furthest off, of {count(len(parts))}",
        columns=("part", "users", "meant", "p", "corrected"),
        rows=rows,
    )
    return (_by_day(inputs, exposure), table) if len(exposure.days) > 1 else (table,)


def _by_day(inputs: Inputs, exposure: Exposure) -> Curve:
    """Each arm's share of the users who came on each day."""
    total = np.maximum(exposure.by_day.sum(axis=1), 1)
    return Curve(
        title="Share of each day's new users, by arm",
        x_label="day",
        y_label="share of new users",
        x=tuple(str(d) for d in exposure.days.astype("datetime64[D]")),
        lines=tuple(
            CurveLine(name=name, y=tuple(float(v) for v in exposure.by_day[:, a] / total))
            for a, name in enumerate(inputs.arms)
        ),
        percent=True,
    )


def exposures(inputs: Inputs) -> list[Finding]:
    """Users in both arms, too early, or in arms that the plan does not name."""
    exposure = inputs.exposure
    if exposure is None:
        return []
    total = int(exposure.counts.sum())
    notes = []
    if exposure.both:
        notes.append(f"{count(exposure.both)} users were seen in more than one arm")
    if exposure.before:
        notes.append(f"{count(exposure.before)} were exposed before the plan's first day")
    for arm, n in exposure.strange_arms.items():
        notes.append(f"{count(n)} are in an arm the plan does not name ('{arm[:40]}')")
    if not notes:
        return []
    many = exposure.both > _LEAK * max(1, total)
    return [
        Finding(
            id="doubt.exposures",
            claim=f"Left out of every estimate: {'; '.join(notes)}."
            + (
                " More than one in a hundred in several arms means the split leaks." if many else ""
            ),
            stance=Stance.MIXED if many else None,
            grade=Grade.T,
            trust="warns" if many else None,
            n=total,
            method="counts of exposures",
            assumes="A user's arm never changes.",
            breaks="One person under several ids.",
            query_digest=exposure.query,
        )
    ]
