"""What people did, as the readings get it: jobs, errors, ways, visits, and older users' beginnings.

Shapes are written as in `octad.model.inputs`, which hands these on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from octad.stats.moments import Moments

__all__ = ["Cohort", "Errors", "JobUse", "Visits", "Ways"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


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
