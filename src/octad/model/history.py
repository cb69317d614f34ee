"""What a project knows of its own past, as its ledger tells the readings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

__all__ = ["History", "PastForecast", "PastLaunch"]


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
