"""Before a launch: what its plan could see, how long that would take, and what will stay silent."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from octad.data.arrivals import arrivals
from octad.data.connect import Engine, connect
from octad.data.gather import gather
from octad.data.sources import open_sources
from octad.data.tape import Progress
from octad.errors import DataError
from octad.lifecycle.names import refuse_doubtful
from octad.lifecycle.review import place_of
from octad.model.inputs import Inputs
from octad.model.metric import ReturnsMetric
from octad.model.needs import Needs
from octad.model.plan import Everyone, Launch, Plan
from octad.model.review import READINGS
from octad.project.ledger import Ledger
from octad.project.load import LoadedPlan
from octad.stats.moments import Moments
from octad.stats.power import days_needed, sample_size, smallest_visible

__all__ = ["MetricSize", "PlanReport", "size"]

_PAST = 28


@dataclass(frozen=True, slots=True)
class MetricSize:
    """What a plan could see in one metric.

    Attributes:
        role: ``KPI``, ``result`` or ``guardrail``.
        level: The metric's level in the project's own history.
        reduction: The share of its variance that users' own past explains.
        visible: The smallest relative change seen four times out of five, with the users that the
            enrolment would bring; None when it cannot be known.
        margin: The tolerable loss as a fraction of the level; None for the KPI.
        users: Users in all arms that would show no change to be within the margin, four times out
            of five; `days` how long they take to arrive and end their window.
        why_not: Why it could not be sized, in words.
    """

    metric: str
    role: str
    level: float | None = None
    reduction: float = 0.0
    visible: float | None = None
    margin: float | None = None
    users: int | None = None
    days: int | None = None
    why_not: str = ""

    @property
    def enough(self) -> bool | None:
        """Whether the planned enrolment would let the margin be shown; None when unknown."""
        if self.margin is None or self.visible is None or self.users is None:
            return None
        return self.days is not None


@dataclass(frozen=True, slots=True)
class PlanReport:
    """What a plan will and will not be able to say.

    Attributes:
        as_of: The newest data it was sized from.
        users: Users that the enrolment would bring; `a_day` on an average day of it.
        enrolment: Its length in days, as far as the history shows who comes.
        metrics: KPI, results, guardrails.
        silent: Reading to what it lacks, for those that will have nothing to say.
        precedents: Past launches in the ledger with the same KPI: name, verdict, decision.
        warnings: What should be mended before sealing.
    """

    launch: str
    as_of: date | None
    users: int | None
    a_day: float | None
    enrolment: int
    metrics: tuple[MetricSize, ...]
    silent: dict[str, str]
    precedents: tuple[tuple[str, str, str], ...]
    warnings: tuple[str, ...]


def size(loaded: LoadedPlan, progress: Progress | None = None) -> PlanReport:
    """Size a launch from the project's own history.

    The past is read as if a launch had reached everyone so long ago that every window has ended
    since: its users' spread, and how much of it their own past explains, is what the launch will
    meet.

    Args:
        loaded: The plan.
        progress: Told what is being done.

    Raises:
        OctadError: When the sources cannot be read.
    """
    plan = loaded.plan
    enrolment = _enrolment(plan.launch)
    lacks = _lacks(plan)
    with connect(plan.project, loaded.root, where=loaded.home.where("connection")) as engine:
        refuse_doubtful(loaded, engine)
        newest, arriving, inputs, why = _history(loaded, engine, progress)
    total = None if arriving is None else int(arriving[:enrolment].sum())
    days = enrolment if arriving is None else min(enrolment, len(arriving))
    metrics = tuple(
        _metric(plan, inputs, name, role, total, arriving, why) for name, role in _roles(plan)
    )
    return PlanReport(
        launch=plan.launch.launch,
        as_of=newest,
        users=total,
        a_day=None if total is None else total / max(1, days),
        enrolment=days,
        metrics=metrics,
        silent=lacks,
        precedents=_precedents(loaded),
        warnings=tuple(_warnings(plan, metrics)),
    )


def _roles(plan: Plan) -> list[tuple[str, str]]:
    launch = plan.launch
    found = [(launch.kpi, "KPI")] if launch.kpi else []
    found += [(name, "result") for name in launch.results]
    found += [(name, "guardrail") for name in launch.guardrails]
    return list({name: (name, role) for name, role in reversed(found)}.values())[::-1]


def _enrolment(launch: Launch) -> int:
    """Days in which users may enter; two weeks when the plan does not say."""
    last = launch.enrol_until or launch.ends
    if launch.starts is None or last is None:
        return 14
    return max(1, (last - launch.starts).days + 1)


def _history(
    loaded: LoadedPlan, engine: Engine, progress: Progress | None
) -> tuple[date | None, NDArray[np.float64] | None, Inputs, str]:
    """Moments of every metric in the past, and users arriving by day."""
    plan = loaded.plan
    needs = Needs(totals=frozenset(plan.launch.metrics))
    if plan.project.sources.events is None:
        if plan.project.sources.units is None:
            return None, None, Inputs(), "there are neither events nor units"
        inputs = gather(engine, plan, needs, progress=progress)
        return None, None, inputs, ""
    tables = open_sources(engine, plan.project, only={"events"}, where=loaded.home.where)
    intake = tables.intake["events"]
    if intake.last is None or intake.first is None:
        return None, None, Inputs(), "the events hold no row that can be read"
    newest = intake.last if intake.last.tzinfo else intake.last.replace(tzinfo=UTC)
    longest = _longest(plan)
    start = _pretended(plan, intake.first, newest, longest)
    if start is None:
        there = (newest.date() - _day(intake.first)).days + 1
        why = (
            f"the history is too short: it takes {_PAST} days, and {longest.days} for the longest "
            f"window after them; there are {there}"
        )
        return newest.date(), None, Inputs(), why
    past = plan.model_copy(
        update={
            "launch": plan.launch.model_copy(
                update={
                    "design": Everyone(everyone=start),
                    "arms": None,
                    "starts": None,
                    "ends": None,
                    "enrol_until": None,
                    "segments": (),
                }
            )
        }
    )
    try:
        inputs = gather(
            engine, past, needs, progress=progress, where=lambda key: place_of(loaded, key)
        )
    except DataError as error:
        return newest.date(), None, Inputs(), str(error)
    return newest.date(), arrivals(engine, tables.events, start), inputs, ""


def _day(moment: datetime) -> date:
    return moment.date() if moment.tzinfo is None else moment.astimezone(UTC).date()


def _longest(plan: Plan) -> timedelta:
    """The longest window of the plan's metrics; a week when none has one."""
    metrics = [plan.metric(name) for name in plan.launch.metrics]
    windows = [m.window for m in metrics if m.window is not None]
    spans = [m.between[1] for m in metrics if isinstance(m, ReturnsMetric)]
    return max([*windows, *spans], default=timedelta(days=7))


def _pretended(plan: Plan, first: datetime, newest: datetime, longest: timedelta) -> date | None:
    """The latest day from which every window has ended, with some past before it.

    A day whose windows end before the launch is better; where the history is too short for that,
    users that the launch has reached are in it, and its effect adds a little to their spread.
    """
    begun = _day(first)
    starts = plan.launch.starts or newest.date()
    for start in (min(newest.date(), starts) - longest, newest.date() - longest):
        if start - timedelta(days=_PAST) >= begun:
            return start
    return None


def _metric(
    plan: Plan,
    inputs: Inputs,
    name: str,
    role: str,
    users: int | None,
    arriving: NDArray[np.float64] | None,
    why: str,
) -> MetricSize:
    cells = inputs.metrics.get(name)
    if cells is None or cells.quantiles is not None:
        reason = why or inputs.absent.get(name, "")
        if not reason and cells is not None:
            reason = "a quantile is not sized; its error is known only once there are data"
        return MetricSize(metric=name, role=role, why_not=reason or "no source gives it")
    moments = cells.moments[0].total((0, 1))
    spread = _spread(moments)
    if spread is None:
        return MetricSize(metric=name, role=role, why_not="it never varies in the history")
    level, variance, reduction = spread
    n = users if users is not None else int(moments.n)
    left = variance * (1 - reduction)
    share = 1 / max(2, len(plan.launch.arms or {}))
    # Of several arms, each treatment is compared with a control of its own size.
    pair = n * 2 * share
    visible = smallest_visible(left, pair) / abs(level) if pair >= 3 else None
    margin = _margin(plan, name, level)
    wanted = days = None
    if margin:
        error = (
            plan.launch.rules.guardrail_error
            if role == "guardrail"
            else (1 - plan.launch.rules.level) / 2
        )
        wanted = math.ceil(
            sample_size(margin * abs(level), left, error=error, sides="one") / share / 2
        )
        if arriving is not None:
            days = days_needed(wanted, arriving, _window(plan, name))
    return MetricSize(
        metric=name,
        role=role,
        level=level,
        reduction=reduction,
        visible=visible,
        margin=margin,
        users=wanted,
        days=days,
    )


def _window(plan: Plan, name: str) -> float:
    metric = plan.metric(name)
    span = metric.between[1] if isinstance(metric, ReturnsMetric) else metric.window
    return 0.0 if span is None else span / timedelta(days=1)


def _spread(moments: Moments) -> tuple[float, float, float] | None:
    """Level, variance between users in the level's unit, and what their past explains of it."""
    if float(moments.n) < 3 or float(moments.mean[1]) == 0:
        return None
    d, w = float(moments.mean[1]), float(moments.mean[3])
    level = float(moments.mean[0]) / d
    past = float(moments.mean[2]) / w if w else 0.0
    both = moments.linear([[1 / d, -level / d, 0, 0], [0, 0, 1, -past]]).covariance()
    variance = float(both[0, 0])
    if variance <= 0 or level == 0:
        return None
    explained = float(both[0, 1]) ** 2 / float(both[1, 1]) / variance if both[1, 1] > 0 else 0.0
    return level, variance, min(explained, 0.99)


def _margin(plan: Plan, name: str, level: float) -> float | None:
    margin = {**plan.launch.guardrails, **plan.launch.results}.get(name)
    if margin is None or level == 0:
        return None
    return margin.value if margin.kind == "relative" else margin.value / abs(level)


def _lacks(plan: Plan) -> dict[str, str]:
    """Readings that will have nothing to say, and what they lack."""
    s, launch, charter = plan.project.sources, plan.launch, plan.project.charter
    lacks = {
        "results": "" if launch.results else "results: in the plan",
        "horizon": "" if s.events else "events with times",
        "breadth": "" if launch.guardrails or s.users or s.units else "guardrails, or attributes",
        "user": "" if s.events and (charter.errors or s.users) else "events, and errors: named",
        "doubt": "" if launch.arms else "a control",
        "rival": "" if s.reviews else "reviews of ours and of rivals",
        "product": "" if charter.jobs or charter.never else "the charter's jobs and never-lines",
        "reflection": "" if launch.expects else "expects: in the plan",
    }
    return {name: lacks[name] for name in READINGS if lacks[name]}


def _precedents(loaded: LoadedPlan) -> tuple[tuple[str, str, str], ...]:
    launch = loaded.plan.launch
    past = Ledger.open(loaded.root).history(launch.launch).launches
    return tuple((p.launch, p.verdict, p.decided) for p in past if p.kpi == launch.kpi)


def _warnings(plan: Plan, metrics: tuple[MetricSize, ...]) -> list[str]:
    found = []
    if not plan.launch.results:
        found.append("No result is named, so nothing could ever earn this launch a 'ship'.")
    found += [
        f"{m.metric}: the margin asks for {m.users:,} users, and they are not on the way. A wider "
        "margin, or a longer enrolment, would let it be shown."
        for m in metrics
        if m.users and m.visible is not None and m.days is None
    ]
    if not plan.launch.expects:
        found.append("Nothing is forecast, so nothing will be learnt about your judgement.")
    if not plan.launch.signed:
        found.append("Nobody has signed the plan.")
    return found
