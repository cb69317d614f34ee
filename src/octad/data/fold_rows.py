"""Adding batches of coded events up to a state: numpy alone, one batch at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from octad.data.clock import DAY
from octad.data.fold_state import (
    Form,
    Kind,
    Marks,
    Ordered,
    Reading,
    Readings,
    State,
    Tally,
    Values,
)
from octad.data.population import BUCKETS

__all__ = ["MOST_VALUES", "NOBODY", "Batch", "Folder", "People", "thinner"]

NOBODY = -1
"""The number of a user who is not compared; -2 - i is the i-th of staff."""

_Rows: TypeAlias = tuple[NDArray[Any], ...]
"""Columns of some rows."""

_SLOT_BITS = 15
_MOST_COUNT = np.iinfo(np.uint16).max
MOST_VALUES = 8_000_000


def thinner(buckets: int) -> int:
    """How many buckets of users are kept next, where the values of so many are too many."""
    return max(1, buckets * 3 // 4)


@dataclass(frozen=True, slots=True)
class People:
    """Whose events are folded.

    Attributes:
        user: (n,) uint64 half of the MD5 of each user's id; `staff` (m,) of each of the staff.
        exposed: (n,) int64 microseconds since 1970.
        bucket: (n,) int16.
    """

    user: NDArray[np.uint64]
    exposed: NDArray[np.int64]
    bucket: NDArray[np.int16]
    staff: NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of the source.

    Attributes:
        uid: (rows,) int32 place in `People.user`, `NOBODY`, or staff.
        at: (rows,) int64 microseconds since 1970.
        code: (rows,) int16, 1 + place in `Form.events`; 0 for other names, -1 for rows that
            cannot be used.
        flags: (rows,) int64 conditions met, as bits; None where there are none.
        values: By column: (rows,) numbers and (rows,) whether there is one.
        marked: Rows whose event's name came along, and those names.
    """

    uid: NDArray[np.int32]
    at: NDArray[np.int64]
    code: NDArray[np.int16]
    flags: NDArray[np.int64] | None
    values: dict[str, tuple[NDArray[np.float64], NDArray[np.bool_]]]
    marked: tuple[NDArray[np.int64], Sequence[str], NDArray[np.int64]]


@dataclass(slots=True)
class _Kinds:
    """Numbers for the kinds of event that came, in the order they came.

    A condition that no metric asks of an event does not tell its rows apart.
    """

    form: Form
    asked: NDArray[np.int64]
    numbers: dict[tuple[int, int], int] = field(default_factory=dict)

    def of(self, code: NDArray[np.int16], flags: NDArray[np.int64] | None) -> NDArray[np.int64]:
        """(rows,) kinds of (rows,) events."""
        if flags is None:
            return self._looked_up(code.astype(np.int64), 0)
        both = (flags & self.asked[code]) * (len(self.form.events) + 1) + code
        return self._looked_up(both, 1)

    def _looked_up(self, key: NDArray[np.int64], flagged: int) -> NDArray[np.int64]:
        width = len(self.form.events) + 1
        if flagged == 0:
            table = np.array([self.number(c, 0) for c in range(width)])
            return table[key]
        seen, index = np.unique(key, return_inverse=True)
        table = np.array([self.number(int(k % width), int(k // width)) for k in seen])
        return table[index] if len(seen) else key

    def number(self, code: int, flags: int) -> int:
        return self.numbers.setdefault((code, flags), len(self.numbers))

    @property
    def names(self) -> tuple[Kind, ...]:
        events = (None, *self.form.events)
        return tuple((events[code], flags) for code, flags in self.numbers)


@dataclass(slots=True)
class Folder:
    """Takes batches in any order; `state` is what they add up to.

    Attributes:
        asked: Event (None for every other) to the conditions that are asked of it, as bits.
    """

    people: People
    form: Form
    asked: dict[str | None, int]
    _kinds: _Kinds = field(init=False)
    _clock: NDArray[np.int64] = field(init=False)
    _tallies: list[_Rows] = field(default_factory=list)
    _values: list[list[_Rows]] = field(init=False)
    _readings: list[_Reader] = field(init=False)
    _ordered: list[_Rows] = field(default_factory=list)
    _marks: list[_Rows] = field(default_factory=list)
    _names: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Lay the tables out."""
        events = (None, *self.form.events)
        asked = np.array([self.asked.get(event, 0) for event in events], dtype=np.int64)
        self._kinds = _Kinds(self.form, asked)
        self._values = [[] for _ in self.form.sums]
        n = len(self.people.user)
        self._clock = self.people.exposed % DAY
        self._readings = [_Reader(r, self.form, n) for r in self.form.readings]

    def add(self, batch: Batch) -> None:
        """Fold the rows of the people in."""
        self._mark(batch)
        rows, since = self._inside(batch)
        if not len(since):
            return
        # Where all rows are, a slice of them is no copy.
        uid, code = batch.uid[rows], batch.code[rows]
        flags = None if batch.flags is None else batch.flags[rows]
        kind = self._kinds.of(code, flags)
        slot = self._slot(uid, since)
        self._tally(kind, uid, slot)
        for (column, events), into in zip(self.form.sums, self._values, strict=True):
            value, there = batch.values[column]
            some = np.flatnonzero(there[rows] & self._among(events)[code])
            into.append((kind[some], uid[some], slot[some], value[rows][some]))
        for reader in self._readings:
            value, there = batch.values[reader.reading.column]
            among = self._among(reader.reading.events) if reader.reading.events else None
            reader.add(value[rows], there[rows], among, code, flags, since, uid, self.people)
        if self.form.ordered:
            some = np.flatnonzero(self._among(self.form.ordered)[code])
            self._ordered.append((kind[some], uid[some], since[some]))

    def _inside(self, batch: Batch) -> tuple[slice | NDArray[np.int64], NDArray[np.int64]]:
        """The rows of users that are seen and not too old, and when they were since exposure."""
        inside = (batch.uid >= 0) & (batch.code >= 0)
        if self.form.until is not None:
            inside &= batch.at < self.form.until
        # Users who are none get a moment, too, and are left out after.
        since = batch.at - self.people.exposed[np.maximum(batch.uid, 0)]
        inside &= since >= -self.form.back * DAY
        if inside.all():
            return slice(None), since
        rows = np.flatnonzero(inside)
        return rows, since[rows]

    def _among(self, events: tuple[str, ...]) -> NDArray[np.bool_]:
        """By code: whether it is one of these events."""
        return np.array([False, *(event in events for event in self.form.events)])

    def _slot(self, uid: NDArray[np.int32], since: NDArray[np.int64]) -> NDArray[np.int64]:
        day = since // DAY
        clock = self._clock[uid] + since - day * DAY
        stretch = day + self.form.back
        for edge in self.form.edges:
            stretch += since >= edge
        return 2 * stretch + (clock >= DAY)

    def _tally(
        self, kind: NDArray[np.int64], uid: NDArray[np.int32], slot: NDArray[np.int64]
    ) -> None:
        """Count the rows of one kind, user and slot, by sorting all three as one number."""
        user_bits = max(1, len(self.people.user).bit_length())
        key = (((kind << user_bits) | uid) << _SLOT_BITS) | slot
        key.sort()
        ends = np.flatnonzero(np.concatenate([key[1:] != key[:-1], [True]]))
        count = np.diff(ends, prepend=-1)
        key = key[ends]
        while (count > _MOST_COUNT).any():
            much = np.flatnonzero(count > _MOST_COUNT)
            key = np.concatenate([key, key[much]])
            count = np.concatenate([count, count[much] - _MOST_COUNT])
            count[much] = _MOST_COUNT
            order = np.argsort(key, kind="stable")
            key, count = key[order], count[order]
        k = key >> (user_bits + _SLOT_BITS)
        start = np.searchsorted(k, np.arange(int(k[-1]) + 2))
        user = (key >> _SLOT_BITS) & ((1 << user_bits) - 1)
        self._tallies.append(
            (
                start,
                user.astype(np.int32),
                (key & ((1 << _SLOT_BITS) - 1)).astype(np.int16),
                count.astype(np.uint16),
            )
        )

    def _mark(self, batch: Batch) -> None:
        rows, names, index = batch.marked
        uid, at = batch.uid[rows], batch.at[rows]
        mine = uid >= 0
        after = np.ones(len(rows), dtype=bool)
        after[mine] = at[mine] >= self.people.exposed[uid[mine]]
        if self.form.until is not None:
            after &= at < self.form.until
        numbers = np.array(
            [self._names.setdefault(name, len(self._names)) for name in names], dtype=np.int64
        )
        if after.any():
            person = np.where(mine, uid, uid - NOBODY)[after]
            self._marks.append((numbers[index[after]], person, at[after]))

    def state(self) -> State:
        """What the batches added up to; nothing can be added any more."""
        kinds = self._kinds.names
        moment = _columns(self._ordered, (np.int16, np.int32, np.int64))
        mark = _columns(self._marks, (np.int32, np.int32, np.int64))
        return State(
            form=self.form,
            user=self.people.user,
            exposed=self.people.exposed,
            bucket=self.people.bucket,
            staff=self.people.staff,
            tally=_tally_of(kinds, self._tallies),
            sums=tuple(
                Values(kinds, *_columns(some, (np.int16, np.int32, np.int16, np.float64)))
                for some in self._values
            ),
            readings=tuple(reader.readings(self.people) for reader in self._readings),
            ordered=Ordered(kinds, *moment),
            marks=Marks(tuple(self._names), *mark),
        )


@dataclass(slots=True)
class _Reader:
    """Keeps the values of one reading, of ever fewer buckets of users where they are too many."""

    reading: Reading
    form: Form
    users: int
    buckets: int = BUCKETS
    held: int = 0
    kept: list[_Rows] = field(default_factory=list)
    passed: list[NDArray[np.int32]] = field(default_factory=list)
    total: NDArray[np.uint32] = field(init=False)

    def __post_init__(self) -> None:
        self.total = np.zeros(self.users, dtype=np.uint32)

    def add(
        self,
        value: NDArray[np.float64],
        there: NDArray[np.bool_],
        among: NDArray[np.bool_] | None,
        code: NDArray[np.int16],
        flags: NDArray[np.int64] | None,
        since: NDArray[np.int64],
        uid: NDArray[np.int32],
        people: People,
    ) -> None:
        wanted = there & (since >= 0) & np.isfinite(value)
        if among is not None:
            wanted &= among[code]
        if self.reading.window is not None:
            wanted &= since < self.reading.window
        if self.reading.condition is not None and flags is not None:
            bit = self.form.conditions.index(self.reading.condition)
            wanted &= (flags >> bit) & 1 == 1
        some = np.flatnonzero(wanted)
        who = uid[some]
        if self.buckets < BUCKETS:
            near = people.bucket[who] < self.buckets
            self._pass(who[~near])
            some, who = some[near], who[near]
        self.kept.append((who, value[some]))
        self.held += len(some)
        while self.held > MOST_VALUES and self.buckets > 1:
            self._thin(people)

    def _thin(self, people: People) -> None:
        """Leave a quarter of the buckets out; half would be one too many now and then."""
        self.buckets = thinner(self.buckets)
        thinned: list[_Rows] = []
        for who, value in self.kept:
            near = people.bucket[who] < self.buckets
            self._pass(who[~near])
            thinned.append((who[near], value[near]))
        self.kept = thinned
        self.held = sum(len(rows[0]) for rows in thinned)

    def _pass(self, who: NDArray[np.int32]) -> None:
        """Count values that are not kept, many at once."""
        self.passed.append(who)
        if sum(map(len, self.passed)) > max(self.users, 1_000_000):
            self._count()

    def _count(self) -> None:
        for who in (np.concatenate(self.passed),) if self.passed else ():
            self.total += np.bincount(who, minlength=self.users).astype(np.uint32)
        self.passed = []

    def readings(self, people: People) -> Readings:
        self._count()
        user, value = _columns(self.kept, (np.int32, np.float64))
        self.kept = []
        total = self.total + np.bincount(user, minlength=len(people.user)).astype(np.uint32)
        return Readings(user, value, total, self.buckets)


def _columns(rows: list[_Rows], kinds: tuple[Any, ...]) -> tuple[Any, ...]:
    """Pieces of columns as whole columns, each of its type."""
    found = []
    for i, kind in enumerate(kinds):
        pieces = [row[i].astype(kind, copy=False) for row in rows]
        found.append(np.concatenate([np.zeros(0, kind), *pieces]))
    return tuple(found)


def _tally_of(kinds: tuple[Kind, ...], parts: list[_Rows]) -> Tally:
    """Sorted batches put together, kind by kind."""
    width = len(kinds) + 1
    starts = [np.concatenate([p[0], np.full(width - len(p[0]), p[0][-1])]) for p in parts]
    size = np.zeros(width, dtype=np.int64)
    for start in starts:
        size[1:] += np.diff(start)
    columns: list[Any] = []
    for i, of in ((1, np.int32), (2, np.int16), (3, np.uint16)):
        pieces = [
            part[i][start[k] : start[k + 1]]
            for k in range(len(kinds))
            for part, start in zip(parts, starts, strict=True)
        ]
        columns.append(np.concatenate([np.zeros(0, of), *pieces]))
    parts.clear()
    return Tally(kinds, np.cumsum(size), *columns)
