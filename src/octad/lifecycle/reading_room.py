"""The reading room: timelines of real users, read and tagged before the numbers unlock."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from octad.data.connect import connect
from octad.data.gather import gather
from octad.data.samples import pseudonym_key
from octad.data.tape import Progress
from octad.errors import DataError, UsageError
from octad.lifecycle.review import place_of
from octad.model.finding import Stance, Story
from octad.model.inputs import Inputs
from octad.model.needs import Needs
from octad.model.records import Chosen, Tagged, Unlocked
from octad.project.chain import Entry
from octad.project.ledger import Ledger
from octad.project.load import LoadedPlan
from octad.readings import all_readings

__all__ = [
    "TAGS",
    "Lock",
    "Room",
    "admit",
    "enter",
    "lock_of",
    "refuse_if_locked",
    "tag",
    "unlock_unread",
]

TAGS = ("confused", "stuck", "ashamed", "pleased", "left")
"""What most readers see; any other word is a tag too."""

_USUAL = 10
_MOST_TAGS = 10
_LONGEST_TAG = 40
_LONGEST_NOTE = 500


@dataclass(frozen=True, slots=True)
class Lock:
    """Whether a launch's numbers may be seen.

    Attributes:
        wanted: Timelines that the plan asks to be read first; 0 for none.
        read: Timelines that somebody has read.
        chosen: Timelines there are to read; None until the room was first entered.
        opened: Whether the numbers were unlocked, by reading or without it.
    """

    wanted: int
    read: int
    chosen: int | None
    opened: bool

    @property
    def holds(self) -> bool:
        """Whether the numbers stay hidden."""
        return self.wanted > 0 and not self.opened and self.read < self.enough

    @property
    def enough(self) -> int:
        """How many must be read: fewer than wanted only where there are not so many."""
        return self.wanted if self.chosen is None else min(self.wanted, self.chosen)


def lock_of(entries: Sequence[Entry], launch: str, wanted: int) -> Lock:
    """What the ledger says of a launch's lock."""
    own = [e.record for e in entries if e.record.launch == launch]
    chosen = _chosen(own)
    read = {r.user for r in own if isinstance(r, Tagged)}
    return Lock(
        wanted=wanted,
        read=len(read & set(chosen.users)) if chosen is not None else 0,
        chosen=None if chosen is None else len(chosen.users),
        opened=any(isinstance(r, Unlocked) for r in own),
    )


def refuse_if_locked(entries: Sequence[Entry], launch: str, wanted: int) -> None:
    """Refuse to show numbers before the timelines were read.

    Raises:
        UsageError: While the lock holds; says how to open it.
    """
    lock = lock_of(entries, launch, wanted)
    if lock.holds:
        raise UsageError(
            f"the plan asks for {wanted} timelines of users to be read before the numbers, and "
            f"{lock.read} have been.",
            mend=f"Read them: octad read {launch}. Or see the numbers unread, which goes into "
            f"the ledger as a deviation: octad review {launch} --unread",
        )


def unlock_unread(ledger: Ledger, launch: str, read: int, now: datetime) -> None:
    """Open the numbers without reading, on the record."""
    ledger.append(Unlocked(launch=launch, read=read, unread=True), now=now)


@dataclass(frozen=True, slots=True)
class Room:
    """The timelines of a launch, as one reader finds them.

    Attributes:
        launch: The launch.
        reader: Who reads.
        stories: In the order of reading; their arms are not to be shown before `done`.
        tags: User to what this reader has said: tags and a note.
        lock: Whether the numbers are still hidden.
    """

    launch: str
    reader: str
    stories: tuple[Story, ...]
    tags: dict[str, tuple[tuple[str, ...], str]]
    lock: Lock

    @property
    def left(self) -> tuple[Story, ...]:
        """What this reader has not read yet."""
        return tuple(s for s in self.stories if s.user not in self.tags)

    @property
    def done(self) -> bool:
        """Whether this reader has read everything."""
        return not self.left


def _chosen(own: Sequence[object]) -> Chosen | None:
    return next((r for r in own if isinstance(r, Chosen)), None)


def enter(
    loaded: LoadedPlan,
    ledger: Ledger,
    reader: str,
    *,
    now: datetime,
    count: int | None = None,
    progress: Progress | None = None,
) -> Room:
    """Open the room; the first to enter has the timelines chosen, for every reader the same.

    Args:
        loaded: The plan that binds.
        ledger: Where the choice and the tags are kept.
        reader: Who reads.
        now: The moment.
        count: How many timelines, when the plan does not say; ten by default.
        progress: Told what is being done.

    Raises:
        UsageError: Without a name, or where the timelines were chosen with another key.
        DataError: When there is no timeline to read.
    """
    if not reader.strip():
        raise UsageError("nobody is reading.", mend="Give your name: --reader NAME")
    launch = loaded.plan.launch.launch
    own = [e.record for e in ledger.entries() if e.record.launch == launch]
    chosen = _chosen(own)
    wanted = count or loaded.plan.launch.read_first or _USUAL
    place = loaded.home.where("connection")
    with connect(loaded.plan.project, loaded.root, where=place) as engine:
        mark = hashlib.sha256(pseudonym_key(engine.hidden)).hexdigest()[:8]

        def look(needs: Needs) -> Inputs:
            return gather(
                engine,
                loaded.plan,
                needs,
                progress=progress,
                where=lambda key: place_of(loaded, key),
            )

        stories: tuple[Story, ...] = ()
        if chosen is None:
            stories = look(Needs(stories=wanted, hurt=_hurt(loaded, look))).stories
            mine = _choose(ledger, launch, stories, mark, now)
            # Somebody else may have entered at the same moment: the first choice stands.
            chosen = _chosen([e.record for e in ledger.entries() if e.record.launch == launch])
            if chosen != mine:
                stories = ()
        if chosen is not None and not stories:
            _same_key(chosen, mark)
            found = look(Needs(named=frozenset(chosen.users))).named
            stories = tuple(found[user] for user in chosen.users if user in found)
    return Room(
        launch=launch,
        reader=reader,
        stories=stories,
        tags={
            r.user: (r.tags, r.note) for r in own if isinstance(r, Tagged) and r.reader == reader
        },
        lock=lock_of(ledger.entries(), launch, loaded.plan.launch.read_first),
    )


def _choose(
    ledger: Ledger, launch: str, stories: tuple[Story, ...], mark: str, now: datetime
) -> Chosen:
    if not stories:
        raise DataError(
            "there is no timeline to read: no user who was exposed did anything yet.",
            mend="Come back when there are events after the launch's first day.",
        )
    mine = Chosen(launch=launch, users=tuple(s.user for s in stories), key=mark)
    ledger.append(mine, now=now)
    return mine


def _same_key(chosen: Chosen, mark: str) -> None:
    if chosen.key and chosen.key != mark:
        raise UsageError(
            "the timelines were chosen on a machine with another key, so the users' names here "
            "are not those in the ledger.",
            mend="Copy .octad/pseudonyms.key from that machine, by a way you would send a "
            "password; never through git.",
        )


def _hurt(
    loaded: LoadedPlan, look: Callable[[Needs], Inputs]
) -> frozenset[tuple[tuple[str, str], ...]]:
    """Segments that the launch hurts, looked up without anybody seeing the numbers."""
    breadth = all_readings()["breadth"]
    answer = breadth.read(loaded.plan, look(breadth.needs(loaded.plan)))
    return frozenset(
        tuple(sorted(f.segment.items()))
        for f in answer.findings
        if f.segment and f.stance is Stance.AGAINST
    )


def tag(
    ledger: Ledger, room: Room, user: str, tags: Sequence[str], note: str, *, now: datetime
) -> Room:
    """Keep what a reader saw in one timeline; the last of a plan's timelines opens the numbers.

    Args:
        ledger: Where it is kept.
        room: The room as it stands.
        user: Whose timeline, by the keyed hash.
        tags: What was seen; none is an answer too.
        note: In the reader's own words.
        now: The moment.

    Raises:
        UsageError: For a user who is not in the room, or too many or too long words.
    """
    if user not in {s.user for s in room.stories}:
        raise UsageError(
            f"'{user}' is none of the timelines to read.",
            mend="They are " + ", ".join(s.user for s in room.stories) + ".",
        )
    said = tuple(dict.fromkeys(t.strip().lower() for t in tags if t.strip()))
    if len(said) > _MOST_TAGS or any(len(t) > _LONGEST_TAG for t in said):
        raise UsageError(
            f"that is more than {_MOST_TAGS} tags, or one longer than {_LONGEST_TAG} letters.",
            mend="Put a sentence into the note.",
        )
    if len(note) > _LONGEST_NOTE:
        raise UsageError(
            f"the note is longer than {_LONGEST_NOTE} letters.", mend="Say it shorter."
        )
    record = Tagged(launch=room.launch, user=user, reader=room.reader, tags=said, note=note)
    ledger.append(record, now=now)
    lock = lock_of(ledger.entries(), room.launch, room.lock.wanted)
    if not lock.holds and room.lock.holds:
        ledger.append(Unlocked(launch=room.launch, read=lock.read), now=now)
        lock = lock_of(ledger.entries(), room.launch, room.lock.wanted)
    return Room(
        launch=room.launch,
        reader=room.reader,
        stories=room.stories,
        tags={**room.tags, user: (said, note)},
        lock=lock,
    )


def admit(ledger: Ledger, loaded: LoadedPlan, *, unread: bool, now: datetime) -> None:
    """Show no number before the timelines were read that the plan asks for.

    Args:
        ledger: The project's.
        loaded: The plan.
        unread: Open the numbers all the same; the ledger will say so.
        now: The moment.

    Raises:
        UsageError: When they were not read, and `unread` is not said.
    """
    launch, wanted = loaded.plan.launch.launch, loaded.plan.launch.read_first
    if not wanted:
        return
    entries = ledger.entries()
    lock = lock_of(entries, launch, wanted)
    if lock.holds and unread:
        unlock_unread(ledger, launch, lock.read, now)
    else:
        refuse_if_locked(entries, launch, wanted)
