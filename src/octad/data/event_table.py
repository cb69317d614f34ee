"""Projects with events: the one scan, and everything that is made of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np

from octad.data.behaviour import error_parts, errors_of, job_parts, job_use, thirds
from octad.data.cells import UnitValues, cells_of, tail_of, variants_of, winsorized
from octad.data.clock import DAY, from_micros, micros
from octad.data.gathering import FEWEST_IN_ARM, Gathering
from octad.data.ordered import funnel_values, quantiles_of
from octad.data.population import Frame, Population, compare_everyone, compare_exposed
from octad.data.primitives import PRE_DAYS, Part, Recipe, recipe
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
    from_behaviour,
    from_table,
    make_slices,
)
from octad.data.tape import Tape
from octad.errors import DataError, UnknownNameError, nearest
from octad.model.inputs import (
    Daily,
    MetricCells,
    Quantiles,
    Retention,
    Slice,
    Volume,
)
from octad.model.metric import (
    CountMetric,
    FunnelMetric,
    Metric,
    QuantileMetric,
    SumMetric,
)
from octad.model.plan import Everyone, Plan
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
    everyone = isinstance(plan.launch.design, Everyone)
    if not everyone and tables.exposures is None:
        job.lack("there is no exposures source, so nobody knows who got the launch")
        return
    with tape.stage("finding who is compared"):
        population = (
            compare_everyone(tape, frame, events, tables.users)
            if everyone
            else compare_exposed(tape, plan, frame, tables.exposures, tables.users)
        )
    job.parts |= {"arms": population.arms, "exposure": population.exposure}
    _check_events(job, events)
    rows = tables.intake["events"].kept
    _gather_rollup(job, population, events, rows, mirror=everyone)
    if job.needs.volume:
        with tape.stage("events by day", rows):
            job.parts["volume"] = _volume(tape, population, events)


def _named_events(plan: Plan) -> dict[str, str]:
    """Every event name the plan leans on, with the key that names it."""
    found: dict[str, str] = {}
    for name in plan.launch.metrics:
        metric = plan.metric(name)
        for key in ("count", "of", "any", "returns", "on", "ratio", "funnel"):
            value = getattr(metric, key, None)
            if value is None or isinstance(value, str):
                continue
            for item in value:
                for event in (item,) if isinstance(item, str) else item:
                    found.setdefault(event, f"metrics.{name}.{key}")
    return found


def _check_events(job: Gathering, events: Any) -> None:
    """Refuse a plan that leans on an event the data do not hold: a typing slip reads as zero."""
    wanted = _named_events(job.plan)
    if not wanted:
        return
    seen = events.select("event").distinct().limit(20_000).to_pyarrow()["event"].to_pylist()
    known = {str(name) for name in seen}
    for event, key in wanted.items():
        if event not in known:
            raise UnknownNameError(
                f"there is no event '{event}' in the data.",
                where=job.place(key),
                mend=nearest(event, known),
            )


def _gather_rollup(
    job: Gathering, population: Population, events: Any, rows: int, *, mirror: bool
) -> None:
    plan, needs, tape = job.plan, job.needs, job.tape
    frame = population.frame
    days = max(1, -(-(frame.until - int(population.exposed.min())) // DAY))
    recipes: dict[str, Recipe] = {}
    for name in sorted(needs.metrics):
        made = recipe(plan.metric(name), days=days, mirror=mirror)
        if made is not None:
            recipes[name] = made
    back = max([PRE_DAYS, *(-p.first for r in recipes.values() for p in (r.x, r.w) if p)])
    charter = plan.project.charter
    jobs = job_parts(charter.jobs, back=PRE_DAYS, days=days) if needs.jobs else {}
    errors = error_parts(charter.errors, days=days) if needs.errors else {}
    parts = [p for r in recipes.values() for p in (r.y, r.d, r.x, r.w) if p is not None]
    parts += [p for pair in jobs.values() for p in pair] + list(errors.values())
    usual = (Part(ACTIVE, -PRE_DAYS, 0), Part(ACTIVE, 0, days))
    parts += usual
    seen_days = (frame.until - population.exposed) // DAY
    spans = thirds(int(np.quantile(seen_days, 0.1)))
    halves = _halves(recipes, needs.daily, spans)
    parts += [p for pair in halves.values() for p in pair]
    primitives = [p.primitive for p in parts]
    with tape.stage("reading the events once", rows):
        rollup = roll_up(tape, population, events, primitives, back=back)
    with tape.stage("adding up users"):
        units = rollup.units(tape, parts)
        bands = from_behaviour(rollup, units, units.columns[usual[0]])
        slices = _slices(job, population, bands)
    had_past = bool((units.columns[usual[0]] > 0).any())
    _gather_metrics(job, population, units, recipes, slices, had_past=had_past)
    _gather_ordered(job, population, events, slices, rows)
    _gather_daily(job, population, rollup, recipes, units, halves, spans)
    band = next((b for b in bands if b.name == USE), None)
    job.parts["errors"] = errors_of(population, units, errors, band, days)
    use = job_use(population, units, jobs, days, PRE_DAYS)
    _gather_sample(job, population, events, use, rows)


def _slices(job: Gathering, population: Population, bands: list[Attribute]) -> Slices:
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
    return make_slices(attributes, population.arm, fewest=FEWEST_IN_ARM)


def _gather_metrics(
    job: Gathering,
    population: Population,
    units: Units,
    recipes: dict[str, Recipe],
    slices: Slices,
    *,
    had_past: bool,
) -> None:
    one = np.ones(population.n)
    nought = np.zeros(population.n)
    until = population.frame.until
    for name, made in recipes.items():
        ended = np.ones(population.n, dtype=bool)
        if made.window is not None:
            ended = population.exposed + made.window <= until
        if not ended.any():
            job.absent[name] = (
                "nobody's window has ended yet; it needs data until "
                f"{_day(int(population.exposed.min()) + (made.window or 0))}"
            )
            continue
        values = UnitValues(
            metric=name,
            y=units.columns[made.y],
            d=one if made.d is None else units.columns[made.d],
            x=nought if made.x is None else units.columns[made.x],
            w=one if made.w is None else units.columns[made.w],
            ended=ended,
            paired=had_past and made.x is not None,
            query=units.query,
        )
        _keep(job, population, values, slices)


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
    job: Gathering, population: Population, events: Any, slices: Slices, rows: int
) -> None:
    for name in sorted(job.needs.metrics):
        metric = job.plan.metric(name)
        if isinstance(metric, FunnelMetric):
            with job.tape.stage(f"following the funnel {name}", rows):
                y, d, key = funnel_values(job.tape, population, events, metric)
            ended = np.ones(population.n, dtype=bool)
            if metric.window is not None:
                span = metric.window // timedelta(microseconds=1)
                ended = population.exposed + span <= population.frame.until
            nought, one = np.zeros(population.n), np.ones(population.n)
            values = UnitValues(name, y, d, nought, one, ended, paired=False, query=key)
            _keep(job, population, values, slices)
        elif isinstance(metric, QuantileMetric):
            with job.tape.stage(f"reading the values of {name}", rows):
                found, key = quantiles_of(job.tape, population, events, metric)
            job.metrics[name] = _quantile_cells(name, found, len(population.arms), key)


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
    first, last = spans
    return {
        name: (Part(r.daily[0], *first), Part(r.daily[0], *last))
        for name, r in recipes.items()
        if name in wanted and len(r.daily) == 1
    }


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
    days = np.arange(rows.observed.shape[1])
    if job.needs.retention:
        job.parts["retention"] = Retention(days, rows.active, rows.observed, rows.query)
    daily: dict[str, Daily] = {}
    seen = rollup.observed_days()
    for name, made in wanted.items():
        joint = None
        if name in halves and spans is not None:
            (a, b), (c, d) = spans
            early, late = (units.columns[p] for p in halves[name])
            whole = seen >= d
            joint = Moments.from_rows(
                np.stack([early / (b - a), late / (d - c)], axis=1)[whole],
                population.arm[whole],
                len(population.arms),
            )
        daily[name] = Daily(name, days, rows.moments[made.daily], joint, spans, rows.query)
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
        job.parts["jobs"] = steps_to_jobs(sample, use, population, charter)
    if needs.stories:
        key = pseudonym_key(job.engine.hidden)
        job.parts["stories"] = stories_of(sample, population, charter.errors, needs.stories, key)


def _volume(tape: Tape, population: Population, events: Any) -> Volume:
    who = population.table.select("user", "code", "exposed")
    t = events.join(who, "user")
    at = micros(t.time)
    t = t.filter((at >= t.exposed) & (at < population.frame.until))
    t = t.mutate(date=t.time.date())
    expr = t.group_by("date", "code").agg(events=t.count(), users=t.user.nunique())
    rows, _ = tape.read("events by calendar day", expr, after=("population",))
    days, index = np.unique(rows["date"].to_numpy().astype("datetime64[D]"), return_inverse=True)
    out = np.zeros((2, len(days), len(population.arms)))
    at_cell = (index, rows["code"].to_numpy())
    out[0][at_cell] = rows["events"].to_numpy()
    out[1][at_cell] = rows["users"].to_numpy()
    return Volume(days, out[0], out[1])
