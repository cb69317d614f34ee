"""What readings share: an effect measured, judged against its margin, and said in words."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Protocol, TypeVar

from octad.model.finding import Answer, Grade
from octad.model.inputs import Inputs
from octad.model.needs import Needs
from octad.model.numbers import plain, significant
from octad.model.plan import Everyone, Plan, Staged, Targeted

__all__ = [
    "ASSUMES",
    "BREAKS",
    "VETO",
    "Reading",
    "design_of",
    "grade_of",
    "level_text",
    "missing_metrics",
    "once",
    "percent_text",
    "signed_percent",
]


VETO = 0.02
"""Two-sided error of a finding whose word alone makes its reading speak against a launch: one
chance in a hundred that a harmless one is spoken against. A review has half a dozen such findings;
at 5% each, chance would hold back one good launch in seven."""

_T = TypeVar("_T")


def once(made: Callable[[Plan, Inputs], _T]) -> Callable[[Plan, Inputs], _T]:
    """Keep the last answer of a dear reckoning: two readings ask for it of the same inputs.

    Plan and inputs are frozen, so the same objects mean the same answer; only the last are held.
    """
    kept: list[tuple[Plan, Inputs, _T]] = []

    @wraps(made)
    def ask(plan: Plan, inputs: Inputs) -> _T:
        if not kept or kept[0][0] is not plan or kept[0][1] is not inputs:
            kept[:] = [(plan, inputs, made(plan, inputs))]
        return kept[0][2]

    return ask


class Reading(Protocol):
    """What every reading's module offers."""

    QUESTION: str
    needs: Callable[[Plan], Needs]
    read: Callable[[Plan, Inputs], Answer]


ASSUMES = {
    Grade.A: "Chance alone decided who got it, and one user's arm does not reach another.",
    Grade.B: "Without the launch both groups would have moved alike; the placebo checks agree.",
    Grade.C: "Nothing else changed at the same time, and the groups were alike; neither was tested"
    " by chance.",
    Grade.T: "Those who write are not everyone; counts of words are not counts of people.",
}
BREAKS = {
    Grade.A: "A broken split, logging lost in one arm, or friends who reach across the arms.",
    Grade.B: "Something else that came to one group at the same moment.",
    Grade.C: "A season, another release, or users who were chosen because they differ.",
    Grade.T: "A prompt to review, bought reviews, or a store that reset its ratings.",
}


def design_of(plan: Plan) -> str:
    """The design's name: experiment, staged, everyone or targeted."""
    match plan.launch.design:
        case Staged():
            return "staged"
        case Everyone():
            return "everyone"
        case Targeted():
            return "targeted"
        case _:
            return "experiment"


def grade_of(plan: Plan) -> Grade:
    """How far the design lets an estimate be the launch's doing."""
    return Grade.A if plan.launch.randomised else Grade.C


def level_text(level: float, *, share: bool = False, unit: str = "") -> str:
    """A metric's level as people say it: ``18.2%``, ``51.34``, ``€12.40``.

    >>> level_text(0.18202, share=True), level_text(51.341), level_text(12.4, unit="€")
    ('18.2%', '51.34', '€12.40')
    """
    if share and abs(level) <= 1:
        return f"{plain(level * 100, max(1, significant(level * 100, 3)))}%"
    text = plain(level, 2 if 1 <= abs(level) < 1000 else significant(level, 3))
    if not unit:
        return text
    return f"{text} {unit}" if unit.isascii() and unit.isalpha() else f"{unit}{text}"


def signed_percent(value: float) -> str:
    """A relative change on its own: ``+6.8%``, ``−0.32%``."""
    hundred = value * 100
    digits = 0 if abs(hundred) >= 100 else 1 if abs(hundred) >= 1 else 2
    return f"{plain(hundred, digits, signed=True)}%"


def percent_text(value: float, low: float | None, high: float | None) -> str:
    """A relative change with its interval, all to the same digit.

    >>> percent_text(0.0682, 0.0591, 0.0773), percent_text(-0.0073, -0.019, 0.004)
    ('+6.8% [+5.9, +7.7]', '−0.7% [−1.9, +0.4]')
    """
    known = [v for v in (value, low, high) if v is not None]
    digits = 1 if max(abs(v) for v in known) >= 0.01 else 2

    def write(number: float) -> str:
        return plain(number * 100, digits, signed=True)

    if low is None or high is None:
        return f"{write(value)}%"
    return f"{write(value)}% [{write(low)}, {write(high)}]"


def missing_metrics(inputs: Inputs, names: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    """Why some metrics could not be measured, as sentences."""
    out = []
    for name in names:
        if name in inputs.absent:
            out.append(f"{name}: {inputs.absent[name]}.")
        elif name not in inputs.metrics:
            out.append(f"{name}: no source gives it.")
    return tuple(out)
