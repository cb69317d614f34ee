"""What the data layer hands to the readings: plain arrays, no connection.

Shapes are written with ``A`` arms (control first), ``B`` buckets, ``S`` slices, ``D`` days since
exposure and ``J`` jobs. ``bucket = hash(user) mod B``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from octad.model.doings import Cohort, Errors, JobUse, Visits, Ways
from octad.model.finding import Story
from octad.model.history import History, PastForecast, PastLaunch
from octad.model.topics import Topics
from octad.stats.moments import Moments
from octad.stats.parts import Parts
from octad.stats.spillover import Spillover, TiesByChance, Together

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
    "Reach",
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
        return self.moments.total(2) if self.parts is None else self.parts.total

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
class Reach:
    """What those do whose friends have the launch, as far as a source says who they are.

    Attributes:
        ties: Ties between two users of the experiment.
        late: Ties left out, for they are no older than the launch.
        by_chance: Whether the ties know nothing of the arms; None without ties.
        metrics: Metric to what was found, or in words why nothing was.
        together: All of `metrics` that were found, taken together; None with fewer than two.
        before: The same of the weeks before the launch, where it can have done nothing.
        unread: Why the ties were not read, in words; empty when they were.
    """

    ties: int = 0
    late: int = 0
    by_chance: TiesByChance | None = None
    metrics: Mapping[str, Spillover | str] = field(default_factory=dict)
    together: Together | None = None
    before: Mapping[str, Spillover] = field(default_factory=dict)
    unread: str = ""
    query: str | None = None


@dataclass(frozen=True, slots=True)
class Logged:
    """Traces that lost events would leave, in a sample of users: P earlier events, A arms.

    Attributes:
        earlier: (P,) events that come before others of the same visit, as good as always.
        lacks: (P, A) visits that lack it, and no other, though what comes after it is there.
        holds: (P, A) visits that should have it.
        users_lack: (P, A) users with such a visit.
        users: (A,) sampled users.
        places: Attribute to its values, and by arm and value (2, A, V) how often one is lacking,
            and how often one should be there.
        hours: (H,) hours, UTC, from the first to the last.
        active: (H, A) users seen in each; `exposed` (H, A) users exposed before it.
    """

    earlier: tuple[str, ...]
    lacks: FloatArray
    holds: FloatArray
    users_lack: FloatArray
    users: FloatArray
    places: Mapping[str, tuple[tuple[str, ...], FloatArray]]
    hours: TimeArray
    active: FloatArray
    exposed: FloatArray
    query: str | None = None


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
    logged: Logged | None = None
    reach: Reach | None = None
    kinds: Mapping[str, Mapping[str, MetricCells]] = field(default_factory=dict)
    visits: Visits | None = None
    cohort: Cohort | None = None
    history: History = field(default_factory=History)
    left_out: tuple[tuple[str, str, int], ...] = ()
    queries: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    cost: Any = None
    files_read: FilesRead | None = None
    topics: Topics = field(default_factory=Topics)
