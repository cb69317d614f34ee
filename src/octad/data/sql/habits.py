"""Jobs, and errors by intensity of use, counted in the engine."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import numpy as np
from numpy.typing import NDArray

from octad.data.population import BUCKETS
from octad.data.sql.layout import Key
from octad.data.sql.slices import Sliced
from octad.data.sql.units import Units
from octad.data.tape import Tape
from octad.model.inputs import Errors, JobUse

__all__ = ["ALL", "errors_of", "jobs_of"]

FloatArray = NDArray[np.float64]
ALL = "all"
"""The unit of every event after exposure, and that of every error."""


def jobs_of(tape: Tape, units: Units, names: Sequence[str]) -> JobUse:
    """Each job's events and users by arm and bucket, before and after exposure."""
    keys: list[Key] = [("job", name) for name in names]
    t = units.of(keys)
    before, after = t.x > 0, t.y > 0
    rows, query = tape.read(
        "use of jobs",
        t.group_by("metric", "code", "bucket").agg(
            events_before=t.x.sum(),
            events_after=t.y.sum(),
            users_before=t.count(where=before),
            users_after=t.count(where=after),
            both=t.count(where=before & after),
        ),
    )
    places = {units.number(key): j for j, key in enumerate(keys)}
    job = np.array([places[m] for m in rows["metric"].to_pylist()], dtype=np.int64)
    at = (rows["code"].to_numpy(), rows["bucket"].to_numpy(), job)
    shape = (len(units.seen.people.arms), BUCKETS, len(names))

    def grid(column: str) -> FloatArray:
        out = np.zeros(shape)
        out[at] = rows[column].to_numpy()
        return out

    return JobUse(
        jobs=tuple(names),
        events=np.stack([grid("events_before"), grid("events_after")]),
        users=np.stack([grid("users_before"), grid("users_after")]),
        had=grid("users_before").sum(axis=1).astype(np.int64),
        kept=grid("both").sum(axis=1).astype(np.int64),
        query=query,
    )


def errors_of(tape: Tape, units: Units, sliced: Sliced, names: Sequence[str], band: str) -> Errors:
    """Errors, and the users who met one, by arm and intensity of use before exposure.

    Args:
        tape: Runs the queries.
        units: The users' numbers, with the codes of attributes beside them.
        sliced: For the bands.
        names: The error events.
        band: The attribute that holds the bands, when there is such.
    """
    arms, column = len(units.seen.people.arms), sliced.column(band)
    bands = next((a.values for a in sliced.attributes if a.name == band), ("everyone",))
    keys: list[Key] = [("error", name) for name in names]
    t = units.of([*keys, ("errors", ALL), ("actions", ALL)])
    t = t.mutate(band=ibis.literal(0, "int32") if column is None else t[column])
    rows, query = tape.read(
        "errors by intensity of use",
        t.group_by("metric", "code", "band").agg(times=t.y.sum(), users=t.count(where=t.y > 0)),
    )
    metric = rows["metric"].to_numpy()
    shape = (arms, len(bands))

    def grid(key: Key, value: str) -> FloatArray:
        out, mine = np.zeros(shape), metric == units.number(key)
        at = (rows["code"].to_numpy()[mine], rows["band"].to_numpy()[mine])
        out[at] = rows[value].to_numpy()[mine]
        return out

    if column is None:
        users = units.seen.people.counts.sum(axis=1)[:, None]
    else:
        users = sliced.counts[band].T
    return Errors(
        bands=bands,
        users=users.astype(np.int64),
        met=grid(("errors", ALL), "users").astype(np.int64),
        actions=grid(("actions", ALL), "times"),
        errors=grid(("errors", ALL), "times"),
        kinds={name: grid(("error", name), "users").astype(np.int64) for name in names},
        times={name: grid(("error", name), "times") for name in names},
        query=query,
    )
