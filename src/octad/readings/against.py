"""The case against: the strongest evidence against the launch that the data hold.

Everything measured is searched for it, and it is written down as an opponent of the launch would,
under the same rules of error as everything else: each kind of place keeps its own error, Holm's
step-down keeps that of all kinds together, and the page says how many places were looked at. So
where nothing is wrong a point stands in one launch of twenty at most; "the strongest point is
weak" is what an honest opponent then says.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from octad.model.finding import Finding, Stance, Table
from octad.model.inputs import Inputs
from octad.model.numbers import count, p_value
from octad.model.plan import Plan
from octad.readings.against_places import KINDS, Point
from octad.readings.base import grade_of
from octad.readings.claims import capital
from octad.readings.measure import of_look
from octad.stats.multiplicity import holm

__all__ = ["CASE", "Case", "build", "case_against"]

CASE = "doubt.case"
"""The finding's id."""

_SHOWN = 4
_ALWAYS = 0.95


@dataclass(frozen=True, slots=True)
class Case:
    """The strongest point of each kind with its p over all kinds: those that stand first.

    Attributes:
        points: The strongest of each kind.
        corrected: Their p, corrected over kinds and looks.
        places: Looked at in all.
        error: Chance that any stands if none is true.
    """

    points: tuple[Point, ...]
    corrected: tuple[float, ...]
    places: int
    error: float

    @property
    def standing(self) -> tuple[Point, ...]:
        """Points that stand after every correction."""
        pairs = zip(self.points, self.corrected, strict=True)
        return tuple(point for point, p in pairs if p <= self.error)


def build(plan: Plan, inputs: Inputs) -> Case | None:
    """Search every kind of place.

    Before the plan's last look the p is multiplied by (πk)²/6 at the k-th look, so that all looks
    together keep the error (6/π²·Σ1/k² = 1).

    Returns:
        None when nothing was measured that could speak against the launch.
    """
    found = [kind(plan, inputs) for kind in KINDS]
    points = [replace(p, order=i) for i, p in enumerate(found) if p is not None]
    if not points:
        return None
    raw = np.minimum(1.0, np.array([p.p for p in points]) / of_look(plan, inputs))
    adjusted = holm(raw)
    error = 1 - plan.launch.rules.level

    def rank(i: int) -> tuple[float, float]:
        # All that stand are sure enough; among them what matters most is said first.
        if adjusted[i] <= error:
            return 0.0, float(points[i].order)
        return float(adjusted[i]), points[i].p

    order = sorted(range(len(points)), key=rank)
    return Case(
        points=tuple(points[i] for i in order),
        corrected=tuple(float(adjusted[i]) for i in order),
        places=sum(p.places for p in points),
        error=error,
    )


def case_against(plan: Plan, inputs: Inputs) -> list[Finding]:
    """Write the case down: a few sentences with figures, and where else was looked."""
    case = build(plan, inputs)
    if case is None:
        return []
    stands = case.standing
    rows = tuple(
        (
            point.kind,
            count(point.places),
            capital(point.words),
            _p(point.p),
            _p(p),
        )
        for point, p in zip(case.points, case.corrected, strict=True)
    )
    return [
        Finding(
            id=CASE,
            claim=_strong(case, stands) if stands else _weak(case),
            stance=Stance.AGAINST if stands else Stance.FOR,
            grade=grade_of(plan),
            n=int(inputs.exposure.counts.sum()) if inputs.exposure is not None else None,
            method=f"the strongest point of each of {len(case.points)} kinds of places, its p "
            f"corrected over the kind's own places, then over the kinds (Holm) and the looks; "
            f"{count(case.places)} places in all",
            assumes="What was measured is what could go wrong.",
            breaks="A harm that nobody measures: that a point is weak is no proof of safety.",
            evidence=(
                Table(
                    title="Where the case against was looked for, and the strongest point there",
                    columns=("kind of place", "places", "strongest point", "there", "over all"),
                    rows=rows,
                ),
            ),
        )
    ]


def _p(value: float) -> str:
    """A p that no line breaks."""
    return p_value(value).replace(" ", "\u00a0")


def _strong(case: Case, stands: tuple[Point, ...]) -> str:
    """The points that stand, as an opponent would say them."""
    said = ". ".join(capital(p.words) for p in stands[:_SHOWN])
    more = len(stands) - _SHOWN
    rest = f" {more} more stand{'s' if more == 1 else ''}." if more > 0 else ""
    worst = max(p for p in case.corrected if p <= case.error)
    one = len(stands) == 1
    return (
        f"The case against: {said}.{rest} {_looked_at(case)}, and "
        f"{'it stands' if one else 'these stand'}{_allowing(case)} "
        f"({'' if one else 'the weakest, '}{p_value(worst)})."
    )


def _looked_at(case: Case) -> str:
    """``2,963 places were looked at``, as a sentence begins."""
    some = "One place was" if case.places == 1 else f"{count(case.places)} places were"
    return f"{some} looked at"


def _allowing(case: Case) -> str:
    return "" if case.places == 1 else " after allowing for all of them"


def _weak(case: Case) -> str:
    """An honest opponent's word when chance would say as much."""
    p, point = case.corrected[0], case.points[0].words
    if p >= _ALWAYS:
        return (
            f"The case against is weak: {_looked_at(case).lower()}, and nothing in "
            f"{'it' if case.places == 1 else 'them'} is more than chance almost always brings. "
            f"The strongest point: {point}."
        )
    return (
        f"The case against is weak. Its strongest point: {point}; but {_looked_at(case).lower()}, "
        f"and chance alone brings one as strong {p:.0%} of the time, were nothing wrong."
    )
