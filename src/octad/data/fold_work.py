"""The products of a gathering, from one read of the events that is folded here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from octad.data.attributes import Attribute
from octad.data.bands import USE
from octad.data.behaviour import errors_of, job_use, thirds
from octad.data.cell_sums import Grouping
from octad.data.cells import UnitValues, cells_by, tail_of, variants_of, winsorized
from octad.data.clock import DAY
from octad.data.days import Days
from octad.data.fold import Folded
from octad.data.fold_order import funnel_of, quantiles_of
from octad.data.fold_people import team_ids
from octad.data.fold_sums import Sums
from octad.data.population import BUCKETS, Frame, Population
from octad.data.primitives import (
    OPEN,
    PRE_DAYS,
    Part,
    Primitive,
    Recipe,
)
from octad.data.samples import Sample, few_of, sample_of, some_of
from octad.data.segments import (
    Slices,
    Sought,
)
from octad.data.tape import Tape
from octad.data.turns import in_turn
from octad.data.units import Units
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
from octad.model.metric import CountMetric, FunnelMetric, SumMetric
from octad.model.plan import Plan
from octad.stats.moments import Moments
from octad.stats.segments import halves

__all__ = ["Asked", "FoldWork"]

_Pair = tuple[Part, Part]


@dataclass(frozen=True, slots=True)
class Asked:
    """Everything that one request adds up.

    Attributes:
        parts: Of metrics, kinds, jobs and errors; of use, where events that nobody names count.
        jobs: By job, before and after exposure; `errors` by event.
        primitives: All that the parts are made of, and what is drawn by day.
        back: Days before exposure that are kept.
    """

    parts: frozenset[Part]
    jobs: Mapping[str, _Pair]
    errors: Mapping[str, Part]
    primitives: tuple[Primitive, ...]
    back: int


@dataclass(slots=True)
class FoldWork:
    """The products, each reckoned from the folded state when it is asked for.

    Attributes:
        population: Who is compared.
        users: In the engine: user, uid and marked.
        folded: What the one read left.
        sums: The same, read by primitives and spans; `units` by parts.
        bands: What use before exposure says of users.
        exposure: Who was exposed when.
        refused: Attribute to why it cannot be a segment.
        slices: Of all attributes.
        had_past: Whether anybody did anything before exposure.
        team: Some of the staff, from `team_of`.
    """

    plan: Plan
    request: Request
    asked: Asked
    tape: Tape
    population: Population
    users: ir.Table
    folded: Folded
    sums: Sums
    units: Units
    bands: tuple[Attribute, ...]
    exposure: Exposure
    refused: Mapping[str, str]
    slices: Slices
    had_past: bool
    team: ir.Table | None = None
    _groupings: dict[bool, Grouping] = field(default_factory=dict)
    _spans: tuple[tuple[int, int], tuple[int, int]] | None = field(init=False)

    def __post_init__(self) -> None:
        """Find the early and the late days that are compared."""
        seen = (self.frame.until - self.population.exposed) // DAY
        self._spans = thirds(int(np.quantile(seen, 0.1)))

    @property
    def frame(self) -> Frame:
        """The time that is seen."""
        return self.population.frame

    @property
    def arms(self) -> tuple[str, ...]:
        """Names in the plan, control first."""
        return self.population.arms

    @property
    def query(self) -> str:
        """Digest of the query that read the events."""
        return self.folded.query

    def sought(self) -> Iterator[Sought]:
        """The results and guardrails in which harm is looked for, one at a time."""
        for name in (*self.plan.launch.results, *self.plan.launch.guardrails):
            if name in self.request.recipes and name in self.request.sliced:
                values = self._values(name, self.request.recipes[name])
                quantile = getattr(self.plan.metric(name), "winsorize", None)
                if quantile is not None:
                    values, _ = winsorized(values, quantile)
                yield Sought(values.columns, values.ended, self.plan.metric(name).better)

    def metrics(self) -> Iterator[tuple[str, MetricWork | str]]:
        """Every metric of the request, or in words why it cannot be measured.

        They are made in threads, so the time of each is not told apart from that of the cells.
        """
        request = self.request
        for sliced in {False, bool(request.sliced)}:
            self._grouping(sliced=sliced)
        names = (*request.recipes, *request.funnels, *request.quantiles)
        yield from zip(names, in_turn(self.metric, names), strict=True)

    def metric(self, name: str) -> MetricWork | str:
        """A metric of the request, or in words why it cannot be measured."""
        if name in self.request.quantiles:
            return self._quantile(name)
        made = self.request.recipes.get(name)
        if made is None:
            values = self._funnel(name, self.request.funnels[name])
        else:
            values = self._values(name, made)
        if not values.ended.any():
            metric = self.plan.metric(name)
            window = made.window if made is not None else _micros(metric.window)
            return waits_for(int(self.population.exposed.min()), window or 0)
        return self._forms(values)

    def of_users(self, name: str) -> UnitValues | None:
        """A metric per user, cut as planned; None for one that needs the values of events."""
        made, funnel = self.request.recipes.get(name), self.request.funnels.get(name)
        if made is not None:
            values = self._values(name, made)
        elif funnel is not None:
            values = self._funnel(name, funnel)
        else:
            return None
        quantile = getattr(self.plan.metric(name), "winsorize", None)
        return values if quantile is None else winsorized(values, quantile)[0]

    def _grouping(self, *, sliced: bool) -> Grouping:
        """The users in the order of their cells, worked out once."""
        if sliced not in self._groupings:
            p, slices = self.population, self.slices if sliced else None
            finding = halves(BUCKETS, self.plan.launch.halving)
            self._groupings[sliced] = Grouping.of(p.arm, p.bucket, len(p.arms), slices, finding)
        return self._groupings[sliced]

    def _values(self, name: str, made: Recipe) -> UnitValues:
        n, columns = self.population.n, self.units.columns
        return UnitValues(
            metric=name,
            y=columns[made.y],
            d=np.ones(n) if made.d is None else columns[made.d],
            x=np.zeros(n) if made.x is None else columns[made.x],
            w=np.ones(n) if made.w is None else columns[made.w],
            ended=self._ended(made.window),
            paired=self.had_past and made.x is not None,
            query=self.units.query,
        )

    def _ended(self, window: int | None) -> NDArray[np.bool_]:
        if window is None:
            return np.ones(self.population.n, dtype=bool)
        return self.population.exposed + window <= self.frame.until

    def _funnel(self, name: str, metric: FunnelMetric) -> UnitValues:
        window = _micros(metric.window)
        back = max(PRE_DAYS * DAY, window or 0)
        if self.request.mirror:
            back = self.request.mirror if window is None else window
        f = funnel_of(self.folded.state, metric, back=back)
        ended = self._ended(window)
        return UnitValues(name, f.y, f.d, f.x, f.w, ended, bool(f.w.any()), self.query)

    def _forms(self, values: UnitValues) -> MetricWork:
        """A metric in every form that was asked for."""
        name, p, request = values.metric, self.population, self.request
        metric, arms = self.plan.metric(name), len(self.arms)
        quantile = getattr(metric, "winsorize", None)
        chosen, cut = (values, None) if quantile is None else winsorized(values, quantile)
        everyone = self._grouping(sliced=False)
        grouping = self._grouping(sliced=name in request.sliced)
        varied = name in request.variants and isinstance(metric, CountMetric | SumMetric)
        kinds = request.kinds.get(name, {})
        return MetricWork(
            cells=cells_by(chosen, grouping, winsor=cut),
            variants=variants_of(values, quantile, everyone) if varied else {},
            tail=tail_of(values, p.arm, arms) if name in request.tails else None,
            kinds={
                event: cells_by(self._values(name, made), everyone) for event, made in kinds.items()
            },
        )

    def _quantile(self, name: str) -> MetricWork | str:
        metric = self.request.quantiles[name]
        found, waiting = quantiles_of(self.folded.state, self.population, metric)
        if not found.n.any():
            return f"no event of the users compared has a number in '{metric.of}'"
        empty = Moments.empty((1, len(self.arms), 1), 4)
        return MetricWork(
            MetricCells(name, empty, (Slice(),), waiting, quantiles=found, query=self.query)
        )

    def daily(self) -> Mapping[str, Daily]:
        """The metrics wanted by day since exposure."""
        days = Days.of(self.population)
        found: dict[str, Daily] = {}
        for name, made in self.request.recipes.items():
            if name not in self.request.daily:
                continue
            rows = self.sums.day_rows(made)
            drawn = days.daily(name, rows, self.query)
            halves = None
            if self._spans is not None and rows.d is None:
                halves = days.halves(rows, self._spans)
            found[name] = replace(drawn, halves=halves, spans=self._spans)
        return found

    def retention(self) -> Retention:
        """Active users by day since exposure."""
        return Days.of(self.population).retention(self.sums.active(), self.query)

    def volume(self) -> Volume:
        """Events by calendar day and arm, with the totals of the metrics wanted so."""
        arm, arms = self.population.arm, len(self.arms)
        days = self.sums.dates()
        users = self.sums.users_by_date(arm, arms, days)
        there = users.sum(axis=1) > 0
        return Volume(
            days=days[there].astype("datetime64[D]"),
            events=self.sums.by_date(Primitive(), arm, arms, days)[there],
            users=users[there],
            metrics={
                name: self.sums.by_date(primitive, arm, arms, days)[there]
                for name, primitive in self.request.calendar.items()
            },
        )

    def jobs(self) -> JobUse | None:
        """Use of the charter's jobs, before and after exposure."""
        after, before = self.request.after, self.request.before
        return job_use(self.population, self.units, self.asked.jobs, after, before)

    def errors(self) -> Errors | None:
        """Errors by intensity of use before exposure."""
        band = next((b for b in self.bands if b.name == USE), None)
        return errors_of(self.population, self.units, self.asked.errors, band, OPEN)

    def sample(self) -> Sample:
        """Events of a sample of users after exposure, and of staff."""
        p, marks = self.population, self.folded.state.marks
        few = few_of(p.n)
        chosen = some_of(np.flatnonzero(p.bucket < few))
        in_sample = np.zeros(p.n, dtype=bool)
        in_sample[chosen] = True
        keep = marks.person >= 0
        keep[keep] = in_sample[marks.person[keep]]
        keep |= (marks.person < 0) & (marks.at >= int(p.exposed.min()) - PRE_DAYS * DAY)
        names = pa.DictionaryArray.from_arrays(
            pa.array(marks.event[keep]), pa.array(list(marks.names), pa.string())
        )
        marked = self.users.filter(self.users.marked & (self.users.uid >= 0))
        ids, _ = self.tape.read("the sampled users", marked.select("uid", "user"))
        band = next((b for b in self.bands if b.name == USE), None)
        return sample_of(
            pa.table({"uid": marks.person[keep], "at": marks.at[keep], "event": names}),
            arms=p.arms,
            arm=p.arm,
            bucket=p.bucket,
            exposed=p.exposed,
            users=len(chosen),
            ids=dict(zip(ids["uid"].to_pylist(), ids["user"].to_pylist(), strict=True))
            | team_ids(self.tape, self.team, self.folded.state.staff),
            band=None if band is None else band.codes,
            bands=() if band is None else band.values,
            query=self.query,
        )


def _micros(span: timedelta | None) -> int | None:
    return None if span is None else span // timedelta(microseconds=1)
