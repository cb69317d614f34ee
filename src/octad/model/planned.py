"""What `octad plan` gives: a launch sized, and what each reading will be able to say."""

from __future__ import annotations

from datetime import date
from typing import Literal

from octad.model.base import Stored

__all__ = ["MetricSize", "PlanReport", "Precedent", "Prospect"]


class MetricSize(Stored):
    """What a plan could see in one metric.

    Attributes:
        role: ``KPI``, ``result`` or ``guardrail``.
        level: The metric's level in the project's own history; `spread` the standard deviation
            between users, as a fraction of it.
        reduction: The share of its variance that users' own past explains; `autocorrelation` how
            a user's past and later value go together, from -1 to 1; None without a past.
        visible: The smallest relative change seen four times out of five, with the users that the
            enrolment would bring; None when it cannot be known.
        margin: The tolerable loss as a fraction of the level; None for the KPI.
        users: Users in all arms that would show no change to be within the margin, four times out
            of five; `days` how long they take to arrive and end their window.
        why_not: Why it could not be sized, in words.
    """

    metric: str
    role: Literal["KPI", "result", "guardrail"]
    level: float | None = None
    spread: float | None = None
    reduction: float = 0.0
    autocorrelation: float | None = None
    visible: float | None = None
    margin: float | None = None
    users: int | None = None
    days: int | None = None
    why_not: str = ""

    @property
    def enough(self) -> bool | None:
        """Whether users enough would ever come to show the margin; None when unknown."""
        if self.margin is None or self.visible is None or self.users is None:
            return None
        return self.days is not None


class Prospect(Stored):
    """What one reading will be able to say of this launch, with these data.

    Attributes:
        speaks: ``yes``, ``partly``, or ``no``: then it will be silent.
        will: What it will see, in sentences.
        cannot: What it will not see, in sentences.
        needs: The data or the keys that would let it.
    """

    reading: str
    speaks: Literal["yes", "partly", "no"]
    will: tuple[str, ...] = ()
    cannot: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


class Precedent(Stored):
    """A past launch that resembles this one, and what came of it.

    Attributes:
        alike: What the two share, in words.
        came: What was measured, such as ``opens +6.8%``.
        lessons: What was written down about it.
    """

    launch: str
    at: date
    alike: tuple[str, ...]
    verdict: str
    decided: str = ""
    came: tuple[str, ...] = ()
    lessons: tuple[str, ...] = ()


class PlanReport(Stored):
    """What a plan will and will not be able to say.

    Attributes:
        as_of: The newest data it was sized from; `since` the oldest.
        users: Users that the enrolment would bring; `a_day` on an average day of it.
        enrolment: Its length in days, as far as the history shows who comes.
        weekly: Users first seen in each week of the history, newest window first week first.
        metrics: KPI, results, guardrails.
        readings: The eight, in the order of every face.
        precedents: Past launches of the ledger that resemble it, the likest first.
        warnings: What should be mended before sealing.
    """

    launch: str
    as_of: date | None = None
    since: date | None = None
    users: int | None = None
    a_day: float | None = None
    enrolment: int = 0
    weekly: tuple[int, ...] = ()
    metrics: tuple[MetricSize, ...] = ()
    readings: tuple[Prospect, ...] = ()
    precedents: tuple[Precedent, ...] = ()
    warnings: tuple[str, ...] = ()
