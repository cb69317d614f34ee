"""One read of the events, folded here: what is asked of it, who is in it, what is left of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import ibis.expr.types as ir
import numpy as np
from numpy.typing import NDArray

from octad.data.attributes import Attribute, from_behaviour, from_table
from octad.data.behaviour import error_parts, job_parts
from octad.data.clock import DAY, micros
from octad.data.connect import leave_room
from octad.data.fold import Folded
from octad.data.fold_form import asked_of, form_of, parts_of
from octad.data.fold_people import people_of, population_of, team_of
from octad.data.fold_sums import Columns, Sums
from octad.data.fold_work import Asked, FoldWork
from octad.data.gathering import FEWEST_IN_ARM
from octad.data.kept import fold_kept
from octad.data.population import Chosen, Population
from octad.data.primitives import (
    ACTIVE,
    OPEN,
    PRE_DAYS,
    Part,
)
from octad.data.samples import few_of
from octad.data.segments import (
    deepen,
    make_slices,
)
from octad.data.sources import Tables
from octad.data.tape import Tape
from octad.data.units import Units
from octad.data.work import Request
from octad.model.plan import Plan

__all__ = ["work_here"]

_USED = Part(ACTIVE, -PRE_DAYS, 0)


def _asked(plan: Plan, request: Request) -> Asked:
    before, after = request.before, request.after
    held = plan.project.charter.jobs
    jobs = job_parts(held, back=before, days=after) if request.jobs else {}
    errors = error_parts(request.errors, days=OPEN)
    recipes = [*request.recipes.values(), *(r for k in request.kinds.values() for r in k.values())]
    parts = [p for r in recipes for p in parts_of(r)]
    parts += [p for pair in jobs.values() for p in pair] + list(errors.values())
    if request.everything:
        parts += [_USED, Part(ACTIVE, 0, OPEN), Part(ACTIVE, -before, 0), Part(ACTIVE, 0, after)]
    primitives = [p.primitive for p in parts] + list(request.calendar.values())
    for name in sorted(request.daily & set(request.recipes)):
        primitives += request.recipes[name].daily
    return Asked(
        parts=frozenset(parts),
        jobs=jobs,
        errors=errors,
        primitives=tuple(dict.fromkeys(primitives)),
        back=max([PRE_DAYS, *(-p.first for p in parts)]),
    )


_ROW, _USER = 16, 264
"""Bytes held beside DuckDB at most: 8 for each user, event and day, twice while the pieces are put
together; and of each user the id, exposure, attributes and what is being added up."""

_MOVES = "everyone is compared with their own past, and with every day more of it counts"


def work_here(tape: Tape, plan: Plan, tables: Tables, chosen: Chosen, request: Request) -> FoldWork:
    """Read the events once, and add them up here.

    Args:
        tape: Runs the queries.
        plan: For the metrics.
        tables: The sources.
        chosen: Who is compared.
        request: What is wanted.

    Raises:
        OctadError: When the events or the users cannot serve the request.
    """
    asked = _asked(plan, request)
    few = few_of(int(chosen.exposure.counts.sum())) if request.sample else 0
    team = team_of(tables.users) if request.sample else None
    with tape.stage("finding who is compared"):
        users, people, arm = people_of(tape, chosen.table, team, few)
        population = population_of(chosen, people, arm)
    frame = chosen.frame
    form = form_of(
        request,
        asked.primitives,
        back=asked.back,
        sampled=few,
        until=frame.until,
        starts=frame.starts,
    )
    rows = tables.intake["events"].kept
    leave_room(tape.backend, rows * _ROW + len(people.user) * _USER)
    folded = fold_kept(
        tape,
        tables.events,
        tables.files.get("events"),
        users,
        people,
        form,
        asked=asked_of(request, asked.primitives, form),
        launch=plan.launch.launch,
        rows=rows,
        day=chosen.frame.as_of,
        never=_MOVES if request.mirror is not None else "",
    )
    work = _work(tape, plan, tables, population, users, request, asked, folded)
    work.team = team
    return work


def _work(
    tape: Tape,
    plan: Plan,
    tables: Tables,
    population: Population,
    users: ir.Table,
    request: Request,
    asked: Asked,
    folded: Folded,
) -> FoldWork:
    with tape.stage("adding up users"):
        sums = Sums(folded.state)
        kept = {_USED: sums.users(_USED)} if _USED in asked.parts else {}
        first = sums.first_day(asked.back) if request.bands else np.zeros(0, np.int64)
        units = Units(Columns(sums, asked.parts, kept), first, folded.query)
        bands = from_behaviour(units, kept[_USED], PRE_DAYS) if request.bands else []
        own, refused = _own(tape, tables, population, request)
        if _USED in kept:
            had_past = bool((kept[_USED] > 0).any())
        else:
            had_past = sums.any_before(PRE_DAYS) or _past_of_others(tape, tables, population)
    attributes = [*bands, *own]
    by_attribute = {a.name: (a.values, _by_arm(a, population)) for a in attributes}
    work = FoldWork(
        plan=plan,
        request=request,
        asked=asked,
        tape=tape,
        population=population,
        users=users,
        folded=folded,
        sums=sums,
        units=units,
        bands=tuple(bands),
        exposure=replace(population.exposure, by_attribute=by_attribute),
        refused=refused,
        slices=make_slices(attributes, population.arm, fewest=FEWEST_IN_ARM),
        had_past=had_past,
    )
    with tape.stage("searching combinations of attributes"):
        work.slices = deepen(
            work.slices,
            attributes,
            work.sought(),
            population.arm,
            population.bucket,
            seed=plan.launch.halving,
        )
    return work


def _own(
    tape: Tape, tables: Tables, population: Population, request: Request
) -> tuple[list[Attribute], Mapping[str, str]]:
    """The attributes of the users' source."""
    if tables.users is None or not request.attributes:
        return [], {}
    wanted = request.segments
    if wanted is None:
        wanted = tuple(c for c in tables.users.columns if c not in ("user", "staff", "known"))
    return from_table(tape, population, tables.users, wanted) if wanted else ([], {})


def _past_of_others(tape: Tape, tables: Tables, population: Population) -> bool:
    """Whether anybody compared did anything in the weeks before exposure, named or not."""
    if tables.events is None:
        return False
    at = tables.events.select("user", at=micros(tables.events.time))
    mine = at.join(population.table.select("user", "exposed"), "user")
    early = (mine.at < mine.exposed) & (mine.at >= mine.exposed - PRE_DAYS * DAY)
    some, _ = tape.read("anything before exposure", mine.filter(early).select("at").limit(1))
    return bool(some.num_rows)


def _by_arm(attribute: Attribute, population: Population) -> NDArray[np.int64]:
    """(V, A) users with each value, by arm."""
    shape = (len(attribute.values), len(population.arms))
    cell = attribute.codes * shape[1] + population.arm
    return np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)
