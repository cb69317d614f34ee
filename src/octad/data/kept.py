"""The next look: what the look before read is kept, and only what is new is read.

A state adds up over files, users and days. So a look reads the new files for everybody; the files
it knows only for users who are new, or whose exposure has changed; and of the files it knows the
rows that the look before did not use yet, because they lay after its last moment. Whatever else
has changed (a file, the plan, how a column is read), everything is read again.

A late row in a new file needs nothing of its own: it falls on its user and its day, as it would
have done had it come in time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from octad.data.by_file import Filed
from octad.data.clock import micros, to_micros
from octad.data.fold import Folded, coded, fold
from octad.data.fold_rows import People
from octad.data.fold_state import Form, State
from octad.data.kept_merge import Piece, combined, only_active, size_of
from octad.data.kept_store import Coverage, Look, Slot, recipe_digest
from octad.data.prints import still
from octad.data.receipts import newest
from octad.data.tape import Tape
from octad.model.inputs import FilesRead

__all__ = ["fold_kept"]

_MOST_PARTS = 8
"""States that one look is put together from; then they are written as one."""

_MOST_NEW = 0.5
"""The share of users who are new above which reading everything costs less."""


@dataclass(frozen=True, slots=True)
class _Read:
    """One reading: some files, for some of the people, from some moment on."""

    what: str
    files: tuple[int, ...]
    only: NDArray[np.int64] | None = None
    without: NDArray[np.int64] | None = None
    since: int | None = None


@dataclass(slots=True)
class _Looking:
    """One look under way."""

    tape: Tape
    filed: Filed
    users: ir.Table
    people: People
    form: Form
    asked: dict[str | None, int]

    @property
    def cut(self) -> int | None:
        """Rows from this moment on are not used."""
        end = None if self.filed.end is None else to_micros(self.filed.end)
        both = [moment for moment in (end, self.form.until) if moment is not None]
        return min(both, default=None)

    def numbers(self, uids: NDArray[np.int64]) -> ir.Table:
        """Some of the people, in the engine."""
        table = pa.table({"uid": pa.array(uids, pa.int32())})
        made: ir.Table = self.tape.backend.create_table(
            "_octad_some_people", table, temp=True, overwrite=True
        )
        return made

    def read(self, one: _Read) -> State:
        """What one reading leaves."""
        rows = sum(self.filed.receipts[n].kept for n in one.files)
        events, users = self.filed.only(one.files), self.users
        if one.since is not None:
            events = events.filter(micros(events.time) >= one.since)
        if one.only is not None:
            users = users.semi_join(self.numbers(one.only), "uid")
        if one.without is not None and len(one.without):
            users = users.anti_join(self.numbers(one.without), "uid")
        with self.tape.stage(one.what, rows):
            folded = fold(
                self.tape,
                events,
                users,
                self.people,
                self.form,
                asked=self.asked,
                rows=rows,
            )
        self.tape.queries.pop(folded.query, None)
        return folded.state


def fold_kept(
    tape: Tape,
    events: ir.Table,
    filed: Filed | None,
    users: ir.Table,
    people: People,
    form: Form,
    *,
    asked: dict[str | None, int],
    launch: str,
    rows: int,
    day: datetime,
    never: str = "",
) -> Folded:
    """Fold a source of events, reading only what the look before did not.

    What is said of the files read goes to `tape.files`. The query that is kept is the one over
    all files, whatever was read this time, for it is that one which makes the numbers.

    Args:
        tape: Runs the queries.
        events: All of them: user, time, event, and whatever the form names.
        filed: The files they are in; None when they are in none.
        users: See `fold.fold`.
        people: The same users, by uid.
        form: What is kept of them.
        asked: See `fold.fold`.
        launch: Its name; every launch has a look of its own.
        rows: How many rows there are.
        day: The last moment that is seen.
        never: Why a look of this kind is of no use to the next, in words; empty when it is.
    """
    if filed is None:
        return _whole(tape, events, users, people, form, asked, rows)
    looking = _Looking(tape, filed, users, people, form, asked)
    slot = None
    if filed.hidden is not None and not filed.together and not never:
        slot = Slot.of(filed.hidden, launch, recipe_digest(form, asked))
    before = None if slot is None else slot.look()
    plan = never or _planned(slot, before, looking)
    if isinstance(plan, str):
        folded = _whole(tape, events, users, people, form, asked, rows)
        tape.files = FilesRead(len(filed.prints), len(filed.prints), why_all=plan)
        # A look into the past must not put the present out of its place.
        if slot is not None and plan != _EARLIER and _told_apart(people):
            _keep(slot, looking, folded.state, None, day)
        return folded
    query = tape.note("events of those compared", coded(events, users, form))
    added = [looking.read(one) for one in plan.reads]
    tape.files = FilesRead(len(filed.prints), len(plan.fresh), plan.look.day, plan.new)
    with tape.stage("adding to what was kept"):
        mine = np.arange(len(people.user), dtype=np.int32)
        staff = np.arange(len(people.staff), dtype=np.int32)
        new = [Piece(state, mine, staff) for state in added]
        state = combined([*plan.pieces, *new], people, form)
        delta = combined(new, people, form) if new else None
    if slot is not None:
        _keep(slot, looking, state, _Added(plan, delta), day)
    return Folded(state, query)


def _whole(
    tape: Tape,
    events: ir.Table,
    users: ir.Table,
    people: People,
    form: Form,
    asked: dict[str | None, int],
    rows: int,
) -> Folded:
    with tape.stage("reading the events once", rows):
        return fold(tape, events, users, people, form, asked=asked, rows=rows)


def _told_apart(people: People) -> bool:
    """Whether no two people have the same half of MD5: then none is kept, and all is right."""
    # Sorting takes a tenth of the time of `np.unique`, which looks numbers up in a table.
    sorts = (np.sort(own) for own in (people.user, people.staff))
    return not any((own[1:] == own[:-1]).any() for own in sorts)


_EARLIER = "it sees less than the look before"


@dataclass(frozen=True, slots=True)
class _Plan:
    """What to read, and what is there already.

    Attributes:
        look: The look before.
        reads: What is left to read.
        fresh: The files that are new.
        pieces: What is kept, over the people of this look.
        since: (n,) the first state that counts for each user, `staff` (m,) for each of staff.
        new: How many people the files that are not new are read for.
    """

    look: Look
    reads: tuple[_Read, ...]
    fresh: tuple[int, ...]
    pieces: tuple[Piece, ...]
    since: NDArray[np.int32]
    staff: NDArray[np.int32]
    new: int


def _planned(slot: Slot | None, look: Look | None, now: _Looking) -> _Plan | str:
    """What is left to read; or in words why all is, empty when nothing was kept."""
    if now.filed.together:
        return now.filed.together
    if slot is None or look is None or not _told_apart(now.people):
        return ""
    why = _changed(look, now)
    if why:
        return why
    try:
        coverage, states = slot.coverage(look), slot.states(look)
    except ValueError:
        return "what was kept could not be read"
    keys = now.filed.keys
    known = set(look.files)
    fresh = tuple(n for n, key in enumerate(keys) if key not in known)
    old = tuple(n for n, key in enumerate(keys) if key in known)
    number = len(states)
    since, place = _since(coverage, now.people, number)
    crew, crew_place = _staff_since(coverage, now.people.staff, number)
    new = np.flatnonzero(since == number)
    if len(new) > _MOST_NEW * max(1, len(since)):
        return "most of the users compared are new"
    uids = np.concatenate([new, -2 - np.flatnonzero(crew == number)])
    # Rows beyond the last look's cut are wanted only where this look cuts elsewhere.
    moved = now.cut != look.cut
    later = tuple(n for n in old if moved and _beyond(now, n, look.cut))
    pieces = tuple(
        Piece(state, *_places(state, coverage, (since, place), (crew, crew_place), n))
        for n, state in enumerate(states)
    )
    reads = []
    if fresh:
        many = f"{len(fresh)} new file" + "s" * (len(fresh) > 1)
        reads.append(_Read(f"reading {many} of {len(keys)}", fresh))
    if old and len(uids):
        reads.append(_Read("reading the other files for new users", old, only=uids))
    if later:
        what = "reading what has come to pass since the last look"
        reads.append(_Read(what, later, without=uids, since=look.cut))
    return _Plan(look, tuple(reads), fresh, pieces, since, crew, len(uids))


def _changed(look: Look, now: _Looking) -> str:
    """Why nothing of a look can be used, in words; empty when it can."""
    gone = len(set(look.files) - set(now.filed.keys))
    if gone:
        return f"{gone} of {len(look.files)} files have changed or are gone"
    if look.rules != now.filed.rules:
        return "the events are read in another way than before"
    if now.form.sampled > look.sampled:
        return "more users are followed one by one than before"
    cut, was = now.cut, look.cut
    if cut is not None and (was is None or cut < was):
        known = set(look.files)
        for n, key in enumerate(now.filed.keys):
            last = newest(now.filed.receipts[n])
            if key in known and last is not None and to_micros(last) >= cut:
                return _EARLIER
    return ""


def _beyond(now: _Looking, file: int, cut: int | None) -> bool:
    """Whether a file that was read holds rows that were not used then."""
    last = newest(now.filed.receipts[file])
    return cut is not None and last is not None and to_micros(last) >= cut


def _since(
    coverage: Coverage, people: People, number: int
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """(n,) the first state that counts for each user, and the user's place in the coverage."""
    place, there = _found(coverage.user, people.user)
    there &= coverage.exposed[place] == people.exposed if len(coverage.user) else False
    since = np.full(len(people.user), number, dtype=np.int32)
    since[there] = coverage.since[place[there]]
    return since, np.where(there, place, -1)


def _staff_since(
    coverage: Coverage, staff: NDArray[np.uint64], number: int
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    place, there = _found(coverage.staff, staff)
    since = np.full(len(staff), number, dtype=np.int32)
    since[there] = coverage.staff_since[place[there]]
    return since, np.where(there, place, -1)


def _found(
    known: NDArray[np.uint64], asked: NDArray[np.uint64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The place of each in a rising array, and whether it is there."""
    if not len(known):
        return np.zeros(len(asked), dtype=np.int64), np.zeros(len(asked), dtype=bool)
    place = np.minimum(np.searchsorted(known, asked), len(known) - 1)
    return place, np.asarray(known[place] == asked)


def _places(
    state: State,
    coverage: Coverage,
    users: tuple[NDArray[np.int32], NDArray[np.int64]],
    staff: tuple[NDArray[np.int32], NDArray[np.int64]],
    number: int,
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Where a state's users and staff are among the people now; -1 where they do not count."""

    def moved(
        own: NDArray[np.uint64],
        known: NDArray[np.uint64],
        found: tuple[NDArray[np.int32], NDArray[np.int64]],
    ) -> NDArray[np.int32]:
        since, place = found
        now = np.full(len(known), -1, dtype=np.int32)
        counts = np.flatnonzero((place >= 0) & (since <= number))
        now[place[counts]] = counts
        at, there = _found(known, own)
        return np.where(there, now[at] if len(now) else -1, -1).astype(np.int32)

    return moved(state.user, coverage.user, users), moved(state.staff, coverage.staff, staff)


@dataclass(frozen=True, slots=True)
class _Added:
    """A look that was added to."""

    plan: _Plan
    delta: State | None


def _keep(
    slot: Slot,
    now: _Looking,
    state: State,
    added: _Added | None,
    day: datetime,
) -> None:
    """Leave what the next look needs: this one as a whole, or what it adds to the one before."""
    people = now.people
    since = np.zeros(len(people.user), dtype=np.int32)
    staff = np.zeros(len(people.staff), dtype=np.int32)
    look = Look(
        files=now.filed.keys,
        rules=now.filed.rules,
        cut=now.cut,
        sampled=now.form.sampled,
        day=day.date(),
        parts=(),
        sizes=(),
        users="",
    )
    new: State | None = state
    if added is not None:
        was = added.plan.look
        delta = None if added.delta is None else only_active(added.delta)
        grown = sum(was.sizes[1:]) + (0 if delta is None else size_of(delta))
        if len(was.parts) < _MOST_PARTS and grown * 2 < was.sizes[0]:
            since, staff = added.plan.since, added.plan.staff
            look = replace(look, parts=was.parts, sizes=was.sizes)
            new = delta
            if new is None and look == replace(was, users=""):
                return  # Whom it covers may be more than the people now, and is right for them.
    order, crew = np.argsort(people.user), np.argsort(people.staff)
    coverage = Coverage(
        user=people.user[order],
        exposed=people.exposed[order],
        since=since[order],
        staff=people.staff[crew],
        staff_since=staff[crew],
    )
    slot.keep(look, new, coverage, still=lambda: still(now.filed.prints))
