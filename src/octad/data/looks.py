"""Facts that decide how a column is read, such that facts of files add up to those of all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import ibis.expr.types as ir

__all__ = ["WHOLE", "Look", "merged"]


class Look(Protocol):
    """Whoever looks at a table's columns: all at once, or file by file, remembering each file."""

    def sums(self, table: ir.Table, what: str, sums: Mapping[str, ir.Value]) -> dict[str, Any]:
        """Aggregates of a table.

        Args:
            table: What the sums are over.
            what: The column and the question, the same from one look to the next.
            sums: By name. One called ``middle`` is a median, weighted by ``weight`` beside it;
                names that end in ``mask`` are combined with OR; all others add up.
        """

    def each(
        self,
        table: ir.Table,
        what: str,
        find: Callable[[ir.Table], Mapping[str, Any]],
    ) -> dict[str, Any]:
        """What `find` makes of the table, or of each file's part of it, merged.

        Numbers add up, and lists are joined, each word once.
        """


class _Whole:
    """Looks at a table as it is, and remembers nothing."""

    def sums(self, table: ir.Table, what: str, sums: Mapping[str, ir.Value]) -> dict[str, Any]:
        del what
        return dict(table.aggregate(**sums).to_pyarrow().to_pylist()[0]) if sums else {}

    def each(
        self,
        table: ir.Table,
        what: str,
        find: Callable[[ir.Table], Mapping[str, Any]],
    ) -> dict[str, Any]:
        del what
        return dict(find(table))


WHOLE: Look = _Whole()
"""For tables that are no files: everything is looked at each time."""


def merged(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Facts of several files as facts of all of them, whatever their order but for lists.

    >>> merged([{"n": 1, "mask": 4}, {"n": None, "mask": 1}, {"n": 2, "mask": None}])
    {'n': 3, 'mask': 5}
    """
    found: dict[str, Any] = {}
    for name in dict.fromkeys(name for part in parts for name in part):
        values = [part.get(name) for part in parts]
        given = [value for value in values if value is not None]
        if not given:
            found[name] = None
        elif name == "middle":
            found[name] = _middle([(p.get("weight") or 0, p.get(name)) for p in parts])
        elif name.endswith("mask"):
            found[name] = _ored(given)
        elif isinstance(given[0], list | tuple):
            found[name] = list(dict.fromkeys(word for value in given for word in value))
        else:
            found[name] = sum(given)
    return found


def _ored(values: Sequence[int]) -> int:
    mask = 0
    for value in values:
        mask |= int(value)
    return mask


def _middle(parts: Sequence[tuple[int, float | None]]) -> float | None:
    """The weighted median of medians: enough to tell seconds from milliseconds."""
    known = sorted((middle, weight) for weight, middle in parts if middle is not None)
    left = sum(weight for _, weight in known) / 2
    for middle, weight in known:
        left -= weight
        if left <= 0:
            return middle
    return known[-1][0] if known else None
