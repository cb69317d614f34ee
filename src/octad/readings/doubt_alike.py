"""Is one arm smaller than was meant, and made up of people of another kind?

A fault that loses some of one arm's users seldom loses them evenly: a slow page loses those who
come seldom, a page that breaks on long histories those who come most. That arm is then smaller,
and those left in it had used the product more, or less, before. Each of the two may be too weak
to be sure of alone. Where chance deals users out, an arm's size says nothing of who is in it, so
the two can be added up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats as distributions

from octad.model.finding import Finding, Number, Table
from octad.model.inputs import Exposure, Inputs
from octad.model.numbers import count, p_value, plain
from octad.model.plan import Plan
from octad.readings.base import grade_of
from octad.readings.claims import spoken
from octad.readings.doubt_before import apart_before
from octad.readings.doubt_split import BY_TRUST, FEWEST, planned, trust_of
from octad.stats.multiplicity import holm

__all__ = ["ALIKE", "alike"]

ALIKE = "doubt.alike"
_WAYS = 2
"""Those lost may be the busy or the idle."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """One arm beside control.

    Attributes:
        sizes: Users of control, and of the arm.
        fewer: By how many standard errors the arm is smaller than meant.
        busier: By how many its users were ahead of control's before exposure, in the KPI.
    """

    arm: str
    sizes: tuple[int, int]
    fewer: float
    busier: float

    @property
    def p(self) -> float:
        """Two-sided, of the sum or the difference of two independent z (Stouffer 1949)."""
        z = (abs(self.fewer) + abs(self.busier)) / math.sqrt(2)
        return min(1.0, _WAYS * 2 * float(distributions.norm.sf(z)))

    def alone(self, error: float) -> bool:
        """Whether either of the two fails at an error without the other."""
        return 2 * float(distributions.norm.sf(max(abs(self.fewer), abs(self.busier)))) < error


def alike(plan: Plan, inputs: Inputs) -> list[Finding]:
    """Test an arm's size together with its past.

    Silent where the KPI has no past, and of an arm whose size or past fails alone: that is said
    already, and together with a strong one the weak one would seem to say something too.
    """
    exposure, kpi = inputs.exposure, plan.launch.kpi
    if exposure is None or kpi is None or not plan.launch.randomised:
        return []
    fails = plan.launch.rules.ratio_fails
    seen = [s for s in _seen(plan, inputs, exposure, kpi) if not s.alone(fails)]
    if not seen:
        return []
    adjusted = holm(np.array([s.p for s in seen]))
    place = int(np.argmin([s.p for s in seen]))
    worst, q = seen[place], float(adjusted[place])
    rules = plan.launch.rules
    trust = trust_of(q, rules.ratio_fails, rules.ratio_warns)
    return [
        Finding(
            id=ALIKE,
            claim=_claim(worst, kpi, q, trust),
            stance=BY_TRUST[trust],
            grade=grade_of(plan),
            trust=trust,
            metric=kpi,
            estimate=Number(
                value=(abs(worst.fewer) + abs(worst.busier)) / math.sqrt(2),
                unit="z",
                p=worst.p,
                p_adjusted=q,
            ),
            n=int(exposure.counts.sum()),
            method="z of the arm's size and z of the KPI before exposure, which are independent "
            "where chance deals users out, added up (Stouffer 1949): those lost may be the busy "
            "or the idle, so p is doubled; Holm's correction over arms",
            assumes=f"Chance deals users out. Fails trust under {p_value(rules.ratio_fails)}, "
            f"warns under {p_value(rules.ratio_warns)}.",
            breaks="A fault that takes as many from each arm.",
            evidence=(_table(seen, kpi),),
            query_digest=exposure.query,
        )
    ]


def _seen(plan: Plan, inputs: Inputs, exposure: Exposure, kpi: str) -> list[_Seen]:
    weights = planned(plan, inputs) or [1.0] * len(inputs.arms)
    counts = [int(n) for n in exposure.counts]
    past = apart_before(plan, inputs, kpi)
    found = []
    for arm, z in past.items():
        a = inputs.arms.index(arm)
        both = counts[0] + counts[a]
        share = weights[a] / (weights[0] + weights[a])
        if min(share, 1 - share) * both < FEWEST:
            continue
        fewer = (both * share - counts[a]) / math.sqrt(both * share * (1 - share))
        found.append(_Seen(arm, (counts[0], counts[a]), fewer, z))
    return found


def _claim(worst: _Seen, kpi: str, q: float, trust: str) -> str:
    control, own = worst.sizes
    size = "smaller" if worst.fewer > 0 else "larger"
    used = "more" if worst.busier > 0 else "less"
    if trust == "holds":
        return (
            f"Size and past of the arms taken together are as chance deals them out ({p_value(q)})."
        )
    said = "can hardly be" if trust == "fails" else "may not be"
    return (
        f"The arms {said} chance's: {worst.arm} is {size} than was meant "
        f"({count(control)} : {count(own)}), and those in it had {used} {spoken(kpi)} than "
        f"control's before exposure; together {p_value(q)}."
    )


def _table(seen: list[_Seen], kpi: str) -> Table:
    rows = tuple(
        (
            s.arm,
            count(s.sizes[1]),
            plain(-s.fewer, 1, signed=True),
            plain(s.busier, 1, signed=True),
            p_value(s.p),
        )
        for s in seen
    )
    columns = ("arm", "users", "size against plan, z", f"{spoken(kpi)} before, z", "together")
    return Table(title="Each arm's size and past", columns=columns, rows=rows)
