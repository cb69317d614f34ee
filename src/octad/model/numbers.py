"""Numbers as people read them: the right digits, a real minus, and the unit said once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime

from octad.model.finding import Number

__all__ = [
    "Estimate",
    "count",
    "day",
    "decimals",
    "estimate",
    "level",
    "p_value",
    "plain",
    "seconds",
    "share",
]

MINUS = "−"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def plain(value: float, digits: int, *, signed: bool = False) -> str:
    """Write a number with so many decimals, thousands marked, and a true minus.

    >>> plain(-1234.56, 1), plain(0.5, 1, signed=True), plain(-0.001, 1)
    ('−1,234.6', '+0.5', '0.0')
    """
    if math.isnan(value):
        return "unknown"
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    rounded = round(value, digits)
    text = f"{abs(rounded):,.{max(digits, 0)}f}"
    if rounded < 0:
        return MINUS + text
    return f"+{text}" if signed and rounded > 0 else text


def decimals(half_width: float) -> int:
    """How many decimals a number with this uncertainty deserves.

    The rule of the Particle Data Group (Review of Particle Physics, section 5.3): two digits of
    the uncertainty when they read 10 to 35, one when they read 36 to 94, and two again above.

    >>> decimals(0.9), decimals(0.12), decimals(4.0), decimals(300)
    (1, 2, 0, 0)
    """
    if not math.isfinite(half_width) or half_width <= 0:
        return 2
    exponent = math.floor(math.log10(half_width))
    leading = half_width / 10**exponent
    digits = 1 if 3.55 <= leading < 9.5 else 2
    if leading >= 9.5:
        exponent, digits = exponent + 1, 2
    return min(max(0, digits - 1 - exponent), 6)


def significant(value: float, digits: int = 3) -> int:
    """How many decimals show `digits` significant digits of a number that has no interval."""
    if value == 0 or not math.isfinite(value):
        return 0
    return min(max(0, digits - 1 - math.floor(math.log10(abs(value)))), 6)


def count(n: int) -> str:
    """Write a count.

    >>> count(98212)
    '98,212'
    """
    return f"{n:,}".replace("-", MINUS)


def share(value: float, digits: int | None = None) -> str:
    """Write a fraction as a percentage.

    >>> share(0.0412), share(0.95), share(0.00021)
    ('4.1%', '95%', '0.021%')
    """
    hundred = value * 100
    if digits is None:
        digits = 0 if abs(hundred - round(hundred)) < 1e-9 else significant(hundred, 2)
    return f"{plain(hundred, digits)}%"


def p_value(p: float) -> str:
    """Write a p value the way journals do, without the zero it cannot pass.

    >>> p_value(0.00158), p_value(0.2), p_value(1e-9)
    ('p .0016', 'p .20', 'p < .0001')
    """
    if p < 0.0001:
        return "p < .0001"
    text = f"{p:.{min(max(2, significant(p, 2)), 4)}f}"
    return f"p {text.removeprefix('0')}"


def seconds(value: float) -> str:
    """Write a duration.

    >>> seconds(0.034), seconds(2.31), seconds(95)
    ('34 ms', '2.3 s', '1 min 35 s')
    """
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if value < 60:
        return f"{value:.1f} s"
    return f"{int(value // 60)} min {int(value % 60)} s"


def day(when: date | datetime, *, beside: date | None = None) -> str:
    """Write a day; the year only when it is not the year of `beside`.

    >>> day(date(2026, 2, 27)), day(date(2026, 2, 27), beside=date(2026, 3, 1))
    ('27 Feb 2026', '27 Feb')
    """
    text = f"{when.day} {MONTHS[when.month - 1]}"
    return text if beside is not None and beside.year == when.year else f"{text} {when.year}"


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimate in words.

    Attributes:
        value: ``+6.8%``, ``−0.82 points``, ``4.3 stars``.
        interval: ``[+5.9, +7.7]``, or nothing.
        anytime: The interval that stays valid however often one looks, or nothing.
        level: ``95%``, or nothing.
        arms: ``44.2% → 43.4%``: control, then treatment; or nothing.
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


def is_difference(number: Number) -> bool:
    """Whether a number compares two things, and so carries a sign.

    A relative effect always does. An absolute one does when it names both arms' levels or a z, or
    when it or its interval is below zero, which a level of users or stars never is.
    """
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
    digits = decimals((number.high - number.low) * factor / 2)
    # A bound that rounds to zero would hide on which side of zero it lies.
    for bound in (number.low, number.high):
        while bound != 0 and digits < 4 and round(bound * factor, digits) == 0:
            digits += 1
    return digits


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
    at = share(number.level) if number.level is not None and interval else ""
    arms = ""
    if number.control is not None and number.treatment is not None:
        arms = f"{level(number.control, number.unit)} → {level(number.treatment, number.unit)}"
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
