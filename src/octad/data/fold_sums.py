"""From a state's rows to numbers per user, per day since exposure, and per calendar day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from octad.data.clock import DAY
from octad.data.days import DayRows
from octad.data.fold_state import Form, Kind, State
from octad.data.primitives import Part, Primitive, Recipe

__all__ = ["Columns", "Sums"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_ROOM = 64
"""Bytes a user for columns that are put away."""


@dataclass(frozen=True, slots=True)
class Sums:
    """A state, read by primitives and spans.

    Attributes:
        starts: (stretches + 1,) where each stretch begins, in microseconds since exposure.
    """

    state: State
    starts: IntArray = field(init=False)

    def __post_init__(self) -> None:
        """Find the stretches that the state has rows in."""
        form, tally = self.state.form, self.state.tally
        last = int(tally.slot.max(initial=0)) // 2 + 2
        whole = np.arange(-form.back, last + 1 - form.back, dtype=np.int64) * DAY
        object.__setattr__(self, "starts", np.union1d(whole, np.array(form.edges, np.int64)))

    @property
    def n(self) -> int:
        """How many users there are."""
        return len(self.state.user)

    def users(self, part: Part) -> FloatArray:
        """(n,) the part of every user."""
        if part.how == "days":
            rows = self.by_day(part.primitive)
            there = (rows.y > 0) & (rows.day >= part.first) & (rows.day < part.last)
            return np.bincount(rows.uid[there], minlength=self.n).astype(np.float64)
        slots = self._slots(part)
        out: FloatArray | None = None
        for user, slot, value in self._rows(part.primitive):
            inside = np.flatnonzero((slot >= slots[0]) & (slot < slots[1]))
            if not len(inside):
                continue
            if len(inside) < len(slot):
                user, value = user[inside], None if value is None else value[inside]  # noqa: PLW2901
            more = np.bincount(user, value, self.n)
            if out is None:
                out = more.astype(np.float64, copy=False)
            else:
                out += more
        if out is None:
            return np.zeros(self.n)
        return (out > 0).astype(np.float64) if part.how == "any" else out

    def first_day(self, back: int) -> IntArray:
        """(n,) earliest day with any event, or the largest 32-bit integer.

        Args:
            back: Days before exposure that count; funnels may have the state reach further.
        """
        tally = self.state.tally
        none = np.iinfo(np.int16).max
        first = np.full(self.n, none, dtype=np.int16)
        inside = tally.slot >= 2 * int(np.searchsorted(self.starts, -back * DAY))
        np.minimum.at(first, tally.user[inside], tally.slot[inside])
        days = self._day_of(np.where(first == none, 0, first))
        return np.where(first == none, np.iinfo(np.int32).max, days)

    def any_before(self, back: int) -> bool:
        """Whether anybody has any row in so many days before exposure."""
        low, high = np.searchsorted(self.starts, [-back * DAY, 0])
        slot = self.state.tally.slot
        return bool(((slot >= 2 * low) & (slot < 2 * high)).any())

    def active(self) -> NDArray[np.bool_]:
        """(days, n) whether users did anything on each day from 0."""
        tally = self.state.tally
        zero = 2 * int(np.searchsorted(self.starts, 0))
        days = self._day_of(np.arange(len(self.starts) * 2))
        last = int(days[int(tally.slot.max(initial=0))])
        there = np.zeros((max(0, last + 1), self.n), dtype=bool)
        for user, slot, _ in self._rows(Primitive()):
            after = np.flatnonzero(slot >= zero)
            there[days[slot[after]], user[after]] = True
        return there

    def day_rows(self, made: Recipe) -> DayRows:
        """What is drawn of a metric by day: one number, or a numerator and a denominator."""
        parts = [self.by_day(p) for p in made.daily]
        if made.daily_any:
            parts = [replace(p, y=(p.y > 0).astype(np.float64)) for p in parts]
        if len(parts) == 1:
            return parts[0]
        width = max(int(p.day.max(initial=0)) for p in parts) + 1
        keys = [p.uid * width + p.day for p in parts]
        every = np.union1d(*keys)
        both = np.zeros((2, len(every)))
        for i, (key, part) in enumerate(zip(keys, parts, strict=True)):
            both[i, np.searchsorted(every, key)] = part.y
        return DayRows(every // width, every % width, both[0], both[1])

    def by_day(self, primitive: Primitive) -> DayRows:
        """A primitive by user and day from 0, each once."""
        users, days, values = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0)]
        zero = 2 * int(np.searchsorted(self.starts, 0))
        for user, slot, value in self._rows(primitive):
            after = np.flatnonzero(slot >= zero)
            users.append(user[after].astype(np.int64))
            days.append(self._day_of(slot[after]))
            values.append(np.ones(len(after)) if value is None else value[after])
        user, day = np.concatenate(users), np.concatenate(days)
        value = np.concatenate(values)
        width = int(day.max(initial=0)) + 1
        key = user * width + day
        order = np.argsort(key, kind="stable")
        key = key[order]
        first = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]])[: len(key)])
        total = np.add.reduceat(value[order], first) if len(first) else np.zeros(0)
        return DayRows(key[first] // width, key[first] % width, total)

    def by_date(self, primitive: Primitive, arm: IntArray, arms: int, days: IntArray) -> FloatArray:
        """(N, A) a primitive from exposure on, by calendar day and arm.

        Args:
            primitive: What is added up; `Primitive()` for every event.
            arm: (n,) codes.
            arms: How many there are.
            days: (N,) calendar days since 1970, without gaps.
        """
        out = np.zeros(len(days) * arms)
        for user, date, value in self._dated(primitive):
            cell = (date - int(days[0])) * arms + arm[user]
            out += np.bincount(cell, value, len(out))
        return out.reshape(len(days), arms)

    def users_by_date(self, arm: IntArray, arms: int, days: IntArray) -> FloatArray:
        """(N, A) users with any event from exposure on, by calendar day and arm."""
        there = np.zeros((len(days), self.n), dtype=bool)
        for user, date, _ in self._dated(Primitive()):
            there[date - int(days[0]), user] = True
        return np.array([np.bincount(arm[row], minlength=arms) for row in there], dtype=float)

    def dates(self) -> IntArray:
        """(N,) calendar days since 1970 on which there can be an event after exposure."""
        tally, form, exposed = self.state.tally, self.state.form, self.state.exposed
        if not len(tally.slot):
            return np.zeros(0, dtype=np.int64)
        last = int(self._day_of(tally.slot.max(keepdims=True))[0]) + 1
        end = (int(exposed.max()) // DAY) + last
        if form.until is not None:
            end = min(end, (form.until - 1) // DAY)
        return np.arange(int(exposed.min()) // DAY, end + 1)

    def _dated(self, primitive: Primitive) -> Iterator[tuple[Any, IntArray, Any]]:
        """Users, calendar days and numbers from exposure on, in pieces."""
        zero = 2 * int(np.searchsorted(self.starts, 0))
        exposed = (self.state.exposed // DAY).astype(np.int32)
        days = self._day_of(np.arange(len(self.starts) * 2)).astype(np.int32)
        for user, slot, value in self._rows(primitive):
            after = np.flatnonzero(slot >= zero)
            who, when = user[after], slot[after]
            number = None if value is None else value[after]
            yield who, exposed[who] + days[when] + (when & 1), number

    def _day_of(self, slot: NDArray[Any]) -> IntArray:
        """The day since exposure in which a slot lies."""
        return np.asarray((np.append(self.starts, self.starts[-1]) // DAY)[slot >> 1])

    def _slots(self, part: Part) -> tuple[int, int]:
        """The first slot of a part, and the first after it."""
        first, last = part.first * DAY, part.last * DAY
        if part.primitive.after is not None:
            first = max(first, part.primitive.after)
        if part.primitive.before is not None:
            last = min(last, part.primitive.before)
        edges = np.searchsorted(self.starts, [first, last])
        return 2 * int(edges[0]), 2 * int(edges[1])

    def _rows(self, primitive: Primitive) -> Iterator[tuple[Any, Any, Any]]:
        """Users, slots and numbers of a primitive, in pieces; None for numbers that are all 1."""
        tally = self.state.tally
        if primitive.column is None:
            for k, kind in enumerate(tally.kinds):
                first, last = int(tally.start[k]), int(tally.start[k + 1])
                if first < last and _among(kind, primitive, self.state.form):
                    some = slice(first, last)
                    yield tally.user[some], tally.slot[some], tally.count[some]
            return
        for (column, events), values in zip(self.state.form.sums, self.state.sums, strict=True):
            if column != primitive.column or not set(primitive.events) <= set(events):
                continue
            wanted = np.array([_among(k, primitive, self.state.form) for k in values.kinds])
            rows = np.flatnonzero(wanted[values.kind])
            number = None if primitive.present else values.value[rows]
            yield values.user[rows], values.slot[rows], number


def _among(kind: Kind, primitive: Primitive, form: Form) -> bool:
    """Whether rows of a kind are of a primitive."""
    event, flags = kind
    if primitive.events and event not in primitive.events:
        return False
    if primitive.where is None:
        return True
    return bool((flags >> form.conditions.index(primitive.where)) & 1)


@dataclass(frozen=True, slots=True)
class Columns(Mapping[Part, FloatArray]):
    """Parts to numbers per user, each added up when it is first asked for.

    Most are asked for several times: by the search for harm, by metrics, by those beside them.
    What was added up is put away small, as long as there is room.

    Attributes:
        parts: Those that may be asked for.
        kept: Parts that are asked for often, made once.
    """

    sums: Sums
    parts: frozenset[Part]
    kept: dict[Part, FloatArray] = field(default_factory=dict)
    _away: dict[Part, _Packed] = field(default_factory=dict)

    def __getitem__(self, part: Part) -> FloatArray:
        """The part of every user."""
        if part not in self.parts:
            raise KeyError(part)
        found = self.kept.get(part)
        if found is not None:
            return found
        away = self._away.get(part)
        if away is not None:
            return away.unpacked(self.sums.n)
        found = self.sums.users(part)
        packed = _Packed.of(found)
        # A copy, for other threads may put something away meanwhile.
        held = sum(one.size for one in tuple(self._away.values()))
        if held + packed.size <= _ROOM * self.sums.n:
            self._away[part] = packed
        return found

    def __iter__(self) -> Iterator[Part]:
        """Every part there is."""
        return iter(self.parts)

    def __len__(self) -> int:
        """How many parts there are."""
        return len(self.parts)


@dataclass(frozen=True, slots=True)
class _Packed:
    """A column in few bytes: small whole numbers as such, and only who has any where few have.

    Attributes:
        value: What it holds; `user` whose each is, or None where everybody's is there.
    """

    value: NDArray[Any]
    user: NDArray[np.int32] | None

    @classmethod
    def of(cls, column: FloatArray) -> _Packed:
        """Put a column away; not a digit of it is lost."""
        value: NDArray[Any] = column
        for small in (np.uint8, np.uint16):
            if column.max(initial=0.0) <= np.iinfo(small).max and column.min(initial=0.0) >= 0:
                whole = column.astype(small)
                if (whole == column).all():
                    value = whole
                    break
        there = np.flatnonzero(value != 0)
        if len(there) * (4 + value.itemsize) < value.nbytes:
            return cls(value[there], there.astype(np.int32))
        return cls(value, None)

    @property
    def size(self) -> int:
        """Bytes."""
        return self.value.nbytes + (0 if self.user is None else self.user.nbytes)

    def unpacked(self, n: int) -> FloatArray:
        """(n,) the column."""
        if self.user is None:
            return self.value.astype(np.float64)
        out = np.zeros(n)
        out[self.user] = self.value
        return out
