"""Will it last?"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
from numpy.typing import NDArray
from scipy import stats as distributions

from octad.model.finding import (
    Answer,
    Curve,
    CurveLine,
    Finding,
    Number,
    Stance,
)
from octad.model.inputs import Daily, Inputs, Retention
from octad.model.metric import CountMetric, SumMetric
from octad.model.needs import Needs
from octad.model.numbers import plain
from octad.model.plan import Plan
from octad.readings.base import ASSUMES, BREAKS, grade_of, percent_text, signed_percent
from octad.readings.claims import spoken
from octad.stats.effects import compare, compare_many
from octad.stats.moments import Moments
from octad.stats.refusal import NotEstimable

QUESTION = "Will it last?"
_FEWEST_DAYS = 14
_LEAST_USERS = 0.5


def needs(plan: Plan) -> Needs:
    """The KPI and the results day by day, and who came back."""
    return Needs(daily=frozenset(_dailies(plan)), retention=True)


def _dailies(plan: Plan) -> list[str]:
    names = ((plan.launch.kpi,) if plan.launch.kpi else ()) + tuple(plan.launch.results)
    return [n for n in names if isinstance(plan.metric(n), CountMetric | SumMetric)]


def read(plan: Plan, inputs: Inputs) -> Answer:
    """Compare the first third of the days with the last, in the same users.

    Against: the KPI's gain shrinks by more than half and the shrinking is beyond chance, or fewer
    users come back in the last week. For: a gain is still there at the end and has not shrunk.
    Mixed: else. Silent: under 14 whole days were observed, or there is nothing day by day.
    """
    if len(inputs.arms) < 2 or (not inputs.daily and inputs.retention is None):
        why = "there is no control to compare days with"
        if len(inputs.arms) > 1:
            why = "the data hold one sum a user, without days"
        return Answer(
            stance=Stance.SILENT,
            question=QUESTION,
            summary=why,
            missing=("Events with times, and users compared with a control.",),
        )
    days = _observed(inputs)
    if days < _FEWEST_DAYS:
        ask = ""
        if inputs.as_of is not None:
            ask = f"; ask again on {inputs.as_of.date() + timedelta(days=_FEWEST_DAYS - days)}"
        return Answer(
            stance=Stance.SILENT,
            question=QUESTION,
            summary=f"too early to tell: {days} whole days observed{ask}",
            missing=(f"At least {_FEWEST_DAYS} whole days after exposure for half of the users.",),
        )
    findings: list[Finding] = []
    stances: list[Stance] = []
    words: list[str] = []
    for name in _dailies(plan):
        if name not in inputs.daily:
            continue
        found = _early_late(plan, inputs.daily[name], days)
        if found is None:
            continue
        findings.append(found)
        if name == plan.launch.kpi:
            stances.append(found.stance or Stance.MIXED)
            # The claim's second sentence has the figures.
            words.append(found.claim.split(". ", 1)[-1].rstrip("."))
    back = _coming_back(plan, inputs, days)
    if back is not None:
        findings.append(back)
        stances.append(back.stance or Stance.MIXED)
        e = back.estimate
        if e is not None:
            span = back.claim.split(",", 1)[0].removeprefix("In ")
            words.append(f"users active on a day {percent_text(e.value, e.low, e.high)} in {span}")
    return Answer(
        stance=_overall(stances),
        question=QUESTION,
        summary=" · ".join(words) or "the effect cannot be followed day by day",
        findings=tuple(findings),
        missing=_beyond(plan, days),
    )


def _overall(stances: list[Stance]) -> Stance:
    if not stances:
        return Stance.SILENT
    if Stance.AGAINST in stances:
        return Stance.AGAINST
    return Stance.FOR if set(stances) == {Stance.FOR} else Stance.MIXED


def _observed(inputs: Inputs) -> int:
    """Days that at least half of the users were observed."""
    retention = inputs.retention
    if retention is None:
        return min((len(d.days) for d in inputs.daily.values()), default=0)
    total = retention.observed.sum(axis=0)
    return int((total >= _LEAST_USERS * max(1, int(total[0]))).sum()) if len(total) else 0


def _beyond(plan: Plan, days: int) -> tuple[str, ...]:
    horizon = plan.launch.horizon
    if horizon is None or horizon.days <= days:
        return ()
    lacking = (
        f"The plan asks about {horizon.days} days; {days} are observed. Older launches in the "
        "ledger would let a forecast be made; without them none is."
    )
    return (lacking,)


def _ratio_errors(control: Moments, treatment: Moments) -> NDArray[np.float64]:
    """Standard errors of treatment over control, early, late, and late less early.

    Delta method; a user's early and late days move together, and both arms' levels are estimates.

    Args:
        control: Leading shape (), two columns: a user's mean per day early and late.
        treatment: The same of the other arm.

    Returns:
        (3,) errors.
    """
    c, t = control.mean, treatment.mean
    pick = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 1.0]])
    variance = np.zeros(3)
    for slopes, arm in ((1 / c, treatment), (-t / c**2, control)):
        gradient = pick * slopes
        covariance = arm.covariance() / arm.n
        variance += np.einsum("ij,jk,ik->i", gradient, covariance, gradient)
    return np.sqrt(np.maximum(variance, 0.0))


def _early_late(plan: Plan, daily: Daily, days: int) -> Finding | None:
    """The effect in the last third of days against that in the first, in the same users."""
    curve = _curve(daily, days)
    if daily.halves is None or daily.spans is None or curve is None:
        return None
    c, t = daily.halves[0], daily.halves[1]
    if min(float(c.n), float(t.n)) < 2:
        return None
    if float(c.mean.min()) <= 0:
        return None
    early, late = (float(ratio) - 1 for ratio in t.mean / c.mean)
    errors = _ratio_errors(c, t)
    se = float(errors[2])
    if se <= 0:
        return None
    early_se, late_se = float(errors[0]), float(errors[1])
    shift = late - early
    z = shift / se
    p = float(2 * distributions.norm.sf(abs(z)))
    alpha = 1 - plan.launch.rules.level
    q = float(distributions.norm.isf(alpha / 2))
    sign = 1 if plan.metric(daily.metric).better == "up" else -1
    faded = p <= alpha and abs(late) < abs(early) and abs(early) > q * early_se
    halved = faded and abs(late) < 0.5 * abs(early)
    gain = sign * early > 0
    still = sign * late - q * late_se > 0
    (a, b), (e, f) = daily.spans
    first, last = f"days {a + 1} to {b}", f"days {e + 1} to {f}"
    said = (
        f"{spoken(daily.metric)}: {signed_percent(float(early))} in {first}, "
        f"{signed_percent(float(late))} in {last}"
    )
    if faded and gain:
        claim, stance = f"The gain fades. {said}.", Stance.AGAINST if halved else Stance.MIXED
    elif p <= alpha and sign * shift < 0:
        claim, stance = f"It gets worse. {said}.", Stance.AGAINST
    elif still:
        claim, stance = f"The gain is still there. {said}.", Stance.FOR
    elif p <= alpha and sign * shift > 0:
        claim, stance = f"It gets better. {said}.", Stance.FOR
    else:
        claim, stance = f"No change over time can be told. {said}.", Stance.MIXED
    if not plan.launch.randomised:
        claim, stance = f"Nobody was chosen by chance, so this is no effect: {said}.", Stance.MIXED
    return Finding(
        id=f"horizon.{daily.metric}",
        claim=claim,
        stance=stance,
        grade=grade_of(plan),
        metric=daily.metric,
        estimate=Number(
            value=shift,
            low=shift - q * se,
            high=shift + q * se,
            level=plan.launch.rules.level,
            unit="share",
            p=p,
            z=z,
            se=se,
        ),
        n=int(c.n + t.n),
        method="the figure is the relative effect in the last third of days less that in the "
        "first, in points, in the users observed through all of them; errors from the joint "
        "moments of both arms (delta method)",
        assumes="The calendar weighs alike on both arms.",
        breaks="Another launch in between that met only one arm.",
        evidence=(curve,),
        query_digest=daily.query,
    )


def _curve(daily: Daily, days: int) -> Curve | None:
    """The relative effect by day, with a band over all days at once (Bonferroni)."""
    shown = min(days, len(daily.days))
    control, treatment = daily.moments[0, :shown], daily.moments[1, :shown]
    level = 1 - 0.05 / max(1, shown)
    found = compare_many(control, treatment, relative=True, adjust=False, level=level)
    if not found.ok.any():
        return None

    def line(values: np.ndarray) -> tuple[float | None, ...]:
        return tuple(
            float(v) if ok and np.isfinite(v) else None
            for v, ok in zip(values, found.ok, strict=True)
        )

    return Curve(
        title=f"{daily.metric}: effect by day since exposure",
        x_label="days since exposure",
        y_label="change against control",
        x=tuple(int(d) + 1 for d in daily.days[:shown]),
        lines=(
            CurveLine(
                name="change, with a band that holds over all days at once",
                y=line(found.value),
                low=line(found.low),
                high=line(found.high),
            ),
        ),
        percent=True,
    )


def _coming_back(plan: Plan, inputs: Inputs, days: int) -> Finding | None:
    """User-days with any use in the last week observed, against control."""
    retention = inputs.retention
    if retention is None:
        return None
    last = range(max(0, days - 7), days)
    share = _active_share(retention, last)
    moments = _share_moments(retention, last)
    try:
        effect = compare(moments[0], moments[1], relative=True, adjust=False)
    except NotEstimable:
        return None
    stance = Stance.MIXED
    verb = "about as many users as in control are"
    if effect.high < 0:
        stance, verb = Stance.AGAINST, "fewer users than in control are"
    elif effect.low > 0:
        stance, verb = Stance.FOR, "more users than in control are"
    claim = (
        f"In days {last.start + 1} to {last.stop}, {verb} active on a day "
        f"({plain(100 * share[0], 1)}% in control, {plain(100 * share[1], 1)}% in "
        f"{inputs.arms[1]}; {percent_text(effect.value, effect.low, effect.high)})."
    )
    return Finding(
        id="horizon.retention",
        claim=claim,
        stance=stance,
        grade=grade_of(plan),
        estimate=Number(
            value=effect.value,
            low=effect.low,
            high=effect.high,
            level=effect.level,
            relative=True,
            unit="share",
            p=effect.p,
            z=effect.z,
            control=float(share[0]),
            treatment=float(share[1]),
        ),
        n=int(retention.observed[:2, last.stop - 1].sum()),
        method="share of users with any event on a day, averaged over the last seven days; the "
        "error allows for days of one user to move together fully",
        assumes=ASSUMES[grade_of(plan)],
        breaks=BREAKS[grade_of(plan)],
        evidence=(_retention_curve(inputs, retention, days),),
        query_digest=retention.query,
    )


def _active_share(retention: Retention, days: range) -> np.ndarray:
    index = np.asarray(days)
    active = retention.active[:, index].sum(axis=1)
    return np.asarray(active / np.maximum(1, retention.observed[:, index].sum(axis=1)))


def _share_moments(retention: Retention, days: range) -> list[Moments]:
    """Shares as if each user were one draw: the widest error that days of one user can give."""
    share = _active_share(retention, days)
    out = []
    for a in (0, 1):
        n = float(retention.observed[a, days.stop - 1])
        mean = np.array([float(share[a]), 1.0, 0.0, 1.0])
        comoment = np.zeros((4, 4))
        comoment[0, 0] = n * float(share[a]) * (1 - float(share[a]))
        out.append(Moments(np.asarray(n), mean, comoment))
    return out


def _retention_curve(inputs: Inputs, retention: Retention, days: int) -> Curve:
    share = retention.active / np.maximum(1, retention.observed)
    return Curve(
        title="Users active on each day since exposure",
        x_label="days since exposure",
        y_label="share of users",
        x=tuple(int(d) + 1 for d in retention.days[1:days]),
        lines=tuple(
            CurveLine(name=name, y=tuple(float(v) for v in share[a, 1:days]))
            for a, name in enumerate(inputs.arms)
        ),
        percent=True,
    )
