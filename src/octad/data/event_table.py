"""Projects with events: the one scan, and everything that is made of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from octad.data.behaviour import error_parts, errors_of, job_parts, job_use, thirds
from octad.data.cells import UnitValues, cells_of, tail_of, variants_of, winsorized
from octad.data.clock import DAY, from_micros, micros, to_micros
from octad.data.days import Days
from octad.data.event_names import check_names
from octad.data.gathering import FEWEST_IN_ARM, Gathering
from octad.data.older import gather_older
from octad.data.ordered import funnel_values, quantiles_of
from octad.data.population import Frame, Population, compare_everyone, compare_exposed
from octad.data.primitives import PRE_DAYS, Part, Recipe, aggregate, calendar_of, kinds_of, recipe
from octad.data.rollup import ACTIVE, Rollup, Units, roll_up
from octad.data.samples import (
    pseudonym_key,
    read_sample,
    steps_to_jobs,
    stories_of,
    walks_of,
)
from octad.data.segments import (
    USE,
    Attribute,
    Slices,
    Sought,
    deepen,
    from_behaviour,
    from_table,
    make_slices,
)
from octad.errors import DataError, UnknownNameError, nearest
from octad.model.inputs import (
    Daily,
    MetricCells,
    Quantiles,
    Slice,
    Volume,
)
from octad.model.metric import (
    CountMetric,
    FunnelMetric,
    Metric,
    QuantileMetric,
    ReturnsMetric,
    SumMetric,
)
from octad.model.plan import Everyone
from octad.stats.moments import Moments

__all__ = ["gather_events"]


def gather_events(job: Gathering, frame: Frame | None) -> None:
    """Fill a gathering from events: the one scan, and what the order of events needs besides.

    Raises:
        OctadError: When the events or the users cannot serve the plan.
    """
    plan, tables, tape = job.plan, job.tables, job.tape
    if frame is None:
        job.lack("the events hold no row that can be read")
        return
    events = tables.events
    if tables.intake["events"].last is None:
        raise DataError(
            "the events hold no row that can be used.",
            where=job.place("sources.events.table"),
            mend="Run `octad check` to see what was left out, and why.",
        )
    everyone = isinstance(plan.launch.design, Everyone)
    if not everyone and tables.exposures is None:
        job.lack("there is no exposures source, so nobody knows who got the launch")
        return
    with tape.stage("finding who is compared"):
        population = (
            compare_everyone(tape, frame, events, tables.users)
            if everyone
            else compare_exposed(tape, plan, frame, tables.exposures, tables.users, job.place)
        )
    job.parts |= {"arms": population.arms, "exposure": population.exposure}
    check_names(job, events)
    rows = tables.intake["events"].kept
    _gather_rollup(job, population, events, rows, mirror=everyone)
    if job.needs.volume:
        with tape.stage("events by day", rows):
            job.parts["volume"] = _volume(job, population, events)
    gather_older(job, population, events, rows)


def _gather_rollup(
    job: Gathering, population: Population, events: Any, rows: int, *, mirror: bool
) -> None:
    plan, needs, tape = job.plan, job.needs, job.tape
    frame = population.frame
    longest = frame.until - int(population.exposed.min())
    days = max(1, -(-longest // DAY))
    recipes: dict[str, Recipe] = {}
    for name in sorted(needs.metrics):
        made = recipe(plan.metric(name), days=days, mirror=longest if mirror else None)
        if made is not None:
            recipes[name] = made
    charter = plan.project.charter
    before, after = (PRE_DAYS, days) if not mirror else (_even_days(job, population),) * 2
    back = max([PRE_DAYS, before, *(-p.first for r in recipes.values() for p in (r.x, r.w) if p)])
    jobs = job_parts(charter.jobs, back=before, days=after) if needs.jobs else {}
    errors = error_parts(charter.errors, days=days) if needs.errors else {}
    kinds = {
        (name, event): kind
        for name in sorted(needs.kinds & needs.metrics)
        for event, metric in kinds_of(plan.metric(name)).items()
        if (kind := recipe(metric, days=days, mirror=longest if mirror else None)) is not None
    }
    every = (*recipes.values(), *kinds.values())
    parts = [p for r in every for p in (r.y, r.d, r.x, r.w) if p is not None]
    parts += [p for pair in jobs.values() for p in pair] + list(errors.values())
    usual = (Part(ACTIVE, -PRE_DAYS, 0), Part(ACTIVE, 0, days))
    parts += [*usual, Part(ACTIVE, -before, 0), Part(ACTIVE, 0, after)]
    seen_days = (frame.until - population.exposed) // DAY
    spans = thirds(int(np.quantile(seen_days, 0.1)))
    halves = _halves(recipes, needs.daily, spans)
    parts += [p for pair in halves.values() for p in pair]
    primitives = [p.primitive for p in parts]
    primitives += [p for n, r in recipes.items() if n in needs.daily for p in r.daily]
    with tape.stage("reading the events once", rows):
        rollup = roll_up(tape, population, events, primitives, back=back)
    with tape.stage("adding up users"):
        units = rollup.units(tape, parts)
        bands = from_behaviour(units, units.columns[usual[0]], PRE_DAYS)
        slices, attributes = _slices(job, population, bands)
    had_past = bool((units.columns[usual[0]] > 0).any())
    with tape.stage("searching combinations of attributes"):
        slices = deepen(
            slices,
            attributes,
            _sought(job, population, units, recipes, had_past=had_past),
            population.arm,
            population.bucket,
            seed=plan.launch.halving,
        )
    _gather_metrics(job, population, units, recipes, slices, had_past=had_past)
    for (name, event), made in kinds.items():
        values = _values(population, units, name, made, had_past=had_past)
        cells = cells_of(values, population.arm, population.bucket, len(population.arms))
        job.parts.setdefault("kinds", {}).setdefault(name, {})[event] = cells
    _gather_ordered(job, population, events, slices, rows, mirror=mirror)
    if mirror:
        _refuse_short_past(job, population)
    _gather_daily(job, population, rollup, recipes, units, halves, spans)
    band = next((b for b in bands if b.name == USE), None)
    job.parts["errors"] = errors_of(population, units, errors, band, days)
    use = job_use(population, units, jobs, after, before)
    _gather_sample(job, population, events, use, rows)


def _slices(
    job: Gathering, population: Population, bands: list[Attribute]
) -> tuple[Slices, list[Attribute]]:
    plan, tables = job.plan, job.tables
    asked = plan.launch.segments
    attributes = list(bands)
    refused: dict[str, str] = {}
    columns: tuple[str, ...] = ()
    if tables.users is not None:
        known = [c for c in tables.users.columns if c not in ("user", "staff", "known")]
        source = plan.project.sources.users
        declared = tuple(source.attributes) if source and source.attributes else tuple(known)
        columns = declared if asked is None else tuple(asked)
        for name in columns:
            if name not in known:
                raise UnknownNameError(
                    f"the users have no attribute '{name}'.",
                    where=job.place("segments"),
                    mend=nearest(name, known),
                )
    elif asked:
        raise DataError(
            f"the plan asks for segments ({', '.join(asked)}), and there is no users source.",
            where=job.place("segments"),
            mend="Add sources: users: to octad.yml, or take segments out of the plan.",
        )
    if columns:
        found, refused = from_table(job.tape, population, tables.users, columns)
        attributes += found
    job.parts["refused_segments"] = refused
    by_attribute = {a.name: (a.values, _by_arm(a, population)) for a in attributes}
    job.parts["exposure"] = replace(population.exposure, by_attribute=by_attribute)
    return make_slices(attributes, population.arm, fewest=FEWEST_IN_ARM), attributes


def _by_arm(attribute: Attribute, population: Population) -> NDArray[np.int64]:
    """(V, A) users with each value, by arm."""
    shape = (len(attribute.values), len(population.arms))
    cell = attribute.codes * shape[1] + population.arm
    return np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)


def _sought(
    job: Gathering,
    population: Population,
    units: Units,
    recipes: dict[str, Recipe],
    *,
    had_past: bool,
) -> Iterator[Sought]:
    """The results and guardrails in which harm is looked for, one at a time."""
    for name in (*job.plan.launch.results, *job.plan.launch.guardrails):
        if name not in recipes or name not in job.needs.sliced:
            continue
        values = _values(population, units, name, recipes[name], had_past=had_past)
        metric = job.plan.metric(name)
        quantile = getattr(metric, "winsorize", None)
        if quantile is not None:
            values, _ = winsorized(values, quantile)
        yield Sought(values.rows, values.ended, metric.better)


def _values(
    population: Population, units: Units, name: str, made: Recipe, *, had_past: bool
) -> UnitValues:
    one, nought = np.ones(population.n), np.zeros(population.n)
    ended = np.ones(population.n, dtype=bool)
    if made.window is not None:
        ended = population.exposed + made.window <= population.frame.until
    return UnitValues(
        metric=name,
        y=units.columns[made.y],
        d=one if made.d is None else units.columns[made.d],
        x=nought if made.x is None else units.columns[made.x],
        w=one if made.w is None else units.columns[made.w],
        ended=ended,
        paired=had_past and made.x is not None,
        query=units.query,
    )


def _gather_metrics(
    job: Gathering,
    population: Population,
    units: Units,
    recipes: dict[str, Recipe],
    slices: Slices,
    *,
    had_past: bool,
) -> None:
    for name, made in recipes.items():
        values = _values(population, units, name, made, had_past=had_past)
        if values.ended.any():
            _keep(job, population, values, slices)
        else:
            job.absent[name] = _waits(population, made.window or 0)


def _waits(population: Population, window: int) -> str:
    day = _day(int(population.exposed.min()) + window)
    return f"nobody's window has ended yet; it needs data until {day}"


def _even_days(job: Gathering, population: Population) -> int:
    """Whole days that were seen on both sides of a launch for everyone."""
    start = int(population.exposed[0])
    first = job.tables.intake["events"].first
    past = start - to_micros(first) if first is not None else 0
    return max(1, min(past, population.frame.until - start) // DAY)


def _refuse_short_past(job: Gathering, population: Population) -> None:
    """A launch compared with its own past needs as long a past as what came after."""
    first, start = job.tables.intake["events"].first, int(population.exposed[0])
    for name in list(job.metrics):
        metric = job.plan.metric(name)
        if isinstance(metric, QuantileMetric):
            del job.metrics[name]
            job.absent[name] = "a quantile is not compared with its own past in this version"
            continue
        span = population.frame.until - start
        if isinstance(metric, ReturnsMetric):
            span = (metric.between[1] - metric.between[0]) // timedelta(microseconds=1)
        elif metric.window is not None:
            span = metric.window // timedelta(microseconds=1)
        # The first day of an export is seldom whole, and one such day is forgiven.
        if first is not None and to_micros(first) > start - span + DAY:
            del job.metrics[name]
            job.absent[name] = (
                f"it needs events from {_day(start - span)}, as long before the launch as after, "
                f"and they begin on {first.date()}; a shorter 'window:' would do"
            )


def _day(moment: int) -> str:
    return str(from_micros(np.array(moment)).astype("datetime64[D]"))


def _keep(job: Gathering, population: Population, values: UnitValues, slices: Slices) -> None:
    """Make every form of a metric that was asked for."""
    name, arms = values.metric, len(population.arms)
    metric: Metric = job.plan.metric(name)
    wanted = slices if name in job.needs.sliced else None

    def cells(v: UnitValues, s: Slices | None, cut: float | None = None) -> MetricCells:
        return cells_of(v, population.arm, population.bucket, arms, s, winsor=cut)

    quantile = getattr(metric, "winsorize", None)
    cut = None
    chosen = values
    if quantile is not None:
        chosen, cut = winsorized(values, quantile)
    job.metrics[name] = cells(chosen, wanted, cut)
    if name in job.needs.tails:
        job.parts.setdefault("tails", {})[name] = tail_of(values, population.arm, arms)
    if name in job.needs.variants and isinstance(metric, CountMetric | SumMetric):
        job.variants[name] = variants_of(values, quantile, population.arm, population.bucket, arms)


def _gather_ordered(
    job: Gathering,
    population: Population,
    events: Any,
    slices: Slices,
    rows: int,
    *,
    mirror: bool,
) -> None:
    for name in sorted(job.needs.metrics):
        metric = job.plan.metric(name)
        if isinstance(metric, FunnelMetric):
            window = None if metric.window is None else metric.window // timedelta(microseconds=1)
            back = max(PRE_DAYS * DAY, window or 0)
            if mirror:
                back = population.frame.until - int(population.exposed[0])
                back = back if window is None else window
            with job.tape.stage(f"following the funnel {name}", rows):
                f = funnel_values(job.tape, population, events, metric, back=back)
            ended = np.ones(population.n, dtype=bool)
            if window is not None:
                ended = population.exposed + window <= population.frame.until
            if not ended.any():
                job.absent[name] = _waits(population, window or 0)
                continue
            values = UnitValues(name, f.y, f.d, f.x, f.w, ended, bool(f.w.any()), f.query)
            _keep(job, population, values, slices)
        elif isinstance(metric, QuantileMetric):
            with job.tape.stage(f"reading the values of {name}", rows):
                found, waiting, key = quantiles_of(job.tape, population, events, metric)
            if not found.n.any():
                job.absent[name] = f"no event of the users compared has a number in '{metric.of}'"
                continue
            cells = _quantile_cells(name, found, len(population.arms), key)
            job.metrics[name] = replace(cells, waiting=waiting)


def _quantile_cells(name: str, found: Quantiles, arms: int, key: str) -> MetricCells:
    empty = Moments.empty((1, arms, 1), 4)
    return MetricCells(name, empty, (Slice(),), quantiles=found, query=key)


def _halves(
    recipes: dict[str, Recipe],
    wanted: frozenset[str],
    spans: tuple[tuple[int, int], tuple[int, int]] | None,
) -> dict[str, tuple[Part, Part]]:
    if spans is None:
        return {}
    found = {}
    for name, made in recipes.items():
        if name in wanted and len(made.daily) == 1:
            how: Literal["days", "sum"] = "days" if made.daily_any else "sum"
            first, last = (Part(made.daily[0], *span, how) for span in spans)
            found[name] = (first, last)
    return found


def _gather_daily(
    job: Gathering,
    population: Population,
    rollup: Rollup,
    recipes: dict[str, Recipe],
    units: Units,
    halves: dict[str, tuple[Part, Part]],
    spans: tuple[tuple[int, int], tuple[int, int]] | None,
) -> None:
    wanted = {n: r for n, r in recipes.items() if n in job.needs.daily}
    if not wanted and not job.needs.retention:
        return
    with job.tape.stage("adding up days"):
        rows = rollup.daily(job.tape, wanted)
        days = Days.of(population)
        if job.needs.retention:
            job.parts["retention"] = days.retention(rows.uid, rows.day, rows.query)
        daily: dict[str, Daily] = {}
        for name in wanted:
            joint = None
            if name in halves and spans is not None:
                (a, b), (c, d) = spans
                early, late = (units.columns[p] for p in halves[name])
                whole = days.seen >= d
                joint = Moments.from_rows(
                    np.stack([early / (b - a), late / (d - c)], axis=1)[whole],
                    population.arm[whole],
                    len(population.arms),
                )
            drawn = days.daily(name, rows.metrics[name], rows.query)
            daily[name] = replace(drawn, halves=joint, spans=spans)
        job.parts["daily"] = daily


def _gather_sample(
    job: Gathering, population: Population, events: Any, use: Any, rows: int
) -> None:
    needs = job.needs
    if not (needs.walks or needs.stories or needs.jobs):
        return
    with job.tape.stage("following a sample of users", rows):
        sample = read_sample(job.tape, population, events, job.tables.users)
    if needs.walks:
        job.parts["walks"] = walks_of(sample)
    charter = job.plan.project.charter
    if use is not None:
        job.parts["jobs"] = steps_to_jobs(sample, use, charter)
    if needs.stories:
        key = pseudonym_key(job.engine.hidden)
        job.parts["stories"] = stories_of(sample, charter.errors, needs.stories, key)


def _volume(job: Gathering, population: Population, events: Any) -> Volume:
    who = population.table.select("uid", "user", "code", "exposed")
    t = events.join(who, "user")
    at = micros(t.time)
    t = t.filter((at >= t.exposed) & (at < population.frame.until))
    t = t.mutate(date=t.time.date(), since=micros(t.time) - t.exposed)
    found = {name: calendar_of(job.plan.metric(name)) for name in sorted(job.needs.calendar)}
    drawn = {name: p for name, p in found.items() if p is not None}
    terms = {f"m{i}": aggregate(t, p, t.since) for i, p in enumerate(drawn.values())}
    expr = t.group_by("date", "code").agg(events=t.count(), users=t.uid.nunique(), **terms)
    rows, _ = job.tape.read("events by calendar day", expr)
    days, index = np.unique(rows["date"].to_numpy().astype("datetime64[D]"), return_inverse=True)
    at_cell = (index, rows["code"].to_numpy())

    def grid(column: str) -> NDArray[np.float64]:
        out = np.zeros((len(days), len(population.arms)))
        out[at_cell] = rows[column].to_numpy()
        return out

    metrics = {name: grid(f"m{i}") for i, name in enumerate(drawn)}
    return Volume(days, grid("events"), grid("users"), metrics)
