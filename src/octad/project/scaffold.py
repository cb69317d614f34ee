"""`octad init`: a new project's files, written all or none, and over nothing."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from octad.errors import FileError, UsageError, Where
from octad.model import presets
from octad.project.atomic import mend, reason, sync_folder
from octad.project.load import LAUNCHES, PROJECT_FILE
from octad.project.problems import shown
from octad.project.starter import EXAMPLE, launch_text, project_text, readme_text

__all__ = ["create"]


def create(folder: Path, preset: str, product: str) -> list[Path]:
    """Write a project to begin from.

    Args:
        folder: Made when it is not there. A README or .gitignore that is there stays as it is.
        preset: Whose export the data are, such as ``plain``; see `octad.model.presets.names`.
        product: What the product is called.

    Returns:
        The files that were written.

    Raises:
        UnknownNameError: When there is no such preset.
        UsageError: When the product has no name.
        FileError: When a project is there already, or the folder cannot be written; then nothing
            has changed.
    """
    known = presets.load(preset)
    product = " ".join("".join(c if c.isprintable() else " " for c in product).split())
    if not product:
        raise UsageError("The product has no name.", mend="Give it one, such as Wallet.")
    for name in (PROJECT_FILE, f"{LAUNCHES}/{EXAMPLE}.yml"):
        if os.path.lexists(folder / name):
            what = f"There is {name} already, and nothing is written over."
            raise FileError(what, where=Where(shown(folder / name)), mend="Choose another folder.")
    texts = {
        PROJECT_FILE: project_text(known, product),
        f"{LAUNCHES}/{EXAMPLE}.yml": launch_text(known),
        ".gitignore": "# Octad's caches; they can be deleted at any time.\n.octad/\n",
        "README.md": readme_text(known, product),
    }
    wanted = {
        folder / name: text for name, text in texts.items() if not os.path.lexists(folder / name)
    }
    try:
        return _place(folder, wanted)
    except OSError as error:
        what = f"The project cannot be written ({reason(error)}); nothing has changed."
        raise FileError(what, where=Where(shown(folder)), mend=mend(error)) from error


def _place(folder: Path, texts: dict[Path, str]) -> list[Path]:
    """Write every file under a passing name, then give each its own; undo all if one fails."""
    mark = secrets.token_hex(4)
    made: list[Path] = []
    placed: list[Path] = []
    passing: dict[Path, Path] = {}
    try:
        for path in (folder, folder / LAUNCHES):
            made += _make(path)
        for path, text in texts.items():
            passing[path] = path.with_name(f".{path.name}.{mark}.tmp")
            passing[path].write_text(text, encoding="utf-8", newline="\n")
        for path, temporary in passing.items():
            _name(temporary, path)
            placed.append(path)
    except BaseException:
        for path in placed:
            path.unlink(missing_ok=True)
        _clear(passing)
        for path in reversed(made):
            with contextlib.suppress(OSError):
                path.rmdir()
        raise
    _clear(passing)
    for path in {path.parent for path in texts}:
        sync_folder(path)
    return placed


def _make(folder: Path) -> list[Path]:
    """Make a folder and those above it; says which were made, the outermost first."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir()
    return missing[::-1]


def _name(temporary: Path, path: Path) -> None:
    """Give a file its name, failing when the name is taken, even in this very moment."""
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        raise
    except (OSError, NotImplementedError):  # a file system without links
        if os.path.lexists(path):
            raise FileExistsError(17, "File exists", str(path)) from None
        temporary.rename(path)


def _clear(passing: dict[Path, Path]) -> None:
    for temporary in passing.values():
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
