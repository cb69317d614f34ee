"""Which verdicts are right of a launch whose truth is known.

A pure function of the truth, so that nobody can bend it to what a review happened to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["POWER", "Right", "judge", "seen"]

SHIP, HOLD, BACK, CANNOT = "ship", "hold", "roll back", "cannot tell"

POWER = 0.8
"""What can be seen with at least this chance is called visible."""

HARM_SHIPPED = "harm shipped"
GOOD_ROLLED_BACK = "good rolled back"
NOTHING_ROLLED_BACK = "rolled back without harm"
NOTHING_SHIPPED = "shipped what does nothing"
BELIEVED = "believed what cannot be"


@dataclass(frozen=True, slots=True)
class Right:
    """What is right to say of a launch.

    Attributes:
        right: The right verdicts, best first.
        why: The rule by which they are, in a sentence.
        errors: Each verdict that would be an error, and what that error is called. A verdict that
            is in neither is no error, but not right either: most often too timid.
    """

    right: tuple[str, ...]
    why: str
    errors: Mapping[str, str]


def seen(harm: Mapping[str, Any]) -> bool:
    """Whether one harm is visible: a two-sided 5% test of it has power of at least `POWER`."""
    return float(harm["power"]) >= POWER


def judge(truth: Mapping[str, Any]) -> Right:
    """The right verdicts of a launch.

    Args:
        truth: `trust`, `trust_visible`, `randomised`, `harm`, `good`, `gain` and `visible`, as
            `truth.json` has them.

    Returns:
        The first of these rules that fits:

        - The measurement fails, and that can be seen: `cannot tell`, since no number means
          anything.
        - It fails where nothing recorded can show it: `hold` or `cannot tell`; and `ship` of a
          good launch, or `roll back` of a harmful one, is no error, but the ground is false.
        - Chance did not decide who got it: `cannot tell` or `hold`; the numbers alone could mean
          the season, or the rival.
        - A result, a guardrail or a segment is visibly harmed: `roll back`.
        - A harm is visible, but only in what a reading looks at (a gain that fades, that a few
          accounts made, that breaks it for those who use it most, that displaces a core job, that
          crosses a line): `hold` or `roll back`.
        - There is harm, but these users are too few to see it: `hold`, `cannot tell` or
          `roll back`.
        - A result is better, and these users show it: `ship`. Where only the KPI is, and every
          result within its margin, `hold` is right too.
        - It is good, but they cannot show it: `ship` or `hold`.
        - Neither: `hold`; to ship it is an error, though it harms nobody: it is called a success.
    """
    harm, good = truth["harm"], bool(truth["good"])
    fails = truth["trust"] == "fails" and bool(truth["trust_visible"])
    errors = _errors(harm=bool(harm), good=good, empty=fails or not truth["randomised"])
    right, why = _rule(truth)
    if fails:
        errors = {SHIP: BELIEVED, BACK: BELIEVED, **errors}
    return Right(right, why, {v: e for v, e in errors.items() if v not in right})


def _rule(truth: Mapping[str, Any]) -> tuple[tuple[str, ...], str]:
    harm, good = truth["harm"], bool(truth["good"])
    if truth["trust"] == "fails":
        if truth["trust_visible"]:
            return (CANNOT,), "The measurement fails, and what was recorded shows it."
        return (HOLD, CANNOT), "The measurement fails, though nothing recorded shows it."
    if not truth["randomised"]:
        return (CANNOT, HOLD), "Chance did not decide who got it."
    if any(seen(h) and h["by"] == "numbers" for h in harm):
        return (BACK,), "Harm to a result, a guardrail or a segment can be seen."
    if any(map(seen, harm)):
        return (HOLD, BACK), "There is harm that only a reading can see."
    if harm:
        return (HOLD, CANNOT, BACK), "There is harm, but these users are too few to see it."
    if good and truth["visible"] and truth["gain"] == "kpi":
        return (SHIP, HOLD), "The KPI is up for good, and no result is harmed."
    if good and truth["visible"]:
        return (SHIP,), "It is good, and these users show it."
    if good:
        return (SHIP, HOLD), "It is good, but these users are too few to be sure to show it."
    return (HOLD,), "It does neither good nor harm."


def _errors(*, harm: bool, good: bool, empty: bool) -> dict[str, str]:
    """What is an error; `empty` where the numbers show nothing, whatever they are."""
    if harm:
        return {SHIP: HARM_SHIPPED}
    if good:
        return {BACK: GOOD_ROLLED_BACK}
    return {BACK: NOTHING_ROLLED_BACK, SHIP: BELIEVED if empty else NOTHING_SHIPPED}
