"""What the one read of events must keep so that everything asked for can be made of it.

Events are added up by user, day and *kind*: the event's name (if anything names it) and the
conditions that it meets. Every number is then a sum over some kinds and days, so a small table that
says which makes all of them by one join, however many they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

import ibis
import pyarrow as pa

from octad.data.columns import column, number
from octad.data.expression import condition
from octad.data.primitives import Part, Primitive, Recipe

__all__ = ["ROLES", "UNNAMED", "Flag", "Key", "Kind", "Layout", "Unit", "spans"]

UNNAMED = -1
"""Stands for every event name that nothing asks for."""

Key: TypeAlias = tuple[str, ...]

ROLES = ("y", "d", "x", "w")
_BITS = 60  # of a signed 64-bit number, with room to spare


@dataclass(frozen=True, slots=True)
class Unit:
    """One number per user (two of them, after and before; four for a ratio).

    Attributes:
        key: What it is, such as ``("metric", "opens")`` or ``("job", "search")``.
        y, d, x, w: As in `octad.data.primitives.Recipe`.
        reach: Microseconds after exposure until it is complete; None when it is open.
        others: It counts the events that its parts do *not* name.
        free: Its rows come from elsewhere (a funnel), and `d` and `w` are in them.
    """

    key: Key
    y: Part | None = None
    d: Part | None = None
    x: Part | None = None
    w: Part | None = None
    reach: int | None = None
    others: bool = False
    free: bool = False

    @classmethod
    def of(cls, key: Key, recipe: Recipe) -> Unit:
        """The unit of a recipe."""
        return cls(key, recipe.y, recipe.d, recipe.x, recipe.w, recipe.window)

    @property
    def plain(self) -> bool:
        """Whether it is a mean over users: `d` and `w` are 1."""
        return self.d is None and not self.free

    def parts(self) -> Iterator[tuple[int, Part]]:
        """The parts there are, with the number of their role."""
        for role, part in enumerate((self.y, self.d, self.x, self.w)):
            if part is not None:
                yield role, part


class Flag(NamedTuple):
    """A condition on an event: one written in the plan, or a moment since exposure."""

    where: str | None = None
    after: int | None = None
    before: int | None = None


class Kind(NamedTuple):
    """An event's name, as a number, and which flags it has, as bits."""

    name: int
    masks: tuple[int, ...]


def _flags(primitive: Primitive) -> Iterator[Flag]:
    if primitive.where is not None:
        yield Flag(where=primitive.where)
    if primitive.after is not None:
        yield Flag(after=primitive.after)
    if primitive.before is not None:
        yield Flag(before=primitive.before)


@dataclass(frozen=True, slots=True)
class Layout:
    """What is kept of each event.

    Attributes:
        names: Event names that something asks for.
        columns: Columns whose numbers are added up.
        flags: Conditions, each a bit of a mask.
        about: For each flag, the names of the events for which it matters; every event if empty.
    """

    names: tuple[str, ...]
    columns: tuple[str, ...]
    flags: tuple[Flag, ...]
    about: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, primitives: Iterable[Primitive]) -> Layout:
        """Whatever these need."""
        wanted = tuple(dict.fromkeys(primitives))
        names = tuple(dict.fromkeys(e for p in wanted for e in p.events))
        columns = tuple(dict.fromkeys(p.column for p in wanted if p.column is not None))
        about: dict[Flag, tuple[str, ...]] = {}
        for primitive in wanted:
            for flag in _flags(primitive):
                known = about.get(flag)
                everything = not primitive.events or known == ()
                both = dict.fromkeys((*(known or ()), *primitive.events))
                about[flag] = () if everything else tuple(both)
        return cls(names, columns, tuple(about), tuple(about.values()))

    @property
    def masks(self) -> tuple[str, ...]:
        """The columns that hold flags."""
        return tuple(f"m{i}" for i in range(-(-len(self.flags) // _BITS)))

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns that make a kind."""
        return ("name", *self.masks)

    @property
    def sums(self) -> tuple[str, ...]:
        """The columns of what is added up; `pick` numbers them."""
        each = [f"{what}{i}" for i in range(len(self.columns)) for what in ("s", "k")]
        return ("n", *each)

    def values(self, events: ibis.Table) -> dict[str, Any]:
        """Each column as a number, by `v0, v1, …`."""
        return {f"v{i}": number(column(events, name)) for i, name in enumerate(self.columns)}

    def masked(self, events: ibis.Table, since: Any) -> dict[str, Any]:
        """The masks of each event."""
        found: dict[str, Any] = {}
        for i, mask in enumerate(self.masks):
            bits = [
                ibis.ifelse(self._holds(events, since, at), 1 << (at % _BITS), 0).cast("int64")
                for at in range(i * _BITS, min((i + 1) * _BITS, len(self.flags)))
            ]
            total = bits[0]
            for bit in bits[1:]:
                total = total + bit
            found[mask] = total
        return found

    def _holds(self, events: ibis.Table, since: Any, at: int) -> Any:
        flag, names = self.flags[at], self.about[at]
        if flag.where is not None:
            holds: Any = condition(events, flag.where)
        elif flag.after is not None:
            holds = since >= flag.after
        else:
            holds = since < flag.before
        return (events.event.isin(names) & holds).fill_null(False) if names else holds

    def added(self, table: ibis.Table) -> dict[str, Any]:
        """The sums, as aggregates over events."""
        found = {"n": table.count().cast("float64")}
        for i in range(len(self.columns)):
            value = table[f"v{i}"]
            found |= {f"s{i}": value.sum(), f"k{i}": value.count().cast("float64")}
        return found

    def named(self) -> pa.Table:
        """Event names and their numbers."""
        return pa.table(
            {
                "word": pa.array(self.names, pa.string()),
                "name": pa.array(range(len(self.names)), pa.int32()),
            }
        )

    def kinds(self) -> tuple[Kind, ...]:
        """All kinds there can be, where there are no flags."""
        return tuple(Kind(name, ()) for name in range(UNNAMED, len(self.names)))

    def counts(self, primitive: Primitive, kind: Kind, *, others: bool = False) -> bool:
        """Whether events of a kind are among those that a primitive adds up."""
        if primitive.events:
            named = kind.name != UNNAMED and self.names[kind.name] in primitive.events
            if named is others:
                return False
        return all(self._has(kind, self.flags.index(flag)) for flag in _flags(primitive))

    def _has(self, kind: Kind, at: int) -> bool:
        return bool(kind.masks[at // _BITS] >> (at % _BITS) & 1)

    def pick(self, primitive: Primitive) -> int:
        """Which of `sums` a primitive adds up."""
        if primitive.column is None:
            return 0
        return 1 + 2 * self.columns.index(primitive.column) + primitive.present

    def picked(self, table: ibis.Table) -> Any:
        """The value of each row, by its `pick`."""
        return table.pick.cases(*[(i, table[name]) for i, name in enumerate(self.sums)])


def spans(parts: Iterable[Part]) -> list[tuple[int, int]]:
    """Runs of days, none overlapping, of which each part holds some whole."""
    edges = sorted({edge for part in parts for edge in (part.first, part.last)})
    return list(pairwise(edges))
