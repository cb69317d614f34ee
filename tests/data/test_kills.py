"""A few reviews killed outright; `python -m tests.kills` kills two hundred."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_the_review_after_a_kill_is_as_a_fresh_one() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.kills", "--times", "6", "--users", "150", "--seed", "3"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "6 of 6 killed" in ended.stdout
