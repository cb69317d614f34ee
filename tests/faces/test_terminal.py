from __future__ import annotations

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from octad.faces.terminal import make_console, terminal, terminal_text
from octad.model.finding import Answer, Stance
from octad.model.review import Verdict
from tests.faces.sample import HOSTILE, review, thin_review


@pytest.mark.parametrize("width", [60, 72, 80, 100, 140, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    lines = terminal_text(review(), width=width).splitlines()
    assert max(map(cell_len, lines)) <= width


def test_it_reads_as_the_design_says() -> None:
    lines = terminal_text(review(), width=120, full="reviews/circles.html").splitlines()
    assert lines[0] == "Simulated data. No real person is in these numbers."
    assert lines[1].startswith("circles · a social feed on the home page   ")
    assert lines[1].endswith("sealed 27 Feb · look 3 · randomised (A) · 98,212 users")
    assert lines[3] == (
        "  ROLL BACK   Opens rose, payments fell, and fewer people come back in week four."
    )
    assert "  KPI          opens      +6.8% [+5.9, +7.7] · loud: talk ×3.1" in "\n".join(lines)
    assert "  results      against    payments −3.1% [−4.0, −2.2] · retained" in "\n".join(lines)
    assert "  Full review: reviews/circles.html" in lines
    order = [line.split()[0] for line in lines if line.startswith("  ") and line[2:3].isalpha()]
    wanted = ["KPI", "results", "horizon", "breadth", "user", "doubt", "rival", "product"]
    assert [word for word in order if word in wanted] == wanted


def test_an_interval_is_never_torn() -> None:
    for width in range(60, 120):
        for line in terminal_text(review(), width=width).splitlines():
            assert line.count("[") == line.count("]")


def test_without_colours_there_are_no_escapes() -> None:
    assert "\x1b" not in terminal_text(review())


def test_a_file_gets_no_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    out = io.StringIO()
    terminal(review(), make_console(out))
    assert "\x1b" not in out.getvalue()


def test_a_terminal_gets_colours_and_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    for wanted in (True, False):
        monkeypatch.setenv("NO_COLOR", "" if wanted else "1")
        out = io.StringIO()
        console = Console(file=out, force_terminal=True, color_system="standard", width=100)
        terminal(review(), console)
        assert ("\x1b[31m" in out.getvalue()) is wanted


def test_a_hostile_text_is_inert() -> None:
    for text in HOSTILE:
        made = review().model_copy(
            update={
                "because": (text,),
                "warnings": (text,),
                "launch": text,
                "kpi": Answer(stance=Stance.FOR, question=text, summary=text),
            }
        )
        shown = terminal_text(made, width=80)
        assert not set(shown) & {"\x1b", "\x9b", "\u202e", "\u200b", "\x07"}
        assert len(shown) < 30_000


def test_the_least_review_can_be_shown() -> None:
    shown = terminal_text(thin_review(), width=80)
    assert "CANNOT TELL   The arms are not the sizes the plan gave them." in shown
    assert "needs: a kpi in the plan" in shown


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_is_named(verdict: Verdict) -> None:
    shown = terminal_text(review().model_copy(update={"verdict": verdict}))
    assert f"  {verdict.value.upper()}   " in shown


def test_chinese_is_wrapped_by_its_width() -> None:
    made = review().model_copy(update={"because": ("付款" * 200,)})
    assert max(map(cell_len, terminal_text(made, width=60).splitlines())) <= 60
