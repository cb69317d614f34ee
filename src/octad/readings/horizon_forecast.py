"""The long term, foretold from the first days by what older users' first days came to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from octad.model.finding import Evidence, Finding, Grade, Interval, Intervals, Number, Stance, Table
from octad.model.inputs import Cohort, Inputs
from octad.model.metric import Metric
from octad.model.numbers import plain
from octad.model.plan import Plan
from octad.readings.base import percent_text, signed_percent
from octad.readings.claims import in_arm
from octad.readings.halves import widening
from octad.stats.moments import Moments
from octad.stats.refusal import NotEstimable
from octad.stats.surrogate_cells import (
    Backcast,
    CellIndex,
    Forecast,
    HeldOut,
    backcast,
    drift,
    forecast,
    index_from_cells,
    try_on,
)

__all__ = ["foretold"]

FAITHFUL = (0.75, 1.33)
"""A rule whose slope on later users lies surely outside of this flatters or mutes differences too
much to forecast with."""
MISSED = 0.25
"""And one that misses their mean by surely more than this."""
LIKE = 0.5
"""Control's early days may lie this many standard deviations of the index from the teachers'."""


@dataclass(frozen=True, slots=True)
class _Told:
    """One outcome foretold in one arm; `sign` is +1 when more is better."""

    name: str
    arm: int
    sign: int
    index: CellIndex
    tried: HeldOut | None
    own: Backcast
    found: Forecast
    reach: float

    @property
    def interval(self) -> tuple[float, float]:
        half = self.reach * self.found.se
        return self.found.value - half, self.found.value + half


def foretold(plan: Plan, inputs: Inputs) -> tuple[list[Finding], list[str]]:
    """Forecasts for every outcome that the older users teach, and why some are not made."""
    cohort = inputs.cohort
    if cohort is None or not plan.launch.randomised or len(inputs.arms) < 2:
        return [], []
    told: list[_Told] = []
    lacking: list[str] = []
    for j, name in enumerate(cohort.outcomes):
        said = _of_outcome(plan, inputs, cohort, j, name)
        if isinstance(said, str):
            lacking.append(f"A forecast of {_spoken(cohort, j)}: {said}.")
        else:
            told += said
    picture = _picture(cohort, told) if len(told) > 1 else ()
    findings = [
        _finding(plan, inputs, cohort, t, picture if i == 0 else ()) for i, t in enumerate(told)
    ]
    return findings, lacking


def _spoken(cohort: Cohort, j: int) -> str:
    return cohort.names[j] if j < len(cohort.names) else cohort.outcomes[j]


def _of_outcome(plan: Plan, inputs: Inputs, cohort: Cohort, j: int, name: str) -> list[_Told] | str:
    m = len(cohort.features)
    metric = _metric(plan, name)
    sign = 1 if metric is None or metric.better == "up" else -1
    try:
        tried = _tried(cohort, j)
        if tried is not None and (why := _unfaithful(tried)):
            return why
        index = index_from_cells(cohort.moments, m, j)
    except NotEstimable as refused:
        return str(refused)
    told = []
    for arm in range(1, len(inputs.arms)):
        control, treatment = cohort.launch[0].total(0), cohort.launch[arm].total(0)
        try:
            spread = 0.0
            if cohort.periods is not None:
                spread = drift(cohort.periods, m, j, control, treatment)
            own = _on_itself(cohort, j, control, treatment)
            if own.p < 1 - plan.launch.rules.level and own.gap * own.foretold < 0:
                return _paradox(cohort, own)
            # What the launch's own later days leave open is an error of the rule for this launch.
            # More than was foretold is usual: early figures are noisy, which mutes a rule.
            open_ = max(0.0, own.gap**2 - own.gap_se**2)
            found = forecast(
                index,
                control,
                treatment,
                drift_sd=float(np.sqrt(spread**2 + open_)),
                level=plan.launch.rules.level,
            )
        except NotEstimable as refused:
            return str(refused)
        if found.away > LIKE:
            return (
                "the launch's users are not like the older ones who would teach it (their early "
                f"days lie {plain(found.away, 1)} standard deviations away)"
            )
        reach = (found.high - found.value) / found.se
        wide = widening(plan, inputs, float(control.n + treatment.n))
        told.append(_Told(name, arm, sign, index, tried, own, found, reach * wide))
    return told


def _on_itself(cohort: Cohort, j: int, control: Moments, treatment: Moments) -> Backcast:
    """Ask the launch's first half of the early days about its second half."""
    weeks = cohort.early // 7
    first = [f", days {7 * w + 1} to " for w in range((weeks + 1) // 2)]
    early = tuple(
        i for i, name in enumerate(cohort.features) if any(part in name for part in first)
    )
    late = tuple(
        i
        for i, name in enumerate(cohort.features)
        if i not in early and name.startswith(f"{cohort.early_of[j]},")
    )
    if not early or not late:
        raise NotEstimable("the early days are too few to try the rule on the launch itself")
    return backcast(cohort.moments, control, treatment, early=early, late=late)


def _paradox(cohort: Cohort, own: Backcast) -> str:
    half = 7 * ((cohort.early // 7 + 1) // 2)
    return (
        f"none is made, since the rule fails on this launch's own days: from days 1 to {half} it "
        f"foretold {signed_percent(own.foretold)} for days {half + 1} to {cohort.early}, and "
        f"{signed_percent(own.came)} came. The launch moves early use without what usually "
        "follows from it"
    )


def _metric(plan: Plan, name: str) -> Metric | None:
    return plan.metric(name) if name in plan.project.metrics else None


def _tried(cohort: Cohort, j: int) -> HeldOut | None:
    """Learn from the earlier half of the periods of entry, and try it on the later half."""
    periods, m = cohort.periods, len(cohort.features)
    if periods is None or periods.shape[0] < 2:
        return None
    cut = periods.shape[0] // 2
    before, since = periods[:cut].total(0), periods[cut:].total(0)
    return try_on(index_from_cells(before, m, j), since, j)


def _unfaithful(tried: HeldOut) -> str:
    """Why a rule that was tried may not forecast; empty when it may."""
    if tried.slope_high < FAITHFUL[0] or tried.slope_low > FAITHFUL[1]:
        return (
            "the rule did not hold when it was tried on later users: where it told users 1 apart, "
            f"they came out {plain(tried.slope, 2)} apart"
        )
    if abs(tried.miss) - 2 * tried.miss_se > MISSED:
        return (
            "the rule did not hold when it was tried on later users: they came out at "
            f"{plain(100 * tried.miss, 0, signed=True)}% of what it foretold"
        )
    return ""


def _finding(
    plan: Plan, inputs: Inputs, cohort: Cohort, told: _Told, picture: tuple[Evidence, ...]
) -> Finding:
    found, arm = told.found, inputs.arms[told.arm]
    low, high = told.interval
    stance = Stance.MIXED
    if told.sign * (low if told.sign > 0 else high) > 0:
        stance = Stance.FOR
    elif told.sign * (high if told.sign > 0 else low) < 0:
        stance = Stance.AGAINST
    j = cohort.outcomes.index(told.name)
    several = len(inputs.arms) > 2
    known = _metric(plan, told.name) is not None
    return Finding(
        id=f"horizon.forecast.{told.name}" + (f".{arm}" if several else ""),
        claim=f"Foretold from the first {cohort.early} days{in_arm(inputs, arm)}: "
        f"{_spoken(cohort, j)} {percent_text(found.value, low, high)}, as {told.index.n:,} earlier "
        f"users' first days came to be{_trial(told.tried)}.",
        stance=stance,
        grade=Grade.C,
        metric=told.name if known else None,
        estimate=Number(
            value=found.value,
            low=low,
            high=high,
            level=found.level,
            relative=True,
            p=found.p,
            se=found.se,
            control=found.control,
            treatment=found.treatment,
        ),
        n=int(cohort.launch.n[[0, told.arm]].sum()),
        method=_method(told, cohort),
        assumes="What the launch does to later behaviour shows in early behaviour, and what was "
        "true of the older users still is. For the days to come neither can be tested.",
        breaks="A habit that forms only later, harm that early use does not show, a season, or "
        "users of another kind.",
        evidence=(*picture, *_trial_table(told, cohort)),
        query_digest=cohort.query,
    )


def _trial(tried: HeldOut | None) -> str:
    if tried is None:
        return ""
    return (
        f"; tried on {tried.n:,} who came later, it missed by "
        f"{plain(100 * tried.miss, 1, signed=True)}%"
    )


def _method(told: _Told, cohort: Cohort) -> str:
    f = told.found
    parts = ", ".join(
        f"{plain(100 * share, 0)}% from {name}"
        for share, name in (
            (f.from_effects, "this launch's users"),
            (f.from_index, "how well the rule is known"),
            (f.from_drift, "how the rule moved with time and failed on this launch's own days"),
        )
    )
    first, last = cohort.entered
    return (
        f"surrogate index (Athey et al. 2019) of {len(cohort.features)} early figures, least "
        f"squares over users who entered from {first} to {last}; it explains "
        f"{plain(100 * told.index.r2, 0)}% of how users differ; errors by leaving out one bucket "
        f"of users at a time; of the variance {parts}"
    )


def _trial_table(told: _Told, cohort: Cohort) -> tuple[Table, ...]:
    tried = told.tried
    if tried is None:
        return ()
    j = cohort.outcomes.index(told.name)
    slope = f"[{plain(tried.slope_low, 2)}, {plain(tried.slope_high, 2)}]"
    half = 7 * ((cohort.early // 7 + 1) // 2)
    own = (
        f"this launch: {cohort.early_of[j].replace('_', ' ')} in days {half + 1} to {cohort.early}"
    )
    return (
        Table(
            title="The rule, tried where the answer is known",
            columns=("", "foretold", "as it came"),
            rows=(
                (own, signed_percent(told.own.foretold), signed_percent(told.own.came)),
                (
                    f"later users: {_spoken(cohort, j)}",
                    round(tried.foretold, 4),
                    round(tried.came, 4),
                ),
                (
                    "later users whom it told 1 apart",
                    1.0,
                    " ".join((plain(tried.slope, 2), slope)),
                ),
            ),
        ),
    )


def _picture(cohort: Cohort, told: list[_Told]) -> tuple[Intervals, ...]:
    rows = []
    for t in told:
        low, high = t.interval
        against = np.sign(high if t.sign > 0 else low) * t.sign < 0
        good = np.sign(low if t.sign > 0 else high) * t.sign > 0
        stance = Stance.AGAINST if against else Stance.FOR if good else Stance.MIXED
        j = cohort.outcomes.index(t.name)
        rows.append(
            Interval(
                label=_spoken(cohort, j), value=t.found.value, low=low, high=high, stance=stance
            )
        )
    return (
        Intervals(
            title=f"Foretold for the first {cohort.horizon} days",
            x_label="change against control",
            rows=tuple(rows),
            percent=True,
        ),
    )
