"""The commands, over a project that answers from memory."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from octad.data.check import CheckReport, ColumnNote
from octad.data.intake import Example, Intake, Reject
from octad.errors import FileError, LedgerError, Where
from octad.faces.cli import ledger, plan, work
from octad.faces.cli import progress as bars
from octad.faces.cli.app import app
from octad.model.planned import MetricSize, PlanReport, Precedent, Prospect
from octad.model.review import Verdict
from tests.faces.sample import review


@dataclass
class FakeSession:
    """Answers what a session would, and remembers what it was asked."""

    root: Path
    raises: BaseException | None = None
    verdict: Verdict = Verdict.ROLL_BACK
    whole: bool = True

    def __post_init__(self) -> None:
        self.asked: list[Any] = []
        self.launches = ("circles",)

    def _heard(self, *what: Any) -> None:
        self.asked.append(what)
        if self.raises is not None:
            raise self.raises

    def review(
        self, launch: str, *, as_of: date | None = None, unread: bool = False, progress: Any = None
    ) -> Any:
        self._heard("review", launch, as_of)
        if progress is not None:
            progress("gather", 0.5)
            progress("read")
        return review().model_copy(update={"verdict": self.verdict})

    def check(self, progress: Any = None) -> Any:
        self._heard("check")
        notes = (ColumnNote("value", "number", 0.123, 40), ColumnNote("ts", "time", 0.0, 9))
        return CheckReport({"events": INTAKE}, {"events": notes}, {"events": ".octad/out.csv"})

    def plan(self, launch: str, progress: Any = None) -> Any:
        self._heard("plan", launch)
        return PLANNED

    def decide(self, launch: str, what: str, **more: Any) -> None:
        self._heard("decide", launch, what, more["who"], more["why"], more["against"])

    def seal(self, launch: str, *, now: datetime) -> Any:
        self._heard("seal", launch, now.tzinfo)
        return SimpleNamespace(plan_digest="9f2c" * 16, before_data=False)

    def reflect(self, launch: str, *, progress: Any = None) -> Any:
        self._heard("reflect", launch)
        made = {"metric": "opens", "change": "at least 5%", "sure": 0.8, "happened": 1.0}
        return (SimpleNamespace(**made),)

    def verify(self) -> Any:
        self._heard("verify")
        line = None if self.whole else 7
        return SimpleNamespace(
            whole=self.whole,
            records=12,
            head="ab" * 32,
            line=line,
            why="Cut.",
            torn=False,
            joined=0,
        )

    def last_look(self, launch: str) -> Any:
        return SimpleNamespace(verdict="roll back", against=("results", "breadth"))

    def seals(self) -> tuple[Any, ...]:
        return ()


INTAKE = Intake(
    source="events",
    table="data/events/*.parquet",
    read=5_000_000,
    kept=4_998_796,
    rejects=(Reject("the time does not parse", 1_204, (Example(7, "u1,\x1b[31myesterday"),)),),
    duplicates=12,
    first=datetime(2026, 3, 1, tzinfo=UTC),
    last=datetime(2026, 4, 2, tzinfo=UTC),
    users=98_212,
    gaps=((date(2026, 3, 9), date(2026, 3, 10)),),
    columns=("user_id", "ts", "value"),
    roles={"user": "user_id", "time": "ts"},
    warnings=("Times carry no zone; taken as UTC.",),
    files=31,
)


PLANNED = PlanReport(
    launch="circles",
    as_of=date(2026, 2, 27),
    users=98_000,
    a_day=9_800.0,
    enrolment=10,
    metrics=(
        MetricSize(metric="opens", role="KPI", level=5.8, visible=0.0123, reduction=0.41),
        MetricSize(
            metric="payments", role="result", level=4.7, visible=0.021, margin=0.01, users=210_000
        ),
        MetricSize(metric="p95_wait", role="guardrail", why_not="a quantile is not sized"),
    ),
    readings=(
        Prospect(reading="rival", speaks="no", needs=("reviews of ours and of rivals",)),
        Prospect(
            reading="results", speaks="partly", will=("payments: 2.1%.",), cannot=("Its margin.",)
        ),
    ),
    precedents=(
        Precedent(
            launch="moments",
            at=date(2025, 11, 3),
            alike=("the same KPI, opens",),
            verdict="hold",
            decided="ship",
            came=("opens +4.0% [+3.0%, +5.0%]",),
            lessons=("Ask the payers.",),
        ),
    ),
    warnings=("Nobody has signed the plan.",),
)


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSession:
    made = FakeSession(tmp_path)
    for module in (work, ledger, plan):
        monkeypatch.setattr(module, "Session", SimpleNamespace(open=lambda folder: made))
    monkeypatch.chdir(tmp_path)
    return made


def _run(*line: str) -> Any:
    return CliRunner().invoke(app, line)


@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_pipeline_gets_the_verdict_s_code(session: FakeSession, verdict: Verdict) -> None:
    session.verdict = verdict
    assert _run("review", "circles").exit_code == verdict.exit_code


def test_a_review_is_printed_and_kept(session: FakeSession) -> None:
    ran = _run("review", "circles")
    assert "ROLL BACK   Opens rose" in ran.stdout
    assert "Full review: reviews/circles.html" in ran.stdout
    assert "gather" in ran.stderr
    assert "gather" not in ran.stdout
    kept = (session.root / "reviews" / "circles.html").read_text("utf-8")
    assert kept.startswith("<!doctype html>")


def test_no_report_and_quiet(session: FakeSession) -> None:
    ran = _run("review", "circles", "--no-report", "--quiet")
    assert not (session.root / "reviews").exists()
    assert ran.stderr == ""


@pytest.mark.parametrize(
    ("style", "start"), [("json", "{"), ("md", "# circles"), ("html", "<!doctype html>")]
)
def test_every_format_goes_to_stdout_or_a_file(
    session: FakeSession, style: str, start: str
) -> None:
    ran = _run("review", "circles", "--format", style)
    assert ran.stdout.startswith(start)
    _run("review", "circles", "--format", style, "--out", "made/out.txt")
    assert (session.root / "made" / "out.txt").read_text("utf-8") == ran.stdout


def test_json_on_stdout_is_json(session: FakeSession) -> None:
    ran = _run("review", "circles", "-f", "json")
    assert json.loads(ran.stdout)["verdict"] == "roll back"


def test_as_of_is_handed_on(session: FakeSession) -> None:
    _run("review", "circles", "--as-of", "2026-03-15")
    assert session.asked == [("review", "circles", date(2026, 3, 15))]


def test_a_report_that_cannot_be_written_is_no_lost_review(session: FakeSession) -> None:
    (session.root / "reviews").write_text("in the way")
    ran = _run("review", "circles")
    assert "ROLL BACK" in ran.stdout
    assert "could not be written" in ran.stderr
    assert "Full review" not in ran.stdout
    assert ran.exit_code == 20


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (
            FileError("unknown key 'paymnets'.", where=Where("octad.yml", 12), mend="Cut it."),
            2,
            ["octad.yml:12: unknown key 'paymnets'.\n", "Cut it.\n"],
        ),
        (LedgerError("line 7 was changed."), 2, ["Line 7 was changed.\n"]),
        (KeyboardInterrupt(), 130, ["Stopped. Nothing half written.\n"]),
        (ZeroDivisionError("by\x1b[31m zero"), 1, ["Octad broke: ZeroDivisionError: by zero\n"]),
    ],
)
@pytest.mark.parametrize("command", ["review", "check", "reflect", "verify"])
def test_no_error_ends_in_a_traceback(
    session: FakeSession, command: str, error: BaseException, code: int, words: list[str]
) -> None:
    session.raises = error
    ran = _run(command, *(["circles"] if command in {"review", "reflect"} else []))
    assert ran.exit_code == code
    assert all(word in ran.stderr for word in words)
    assert "Traceback" not in ran.output
    assert not (session.root / "reviews").exists()


def test_debug_shows_the_traceback(session: FakeSession) -> None:
    session.raises = ZeroDivisionError("oh")
    ran = _run("--debug", "check")
    assert "Traceback" in ran.stderr
    assert ran.exit_code == 1


def test_a_closed_pipe_is_no_fault_of_ours() -> None:
    code = "from octad.faces.cli.work import _out; from octad.faces.cli import errors\n"
    code += "try: _out('x'*100000)\n"
    code += "except BrokenPipeError as e: raise SystemExit(errors.report_error(e, debug=False))"
    reading, writing = os.pipe()
    os.close(reading)
    line = [sys.executable, "-c", code]
    ran = subprocess.run(line, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert ran.stderr == b""
    assert ran.returncode == 141


def test_ctrl_c_while_starting_up_is_no_traceback() -> None:
    code = "import sys; sys.argv=['octad', 'verify']\n"
    code += "import builtins; real = builtins.__import__\n"
    code += "def stop(name, *a, **k):\n"
    code += "    if name == 'typer': raise KeyboardInterrupt\n"
    code += "    return real(name, *a, **k)\n"
    code += "from octad.faces.cli import main; builtins.__import__ = stop; main()"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert ran.stderr == b"Stopped. Nothing half written.\n"
    assert ran.returncode == 130


def test_check_says_what_was_read_and_left_out(session: FakeSession) -> None:
    shown = _run("check").stdout
    assert "events  data/events/*.parquet" in shown
    assert "5,000,000 rows read, 4,998,796 kept · 1 Mar to 2 Apr 2026 · 98,212 users" in shown
    assert "Left out: 1,204 rows: the time does not parse" in shown
    assert "line 7: u1,yesterday" in shown
    assert "No rows:  9 Mar to 10 Mar 2026" in shown
    assert "12 later copies were dropped." in shown
    assert "Read as:  user is user_id, time is ts" in shown
    assert "Empty in: value 12%" in shown
    assert "These rows are in .octad/out.csv." in shown
    assert "Mind this: Times carry no zone" in shown


def test_plan_says_what_could_be_seen(session: FakeSession) -> None:
    shown = _run("plan", "circles").stdout
    assert "About 98,000 users would enter in 10 days, 9,800 on an average day." in shown
    assert "  opens        KPI        would see a change of 1.2% or more" in shown
    assert "a loss within 1% takes 210,000 users to show" in shown
    assert "  p95_wait     guardrail  cannot be sized: a quantile is not sized" in shown
    assert "  rival        silent      needs  reviews of ours and of rivals" in shown
    assert "  results      in part     sees   payments: 2.1%." in shown
    assert f"{'':27}not    Its margin." in shown
    words = " ".join(shown.split())
    assert "moments (3 Nov 2025): the same KPI, opens. It came out as opens +4.0%" in words
    assert "verdict hold; the team decided: ship. Learnt: Ask the payers." in words
    assert "Mind this: Nobody has signed the plan." in shown


@pytest.mark.parametrize(("style", "says"), [("md", "| opens | KPI |"), ("json", '"silent"')])
def test_a_plan_in_other_formats(session: FakeSession, style: str, says: str) -> None:
    shown = _run("plan", "circles", "-f", style).stdout
    if style == "json":
        assert PlanReport.model_validate_json(shown) == PLANNED
    else:
        assert says in shown
        assert "- not: Its margin\\." in shown or "- not: Its margin." in shown
    assert _run("plan", "circles", "-f", style, "-o", "plan.txt").exit_code == 0
    assert (session.root / "plan.txt").read_text(encoding="utf-8") == shown


def test_where_nobody_can_answer_an_interview_is_refused(session: FakeSession) -> None:
    ran = _run("plan", "new", "--interview")
    assert ran.exit_code == 2
    assert "needs a terminal" in ran.stderr
    assert "launches/new.yml" in ran.stderr


def test_seal_warns_when_data_were_there(session: FakeSession) -> None:
    shown = _run("seal", "circles").stdout
    assert "Sealed circles: 9f2c9f2c9f2c." in shown
    assert "could have been seen already" in shown
    assert session.asked == [("seal", "circles", UTC)]


def test_decide_records_who_and_why(session: FakeSession) -> None:
    ran = _run(
        *("decide", "circles", "ship", "--by", "Mei", "--why", "We can mend it."),
        *("--against", "results", "--against", "user"),
    )
    assert ran.exit_code == 0
    wanted = ("decide", "circles", "ship", "Mei", "We can mend it.", ("results", "user"))
    assert session.asked == [wanted]
    said = "Mind this: the last look said roll back, and results, breadth spoke against it."
    assert said in ran.stdout
    agreed = _run("decide", "circles", "roll back", "--by", "Mei", "--why", "It harms.")
    assert "Mind this" not in agreed.stdout


def test_reflect_says_how_forecasts_came_out(session: FakeSession) -> None:
    assert "opens: at least 5%, 80% sure; it did." in _run("reflect", "circles").stdout


def test_verify(session: FakeSession) -> None:
    assert "whole: 12 records" in _run("verify").stdout
    session.whole = False
    ran = _run("verify")
    assert ran.exit_code == 2
    assert "line 7. Cut." in ran.stderr


def test_init_writes_a_project_and_says_what_is_next(tmp_path: Path) -> None:
    ran = _run("-C", str(tmp_path / "new"), "init", "--product", "Shop")
    assert ran.exit_code == 0
    assert (tmp_path / "new" / "octad.yml").exists()
    assert "octad check" in ran.stdout
    again = _run("-C", str(tmp_path / "new"), "init")
    assert again.exit_code == 2
    assert "nothing is written over" in again.stderr


def test_a_folder_without_a_project(tmp_path: Path) -> None:
    ran = _run("-C", str(tmp_path), "review", "circles")
    assert ran.exit_code == 2
    assert "octad.yml" in ran.stderr
    assert "Traceback" not in ran.output


def test_a_bar_shows_only_what_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.console import Console  # noqa: PLC0415

    out = io.StringIO()
    shown = bars._Bar(Console(file=out, force_terminal=True, width=80))
    shown("quick", 0.5)
    shown.stop()
    assert out.getvalue() == ""
    monkeypatch.setattr(bars, "PATIENCE", -1.0)
    shown = bars._Bar(Console(file=out, force_terminal=True, width=80))
    shown("reading \x1b]0;x\x07events", 0.5)
    shown.stop()
    assert "reading events" in out.getvalue()


def test_the_worlds_are_listed_with_what_happens_in_each() -> None:
    result = CliRunner().invoke(app, ["demo", "--worlds"])
    assert result.exit_code == 0
    assert "hollow_win         A hollow win. " in result.stdout
    assert result.stdout.count("invisible") == 1, "strengths that all have are said once"
    assert "--strength invisible|faint|clear|plain" in result.stdout
    assert "it does nothing. Only plain." in " ".join(result.stdout.split())


@pytest.mark.parametrize(
    ("words", "mend"),
    [
        (["--world", "hollow_wim"], "Did you mean 'hollow_win'?"),
        (["--world", "neutral", "--strength", "huge"], "It can be plain."),
    ],
)
def test_an_unknown_world_or_strength_makes_nothing(
    words: list[str], mend: str, tmp_path: Path
) -> None:
    made = tmp_path / "made"
    result = CliRunner().invoke(app, ["demo", str(made), *words])
    assert result.exit_code == 2
    assert mend in result.stderr
    assert not made.exists()
