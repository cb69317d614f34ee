"""What the data layer hands to the readings: plain arrays, no connection.

Shapes are written with ``A`` arms (control first), ``B`` buckets, ``S`` slices, ``D`` days since
exposure and ``J`` jobs. ``bucket = hash(user) mod B``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from octad.model.finding import Story
from octad.model.topics import Topics
from octad.stats.moments import Moments
from octad.stats.parts import Parts

__all__ = [
    "COLUMNS",
    "Cohort",
    "Daily",
    "Errors",
    "Exposure",
    "History",
    "Inputs",
    "JobUse",
    "MetricCells",
    "PastForecast",
    "PastLaunch",
    "Quantiles",
    "Releases",
    "Retention",
    "Reviews",
    "Slice",
    "Tail",
    "Visits",
    "Volume",
    "Ways",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
TextArray = NDArray[np.object_]
TimeArray = NDArray[np.datetime64]

COLUMNS = ("y", "d", "x", "w")
"""Columns of every metric's moments: the metric's numerator and denominator after exposure, and
the same two before it. A mean has ``d = w = 1``; without a pre-period ``x`` is 0 and ``w`` is 1."""


@dataclass(frozen=True, slots=True)
class Slice:
    """A set of users: at most three attribute values that all hold; empty for everyone."""

    values: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return " and ".join(f"{name} {value}" for name, value in self.values) or "everyone"


@dataclass(frozen=True, slots=True)
class Quantiles:
    """A quantile metric by arm: level and standard error, clustered by user. Shapes (A,)."""

    value: FloatArray
    se: FloatArray
    n: IntArray


@dataclass(frozen=True, slots=True)
class MetricCells:
    """A metric's moments: everyone's by arm and bucket, every slice's by arm and half.

    Attributes:
        moments: Everyone's, leading shape (1, A, B), columns `COLUMNS`; only users whose window
            has ended.
        slices: Length S; the first is everyone.
        parts: The slices', everyone's too; None where everyone is the only one.
        waiting: Users whose window has not ended, not counted yet.
        paired: Whether a pre-period was there (`x` and `w` mean something).
        quantiles: For a quantile metric, instead of moments (whose n is then 0).
        winsor: The value above which a user's total was cut, the same in every arm.
        searched: Combinations of three values (or two) beyond the slices kept, of which those
            that look harmed on the finding half are among the slices.
        query: Digest of the query that made it.
    """

    metric: str
    moments: Moments
    slices: tuple[Slice, ...]
    waiting: int = 0
    paired: bool = False
    quantiles: Quantiles | None = None
    winsor: float | None = None
    searched: int = 0
    query: str | None = None
    parts: Parts | None = None

    @property
    def totals(self) -> Moments:
        """(S, A) every slice's moments, over all buckets."""
        return self.moments.total(2) if self.parts is None else self.parts.total()

    @property
    def users(self) -> FloatArray:
        """(S,) users of every slice, of all arms."""
        every = self.moments.n.sum(axis=(1, 2))
        return np.asarray(every) if self.parts is None else self.parts.users


@dataclass(frozen=True, slots=True)
class Daily:
    """A metric on each day since exposure, over users observed through that day.

    Attributes:
        days: (D,) whole days since exposure, from 0.
        moments: Leading shape (A, D), columns `COLUMNS` (no pre-period: x 0, w 1).
        halves: Leading shape (A,), two columns: a user's mean per day in the first and in the last
            third of the days that all of these users were observed.
        spans: The two spans of `halves`, each (first day, last day), last excluded.
        by_bucket: (A, B, D, 3): users observed through the day, the sum of y, and of d, by bucket;
            for bands over all days, whose errors go together.
    """

    metric: str
    days: IntArray
    moments: Moments
    halves: Moments | None = None
    spans: tuple[tuple[int, int], tuple[int, int]] | None = None
    by_bucket: FloatArray | None = None
    query: str | None = None


@dataclass(frozen=True, slots=True)
class Tail:
    """A metric's largest users by arm.

    Attributes:
        top: (A, K) largest values, falling; NaN where an arm has fewer users.
        total: (A,) sum over all users; `n` the users.
        top_share: (A,) share of the sum that the top 1% of users hold.
    """

    metric: str
    top: FloatArray
    total: FloatArray
    n: IntArray
    top_share: FloatArray


@dataclass(frozen=True, slots=True)
class Exposure:
    """Who was exposed when, and what was wrong with it.

    Attributes:
        counts: (A,) users compared, staff left out.
        days: (E,) calendar days of exposure; `by_day` (E, A).
        both: Users seen in more than one arm; they are left out of every estimate.
        staff: Staff among the exposed, left out.
        strange_arms: Arm values in the data that the plan does not name, with their users.
        before: Exposures before the plan's first day.
        by_attribute: Attribute known before exposure to its values and their users, (V, A).
    """

    counts: IntArray
    days: TimeArray
    by_day: IntArray
    both: int = 0
    staff: int = 0
    strange_arms: Mapping[str, int] = field(default_factory=dict)
    before: int = 0
    by_attribute: Mapping[str, tuple[tuple[str, ...], IntArray]] = field(default_factory=dict)
    query: str | None = None


@dataclass(frozen=True, slots=True)
class Retention:
    """Active users by day since exposure: (A, D) of those observed that far, (A, D).

    Attributes:
        by_bucket: (A, B, D, 2): active and observed users by bucket.
    """

    days: IntArray
    active: IntArray
    observed: IntArray
    by_bucket: IntArray | None = None
    query: str | None = None


@dataclass(frozen=True, slots=True)
class JobUse:
    """Use of the charter's jobs.

    Attributes:
        jobs: Length J, the charter's names, then ``(other)`` when some events belong to none.
        events: (2, A, B, J) events before and after exposure.
        users: (2, A, B, J) users who did the job at least once.
        kept: (A, J) of users who did it before, those who did it after too; `had` (A, J) those
            who did it before.
        steps: (A, J) median number of events before the job within a visit, over sampled visits
            after exposure that reach it; NaN where none do. A visit ends after 30 quiet minutes.
        reach: (A, J) share of sampled visits that reach it; `visits` (A,) how many there are.
    """

    jobs: tuple[str, ...]
    events: FloatArray
    users: FloatArray
    had: IntArray
    kept: IntArray
    steps: FloatArray | None = None
    reach: FloatArray | None = None
    visits: IntArray | None = None
    query: str | None = None


@dataclass(frozen=True, slots=True)
class Cohort:
    """Users who were there long before the launch: early behaviour beside what came of it.

    They enter on a day of their own, so long before the launch that their outcome at the plan's
    horizon was seen before it began; none of it can have been moved by the launch.

    Attributes:
        features: Names of the early columns, such as ``opens, days 0 to 6``.
        outcomes: Names of the later columns: metrics over the horizon.
        moments: Leading shape (B,), columns features then outcomes, one row a user.
        launch: Leading shape (A, B), columns features: the launch's own users over the same
            early days, those observed that long.
        early: Days that the features span; `horizon` days that the outcomes span.
        entered: First and last day on which the cohort entered.
        periods: Leading shape (G, B), the cohort by period of entry, earliest first; they add up
            to `moments`.
        names: What the outcomes are called in a sentence.
        early_of: For each outcome, the early figure that is the same thing earlier: the beginning
            of its features' names, up to the comma.
    """

    features: tuple[str, ...]
    outcomes: tuple[str, ...]
    moments: Moments
    launch: Moments
    early: int
    horizon: int
    entered: tuple[date, date]
    periods: Moments | None = None
    names: tuple[str, ...] = ()
    early_of: tuple[str, ...] = ()
    query: str | None = None


@dataclass(frozen=True, slots=True)
class Errors:
    """Errors by intensity of use before exposure. Leading shape (A, I), I bands, lightest first.

    Attributes:
        bands: Names of the bands, such as ``41 and more actions a month``.
        users, met: Users, and those who met at least one error after exposure.
        actions, errors: Events and error events after exposure.
        kinds: Error event to (A, I) users who met it; `times` how often it came.
    """

    bands: tuple[str, ...]
    users: IntArray
    met: IntArray
    actions: FloatArray
    errors: FloatArray
    kinds: Mapping[str, IntArray] = field(default_factory=dict)
    times: Mapping[str, FloatArray] = field(default_factory=dict)
    query: str | None = None


@dataclass(frozen=True, slots=True)
class Ways:
    """Journeys of a sample of users, and whether the team has gone them: U people, P ways.

    A way is two or three events in a row within a visit, or how a visit came to a core job.

    Attributes:
        kind: Length P: `STEP`, `TURN`, or the core job that the way leads to.
        steps: Length P, the events in order.
        who, way, often: (E,) a person, a way and how often; only pairs that happened.
        arm: (U,) arm codes.
        staff: (P,) times that members of the team went it.
        team: Members of the team seen at all; `team_events` their events.
        places: Attribute to its values, the sampled people's codes (U,), and for each value which
            ways were gone by a member of the team who has it (V, P).
        jobs: Names of the charter's jobs, then the rest; `mix` (U, J) each person's events by job,
            `team_mix` (J,) the team's.
    """

    kind: tuple[str, ...]
    steps: tuple[tuple[str, ...], ...]
    who: IntArray
    way: IntArray
    often: IntArray
    arm: IntArray
    staff: IntArray
    team: int
    team_events: int
    places: Mapping[str, tuple[tuple[str, ...], IntArray, NDArray[np.bool_]]]
    jobs: tuple[str, ...]
    mix: FloatArray
    team_mix: FloatArray
    query: str | None = None

    STEP: ClassVar[str] = "two in a row"
    TURN: ClassVar[str] = "three in a row"


@dataclass(frozen=True, slots=True)
class Reviews:
    """Reviews as parallel arrays, all of length R. Text is as people wrote it: hostile.

    Attributes:
        ours: Whether it is of our product.
        rating: Stars 1 to 5, NaN where there are none.
        author: Hashed; empty where unknown.
        deleted: Whether the store deleted it later.
    """

    product: TextArray
    ours: NDArray[np.bool_]
    time: TimeArray
    rating: FloatArray
    text: TextArray
    version: TextArray
    author: TextArray
    deleted: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Releases:
    """Releases as parallel arrays."""

    product: TextArray
    ours: NDArray[np.bool_]
    time: TimeArray
    version: TextArray
    notes: TextArray


@dataclass(frozen=True, slots=True)
class Volume:
    """Events per calendar day and arm (N, A), among the exposed and after their exposure.

    Attributes:
        metrics: For metrics that are counts or sums: their total per calendar day, (N, A).
    """

    days: TimeArray
    events: FloatArray
    users: FloatArray
    metrics: Mapping[str, FloatArray] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Visits:
    """Visits after exposure of a sample of users, by arm and bucket: (A, B).

    Attributes:
        visits: How many; a visit ends after 30 quiet minutes.
        shallow: Those in which no job of the charter was done but those that the launch serves;
            where the charter names no others, those with nothing but the KPI's own events.
        kpi: Events of the KPI in all visits; `kpi_shallow` those in shallow ones.
        users: How many users were sampled, those without a visit too.
    """

    visits: FloatArray
    shallow: FloatArray
    kpi: FloatArray
    kpi_shallow: FloatArray
    users: FloatArray | None = None
    query: str | None = None


@dataclass(frozen=True, slots=True)
class PastForecast:
    """A sealed forecast and what happened: 1.0 came true, 0.0 did not."""

    launch: str
    metric: str
    sure: float
    happened: float


@dataclass(frozen=True, slots=True)
class PastLaunch:
    """A past launch from the ledger: relative effects and their errors by metric.

    Attributes:
        with_kpi: Metric to the covariance of its relative effect's error with the KPI's; both come
            of the same users, so that is not nothing.
        joint: The same for any two metrics, in alphabetical order.
    """

    launch: str
    at: date
    verdict: str
    decided: str
    kpi: str
    effects: Mapping[str, tuple[float, float]]
    with_kpi: Mapping[str, float] = field(default_factory=dict)
    joint: Mapping[tuple[str, str], float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class History:
    """What this project knows of its own past.

    Attributes:
        looks: Looks at this launch's numbers, this one included; `early_looks` those before its
            last day, taken before the last day was looked at by the same plan.
        sealed: The day the plan was sealed; `sealed_before_data` whether that was before the
            first look.
        deviations: What was done otherwise than sealed, in words.
        tags: What was seen in timelines: (user's keyed hash, reader, tags), each reader's last
            word on each user.
        walked: Steps that the team has gone on purpose, as its ledger says.
    """

    launches: tuple[PastLaunch, ...] = ()
    forecasts: tuple[PastForecast, ...] = ()
    looks: int = 1
    early_looks: int = 0
    sealed: date | None = None
    sealed_before_data: bool | None = None
    deviations: tuple[str, ...] = ()
    tags: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    walked: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class FilesRead:
    """Which of the events' files were read, and which were known from the look before.

    Attributes:
        files: How many there are.
        read: How many were read in full.
        kept_from: The last day that the look saw from which the rest was kept; None without one.
        new_users: For how many people the others were looked through too: they are new, or were
            exposed anew.
        why_all: Why all were read although a look was kept, in words; empty otherwise.
    """

    files: int
    read: int
    kept_from: date | None = None
    new_users: int = 0
    why_all: str = ""


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that readings get.

    Attributes:
        as_of: The review's today, UTC.
        arms: Length A, control first, as the plan calls them.
        final: Whether the plan's last day has passed.
        metrics: By metric name.
        absent: Metric name to why it could not be measured.
        variants: By metric, then by the name of the choice.
        named: Timelines that were asked for by name, by the user's keyed hash.
        refused_segments: Attribute to why it cannot be a segment.
        kinds: Metric that counts several events, to each event's own cells (everyone only).
        patterns: Signs of trouble that no event names, in a sample, by intensity of use.
        cohort: Older users, for what early behaviour says of later.
        topics: What a person wants otherwise about the demands found in reviews.
    """

    as_of: datetime | None = None
    arms: tuple[str, ...] = ()
    final: bool = False
    metrics: Mapping[str, MetricCells] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)
    daily: Mapping[str, Daily] = field(default_factory=dict)
    tails: Mapping[str, Tail] = field(default_factory=dict)
    variants: Mapping[str, Mapping[str, MetricCells]] = field(default_factory=dict)
    refused_segments: Mapping[str, str] = field(default_factory=dict)
    exposure: Exposure | None = None
    retention: Retention | None = None
    jobs: JobUse | None = None
    errors: Errors | None = None
    ways: Ways | None = None
    patterns: Errors | None = None
    stories: tuple[Story, ...] = ()
    named: Mapping[str, Story] = field(default_factory=dict)
    reviews: Reviews | None = None
    releases: Releases | None = None
    volume: Volume | None = None
    kinds: Mapping[str, Mapping[str, MetricCells]] = field(default_factory=dict)
    visits: Visits | None = None
    cohort: Cohort | None = None
    history: History = field(default_factory=History)
    left_out: tuple[tuple[str, str, int], ...] = ()
    queries: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    cost: Any = None
    files_read: FilesRead | None = None
    topics: Topics = field(default_factory=Topics)
