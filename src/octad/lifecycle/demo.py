"""The worked example: a simulated product, written as a project folder like any other."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

from octad import worlds
from octad.data.tape import Progress
from octad.data.write import write_table
from octad.errors import FileError, Where
from octad.lifecycle.session import Session
from octad.project.atomic import write_text
from octad.project.load import load_plan

__all__ = ["create", "lay_out"]

TRUTH = "truth.json"
"""What is true of the world. Nothing that reviews a launch reads it."""


def create(
    folder: str | Path,
    world: str = "wallet",
    *,
    seed: int = 7,
    users: int = 100_000,
    strength: str = "plain",
    progress: Progress | None = None,
) -> Path:
    """Simulate a world and lay it out as a project, its plan sealed before its launch.

    Args:
        folder: Made if need be; an earlier example in it is replaced, anything else is refused.
        world: One of `octad.worlds.names()`.
        seed: Which of its endless variants.
        users: How many people live in it.
        strength: How strong the launch's effect is, of those that the world's kind can have.
        progress: Told what is being done.

    Returns:
        The project's folder.

    Raises:
        FileError: When the folder holds something that is not such an example.
        UnknownNameError: When there is no such world, or it has no such strength.
    """
    root = Path(folder)
    _must_be_free(root)

    def told(what: str, share: float) -> None:
        if progress is not None:
            progress(what, share)

    made = worlds.simulate(world, seed=seed, users=users, strength=strength, progress=told)
    # The mark of an example comes first, so that one that was stopped half-way can be made again.
    truth: dict[str, Any] = {"world": world, "seed": seed, "users": users, **made.truth}
    return lay_out(root, made, truth, told)


def lay_out(
    root: Path,
    made: worlds.World,
    truth: dict[str, Any],
    told: Callable[[str, float], None] = lambda _what, _share: None,
) -> Path:
    """Write a world as a project, and seal its plans two days before their launch.

    Args:
        root: The folder; what an earlier world left there is replaced.
        made: The world.
        truth: What is true of it, kept apart.
        told: Told what is being done.

    Raises:
        FileError: When it cannot be written.
    """
    root.mkdir(parents=True, exist_ok=True)
    write_text(root / TRUTH, json.dumps(truth, indent=2, ensure_ascii=False, default=str))
    (root / "ledger.jsonl").unlink(missing_ok=True)
    for name, text in made.files.items():
        write_text(root / name, text)
    session = Session.open(root)
    sources = session.project().project.sources
    for name, table in made.tables.items():
        source = getattr(sources, name)
        if source is not None:
            write_table(table, root / source.table.replace("*", name), told)
    for launch in session.launches:
        _seal(session, launch)
    return root


def _must_be_free(root: Path) -> None:
    if not root.exists() or not any(root.iterdir()) or (root / TRUTH).exists():
        return
    raise FileError(
        "this folder is not empty, and holds no example of Octad's.",
        where=Where(str(root)),
        mend="Name another folder; nothing was changed.",
    )


def _seal(session: Session, launch: str) -> None:
    """Seal a plan two days before its launch, as a careful team would have."""
    starts = load_plan(session.root, launch).plan.launch.starts
    if starts is not None:
        moment = datetime.combine(starts - timedelta(days=2), time(9), tzinfo=UTC)
        session.seal(launch, now=moment, newest=moment)
