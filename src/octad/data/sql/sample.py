"""The sample: the only users whose rows leave the engine, a few thousand and some of the team."""

from __future__ import annotations

from collections.abc import Sequence

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

__all__ = ["crew_of", "few_buckets", "sample_from", "team_of"]

_KEPT = ("uid", "code", "bucket", "exposed", "band")


def few_buckets(people: People) -> int:
    """Under which bucket users are in the sample."""
    return few_of(people.n)


def crew_of(tape: Tape, users: ibis.Table | None) -> tuple[str, ...]:
    """Ids of the staff whose events are followed, in the order of their numbers."""
    if users is None or "staff" not in users.columns:
        return ()
    crew, _ = tape.read("the team", users.filter(users.staff).select("user").distinct())
    # Sorted here: engines sort texts by the rules of different languages.
    return tuple(_sorted(crew["user"])[:MOST_STAFF])


def team_of(tape: Tape, people: People, ids: Sequence[str]) -> ibis.Table | None:
    """Members of staff whose events are followed: uid (below 0), user, exposed."""
    if not ids:
        return None
    listed = pa.table(
        {
            "uid": pa.array([-1 - i for i in range(len(ids))], pa.int32()),
            "user": pa.array(list(ids), pa.string()),
        }
    )
    team = tape.place("team", listed, hidden=True)
    return team.mutate(exposed=ibis.literal(people.earliest - TEAM_BEFORE, "int64"))


def _sorted(column: pa.ChunkedArray) -> list[str]:
    return sorted((v for v in column.to_pylist() if v is not None), key=lambda v: str(v).encode())


def sample_from(
    tape: Tape,
    seen: Seen,
    few: int,
    band: ibis.Table | None = None,
    bands: tuple[str, ...] = (),
    team: Sequence[str] = (),
) -> Sample:
    """Bring over the events of the sample, after exposure, and those of the team.

    Args:
        tape: Runs the queries.
        seen: What the one read left; it holds the event names of users under `few`.
        few: Users in buckets under this one are in the sample.
        band: uid and band, intensity of use before exposure, as a code into `bands`.
        bands: Names of the bands.
        team: Ids of the team, in the order of their numbers.
    """
    people = seen.people.table.mutate(band=ibis.literal(0, "int32"))
    if band is not None:
        people = seen.people.table.inner_join(band, "uid")
    rows, _ = tape.read(
        "the sampled users",
        people.filter(people.bucket < few).select(
            "uid", "user", "code", "bucket", "exposed", "band"
        ),
    )
    ids = rows["user"].to_pylist()
    order = np.array(sorted(range(len(ids)), key=lambda i: ids[i].encode()), dtype=np.int64)
    order = order[some_of(np.arange(len(order)))]
    columns = {n: rows[n].to_numpy().astype(np.int64) for n in _KEPT}
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
        ids={i: ids[k] for i, k in enumerate(order.tolist())}
        | {-1 - i: user for i, user in enumerate(team)},
        band=None if band is None else whose["band"],
        bands=bands,
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
