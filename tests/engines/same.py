"""Two trees of results held against each other: counts exactly, the rest to 1e-9 relative."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

__all__ = ["TOLERANCE", "differences"]

TOLERANCE = 1e-9
"""Engines add floats in an order of their own; what is counted is whole, and must be equal."""

_APART = {"query", "query_digest", "queries", "cost", "stages"}
"""What names the engine's own SQL or its time."""


def differences(one: Any, two: Any, *, leave: frozenset[str] = frozenset()) -> list[str]:
    """Where two results differ, as paths with what stands there.

    Args:
        one: What DuckDB found.
        two: What another engine found.
        leave: Further names that are not compared.
    """
    return list(_walk("", one, two, _APART | leave))


def _walk(path: str, one: Any, two: Any, leave: set[str] | frozenset[str]) -> Iterator[str]:
    if is_dataclass(one) and not isinstance(one, type):
        if type(one) is not type(two):
            yield f"{path}: {type(one).__name__} and {type(two).__name__}"
            return
        for field in fields(one):
            if field.name not in leave:
                yield from _walk(
                    f"{path}.{field.name}",
                    getattr(one, field.name),
                    getattr(two, field.name),
                    leave,
                )
    elif hasattr(one, "model_dump"):
        yield from _walk(path, one.model_dump(), two.model_dump(), leave)
    elif isinstance(one, Mapping):
        if set(one) != set(two):
            yield f"{path}: keys {sorted(map(str, set(one) ^ set(two)))} are in one alone"
            return
        for key, value in one.items():
            if key not in leave:
                yield from _walk(f"{path}[{key}]", value, two[key], leave)
    elif isinstance(one, np.ndarray):
        yield from _arrays(path, one, two)
    elif isinstance(one, list | tuple):
        if len(one) != len(two):
            yield f"{path}: {len(one)} and {len(two)} items"
            return
        for place, (left, right) in enumerate(zip(one, two, strict=True)):
            yield from _walk(f"{path}[{place}]", left, right, leave)
    elif isinstance(one, float | np.floating):
        yield from _arrays(path, np.asarray(one), np.asarray(two))
    elif one != two:
        yield f"{path}: {str(one)[:90]} and {str(two)[:90]}"


def _arrays(path: str, one: Any, two: Any) -> Iterator[str]:
    if two is None or one.shape != np.shape(two):
        yield f"{path}: shapes {one.shape} and {np.shape(two)}"
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
