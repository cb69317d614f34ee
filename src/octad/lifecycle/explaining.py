"""What a review would read and ask, said before it does."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from octad.data.explain import explain
from octad.lifecycle.review import needs_of, place_of
from octad.model.explanation import Explanation
from octad.project.ledger import Ledger
from octad.project.load import load_plan
from octad.project.sealed import judged

__all__ = ["explained"]


def explained(root: Path, launch: str, *, as_of: date | None = None) -> Explanation:
    """Explain the review of a launch: what was sealed, where it was, as the review itself judges.

    Args:
        root: The project's folder.
        launch: The plan's name: its file's stem.
        as_of: The last day to be seen; all of the data when absent.

    Raises:
        OctadError: When the files do not hold together.
    """
    loaded = judged(load_plan(root, launch), Ledger.open(root)).loaded
    return explain(
        root,
        loaded.plan,
        needs_of(loaded.plan),
        as_of=as_of,
        where=lambda key: place_of(loaded, key),
    )
