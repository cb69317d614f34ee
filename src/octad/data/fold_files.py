"""A fold's state as a folder: an ``.npy`` for each array, ``state.json`` for all that is none."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import numpy as np

__all__ = ["read_state", "write_state"]

_ACCOUNT = "state.json"
S = TypeVar("S")


def write_state(state: Any, folder: Path) -> None:
    """Write a frozen dataclass of arrays, numbers, texts, tuples and such dataclasses."""
    folder.mkdir(parents=True, exist_ok=True)
    tree = _written(state, folder, "")
    (folder / _ACCOUNT).write_text(json.dumps(tree, ensure_ascii=False), encoding="utf-8")


def read_state(kind: type[S], folder: Path) -> S:
    """Read it again.

    Raises:
        ValueError: When a file is absent, cut short or does not fit the others.
    """
    try:
        tree = json.loads((folder / _ACCOUNT).read_text(encoding="utf-8"))
        found = _read(kind, tree, folder)
    except (OSError, KeyError, TypeError, ValueError, EOFError) as error:
        msg = f"what was kept in {folder.name} cannot be read: {error}"
        raise ValueError(msg) from error
    return found  # type: ignore[no-any-return]


def _written(value: Any, folder: Path, name: str) -> Any:
    if isinstance(value, np.ndarray):
        np.save(folder / f"{name}.npy", value, allow_pickle=False)
        return {"array": f"{name}.npy", "shape": value.shape, "dtype": value.dtype.str}
    if is_dataclass(value) and not isinstance(value, type):
        return {
            f.name: _written(getattr(value, f.name), folder, f"{name}.{f.name}".strip("."))
            for f in fields(value)
        }
    if isinstance(value, tuple):
        return [_written(v, folder, f"{name}.{i}") for i, v in enumerate(value)]
    return value


def _read(kind: Any, tree: Any, folder: Path) -> Any:
    if isinstance(tree, dict) and "array" in tree:
        found = np.load(folder / tree["array"], mmap_mode="r", allow_pickle=False)
        if list(found.shape) != tree["shape"] or found.dtype.str != tree["dtype"]:
            msg = f"{tree['array']} has another shape"
            raise ValueError(msg)
        return found
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        return kind(**{f.name: _read(hints[f.name], tree[f.name], folder) for f in fields(kind)})
    if get_origin(kind) is tuple:
        args = get_args(kind)
        many = len(args) == 2 and args[1] is Ellipsis
        inner = [args[0]] * len(tree) if many else args
        return tuple(_read(a, t, folder) for a, t in zip(inner, tree, strict=True))
    return tree
