"""Four simpler rules that teams decide by, on the very numbers that the review read.

Each gets the plan's own metrics and margins and the same estimates (adjusted by the pre-period), so
that what is compared is the rule and not the variance. A rule that somebody applies to a launch
nobody was randomised for gets what that somebody would have: before against after.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from scipy import special

from octad.model.inputs import Inputs
from octad.model.plan import Plan
from octad.model.review import Verdict
from octad.readings.measure import measure
from octad.stats.effects import Effect
from octad.stats.noninferiority import against_margin
from octad.stats.refusal import NotEstimable
from octad.stats.sample_ratio import sample_ratio

__all__ = ["RULES", "Evidence", "Seen", "chance_to_win", "evidence_of", "kpi_alone", "verdicts"]

ALPHA = 0.05
SURE = 0.95
SAMPLE_RATIO = 0.001
"""As strict as the review's own check, so that neither rule has the luck of a looser one."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One metric's effect.

    Attributes:
        effect: Relative where it can be, else absolute.
        sign: +1 when more is better, -1 when less is.
        margin: The loss that the plan tolerates, with the effect in the margin's own scale; None
            for the KPI, and where there is no such scale.
    """

    effect: Effect
    sign: int
    margin: tuple[float, Effect] | None = None

    @property
    def better(self) -> bool:
        """Whether it is better, two-sided at 5%."""
        return self.effect.p < ALPHA and self.sign * self.effect.value > 0

    @property
    def worse(self) -> bool:
        """Whether it is worse, two-sided at 5%."""
        return self.effect.p < ALPHA and self.sign * self.effect.value < 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the four rules look at.

    Attributes:
        kpi: None when it could not be measured.
        results, guardrails: Those that could be measured.
        unmeasured: How many results and guardrails of the plan could not be.
        counts: Users by arm; empty without arms.
        split: The weights that the plan meant, in the same order.
    """

    kpi: Seen | None
    results: tuple[Seen, ...] = ()
    guardrails: tuple[Seen, ...] = ()
    unmeasured: int = 0
    counts: tuple[int, ...] = ()
    split: tuple[float, ...] = ()


def evidence_of(plan: Plan, inputs: Inputs) -> Evidence:
    """Take the effects that the review itself measured."""
    launch = plan.launch

    def seen(name: str) -> Seen | None:
        found = measure(plan, inputs, name, min(1, len(inputs.arms) - 1))
        if found is None:
            return None
        margin = launch.results.get(name) or launch.guardrails.get(name)
        scaled = None
        if margin is not None:
            effect = found.relative if margin.kind == "relative" else found.absolute
            scaled = None if effect is None else (margin.value, effect)
        return Seen(found.best, found.sign, scaled)

    results = [seen(name) for name in launch.results]
    guards = [seen(name) for name in launch.guardrails]
    counts: tuple[int, ...] = ()
    split: tuple[float, ...] = ()
    if inputs.exposure is not None and len(inputs.arms) > 1:
        counts = tuple(map(int, inputs.exposure.counts))
        split = tuple(launch.split.get(a, 1.0) for a in inputs.arms) if launch.split else ()
    return Evidence(
        kpi=seen(launch.kpi) if launch.kpi else None,
        results=tuple(s for s in results if s is not None),
        guardrails=tuple(s for s in guards if s is not None),
        unmeasured=sum(s is None for s in (*results, *guards)),
        counts=counts,
        split=split,
    )


def kpi_alone(e: Evidence) -> Verdict:
    """The KPI at p < .05: ship what rose, roll back what fell, else wait."""
    if e.kpi is None:
        return Verdict.CANNOT_TELL
    if e.kpi.better:
        return Verdict.SHIP
    return Verdict.ROLL_BACK if e.kpi.worse else Verdict.HOLD


def kpi_and_guardrails(e: Evidence) -> Verdict:
    """The same, but no result and no guardrail may be worse at p < .05.

    Results are watched like guardrails, which is kinder to the rule than leaving them out.
    """
    if any(s.worse for s in (*e.results, *e.guardrails)):
        return Verdict.ROLL_BACK
    if e.kpi is None:
        return Verdict.CANNOT_TELL
    if e.kpi.worse:
        return Verdict.ROLL_BACK
    return Verdict.SHIP if e.kpi.better else Verdict.HOLD


def spotify(e: Evidence) -> Verdict:
    """Schultzberg, Ankargren and Frånberg 2024, decision rule with four kinds of metrics.

    Ship if and only if a success metric is superior (α split over them), every guardrail is
    non-inferior at its margin (α not split), nothing deteriorates (α split), and the sample ratio
    holds. The KPI and the results are success metrics; results also have a margin in the plan, so
    they are guardrails too. The rule says ship or not: what deteriorates is rolled back here, a
    broken sample ratio cannot tell, and the rest waits.
    """
    if _ratio_broken(e):
        return Verdict.CANNOT_TELL
    success = [s for s in (e.kpi, *e.results) if s is not None]
    every = [*success, *e.guardrails]
    if not success:
        return Verdict.CANNOT_TELL
    if any(_one_sided(s, -1) < ALPHA / len(every) for s in every):
        return Verdict.ROLL_BACK
    superior = any(_one_sided(s, +1) < ALPHA / len(success) for s in success)
    within = all(_within(s) for s in (*e.results, *e.guardrails)) and not e.unmeasured
    return Verdict.SHIP if superior and within else Verdict.HOLD


def chance_to_win(e: Evidence) -> Verdict:
    """Bayesian: the KPI's posterior under a flat prior; ship above 95%, roll back below 5%.

    With a flat prior and many users the chance that the treatment is better is Φ(effect/se), which
    is what dashboards show as "chance to win".
    """
    if e.kpi is None:
        return Verdict.CANNOT_TELL
    effect = e.kpi.effect
    if effect.se <= 0:
        return Verdict.HOLD
    wins = float(special.ndtr(e.kpi.sign * effect.value / effect.se))
    if wins > SURE:
        return Verdict.SHIP
    return Verdict.ROLL_BACK if wins < 1 - SURE else Verdict.HOLD


RULES: Mapping[str, Callable[[Evidence], Verdict]] = MappingProxyType(
    {
        "KPI alone": kpi_alone,
        "KPI and guardrails": kpi_and_guardrails,
        "Spotify's rule": spotify,
        "chance to win": chance_to_win,
    }
)


def verdicts(plan: Plan, inputs: Inputs) -> dict[str, str]:
    """What each rule says, by its name."""
    found = evidence_of(plan, inputs)
    return {name: rule(found).value for name, rule in RULES.items()}


def _ratio_broken(e: Evidence) -> bool:
    if len(e.counts) < 2:
        return False
    try:
        return sample_ratio(e.counts, e.split or None).p < SAMPLE_RATIO
    except NotEstimable:
        return True


def _one_sided(s: Seen, direction: int) -> float:
    """One-sided p that the metric moved to the better (+1) or to the worse (-1)."""
    toward = direction * s.sign * s.effect.value > 0
    return s.effect.p / 2 if toward else 1 - s.effect.p / 2


def _within(s: Seen) -> bool:
    if s.margin is None or not math.isfinite(s.margin[0]):
        return False
    size, effect = s.margin
    return against_margin(effect, size, "up" if s.sign > 0 else "down", ALPHA).safe
