"""The case against: what stands, what is weak, and that the page says how far it was sought."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from octad.model.finding import Stance, Table
from octad.model.inputs import History, Inputs, JobUse
from octad.readings import against, doubt
from octad.readings.against import CASE, build, case_against
from tests.readings.made import (
    cells,
    counts,
    errors,
    exposure,
    found,
    four,
    inputs,
    plan,
    retention,
)

PLAN = plan(results={"payments": "1%"}, guardrails={"crash_rate": "2%"})


def _seen(payments: float = 5.0, opens: float = 10.0) -> Inputs:
    return inputs(
        cells("opens", four(counts(10, 1)), four(counts(opens, 2))),
        cells("payments", four(counts(5, 3)), four(counts(payments, 4))),
        retention=retention(0.4, 0.4),
        exposure=exposure(4_000, 4_000),
    )


def test_a_loss_stands_and_is_said_with_its_figure() -> None:
    (case,) = case_against(PLAN, _seen(payments=4.6))
    assert case.stance is Stance.AGAINST
    assert case.claim.startswith("The case against: Payments −8.0%")
    assert "places were looked at" in case.claim


def test_one_place_is_one_place() -> None:
    made = build(PLAN, _seen(payments=4.6))
    assert made is not None
    one = replace(made, places=1)
    assert ". One place was looked at, and it stands (p " in against._strong(one, one.points[:1])
    assert "one place was looked at, and " in against._weak(one)


def test_where_nothing_is_wrong_the_case_is_weak() -> None:
    (case,) = case_against(PLAN, _seen())
    assert case.stance is Stance.FOR
    assert "is weak" in case.claim
    assert "no proof of safety" in case.breaks


def test_a_gain_is_no_point() -> None:
    made = build(PLAN, _seen(payments=5.5, opens=12.0))
    assert made is not None
    assert made.standing == ()
    assert made.corrected[0] > 0.5


def test_every_kind_of_place_is_listed_with_how_many() -> None:
    seen = replace(_seen(), errors=errors([[100, 100, 100], [100, 100, 180]]))
    (case,) = case_against(PLAN, seen)
    (table,) = case.evidence
    assert isinstance(table, Table)
    kinds = [row[0] for row in table.rows]
    assert {"metrics, all users", "errors, by use before", "coming back, by day"} <= {*kinds}
    assert table.rows[0][0] == "errors, by use before"
    total = sum(int(str(row[1]).replace(",", "")) for row in table.rows)
    assert f"{total} places" in case.claim


def test_days_are_numbered_as_the_horizon_numbers_them() -> None:
    """The day of exposure is day 1 on every page; the first on which one comes back is day 2."""
    fewer = replace(_seen(), retention=retention(0.4, 0.2))
    assert fewer.retention is not None
    days = fewer.retention.days
    (case,) = case_against(PLAN, fewer)
    (table,) = case.evidence
    assert isinstance(table, Table)
    (said,) = [str(row[2]) for row in table.rows if row[0] == "coming back, by day"]
    named = int(said.partition("on day ")[2].split(",")[0])
    assert 2 <= named <= int(days[-1]) + 1
    last = replace(fewer.retention, days=days[-1:], active=fewer.retention.active[:, -1:])
    last = replace(last, observed=fewer.retention.observed[:, -1:])
    (case,) = case_against(PLAN, replace(fewer, retention=last))
    assert f"came back on day {int(days[-1]) + 1}," in case.claim


def test_a_core_job_that_fewer_do_is_a_point() -> None:
    users = np.zeros((2, 2, 512, 1))
    users[1, 0, :4] = 900
    users[1, 1, :4] = 800
    use = JobUse(("pay",), users, users, np.zeros((2, 1), int), np.zeros((2, 1), int))
    made = plan(charter={"jobs": {"pay": {"events": ["pay"], "core": True}}})
    (case,) = case_against(made, replace(_seen(), jobs=use))
    assert "80% of users still pay, 90% of control's" in case.claim


def test_a_broken_split_is_the_first_point() -> None:
    seen = replace(_seen(payments=4.6), exposure=exposure(4_000, 4_600))
    (case,) = case_against(PLAN, seen)
    assert case.claim.startswith("The case against: The arms' sizes are not what the split meant")


@pytest.mark.parametrize("looks", [1, 3])
def test_looks_before_the_end_are_paid_for(looks: int) -> None:
    fixed = build(PLAN, _seen(payments=4.9))
    early = build(PLAN, replace(_seen(payments=4.9), final=False, history=History(looks=looks)))
    assert fixed is not None
    assert early is not None
    paid = min(1.0, min(fixed.corrected) * (math.pi * looks) ** 2 / 6)
    assert min(early.corrected) == pytest.approx(paid, rel=1e-6)


def test_it_stands_first_in_doubt_and_leaves_its_stance_alone() -> None:
    answer = doubt.read(PLAN, _seen(payments=4.6))
    assert answer.findings[0].id == CASE
    assert found(answer, CASE).stance is Stance.AGAINST
    assert answer.stance is Stance.FOR
    assert "the case against it is weak" in doubt.read(PLAN, _seen()).summary


def test_with_nothing_measured_there_is_no_case() -> None:
    assert case_against(PLAN, Inputs()) == []
