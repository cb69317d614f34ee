"""The command line. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run `octad`."""
    try:
        from octad.faces.cli.app import run  # noqa: PLC0415 - so that importing this costs nothing

        run()
    except KeyboardInterrupt:  # while the imports above still ran
        sys.stderr.write("Stopped. Nothing half written.\n")
        raise SystemExit(130) from None
