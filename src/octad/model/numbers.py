"""Numbers as people read them: the right digits, a real minus, and the unit said once."""

from __future__ import annotations

import math
from datetime import date, datetime

__all__ = [
    "MINUS",
    "count",
    "day",
    "decimals",
    "p_value",
    "plain",
    "seconds",
    "share",
    "significant",
]

MINUS = "−"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def plain(value: float, digits: int, *, signed: bool = False) -> str:
    """Write a number with so many decimals, thousands marked, and a true minus.

    >>> plain(-1234.56, 1), plain(0.5, 1, signed=True), plain(-0.001, 1)
    ('−1,234.6', '+0.5', '0.0')
    >>> plain(54.314999999999998, 2) == plain(54.315000000000005, 2)
    True
    """
    if math.isnan(value):
        return "unknown"
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    # Sums made in another order differ in their last digits, which must not tip a half over.
    rounded = round(float(f"{value:.12g}"), digits)
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
