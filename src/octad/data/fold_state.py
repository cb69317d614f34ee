"""What one read of the events leaves behind: rows that add up over files, days and users.

A state belongs to a set of users with their exposures. It holds no user's id, only half of its
MD5, so that states of different looks can be put together. Nothing in it depends on the review's
today, on who is staff or in which arm: all of that is applied when a state is used.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from octad.data.fold_files import read_state, write_state

__all__ = [
    "Form",
    "Kind",
    "Marks",
    "Ordered",
    "Reading",
    "Readings",
    "State",
    "Tally",
    "Values",
]

Kind: TypeAlias = tuple[str | None, int]
"""An event's name (None: one that nobody asked for) and which conditions its rows meet, as bits."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Values wanted one by one, for a quantile.

    Attributes:
        column: The column.
        events: On these events; on every one when empty.
        condition: Among rows that meet this one, as the plan writes it.
        window: Within so many microseconds after exposure; None for all after it.
    """

    column: str
    events: tuple[str, ...] = ()
    condition: str | None = None
    window: int | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """What was read and how finely; states that differ in `sampled` alone can be merged.

    Attributes:
        events: Names that metrics, jobs or errors speak of; the others are one.
        conditions: Conditions (`where:`), one bit each.
        sums: Columns that are added up, each with its events.
        readings: Values wanted one by one.
        ordered: Events whose exact moments are kept, for funnels.
        back: Days before exposure that are kept.
        edges: Moments since exposure, in microseconds, at which the days are cut besides.
        sampled: Users of buckets below this one are kept event by event.
        until: Moments from here on are not read, in microseconds since 1970; None without end.
        since: Moments before this one are not read, for nobody was exposed so early that they
            count; None where nobody knows how early that is.
        others: Whether events that nobody names are counted, too; else they are not read.
    """

    events: tuple[str, ...]
    conditions: tuple[str, ...] = ()
    sums: tuple[tuple[str, tuple[str, ...]], ...] = ()
    readings: tuple[Reading, ...] = ()
    ordered: tuple[str, ...] = ()
    back: int = 28
    edges: tuple[int, ...] = ()
    sampled: int = 0
    until: int | None = None
    since: int | None = None
    others: bool = True


@dataclass(frozen=True, slots=True)
class Tally:
    """How often a user did something in a stretch of time: rows by kind, user and slot.

    A slot is twice the stretch's number, plus one where it lies after the midnight (UTC) within
    its day since exposure: so the rows add up by day since exposure and by calendar day.
    Stretches begin at every whole day since exposure from `Form.back` days before, and at
    `Form.edges`. One kind, user and slot may have several rows.

    Attributes:
        kinds: Length K.
        start: (K + 1,) int64 where each kind's rows begin.
        user: (rows,) int32, place of the user in `State.user`.
        slot: (rows,) int16.
        count: (rows,) uint16.
    """

    kinds: tuple[Kind, ...]
    start: NDArray[np.int64]
    user: NDArray[np.int32]
    slot: NDArray[np.int16]
    count: NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class Values:
    """A column's values that are added up, one row an event that has one.

    Attributes:
        kinds: Length K; `kind` (rows,) int16 are places in it.
        user: (rows,) int32.
        slot: (rows,) int16.
        value: (rows,) float64.
    """

    kinds: tuple[Kind, ...]
    kind: NDArray[np.int16]
    user: NDArray[np.int32]
    slot: NDArray[np.int16]
    value: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Readings:
    """Values one by one: of all users, or where they are very many, of whole buckets of users.

    Attributes:
        user: (rows,) int32.
        value: (rows,) float64, finite.
        total: (n,) uint32 values that each user has, those not kept included.
        buckets: Only users of buckets below this one are here.
    """

    user: NDArray[np.int32]
    value: NDArray[np.float64]
    total: NDArray[np.uint32]
    buckets: int


@dataclass(frozen=True, slots=True)
class Ordered:
    """Events with their exact moments, for what depends on their order.

    Attributes:
        kinds: Length K; `kind` (rows,) int16 are places in it.
        user: (rows,) int32.
        since: (rows,) int64 microseconds since exposure.
    """

    kinds: tuple[Kind, ...]
    kind: NDArray[np.int16]
    user: NDArray[np.int32]
    since: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Marks:
    """Events of sampled users after exposure, and of staff, under their own names.

    Attributes:
        names: Every event's name; `event` (rows,) int32 are places in it.
        person: (rows,) int32, place in `State.user`, or -1 - i for the i-th of `State.staff`.
        at: (rows,) int64 microseconds since 1970.
    """

    names: tuple[str, ...]
    event: NDArray[np.int32]
    person: NDArray[np.int32]
    at: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class State:
    """All of it.

    Attributes:
        user: (n,) uint64, half of the MD5 of each user's id.
        exposed: (n,) int64 microseconds since 1970.
        bucket: (n,) int16.
        staff: (m,) uint64, half of the MD5 of the ids of the staff whose events are kept.
        sums: In the order of `Form.sums`; `readings` in that of `Form.readings`.
    """

    form: Form
    user: NDArray[np.uint64]
    exposed: NDArray[np.int64]
    bucket: NDArray[np.int16]
    staff: NDArray[np.uint64]
    tally: Tally
    sums: tuple[Values, ...]
    readings: tuple[Readings, ...]
    ordered: Ordered
    marks: Marks

    def take(self, keep: NDArray[np.bool_]) -> State:
        """The state of some of the users; the events of staff stay.

        Args:
            keep: (n,) whom to keep.
        """
        to = np.where(keep, np.cumsum(keep) - 1, -1).astype(np.int32)
        who = (self.user[keep], self.exposed[keep], self.bucket[keep], self.staff)
        return _moved(self, who, to)

    def merge(self, other: State) -> State:
        """Add up two states of one form.

        A user may be in both (other files' events) or in one (another user): ids decide.

        Raises:
            ValueError: When the forms differ, a user in both was exposed at another moment, or
                two users of one state have the same half of MD5.
        """
        sorts = (np.sort(one.user) for one in (self, other))
        if any((user[1:] == user[:-1]).any() for user in sorts):
            msg = "two users have the same half of MD5, so they cannot be told apart"
            raise ValueError(msg)
        if replace(self.form, sampled=0) != replace(other.form, sampled=0):
            msg = "states of two forms cannot be merged"
            raise ValueError(msg)
        user, first = np.unique(np.concatenate([self.user, other.user]), return_index=True)
        exposed = np.concatenate([self.exposed, other.exposed])[first]
        bucket = np.concatenate([self.bucket, other.bucket])[first]
        staff = np.union1d(self.staff, other.staff)
        moved = []
        for one in (self, other):
            to = np.searchsorted(user, one.user).astype(np.int32)
            if (exposed[to] != one.exposed).any():
                msg = "a user is in both states with two exposures"
                raise ValueError(msg)
            moved.append(_moved(one, (user, exposed, bucket, staff), to))
        return _joined(moved[0], moved[1])

    def save(self, folder: Path) -> None:
        """Write every array as ``.npy`` and the rest as ``state.json`` into a folder."""
        write_state(self, folder)

    @classmethod
    def load(cls, folder: Path) -> State:
        """Read what `save` wrote; the arrays are mapped from the files, not copied.

        Raises:
            ValueError: When a file is absent, cut short or does not fit the others.
        """
        return read_state(cls, folder)


_People: TypeAlias = tuple[
    NDArray[np.uint64], NDArray[np.int64], NDArray[np.int16], NDArray[np.uint64]
]


def _moved(state: State, people: _People, to: NDArray[np.int32]) -> State:
    """The same rows over other users; `to` (n,) is each one's new place, or -1."""
    user, exposed, bucket, staff = people

    def rows(part: Any, **more: Any) -> Any:
        places = to[part.user]
        keep = places >= 0
        names = [n for n in ("kind", "slot", "value", "since") if hasattr(part, n)]
        kept = {n: getattr(part, n)[keep] for n in names}
        return replace(part, user=places[keep], **kept, **more)

    def totals(part: Readings) -> NDArray[np.uint32]:
        out = np.zeros(len(user), dtype=np.uint32)
        out[to[to >= 0]] = part.total[to >= 0]
        return out

    return replace(
        state,
        user=user,
        exposed=exposed,
        bucket=bucket,
        staff=staff,
        tally=_tally_moved(state.tally, to),
        sums=tuple(rows(part) for part in state.sums),
        readings=tuple(rows(part, total=totals(part)) for part in state.readings),
        ordered=rows(state.ordered),
        marks=_marks_moved(state.marks, to, _places(staff, state.staff)),
    )


def _places(known: NDArray[np.uint64], asked: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Where each of some is among all; staff are in the order of their ids, not of their hashes."""
    order = np.argsort(known)
    return np.asarray(order[np.searchsorted(known, asked, sorter=order)], dtype=np.int64)


def _tally_moved(tally: Tally, to: NDArray[np.int32]) -> Tally:
    places = to[tally.user]
    keep = places >= 0
    before = np.concatenate([[0], np.cumsum(keep)])
    return Tally(
        tally.kinds, before[tally.start], places[keep], tally.slot[keep], tally.count[keep]
    )


def _marks_moved(marks: Marks, to: NDArray[np.int32], staff: NDArray[np.int64]) -> Marks:
    person = marks.person.copy()
    user = person >= 0
    person[user] = to[person[user]]
    person[~user] = -1 - staff[-1 - marks.person[~user]]
    keep = (person >= 0) | ~user
    return Marks(marks.names, marks.event[keep], person[keep], marks.at[keep])


def _joined(one: State, two: State) -> State:
    """Rows of two states over the same users, one after the other."""
    sampled = min(one.form.sampled, two.form.sampled)
    return replace(
        one,
        form=replace(one.form, sampled=sampled),
        tally=_tallies_joined(one.tally, two.tally),
        sums=tuple(_rows_joined(a, b) for a, b in zip(one.sums, two.sums, strict=True)),
        readings=tuple(
            _readings_joined(a, b, one.bucket)
            for a, b in zip(one.readings, two.readings, strict=True)
        ),
        ordered=_rows_joined(one.ordered, two.ordered),
        marks=_marks_joined(one.marks, two.marks, one.bucket, sampled),
    )


def _tallies_joined(one: Tally, two: Tally) -> Tally:
    kinds = tuple(dict.fromkeys((*one.kinds, *two.kinds)))
    pieces: dict[str, list[Any]] = {"user": [], "slot": [], "count": []}
    sizes = [0]
    for kind in kinds:
        for part in (one, two):
            if kind in part.kinds:
                k = part.kinds.index(kind)
                for name, piece in pieces.items():
                    piece.append(getattr(part, name)[part.start[k] : part.start[k + 1]])
        sizes.append(sum(map(len, pieces["user"])))
    empty = {"user": np.int32, "slot": np.int16, "count": np.uint16}
    arrays = {n: np.concatenate([np.zeros(0, empty[n]), *p]) for n, p in pieces.items()}
    return Tally(kinds, np.array(sizes, dtype=np.int64), **arrays)


def _rows_joined(one: Any, two: Any) -> Any:
    kinds = tuple(dict.fromkeys((*one.kinds, *two.kinds)))
    to = [np.array([kinds.index(k) for k in part.kinds], dtype=np.int16) for part in (one, two)]
    kind = np.concatenate([to[0][one.kind], to[1][two.kind]])
    names = [n for n in ("user", "slot", "value", "since") if hasattr(one, n)]
    both = {n: np.concatenate([getattr(one, n), getattr(two, n)]) for n in names}
    return replace(one, kinds=kinds, kind=kind, **both)


def _readings_joined(one: Readings, two: Readings, bucket: NDArray[np.int16]) -> Readings:
    buckets = min(one.buckets, two.buckets)
    user = np.concatenate([one.user, two.user])
    keep = bucket[user] < buckets
    value = np.concatenate([one.value, two.value])
    return Readings(user[keep], value[keep], one.total + two.total, buckets)


def _marks_joined(one: Marks, two: Marks, bucket: NDArray[np.int16], sampled: int) -> Marks:
    names = tuple(dict.fromkeys((*one.names, *two.names)))
    place = {name: i for i, name in enumerate(names)}
    event = [np.array([place[n] for n in part.names], np.int32)[part.event] for part in (one, two)]
    person = np.concatenate([one.person, two.person])
    keep = person < 0
    keep[~keep] = bucket[person[~keep]] < sampled
    at = np.concatenate([one.at, two.at])
    return Marks(names, np.concatenate(event)[keep], person[keep], at[keep])
