"""A launch's data added up inside an engine: only counts, moments and a small sample leave it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import ibis
import numpy as np
from numpy.typing import NDArray

from octad.data.bands import USE
from octad.data.gathering import FEWEST_IN_ARM
from octad.data.population import Chosen, Frame
from octad.data.samples import Sample
from octad.data.sources import Tables
from octad.data.sql.attributes import behaviour, known_before
from octad.data.sql.cells import Cut
from octad.data.sql.days import daily_of, retention_of, volume_of
from octad.data.sql.forms import Forms
from octad.data.sql.habits import errors_of, jobs_of
from octad.data.sql.layout import Key
from octad.data.sql.metrics import everyone_cells
from octad.data.sql.ordered import Read, funnel_rows, quantiles_of
from octad.data.sql.people import People, people_of
from octad.data.sql.plan import Asked, asked_of
from octad.data.sql.sample import crew_of, few_buckets, sample_from, team_of
from octad.data.sql.seen import Seen, read_events
from octad.data.sql.slices import Sliced, slice_people
from octad.data.sql.units import Units, make_units
from octad.data.tape import Tape
from octad.data.waits import waits_for
from octad.data.work import MetricWork, Request
from octad.model.inputs import (
    Daily,
    Errors,
    Exposure,
    JobUse,
    MetricCells,
    Retention,
    Slice,
    Volume,
)
from octad.model.plan import Plan
from octad.stats.moments import Moments

__all__ = ["EngineWork", "work_in_engine"]


def work_in_engine(
    tape: Tape, plan: Plan, tables: Tables, chosen: Chosen, request: Request
) -> EngineWork:
    """Read the events once, in the engine, and add them up there.

    Args:
        tape: Runs the queries.
        plan: For the metrics.
        tables: The sources.
        chosen: Who is compared.
        request: What is wanted.

    Raises:
        OctadError: When the events or the users cannot serve the request.
    """
    people = people_of(tape, chosen.table, chosen.arms, chosen.frame)
    asked = asked_of(request, people)
    intake = tables.intake["events"]
    few = few_buckets(people) if request.sample else 0
    crew = crew_of(tape, tables.users) if request.sample else ()
    with tape.stage("reading the events once", intake.kept):
        team = team_of(tape, people, crew)
        seen = read_events(
            tape,
            people,
            tables.events,
            asked.layout,
            back=asked.back,
            deep=asked.deep,
            team=team,
            few=few,
        )
    with tape.stage("what was known of users before"):
        use, known, had_past = behaviour(tape, seen)
        sources = [use]
        refused: dict[str, str] = {}
        columns = _columns(request, tables.users)
        if tables.users is not None and columns:
            own, more, refused = known_before(tape, people, tables.users, columns)
            sources.append(own)
            known = [*known, *more]
        sliced = slice_people(tape, people, known, sources, fewest=FEWEST_IN_ARM)
    with tape.stage("adding up users"):
        numbers = [unit.key for unit in asked.units]
        funnels = {
            name: tape.step(
                f"funnel_{i}",
                funnel_rows(seen, numbers.index(("metric", name)), metric, asked.funnel_back[name]),
            )
            for i, (name, metric) in enumerate(request.funnels.items())
        }
        codes = sliced.table.select("uid", *sliced.columns) if sliced.columns else None
        units = make_units(tape, seen, asked.units, free=list(funnels.values()), attributes=codes)
    paired = {name: had_past and made.x is not None for name, made in request.recipes.items()}
    for name, rows in funnels.items():
        paired[name] = _any(tape, rows.filter(rows.role == 3))
    return EngineWork(
        frame=chosen.frame,
        arms=chosen.arms,
        query=tape.read("users' numbers", units.table.limit(0))[1],
        tape=tape,
        plan=plan,
        request=request,
        asked=asked,
        units=units,
        sliced=sliced,
        refused=refused,
        paired=paired,
        few=few,
        crew=crew,
        exposure=replace(
            chosen.exposure,
            by_attribute={a.name: (a.values, sliced.counts[a.name]) for a in sliced.attributes},
        ),
    )


def _columns(request: Request, users: ibis.Table | None) -> tuple[str, ...]:
    if users is None:
        return ()
    if request.segments is not None:
        return request.segments
    return tuple(c for c in users.columns if c not in ("user", "staff", "known"))


def _any(tape: Tape, rows: ibis.Table) -> bool:
    found, _ = tape.read("users in the funnel before exposure", rows.agg(n=rows.count()))
    return int(found["n"][0].as_py()) > 0


@dataclass(slots=True)
class EngineWork:
    """The products, each made by queries over what one read left in the engine.

    Attributes:
        frame, arms, exposure, refused, query: As `octad.data.work.Work` has them.
        units: The users' numbers.
        sliced: Attributes and slices.
        paired: By metric, whether there is a pre-period.
        few: Users in buckets under this one are in the sample, and so is the team, `crew`.
    """

    frame: Frame
    arms: tuple[str, ...]
    exposure: Exposure
    refused: Mapping[str, str]
    query: str
    tape: Tape
    plan: Plan
    request: Request
    asked: Asked
    units: Units
    sliced: Sliced
    paired: Mapping[str, bool]
    few: int
    crew: tuple[str, ...] = ()
    _metrics: dict[str, MetricWork] | None = None

    @property
    def seen(self) -> Seen:
        """What the one read left."""
        return self.units.seen

    @property
    def people(self) -> People:
        """Who is compared."""
        return self.seen.people

    def metrics(self) -> Iterator[tuple[str, MetricWork | str]]:
        """Every metric of the request, or in words why it cannot be measured."""
        request = self.request
        for name in (*request.recipes, *request.funnels, *request.quantiles):
            yield name, self.metric(name)

    def metric(self, name: str) -> MetricWork | str:
        """A metric of the request, or in words why it cannot be measured."""
        if name in self.request.quantiles:
            return self._quantile(name)
        reach = self.units.units[self.units.number(("metric", name))].reach
        if not self.units.ended[reach].any():
            return waits_for(self.people.earliest, reach or 0)
        if self._metrics is None:
            forms = Forms(self.tape, self.plan, self.request, self.units, self.sliced, self.paired)
            self._metrics = forms.every()
        return self._metrics[name]

    def _quantile(self, name: str) -> MetricWork | str:
        metric = self.request.quantiles[name]
        found: Read = quantiles_of(self.tape, self.seen, name, metric)
        if not found.quantiles.n.any():
            return f"no event of the users compared has a number in '{metric.of}'"
        empty = Moments.empty((1, len(self.arms), 1), 4)
        made = MetricCells(name, empty, (Slice(),), quantiles=found.quantiles, query=found.query)
        return MetricWork(replace(made, waiting=found.waiting))

    def daily(self) -> Mapping[str, Daily]:
        """The metrics wanted by day since exposure, `by_bucket` and `halves` filled in."""
        recipes = {n: m for n, m in self.request.recipes.items() if n in self.request.daily}
        drawn, query = daily_of(self.tape, self.seen, recipes)
        early: list[Key] = [u.key for u in self.units.units if u.key[0] == "early and late"]
        halves = self._halves(early)
        return {
            name: Daily(
                metric=name,
                days=np.arange(found.by_bucket.shape[2]),
                moments=found.moments,
                halves=halves.get(name),
                spans=self.asked.spans,
                by_bucket=found.by_bucket,
                query=query,
            )
            for name, found in drawn.items()
        }

    def _halves(self, keys: list[Key]) -> dict[str, Moments]:
        """A user's mean per day in the early and in the late span, by arm."""
        if not keys or self.asked.spans is None:
            return {}
        found, _ = everyone_cells(self.tape, self.units, dict.fromkeys(keys, Cut()), "no_cuts")
        days: NDArray[Any] = np.diag([1.0 / (last - first) for first, last in self.asked.spans])
        return {
            key[1]: moments.total(1).columns((0, 2)).linear(days) for key, moments in found.items()
        }

    def retention(self) -> Retention:
        """Active users by day since exposure, `by_bucket` filled in."""
        return retention_of(self.tape, self.seen)

    def volume(self) -> Volume:
        """Events by calendar day and arm, with the totals of the metrics wanted so."""
        return volume_of(self.tape, self.seen, self.request.calendar)

    def jobs(self) -> JobUse | None:
        """Use of the charter's jobs, before and after exposure."""
        return jobs_of(self.tape, self.units, self.asked.jobs) if self.asked.jobs else None

    def errors(self) -> Errors | None:
        """Errors by intensity of use before exposure."""
        if not self.request.errors:
            return None
        return errors_of(self.tape, self.units, self.sliced, self.request.errors, USE)

    def sample(self) -> Sample:
        """Events of a sample of users after exposure, and of staff at any time."""
        column = self.sliced.column(USE)
        band = None
        if column is not None:
            band = self.sliced.table.select("uid", band=self.sliced.table[column])
        bands = next((a.values for a in self.sliced.attributes if a.name == USE), ())
        return sample_from(self.tape, self.seen, self.few, band, bands, self.crew)
