from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from octad.model.finding import Curve, Finding, Table
from octad.model.inputs import Inputs, Reviews
from octad.readings import kpi
from octad.readings.loud import liked, loud
from octad.readings.voices import Talk, listen
from tests.readings.voices_kit import DAY, Row, plan_of, reviews_of, smart_home


def heard(reviews: Reviews, own: str = "Wallet", day: date = DAY) -> Talk:
    talk = listen(plan_of(own, day, ()), Inputs(reviews=reviews))
    assert isinstance(talk, Talk)
    return talk


def made(happy: float, unhappy: float, seed: int = 1) -> Reviews:
    """Ten happy and five unhappy reviews a day for eight weeks; then as told for four."""
    rng = np.random.default_rng(seed)
    start = datetime(DAY.year, DAY.month, DAY.day, 9, tzinfo=UTC)
    rows: list[Row] = []
    for d in range(-56, 28):
        rates = (10.0, 5.0) if d < 0 else (happy, unhappy)
        for rate, stars in zip(rates, (5.0, 1.0), strict=True):
            words = [f"day {d} word {i} {stars}" for i in range(rng.poisson(rate))]
            rows += [("Wallet", start + timedelta(days=d), stars, text) for text in words]
    return reviews_of(rows, "Wallet")


def picture(finding: Finding) -> Curve:
    return next(e for e in finding.evidence if isinstance(e, Curve))


def ratios(finding: Finding) -> dict[str, list[float]]:
    """After over before with its interval, happy and unhappy."""
    table = next(e for e in finding.evidence if isinstance(e, Table))
    cells = {str(row[0]).split()[0]: str(row[3]) for row in table.rows}
    return {
        name: [float(x) for x in cell.strip("×").replace("[", "").replace("]", "")
               .replace(",", "").split()]
        for name, cell in cells.items()
    }  # fmt: skip


def test_a_launch_that_is_loud_because_it_is_hated() -> None:
    found = liked(heard(made(10, 25)))
    assert found is not None
    assert (
        "; happy reviews a day from 9.0 to 9.4 and unhappy reviews a day from 4.3 to 25.5"
        in found.claim
    )
    curve = picture(found)
    assert curve.x == tuple(range(-4, 4))
    happy, unhappy = curve.lines
    # Planted: 70 happy a week all along; 35 unhappy, then 175.
    assert np.mean([y or 0 for y in happy.y]) == pytest.approx(70, rel=0.15)  # Poisson noise
    assert np.mean([y or 0 for y in unhappy.y[:4]]) == pytest.approx(35, rel=0.25)  # likewise
    assert np.mean([y or 0 for y in unhappy.y[4:]]) == pytest.approx(175, rel=0.15)  # likewise
    assert loud(heard(made(10, 25))).estimate is not None


def test_loud_is_said_only_where_it_is_shown_to_be_louder() -> None:
    louder, as_loud = (kpi._short([loud(heard(made(10, unhappy)))]) for unhappy in (25, 5))
    assert louder.startswith("loud: talk ×2.")
    assert as_loud in ("talk ×1.0", "talk ×1.1")  # Poisson noise


def test_the_intervals_hold_the_planted_ratios() -> None:
    held = 0
    for seed in range(30):
        found = liked(heard(made(15, 10, seed)))
        assert found is not None
        for name, true in (("happy", 1.5), ("unhappy", 2.0)):
            _, low, high = ratios(found)[name]
            held += low <= true <= high
    # 60 intervals at a true 95% hold 52 or more in 995 of 1,000 (binomial).
    assert held >= 52


@pytest.mark.real
def test_huawei_was_loud_and_not_liked(shared_data: Path) -> None:
    own = "华为智能家居"
    found = liked(heard(smart_home(shared_data, own, until="2018-12-31"), own, date(2018, 11, 1)))
    assert found is not None
    happy, unhappy = picture(found).lines
    after = slice(len(happy.y) // 2, None)
    assert sum(y or 0 for y in unhappy.y[after]) > 4 * sum(y or 0 for y in happy.y[after])
