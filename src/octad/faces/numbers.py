"""Numbers as people read them: the right digits, a real minus, and the unit said once."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from octad.model.finding import Number
from octad.model.numbers import (
    MINUS,
    count,
    day,
    decimals,
    p_value,
    plain,
    seconds,
    share,
    significant,
)

__all__ = [
    "MINUS",
    "Estimate",
    "beyond_zero",
    "common",
    "count",
    "day",
    "decimals",
    "estimate",
    "level",
    "p_value",
    "plain",
    "seconds",
    "share",
    "significant",
]


def beyond_zero(digits: int, *bounds: float) -> int:
    """Add decimals until no bound rounds to zero, and so hides on which side of zero it lies.

    >>> beyond_zero(0, -7.0, 0.2)
    1
    """
    for bound in bounds:
        while bound != 0 and digits < 4 and round(bound, digits) == 0:
            digits += 1
    return digits


def common(values: Iterable[float]) -> int:
    """How many decimals show a column of numbers: two digits of the largest, one of the least.

    >>> common([58.0, 6.0]), common([0.2, 4.1]), common([120.0, 0.4])
    (0, 1, 1)
    """
    sizes = [abs(value) for value in values if value and math.isfinite(value)]
    if not sizes:
        return 0
    return min(max(significant(max(sizes), 2), min(significant(min(sizes), 1), 2)), 4)


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimate in words.

    Attributes:
        value: ``+6.8%``, ``−0.82 points``, ``4.3 stars``.
        interval: ``[+5.9, +7.7]``, or nothing.
        anytime: The interval that stays valid however often one looks, or nothing.
        level: ``95%``, or nothing.
        arms: ``44.2% → 43.4%``: control, then treatment, or before, then after; or nothing.
        p: ``p .0016``, or nothing.
        spoken: All of it as a sentence for those who listen.
    """

    value: str
    interval: str = ""
    anytime: str = ""
    level: str = ""
    arms: str = ""
    p: str = ""
    spoken: str = ""

    @property
    def text(self) -> str:
        """The value with its interval."""
        return f"{self.value} {self.interval}".rstrip()


def _is_ratio(unit: str) -> bool:
    """Whether a unit is one thing over another, which the levels of the two do not share."""
    return unit == "times" or unit.startswith("fraction of control")


def is_difference(number: Number) -> bool:
    """Whether a number compares two things, and so carries a sign.

    A relative effect always does. An absolute one does when it names both arms' levels or a z, or
    when it or its interval is below zero, which a level of users or stars never is.
    """
    if number.unit == "times" and not number.relative:
        return False
    below = number.value < 0 or (number.low is not None and number.low < 0)
    compared = number.control is not None or number.z is not None
    return number.relative or compared or below


def _shown_as(number: Number) -> tuple[float, str, str]:
    """The factor, the ending that clings to the number, and the word after it."""
    if number.relative:
        return 100.0, "%", ""
    if number.unit == "share":
        return (100.0, "", "points") if is_difference(number) else (100.0, "%", "")
    return 1.0, "", number.unit


def _digits(number: Number, factor: float) -> int:
    if number.low is None or number.high is None:
        return significant(number.value * factor, 3 if abs(number.value * factor) >= 1 else 2)
    low, high = number.low * factor, number.high * factor
    if number.unit == "times" and not number.relative:
        # A ratio is read on its own scale, and it matters on which side of one it lies.
        return beyond_zero(1 if low < 10 else 0, low - 1, high - 1)
    half = (high - low) / 2
    digits = decimals(half)
    if number.relative and half < 10:
        digits = max(digits, 1)  # as the claims beside it are written
    return beyond_zero(digits, low, high)


def _held(at: float) -> str:
    """How sure an interval is; no interval is wholly sure, so 100% is never written.

    >>> _held(0.95), _held(0.975), _held(0.9972), _held(0.99996)
    ('95%', '97.5%', '99.7%', 'over 99.9%')
    """
    if at > 0.9995:
        return "over 99.9%"
    hundred = at * 100
    return f"{plain(hundred, 0 if abs(hundred - round(hundred)) < 0.05 else 1)}%"


def level(value: float, unit: str) -> str:
    """Write a level, such as an arm's mean, in its metric's unit.

    >>> level(0.442, "share"), level(51.34, ""), level(4.25, "stars")
    ('44.2%', '51.34', '4.25 stars')
    """
    if unit == "share":
        return share(value, 1 if abs(value) >= 0.01 else significant(value * 100, 2))
    size = abs(value)
    digits = 0 if size >= 1000 or value == round(value) else 2 if size >= 1 else significant(value)
    return f"{plain(value, digits)} {unit}".rstrip()


def estimate(number: Number) -> Estimate:
    """Put an estimate in words.

    >>> made = estimate(Number(value=0.068, low=0.059, high=0.077, level=0.95, relative=True))
    >>> made.text, made.level
    ('+6.8% [+5.9, +7.7]', '95%')
    """
    factor, clings, word = _shown_as(number)
    unit = number.unit
    digits, signed = _digits(number, factor), is_difference(number)

    def write(value: float) -> str:
        return plain(value * factor, digits, signed=signed)

    def bounds(low: float | None, high: float | None) -> str:
        if low is None and high is None:
            return ""
        left = write(low) if low is not None else f"{MINUS}∞"
        right = write(high) if high is not None else "∞"
        return f"[{left}, {right}]"

    value = f"{write(number.value)}{clings} {word}".rstrip()
    interval = bounds(number.low, number.high)
    at = _held(number.level) if number.level is not None and interval else ""
    arms = ""
    if number.control is not None and number.treatment is not None and not _is_ratio(unit):
        arms = f"{level(number.control, '')} → {level(number.treatment, unit)}"
        if unit == "share":
            arms = f"{level(number.control, unit)} → {level(number.treatment, unit)}"
    return Estimate(
        value=value,
        interval=interval,
        anytime=bounds(number.anytime_low, number.anytime_high),
        level=at,
        arms=arms,
        p=p_value(number.p) if number.p is not None else "",
        spoken=_spoken(value, interval, at, clings or word),
    )


def _spoken(value: str, interval: str, at: str, unit: str) -> str:
    said = value.replace(MINUS, "minus ").replace("+", "plus ")
    if not interval:
        return said
    low, _, high = interval.strip("[]").partition(", ")
    ends = f"{low} to {high}".replace(MINUS, "minus ").replace("+", "plus ")
    ends += "%" if unit == "%" else f" {unit}" if unit else ""
    return f"{said}, {at} interval {ends}" if at else f"{said}, interval {ends}"
