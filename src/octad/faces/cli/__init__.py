"""The command line. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run `octad`."""
    from octad.faces.cli.app import run  # noqa: PLC0415 - so that importing this costs nothing

    run()
