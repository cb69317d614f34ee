"""The effect by day since exposure: a band over all days, novelty or learning, and what is left."""

from __future__ import annotations

import numpy as np

from octad.model.finding import Curve, Finding, Number, Stance
from octad.model.inputs import Daily, Inputs
from octad.model.numbers import p_value, plain
from octad.model.plan import Plan
from octad.readings.base import grade_of, percent_text, signed_percent
from octad.readings.claims import capital
from octad.readings.halves import Change, change_of, widening
from octad.readings.horizon_curve import Followed, drawn, follow, later
from octad.stats.novelty import LearningCurve

__all__ = ["over_days"]


def over_days(plan: Plan, inputs: Inputs, daily: Daily, arm: int, days: int) -> list[Finding]:
    """What becomes of the effect over the days, and what would be left at the plan's horizon."""
    if daily.halves is None or daily.spans is None:
        return []
    halves = daily.halves[[0, arm]]
    change = change_of(plan, inputs, halves, 1 if plan.metric(daily.metric).better == "up" else -1)
    if change is None:
        return []
    f = follow(plan, inputs, daily, arm, days, widening(plan, inputs, float(halves.n.sum())))
    curve = drawn(f)
    if curve is None:
        return []
    return [_main(f, daily.spans, change, curve, int(halves.n.sum())), *later(f)]


Span = tuple[int, int]


def _main(
    f: Followed, spans: tuple[Span, Span], change: Change, curve: Curve, users: int
) -> Finding:
    (a, b), (c, d) = spans
    said = (
        f"{f.named}: {signed_percent(f.sign * change.early)} in days {a + 1} to {b}, "
        f"{signed_percent(f.sign * change.late)} in days {c + 1} to {d}"
    )
    alpha = (1 - f.plan.launch.rules.level) / 2
    fit = f.fit
    bent = fit if fit is not None and fit.p <= alpha and fit.half_life is not None else None
    lead, stance = _named(change, bent)
    if bent is not None and not change.shown:
        said += f"; over all days together, {_ends(bent, f.sign)} ({p_value(bent.p)})"
    claim = f"{lead} {capital(said)}{_pace(bent, f.sign, f.days)}."
    if not f.plan.launch.randomised:
        claim, stance = f"Nobody was chosen by chance, so this is no effect: {said}.", Stance.MIXED
    return Finding(
        id=f"horizon.{f.daily.metric}" + f.suffix,
        claim=claim,
        stance=stance,
        grade=grade_of(f.plan),
        metric=f.daily.metric,
        estimate=_shown(change, bent, f.sign),
        n=users,
        method="the figure is the relative effect in the last third of days less that in the "
        "first, in points, in the users observed through all of them (delta method), or, where "
        "only the days together show a change, that of the curve's last day less its first; "
        "half-life "
        "and what stays come of a curve that settles, fitted to all days with the covariance of "
        "the days; each of the two tests has half of the error, and a look before the end has "
        "wider intervals",
        assumes="The calendar weighs alike on both arms.",
        breaks="Another launch in between that met only one arm.",
        evidence=(curve,),
        query_digest=f.daily.query,
    )


def _ends(bent: LearningCurve, sign: int) -> str:
    first, last = (signed_percent(sign * float(bent.fitted[day])) for day in (0, -1))
    return f"from {first} on the first day to {last} on the last"


def _shown(change: Change, bent: LearningCurve | None, sign: int) -> Number:
    """The change that the finding rests on: the curve's where the thirds do not show one."""
    if bent is not None and not change.shown:
        shift = sign * float(bent.fitted[-1] - bent.fitted[0])
        return Number(value=shift, unit="share", p=bent.p)
    low, high = sorted((sign * change.low, sign * change.high))
    return Number(
        value=sign * change.shift,
        low=low,
        high=high,
        level=change.level,
        unit="share",
        p=change.p,
        z=sign * change.shift / change.se,
        se=change.se,
    )


def _named(change: Change, bent: LearningCurve | None) -> tuple[str, Stance]:
    """What the change is called, and what it says of the launch."""
    early, late = change.early, change.late
    if change.shown:
        faded = abs(late) < abs(early) and change.early_shown
        if faded and early > 0:
            halved = late < 0.5 * early
            return "The gain fades (novelty).", Stance.AGAINST if halved else Stance.MIXED
        if change.shift < 0:
            return "It gets worse.", Stance.AGAINST
        if early > 0:
            return "The gain grows (learning).", Stance.FOR
        if change.still:
            return "It gets better.", Stance.FOR
        return "It gets better, as if people got used to it.", Stance.MIXED
    if bent is not None:
        return _bent(change, bent)
    if change.still:
        return "The gain is still there.", Stance.FOR
    return "No change over time can be told.", Stance.MIXED


def _bent(change: Change, bent: LearningCurve) -> tuple[str, Stance]:
    """What a change is called that the days together show, and first against last third do not."""
    if bent.start > bent.limit:
        if bent.start <= 0:
            return "It gets worse.", Stance.AGAINST
        lost = bent.limit_high < 0.5 * bent.start
        return "Part of the gain passed (novelty).", Stance.AGAINST if lost else Stance.MIXED
    if bent.limit > 0:
        stance = Stance.FOR if change.still else Stance.MIXED
        return "The gain took some days to come (learning).", stance
    return "It gets better, as if people got used to it.", Stance.MIXED


def _pace(bent: LearningCurve | None, sign: int, seen: int) -> str:
    """How fast, and what would stay; nothing unless the curve bends beyond chance."""
    if bent is None or bent.half_life is None:
        return ""
    if bent.half_life > seen or np.isinf(bent.half_life_high):
        return "; it is still on its way, so where it ends cannot be told"
    half, low, high = (
        plain(x, _digits(x)) for x in (bent.half_life, bent.half_life_low, bent.half_life_high)
    )
    what = "what passes" if abs(bent.limit) < abs(bent.start) else "the change"
    edges = sorted((sign * bent.limit_low, sign * bent.limit_high))
    return (
        f"; half of {what} is over after {half} days [{low}, {high}], and "
        f"{percent_text(sign * bent.limit, *edges)} would stay"
    )


def _digits(days: float) -> int:
    return 0 if days >= 10 else 1
