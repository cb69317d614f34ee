"""Guardrails: within, beyond, or not to be seen yet, and from when they could be."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pytest

from octad.model.finding import Table
from octad.model.inputs import Exposure, Inputs
from octad.readings.breadth_guards import guardrail_words, guardrails, sight
from tests.readings.made import cells, counts, four, inputs, plan


def _seen(rate: float, *, days: int = 10, today: int = 11, daily: int = 400) -> Inputs:
    base = counts(20, 51)
    hits = np.random.default_rng(1).poisson(0.1 * base).astype(float)
    other = np.random.default_rng(2).poisson(rate * base).astype(float)
    hits *= 0.1 * base.sum() / hits.sum()
    other *= rate * base.sum() / other.sum()
    by_day = np.full((days, 2), daily)
    return inputs(
        cells("crash_rate", four(hits, base), four(other, base)),
        as_of=datetime(2026, 3, today, tzinfo=UTC),
        final=True,
        exposure=Exposure(
            by_day.sum(axis=0), np.datetime64("2026-03-01") + np.arange(days), by_day
        ),
    )


def test_what_cannot_be_seen_says_from_which_day_it_could() -> None:
    made = plan(guardrails={"crash_rate": "1%"})
    seen = _seen(0.1)
    judged, (finding,) = guardrails(made, seen)
    told = sight(made, seen, judged[0])
    assert told is not None
    assert told.on is not None
    assert told.on > date(2026, 3, 11)
    needed = judged[0].needed
    assert needed is not None
    # 800 users a day from 1 March; `needed` is in multiples of the 8,000 measured.
    assert abs((told.on - date(2026, 3, 1)).days - 10 * needed) <= 1
    assert "cannot see" in finding.claim
    assert "800 new users a day" in finding.claim
    assert f"before {told.on.day} " in guardrail_words(made, seen, judged)[0]


def test_when_enrolment_has_ended_it_says_what_more_of_it_would_take() -> None:
    made = plan(guardrails={"crash_rate": "1%"})
    seen = _seen(0.1, today=25)
    judged, (finding,) = guardrails(made, seen)
    told = sight(made, seen, judged[0])
    assert told is not None
    assert told.on is None
    assert "Enrolment has ended" in finding.claim


def test_without_days_of_exposure_only_the_users_are_told() -> None:
    made = plan(guardrails={"crash_rate": "1%"})
    seen = inputs(_seen(0.1).metrics["crash_rate"])
    (finding,) = guardrails(made, seen)[1]
    assert "more" in finding.decides


@pytest.mark.parametrize(("rate", "words"), [(0.104, "worse"), (0.13, "worse by more than the 2%")])
def test_beyond_is_only_said_where_the_loss_is_shown_to_be_larger(rate: float, words: str) -> None:
    (finding,) = guardrails(plan(guardrails={"crash_rate": "2%"}), _seen(rate))[1]
    assert words in finding.claim
    assert ("by more than" in finding.claim) == (rate > 0.12)


def test_several_guardrails_stand_in_one_table() -> None:
    seen = _seen(0.1)
    metrics = {
        **seen.metrics,
        "payments": cells("payments", four(counts(5, 3)), four(counts(5, 4))),
    }
    seen = inputs(*metrics.values(), as_of=seen.as_of, exposure=seen.exposure)
    findings = guardrails(plan(guardrails={"crash_rate": "1%", "payments": "20%"}), seen)[1]
    table = findings[0].evidence[0]
    assert isinstance(table, Table)
    assert [row[3] for row in table.rows] == ["cannot see", "within its margin"]
