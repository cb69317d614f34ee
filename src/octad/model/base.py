"""The frozen pydantic base, and the small value types that plans are written in."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

__all__ = [
    "Margin",
    "MarginText",
    "Share",
    "Span",
    "Stored",
    "format_span",
    "parse_margin",
    "parse_share",
    "parse_span",
]

_SPAN = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(m|min|h|d|w)\s*$")
_UNIT = {"m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}
_LONGEST = 36_500 * 86_400.0
_NUMBER = re.compile(r"^\s*([+-]?\d+(?:\.\d+)?)\s*(%|pp)?\s*$")


class Stored(BaseModel):
    """What is on disk or on the wire: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


def parse_span(value: object) -> object:
    """Read a length of time such as ``14d``, ``6h``, ``30m`` or ``2w``.

    Raises:
        ValueError: When it is not a number followed by m, h, d or w, or is not above zero.
    """
    if isinstance(value, timedelta):
        return value
    match = _SPAN.match(str(value))
    if match is None:
        msg = f"'{value}' is no length of time; write a number and a unit, such as 14d, 6h or 30m"
        raise ValueError(msg)
    seconds = float(match[1]) * _UNIT[match[2]]
    if seconds > _LONGEST:
        msg = f"'{value}' is longer than any data; write at most 100 years, such as 36500d"
        raise ValueError(msg)
    return timedelta(seconds=seconds)


def format_span(span: timedelta) -> str:
    """Write a length of time the way it is written in a plan.

    >>> format_span(timedelta(days=14)), format_span(timedelta(hours=6))
    ('14d', '6h')
    """
    seconds = span.total_seconds()
    for unit, size in (("d", 86400), ("h", 3600)):
        if seconds % size == 0:
            return f"{int(seconds // size)}{unit}"
    return f"{seconds / 60:g}m"


Span = Annotated[
    timedelta, BeforeValidator(parse_span), PlainSerializer(format_span, return_type=str)
]


class Margin(Stored):
    """The loss that would still be tolerable, always in the worse direction.

    Attributes:
        value: Its size, above or equal to zero: a fraction for ``relative`` (1% is 0.01) and
            ``points`` (0.5pp is 0.005), the metric's own unit for ``absolute``.
        kind: What `value` is measured in.
    """

    value: float = Field(ge=0)
    kind: Literal["relative", "points", "absolute"] = "relative"

    def __str__(self) -> str:
        if self.kind == "relative":
            return f"{self.value * 100:g}%"
        return f"{self.value * 100:g}pp" if self.kind == "points" else f"{self.value:g}"


def parse_margin(value: object) -> object:
    """Read ``1%`` (relative), ``0.5pp`` (points) or ``0.2`` (the metric's unit).

    Raises:
        ValueError: When it is none of these.
    """
    if isinstance(value, Margin | dict):
        return value
    match = _NUMBER.match(str(value))
    if match is None or isinstance(value, bool):
        msg = f"'{value}' is no margin; write 1% (relative), 0.5pp (points) or a bare number"
        raise ValueError(msg)
    if match[1].startswith("-"):
        msg = f"'{value}' is negative; a margin is the size of a loss, such as {str(value)[1:]}"
        raise ValueError(msg)
    size, sign = float(match[1]), match[2]
    if sign == "%":
        return Margin(value=size / 100, kind="relative")
    return (
        Margin(value=size / 100, kind="points")
        if sign == "pp"
        else Margin(value=size, kind="absolute")
    )


MarginText = Annotated[Margin, BeforeValidator(parse_margin), PlainSerializer(str, return_type=str)]


def parse_share(value: object) -> object:
    """Read a probability, ``80%`` or ``0.8``, as a fraction.

    Raises:
        ValueError: When it is not a number, or not between 0% and 100%.
    """
    match = _NUMBER.match(str(value))
    if match is None or match[2] == "pp" or isinstance(value, bool):
        msg = f"'{value}' is no probability; write 80% or 0.8"
        raise ValueError(msg)
    share = float(match[1]) / (100 if match[2] else 1)
    if not 0 <= share <= 1:
        msg = f"'{value}' is not between 0% and 100%"
        raise ValueError(msg)
    return share


def _share_text(value: float) -> Any:
    return f"{value * 100:g}%"


Share = Annotated[
    float, BeforeValidator(parse_share), PlainSerializer(_share_text, return_type=str)
]
