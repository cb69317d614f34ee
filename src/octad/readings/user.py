"""What is it like to be a user?"""

from __future__ import annotations

from octad.model.finding import Answer, Finding, Grade, Stance
from octad.model.inputs import Inputs
from octad.model.needs import Needs
from octad.model.plan import Plan
from octad.readings.user_errors import MISSED, heavy, launched
from octad.readings.user_tags import tagged
from octad.readings.user_walked import like_whom, places, walked

QUESTION = "What is it like to be a user?"
_STORIES = 4


def needs(plan: Plan) -> Needs:
    """Errors by intensity of use, signs of trouble, journeys of users and team, timelines."""
    return Needs(
        errors=bool(plan.project.charter.errors),
        walks=True,
        stories=max(_STORIES, plan.launch.read_first),
    )


def read(plan: Plan, inputs: Inputs) -> Answer:
    """Ask what users met, and whether the team could have known.

    Against: an error that the launch brought is met by a quarter of the users in some band of use.
    Mixed: the launch raised the share who meet an error by five points or more in some band, or
    brought a sign of trouble that no event names, or the team has never done a tenth of what users
    do. For: none of it. Silent: no errors are named and no staff are known.
    """
    findings: list[Finding] = []
    missing: list[str] = []
    stances: list[Stance] = []
    words: list[str] = []
    if inputs.errors is not None and len(inputs.arms) > 1:
        found, stance = launched(plan, inputs, inputs.errors)
        told = {f.id.split(".")[2] for f in found if f.id.startswith("user.error.")}
        findings += [*found, *heavy(inputs, inputs.errors, told)]
        stances.append(stance)
        words += [_glance(f) for f in found[:1]]
    elif not plan.project.charter.errors:
        missing.append("An 'errors:' list in the charter: the events that mean something failed.")
    if inputs.patterns is not None and len(inputs.arms) > 1:
        signs, stance = launched(plan, inputs, inputs.patterns, signs=True)
        findings += signs
        stances += [stance] if signs else []
    if inputs.ways is not None and inputs.ways.team:
        findings += _team(inputs, stances, words)
    else:
        missing.append("A 'staff:' column in the users source, to see what the team itself does.")
    tags = tagged(inputs)
    findings += [tags] if tags is not None else []
    if inputs.stories:
        findings.append(_stories(inputs))
    return _answer(findings, missing, stances, words)


def _team(inputs: Inputs, stances: list[Stance], words: list[str]) -> list[Finding]:
    """What the team has walked, where it has not been, and whose use its own is like."""
    assert inputs.ways is not None  # noqa: S101 - the caller has looked
    made = [
        walked(inputs.ways, inputs.arms, inputs.history.walked),
        places(inputs.ways, inputs.history.walked),
        like_whom(inputs.ways),
    ]
    found = [f for f in made if f is not None]
    stances += [f.stance for f in found if f.stance is not None]
    words += [f.claim.split(", weighed")[0] for f in found if f.id == "user.walked"]
    return found


def _answer(
    findings: list[Finding], missing: list[str], stances: list[Stance], words: list[str]
) -> Answer:
    stance = next((s for s in (Stance.AGAINST, Stance.MIXED, Stance.FOR) if s in stances), None)
    silent = "nothing says what users met" if missing else ""
    return Answer(
        stance=stance or Stance.SILENT,
        question=QUESTION,
        summary=" · ".join(words) if stance else silent,
        findings=tuple(findings),
        missing=tuple(missing),
    )


def _glance(finding: Finding) -> str:
    """An error's claim, as short as it goes."""
    met, _, rest = finding.claim.partition(", against")
    return met.rstrip(".") + ("; the team never did" if MISSED in rest else "")


def _stories(inputs: Inputs) -> Finding:
    return Finding(
        id="user.stories",
        claim=f"{len(inputs.stories)} timelines of real users: typical ones of each band of use, "
        "some unlike them, and always some who met trouble, complained or are in a segment that "
        "is hurt.",
        grade=Grade.T,
        n=len(inputs.stories),
        method="a sample by the hash of the user; the arms in turn; prototypes and criticisms "
        "(Kim, Khanna and Koyejo 2016) within bands of use; names are keyed hashes",
        assumes="A few timelines show what can happen, not how often.",
        breaks="Reading them as if they were everyone.",
        evidence=inputs.stories,
    )
