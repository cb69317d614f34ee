"""What a gathering asks of an engine, as finished products: the seam between plan and engine.

Two ways lie behind it. On DuckDB the events are streamed once and folded in memory
(`octad.data.fold_here`); on other engines everything up to the cells is queries
(`octad.data.sql`). Both give the same `Inputs`: counts exactly, the rest to 1e-9 relative.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from octad.data.population import Frame
from octad.data.primitives import OPEN, PRE_DAYS, Primitive, Recipe
from octad.data.samples import Sample
from octad.model.inputs import (
    Daily,
    Errors,
    Exposure,
    JobUse,
    MetricCells,
    Retention,
    Tail,
    Volume,
)
from octad.model.metric import FunnelMetric, QuantileMetric

__all__ = ["MetricWork", "Request", "Work"]


@dataclass(frozen=True, slots=True)
class Request:
    """Everything that one read of the events must serve.

    Attributes:
        recipes: Metrics that are sums over days, each with its parts; open windows end at
            `octad.data.primitives.OPEN` days, after every event.
        kinds: Metric to its events, each as a recipe of its own.
        funnels: Metrics that need the order of events; `quantiles` those that need their values.
        daily: Names of recipes wanted by day since exposure.
        calendar: Counts and sums wanted by calendar day, each as what is added up.
        sliced, tails, variants: Names wanted in those forms.
        jobs: The charter's jobs that have events, with them; `errors` the error events.
        segments: Attributes the plan asks for; None for every one that is known.
        bands: Whether segments of what users did before exposure are wanted; `attributes` those
            that the users' source gives them. An engine may give more than was asked.
        sample: Whether a sample of users' events in order is wanted.
        retention, volume: As in `octad.model.needs.Needs`.
        mirror: For a launch for everyone, whose users are compared with their own past:
            microseconds from the launch to the end of what is seen; else None.
        before, after: Days before and after exposure over which the jobs are counted.
    """

    recipes: Mapping[str, Recipe]
    kinds: Mapping[str, Mapping[str, Recipe]] = field(default_factory=dict)
    funnels: Mapping[str, FunnelMetric] = field(default_factory=dict)
    quantiles: Mapping[str, QuantileMetric] = field(default_factory=dict)
    daily: frozenset[str] = frozenset()
    calendar: Mapping[str, Primitive] = field(default_factory=dict)
    sliced: frozenset[str] = frozenset()
    tails: frozenset[str] = frozenset()
    variants: frozenset[str] = frozenset()
    jobs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    errors: tuple[str, ...] = ()
    segments: tuple[str, ...] | None = None
    bands: bool = True
    attributes: bool = True
    sample: bool = False
    retention: bool = False
    volume: bool = False
    mirror: int | None = None
    before: int = PRE_DAYS
    after: int = OPEN

    @property
    def everything(self) -> bool:
        """Whether events that no metric names are asked for, too."""
        asked = (self.bands, self.jobs, self.errors, self.sample, self.retention, self.volume)
        return any(asked)


@dataclass(frozen=True, slots=True)
class MetricWork:
    """One metric in every form that was asked for.

    Attributes:
        cells: As planned: winsorized where the plan says so, sliced where asked.
        variants: The same under other choices, by the name of the choice.
        tail: Its largest users, nothing cut.
        kinds: Each event it counts by itself, everyone only.
    """

    cells: MetricCells
    variants: Mapping[str, MetricCells] = field(default_factory=dict)
    tail: Tail | None = None
    kinds: Mapping[str, MetricCells] = field(default_factory=dict)


class Work(Protocol):
    """One launch's data, added up by an engine."""

    @property
    def frame(self) -> Frame:
        """The time that is seen."""

    @property
    def arms(self) -> tuple[str, ...]:
        """Names in the plan, control first."""

    @property
    def exposure(self) -> Exposure:
        """Who was exposed when, `by_attribute` filled in."""

    @property
    def refused(self) -> Mapping[str, str]:
        """Attribute to why it cannot be a segment."""

    @property
    def query(self) -> str:
        """Digest of the query that read the events."""

    def metrics(self) -> Iterator[tuple[str, MetricWork | str]]:
        """Every metric of the request, or in words why it cannot be measured."""

    def daily(self) -> Mapping[str, Daily]:
        """The metrics wanted by day since exposure, `by_bucket` and `halves` filled in."""

    def retention(self) -> Retention:
        """Active users by day since exposure, `by_bucket` filled in."""

    def volume(self) -> Volume:
        """Events by calendar day and arm, with the totals of the metrics wanted so."""

    def jobs(self) -> JobUse | None:
        """Use of the charter's jobs, before and after exposure; no steps, which need order."""

    def errors(self) -> Errors | None:
        """Errors by intensity of use before exposure."""

    def sample(self) -> Sample:
        """Events of a sample of users after exposure, and of staff at any time."""
