"""A sample of users' events in order: journeys, steps to a job, stories.

Order needs the events themselves, so they are read for a sample alone: the same users every time,
chosen by the hash of their id.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass, field, replace
from pathlib import Path

import ibis
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from octad.data.clock import DAY, SECOND
from octad.data.population import BUCKETS
from octad.model.inputs import JobUse
from octad.model.plan import Charter, Job

__all__ = [
    "MOST_STAFF",
    "TEAM_BEFORE",
    "Sample",
    "few_of",
    "pseudonym_key",
    "sample_of",
    "some_of",
    "some_users",
    "steps_to_jobs",
]

IntArray = NDArray[np.int64]

_USERS = 8_000
MOST_STAFF = 300
TEAM_BEFORE = 28 * DAY
_VISIT_GAP = 30 * 60 * SECOND
_KEY = 32


_DIGITS = 3


def some_users(table: ibis.Table, users: int, most: int) -> ibis.Table:
    """About `most` of the users, chosen by other digits of the hash than those of the bucket.

    Args:
        table: With a column `user`.
        users: How many there are.
        most: How many are wanted; all when there are no more.
    """
    if users <= most:
        return table
    below = f"{max(1, round(16**_DIGITS * most / users)):0{_DIGITS}x}"
    return table.filter(table.user.hexdigest("md5").substr(_DIGITS, _DIGITS) < below)


@dataclass(frozen=True, slots=True)
class Sample:
    """Events of sampled users and of staff, by person and time.

    Attributes:
        person: (m,) number of a user, or -1 - i for the i-th member of staff.
        arms: Names in the plan, control first.
        arm, bucket, exposed: By number of a user: arm code, bucket, and moment of exposure.
        ids: Number to the user's id, for their names on a page and what is known of them; -1 - i
            for the i-th member of staff.
        time: (m,) microseconds.
        event: (m,) codes into `names`.
        visit: (m,) visit numbers; a visit ends after 30 quiet minutes.
        users: How many users were sampled; `staff` how many of the team were seen.
        band: By number of a user, intensity of use before exposure, as codes into `bands`, lightest
            first; None where nobody had any.
    """

    person: IntArray
    arms: tuple[str, ...]
    arm: IntArray
    bucket: IntArray
    exposed: IntArray
    time: IntArray
    event: IntArray
    names: tuple[str, ...]
    visit: IntArray
    users: int
    staff: int
    query: str
    ids: dict[int, str] = field(default_factory=dict)
    band: IntArray | None = None
    bands: tuple[str, ...] = ()


def few_of(users: int) -> int:
    """Under which bucket users are in the sample, of so many compared."""
    return max(1, min(BUCKETS, round(BUCKETS * _USERS / max(1, users))))


def some_of(chosen: IntArray) -> IntArray:
    """Those of the users in the sample's buckets who are followed: all, but of a huge product."""
    if len(chosen) <= 2 * _USERS:
        return chosen
    return np.sort(np.random.default_rng(0).choice(chosen, _USERS, replace=False))


def sample_of(
    rows: pa.Table,
    *,
    arms: tuple[str, ...],
    arm: IntArray,
    bucket: IntArray,
    exposed: IntArray,
    users: int,
    ids: dict[int, str],
    query: str,
    band: IntArray | None = None,
    bands: tuple[str, ...] = (),
) -> Sample:
    """Put the events of a sample in order, and find their visits.

    Args:
        rows: uid (as `Sample.person`), at (microseconds), event (its name), in any order.
        arms: As in `Sample`, and so are the others.
        arm: Code by number of a user.
        bucket: Of each user.
        exposed: When each was.
        users: How many were sampled.
        ids: Their ids, by number.
        query: Digest of the query.
        band: Intensity of use before exposure of each user, as codes into `bands`.
        bands: Their names, lightest first.
    """
    codes = rows["event"].fill_null("").combine_chunks().dictionary_encode()
    person = rows["uid"].to_numpy().astype(np.int64)
    time = rows["at"].to_numpy().astype(np.int64)
    event = codes.indices.to_numpy().astype(np.int64)
    names = tuple(str(v) for v in codes.dictionary.to_pylist())
    # Numbered by name, those there are, so that nothing depends on how the rows came.
    there = sorted(np.unique(event).tolist(), key=lambda code: names[code])
    rank = np.zeros(len(names), dtype=np.int64)
    rank[there] = np.arange(len(there))
    event = rank[event]
    order = np.lexsort((event, time, person))
    person, time, event = person[order], time[order], event[order]
    starts = np.ones(len(person), dtype=bool)
    starts[1:] = (person[1:] != person[:-1]) | (time[1:] - time[:-1] > _VISIT_GAP)
    return Sample(
        person=person,
        arms=arms,
        arm=arm,
        bucket=bucket,
        exposed=exposed,
        time=time,
        event=event,
        names=tuple(names[code] for code in there),
        visit=np.cumsum(starts) - 1,
        users=users,
        staff=len(np.unique(person[person < 0])),
        query=query,
        ids=ids,
        band=band,
        bands=bands,
    )


def steps_to_jobs(sample: Sample, jobs: JobUse, charter: Charter) -> JobUse:
    """Add to `jobs` the events before each job in a visit, and the visits that reach it."""
    arms = len(sample.arms)
    mine = sample.person >= 0
    visit, event = sample.visit[mine], sample.event[mine]
    if not len(visit):
        return jobs
    numbers, first, index = np.unique(visit, return_index=True, return_inverse=True)
    position = np.arange(len(visit)) - first[index]
    arm = sample.arm[sample.person[mine][first]]
    steps = np.full((arms, len(jobs.jobs)), np.nan)
    reach = np.zeros((arms, len(jobs.jobs)))
    visits = np.bincount(arm, minlength=arms)
    for j, name in enumerate(jobs.jobs):
        job = charter.jobs.get(name, Job())
        wanted = np.isin(event, [i for i, e in enumerate(sample.names) if e in job.events])
        before = np.full(len(numbers), np.iinfo(np.int64).max)
        np.minimum.at(before, index[wanted], position[wanted])
        reached = before < np.iinfo(np.int64).max
        for a in range(arms):
            inside = reached & (arm == a)
            reach[a, j] = inside.sum() / max(1, visits[a])
            if inside.any():
                steps[a, j] = float(np.median(before[inside]))
    return replace(jobs, steps=steps, reach=reach, visits=visits.astype(np.int64))


def pseudonym_key(folder: Path) -> bytes:
    """The secret under which users are shown; made once, kept in `.octad/`, never in a report.

    Where the folder cannot be written to, the names hold for one review alone.
    """
    path = folder / "pseudonyms.key"
    try:
        if len(key := path.read_bytes()) >= _KEY:
            return key
    except OSError:
        pass
    key = secrets.token_bytes(_KEY)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f".pseudonyms.{os.getpid()}.part"
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(key)
        part.replace(path)
    except OSError:
        return key
    return key


def pseudonym(user: str, key: bytes) -> str:
    """A user's name on a page: eight hex digits of a keyed hash."""
    return hmac.new(key, user.encode(), hashlib.sha256).hexdigest()[:8]
