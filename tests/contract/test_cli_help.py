"""What a person relies on: the commands, their options, their exit codes, and a quick answer."""

from __future__ import annotations

import os
import resource
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from octad import __version__
from octad.faces.cli.app import app

COMMANDS = (
    "init",
    "check",
    "plan",
    "seal",
    "review",
    "read",
    "walk",
    "decide",
    "reflect",
    "verify",
    "demo",
)
HEAVY = ("numpy", "scipy", "pydantic", "ibis", "duckdb", "pyarrow", "jinja2", "rich", "octad.model")


def test_help_names_every_command() -> None:
    shown = CliRunner().invoke(app, ["--help"])
    assert shown.exit_code == 0
    listed = [line.split()[0] for line in shown.output.split("Commands:")[1].splitlines() if line]
    assert tuple(name for name in listed if name in COMMANDS) == COMMANDS
    assert "..." not in shown.output.split("Commands:")[1]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    shown = CliRunner().invoke(app, [command, "--help"])
    assert shown.exit_code == 0
    assert "Usage:" in shown.output


def test_version() -> None:
    assert CliRunner().invoke(app, ["--version"]).output == f"octad {__version__}\n"


@pytest.mark.parametrize(
    "line", [["reveiw"], ["review"], ["review", "x", "--as-of", "soon"], ["review", "x", "-f", "x"]]
)
def test_a_wrong_call_exits_with_2(line: list[str]) -> None:
    assert CliRunner().invoke(app, line).exit_code == 2


def test_help_is_quick() -> None:
    # The limit is CPU time, so that other work on the machine does not fail it.
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    line = [sys.executable, "-c", "from octad.faces.cli import main; main()", "--help"]
    for _ in range(2):
        subprocess.run(line, check=True, capture_output=True, env=dict(os.environ))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / 2
    assert spent < 0.4


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv=['octad','--help']\n"
        "from octad.faces.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stderr.strip() == "[]"
