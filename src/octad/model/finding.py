"""Findings and answers: what a reading says, and the evidence it shows."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from octad.model.base import Stored

__all__ = [
    "Answer",
    "Bars",
    "Curve",
    "CurveLine",
    "Evidence",
    "Finding",
    "Grade",
    "Interval",
    "Intervals",
    "Number",
    "Panel",
    "PanelRow",
    "Quote",
    "Quotes",
    "Stance",
    "State",
    "Story",
    "StoryLine",
    "Table",
]


class Stance(StrEnum):
    """What a reading says of the launch."""

    FOR = "for"
    AGAINST = "against"
    MIXED = "mixed"
    SILENT = "silent"


class State(StrEnum):
    """How a result or guardrail came out against its margin."""

    BETTER = "better"
    WITHIN = "within"
    WORSE = "worse"
    UNCLEAR = "unclear"


class Grade(StrEnum):
    """How far an estimate can be trusted to be the launch's doing."""

    A = "A"
    """Randomised."""
    B = "B"
    """A quasi-experiment whose placebos passed."""
    C = "C"
    """Before and after, or observational."""
    T = "T"
    """Text and counts."""


class Number(Stored):
    """An estimate with its interval.

    Attributes:
        value: A fraction of the control's level when `relative` (0.05 is +5%); else in `unit`.
        unit: ``share`` (a fraction of users or events), ``stars``, ``bits``, or the metric's own.
        p: Two-sided and uncorrected; `p_adjusted` has its family's correction.
        anytime_low: The interval that stays valid however often one looks.
        control: The control's level, and `treatment` the treatment's, in the metric's unit.
    """

    value: float
    low: float | None = None
    high: float | None = None
    level: float | None = None
    relative: bool = False
    unit: str = ""
    p: float | None = None
    anytime_low: float | None = None
    anytime_high: float | None = None
    se: float | None = None
    z: float | None = None
    p_adjusted: float | None = None
    control: float | None = None
    treatment: float | None = None


class CurveLine(Stored):
    """One line of a curve, with its band when it has one."""

    name: str
    y: tuple[float | None, ...]
    low: tuple[float | None, ...] | None = None
    high: tuple[float | None, ...] | None = None


class Curve(Stored):
    """Something over days: an effect, a retention curve, a count of reviews."""

    kind: Literal["curve"] = "curve"
    title: str
    x_label: str
    y_label: str
    x: tuple[float | str, ...]
    lines: tuple[CurveLine, ...]
    percent: bool = False
    mark: float | str | None = None
    """Where on x the launch was, if it should be drawn."""


class Interval(Stored):
    """One row of an interval chart."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None
    stance: Stance | None = None
    note: str = ""


class Intervals(Stored):
    """Estimates side by side; zero is no effect."""

    kind: Literal["intervals"] = "intervals"
    title: str
    x_label: str
    rows: tuple[Interval, ...]
    percent: bool = False
    margin: float | None = None
    """The edge of the tolerable loss on x, signed, when all rows share it."""


class PanelRow(Stored):
    """One row of a panel: an estimate for each column, or None where there is none."""

    label: str
    note: str = ""
    cells: tuple[Interval | None, ...]


class Panel(Stored):
    """Estimates in rows and columns, such as segments by metrics; each column has its own scale."""

    kind: Literal["panel"] = "panel"
    title: str
    x_label: str
    columns: tuple[str, ...]
    rows: tuple[PanelRow, ...]
    percent: bool = False


class Bars(Stored):
    """Groups of bars: a usage mix by arm, stars before and after."""

    kind: Literal["bars"] = "bars"
    title: str
    y_label: str
    labels: tuple[str, ...]
    groups: dict[str, tuple[float | None, ...]]
    percent: bool = False


class Quote(Stored):
    """Somebody's words, redacted. Hostile text: a face must escape it."""

    text: str
    product: str = ""
    at: datetime | None = None
    rating: float | None = None


class Quotes(Stored):
    """Words that carry a finding, and one that disagrees when there is one."""

    kind: Literal["quotes"] = "quotes"
    title: str
    quotes: tuple[Quote, ...]
    dissent: Quote | None = None


class Table(Stored):
    """Rows of text and numbers."""

    kind: Literal["table"] = "table"
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | int | None, ...], ...]


class StoryLine(Stored):
    """One thing a user did: the day and time since exposure, the event, and what came with it."""

    day: int
    time: str
    event: str
    note: str = ""
    error: bool = False


class Story(Stored):
    """A real user's timeline, under a keyed hash.

    Attributes:
        title: Says nothing of the arm, so that it can be shown to somebody who must not know it.
        arm: Which arm the user was in.
        chosen: Why this one of so many, such as ``typical``.
    """

    kind: Literal["story"] = "story"
    title: str
    user: str
    lines: tuple[StoryLine, ...]
    arm: str = ""
    chosen: str = ""


Evidence = Annotated[
    Curve | Intervals | Panel | Bars | Quotes | Table | Story, Field(discriminator="kind")
]


class Finding(Stored):
    """One thing a reading found.

    Attributes:
        id: Stable and unique in a review, such as ``results.payments``.
        claim: One sentence a product manager understands, figures included.
        state: Against its margin, for results and guardrails.
        harm: Whether it counts as harm shown in the verdict table.
        trust: For checks of the measurement: whether it holds, warns or fails; failing stops the
            verdict.
        n: Users (or reviews) it rests on.
        method: The estimator, in a statistician's words.
        assumes: What must hold for the claim to be true.
        breaks: What would make it false.
        decides: What would settle it, when it is not settled.
        query_digest: Which of the review's `queries` made its numbers.
    """

    id: str
    claim: str
    stance: Stance | None = None
    grade: Grade | None = None
    metric: str | None = None
    segment: dict[str, str] | None = None
    state: State | None = None
    harm: bool = False
    trust: Literal["holds", "warns", "fails"] | None = None
    estimate: Number | None = None
    n: int | None = None
    method: str = ""
    assumes: str = ""
    breaks: str = ""
    decides: str = ""
    evidence: tuple[Evidence, ...] = ()
    query_digest: str | None = None


class Answer(Stored):
    """What a reading says.

    Attributes:
        summary: One line for the glance, without the stance.
        missing: The data that would let it speak, or say more.
    """

    stance: Stance
    question: str
    summary: str = ""
    findings: tuple[Finding, ...] = ()
    missing: tuple[str, ...] = ()
