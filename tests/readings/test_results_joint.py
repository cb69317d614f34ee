"""The KPI and the results side by side, with the error that they share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from octad.model.finding import Answer, Intervals, Stance
from octad.readings import results
from octad.readings.results_joint import Beside
from tests.readings.made import FloatArray, N, cells, counts, found, four, inputs, plan


def read(result: FloatArray, base: FloatArray, kpi: float = 11.0, **launch: Any) -> Answer:
    opens = cells("opens", four(counts(10, 1)), four(counts(kpi, 2)))
    asked: dict[str, Any] = {"results": {"payments": "1%"}, **launch}
    return results.read(plan(**asked), inputs(opens, cells("payments", four(base), four(result))))


def test_what_lies_between_them_is_said_with_its_joint_error() -> None:
    f = found(read(counts(4.5, 4), counts(5, 3)), "results.parting")
    assert f.stance is Stance.AGAINST
    assert "20.0 points" in f.claim
    assert f.estimate is not None
    assert f.estimate.value == pytest.approx(-0.2)
    assert f.estimate.low is not None
    assert f.estimate.high is not None
    assert f.estimate.low < -0.2 < f.estimate.high < 0
    (picture,) = f.evidence
    assert isinstance(picture, Intervals)
    assert [row.label for row in picture.rows] == [
        "opens (KPI)", "payments", "payments less opens",
    ]  # fmt: skip


def test_they_rise_together_at_a_rate() -> None:
    f = found(read(counts(5.5, 4), counts(5, 3)), "results.together")
    assert f.stance is Stance.FOR
    assert "1.00% [" in f.claim
    assert "for each 1% of opens" in f.claim


def test_only_the_kpi_moved() -> None:
    f = found(read(counts(5, 4), counts(5, 3)), "results.together")
    assert f.stance is Stance.MIXED
    assert "Only the KPI moved" in f.claim
    assert "at most" in f.claim


def test_where_the_kpi_is_not_up_nothing_is_said() -> None:
    answer = read(counts(5, 4), counts(5, 3), kpi=10.0)
    assert not [f for f in answer.findings if f.id in ("results.together", "results.parting")]


def test_metrics_that_are_better_down_are_turned() -> None:
    metrics = {
        "opens": {"count": "open", "window": "14d"},
        "waits": {"count": "wait", "window": "14d", "better": "down"},
    }
    opens = cells("opens", four(counts(10, 1)), four(counts(11, 2)))
    waits = cells("waits", four(counts(5, 3)), four(counts(6, 4)))
    f = found(
        results.read(plan(metrics, results={"waits": "1%"}), inputs(opens, waits)),
        "results.parting",
    )
    (picture,) = f.evidence
    assert isinstance(picture, Intervals)
    assert picture.rows[1].value == pytest.approx(-0.2)
    assert "good direction to the right" in picture.x_label


def test_shared_noise_narrows_what_lies_between() -> None:
    one = Beside(0.05, 0.05, np.array([[1.0, 0.9], [0.9, 1.0]]) * 1e-4, 1.96)
    two = Beside(0.05, 0.05, np.eye(2) * 1e-4, 1.96)
    assert one.apart[2] - one.apart[1] < 0.5 * (two.apart[2] - two.apart[1])
    assert one.rate is not None
    assert one.rate[1] < 1 < one.rate[2]
    assert Beside(0.01, 0.05, np.eye(2) * 1e-4, 1.96).rate is None


def test_users_of_both_metrics_need_not_be_the_same() -> None:
    opens = cells("opens", four(counts(10, 1)), four(counts(11, 2)))
    fewer = cells("payments", four(counts(5, 3, N // 2)), four(counts(4, 4, N // 2)))
    answer = results.read(plan(results={"payments": "1%"}), inputs(opens, fewer))
    assert found(answer, "results.parting").estimate is not None
