"""Whether two gatherings say the same, but for the order in which floats were added."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

__all__ = ["differences"]

_SKIPPED = {"cost", "files_read"}
"""What a look costs is what may differ."""

_DIGITS = 1e-12
"""Sums of up to some thousands of floats in another order: a few last bits of 2**-53, relative to
the largest term, which in these data is of the size of the sum or up to a hundred times it."""


def differences(one: Any, two: Any, path: str = "") -> list[str]:
    """Where two values differ, as paths; empty when they are alike."""
    if is_dataclass(one) and type(one) is type(two):
        return [
            found
            for f in fields(one)
            if f.name not in _SKIPPED
            for found in differences(getattr(one, f.name), getattr(two, f.name), f"{path}.{f.name}")
        ]
    if isinstance(one, Mapping) and isinstance(two, Mapping):
        if list(map(str, one)) != list(map(str, two)):
            return [f"{path}: {sorted(map(str, set(one) ^ set(two)))}"]
        pairs = zip(one, two, strict=True)
        return [d for a, b in pairs for d in differences(one[a], two[b], f"{path}[{a}]")]
    if isinstance(one, np.ndarray) and isinstance(two, np.ndarray):
        if one.shape != two.shape or one.dtype != two.dtype:
            return [f"{path}: {one.dtype}{one.shape} {two.dtype}{two.shape}"]
        if one.dtype.kind != "f":
            return [] if (one == two).all() else [path]
        scale = max(1.0, float(np.nanmax(np.abs(one), initial=0.0)))
        same = np.allclose(one, two, rtol=_DIGITS, atol=_DIGITS * scale, equal_nan=True)
        return [] if same else [f"{path}: {np.nanmax(np.abs(one - two))} of {scale}"]
    if isinstance(one, list | tuple) and isinstance(two, list | tuple) and len(one) == len(two):
        pairs = zip(one, two, strict=True)
        return [d for n, (a, b) in enumerate(pairs) for d in differences(a, b, f"{path}[{n}]")]
    if isinstance(one, float) and isinstance(two, float):
        alike = np.isclose(one, two, rtol=_DIGITS, atol=_DIGITS, equal_nan=True)
        return [] if alike else [f"{path}: {one} {two}"]
    if hasattr(one, "equals") and hasattr(two, "equals"):
        return [] if one.equals(two) else [path]
    return [] if one == two else [f"{path}: {one!r} {two!r}"]
