"""Turn the merged needs of all readings into as few queries as possible, once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from octad.data.behaviour import error_parts, errors_of, job_parts, job_use, thirds
from octad.data.cells import UnitValues, cells_of, tail_of, winsorized
from octad.data.clock import DAY, from_micros, micros
from octad.data.connect import Engine
from octad.data.ordered import funnel_values, quantiles_of
from octad.data.population import (
    Frame,
    Population,
    compare_everyone,
    compare_exposed,
    frame_of,
)
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
from octad.data.sources import Tables, open_sources
from octad.data.tape import Progress, Tape
from octad.data.unit_table import gather_units
from octad.data.voices import read_releases, read_reviews
from octad.errors import DataError, UnknownNameError, Where, nearest
from octad.model.inputs import (
    Daily,
    Inputs,
    MetricCells,
    Quantiles,
    Retention,
    Slice,
    Volume,
)
from octad.model.metric import (
    ColumnMetric,
    CountMetric,
    FunnelMetric,
    Metric,
    QuantileMetric,
    ReviewMetric,
    SumMetric,
)
from octad.model.needs import Needs
from octad.model.plan import Everyone, Plan, Staged
from octad.stats.moments import Moments

__all__ = ["Locate", "gather"]

Locate = Callable[[str], Where]
"""From a dotted key of the plan to its file and line."""

FEWEST_IN_ARM = 100
_STAGED = (
    "a launch staged by group needs an estimator that this version does not have; "
    "its numbers would be a guess"
)


@dataclass(slots=True)
class _Job:
    """One gathering under way."""

    plan: Plan
    needs: Needs
    tape: Tape
    tables: Tables
    engine: Engine
    where: Locate | None
    absent: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, MetricCells] = field(default_factory=dict)
    variants: dict[str, dict[str, MetricCells]] = field(default_factory=dict)
    values: dict[str, UnitValues] = field(default_factory=dict)
    out: dict[str, Any] = field(default_factory=dict)


def gather(
    engine: Engine,
    plan: Plan,
    needs: Needs,
    *,
    as_of: date | None = None,
    progress: Progress | None = None,
    where: Locate | None = None,
) -> Inputs:
    """Bring over what the readings asked for, and nothing that names a person.

    Args:
        engine: An open engine.
        plan: The plan and its project.
        needs: The readings' needs, merged.
        as_of: The last day to be seen; everything when absent.
        progress: Told what is being done.
        where: For errors that point into the plan.

    Raises:
        OctadError: When the data cannot serve the plan: an arm without users, a column or an
            event that is not there, a launch that has not begun.
    """
    tape = Tape(engine.backend, progress)
    with tape.stage("opening the sources"):
        tables = open_sources(engine, plan.project, where=where)
    job = _Job(plan, needs, tape, tables, engine, where)
    frame = _frame(job, as_of)
    if tables.units is not None and tables.events is None:
        gather_units(job.out, plan, needs, tape, tables.units, frame, where)
    elif isinstance(plan.launch.design, Staged):
        job.absent |= dict.fromkeys(_measured(plan), _STAGED)
    elif tables.events is not None:
        _gather_events(job, frame)
    _gather_voices(job, frame, as_of)
    left = tuple(
        (name, reject.reason, reject.rows)
        for name, intake in tables.intake.items()
        for reject in intake.rejects
    ) + tuple(
        (name, "copies of a row that was kept", intake.duplicates)
        for name, intake in tables.intake.items()
        if intake.duplicates
    )
    fields = {
        "as_of": frame.as_of if frame else None,
        "final": frame.final if frame else False,
        "metrics": job.metrics,
        "absent": job.absent,
        "variants": job.variants,
        "left_out": left,
        "queries": tape.queries,
        "cost": (tape.scanned, tuple(tape.stages)),
    }
    for key, value in job.out.items():
        fields[key] = {**fields[key], **value} if isinstance(fields.get(key), dict) else value
    return Inputs(**fields)


def _measured(plan: Plan) -> tuple[str, ...]:
    names = (*plan.launch.metrics, *(e.metric for e in plan.launch.expects))
    return tuple(n for n in dict.fromkeys(names) if not isinstance(plan.metric(n), ReviewMetric))


def _frame(job: _Job, as_of: date | None) -> Frame | None:
    """The review's today is the newest event; without events, the newest of what there is."""
    for name in ("events", "exposures", "units", "reviews"):
        intake = job.tables.intake.get(name)
        if intake is not None and intake.last is not None:
            return frame_of(job.plan, intake.last, as_of)
    return None


def _gather_voices(job: _Job, frame: Frame | None, as_of: date | None) -> None:
    until: datetime | None = None
    if as_of is not None:
        until = datetime.combine(as_of + timedelta(days=1), datetime.min.time())
    elif frame is not None and job.tables.events is not None:
        until = frame.as_of + timedelta(microseconds=1)
    product = job.plan.project.product
    if job.needs.reviews and job.tables.reviews is not None:
        with job.tape.stage("reading reviews", job.tables.intake["reviews"].kept):
            job.out["reviews"] = read_reviews(job.tape, job.tables.reviews, product, until)
    if job.needs.releases and job.tables.releases is not None:
        job.out["releases"] = read_releases(job.tape, job.tables.releases, product)


def _gather_events(job: _Job, frame: Frame | None) -> None:
    plan, tables, tape = job.plan, job.tables, job.tape
    if frame is None:
        job.absent |= dict.fromkeys(_measured(plan), "the events hold no row that can be read")
        return
    events = tables.events
    everyone = isinstance(plan.launch.design, Everyone)
    if not everyone and tables.exposures is None:
        job.absent |= dict.fromkeys(
            _measured(plan), "there is no exposures source, so nobody knows who got the launch"
        )
        return
    with tape.stage("finding who is compared"):
        population = (
            compare_everyone(tape, frame, events, tables.users)
            if everyone
            else compare_exposed(tape, plan, frame, tables.exposures, tables.users)
        )
    job.out |= {"arms": population.arms, "exposure": population.exposure}
    _check_events(job, events)
    rows = tables.intake["events"].kept
    _gather_rollup(job, population, events, rows, mirror=everyone)
    if job.needs.volume:
        with tape.stage("events by day", rows):
            job.out["volume"] = _volume(tape, population, events)


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


def _check_events(job: _Job, events: Any) -> None:
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
                where=job.where(key) if job.where else None,
                mend=nearest(event, known),
            )


def _gather_rollup(
    job: _Job, population: Population, events: Any, rows: int, *, mirror: bool
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
    job.out["errors"] = errors_of(population, units, errors, band, days)
    use = job_use(population, units, jobs, days, PRE_DAYS)
    _gather_sample(job, population, events, use, rows)


def _slices(job: _Job, population: Population, bands: list[Attribute]) -> Slices:
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
                    where=job.where("segments") if job.where else None,
                    mend=nearest(name, known),
                )
    elif asked:
        raise DataError(
            f"the plan asks for segments ({', '.join(asked)}), and there is no users source.",
            where=job.where("segments") if job.where else None,
            mend="Add sources: users: to octad.yml, or take segments out of the plan.",
        )
    if columns:
        found, refused = from_table(job.tape, population, tables.users, columns)
        attributes += found
    job.out["refused_segments"] = refused
    return make_slices(attributes, population.arm, fewest=FEWEST_IN_ARM)


def _gather_metrics(
    job: _Job,
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


def _keep(job: _Job, population: Population, values: UnitValues, slices: Slices) -> None:
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
    job.values[name] = values
    if name in job.needs.tails:
        job.out.setdefault("tails", {})[name] = tail_of(values, population.arm, arms)
    if name in job.needs.variants and isinstance(metric, CountMetric | SumMetric | ColumnMetric):
        choices = {"nothing cut": cells(values, None)} if quantile is not None else {}
        for share in (0.999, 0.99):
            if share == quantile:
                continue
            some, edge = winsorized(values, share)
            choices[f"largest {100 * (1 - share):g}% cut"] = cells(some, None, edge)
        job.variants[name] = choices


def _gather_ordered(
    job: _Job, population: Population, events: Any, slices: Slices, rows: int
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
    job: _Job,
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
        job.out["retention"] = Retention(days, rows.active, rows.observed, rows.query)
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
    job.out["daily"] = daily


def _gather_sample(job: _Job, population: Population, events: Any, use: Any, rows: int) -> None:
    needs = job.needs
    if not (needs.walks or needs.stories or needs.jobs):
        return
    with job.tape.stage("following a sample of users", rows):
        sample = read_sample(job.tape, population, events, job.tables.users)
    if needs.walks:
        job.out["walks"] = walks_of(sample)
    charter = job.plan.project.charter
    if use is not None:
        job.out["jobs"] = steps_to_jobs(sample, use, population, charter)
    if needs.stories:
        key = pseudonym_key(job.engine.hidden)
        job.out["stories"] = stories_of(sample, population, charter.errors, needs.stories, key)


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
