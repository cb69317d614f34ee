"""The score of verdicts: rules by hand, counts by hand, a book that goes on, worlds in small."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from benchmarks.verdicts import rules
from benchmarks.verdicts.__main__ import KINDS, asked_for, main, parser
from benchmarks.verdicts.book import Book, code_version
from benchmarks.verdicts.page import drawn, page
from benchmarks.verdicts.rules import RULES, Evidence, Seen
from benchmarks.verdicts.run import Case, Run, run
from benchmarks.verdicts.show import text
from benchmarks.verdicts.tally import OCTAD, count, days_until_right

from octad.errors import UsageError
from octad.lifecycle import demo
from octad.lifecycle.session import Session
from octad.model.review import Verdict
from octad.stats.effects import Effect, compare_levels

SOURCE = Path(__file__).resolve().parents[2] / "src" / "octad"


def effect(value: float, se: float = 0.01) -> Effect:
    """A difference of two levels of 10,000 users, relative to a control of one."""
    half = se / 2**0.5
    return compare_levels([1.0, 1.0 + value], [half, half], [10_000, 10_000], relative=False)


def seen(value: float, *, margin: float | None = None, sign: int = 1, se: float = 0.01) -> Seen:
    """One metric's effect."""
    found = effect(value, se)
    return Seen(found, sign, None if margin is None else (margin, found))


UP, FLAT, DOWN = seen(0.05), seen(0.0), seen(-0.05)
SAFE, UNSAFE = seen(0.0, margin=0.05), seen(0.0, margin=0.001)


@pytest.mark.parametrize(
    ("rule", "evidence", "verdict"),
    [
        (rules.kpi_alone, Evidence(UP), "ship"),
        (rules.kpi_alone, Evidence(FLAT), "hold"),
        (rules.kpi_alone, Evidence(DOWN), "roll back"),
        (rules.kpi_alone, Evidence(None), "cannot tell"),
        (rules.kpi_alone, Evidence(seen(-0.05, sign=-1)), "ship"),
        (rules.kpi_and_guardrails, Evidence(UP, guardrails=(DOWN,)), "roll back"),
        (rules.kpi_and_guardrails, Evidence(UP, results=(FLAT,)), "ship"),
        (rules.kpi_and_guardrails, Evidence(FLAT, guardrails=(SAFE,)), "hold"),
        (rules.spotify, Evidence(UP, (SAFE,), (SAFE,)), "ship"),
        (rules.spotify, Evidence(UP, (SAFE,), (UNSAFE,)), "hold"),
        (rules.spotify, Evidence(UP, (SAFE,), (SAFE,), unmeasured=1), "hold"),
        (rules.spotify, Evidence(FLAT, (SAFE,), (SAFE,)), "hold"),
        (rules.spotify, Evidence(UP, (DOWN,), (SAFE,)), "roll back"),
        (rules.spotify, Evidence(UP, (SAFE,), counts=(9000, 10_000)), "cannot tell"),
        (rules.spotify, Evidence(UP, (SAFE,), counts=(9000, 1000), split=(9, 1)), "ship"),
        (rules.chance_to_win, Evidence(seen(0.018)), "ship"),
        (rules.chance_to_win, Evidence(seen(0.015)), "hold"),
        (rules.chance_to_win, Evidence(seen(-0.018)), "roll back"),
    ],
)
def test_each_rule(rule: Callable[[Evidence], Verdict], evidence: Evidence, verdict: str) -> None:
    assert rule(evidence).value == verdict


def a_run(verdict: str = "ship", right: tuple[str, ...] = ("ship",), **more: object) -> Run:
    """A run made by hand, by default of a launch that is good and visibly so."""
    usual: dict[str, object] = {
        "case": Case.variant("true_win", "plain", 20_000, 101),
        "verdict": verdict,
        "right": right,
        "errors": {"roll back": "good rolled back"},
        "harms": (),
        "harm_visible": False,
        "good": True,
        "trust": True,
        "randomised": True,
        "visible": True,
        "because": "Payments rose.",
        "stances": {"results": "for", "rival": "mixed"},
        "rules": dict.fromkeys(RULES, "ship"),
    }
    return Run(**{**usual, **more})  # type: ignore[arg-type]


HARMFUL = a_run(
    "roll back",
    ("roll back",),
    case=Case.variant("hollow_win", "plain", 20_000, 101),
    errors={"ship": "harm shipped"},
    harms=("result worse: payments",),
    harm_visible=True,
    good=False,
    saw=("results", "horizon"),
)


def test_what_is_counted() -> None:
    quiet = a_run("hold", visible=False, right=("hold",), good=False, saw=("rival",))
    runs = [a_run(), a_run("roll back"), a_run("hold"), HARMFUL, quiet]
    tally = count(runs)
    total = tally.total
    assert (total.right.k, total.right.n) == (3, 5)
    assert (total.right_visible.k, total.right_visible.n) == (2, 4)
    assert (total.false_roll_back.k, total.false_roll_back.n) == (1, 4)
    assert (total.harm_shipped_visible.k, total.harm_shipped_visible.n) == (0, 1)
    assert (total.errors.k, total.errors.n) == (0, 1)
    assert tally.totals["KPI alone"].harm_shipped_visible.k == 1
    assert tally.saw == {"hollow_win": {"results": 1}}
    assert (tally.wolf["rival"].k, tally.wolf["rival"].n) == (1, 4)
    assert [r.verdict for r in tally.wrong] == ["roll back", "hold"]
    assert [t.met for t in tally.targets] == [True, False, False, True]
    assert json.loads(json.dumps(tally.as_dict()))["wrong"][0]["open"] == runs[1].case.command


def test_wilson_agrees_with_the_textbook() -> None:
    # Newcombe 1998, table I: 81 of 263, score interval without continuity correction.
    runs = [a_run()] * 81 + [a_run("hold")] * 182
    found = count(runs).total.right
    assert found.low == pytest.approx(0.2553, abs=5e-5)  # printed to four digits
    assert found.high == pytest.approx(0.3662, abs=5e-5)


def test_days_until_right_is_the_first_look_that_stays_right() -> None:
    looks = tuple(
        (day, said, {"KPI alone": "ship"})
        for day, said in ((7, "ship"), (14, "hold"), (21, "ship"), (37, "ship"))
    )
    found = replace(a_run(), looks=looks)
    assert days_until_right(found, OCTAD) == 21
    assert days_until_right(found, "KPI alone") == 7
    assert days_until_right(replace(found, right=("roll back",))) is None
    assert days_until_right(a_run()) is None


def test_the_book_goes_on_after_half_a_line(tmp_path: Path) -> None:
    book = Book.open(tmp_path, "v1")
    book.add(HARMFUL)
    with book.path.open("a", encoding="utf-8") as file:
        file.write('{"case": {"kind": "true_w')
    again = Book.open(tmp_path, "v1")
    assert not again.lacks(HARMFUL.case, looks=False)
    assert again.lacks(HARMFUL.case, looks=True)
    again.add(a_run())
    assert Book.open(tmp_path, "v1").runs == {r.case: r for r in (HARMFUL, a_run())}
    assert Book.open(tmp_path).path.stem == code_version()


def test_the_table_fits_a_terminal_and_the_page_is_whole() -> None:
    runs = [a_run(), HARMFUL, a_run("hold")]
    tally = count(runs)
    said = text(tally)
    assert max(map(len, said.splitlines())) <= 100
    assert "NOT MET: right where the truth was visible" in said
    assert "octad demo --world true_win --strength plain" in text(tally, only_wrong=True)
    written = page(tally, runs)
    assert "| all | 3 |" in written
    assert KINDS["hollow_win"].about in written
    assert drawn(tally).count("<circle") == 5 + 3 * 5


def test_unknown_kinds_and_strengths_are_refused() -> None:
    for words, name in (("--kinds hollow", "hollow"), ("--strengths strong", "strong")):
        with pytest.raises(UsageError, match=name):
            asked_for(parser().parse_args(words.split()))


def test_every_kind_strength_and_size_has_seeds_of_its_own() -> None:
    cases = asked_for(parser().parse_args(["--users", "20000,60000", "--seeds", "3"]))
    assert len({case.seed for case in cases}) > 0.98 * len(cases)
    assert {case.number for case in cases} == {101, 102, 103}


def test_a_call_prints_the_same_figures_as_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    book = Book.open(tmp_path)
    case = Case.variant("true_win", "plain", 20_000, 101)
    book.add(replace(a_run(), case=case))
    words = ["--kinds", "true_win", "--strengths", "plain", "--seeds", "1", "--home", str(tmp_path)]
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["total"]["right"]["k"] == 1
    assert main(words) == 0
    assert "true_win" in capsys.readouterr().out


def test_only_the_demo_knows_of_the_truth() -> None:
    """Nothing that reads or reviews names the file in which the truth lies."""
    named = []
    for part in ("readings", "data", "stats", "text", "project", "model", "lifecycle", "faces"):
        for path in sorted((SOURCE / part).rglob("*.py")):
            words = [
                node.value
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                if isinstance(node, ast.Constant) and isinstance(node.value, str)
            ]
            if any("truth.json" in word for word in words):
                named.append(path.relative_to(SOURCE).as_posix())
    assert named == ["lifecycle/demo.py"]


def test_a_review_is_the_same_whatever_the_truth_says(tmp_path: Path) -> None:
    root = demo.create(tmp_path / "x", "neutral", seed=3, users=2_000)
    session = Session.open(root)
    launch = session.launches[0]
    with_truth = session.review(launch, log_look=False)
    (root / demo.TRUTH).write_text("no truth at all", encoding="utf-8")
    with_another = session.review(launch, log_look=False)
    (root / demo.TRUTH).unlink()
    without = session.review(launch, log_look=False)
    for other in (with_another, without):
        assert other.model_copy(update={"cost": with_truth.cost}) == with_truth


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_small_world_of_each_kind_is_reviewed_and_makes_no_grave_error(kind: str) -> None:
    """So few users show hardly any harm, but they must not be told of one that is not there."""
    found = run(Case(kind, KINDS[kind].strengths[-1], 1_500, 11))
    assert found.verdict in {v.value for v in Verdict}
    assert set(found.rules) == set(RULES)
    assert found.verdict != "roll back" or found.harm
    assert found.verdict != "ship" or not found.harm_visible
