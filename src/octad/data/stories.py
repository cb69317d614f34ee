"""Timelines of real users, told visit by visit, under names that only this project can undo."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from octad.data.clock import DAY, SECOND
from octad.data.patterns import Track, patterns_of
from octad.data.readers_choice import People, choose
from octad.data.samples import Sample, pseudonym
from octad.model.finding import Story, StoryLine
from octad.text.redact import redact

__all__ = ["Said", "Teller", "teller_of"]

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_MOST_LINES = 40
_MOST_STEPS = 12
_QUIET_DAYS = 3
_FEATURES = 20
_LONGEST_NAME = 60
_LONGEST_WORDS = 280
_MINUTE = 60 * SECOND
COMPLAINT = 2
"""Stars, at most, of a review that is a complaint."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a sampled user wrote: moment in microseconds, stars or NaN, and the words."""

    person: int
    time: int
    rating: float
    text: str


@dataclass(frozen=True, slots=True)
class Teller:
    """A sample that is ready to be told.

    Attributes:
        people: (U,) the sampled users with any event, by number.
        names: Their keyed hashes, in the same order.
        signs: For each event, the signs of trouble that are complete there.
    """

    sample: Sample
    people: IntArray
    names: tuple[str, ...]
    error: BoolArray
    signs: Mapping[str, BoolArray]
    said: Mapping[int, tuple[Said, ...]]

    def arms_of(self, wanted: frozenset[str]) -> dict[str, str]:
        """The arm of users named by their keyed hashes, those who are in the sample."""
        return {
            name: self.sample.arms[int(self.sample.arm[person])]
            for name, person in zip(self.names, self.people, strict=True)
            if name in wanted
        }

    def chosen(
        self, count: int, hurt: BoolArray | None = None, band: IntArray | None = None
    ) -> list[tuple[int, str]]:
        """Whom to read, as rows of `people`, with why each was chosen.

        Args:
            count: How many.
            hurt: By number of a user, whether they are in a segment that the launch hurts.
            band: By number of a user, their intensity of use; told by their events when absent.
        """
        features, trouble = self._features()
        mine = self.sample.person[self.sample.person >= 0]
        actions = np.bincount(np.searchsorted(self.people, mine), minlength=len(self.people))
        if band is None:
            edges = np.quantile(actions, [0.5, 0.9]) if len(actions) else np.zeros(2)
            bands = np.searchsorted(edges, actions, side="left")
        else:
            bands = band[self.people]
        told = People(
            features=features,
            arm=self.sample.arm[self.people],
            band=bands.astype(np.int64),
            trouble=trouble,
            complained=np.array([self._complained(int(p)) for p in self.people], dtype=bool),
            hurt=np.zeros(len(self.people), dtype=bool) if hurt is None else hurt[self.people],
            order=np.argsort(np.argsort(np.array(self._order(), dtype=object))),
        )
        return choose(told, count)

    def _order(self) -> list[str]:
        """An order that means nothing and is the same on every machine, whatever its key."""
        ids = self.sample.ids
        return [hashlib.sha256(ids[int(p)].encode()).hexdigest() for p in self.people]

    def _complained(self, person: int) -> bool:
        return any(s.rating <= COMPLAINT for s in self.said.get(person, ()))

    def _features(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Counts of the commonest events, of visits and of days, and trouble for each action."""
        s = self.sample
        mine = s.person >= 0
        row = np.searchsorted(self.people, s.person[mine])
        size = len(self.people)
        common = np.argsort(-np.bincount(s.event[mine], minlength=len(s.names)), kind="stable")
        columns = [np.bincount(row, s.event[mine] == e, size) for e in common[:_FEATURES]]
        actions = np.bincount(row, minlength=size).astype(np.float64)
        for part in (s.visit[mine], (s.time[mine] - s.exposed[s.person[mine]]) // DAY):
            pairs = np.unique(np.stack([row, part]), axis=1)
            columns.append(np.bincount(pairs[0], minlength=size))
        bad = self.error.astype(np.float64)
        for flags in self.signs.values():
            bad = bad + flags
        trouble = np.bincount(row, bad[mine], size) / np.maximum(actions, 1)
        return np.stack([np.asarray(c, dtype=np.float64) for c in columns], axis=1), trouble

    def tell(self, row: int, why: str = "") -> Story:
        """One user's timeline, a line a visit, with what failed and what they wrote."""
        person = int(self.people[row])
        mine = np.flatnonzero(self.sample.person == person)
        start = int(self.sample.exposed[person])
        visits = [
            list(group) for _, group in groupby(mine.tolist(), key=lambda i: self.sample.visit[i])
        ]
        lines = [(int(self.sample.time[v[0]]), self._visit(v, start)) for v in visits]
        lines += [(s.time, _words(s, start)) for s in self.said.get(person, ())]
        lines.sort(key=lambda line: line[0])
        told = _fitted(_with_silences(lines))
        days = _day(int(self.sample.time[mine[-1]]), start) + 1
        return Story(
            title=f"{len(visits):,} visits over {days:,} days, {len(mine):,} events",
            user=self.names[row],
            lines=tuple(told),
            arm=self.sample.arms[int(self.sample.arm[person])],
            chosen=why,
        )

    def _visit(self, events: Sequence[int], start: int) -> StoryLine:
        s = self.sample
        first, last = int(s.time[events[0]]), int(s.time[events[-1]])
        steps = []
        for code, group in groupby(events, key=lambda i: int(s.event[i])):
            times = len(list(group))
            name = s.names[code][:_LONGEST_NAME]
            steps.append(f"{name} ×{times}" if times > 1 else name)
        if len(steps) > _MOST_STEPS:
            left = len(steps) - _MOST_STEPS + 1
            steps = [*steps[: _MOST_STEPS - 4], f"… {left} more …", *steps[-3:]]
        failed = [s.names[int(s.event[i])][:_LONGEST_NAME] for i in events if self.error[i]]
        notes = [_length(last - first)] if last - first >= _MINUTE else []
        notes += [f"failed: {name}" for name in dict.fromkeys(failed)]
        notes += [name for name, flags in self.signs.items() if flags[list(events)].any()]
        return StoryLine(
            day=_day(first, start),
            time=_clock(first),
            event=" → ".join(steps),
            note="; ".join(notes),
            error=bool(failed),
        )


def teller_of(
    sample: Sample, errors: tuple[str, ...], key: bytes, said: Sequence[Said] = ()
) -> Teller:
    """Make a sample ready to be told.

    Args:
        sample: Events in order.
        errors: Events that mean something went wrong.
        key: Under which users are named.
        said: What sampled users wrote.
    """
    bad = np.isin(sample.event, [i for i, name in enumerate(sample.names) if name in errors])
    people = np.unique(sample.person[sample.person >= 0])
    by_person: dict[int, tuple[Said, ...]] = {}
    for one in sorted(said, key=lambda s: (s.person, s.time)):
        by_person[one.person] = (*by_person.get(one.person, ()), one)
    return Teller(
        sample=sample,
        people=people,
        names=tuple(pseudonym(sample.ids[int(p)], key) for p in people),
        error=bad,
        signs=patterns_of(Track(sample.time, sample.event, sample.visit, bad)),
        said=by_person,
    )


def _day(moment: int, start: int) -> int:
    """Calendar days since exposure, so that hours rise within a day."""
    return moment // DAY - start // DAY


def _clock(moment: int) -> str:
    return str(np.array(moment).astype("datetime64[us]"))[11:16]


def _length(micros: int) -> str:
    minutes = round(micros / _MINUTE)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def _words(said: Said, start: int) -> StoryLine:
    stars = (
        "" if np.isnan(said.rating) else f"{said.rating:g} star{'' if said.rating == 1 else 's'}"
    )
    return StoryLine(
        day=_day(said.time, start),
        time=_clock(said.time),
        event="wrote",
        note=": ".join(p for p in (stars, f"“{redact(said.text, _LONGEST_WORDS)}”") if p),
        error=said.rating <= COMPLAINT,
    )


def _with_silences(lines: Sequence[tuple[int, StoryLine]]) -> list[StoryLine]:
    told: list[StoryLine] = []
    for _, line in lines:
        quiet = line.day - told[-1].day if told else 0
        if quiet > _QUIET_DAYS:
            told.append(
                StoryLine(
                    day=told[-1].day + 1,
                    time="",
                    event="",
                    note=f"nothing for {quiet - 1} days",
                )
            )
        told.append(line)
    return told


def _fitted(lines: list[StoryLine]) -> list[StoryLine]:
    """A long life is cut in the middle: how it began and how it stands are what one reads for."""
    if len(lines) <= _MOST_LINES:
        return lines
    head = _MOST_LINES * 2 // 3
    tail = _MOST_LINES - head - 1
    left = lines[head:-tail]
    failed = sum(line.error for line in left)
    said = f"{len(left)} lines left out" + (f", {failed} of them with a failure" if failed else "")
    middle = StoryLine(day=left[0].day, time="", event="", note=said, error=failed > 0)
    return [*lines[:head], middle, *lines[-tail:]]
