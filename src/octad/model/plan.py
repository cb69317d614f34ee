"""The two files a team writes: `octad.yml` (the product) and `launches/*.yml` (a plan)."""

from __future__ import annotations

import hashlib
import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, field_validator, model_validator

from octad.model.base import MarginText, Share, Span, Stored
from octad.model.metric import Metric

__all__ = [
    "Change",
    "Charter",
    "EventSource",
    "Everyone",
    "Expectation",
    "ExposureSource",
    "Job",
    "Launch",
    "Plan",
    "Project",
    "ReleaseSource",
    "ReviewSource",
    "Rules",
    "Source",
    "Sources",
    "Staged",
    "Targeted",
    "UnitSource",
    "UserSource",
]


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]


class Job(Stored):
    """What people hire the product for: the events that do it and the words that name it."""

    events: Names = ()
    terms: Names = ()
    core: bool = False


class Charter(Stored):
    """What the product is for, and what it must never do.

    Attributes:
        purpose: One sentence.
        jobs: Name to job; the core ones are what people came for.
        never: Name to a line that must never be crossed.
        errors: Events that mean something went wrong for the user.
    """

    purpose: str = ""
    jobs: dict[str, Job] = {}
    never: dict[str, str] = {}
    errors: Names = ()


class Source(Stored):
    """Where a table lies and how its columns are called.

    Attributes:
        table: A path or glob beside `octad.yml`, or the name of a table in the connection.
        preset: The tool that exported it; fills in every role that is not given.
        timezone: The zone of times that carry none, such as ``Asia/Jakarta``; UTC when absent.
        where: A condition that keeps a part of the table.
        dedupe: Columns that together name a row once; later copies are dropped and counted.
    """

    table: str
    preset: str | None = None
    timezone: str | None = None
    where: str | None = None
    dedupe: Names = ()


class EventSource(Source):
    """One row an event."""

    user: str | None = None
    time: str | None = None
    event: str | None = None
    value: str | None = None


class UserSource(Source):
    """One row a user: attributes known before exposure, and who is staff.

    Attributes:
        known: The column that says when the attributes were true, if the table has one.
    """

    user: str | None = None
    attributes: Names = ()
    staff: str | None = None
    known: str | None = None


class ExposureSource(Source):
    """One row an exposure; only a user's first counts."""

    user: str | None = None
    time: str | None = None
    launch: str | None = None
    arm: str | None = None


class ReviewSource(Source):
    """One row a review, of our product or a rival's."""

    product: str | None = None
    time: str | None = None
    rating: str | None = None
    title: str | None = None
    text: str | None = None
    version: str | None = None
    author: str | None = None
    deleted: str | None = None


class ReleaseSource(Source):
    """One row a release, of our product or a rival's."""

    product: str | None = None
    time: str | None = None
    version: str | None = None
    notes: str | None = None


class UnitSource(Source):
    """One row a user, already summed up, as most public A/B tests are.

    Attributes:
        attributes: Columns known before assignment; every other column is measured after it.
    """

    user: str | None = None
    arm: str | None = None
    time: str | None = None
    attributes: Names = ()
    staff: str | None = None


class LinkSource(Source):
    """One row a tie between two users, known before the launch: friends, contacts, payers.

    Attributes:
        other: The user at the other end; a tie counts once, whichever way it is written.
        time: Since when, if the table says; ties since the launch's first day are left out.
    """

    user: str | None = None
    other: str | None = None
    time: str | None = None


class Sources(Stored):
    """The tables a project reads; each is optional, and readings say what they lack."""

    events: EventSource | None = None
    users: UserSource | None = None
    exposures: ExposureSource | None = None
    reviews: ReviewSource | None = None
    releases: ReleaseSource | None = None
    units: UnitSource | None = None
    links: LinkSource | None = None


class Project(Stored):
    """A project: `octad.yml`."""

    product: str
    charter: Charter = Charter()
    connection: str = Field(default="duckdb://", repr=False)  # it may hold a password
    sources: Sources
    rivals: Names = ()
    metrics: dict[str, Metric] = {}
    simulated: bool = False
    """Said on every page: the data were made by `octad.worlds`, not by people."""


class Staged(Stored):
    """Released group by group: ``{staged: region, dates: {north: 2026-03-01}}``."""

    staged: str
    dates: dict[str, date]


class Everyone(Stored):
    """Released to all at once: ``{everyone: 2026-03-01}``."""

    everyone: date


class Targeted(Stored):
    """Given to chosen users, who differ from the others: ``{targeted: why they were chosen}``."""

    targeted: str


_CHANGE = re.compile(
    r"^\s*(?:(?P<low_word>at least|no worse than|above|more than)"
    r"|(?P<high_word>at most|no more than|below|less than))"
    r"\s+(?P<one>[+\-−]?\d+(?:\.\d+)?)\s*%\s*$"
    r"|^\s*between\s+(?P<low>[+\-−]?\d+(?:\.\d+)?)\s*%?\s+and\s+(?P<high>[+\-−]?\d+(?:\.\d+)?)\s*%\s*$"
)


class Change(Stored):
    """A forecast of a relative change: at least `low`, at most `high`, as fractions."""

    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        if self.low is not None and self.high is not None:
            return f"between {self.low * 100:g}% and {self.high * 100:g}%"
        if self.low is not None:
            word = "no worse than" if self.low <= 0 else "at least"
            return f"{word} {self.low * 100:g}%"
        return f"at most {(self.high or 0) * 100:g}%"


def parse_change(value: object) -> object:
    """Read ``at least 5%``, ``no worse than -1%``, ``at most 2%`` or ``between -1% and 2%``.

    Raises:
        ValueError: When it is none of these.
    """
    if isinstance(value, Change | dict):
        return value
    match = _CHANGE.match(str(value))
    if match is None:
        msg = (
            f"'{value}' is no change that can be scored; write 'at least 5%', 'no worse than -1%', "
            "'at most 2%' or 'between -1% and 2%'"
        )
        raise ValueError(msg)

    def number(text: str) -> float:
        return float(text.replace("−", "-")) / 100

    if match["low"] is not None:
        return Change(low=number(match["low"]), high=number(match["high"]))
    edge = number(match["one"])
    return Change(low=edge) if match["low_word"] else Change(high=edge)


class Expectation(Stored):
    """What the team expects, and how sure it is."""

    metric: str
    change: Annotated[Change, BeforeValidator(parse_change), PlainSerializer(str, return_type=str)]
    sure: Share


class Rules(Stored):
    """The error rates a plan may set before it is sealed.

    Attributes:
        level: Of every two-sided interval.
        guardrail_error: One-sided error of each guardrail's test.
        segment_error: Familywise error of the search for harmed segments.
        ratio_fails: A sample ratio this unlikely fails trust.
        ratio_warns: A sample ratio this unlikely is worth a warning.
        looks: How often the team means to look; one, and the fixed interval decides at the end.
    """

    level: float = Field(default=0.95, gt=0.5, lt=1)
    guardrail_error: float = Field(default=0.05, gt=0, lt=0.5)
    segment_error: float = Field(default=0.05, gt=0, lt=0.5)
    ratio_fails: float = Field(default=0.001, gt=0, lt=0.5)
    ratio_warns: float = Field(default=0.01, gt=0, lt=0.5)
    looks: int = Field(default=1, ge=1)


def _arm_text(value: Any) -> Any:
    if isinstance(value, bool):
        msg = (
            "YAML reads a bare on, off, yes or no as true or false; put the arm's name in quotes, "
            'such as "on"'
        )
        raise ValueError(msg)  # noqa: TRY004 - pydantic turns ValueError into a located message
    return str(value) if isinstance(value, int | float) else value


Arm = Annotated[str, BeforeValidator(_arm_text)]


class Launch(Stored):
    """A plan: `launches/NAME.yml`."""

    launch: str
    what: str = ""
    design: Literal["experiment"] | Staged | Everyone | Targeted = "experiment"
    arms: dict[str, Arm] | None = None
    split: dict[str, float] | None = None
    """The planned shares of the arms; equal when absent. Keys as in `arms`."""
    starts: date | None = None
    ends: date | None = None
    enrol_until: date | None = None
    kpi: str | None = None
    results: dict[str, MarginText] = {}
    guardrails: dict[str, MarginText] = {}
    controls: Names = ()
    """Metrics that the launch cannot have moved; if one moves, something else is wrong."""
    segments: Names | None = None
    horizon: Span | None = None
    jobs: Names = ()
    never: dict[str, str] = {}
    expects: tuple[Expectation, ...] = ()
    read_first: int = Field(default=0, ge=0)
    rules: Rules = Rules()
    signed: dict[str, str] = {}

    @field_validator("arms", mode="after")
    @classmethod
    def _has_control(cls, arms: dict[str, str] | None) -> dict[str, str] | None:
        if arms is not None and ("control" not in arms or len(arms) < 2):
            msg = 'arms: needs control and one other, such as {control: "off", treatment: "on"}'
            raise ValueError(msg)
        return arms

    @model_validator(mode="after")
    def _fits(self) -> Launch:
        if self.starts and self.ends and self.starts > self.ends:
            msg = f"starts ({self.starts}) is after ends ({self.ends})"
            raise ValueError(msg)
        if isinstance(self.design, Staged | Everyone) and self.arms:
            msg = "a staged launch, or one for everyone, has no arms; take 'arms' out"
            raise ValueError(msg)
        if self.design == "experiment" and not self.arms:
            msg = 'an experiment names its arms, such as arms: {control: "off", treatment: "on"}'
            raise ValueError(msg)
        return self

    @property
    def randomised(self) -> bool:
        """Whether chance decided who got it."""
        return self.design == "experiment"

    @property
    def halving(self) -> int:
        """Seed of the halves in which harmed segments are found and confirmed.

        It is fixed by the launch's name, so that nobody can try another, and it is one for all
        metrics and arms: a segment found by one metric's users must not be confirmed by the same.
        """
        return int.from_bytes(hashlib.sha256(self.launch.encode()).digest()[:4])

    @property
    def metrics(self) -> tuple[str, ...]:
        """The KPI, results and guardrails, in that order, each once."""
        names = (*((self.kpi,) if self.kpi else ()), *self.results, *self.guardrails)
        return tuple(dict.fromkeys(names))


class Plan(Stored):
    """A launch with the project it belongs to: all that a reading may know before the data."""

    project: Project
    launch: Launch

    def metric(self, name: str) -> Metric:
        """The metric's definition.

        Raises:
            KeyError: When the project has no such metric; loading a plan rules that out.
        """
        return self.project.metrics[name]

    @property
    def treatments(self) -> tuple[str, ...]:
        """The arms that are compared with control, as the plan calls them."""
        return tuple(arm for arm in (self.launch.arms or {}) if arm != "control")
