"""What users do that the team never did, and the walks that the team has made up for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from octad.data.connect import connect
from octad.data.gather import gather
from octad.data.tape import Progress
from octad.errors import DataError, UnknownNameError, UsageError, nearest
from octad.lifecycle.review import place_of
from octad.model.finding import Finding
from octad.model.inputs import Inputs
from octad.model.needs import Needs
from octad.model.records import Walked
from octad.project.ledger import Ledger
from octad.project.load import LoadedPlan
from octad.readings.user_walked import checklist, like_whom, places, walked

__all__ = ["Checklist", "ToWalk", "log_walk", "to_walk"]


@dataclass(frozen=True, slots=True)
class ToWalk:
    """A way that users go and the team never has.

    Attributes:
        steps: Events in order.
        kind: Two or three in a row, or the core job it leads to.
        users: Sampled users who go it, and `share` of all sampled; `times` how often.
    """

    steps: tuple[str, ...]
    kind: str
    users: int
    share: float
    times: int


@dataclass(frozen=True, slots=True)
class Checklist:
    """What is to be walked, where most users live first.

    Attributes:
        sampled: Users in the sample; `team` members of the team seen at all.
        by_events: The share of use that the team's own events show as walked; `with_walks` with
            the walks of the ledger besides; None where it cannot be told.
        logged: Walks in the ledger.
        findings: Where the team has hardly been, and whose use its own is like.
    """

    launch: str
    rows: tuple[ToWalk, ...]
    sampled: int
    team: int
    by_events: float | None
    with_walks: float | None
    logged: tuple[Walked, ...]
    findings: tuple[Finding, ...]


def _inputs(loaded: LoadedPlan, progress: Progress | None) -> Inputs:
    place = loaded.home.where("connection")
    with connect(loaded.plan.project, loaded.root, where=place) as engine:
        return gather(
            engine,
            loaded.plan,
            Needs(walks=True),
            progress=progress,
            where=lambda key: place_of(loaded, key),
        )


def to_walk(
    loaded: LoadedPlan, ledger: Ledger, *, most: int = 20, progress: Progress | None = None
) -> Checklist:
    """Hold the team's ways against those of a launch's users.

    Args:
        loaded: The launch whose users are looked at.
        ledger: For the walks that were logged, of every launch.
        most: Lines of the checklist.
        progress: Told what is being done.

    Raises:
        DataError: When no user of the launch did anything yet.
    """
    launch = loaded.plan.launch.launch
    inputs = _inputs(loaded, progress)
    ways = inputs.ways
    if ways is None:
        raise DataError(
            "nobody who was exposed did anything yet, so there is nothing to walk.",
            mend="Come back when there are events after the launch's first day.",
        )
    logged = tuple(e.record for e in ledger.entries() if isinstance(e.record, Walked))
    steps = [walk.step for walk in logged]
    alone, together = (walked(ways, inputs.arms, known) for known in ((), steps))
    made = (places(ways, steps), like_whom(ways))
    return Checklist(
        launch=launch,
        rows=tuple(
            ToWalk(s, kind, users, users / max(1, len(ways.arm)), times)
            for s, kind, users, times in checklist(ways, steps, most)
        ),
        sampled=len(ways.arm),
        team=ways.team,
        by_events=_value(alone),
        with_walks=_value(together),
        logged=logged,
        findings=tuple(f for f in made if f is not None),
    )


def _value(found: Finding | None) -> float | None:
    return found.estimate.value if found is not None and found.estimate is not None else None


def log_walk(
    loaded: LoadedPlan,
    ledger: Ledger,
    steps: tuple[str, ...],
    *,
    who: str,
    now: datetime,
    note: str = "",
    progress: Progress | None = None,
) -> Walked:
    """Keep that the team went a way on purpose.

    Args:
        loaded: The launch whose users go it.
        ledger: Where it is kept.
        steps: Events in order, at least two.
        who: Who walked.
        now: The moment.
        note: What was seen.
        progress: Told what is being done.

    Raises:
        UsageError: Without a name, or for fewer than two steps.
        UnknownNameError: For an event that no user's way holds; says what is near.
    """
    if not who.strip():
        raise UsageError("nobody walked it.", mend="Give a name: --by NAME")
    if len(steps) < 2:
        raise UsageError(
            "a walk has at least two steps.", mend='Write them in order: --done "open > feed"'
        )
    ways = _inputs(loaded, progress).ways
    known = {step for way in ways.steps for step in way} if ways is not None else set()
    for step in steps:
        if step not in known:
            raise UnknownNameError(
                f"no sampled user's way holds the event '{step}'.", mend=nearest(step, known)
            )
    walk = Walked(launch=loaded.plan.launch.launch, step=steps, who=who, note=note)
    ledger.append(walk, now=now)
    return walk
