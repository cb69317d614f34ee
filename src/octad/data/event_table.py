"""Projects with events: what is asked of them, who is compared, and what came of the one read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from octad.data.clock import DAY, to_micros
from octad.data.event_names import check_names
from octad.data.fold_here import work_here
from octad.data.gathering import Gathering
from octad.data.older import gather_older
from octad.data.population import Chosen, Frame, choose_everyone, choose_exposed
from octad.data.primitives import OPEN, PRE_DAYS, Recipe, calendar_of, kinds_of, recipe
from octad.data.reach import gather_reach
from octad.data.samples import pseudonym_key, steps_to_jobs
from octad.data.seat import Places, places_of, said_by, seat
from octad.data.sql.work import work_in_engine
from octad.data.visits import deep_events, visits_of
from octad.data.waits import day_of
from octad.data.work import MetricWork, Request, Work
from octad.errors import DataError, UnknownNameError, nearest
from octad.model.metric import CountMetric, FunnelMetric, Metric, QuantileMetric, ReturnsMetric
from octad.model.plan import Everyone

__all__ = ["gather_events", "request_of"]


def gather_events(job: Gathering, frame: Frame | None) -> None:
    """Fill a gathering from events, which are read once.

    Raises:
        OctadError: When the events or the users cannot serve the plan.
    """
    plan, tables, tape = job.plan, job.tables, job.tape
    if frame is None:
        job.lack("the events hold no row that can be read")
        return
    if tables.intake["events"].last is None:
        raise DataError(
            "the events hold no row that can be used.",
            where=job.place("sources.events.table"),
            mend="Run `octad check` to see what was left out, and why.",
        )
    if not isinstance(plan.launch.design, Everyone) and tables.exposures is None:
        job.lack("there is no exposures source, so nobody knows who got the launch")
        return
    request = request_of(job, frame)
    check_names(job, tables.events)
    chosen = _chosen(job, frame)
    job.parts |= {"arms": chosen.arms, "exposure": chosen.exposure}
    add_up = work_here if job.engine.abilities.fold else work_in_engine
    work: Work = add_up(tape, plan, tables, chosen, request)
    _fill(job, work, request)
    gather_reach(job, work)
    gather_older(job, chosen, tables.events, tables.intake["events"].kept)


def _chosen(job: Gathering, frame: Frame) -> Chosen:
    tables, tape = job.tables, job.tape
    if isinstance(job.plan.launch.design, Everyone):
        rows = tables.intake["events"].kept
        with tape.stage("finding who was there around the launch's day", rows):
            return choose_everyone(tape, frame, tables.events, tables.users)
    with tape.stage("finding who is compared"):
        return choose_exposed(tape, job.plan, frame, tables.exposures, tables.users, job.place)


def request_of(job: Gathering, frame: Frame) -> Request:
    """Everything that one read of the events must serve."""
    plan, needs = job.plan, job.needs
    everyone = isinstance(plan.launch.design, Everyone)
    mirror = frame.until - frame.starts if everyone and frame.starts is not None else None
    metrics = {name: plan.metric(name) for name in sorted(needs.metrics)}

    def made(some: Mapping[str, Metric]) -> dict[str, Recipe]:
        recipes = {name: recipe(metric, days=OPEN, mirror=mirror) for name, metric in some.items()}
        return {name: found for name, found in recipes.items() if found is not None}

    charter = plan.project.charter
    jobs = {name: tuple(job.events) for name, job in charter.jobs.items() if job.events}
    kinds = {name: made(kinds_of(metrics[name])) for name in metrics if name in needs.kinds}
    calendar = {name: calendar_of(plan.metric(name)) for name in sorted(needs.calendar)}
    even = None if mirror is None else _even_days(job, frame)
    sample = bool(needs.walks or needs.stories or needs.named or needs.jobs or needs.visits)
    bands = bool(needs.sliced or needs.errors or needs.exposure or sample)
    return Request(
        recipes=made(metrics),
        kinds={name: found for name, found in kinds.items() if found},
        funnels={name: m for name, m in metrics.items() if isinstance(m, FunnelMetric)},
        quantiles={name: m for name, m in metrics.items() if isinstance(m, QuantileMetric)},
        daily=needs.daily,
        calendar={name: found for name, found in calendar.items() if found is not None},
        sliced=needs.sliced | needs.attributed,
        tails=needs.tails,
        variants=needs.variants,
        jobs=jobs if needs.jobs else {},
        errors=tuple(charter.errors) if needs.errors else (),
        segments=_segments(job),
        bands=bands,
        attributes=bands or bool(needs.attributed),
        sample=sample,
        retention=needs.retention,
        volume=needs.volume,
        mirror=mirror,
        before=even or PRE_DAYS,
        after=even or OPEN,
    )


def _even_days(job: Gathering, frame: Frame) -> int:
    """Whole days that were seen on both sides of a launch for everyone."""
    first, start = job.tables.intake["events"].first, frame.starts or 0
    past = start - to_micros(first) if first is not None else 0
    return max(1, min(past, frame.until - start) // DAY)


def _segments(job: Gathering) -> tuple[str, ...] | None:
    """The users' attributes that are looked at; None for all of them."""
    asked, users = job.plan.launch.segments, job.tables.users
    if users is None:
        if asked:
            raise DataError(
                f"the plan asks for segments ({', '.join(asked)}), and there is no users source.",
                where=job.place("segments"),
                mend="Add sources: users: to octad.yml, or take segments out of the plan.",
            )
        return None
    known = [c for c in users.columns if c not in ("user", "staff", "known")]
    source = job.plan.project.sources.users
    declared = tuple(source.attributes) if source and source.attributes else tuple(known)
    columns = declared if asked is None else tuple(asked)
    for name in columns:
        if name not in known:
            raise UnknownNameError(
                f"the users have no attribute '{name}'.",
                where=job.place("segments"),
                mend=nearest(name, known),
            )
    return columns


def _fill(job: Gathering, work: Work, request: Request) -> None:
    """Ask for every product, and keep it."""
    job.parts |= {"exposure": work.exposure, "refused_segments": work.refused}
    with job.tape.stage("summing users up into cells"):
        for name, found in work.metrics():
            _fill_metric(job, name, found)
    if request.mirror:
        _refuse_short_past(job, work)
    with job.tape.stage("adding up days"):
        if request.daily:
            job.parts["daily"] = work.daily()
        if request.retention:
            job.parts["retention"] = work.retention()
        if request.volume:
            job.parts["volume"] = work.volume()
    job.parts["errors"] = work.errors()
    jobs = work.jobs()
    if request.sample:
        _fill_sample(job, work)
    elif jobs is not None:
        job.parts["jobs"] = jobs


def _fill_metric(job: Gathering, name: str, found: MetricWork | str) -> None:
    if isinstance(found, str):
        job.absent[name] = found
        return
    job.metrics[name] = found.cells
    if found.variants:
        job.variants[name] = dict(found.variants)
    if found.tail is not None:
        job.parts.setdefault("tails", {})[name] = found.tail
    if found.kinds:
        job.parts.setdefault("kinds", {})[name] = found.kinds


def _refuse_short_past(job: Gathering, work: Work) -> None:
    """A launch compared with its own past needs as long a past as what came after."""
    first, start = job.tables.intake["events"].first, work.frame.starts or 0
    for name in list(job.metrics):
        metric = job.plan.metric(name)
        if isinstance(metric, QuantileMetric):
            del job.metrics[name]
            job.absent[name] = "a quantile is not compared with its own past in this version"
            continue
        span = work.frame.until - start
        if isinstance(metric, ReturnsMetric):
            span = (metric.between[1] - metric.between[0]) // timedelta(microseconds=1)
        elif metric.window is not None:
            span = metric.window // timedelta(microseconds=1)
        # The first day of an export is seldom whole, and one such day is forgiven.
        if first is not None and to_micros(first) > start - span + DAY:
            del job.metrics[name]
            job.absent[name] = (
                f"it needs events from {day_of(start - span)}, as long before the launch as "
                f"after, and they begin on {first.date()}; a shorter 'window:' would do"
            )


def _fill_sample(job: Gathering, work: Work) -> None:
    needs, project, tables = job.needs, job.plan.project, job.tables
    with job.tape.stage("following a sample of users"):
        sample = work.sample()
        use = work.jobs()
        if use is not None:
            job.parts["jobs"] = steps_to_jobs(sample, use, project.charter)
        kpi = job.plan.metric(job.plan.launch.kpi) if job.plan.launch.kpi else None
        if needs.visits and len(work.arms) > 1 and isinstance(kpi, CountMetric):
            deep = deep_events(job.plan, kpi)
            job.parts["visits"] = visits_of(sample, kpi, deep, work.frame.until)
        if not (needs.walks or needs.stories or needs.named):
            return
        places: Places = {}
        if tables.users is not None:
            places = places_of(sample, tables.users, _segments(job) or ())
        said = said_by(sample, tables.reviews, project.product)
        key = pseudonym_key(job.engine.hidden)
        job.parts |= seat(sample, project.charter, needs, key, places, said)
