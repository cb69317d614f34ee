"""Before a launch: what its plan could see, how long that would take, and what will stay silent."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from octad.data.arrivals import arrivals
from octad.data.connect import Engine, connect
from octad.data.gather import gather
from octad.data.sources import open_sources
from octad.data.tape import Progress
from octad.data.voices import products_of
from octad.errors import DataError
from octad.lifecycle.cautions import warnings
from octad.lifecycle.likeness import alike
from octad.lifecycle.names import refuse_doubtful
from octad.lifecycle.outlook import Known, prospects
from octad.lifecycle.review import place_of
from octad.model.inputs import Inputs
from octad.model.metric import ReturnsMetric
from octad.model.needs import Needs
from octad.model.plan import Everyone, Launch, Plan
from octad.model.planned import MetricSize, PlanReport
from octad.project.ledger import Ledger
from octad.project.load import LoadedPlan
from octad.stats.moments import Moments
from octad.stats.power import days_needed, sample_size, smallest_visible

__all__ = ["size"]

_PAST = 28
Role = Literal["KPI", "result", "guardrail"]


@dataclass(frozen=True, slots=True)
class _Past:
    """What the project's own history says.

    Attributes:
        newest: The newest data; `oldest` the oldest.
        arriving: Users first seen on each day since the day a launch is pretended to have been.
        inputs: The metrics of all users since then, and before.
        why: Why there is none, in words.
    """

    newest: date | None = None
    oldest: date | None = None
    arriving: NDArray[np.float64] | None = None
    inputs: Inputs = field(default_factory=Inputs)
    why: str = ""
    products: frozenset[str] = frozenset()


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
    ledger = Ledger.open(loaded.root)
    entries = ledger.entries()
    history = ledger.history(plan.launch.launch)
    enrolment = _enrolment(plan.launch)
    with connect(plan.project, loaded.root, where=loaded.home.where("connection")) as engine:
        refuse_doubtful(loaded, engine)
        past = _history(loaded, engine, progress)
    arriving = past.arriving
    total = None if arriving is None else int(arriving[:enrolment].sum())
    days = enrolment if arriving is None else min(enrolment, len(arriving))
    sized = [_metric(plan, past, name, role, total) for name, role in _roles(plan)]
    metrics = tuple(size for size, _ in sized)
    known = Known(
        users=total,
        since=past.oldest,
        until=past.newest,
        products=past.products,
        history=history,
        variances={size.metric: left for size, left in sized if left is not None},
    )
    return PlanReport(
        launch=plan.launch.launch,
        as_of=past.newest,
        since=past.oldest,
        users=total,
        a_day=None if total is None else total / max(1, days),
        enrolment=days,
        weekly=_weekly(arriving),
        metrics=metrics,
        readings=prospects(plan, metrics, known),
        precedents=alike(plan.launch, history.launches, entries),
        warnings=warnings(plan, metrics, known),
    )


def _weekly(arriving: NDArray[np.float64] | None) -> tuple[int, ...]:
    """Users first seen in each whole week; the first holds all who were there already."""
    if arriving is None:
        return ()
    weeks = len(arriving) // 7
    return tuple(int(n) for n in arriving[: weeks * 7].reshape(weeks, 7).sum(axis=1))


def _roles(plan: Plan) -> list[tuple[str, Role]]:
    launch = plan.launch
    found: list[tuple[str, Role]] = [(launch.kpi, "KPI")] if launch.kpi else []
    found += [(name, "result") for name in launch.results]
    found += [(name, "guardrail") for name in launch.guardrails]
    return list({name: (name, role) for name, role in reversed(found)}.values())[::-1]


def _enrolment(launch: Launch) -> int:
    """Days in which users may enter; two weeks when the plan does not say."""
    last = launch.enrol_until or launch.ends
    if launch.starts is None or last is None:
        return 14
    return max(1, (last - launch.starts).days + 1)


def _history(loaded: LoadedPlan, engine: Engine, progress: Progress | None) -> _Past:
    """Moments of every metric in the past, and users arriving by day."""
    plan = loaded.plan
    needs = Needs(totals=frozenset(plan.launch.metrics))
    sources = plan.project.sources
    products = _products(loaded, engine)
    if sources.events is None:
        if sources.units is None:
            return _Past(why="there are neither events nor units", products=products)
        inputs = gather(engine, plan, needs, progress=progress)
        return _Past(inputs=inputs, products=products)
    tables = open_sources(engine, plan.project, only={"events"}, where=loaded.home.where)
    intake = tables.intake["events"]
    if intake.last is None or intake.first is None:
        return _Past(why="the events hold no row that can be read", products=products)
    newest = intake.last if intake.last.tzinfo else intake.last.replace(tzinfo=UTC)
    longest = _longest(plan)
    start = _pretended(plan, intake.first, newest, longest)
    begun = _Past(newest=newest.date(), oldest=_day(intake.first), products=products)
    if start is None:
        there = (newest.date() - _day(intake.first)).days + 1
        why = (
            f"the history is too short: it takes {_PAST} days, and {longest.days} for the longest "
            f"window after them; there are {there}"
        )
        return replace(begun, why=why)
    try:
        inputs = gather(
            engine,
            _for_everyone(plan, start),
            needs,
            progress=progress,
            where=lambda key: place_of(loaded, key),
        )
    except DataError as error:
        return replace(begun, why=str(error))
    return replace(begun, arriving=arrivals(engine, tables.events, start), inputs=inputs)


def _products(loaded: LoadedPlan, engine: Engine) -> frozenset[str]:
    """The products that reviews speak of."""
    project = loaded.plan.project
    if project.sources.reviews is None:
        return frozenset()
    tables = open_sources(engine, project, only={"reviews"}, where=loaded.home.where)
    return frozenset(products_of(tables.reviews)) if tables.reviews is not None else frozenset()


def _for_everyone(plan: Plan, start: date) -> Plan:
    """The plan as if its launch had reached everyone on a day of the past."""
    launch = plan.launch.model_copy(
        update={
            "design": Everyone(everyone=start),
            "arms": None,
            "starts": None,
            "ends": None,
            "enrol_until": None,
            "segments": (),
        }
    )
    return plan.model_copy(update={"launch": launch})


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
    plan: Plan, past: _Past, name: str, role: Role, users: int | None
) -> tuple[MetricSize, float | None]:
    """A metric's size, and its variance that is left, as a fraction of its level squared."""
    inputs = past.inputs
    cells = inputs.metrics.get(name)
    if cells is None or cells.quantiles is not None:
        reason = past.why or inputs.absent.get(name, "")
        if not reason and cells is not None:
            reason = "a quantile is not sized; its error is known only once there are data"
        why = reason.rstrip(".") or "no source gives it"
        return MetricSize(metric=name, role=role, why_not=why), None
    moments = cells.moments[0].total((0, 1))
    spread = _spread(moments)
    if spread is None:
        why = "it never varies in the history"
        return MetricSize(metric=name, role=role, why_not=why), None
    level, variance, together = spread
    reduction = min(together**2, 0.99)
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
        if past.arriving is not None:
            days = days_needed(wanted, past.arriving, _window(plan, name))
    size = MetricSize(
        metric=name,
        role=role,
        level=level,
        spread=math.sqrt(variance) / abs(level),
        reduction=reduction,
        autocorrelation=together if cells.paired else None,
        visible=visible,
        margin=margin,
        users=wanted,
        days=days,
    )
    return size, left / level**2


def _window(plan: Plan, name: str) -> float:
    metric = plan.metric(name)
    span = metric.between[1] if isinstance(metric, ReturnsMetric) else metric.window
    return 0.0 if span is None else span / timedelta(days=1)


def _spread(moments: Moments) -> tuple[float, float, float] | None:
    """Level, variance between users in the level's unit, and how past and later go together."""
    if float(moments.n) < 3 or float(moments.mean[1]) == 0:
        return None
    d, w = float(moments.mean[1]), float(moments.mean[3])
    level = float(moments.mean[0]) / d
    past = float(moments.mean[2]) / w if w else 0.0
    both = moments.linear([[1 / d, -level / d, 0, 0], [0, 0, 1, -past]]).covariance()
    variance = float(both[0, 0])
    if variance <= 0 or level == 0:
        return None
    other = float(both[1, 1])
    together = float(both[0, 1]) / math.sqrt(variance * other) if other > 0 else 0.0
    return level, variance, together


def _margin(plan: Plan, name: str, level: float) -> float | None:
    margin = {**plan.launch.guardrails, **plan.launch.results}.get(name)
    if margin is None or level == 0:
        return None
    return margin.value if margin.kind == "relative" else margin.value / abs(level)
