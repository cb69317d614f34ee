"""The sample: the only users whose rows leave the engine, a few thousand and some of the team."""

from __future__ import annotations

import ibis
import numpy as np
import pyarrow as pa

from octad.data.samples import (
    MOST_STAFF,
    TEAM_BEFORE,
    Sample,
    few_of,
    sample_of,
    some_of,
)
from octad.data.sql.people import People
from octad.data.sql.seen import Seen
from octad.data.tape import Tape

__all__ = ["few_buckets", "sample_from", "team_of"]


def few_buckets(people: People) -> int:
    """Under which bucket users are in the sample."""
    return few_of(people.n)


def team_of(tape: Tape, people: People, users: ibis.Table | None) -> ibis.Table | None:
    """Members of staff whose events are followed: uid (below 0), user, exposed."""
    if users is None or "staff" not in users.columns:
        return None
    crew, _ = tape.read("the team", users.filter(users.staff).select("user").distinct())
    # Sorted here: engines sort texts by the rules of different languages.
    ids = _sorted(crew["user"])[:MOST_STAFF]
    if not ids:
        return None
    listed = pa.table(
        {
            "uid": pa.array([-1 - i for i in range(len(ids))], pa.int32()),
            "user": pa.array(ids, pa.string()),
        }
    )
    team = tape.place("team", listed)
    return team.mutate(exposed=ibis.literal(people.earliest - TEAM_BEFORE, "int64"))


def _sorted(column: pa.ChunkedArray) -> list[str]:
    return sorted((v for v in column.to_pylist() if v is not None), key=lambda v: str(v).encode())


def sample_from(tape: Tape, seen: Seen, few: int) -> Sample:
    """Bring over the events of the sample, after exposure, and those of the team.

    Args:
        tape: Runs the queries.
        seen: What the one read left; it holds the event names of users under `few`.
        few: Users in buckets under this one are in the sample.
    """
    people = seen.people.table
    rows, _ = tape.read(
        "the sampled users",
        people.filter(people.bucket < few).select("uid", "user", "code", "bucket", "exposed"),
    )
    ids = rows["user"].to_pylist()
    order = np.array(sorted(range(len(ids)), key=lambda i: ids[i].encode()), dtype=np.int64)
    order = order[some_of(np.arange(len(order)))]
    columns = {n: rows[n].to_numpy().astype(np.int64) for n in ("uid", "code", "bucket", "exposed")}
    whose = {name: values[order] for name, values in columns.items()}
    t = seen.table
    follow = (t.code < 0) | ((t.bucket >= 0) & (t.bucket < few) & (t.since >= 0))
    events, query = tape.read(
        "events of a sample of users, in order",
        t.filter(follow).select("uid", "since", event=t.label),
    )
    return sample_of(
        _numbered(events, whose["uid"], whose["exposed"], seen.people.earliest - TEAM_BEFORE),
        arms=seen.people.arms,
        arm=whose["code"],
        bucket=whose["bucket"],
        exposed=whose["exposed"],
        users=len(order),
        ids={i: ids[k] for i, k in enumerate(order.tolist())},
        query=query,
    )


def _numbered(events: pa.Table, uid: np.ndarray, exposed: np.ndarray, team_from: int) -> pa.Table:
    """Rows of `sample_of`: users by their place in the sample, moments since 1970."""
    theirs = events["uid"].to_numpy().astype(np.int64)
    by_uid = np.argsort(uid)
    place = np.searchsorted(uid[by_uid], theirs)
    place = np.minimum(place, max(len(uid) - 1, 0))
    number = by_uid[place] if len(uid) else np.full(len(theirs), -1)
    known = (theirs >= 0) & (uid[number] == theirs if len(uid) else False)
    person = np.where(theirs < 0, theirs, number)
    since = events["since"].to_numpy().astype(np.int64)
    at = since + np.where(theirs < 0, team_from, exposed[number] if len(uid) else 0)
    keep = known | (theirs < 0)
    return pa.table(
        {
            "uid": pa.array(person[keep]),
            "at": pa.array(at[keep]),
            "event": events["event"].filter(pa.array(keep)),
        }
    )
