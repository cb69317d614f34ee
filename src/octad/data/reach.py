"""Who is tied to whom, and what those do whose friends have the launch.

The ties are joined to the users compared in the engine, and come over as pairs of their places;
no id does. What users did is what the one read of the events left: they are not read again.
"""

from __future__ import annotations

from dataclasses import replace

import ibis
import ibis.expr.types as ir
import numpy as np
from numpy.typing import NDArray

from octad.data.cells import UnitValues
from octad.data.clock import DAY, micros
from octad.data.fold_work import FoldWork
from octad.data.gathering import Gathering
from octad.data.population import Population
from octad.data.tape import Tape
from octad.data.work import Work
from octad.model.inputs import Reach
from octad.stats.refusal import NotEstimable
from octad.stats.spillover import Spillover, net_of, spillover, ties_by_chance, together

__all__ = ["chances", "gather_reach", "refuse_reach"]

FloatArray = NDArray[np.float64]

_FEWEST_IN_DAY = 500
"""Users behind a day's share of the treated; smaller days are taken with those that follow."""


def refuse_reach(job: Gathering, of: str) -> None:
    """Say that ties are there and are not read."""
    if _wanted(job):
        job.parts["reach"] = Reach(
            unread=f"sources.links is not read with {of}; it is with events beside octad.yml"
        )


def _wanted(job: Gathering) -> bool:
    return bool(job.needs.reach) and job.tables.links is not None and job.plan.launch.randomised


def gather_reach(job: Gathering, work: Work) -> None:
    """Hold each metric that is asked for against the share of a user's ties who have the launch."""
    if not _wanted(job) or len(work.arms) < 2:
        return
    if not isinstance(work, FoldWork):
        refuse_reach(job, f"a connection to {job.engine.abilities.spoken}")
        return
    with job.tape.stage("following who is tied to whom", job.tables.intake["links"].kept):
        job.parts["reach"] = _reach(job, work)


def _reach(job: Gathering, work: FoldWork) -> Reach:
    people = work.population
    assert job.tables.links is not None  # noqa: S101 - asked by the caller
    one, other, late, query = _pairs(job.tape, job.tables.links, people)
    net = net_of(one, other, people.n)
    if not net.nnz:
        return Reach(late=late, unread="no tie of sources.links joins two users of the experiment")
    chance = chances(people)
    metrics: dict[str, Spillover | str] = {}
    before: dict[str, Spillover] = {}
    for name in sorted(job.needs.reach):
        values = work.of_users(name)
        if values is None:
            continue
        now, past = _per_user(values)
        try:
            metrics[name] = spillover(
                now, net, people.arm, chance, before=past, counted=values.ended
            )
            if past is not None:
                before[name] = spillover(past, net, people.arm, chance, counted=values.ended)
        except NotEstimable as refusal:
            metrics.setdefault(name, refusal.reason)
    found = {name: s for name, s in metrics.items() if isinstance(s, Spillover)}
    signs = [1 if job.plan.metric(name).better == "up" else -1 for name in found]
    # A number for each user is of no use any more, and there may be millions.
    small = {name: replace(s, pull=np.zeros(0)) for name, s in found.items()}
    return Reach(
        ties=net.nnz // 2,
        late=late,
        by_chance=ties_by_chance(net, people.arm > 0, chance),
        metrics=metrics | small,
        together=together(list(found.values()), signs),
        before={name: replace(s, pull=np.zeros(0)) for name, s in before.items()},
        query=query,
    )


def _pairs(
    tape: Tape, links: ir.Table, people: Population
) -> tuple[NDArray[np.int64], NDArray[np.int64], int, str]:
    """Places of both ends of every tie in the experiment, and how many ties are too young."""
    users = people.table.select("uid", "user")
    late = 0
    if people.frame.starts is not None:
        young = micros(links.time) >= people.frame.starts
        counted, _ = tape.read(
            "ties no older than the launch", links.filter(young).aggregate(n=ibis._.count())
        )
        late = int(counted["n"][0].as_py())
        if late:
            links = links.filter(links.time.isnull() | ~young)
    ends = users.rename(one="uid")
    joined = links.select("user", "other").join(ends, "user").select("one", "other")
    others = users.rename(two="uid", other="user")
    found, query = tape.read(
        "who is tied to whom", joined.join(others, "other").select("one", "two")
    )
    one, two = (found[end].to_numpy().astype(np.int64) for end in ("one", "two"))
    return one, two, late, query


def chances(people: Population) -> FloatArray:
    """The chance with which each user got the launch: the share of those who entered that day.

    A split that was opened step by step gives each day a chance of its own.

    Returns:
        (n,) between 0 and 1.
    """
    days, place = np.unique(people.exposed // DAY, return_inverse=True)
    sizes, having = np.bincount(place), np.bincount(place, weights=people.arm > 0)
    group, so_far = np.zeros(len(days), dtype=np.int64), 0
    for day in range(1, len(days)):
        so_far += int(sizes[day - 1])
        # Too few to be a group of their own, the last days stay with those before them.
        ripe = so_far >= _FEWEST_IN_DAY and int(sizes[day:].sum()) >= _FEWEST_IN_DAY
        group[day] = group[day - 1] + ripe
        so_far = 0 if ripe else so_far
    share = np.bincount(group, weights=having) / np.bincount(group, weights=sizes)
    return np.asarray(share[group][place])


def _per_user(values: UnitValues) -> tuple[FloatArray, FloatArray | None]:
    """A number a user whose mean is the metric's: a ratio's is by its slopes (delta method)."""
    now = _straight(values.y, values.d, values.ended)
    return now, _straight(values.x, values.w, values.ended) if values.paired else None


def _straight(top: FloatArray, bottom: FloatArray, counted: NDArray[np.bool_]) -> FloatArray:
    whole = float(bottom[counted].sum())
    if not whole:
        return np.zeros(len(top))
    ratio, mean = float(top[counted].sum()) / whole, whole / int(counted.sum())
    return np.asarray(ratio + (top - ratio * bottom) / mean)
