"""The main job: needs, gather, read, decide."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date
from typing import Any, Protocol

from octad.data.connect import Engine
from octad.data.gather import gather
from octad.data.tape import Progress
from octad.errors import Where
from octad.lifecycle.verdict import decide, row_words
from octad.model.finding import Answer
from octad.model.inputs import History, Inputs
from octad.model.needs import Needs
from octad.model.plan import Plan
from octad.model.review import Cost, Deviation, LeftOut, QueryRecord, Review, Stage
from octad.project.digest import plan_digest
from octad.project.history import OPENED_UNREAD
from octad.project.load import LoadedPlan
from octad.readings import all_readings
from octad.readings.base import design_of, grade_of
from octad.readings.measure import anytime_decides
from octad.version import __version__

__all__ = ["HistoryOf", "look_at", "needs_of", "place_of"]


_OF_PROJECT = frozenset({"metrics", "sources", "charter", "connection", "rivals", "product"})
"""Keys that are written in octad.yml, not in the launch."""


class HistoryOf(Protocol):
    """Makes the history once the review's today is known."""

    def __call__(self, inputs: Inputs, /) -> tuple[History, tuple[Deviation, ...]]:
        """Make it."""


def place_of(loaded: LoadedPlan, key: str) -> Where:
    """Where a dotted key is written: in the launch, or in octad.yml for what belongs there."""
    if key.split(".", maxsplit=1)[0] in _OF_PROJECT:
        return loaded.home.where(key)
    return loaded.where(key)


def needs_of(plan: Plan) -> Needs:
    """What all readings ask of the data, merged."""
    needs = Needs()
    for reading in all_readings().values():
        needs = needs | reading.needs(plan)
    return needs


def look_at(
    loaded: LoadedPlan,
    engine: Engine,
    history_of: HistoryOf,
    *,
    digest: str | None = None,
    as_of: date | None = None,
    named: frozenset[str] = frozenset(),
    progress: Progress | None = None,
) -> tuple[Review, Inputs]:
    """Review a launch.

    Args:
        loaded: The plan that is judged by, with the lines of its files.
        engine: An open engine.
        history_of: What the ledger knows, asked once the review's today is known.
        digest: The plan's fingerprint; the seal's where there is one.
        as_of: The last day to be seen.
        named: Users whose timelines were read, under their keyed hashes.
        progress: Told what is being done.

    Raises:
        OctadError: When the data cannot serve the plan.
    """
    plan = loaded.plan
    readings = all_readings()
    needs = Needs(named=named) | needs_of(plan)
    inputs = gather(
        engine,
        plan,
        needs,
        as_of=as_of,
        progress=progress,
        where=lambda key: place_of(loaded, key),
    )
    history, deviations = history_of(inputs)
    inputs = replace(inputs, history=history, topics=loaded.home.topics)
    answers: dict[str, Answer] = {}
    taken: list[Stage] = []
    for name, reading in readings.items():
        if progress is not None:
            progress(f"reading {name}", None)
        began = time.perf_counter()
        answers[name] = reading.read(plan, inputs)
        what = "taking the KPI" if name == "kpi" else f"taking the reading {name}"
        taken.append(Stage(name=what, seconds=_since(began)))
    kpi = answers.pop("kpi")
    early = anytime_decides(plan, inputs)
    outcome = decide(plan, kpi, answers, early=early, looks=history.looks)
    launch = plan.launch
    exposure = inputs.exposure
    counts = (
        {} if exposure is None else dict(zip(inputs.arms, map(int, exposure.counts), strict=True))
    )
    scanned, stages = inputs.cost or (0, ())
    review = Review(
        octad=__version__,
        launch=launch.launch,
        product=plan.project.product,
        what=launch.what,
        verdict=outcome.verdict,
        rule=row_words(outcome.row),
        because=outcome.because,
        next=outcome.next,
        looks=history.looks,
        plan_digest=digest or plan_digest(plan),
        sealed=history.sealed,
        deviations=deviations,
        design=design_of(plan),
        grade=grade_of(plan),
        as_of=inputs.as_of,
        final=inputs.final,
        users=sum(counts.values()),
        arms=counts,
        simulated=plan.project.simulated,
        warnings=_warnings(loaded, inputs, deviations),
        left_out=tuple(LeftOut(source=s, reason=r, rows=n) for s, r, n in inputs.left_out),
        kpi=kpi,
        readings=answers,
        queries={k: QueryRecord(what=w, sql=q) for k, (w, q) in inputs.queries.items()},
        cost=Cost(
            rows_scanned=scanned,
            engine=f"{engine.backend.name} {engine.backend.version}",
            stages=(
                *(Stage(name=n, seconds=round(s, 3), rows=r) for n, s, r in stages),
                *taken,
            ),
            **_files(inputs),
        ),
    )
    return review, inputs


def _since(began: float) -> float:
    return round(time.perf_counter() - began, 3)


def _files(inputs: Inputs) -> dict[str, Any]:
    """Which files were read and which were kept, as far as events are in files."""
    found = inputs.files_read
    if found is None:
        return {}
    return {
        "files": found.files,
        "files_read": found.read,
        "kept_from": found.kept_from,
        "new_users": found.new_users,
        "why_all": found.why_all,
    }


def _warnings(
    loaded: LoadedPlan, inputs: Inputs, changed: tuple[Deviation, ...]
) -> tuple[str, ...]:
    """What a reader of the numbers should know before the first of them."""
    launch = loaded.plan.launch
    found = []
    history = inputs.history
    if history.sealed is None:
        found.append(
            "The plan is not sealed, so nothing proves that it was written before the numbers were "
            "seen."
        )
    elif history.sealed_before_data is False:
        found.append("The plan was sealed after outcomes of the launch were already there.")
    if changed:
        places = "one place" if len(changed) == 1 else f"{len(changed)} places"
        found.append(
            f"The plan was changed after it was sealed, in {places}. This review judges by what "
            f"was sealed on {history.sealed}; what the files say now is shown, and decides nothing."
        )
    if OPENED_UNREAD in history.deviations:
        found.append(f"{OPENED_UNREAD[:1].upper()}{OPENED_UNREAD[1:]}, against the plan.")
    if launch.ends is not None and not inputs.final and inputs.as_of is not None:
        found.append(
            f"This is an early look: the plan ends on {launch.ends}, and the newest data are of "
            f"{inputs.as_of.date()}. Until then the wider, anytime interval decides."
        )
    for name, cells in inputs.metrics.items():
        if cells.waiting and name in launch.metrics:
            found.append(
                f"{name}: {cells.waiting:,} users are not counted yet, since their window has not "
                "ended."
            )
    return tuple(found)
