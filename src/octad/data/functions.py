"""DuckDB's functions that Ibis has no name for, typed once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ibis
import ibis.expr.datatypes as dt

__all__ = [
    "INSTANT",
    "digest",
    "from_micros",
    "json_text",
    "on_clock",
    "strptime",
    "to_instant",
    "try_text",
    "whole_part",
]

INSTANT = dt.Timestamp(timezone="UTC")
"""The type of a moment with a zone; DuckDB's TIMESTAMPTZ."""


def _function(name: str, inputs: tuple[Any, ...], output: Any) -> Callable[..., Any]:
    def stub(*_values: Any) -> Any: ...

    places = tuple(f"value_{place}" for place in range(len(inputs)))
    stub.__name__ = f"octad_{name}_{len(inputs)}_{dt.dtype(output)}"
    stub.__signature__ = _signature(places)  # type: ignore[attr-defined]
    made: Callable[..., Any] = ibis.udf.scalar.builtin(
        stub, name=name, signature=(inputs, dt.dtype(output))
    )
    return made


def _signature(places: tuple[str, ...]) -> Any:
    from inspect import Parameter, Signature  # noqa: PLC0415

    return Signature([Parameter(place, Parameter.POSITIONAL_OR_KEYWORD) for place in places])


try_text = _function("try", ("string",), "string")
"""Null where the text inside cannot be made, as from JSON that is none."""

json_text = _function("json_extract_string", ("string", "string"), "string")
"""What lies at a JSON pointer, as text."""

strptime = _function("try_strptime", ("string", dt.Array(dt.string)), "timestamp")
"""A time by the first format of a list that fits the whole text; else null."""

to_instant = _function("timezone", ("string", "timestamp"), INSTANT)
"""The moment at which the clock of a zone shows a time."""

on_clock = _function("timezone", ("string", INSTANT), "timestamp")
"""What the clock of a zone shows at a moment."""

from_micros = _function("make_timestamp", ("int64",), "timestamp")
"""The time so many microseconds after 1970 began."""

digest = _function("md5_number_lower", ("string",), "uint64")
"""Half of MD5 of a text. (DuckDB's own `hash` collides on long texts that are alike.)"""

whole_part = _function("divide", ("int64", "int64"), "int64")
"""Division of whole numbers that stays in 64 bits; by way of floats the last digits are lost."""
