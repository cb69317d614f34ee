"""Who decided what about a launch, why, and against which reading."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from octad.errors import UsageError
from octad.model.records import Decision, Look
from octad.model.review import READINGS
from octad.project.ledger import Ledger
from octad.project.load import load_plan

__all__ = ["decided"]


def decided(
    root: Path,
    launch: str,
    last: Look | None,
    what: str,
    *,
    who: str,
    why: str,
    against: tuple[str, ...],
    now: datetime,
) -> Decision:
    """Put a decision into the ledger.

    Args:
        root: The project's folder.
        launch: The plan's name.
        last: The last look at its numbers; None when nobody looked.
        what: The decision.
        who: Who decided.
        why: For what reason.
        against: Readings that spoke against it.
        now: The moment.

    Raises:
        UsageError: When something is empty, or a reading is not one of the eight.
    """
    load_plan(root, launch)
    for said, word in ((what, "decision"), (who, "name"), (why, "reason")):
        if not said.strip():
            raise UsageError(
                f"the {word} is empty.",
                mend="A decision says what, who and why; it cannot be taken back later.",
            )
    for name in against:
        if name not in READINGS:
            raise UsageError(
                f"there is no reading '{name}'.", mend=f"The eight are {', '.join(READINGS)}."
            )
    decision = Decision(
        launch=launch,
        what=what,
        who=who,
        why=why,
        verdict=last.verdict if last is not None else "",
        against=against,
    )
    Ledger.open(root).append(decision, now=now)
    return decision
