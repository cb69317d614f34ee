"""The user's seat: journeys, signs of trouble and timelines, all from one sample in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from octad.data.attributes import from_arrow
from octad.data.bands import UNKNOWN
from octad.data.clock import micros
from octad.data.journeys import Traces, ways_of
from octad.data.logged import logged_of
from octad.data.samples import Sample
from octad.data.stories import Said, Teller, teller_of
from octad.model.inputs import Errors, Ways
from octad.model.needs import Needs
from octad.model.plan import Charter

__all__ = ["Places", "places_of", "said_by", "seat"]

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

Places = Mapping[str, tuple[tuple[str, ...], IntArray, IntArray]]
"""Attribute to its values, the sampled users' codes by row, and the team's by member."""

_MOST_WRITTEN = 20_000


@dataclass(frozen=True, slots=True)
class _Rows:
    """The sampled users with any event, as rows 0 to U−1."""

    people: IntArray
    person: IntArray

    @classmethod
    def of(cls, sample: Sample) -> _Rows:
        people = np.unique(sample.person[sample.person >= 0])
        person = sample.person.copy()
        mine = person >= 0
        person[mine] = np.searchsorted(people, person[mine])
        return cls(people, person)


def places_of(sample: Sample, users: ibis.Table, names: Sequence[str]) -> Places:
    """What is known of the sampled users and of the team: device, language, age of the account.

    The query asks for the sample alone, by its ids, so it is not kept: it would name people.

    Args:
        sample: Its `ids` name users, and members of the team as −1 − i.
        users: user and the attributes.
        names: Attributes wanted.
    """
    ids = sorted(sample.ids.items())
    if not ids or not names:
        return {}
    known = ibis.memtable(pa.table({"user": [user for _, user in ids]}))
    once = users.distinct(on="user", keep="first")
    asked = once.semi_join(known, "user")
    rows = asked.select("user", **{f"a{i}": asked[n] for i, n in enumerate(names)}).to_pyarrow()
    place = {str(user): i for i, user in enumerate(rows["user"].to_pylist())}
    people = np.unique(sample.person[sample.person >= 0])
    at = np.array([place.get(sample.ids[int(p)], -1) for p in people], dtype=np.int64)
    team = [place.get(user, -1) for number, user in reversed(ids) if number < 0]
    found: dict[str, tuple[tuple[str, ...], IntArray, IntArray]] = {}
    for one in from_arrow(rows, {f"a{i}": name for i, name in enumerate(names)}):
        codes = np.append(one.codes, -1)
        codes[np.isin(codes, [i for i, v in enumerate(one.values) if v == UNKNOWN])] = -1
        found[one.name] = (one.values, codes[at], codes[np.array(team, dtype=np.int64)])
    return found


def said_by(sample: Sample, reviews: ibis.Table | None, product: str) -> list[Said]:
    """What the sampled users wrote in reviews of ours, where the author is the user's own id."""
    if reviews is None or not sample.ids:
        return []
    ids = {user: number for number, user in sample.ids.items() if number >= 0}
    known = ibis.memtable(pa.table({"user": sorted(ids)}))
    ours = reviews.filter(reviews["product"].fill_null(product) == product)
    ours = ours.semi_join(known, ours["author"] == known["user"])
    rows = (
        ours.select(
            author=ours["author"],
            at=micros(ours["time"]),
            rating=ours["rating"].cast("float64"),
            text=ours["text"].fill_null("").substr(0, 2_000),
        )
        .limit(_MOST_WRITTEN)
        .to_pyarrow()
    )
    return [
        Said(
            ids[row["author"]],
            row["at"],
            float("nan") if row["rating"] is None else row["rating"],
            row["text"],
        )
        for row in rows.to_pylist()
    ]


def seat(
    sample: Sample, charter: Charter, needs: Needs, key: bytes, places: Places, said: list[Said]
) -> dict[str, Any]:
    """Everything a review knows of what it is like to be a user, by name of `Inputs`' fields.

    Args:
        sample: Events in order.
        charter: For the jobs and the errors.
        needs: What is asked for.
        key: Under which users are named.
        places: From `places_of`.
        said: From `said_by`.
    """
    rows = _Rows.of(sample)
    teller = teller_of(sample, charter.errors, key, said)
    parts: dict[str, Any] = {}
    if needs.walks:
        parts["ways"] = _ways(sample, rows, charter, places)
        parts["patterns"] = _patterns(sample, rows, teller)
        parts["logged"] = logged_of(sample, rows.people, places)
    if needs.stories:
        hurt = _hurt(rows, places, needs.hurt, int(sample.person.max(initial=-1)) + 1)
        chosen = teller.chosen(needs.stories, hurt, sample.band)
        parts["stories"] = tuple(teller.tell(row, why) for row, why in chosen)
    if needs.named:
        parts["named"] = {
            name: teller.tell(row) for row, name in enumerate(teller.names) if name in needs.named
        }
    return parts


def _ways(sample: Sample, rows: _Rows, charter: Charter, places: Places) -> Ways | None:
    traces = Traces(
        person=rows.person,
        event=sample.event,
        visit=sample.visit,
        names=sample.names,
        arm=sample.arm[rows.people],
        places=places,
    )
    jobs = {name: job.events for name, job in charter.jobs.items() if job.events}
    core = tuple(name for name, job in charter.jobs.items() if job.core)
    return ways_of(traces, jobs, core, sample.query)


def _hurt(
    rows: _Rows, places: Places, segments: frozenset[tuple[tuple[str, str], ...]], size: int
) -> NDArray[np.bool_]:
    """By number of a user, whether they are in any of the segments."""
    inside = np.zeros(len(rows.people), dtype=bool)
    for segment in segments:
        mine = np.ones(len(rows.people), dtype=bool)
        for name, value in segment:
            values, codes, _ = places.get(name, ((), np.full(len(mine), -1), np.zeros(0)))
            mine &= codes == (values.index(value) if value in values else -2)
        inside |= mine
    out = np.zeros(size, dtype=bool)
    out[rows.people[inside]] = True
    return out


def _patterns(sample: Sample, rows: _Rows, teller: Teller) -> Errors | None:
    """Signs of trouble by arm and band of use before exposure, of the sampled users."""
    if not len(rows.people):
        return None
    bands = sample.bands or ("everyone",)
    band = np.zeros(len(rows.people), dtype=np.int64)
    if sample.band is not None:
        band = sample.band[rows.people]
    arms = len(sample.arms)
    cell = sample.arm[rows.people] * len(bands) + band
    mine = rows.person >= 0

    def grid(weights: FloatArray | NDArray[np.bool_] | None) -> FloatArray:
        made = np.bincount(cell, weights, arms * len(bands)).reshape(arms, len(bands))
        return made.astype(np.float64)

    def by_user(flags: NDArray[np.bool_]) -> FloatArray:
        return np.bincount(rows.person[mine], flags[mine], len(rows.people)).astype(np.float64)

    times = {name: by_user(flags) for name, flags in teller.signs.items()}
    total = np.sum(list(times.values()), axis=0)
    return Errors(
        bands=bands,
        users=grid(None).astype(np.int64),
        met=grid(total > 0).astype(np.int64),
        actions=grid(by_user(np.ones(len(rows.person), dtype=bool))),
        errors=grid(total),
        kinds={name: grid(values > 0).astype(np.int64) for name, values in times.items()},
        times={name: grid(values) for name, values in times.items()},
        query=sample.query,
    )
