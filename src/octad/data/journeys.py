"""Journeys: what people do in a row, and how a visit comes to what they came for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from octad.model.inputs import Ways

__all__ = ["OTHER", "Traces", "ways_of"]

IntArray = NDArray[np.int64]

OTHER = "(other)"
_LONGEST = 8
_MOST = 20_000
_REPEATED = "…"


@dataclass(frozen=True, slots=True)
class Traces:
    """Events of sampled users and of the team, sorted by person and time.

    Attributes:
        person: (m,) 0 to U−1 for users; −1 and below for members of the team.
        event: (m,) codes into `names`.
        visit: (m,) visit numbers; none belongs to two people.
        names: Event names.
        arm: (U,) each sampled user's arm.
        places: Attribute to its values, the users' codes (U,), and the team's codes (T,), where
            member −1−i of the team is the i-th; −1 where nothing is known.
    """

    person: IntArray
    event: IntArray
    visit: IntArray
    names: tuple[str, ...]
    arm: IntArray
    places: Mapping[str, tuple[tuple[str, ...], IntArray, IntArray]]


@dataclass(frozen=True, slots=True)
class _Taken:
    """Ways as they were gone: one row each time."""

    kind: str
    steps: list[tuple[int, ...]]
    person: IntArray
    way: IntArray


def ways_of(
    traces: Traces, jobs: Mapping[str, tuple[str, ...]], core: tuple[str, ...], query: str | None
) -> Ways | None:
    """Count journeys by person.

    Steps and turns are two and three events in a row. A way to a core job is a visit from its
    first event to the first of the job's, with events that repeat at once taken as one; beyond
    eight events its middle is left out. The 20,000 ways that most people go are kept.

    Args:
        traces: Events in order.
        jobs: Job to its events.
        core: The jobs that users came for.
        query: Digest of the query behind the events.

    Returns:
        None when no sampled user did anything.
    """
    if not (traces.person >= 0).any():
        return None
    taken = [_in_a_row(traces, 2, Ways.STEP), _in_a_row(traces, 3, Ways.TURN)]
    taken += [_to_job(traces, name, jobs[name]) for name in core if jobs.get(name)]
    kinds: list[str] = []
    steps: list[tuple[str, ...]] = []
    rows: list[tuple[IntArray, IntArray]] = []
    for one in taken:
        rows.append((one.person, one.way + len(steps)))
        kinds += [one.kind] * len(one.steps)
        steps += [tuple(traces.names[e] if e >= 0 else _REPEATED for e in s) for s in one.steps]
    person = np.concatenate([p for p, _ in rows])
    way = np.concatenate([w for _, w in rows])
    keep = _commonest(person, way, len(steps))
    number = np.full(len(steps), -1, dtype=np.int64)
    number[keep] = np.arange(len(keep))
    inside = number[way] >= 0
    person, way = person[inside], number[way[inside]]
    staff = np.bincount(way[person < 0], minlength=len(keep)).astype(np.int64)
    mine = person >= 0
    pairs, often = np.unique(person[mine] * len(keep) + way[mine], return_counts=True)
    names = (*jobs, OTHER)
    mix, team_mix = _mixes(traces, jobs)
    return Ways(
        kind=tuple(kinds[i] for i in keep),
        steps=tuple(steps[i] for i in keep),
        who=pairs // max(1, len(keep)),
        way=pairs % max(1, len(keep)),
        often=often.astype(np.int64),
        arm=traces.arm,
        staff=staff,
        team=len(np.unique(traces.person[traces.person < 0])),
        team_events=int((traces.person < 0).sum()),
        places=_places(traces, person, way, len(keep)),
        jobs=names,
        mix=mix,
        team_mix=team_mix,
        query=query,
    )


def _commonest(person: IntArray, way: IntArray, count: int) -> IntArray:
    """The ways that most users go, and then the team's own, most first."""
    mine = person >= 0
    pairs = np.unique(np.stack([way[mine], person[mine]]), axis=1)
    users = np.bincount(pairs[0], minlength=count)
    times = np.bincount(way[mine], minlength=count)
    order = np.lexsort((-times, -users))
    return order[users[order] > 0][:_MOST]


def _in_a_row(traces: Traces, length: int, kind: str) -> _Taken:
    size = len(traces.event) - length + 1
    if size <= 0:
        return _Taken(kind, [], np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    inside = traces.visit[length - 1 :] == traces.visit[:size]
    columns = np.stack([traces.event[i : i + size] for i in range(length)])[:, inside]
    found, way = np.unique(columns, axis=1, return_inverse=True)
    steps = [tuple(int(e) for e in column) for column in found.T]
    person = traces.person[length - 1 :][inside]
    return _Taken(kind, steps, person, way.reshape(-1).astype(np.int64))


def _to_job(traces: Traces, name: str, events: tuple[str, ...]) -> _Taken:
    """Each visit that reaches the job, up to its first event of the job."""
    goal = np.isin(traces.event, [i for i, e in enumerate(traces.names) if e in events])
    starts = np.flatnonzero(np.diff(traces.visit, prepend=-1) != 0)
    ends = np.append(starts[1:], len(traces.visit))
    reached = np.add.reduceat(goal, starts) > 0 if len(starts) else np.zeros(0, dtype=bool)
    people: list[int] = []
    ways: list[tuple[int, ...]] = []
    for start, end in zip(starts[reached], ends[reached], strict=True):
        first = start + int(goal[start:end].argmax())
        run = traces.event[start : first + 1]
        path = run[np.concatenate([[True], run[1:] != run[:-1]])].tolist()
        if len(path) > _LONGEST:
            path = [*path[: _LONGEST - 3], -1, *path[-2:]]
        people.append(int(traces.person[start]))
        ways.append(tuple(path))
    kinds = {way: i for i, way in enumerate(Counter(ways))}
    return _Taken(
        name,
        list(kinds),
        np.array(people, dtype=np.int64),
        np.array([kinds[way] for way in ways], dtype=np.int64),
    )


def _places(
    traces: Traces, person: IntArray, way: IntArray, count: int
) -> dict[str, tuple[tuple[str, ...], IntArray, NDArray[np.bool_]]]:
    """By attribute: which ways were gone by a member of the team who has the value."""
    team = person < 0
    found = {}
    for name, (values, codes, staff) in traces.places.items():
        gone = np.zeros((len(values), count), dtype=bool)
        value = staff[-1 - person[team]] if len(staff) else np.full(int(team.sum()), -1)
        known = value >= 0
        gone[value[known], way[team][known]] = True
        found[name] = (values, codes, gone)
    return found


def _mixes(
    traces: Traces, jobs: Mapping[str, tuple[str, ...]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Events by job, of each sampled user and of the team; an event of two jobs counts for both."""
    member = np.array([[n in events for n in traces.names] for events in jobs.values()], dtype=bool)
    member = member.reshape(len(jobs), len(traces.names))
    member = np.vstack([member, ~member.any(axis=0)])
    mine = traces.person >= 0
    size = (len(traces.arm), len(traces.names))
    flat = traces.person[mine] * size[1] + traces.event[mine]
    by_event = np.bincount(flat, minlength=size[0] * size[1]).reshape(size)
    team = np.bincount(traces.event[~mine], minlength=size[1])
    return (by_event @ member.T).astype(np.float64), (member @ team).astype(np.float64)
