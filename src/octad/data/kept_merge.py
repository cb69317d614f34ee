"""Several states over one set of people, as the state that one read would have left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from octad.data.fold_rows import MOST_VALUES, People, thinner
from octad.data.fold_state import (
    Form,
    Kind,
    Marks,
    Ordered,
    Readings,
    State,
    Tally,
    Values,
)

__all__ = ["Piece", "combined", "only_active", "size_of"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A state, and where its people are among those of the whole.

    Attributes:
        to: (n,) int32 place of each of its users; -1 for those whose rows do not count.
        staff: (m,) int32 the same for its staff.
    """

    state: State
    to: NDArray[np.int32]
    staff: NDArray[np.int32]


def combined(pieces: Sequence[Piece], people: People, form: Form) -> State:
    """Add states up.

    Args:
        pieces: They have no event in common, once users who do not count are left out.
        people: Of the whole.
        form: Of the whole; theirs differ in `until` and in a larger `sampled` at most.
    """
    own = [p.state.tally.kinds for p in pieces] + [p.state.ordered.kinds for p in pieces]
    own += [values.kinds for p in pieces for values in p.state.sums]
    kinds = tuple(dict.fromkeys(kind for some in own for kind in some))
    return State(
        form=form,
        user=people.user,
        exposed=people.exposed,
        bucket=people.bucket,
        staff=people.staff,
        tally=_tally(pieces, kinds),
        sums=tuple(
            Values(kinds, **_rows(pieces, kinds, _sums_at(i), ("slot", "value")))
            for i in range(len(form.sums))
        ),
        readings=tuple(_readings(pieces, people, i) for i in range(len(form.readings))),
        ordered=Ordered(kinds, **_rows(pieces, kinds, lambda s: s.ordered, ("since",))),
        marks=_marks(pieces, people, form.sampled),
    )


def _sums_at(place: int) -> Callable[[State], Values]:
    return lambda state: state.sums[place]


def _tally(pieces: Sequence[Piece], kinds: Sequence[Kind]) -> Tally:
    """Kind by kind, the rows of every piece."""
    found: dict[str, list[Any]] = {"user": [], "slot": [], "count": []}
    size = [0]
    for kind in kinds:
        rows = 0
        for piece in pieces:
            tally = piece.state.tally
            if kind not in tally.kinds:
                continue
            k = tally.kinds.index(kind)
            own = slice(int(tally.start[k]), int(tally.start[k + 1]))
            user, keep = _moved(tally.user[own], piece.to)
            rows += len(user)
            found["user"].append(user)
            found["slot"].append(_of(tally.slot[own], keep))
            found["count"].append(_of(tally.count[own], keep))
        size.append(size[-1] + rows)
    empty = {"user": np.int32, "slot": np.int16, "count": np.uint16}
    arrays = {name: np.concatenate([np.zeros(0, empty[name]), *own]) for name, own in found.items()}
    return Tally(tuple(kinds), np.array(size, dtype=np.int64), **arrays)


def _moved(
    user: NDArray[np.int32], to: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.bool_] | None]:
    """New places of the rows that count, and which those are; None for all."""
    places = to[user]
    keep = places >= 0
    return (places, None) if keep.all() else (places[keep], keep)


def _of(column: NDArray[Any], keep: NDArray[np.bool_] | None) -> NDArray[Any]:
    return column if keep is None else column[keep]


def _rows(
    pieces: Sequence[Piece],
    kinds: Sequence[Kind],
    part: Callable[[State], Any],
    names: Sequence[str],
) -> dict[str, Any]:
    """Rows with a kind and a user, one piece after the other."""
    types = {"kind": np.int16, "user": np.int32, "slot": np.int16, "value": np.float64}
    types |= {"since": np.int64}
    number = {kind: n for n, kind in enumerate(kinds)}
    found: dict[str, list[Any]] = {name: [] for name in ("kind", "user", *names)}
    for piece in pieces:
        own = part(piece.state)
        user, keep = _moved(own.user, piece.to)
        code = np.array([number[kind] for kind in own.kinds], dtype=np.int16)
        found["user"].append(user)
        found["kind"].append(code[_of(own.kind, keep)])
        for name in names:
            found[name].append(_of(getattr(own, name), keep))
    return {
        name: np.concatenate([np.zeros(0, types[name]), *columns])
        for name, columns in found.items()
    }


def _readings(pieces: Sequence[Piece], people: People, place: int) -> Readings:
    """Values, thinned as one read would have thinned them."""
    users, values = [np.zeros(0, np.int32)], [np.zeros(0)]
    total = np.zeros(len(people.user), dtype=np.uint32)
    buckets = min(piece.state.readings[place].buckets for piece in pieces)
    for piece in pieces:
        own = piece.state.readings[place]
        user, keep = _moved(own.user, piece.to)
        users.append(user)
        values.append(_of(own.value, keep))
        counts = piece.to >= 0
        np.add.at(total, piece.to[counts], own.total[counts])
    user, value = np.concatenate(users), np.concatenate(values)
    near = people.bucket[user] < buckets
    while int(near.sum()) > MOST_VALUES and buckets > 1:
        buckets = thinner(buckets)
        near = people.bucket[user] < buckets
    if not near.all():
        user, value = user[near], value[near]
    return Readings(user, value, total, buckets)


def _marks(pieces: Sequence[Piece], people: People, sampled: int) -> Marks:
    names = tuple(dict.fromkeys(name for piece in pieces for name in piece.state.marks.names))
    number = {name: n for n, name in enumerate(names)}
    events, persons, ats = [np.zeros(0, np.int32)], [np.zeros(0, np.int32)], [np.zeros(0, np.int64)]
    for piece in pieces:
        own = piece.state.marks
        mine = own.person >= 0
        place = np.full(len(own.person), -1, dtype=np.int32)
        place[mine] = piece.to[own.person[mine]]
        place[~mine] = piece.staff[-1 - own.person[~mine]]
        keep = place >= 0
        both = mine & keep
        keep[both] = people.bucket[place[both]] < sampled
        code = np.array([number[name] for name in own.names], dtype=np.int32)
        events.append(code[own.event[keep]])
        persons.append(np.where(mine, place, -1 - place)[keep])
        ats.append(own.at[keep])
    return Marks(names, np.concatenate(events), np.concatenate(persons), np.concatenate(ats))


def only_active(state: State) -> State:
    """The same without users of whom it has no row: what a short look adds is short."""
    seen = np.zeros(len(state.user), dtype=bool)
    users = [state.tally.user, state.ordered.user]
    users += [one.user for one in state.sums] + [one.user for one in state.readings]
    for user in users:
        seen[user] = True
    seen[state.marks.person[state.marks.person >= 0]] = True
    for one in state.readings:
        seen |= one.total > 0
    to = np.where(seen, np.cumsum(seen) - 1, -1).astype(np.int32)
    some = People(state.user[seen], state.exposed[seen], state.bucket[seen], state.staff)
    staff = np.arange(len(state.staff), dtype=np.int32)
    return combined([Piece(state, to, staff)], some, state.form)


def size_of(state: State) -> int:
    """How many rows a state has."""
    values = sum(len(one.user) for one in state.sums)
    values += sum(len(one.user) for one in state.readings)
    return values + len(state.tally.user) + len(state.ordered.user) + len(state.marks.at)
