"""Two trees of results held against each other: counts exactly, the rest to 1e-9 relative."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

__all__ = ["TOLERANCE", "differences"]

TOLERANCE = 1e-9
"""Engines add floats in an order of their own; what is counted is whole, and must be equal."""

_APART = frozenset({"query", "query_digest", "queries", "cost", "stages"})
"""What names the engine's own SQL or its time."""


def differences(one: Any, two: Any, *, leave: frozenset[str] = frozenset()) -> list[str]:
    """Where two results differ, as paths with what stands there.

    Args:
        one: What DuckDB found.
        two: What another engine found.
        leave: Further names that are not compared.
    """
    return list(_walk("", one, two, _APART | leave))


Leave = frozenset[str]


def _walk(path: str, one: Any, two: Any, leave: Leave) -> Iterator[str]:
    parts = _parts(one), _parts(two)
    if isinstance(one, np.ndarray | float | np.floating):
        yield from _arrays(path, np.asarray(one), np.asarray(two))
    elif parts[0] is None or parts[1] is None:
        if one != two:
            yield f"{path}: {str(one)[:90]} and {str(two)[:90]}"
    elif set(parts[0]) != set(parts[1]):
        yield f"{path}: {sorted(map(str, set(parts[0]) ^ set(parts[1])))} are in one alone"
    else:
        for key, value in parts[0].items():
            if key not in leave:
                yield from _walk(f"{path}.{key}", value, parts[1][key], leave)


def _parts(value: Any) -> Mapping[Any, Any] | None:
    """What a value is made of, by name or place; None when it is one thing."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if hasattr(value, "model_dump"):
        return dict(value.model_dump())
    if isinstance(value, Mapping):
        return value
    return dict(enumerate(value)) if isinstance(value, list | tuple) else None


def _arrays(path: str, one: Any, two: Any) -> Iterator[str]:
    if one.shape != two.shape:
        yield f"{path}: shapes {one.shape} and {two.shape}"
    elif one.dtype.kind == "f":
        whole = np.asarray(two, dtype=float)
        # Nothing in an array is larger than its largest, and a mean near nought has none to be
        # relative to.
        size = float(np.nanmax(np.abs(one), initial=0.0)) if one.size else 0.0
        near = np.isclose(one, whole, rtol=TOLERANCE, atol=TOLERANCE * size, equal_nan=True)
        if not near.all():
            at = tuple(int(i) for i in np.argwhere(~near)[0])
            yield f"{path}{list(at)}: {one[at]!r} and {whole[at]!r}, {int((~near).sum())} places"
    elif not np.array_equal(one, two):
        at = tuple(int(i) for i in np.argwhere(np.asarray(one) != np.asarray(two))[0])
        yield f"{path}{list(at)}: {one[at]!r} and {np.asarray(two)[at]!r}"
