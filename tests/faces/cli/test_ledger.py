"""`octad seal` and `octad verify` on a real folder, from the first seal to a joined branch."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from octad.faces.cli.app import app
from octad.model.records import Lesson, Look
from octad.project.ledger import Ledger
from tests.project.test_witness import committed, ran
from tests.project.wallet import write

NOW = datetime(2026, 2, 27, 9, tzinfo=UTC)
PROJECT = """\
product: Wallet
sources:
  reviews: {table: r.csv, product: app, time: at, rating: score, text: content}
metrics:
  stars: {reviews: stars}
"""
LAUNCH = """\
launch: circles
design: {everyone: 2026-03-01}
kpi: stars
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project without data: its sources hold reviews alone, so nothing needs to be opened."""
    write(tmp_path, PROJECT, LAUNCH)
    ran(tmp_path, "git", "init", "-q", ".")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _run(*line: str) -> Any:
    return CliRunner().invoke(app, line)


def _said(*line: str) -> str:
    done = _run(*line)
    assert done.exit_code == 0, done.output
    return " ".join(done.output.split())


def test_a_seal_that_nobody_vouches_for_says_so(folder: Path) -> None:
    assert "Sealed circles" in _said("seal", "circles")
    assert "Only this machine's clock says when" in _said("verify")


def test_a_commit_vouches_and_reviews_may_show_it(folder: Path) -> None:
    _said("seal", "circles")
    assert _run("seal", "circles", "--witness", "git").exit_code == 2
    committed(folder, "2026-02-27T18:02:00+00:00")
    assert "27 Feb 2026, 18:02 UTC holds the seal" in _said("verify")
    assert "Recorded: commit" in _said("seal", "circles", "--witness", "git")
    assert "checked, it holds" in _said("verify")
    assert _run("seal", "circles", "--witness", "git").exit_code == 2  # recorded already


def test_a_witness_that_does_not_hold_fails_the_check(folder: Path) -> None:
    _said("seal", "circles")
    committed(folder, "2026-02-27T18:02:00+00:00")
    _said("seal", "circles", "--witness", "git")
    (folder / ".git").rename(folder / "gone")
    ran(folder, "git", "init", "-q", ".")
    done = _run("verify")
    assert done.exit_code == 2
    assert "does not hold" in " ".join(done.output.split())


def test_a_request_is_written_before_and_after_sealing(folder: Path) -> None:
    assert "Written: a.tsq" in _said("seal", "circles", "--request", "a.tsq")
    assert "Written: b.tsq" in _said("seal", "circles", "--request", "b.tsq")
    assert (folder / "a.tsq").read_bytes() == (folder / "b.tsq").read_bytes()
    done = _run("seal", "circles", "--witness", "a.tsr")
    assert (done.exit_code, "--authority" in done.output) == (2, True)


def test_sealing_after_a_look_says_which_seal_binds(folder: Path) -> None:
    _said("seal", "circles")
    look = Look(launch="circles", plan_digest="1", verdict="hold")
    Ledger.open(folder).append(look, now=NOW)
    path = folder / "launches" / "circles.yml"
    path.write_text(path.read_text(encoding="utf-8") + "horizon: 90d\n", encoding="utf-8")
    assert "the earlier seal binds" in _said("seal", "circles")
    said = _said("verify")
    assert "another seal of it binds" in said
    assert "had been looked at before" in said


def test_branches_are_joined_from_the_command_line(folder: Path) -> None:
    _said("seal", "circles")
    theirs = Ledger(folder / "theirs.jsonl")
    theirs.path.write_bytes((folder / "ledger.jsonl").read_bytes())
    theirs.append(Lesson(launch="circles", text="Theirs."), now=NOW)
    Ledger.open(folder).append(Lesson(launch="circles", text="Ours."), now=NOW)
    said = _said("verify", "--join", "theirs.jsonl")
    assert "Joined theirs.jsonl: record 3" in said
    assert "3 records, and 1 of joined branches" in said
