"""The one place where an error becomes words and an exit code."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from octad.errors import OctadError
from octad.faces.safe import clean

__all__ = ["Safely", "report_error"]

STOPPED = 130
_asked_to_stop: list[bool] = []
BROKEN_PIPE = 141


def report_error(error: BaseException, *, debug: bool) -> int:
    """Say on stderr what went wrong, in plain words.

    Args:
        error: Anything that escaped a command.
        debug: Whether to print the traceback as well.

    Returns:
        The exit code: 2 what a user can mend, 130 stopped, 141 nobody reads on, 1 a fault of ours.
    """
    if isinstance(error, BrokenPipeError):
        # Whoever read our output has gone; what is left in the buffer must not complain again.
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())
            os.close(nowhere)
        return BROKEN_PIPE
    if debug:
        traceback.print_exception(error)
    if isinstance(error, KeyboardInterrupt) or _asked_to_stop:
        _say("Stopped. Nothing half written.")
        return STOPPED
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EIO, errno.EDQUOT):
        _say(f"What is printed cannot be written: {clean(error.strerror)}.")
        _say("Make room there, or print somewhere else.")
        return OctadError.exit_code
    if isinstance(error, OctadError):
        what = clean(error.what, lines=True)
        _say(f"{clean(error.where)}: {what}" if error.where else _sentence(what))
        if error.mend:
            _say(clean(error.mend, lines=True))
        return error.exit_code
    if isinstance(error, OSError) and error.filename is not None:
        _say(f"{clean(_here(error.filename))}: {clean(error.strerror or error)}.")
        _say("Check that the file is there and that you may read it.")
        return OctadError.exit_code
    _say(f"Octad broke: {type(error).__name__}: {clean(error, limit=300)}")
    again = "" if debug else " Run it again with --debug before the command, and"
    _say(f"This is a fault of ours.{again or ' Please'} report what it prints.")
    return 1


def _sentence(what: str) -> str:
    """Begin with a capital, unless the first word is a file's or a column's name."""
    first = what.split(" ", 1)[0]
    return what[:1].upper() + what[1:] if first.isalpha() else what


def _here(name: object) -> str:
    """A path as somebody standing here would write it."""
    path = Path(os.fsdecode(name)) if isinstance(name, str | bytes) else Path(str(name))
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return path.name


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


class Safely(TyperGroup):
    """A group of commands in which nothing ends in a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command, and turn whatever escapes it into words and an exit code."""
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort):
            raise
        except (Exception, KeyboardInterrupt) as error:
            if hasattr(error, "show"):  # a usage error: typer words it, and exits with 2
                raise
            raise typer.Exit(report_error(error, debug=bool(ctx.params.get("debug")))) from error


def stop_on_terminate() -> None:
    """Treat a polite kill like Ctrl-C, so that what is being written is cleaned up.

    An engine that is stopped in the middle of a query raises an error of its own; that somebody
    asked for it is remembered, so that it is not taken for a fault.
    """

    def stop(_number: int, _frame: object) -> None:
        _asked_to_stop.append(True)
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
