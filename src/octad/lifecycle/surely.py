"""Which harm is shown surely enough to roll a launch back by it.

Results, guardrails and segments each keep an error of their own, which is right for a reading that
warns. But to roll back a launch that harms nobody is an error of its own, and three families of
tests at 5% each would make it of one harmless launch in ten. So over all of them together it is
kept to `ERROR`: Holm's step-down (1979) over the families' smallest p, one-sided, each already
corrected within its family. What is shown less surely is still harm that a reading speaks of: it
holds a launch back, and rolls none back.

Nor does a loss roll one back while its best estimate is one that the plan would bear: that there is
a loss is shown then, but not that it is more than was agreed to. A test of "more than the margin"
would ask for twice the evidence that a plan's margins are made for; the best estimate is as likely
to err to one side of the margin as to the other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats as distributions

from octad.model.finding import Finding
from octad.model.plan import Plan
from octad.stats.multiplicity import holm

__all__ = ["ERROR", "borne", "surely"]

ERROR = 0.02
"""Chance that a launch which harms nothing is told to roll back, on one look."""

RESULTS, GUARDRAILS, SEGMENTS = range(3)


def surely(plan: Plan, findings: Sequence[Finding], *, early: bool, looks: int) -> list[Finding]:
    """The findings of harm that stand at `ERROR` over all results, guardrails and segments.

    Those that the plan would bear by their best estimate (`borne`) count in the correction, since
    they were tested, and are then left out.

    Args:
        plan: For the families.
        findings: All findings.
        early: Whether the anytime interval decides; its p is taken from how far zero lies outside
            it, as `octad.readings.judge` stretches it.
        looks: Looks so far, this one included; segments share their error over early ones.
    """
    harms = [f for f in findings if f.harm]
    if not harms:
        return []
    there = [bool(plan.launch.results), bool(plan.launch.guardrails)]
    there.append(any(f.id == "breadth.segments" or f.segment is not None for f in findings))
    sizes = [_size(plan, findings, family) for family in range(3)]
    p = [_one_sided(f, sizes[_family(plan, f)], early=early, looks=looks) for f in harms]
    families = [_family(plan, f) for f in harms]
    # A family in which no harm was found has no say, but it was looked at, so it counts.
    smallest = [
        min((q for q, own in zip(p, families, strict=True) if own == family), default=1.0)
        for family in range(3)
    ]
    tested = [i for i in range(3) if there[i] or smallest[i] < 1.0]
    corrected = holm(np.array([smallest[i] for i in tested]))
    factor = {
        i: (float(q) / smallest[i] if smallest[i] > 0 else 1.0)
        for i, q in zip(tested, corrected, strict=True)
    }
    return [
        f
        for f, q, family in zip(harms, p, families, strict=True)
        if q * factor.get(family, 1.0) <= ERROR and not borne(plan, f)
    ]


def borne(plan: Plan, f: Finding) -> bool:
    """Whether a loss's best estimate lies within the margin that the plan tolerates for all users.

    Never of a segment, whose harm a margin for everyone does not excuse; nor where the plan sets no
    margin above zero, or one that cannot be set beside the estimate.
    """
    margin = {**plan.launch.guardrails, **plan.launch.results}.get(f.metric or "")
    e = f.estimate
    if f.segment is not None or margin is None or e is None or margin.value == 0:
        return False
    size: float | None = e.value
    if margin.kind == "relative":
        size = e.value if e.relative else None
    elif e.relative:
        # A relative effect is the one that is told wherever there is one.
        size = None if e.control is None else e.value * e.control
    if size is None:
        return False
    loss = -size if plan.metric(str(f.metric)).better == "up" else size
    return loss < margin.value


def _family(plan: Plan, f: Finding) -> int:
    if f.segment is not None:
        return SEGMENTS
    return GUARDRAILS if f.metric in plan.launch.guardrails else RESULTS


def _size(plan: Plan, findings: Sequence[Finding], family: int) -> int:
    """How many tests a family of results or guardrails is of."""
    own = [f for f in findings if f.state is not None and _family(plan, f) == family]
    return max(1, len(own))


def _one_sided(f: Finding, size: int, *, early: bool, looks: int) -> float:
    """The chance of as much harm where there is none; 0 for a finding that rests on no test."""
    e = f.estimate
    if e is None or e.p_adjusted is None:
        return 0.0
    if f.segment is not None:
        spent = (math.pi * max(1, looks)) ** 2 / 6 if early else 1.0
        return min(1.0, e.p_adjusted * spent)
    if not early:
        return e.p_adjusted / 2
    if e.anytime_low is None or e.anytime_high is None or e.level is None:
        return 1.0
    half = (e.anytime_high - e.anytime_low) / 2
    if half <= 0:
        return e.p_adjusted / 2
    reach = float(distributions.norm.isf((1 - e.level) / 2))
    z = abs(e.anytime_high + e.anytime_low) / 2 / half * reach
    return min(1.0, float(distributions.norm.sf(z)) * size)
