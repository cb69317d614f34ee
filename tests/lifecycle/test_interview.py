"""The interview: what it asks, what it refuses, and the file it writes."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from octad.errors import FileError
from octad.lifecycle.interview import Question, interview
from octad.model.records import Seal
from octad.project.digest import plan_digest, plan_record
from octad.project.ledger import Ledger
from octad.project.load import load_plan
from tests.project.wallet import write

TODAY = date(2026, 2, 1)
ANSWERS = {
    "what": 'A feed: "Circles" # on the home page',
    "kpi": "opens",
    "results": "payments 1%, retained 0.5%",
    "guardrails": "pay_success 0.5pp",
    "never.family": "Tried with three families.",
    "expects.opens": "at least 5%",
    "expects.payments": "no worse than -1%",
    "sure.payments": "0.9",
    "signed": "product Mei, operations: Lin",
}


def answering(answers: dict[str, str], seen: list[Question] | None = None) -> Callable[..., Any]:
    def ask(question: Question) -> Any:
        if seen is not None:
            seen.append(question)
        return question.read(answers.get(question.key) or question.default)

    return ask


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write(tmp_path)
    (tmp_path / "launches" / "circles.yml").unlink()
    return tmp_path


def test_a_plan_is_asked_for_and_written(home: Path) -> None:
    path = interview(home, "feed", answering(ANSWERS), today=TODAY)
    launch = load_plan(home, "feed").plan.launch
    assert launch.what == ANSWERS["what"]
    assert launch.arms == {"control": "off", "treatment": "on"}
    assert (launch.starts, launch.ends) == (date(2026, 2, 2), date(2026, 3, 1))
    assert launch.enrol_until == date(2026, 2, 15)
    assert {n: str(m) for n, m in launch.results.items()} == {"payments": "1%", "retained": "0.5%"}
    assert {n: str(m) for n, m in launch.guardrails.items()} == {"pay_success": "0.5pp"}
    assert launch.segments == ("region", "age_band")
    assert [(e.metric, str(e.change), e.sure) for e in launch.expects] == [
        ("opens", "at least 5%", 0.8),
        ("payments", "no worse than -1%", 0.9),
    ]
    assert launch.signed == {"product": "Mei", "operations": "Lin"}
    assert launch.never == {"family": "Tried with three families."}
    text = path.read_text(encoding="utf-8")
    assert text.count("\n# ") >= 7, "each part says what it is for"


def test_the_last_sealed_launch_gives_the_defaults(home: Path) -> None:
    interview(home, "feed", answering(ANSWERS), today=TODAY)
    plan = load_plan(home, "feed").plan
    seal = Seal(launch="feed", plan_digest=plan_digest(plan), record=plan_record(plan))
    Ledger.open(home).append(seal, now=datetime(2026, 2, 1, tzinfo=UTC))
    seen: list[Question] = []
    interview(home, "next", answering({"what": "More."}, seen), today=TODAY)
    offered = {q.key: q.default for q in seen}
    assert offered["kpi"] == "opens"
    assert offered["results"] == "payments 1%, retained 0.5%"
    assert load_plan(home, "next").plan.launch.results == plan.launch.results


def test_everyone_at_once_has_no_arms(home: Path) -> None:
    answers = {"what": "All.", "design": "everyone", "results": "paid 1%"}
    interview(home, "all", answering(answers), today=TODAY)
    launch = load_plan(home, "all").plan.launch
    assert launch.arms is None
    assert not launch.randomised


WRONG = {
    "what": (" ", "a sentence is wanted"),
    "design": ("luck", "is not among them"),
    "starts": ("tomorrow", "is no day"),
    "ends": ("2026-01-01", "on 2026-02-02 or later"),
    "arms": ("on", "two different names"),
    "enrol_until": ("2027-01-01", "between 2026-02-02 and"),
    "kpi": ("open", "Did you mean 'opens'"),
    "results": ("payments", "has no margin"),
    "guardrails": ("pay_success -1%", "negative"),
    "segments": ("regoin", "Did you mean 'region'"),
    "horizon": ("long", "no length of time"),
    "jobs": ("paying", "there is no job"),
    "expects.opens": ("up", "no change that can be scored"),
    "sure.opens": ("120%", "not between 0% and 100%"),
    "signed": ("Mei", "the role and the name"),
}


@pytest.mark.parametrize("key", WRONG)
def test_a_wrong_answer_is_refused_as_it_is_typed(home: Path, key: str) -> None:
    answer, says = WRONG[key]
    with pytest.raises(ValueError, match=says):
        interview(home, "feed", answering({**ANSWERS, key: answer}), today=TODAY)
    assert not (home / "launches" / "feed.yml").exists()


def test_a_plan_is_never_written_over(home: Path) -> None:
    path = home / "launches" / "feed.yml"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(FileError, match="not written over"):
        interview(home, "feed", answering(ANSWERS), today=TODAY)

    def meanwhile(question: Question) -> Any:
        if question.key == "signed":
            (home / "launches" / "other.yml").write_text("theirs", encoding="utf-8")
        return answering(ANSWERS)(question)

    with pytest.raises(FileError, match="while you answered"):
        interview(home, "other", meanwhile, today=TODAY)
    assert path.read_text(encoding="utf-8") == "mine"
    assert (home / "launches" / "other.yml").read_text(encoding="utf-8") == "theirs"


@pytest.mark.parametrize("name", ["", "..", "a/b", "a\\b", "x" * 300, "a\nb"])
def test_a_name_that_is_no_file_s_is_refused(home: Path, name: str) -> None:
    with pytest.raises(FileError, match="no launch's name"):
        interview(home, name, answering(ANSWERS), today=TODAY)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX terminal")
def test_on_a_real_terminal_wrong_answers_are_asked_again(home: Path) -> None:
    import pty  # noqa: PLC0415 - not on every system

    code = (
        "import sys; from octad.faces.cli import main\n"
        f"sys.argv = ['octad', '-C', {str(home)!r}, 'plan', 'feed', '--quiet']\nmain()"
    )
    terminal, theirs = pty.openpty()
    env = {**os.environ, "TERM": "dumb", "COLUMNS": "100"}
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdin=theirs, stdout=theirs, stderr=theirs, env=env
    )
    os.close(theirs)
    typed = ["A feed.", "luck", "chance", *[""] * 4, "opens", "payments", "payments 1%"]
    typed += ["", "", "", "", "", "", "", ""]
    shown = ""
    for line in typed:
        shown += _until_asked(terminal)
        os.write(terminal, f"{line}\n".encode())
    shown += _until_asked(terminal, end=True)
    child.wait(timeout=60)
    os.close(terminal)
    assert "'luck' is not among them" in shown
    assert "'payments' has no margin" in shown
    assert "Written: launches/feed.yml" in shown
    assert load_plan(home, "feed").plan.launch.kpi == "opens"


def _until_asked(terminal: int, *, end: bool = False) -> str:
    """What is shown until the next prompt, or the end."""
    shown = b""
    while not shown.endswith(b"> ") or end:
        if not select.select([terminal], [], [], 60)[0]:
            break
        try:
            more = os.read(terminal, 4096)
        except OSError:  # the other end is closed
            break
        if not more:
            break
        shown += more
    return shown.decode("utf-8", "replace")
