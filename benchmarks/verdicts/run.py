"""One world: laid out on disk, reviewed as its team would, and only then held to its truth."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from pathlib import Path
from typing import Any

from benchmarks.verdicts import rules
from octad.errors import OctadError
from octad.lifecycle import demo
from octad.lifecycle.session import Session
from octad.model.finding import Stance
from octad.model.review import Review, Verdict
from octad.project.load import load_plan

__all__ = ["Case", "Run", "run"]

WEEK = 7
FAILED = "error"
"""What stands for the verdict when the review itself failed; it is never right."""


@dataclass(frozen=True, slots=True, order=True)
class Case:
    """Which world."""

    kind: str
    strength: str
    users: int
    seed: int

    @property
    def command(self) -> str:
        """What opens it as a project folder."""
        return (
            f"octad demo --world {self.kind} --strength {self.strength} "
            f"--users {self.users} --seed {self.seed}"
        )


@dataclass(frozen=True, slots=True)
class Run:
    """What was said of a world, and what is true of it.

    Attributes:
        verdict: At the plan's last day; `because` the first reason, `row` the table's row.
        stances: Reading to stance. `saw`: the reading that decided, then others against it.
        claims: Ids of findings that fail the measurement, show harm or speak against it.
        rules: What each simpler rule says on the last day.
        looks: Weekly looks of a team that looks early, the last day at the end: day since the
            start, verdict, and what each rule says that day. Empty when nobody looked.
        right: Right verdicts, best first.
        harm, good, trust, visible: As the world's truth has them.
        seconds: Of processor time for the review on the last day.
    """

    case: Case
    verdict: str
    right: tuple[str, ...]
    harm: bool
    good: bool
    trust: bool
    visible: bool
    because: str = ""
    row: str = ""
    stances: dict[str, str] = field(default_factory=dict)
    saw: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    rules: dict[str, str] = field(default_factory=dict)
    looks: tuple[tuple[int, str, dict[str, str]], ...] = ()
    seconds: float = 0.0

    @property
    def is_right(self) -> bool:
        """Whether the verdict is one of the right ones."""
        return self.verdict in self.right

    def record(self) -> dict[str, Any]:
        """As one line of the book."""
        return asdict(self)

    @classmethod
    def of(cls, record: dict[str, Any]) -> Run:
        """From a line of the book."""
        kept = dict(record)
        kept["case"] = Case(**kept["case"])
        for name in ("right", "saw", "claims"):
            kept[name] = tuple(kept[name])
        kept["looks"] = tuple((day, said, dict(by)) for day, said, by in kept["looks"])
        return cls(**kept)


def run(case: Case, *, looks: bool = False) -> Run:
    """Make a world, review it, and read its truth after that.

    The truth is carried out of the project's folder before the first look, unread, so that nothing
    which reviews the launch could read it.

    Args:
        case: Which world.
        looks: Whether a copy of the project is also looked at every week, each look in its ledger.
    """
    with tempfile.TemporaryDirectory(prefix="octad-world-") as folder:
        root, truth = Path(folder) / "project", Path(folder) / "truth.json"
        demo.create(root, case.kind, seed=case.seed, users=case.users, strength=case.strength)
        (root / demo.TRUTH).rename(truth)
        weekly = Path(folder) / "weekly"
        if looks:
            shutil.copytree(root, weekly)
        found = _at_the_end(root)
        early = _every_week(weekly) if looks else ()
        told = json.loads(truth.read_text(encoding="utf-8"))
    return Run(
        case=case,
        right=tuple(told["right"]),
        harm=bool(told["harm"]),
        good=bool(told["good"]),
        trust=told["trust"] == "holds",
        visible=bool(told["visible"]),
        looks=early,
        **found,
    )


def _at_the_end(root: Path) -> dict[str, Any]:
    """Review once, on the plan's last day."""
    session = Session.open(root)
    launch = session.launches[0]
    plan = load_plan(root, launch).plan
    began = time.process_time()
    try:
        review, inputs = session.review_with_inputs(launch, as_of=plan.launch.ends)
    except OctadError as error:
        return {"verdict": FAILED, "because": str(error)}
    return {
        "verdict": review.verdict.value,
        "because": review.because[0],
        "row": review.rule,
        "stances": {name: answer.stance.value for name, answer in review.readings.items()},
        "saw": _saw(review),
        "claims": _claims(review),
        "rules": rules.verdicts(plan, inputs),
        "seconds": round(time.process_time() - began, 2),
    }


def _every_week(root: Path) -> tuple[tuple[int, str, dict[str, str]], ...]:
    """Review every week until the plan's last day, each look logged as a team's would be."""
    session = Session.open(root)
    launch = session.launches[0]
    plan = load_plan(root, launch).plan
    starts, ends = plan.launch.starts, plan.launch.ends
    if starts is None or ends is None:
        return ()
    days = [*range(WEEK, (ends - starts).days, WEEK), (ends - starts).days]
    found = []
    for day in days:
        on = starts + timedelta(days=day)
        try:
            review, inputs = session.review_with_inputs(launch, as_of=on, now=_evening(on))
            found.append((day, review.verdict.value, rules.verdicts(plan, inputs)))
        except OctadError:
            found.append((day, FAILED, {}))
    return tuple(found)


def _evening(on: date) -> datetime:
    return datetime.combine(on, clock(18), tzinfo=UTC)


def _claims(review: Review) -> tuple[str, ...]:
    """What fails the measurement, shows harm or speaks against the launch, in a reading."""
    return tuple(
        f.id
        for answer in review.readings.values()
        for f in answer.findings
        if f.trust == "fails" or f.harm or f.stance is Stance.AGAINST
    )


def _saw(review: Review) -> tuple[str, ...]:
    """Readings in the order in which the verdict's table heeds them.

    First one whose check of the measurement fails, then one that shows harm, then those against.
    """
    answers = review.readings
    failed = [n for n, a in answers.items() if any(f.trust == "fails" for f in a.findings)]
    harmed = [n for n, a in answers.items() if any(f.harm for f in a.findings)]
    against = [n for n, a in answers.items() if a.stance is Stance.AGAINST]
    told = review.verdict
    first = failed if told is Verdict.CANNOT_TELL else harmed
    return tuple(dict.fromkeys((*first, *failed, *harmed, *against)))
