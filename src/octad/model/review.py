"""A review: the object that `octad review --format json` prints and Python gets."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field

from octad.model.base import Stored
from octad.model.finding import Answer, Grade

__all__ = ["READINGS", "Cost", "Deviation", "LeftOut", "QueryRecord", "Review", "Stage", "Verdict"]

READINGS = ("results", "horizon", "breadth", "user", "doubt", "rival", "product", "reflection")
"""The eight, in the order of every face."""


class Verdict(StrEnum):
    """What the data allow to be said."""

    SHIP = "ship"
    HOLD = "hold"
    ROLL_BACK = "roll back"
    CANNOT_TELL = "cannot tell"

    @property
    def exit_code(self) -> int:
        """What `octad review` exits with: 0, 10, 20 or 30."""
        return {"ship": 0, "hold": 10, "roll back": 20, "cannot tell": 30}[self.value]


class Deviation(Stored):
    """Something done otherwise than the sealed plan says.

    Attributes:
        direction: Whether the change asks less of the launch or more, where that can be said.
    """

    what: str
    before: str = ""
    after: str = ""
    direction: Literal["looser", "stricter", ""] = ""


class LeftOut(Stored):
    """Rows of a source that the review did not use, and why."""

    source: str
    reason: str
    rows: int


class QueryRecord(Stored):
    """A query that made numbers of this review; anyone may run it again."""

    what: str
    sql: str


class Stage(Stored):
    """What a stage of a review cost."""

    name: str
    seconds: float
    rows: int | None = None


class Cost(Stored):
    """What a review cost: rows scanned, and time by stage.

    Attributes:
        engine: What the data were read through, and its version.
        files: How many files the events are in; None when they are in none.
        files_read: Of these, how many were read for everybody.
        kept_from: The last day that the look saw from which the rest was kept; None without one.
        new_users: For how many people the other files were looked through too: they are new, or
            were exposed anew.
        why_all: Why every file was read although a look was kept, in words; empty otherwise.
    """

    rows_scanned: int = 0
    engine: str = ""
    stages: tuple[Stage, ...] = ()
    files: int | None = None
    files_read: int | None = None
    kept_from: date | None = None
    new_users: int = 0
    why_all: str = ""


class Review(Stored):
    """A launch, reviewed.

    Attributes:
        octad: The version that made it.
        verdict: What the table says; never from the KPI alone.
        rule: The row of the verdict table that was taken.
        because: Sentences that carry the verdict; the first is the headline.
        next: What would decide it, and when.
        looks: How many times the numbers have been looked at, this one included.
        sealed: The day the plan was sealed, if it was.
        witness: Who else vouches for the day of the seal, and when; empty when nobody does.
        as_of: The review's today: the newest event, or ``--as-of``.
        users: How many users are compared, over all arms.
        final: Whether this is a look after `ends`; before, the anytime interval decides.
    """

    octad: str
    launch: str
    product: str
    what: str = ""
    verdict: Verdict
    rule: str
    because: tuple[str, ...]
    next: tuple[str, ...] = ()
    looks: int = 1
    plan_digest: str
    sealed: date | None = None
    witness: str = ""
    deviations: tuple[Deviation, ...] = ()
    design: Literal["experiment", "staged", "everyone", "targeted"] = "experiment"
    grade: Grade = Grade.A
    as_of: datetime | None = None
    final: bool = False
    users: int = 0
    arms: dict[str, int] = {}
    simulated: bool = False
    warnings: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    kpi: Answer
    readings: dict[str, Answer] = Field(default_factory=dict)
    queries: dict[str, QueryRecord] = {}
    cost: Cost = Cost()
