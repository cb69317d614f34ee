from __future__ import annotations

import numpy as np
import pytest

from octad.model.finding import Finding, Table
from octad.model.inputs import Exposure, Inputs, JobUse
from octad.readings.job_split import split
from tests.readings.voices_kit import plan_of

BUCKETS, USERS = 128, 12_800


def use_of(
    share: tuple[float, float], often: tuple[float, float], seed: int = 1, *, arms: int = 2
) -> JobUse:
    """Jobs pay (changed as told) and social (not), in control and treatment, by person."""
    rng = np.random.default_rng(seed)
    events, users = np.zeros((2, arms, BUCKETS, 2)), np.zeros((2, arms, BUCKETS, 2))
    for period in (0, 1):
        for arm in range(arms):
            changed = arm == 1 if arms > 1 else period == 1
            bucket = rng.integers(0, BUCKETS, USERS)
            for j in (0, 1):
                k = int(changed and j == 0)
                does = rng.random(USERS) < share[k]
                times = does * (1 + rng.poisson(often[k] - 1, USERS))
                events[period, arm, :, j] = np.bincount(bucket, times, BUCKETS)
                users[period, arm, :, j] = np.bincount(bucket, does, BUCKETS)
    none = np.zeros((arms, 2), dtype=np.int64)
    return JobUse(("pay", "social"), events, users, none, none, query="q")


def told(use: JobUse, arms: tuple[str, ...] = ("control", "treatment")) -> Finding:
    exposure = Exposure(
        counts=np.full(len(arms), USERS),
        days=np.array([], dtype="datetime64[D]"),
        by_day=np.zeros((0, len(arms)), dtype=np.int64),
    )
    plan = plan_of(experiment=len(arms) > 1)
    (found,) = split(plan, Inputs(arms=arms, jobs=use, exposure=exposure), use)
    return found


def row(finding: Finding, job: str) -> tuple[str | float | int | None, ...]:
    table = finding.evidence[0]
    assert isinstance(table, Table)
    return next(r for r in table.rows if r[0] == job)


def first(cell: object) -> float:
    return float(str(cell).split()[0].replace("−", "-"))


def test_fewer_people_and_each_less_often_are_told_apart() -> None:
    found = told(use_of((0.5, 0.4), (4.0, 3.5)))
    assert found.claim.startswith("“pay” is done less (")
    assert "of that because fewer people do it, the rest because each does it less" in found.claim
    pay = row(found, "pay")
    # Planted: −0.1 · 3.75 from how many, −0.5 · 0.45 from how often; noise of 12,800 people.
    assert first(pay[4]) == pytest.approx(-0.375, abs=0.05)
    assert first(pay[5]) == pytest.approx(-0.225, abs=0.05)
    assert first(pay[3]) == pytest.approx(first(pay[4]) + first(pay[5]), abs=0.002)  # rounding
    assert row(found, "social")[6] == "no"
    assert found.stance is None


def test_only_more_people() -> None:
    assert told(use_of((0.3, 0.5), (3.0, 3.0))).claim.endswith("per user): more people do it.")


def test_parts_that_pull_apart_are_both_told() -> None:
    claim = told(use_of((0.3, 0.5), (4.0, 2.9))).claim
    assert "more people do it (+" in claim
    assert "but each does it less often (−" in claim


def test_without_arms_after_is_set_beside_before() -> None:
    found = told(use_of((0.3, 0.5), (3.0, 3.0), arms=1), ("everyone",))
    assert found.claim.startswith("“pay” is done more")
    table = found.evidence[0]
    assert isinstance(table, Table)
    assert table.columns[1] == "uses a user, before"


def test_where_nothing_changed_little_is_claimed() -> None:
    wrong = sum(
        not told(use_of((0.4, 0.4), (3.0, 3.0), seed=s)).claim.startswith("No job")
        for s in range(60)
    )
    # 60 rounds at a true 5% give 8 or fewer in 995 of 1,000 (binomial).
    assert wrong <= 8


def test_without_the_number_of_users_nothing_is_said() -> None:
    use = use_of((0.3, 0.5), (3.0, 3.0))
    assert split(plan_of(experiment=True), Inputs(arms=("a", "b"), jobs=use), use) == []
