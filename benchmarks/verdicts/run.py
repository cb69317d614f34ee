"""One world: laid out on disk, reviewed as its team would, and only then held to its truth."""

from __future__ import annotations

import json
import tempfile
import time
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.verdicts import rules
from octad.errors import OctadError
from octad.lifecycle import demo
from octad.lifecycle.session import Session
from octad.model.finding import Stance
from octad.model.review import Review, Verdict
from octad.project.load import load_plan
from octad.worlds.right import seen

__all__ = ["Case", "Run", "run"]

WEEK = 7
FAILED = "error"
"""What stands for the verdict when the review itself failed; it is never right."""


SPACING = 1000


@dataclass(frozen=True, slots=True, order=True)
class Case:
    """Which world."""

    kind: str
    strength: str
    users: int
    seed: int

    @classmethod
    def variant(cls, kind: str, strength: str, users: int, number: int) -> Case:
        """The world of that number, of 1 to 999.

        Worlds of one seed share their people and their luck, so each kind, strength and size gets
        seeds of its own: then what is counted over them is independent. The number is the seed's
        last three digits.
        """
        own = zlib.crc32(f"{kind} {strength} {users}".encode()) % 10_000
        return cls(kind, strength, users, SPACING * own + number)

    @property
    def number(self) -> int:
        """Its number among the variants of its kind, strength and size."""
        return self.seed % SPACING

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
        looks: What a look on every seventh day, and on the last, would have said: day since the
            start, verdict, and what each rule says that day. Empty when nobody looked.
        right: Right verdicts, best first. `errors`: those that would be an error, by its name; a
            verdict in neither is too timid.
        harms: What is truly harmed, worst seen first; `harm_visible` whether a comparison of the
            arms can show any.
        good: Whether it is good and harms nothing. `trust`: whether its arms can be compared.
        randomised: Whether chance decided who got it.
        visible: Whether the data could show what is right: the fault where the measurement fails,
            the harm where there is one, else the gain, each with power of at least 80%.
        seconds: Of processor time for the review on the last day.
    """

    case: Case
    verdict: str
    right: tuple[str, ...]
    errors: dict[str, str]
    harms: tuple[str, ...]
    harm_visible: bool
    good: bool
    trust: bool
    randomised: bool
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

    @property
    def harm(self) -> bool:
        """Whether anything is truly harmed."""
        return bool(self.harms)

    @property
    def calm(self) -> bool:
        """Whether nothing is wrong, neither with the launch nor with its measurement."""
        return self.trust and self.randomised and not self.harms

    def record(self) -> dict[str, Any]:
        """As one line of the book."""
        return asdict(self)

    @classmethod
    def of(cls, record: dict[str, Any]) -> Run:
        """From a line of the book."""
        kept = dict(record)
        kept["case"] = Case(**kept["case"])
        for name in ("right", "harms", "saw", "claims"):
            kept[name] = tuple(kept[name])
        kept["looks"] = tuple((day, said, dict(by)) for day, said, by in kept["looks"])
        return cls(**kept)


def run(case: Case, *, looks: bool = False) -> Run:
    """Make a world, review it, and read its truth after that.

    The truth is carried out of the project's folder before the first look, unread, so that nothing
    which reviews the launch could read it.

    Args:
        case: Which world.
        looks: Whether it is also looked at on every seventh day.
    """
    with tempfile.TemporaryDirectory(prefix="octad-world-") as folder:
        root, truth = Path(folder) / "project", Path(folder) / "truth.json"
        demo.create(root, case.kind, seed=case.seed, users=case.users, strength=case.strength)
        (root / demo.TRUTH).rename(truth)
        found = _at_the_end(root)
        early = _every_week(root, found) if looks else ()
        told = json.loads(truth.read_text(encoding="utf-8"))
    return Run(case=case, looks=early, **_true(told), **found)


def _true(told: Mapping[str, Any]) -> dict[str, Any]:
    """What the truth says, as a run keeps it."""
    trust, randomised = told["trust"] == "holds", bool(told["randomised"])
    visible = bool(told["visible"]) and randomised if trust else bool(told["trust_visible"])
    return {
        "right": tuple(told["right"]),
        "errors": dict(told["errors"]),
        "harms": tuple(f"{h['what']}: {h['metric'] or h['who']}" for h in told["harm"]),
        "harm_visible": trust and any(map(seen, told["harm"])),
        "good": bool(told["good"]),
        "trust": trust,
        "randomised": randomised,
        "visible": visible,
    }


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


def _every_week(root: Path, last: Mapping[str, Any]) -> tuple[tuple[int, str, dict[str, str]], ...]:
    """Review on every seventh day before the plan's last, each look as if it were the first.

    No look is logged, so none makes the last day's wider; before that day the anytime interval
    decides anyway, which no number of looks can wear out.
    """
    session = Session.open(root)
    launch = session.launches[0]
    plan = load_plan(root, launch).plan
    starts, ends = plan.launch.starts, plan.launch.ends
    if starts is None or ends is None:
        return ()
    found = []
    for day in range(WEEK, (ends - starts).days, WEEK):
        on = starts + timedelta(days=day)
        try:
            review, inputs = session.review_with_inputs(launch, as_of=on, log_look=False)
            found.append((day, review.verdict.value, rules.verdicts(plan, inputs)))
        except OctadError:
            found.append((day, FAILED, {}))
    return (*found, ((ends - starts).days, last["verdict"], last.get("rules", {})))


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
