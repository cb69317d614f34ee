"""What is wrong with a file, all of it at once, each with its place and its mend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from octad.errors import FileError, OctadError, Where

__all__ = ["Problem", "as_error", "shown", "tidy"]

_MOST = 20
"""More problems than this are counted, not listed: the first ones usually cause the rest."""


_LONGEST = 600
"""Signs of a sentence that quotes a file; a value may be a page."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend in a file.

    Attributes:
        what: What is wrong, as one plain sentence.
        where: The file and line.
        mend: How to put it right, as one plain sentence.
    """

    what: str
    where: Where
    mend: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" + (f" {self.mend}" if self.mend else "")


def shown(path: Path) -> str:
    """A path as the person at the terminal knows it: from here, when it lies below here.

    >>> shown(Path("launches/circles.yml"))
    'launches/circles.yml'
    """
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except (ValueError, OSError):
        return str(path)


def tidy(text: str) -> str:
    r"""Text from a file, safe on a terminal: no control or direction marks, and not without end.

    >>> tidy("red: " + chr(27) + "[31m")
    'red: \\x1b[31m'
    """
    safe = "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text
    )
    return safe if len(safe) <= _LONGEST else f"{safe[: _LONGEST // 2]} … {safe[-_LONGEST // 2 :]}"


def as_error(problems: Sequence[Problem], kind: type[OctadError] = FileError) -> OctadError:
    """One error that says everything that is wrong, in the order of the lines.

    Args:
        problems: At least one.
        kind: The error to make.

    Returns:
        An error whose three parts are the problem's when there is one, and a list when there are
        several.
    """
    unique = dict.fromkeys(
        Problem(tidy(problem.what), problem.where, tidy(problem.mend)) for problem in problems
    )
    ordered = sorted(unique, key=lambda p: (p.where.file, p.where.line or 0))
    first = ordered[0]
    if len(ordered) == 1:
        return kind(first.what, where=first.where, mend=first.mend)
    lines = [f"  {problem}" for problem in ordered[:_MOST]]
    if len(ordered) > _MOST:
        lines.append(f"  … and {len(ordered) - _MOST} more.")
    files = dict.fromkeys(problem.where.file for problem in ordered)
    what = f"{len(ordered)} things to mend in {' and '.join(files)}:\n" + "\n".join(lines)
    return kind(what)
