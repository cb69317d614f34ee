"""Will it last?

`horizon_days` follows the effect over the days since exposure, `horizon_return` who comes back,
and `horizon_forecast` foretells the long term from what older users' first days came to.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from octad.model.finding import Answer, Finding, Grade, Stance
from octad.model.inputs import Inputs
from octad.model.metric import CountMetric, SumMetric
from octad.model.needs import Needs
from octad.model.plan import Plan
from octad.readings.base import percent_text
from octad.readings.horizon_days import over_days
from octad.readings.horizon_forecast import foretold
from octad.readings.horizon_return import coming_back

QUESTION = "Will it last?"
_FEWEST_DAYS = 14
_LEAST_USERS = 0.5


def needs(plan: Plan) -> Needs:
    """The KPI and the results day by day, who came back, and older users to learn from."""
    return Needs(
        daily=frozenset(_dailies(plan)),
        retention=True,
        exposure=True,
        cohort=plan.launch.horizon is not None and plan.launch.randomised,
    )


def _dailies(plan: Plan) -> list[str]:
    names = ((plan.launch.kpi,) if plan.launch.kpi else ()) + tuple(plan.launch.results)
    return [n for n in names if isinstance(plan.metric(n), CountMetric | SumMetric)]


def read(plan: Plan, inputs: Inputs) -> Answer:
    """Follow the effect over the days, see who comes back, and foretell the rest.

    Against: the KPI's gain shrinks by more than half and the shrinking is beyond chance, fewer
    users come back in the last week, or a loss is foretold. For: a gain is still there at the end
    and has not shrunk. Mixed: else. A forecast alone never makes it `for`. Silent: under 14 whole
    days were observed, or there is nothing day by day.
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
        when = _seen_by(inputs, _FEWEST_DAYS, days)
        ask = f"; ask again on {when}" if when is not None else ""
        return Answer(
            stance=Stance.SILENT,
            question=QUESTION,
            summary=f"too early to tell: {days} whole days observed{ask}",
            missing=(f"At least {_FEWEST_DAYS} whole days after exposure for half of the users.",),
        )
    followed = [
        found
        for name in _dailies(plan)
        if name in inputs.daily
        for arm in range(1, len(inputs.arms))
        for found in over_days(plan, inputs, inputs.daily[name], arm, days)
    ]
    backs = [
        found
        for arm in range(1, len(inputs.arms))
        if inputs.retention is not None
        and (found := coming_back(plan, inputs, inputs.retention, arm, days)) is not None
    ]
    told, lacking = foretold(plan, inputs)
    findings = (*followed, *backs, *told)
    return Answer(
        stance=_overall(plan, followed, backs, told),
        question=QUESTION,
        summary=" · ".join(_words(plan, followed, backs, told))
        or "the effect cannot be followed day by day",
        findings=findings,
        missing=(*_beyond(plan, inputs, days), *lacking),
    )


def _overall(
    plan: Plan, followed: list[Finding], backs: list[Finding], told: list[Finding]
) -> Stance:
    """The KPI's own days and who comes back decide; a forecast can only speak against."""
    kpi = plan.launch.kpi
    own = [f for f in followed if f.metric == kpi and f.grade is not Grade.C]
    own += [f for f in followed if f.metric == kpi and not plan.launch.randomised]
    stances = [f.stance or Stance.MIXED for f in (*own, *backs)]
    ahead = [f for f in (*followed, *told) if f.grade is Grade.C and plan.launch.randomised]
    stances += [Stance.AGAINST for f in ahead if f.stance is Stance.AGAINST]
    if not stances:
        return Stance.SILENT
    if Stance.AGAINST in stances:
        return Stance.AGAINST
    return Stance.FOR if set(stances) == {Stance.FOR} else Stance.MIXED


def _words(
    plan: Plan, followed: list[Finding], backs: list[Finding], told: list[Finding]
) -> list[str]:
    """The glance: the KPI's days, what is left of it, who comes back, what is foretold."""
    words: list[str] = []
    for f in followed:
        if f.metric != plan.launch.kpi:
            continue
        if f.grade is not Grade.C or not plan.launch.randomised:
            # The claim's second sentence has the figures, its first clause the first of them.
            words.append(f.claim.split(". ", 1)[-1].split(" [")[0].split("; it is")[0].rstrip("."))
        elif f.claim.startswith("If"):
            words.append(f.claim.split(" would stand at ", 1)[-1].rstrip(".") + " if it goes on so")
    for f in backs:
        e = f.estimate
        if e is not None:
            span = f.claim.split(",", 1)[0].removeprefix("In ")
            words.append(f"users active on a day {percent_text(e.value, e.low, e.high)} in {span}")
    for f in told:
        e = f.estimate
        if e is not None and f.metric in plan.launch.results:
            figure = percent_text(e.value, e.low, e.high)
            words.append(f"foretold for {f.metric}: {figure}")
    return words


def _observed(inputs: Inputs) -> int:
    """Days that at least half of the users were observed."""
    retention = inputs.retention
    if retention is None:
        return min((len(d.days) for d in inputs.daily.values()), default=0)
    total = retention.observed.sum(axis=0)
    return int((total >= _LEAST_USERS * max(1, int(total[0]))).sum()) if len(total) else 0


def _seen_by(inputs: Inputs, wanted: int, days: int) -> date | None:
    """The first day on which half of the users so far have been seen for so many whole days."""
    exposure, today = inputs.exposure, inputs.as_of
    found: date | None = None
    if exposure is not None and len(exposure.days) and int(exposure.by_day.sum()) > 0:
        entered = exposure.by_day.sum(axis=1).cumsum()
        half = int(np.searchsorted(entered, _LEAST_USERS * entered[-1]))
        found = exposure.days[half].astype("datetime64[D]").item() + timedelta(days=wanted + 1)
    if today is None:
        return found
    if found is None or found <= today.date():
        return today.date() + timedelta(days=max(1, wanted - days))
    return found


def _beyond(plan: Plan, inputs: Inputs, days: int) -> tuple[str, ...]:
    """What the plan asks about and the days do not reach, and what would reach it."""
    horizon = plan.launch.horizon
    if horizon is None or horizon.days <= days:
        return ()
    when = _seen_by(inputs, horizon.days, days)
    said = f"The plan asks about {horizon.days} days; {days} are observed."
    if when is not None:
        said += f" Half of the users will have been seen so long on {when}: ask again then."
    if inputs.cohort is not None or not plan.launch.randomised or plan.launch.starts is None:
        return (said,)
    since = plan.launch.starts - timedelta(days=horizon.days + 14)
    forecast = (
        "A forecast from what older users' first days came to needs the product's events from "
        f"{since} on, {horizon.days} days and two weeks before the launch."
    )
    return (said, forecast)
