"""Every row of the verdict table, by answers made by hand."""

from __future__ import annotations

from typing import Any

import pytest

from octad.lifecycle.verdict import TABLE, Outcome, decide, row_words, table_markdown
from octad.model.finding import Answer, Finding, Grade, Number, Stance, State
from octad.model.plan import Launch, Plan, Project
from octad.model.review import READINGS, Verdict


def _plan(**launch: Any) -> Plan:
    metrics = {name: {"count": name} for name in ("opens", "payments", "retained", "crashes")}
    project = Project.model_validate({"product": "P", "sources": {}, "metrics": metrics})
    usual: dict[str, Any] = {
        "launch": "x",
        "arms": {"control": "off", "treatment": "on"},
        "kpi": "opens",
        "results": {"payments": "1%"},
        "guardrails": {"crashes": "2%"},
    }
    return Plan(project=project, launch=Launch.model_validate({**usual, **launch}))


def _judged(metric: str, state: State | None, grade: Grade = Grade.A, **more: Any) -> Finding:
    value = {State.BETTER: 0.05, State.WORSE: -0.05}.get(state or State.UNCLEAR, 0.0)
    return Finding(
        id=f"any.{metric}",
        claim=f"{metric} moved.",
        metric=metric,
        state=state,
        grade=grade,
        harm=state is State.WORSE,
        estimate=Number(value=value, low=value - 0.01, high=value + 0.01, relative=True),
        **more,
    )


KPI_UP = Answer(
    stance=Stance.FOR, question="?", findings=(_judged("opens", None),), summary="opens +5%"
)
KPI_FLAT = KPI_UP.model_copy(update={"stance": Stance.MIXED})
KPI_SILENT = Answer(stance=Stance.SILENT, question="?")


def _answers(
    *findings: Finding, kpi: Answer = KPI_UP, against: str | None = None, plan: Plan | None = None
) -> Outcome:
    silent = Answer(stance=Stance.SILENT, question="?")
    answers = dict.fromkeys(READINGS, silent)
    answers["results"] = Answer(stance=Stance.FOR, question="?", findings=findings)
    if against is not None:
        answers[against] = Answer(stance=Stance.AGAINST, question="?", summary="it is not liked")
    return decide(plan or _plan(), kpi, answers)


BETTER, WITHIN = _judged("payments", State.BETTER), _judged("payments", State.WITHIN)
WORSE, UNCLEAR = _judged("payments", State.WORSE), _judged("payments", State.UNCLEAR)
SAFE, UNSAFE = _judged("crashes", State.WITHIN), _judged("crashes", State.WORSE)
BROKEN = Finding(id="doubt.sample_ratio", claim="The split is broken.", trust="fails")
SEGMENT = Finding(
    id="breadth.harmed.1.payments",
    claim="Users in the north: payments fell.",
    metric="payments",
    grade=Grade.A,
    segment={"region": "north"},
    harm=True,
    estimate=Number(value=-0.1, low=-0.12, high=-0.08, relative=True),
)


@pytest.mark.parametrize(
    ("outcome", "verdict", "row"),
    [
        (_answers(BETTER, SAFE, BROKEN), Verdict.CANNOT_TELL, "trust"),
        (_answers(WORSE, UNSAFE, BROKEN), Verdict.CANNOT_TELL, "trust"),
        (_answers(kpi=KPI_SILENT), Verdict.CANNOT_TELL, "nothing"),
        (_answers(), Verdict.HOLD, "else"),
        (_answers(WORSE, SAFE), Verdict.ROLL_BACK, "harm"),
        (_answers(BETTER, UNSAFE), Verdict.ROLL_BACK, "harm"),
        (_answers(BETTER, SAFE, SEGMENT), Verdict.ROLL_BACK, "harm"),
        (_answers(BETTER, SAFE), Verdict.SHIP, "good"),
        (_answers(BETTER, SAFE, kpi=KPI_FLAT), Verdict.SHIP, "good"),
        (_answers(WITHIN, SAFE), Verdict.SHIP, "good"),
        (_answers(WITHIN, SAFE, kpi=KPI_FLAT), Verdict.HOLD, "else"),
        (_answers(UNCLEAR, SAFE), Verdict.HOLD, "else"),
        (_answers(BETTER, _judged("crashes", State.UNCLEAR)), Verdict.HOLD, "else"),
        (_answers(BETTER), Verdict.HOLD, "else"),
        (_answers(SAFE), Verdict.HOLD, "else"),
    ],
)
def test_each_row(outcome: Outcome, verdict: Verdict, row: str) -> None:
    assert outcome.verdict is verdict
    assert outcome.row.key == row
    assert outcome.because
    assert outcome.next, "every verdict says what would change it"
    assert row_words(outcome.row).startswith(f"Row {TABLE.index(outcome.row) + 1} of 5: the ")


@pytest.mark.parametrize("name", [name for name in READINGS if name != "results"])
def test_any_reading_may_veto(name: str) -> None:
    outcome = _answers(BETTER, SAFE, against=name)
    assert outcome.verdict is Verdict.HOLD
    assert any(name in why for why in outcome.because)


def test_what_would_change_it_is_said_of_each_row() -> None:
    assert "mending the measurement" in _answers(BETTER, SAFE, BROKEN).next[0]
    shipped = _answers(WITHIN, SAFE).next
    assert "beyond its margin" in shipped[0]
    # payments: [-1%, +1%] against a margin of 1% uses all of it; crashes' 1% of 2% only half.
    assert shipped[1] == "Payments is nearest to it: at worst 1.0% of 1% was lost."
    assert "payments shown within 1%" in _answers(WORSE, SAFE).next[0]
    vetoed = _answers(BETTER, SAFE, against="rival").next
    assert vetoed == (
        "Nothing else stands in the way: once what rival found is answered, it could ship.",
    )
    flat = _answers(WITHIN, SAFE, kpi=KPI_FLAT).next
    assert "so far nothing was gained" in flat[0]


def test_no_reading_vouches_for_the_kpi_alone() -> None:
    bare = _answers(plan=_plan(results={}, guardrails={}))
    assert bare.verdict is Verdict.HOLD
    assert any("a KPI alone" in why for why in bare.because)
    alone = _answers(SAFE, plan=_plan(results={}))
    assert alone.verdict is Verdict.HOLD
    assert any("a KPI alone" in why for why in alone.because)


@pytest.mark.parametrize("grade", [Grade.C, Grade.T])
@pytest.mark.parametrize("state", [State.BETTER, State.WORSE])
def test_weak_grades_neither_ship_nor_roll_back(grade: Grade, state: State) -> None:
    findings = (_judged("payments", state, grade), _judged("crashes", State.WITHIN, grade))
    assert _answers(*findings).verdict is Verdict.HOLD


def test_grade_b_may_do_both() -> None:
    safe = _judged("crashes", State.WITHIN, Grade.B)
    assert _answers(_judged("payments", State.BETTER, Grade.B), safe).verdict is Verdict.SHIP
    assert _answers(_judged("payments", State.WORSE, Grade.B), safe).verdict is Verdict.ROLL_BACK


def test_the_worst_arm_counts() -> None:
    outcome = _answers(BETTER, _judged("payments", State.UNCLEAR), SAFE)
    assert outcome.verdict is Verdict.HOLD


def test_a_warning_does_not_stop_the_table() -> None:
    warned = BROKEN.model_copy(update={"trust": "warns"})
    assert _answers(BETTER, SAFE, warned).verdict is Verdict.SHIP


def test_the_headline_says_what_moved_and_who_pays() -> None:
    outcome = _answers(WORSE, SAFE, SEGMENT)
    assert outcome.because[0].startswith("Opens ")
    assert "payments fell 5.0%" in outcome.because[0]
    assert "north" in outcome.because[0]


def test_where_nothing_moved_it_is_said_once() -> None:
    still = _judged("opens", State.UNCLEAR)
    kpi = KPI_FLAT.model_copy(update={"findings": (still,)})
    outcome = _answers(_judged("payments", State.UNCLEAR), SAFE, kpi=kpi)
    assert outcome.because[0] == "Neither opens nor payments visibly moved."


def test_the_table_is_printed_from_the_rows() -> None:
    text = table_markdown()
    assert text.count("\n") == len(TABLE) + 1
    assert {row.verdict for row in TABLE} == set(Verdict)
    assert [v.exit_code for v in Verdict] == [0, 10, 20, 30]
