from __future__ import annotations

import csv
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from octad.model.finding import Finding, Table
from octad.model.inputs import Inputs, Releases, Reviews
from octad.readings.releases import releases_around
from octad.readings.voices import Talk, listen
from tests.readings.voices_kit import DAY, Row, plan_of, releases_of, reviews_of

RIVALS = ("OtherPay", "ThirdPay")


def told(
    reviews: Reviews,
    releases: Releases | None = None,
    own: str = "Wallet",
    day: date = DAY,
    rivals: tuple[str, ...] = RIVALS,
) -> Finding | str:
    talk = listen(plan_of(own, day, rivals), Inputs(reviews=reviews))
    assert isinstance(talk, Talk)
    return releases_around(talk, releases)


def made(times: float = 1.0, happy: float = 0.7, seed: int = 1, rate: float = 12.0) -> Reviews:
    """A year of three products; ours is talked of `times` as much after the launch."""
    rng = np.random.default_rng(seed)
    rows: list[Row] = []
    for product in ("Wallet", *RIVALS):
        for d in range(-365, 30):
            ours = product == "Wallet" and d >= 0
            at = datetime(DAY.year, DAY.month, DAY.day, 9, tzinfo=UTC) + timedelta(days=d)
            for _ in range(rng.poisson(rate * (times if ours else 1.0))):
                glad = rng.random() < (happy if ours else 0.7)
                rows.append((product, at, float(rng.integers(4, 6) if glad else 1), "words"))
    return reviews_of(rows, "Wallet")


def test_a_loud_and_disliked_launch_beside_quiet_dates_and_past_releases() -> None:
    days = [str(np.datetime64(DAY) - back) for back in (300, 299, 200, 100)]
    past = releases_of(
        [("Wallet", days[0], "a"), ("Wallet", days[1], "again"), ("Wallet", days[2], "b"),
         ("OtherPay", days[3], "c")],
        "Wallet",
    )  # fmt: skip
    found = told(made(times=2.0, happy=0.2, seed=2), past)
    assert isinstance(found, Finding)
    assert found.stance is None
    assert found.estimate is not None
    assert found.estimate.low is not None
    assert found.estimate.high is not None
    assert found.estimate.low < 2 < found.estimate.high
    assert "talk moved as clearly at 0 of " in found.claim
    assert "stars moved as clearly at 0 of " in found.claim
    # The two releases of one week are one.
    assert " of 3 past releases, ours and rivals'," in found.claim
    table = found.evidence[0]
    assert isinstance(table, Table)
    assert [row[0] for row in table.rows] == ["Wallet", "OtherPay", "Wallet", "Wallet"]
    assert table.rows[0][5:] == ("significant", "this launch")


def test_the_interval_holds_the_planted_ratio() -> None:
    held = 0
    for seed in range(20):
        found = told(made(times=2.0, happy=0.2, seed=seed))
        assert isinstance(found, Finding)
        assert found.estimate is not None
        assert found.estimate.low is not None
        assert found.estimate.high is not None
        held += found.estimate.low < 2 < found.estimate.high
    # 20 rounds at a true 95% give 16 or more in 997 of 1,000 (binomial).
    assert held >= 16


def test_a_launch_that_nobody_noticed() -> None:
    found = told(made(seed=4))
    assert isinstance(found, Finding)
    assert found.estimate is not None
    assert found.estimate.p is not None
    assert found.estimate.p > 0.05
    assert "past releases" not in found.claim
    assert "dates without a release significant; it promises 1 in 20" in found.claim


def test_thin_days_say_what_is_missing() -> None:
    thin = told(made(rate=0.7))
    assert isinstance(thin, str)
    assert "At least 20 reviews of ours in the two weeks" in thin


def test_a_short_past_says_that_nothing_is_known_of_what_is_usual() -> None:
    reviews = made()
    young = reviews.time >= np.datetime64("2026-01-15")
    short = Reviews(*(getattr(reviews, f)[young] for f in (
        "product", "ours", "time", "rating", "text", "version", "author", "deleted")))  # fmt: skip
    found = told(short)
    assert isinstance(found, Finding)
    assert "Too few earlier dates" in found.claim


@pytest.mark.real
def test_at_wondr_significance_is_cheap(shared_data: Path) -> None:
    rows: list[Row] = []
    for name, file, form in (
        ("wondr", "wondr_reviews.csv", "%Y-%m-%d %H:%M:%S"),
        ("BNI Mobile", "bni_mobile_reviews.csv", "%m/%d/%Y %H:%M"),
    ):
        with (shared_data / "bni_wondr" / file).open(encoding="utf-8") as handle:
            rows += [
                (name, datetime.strptime(r["at"], form).replace(tzinfo=UTC), float(r["score"]),
                 r["content"])
                for r in csv.DictReader(handle)
            ]  # fmt: skip
    rows = [row for row in rows if str(row[1]) < "2024-12-08"]
    found = told(reviews_of(rows, "wondr"), None, "wondr", date(2024, 11, 24), ("BNI Mobile",))
    assert isinstance(found, Finding)
    # 2,402 reviews on one day: no earlier date moved as clearly. Yet the stars did on most.
    assert "talk moved as clearly at 0 of 9" in found.claim
    assert "The test alone calls 8 of 18 dates without a release significant" in found.claim


def test_a_rival_that_gains_what_we_lose_is_named_and_left_out() -> None:
    """Planted: after the launch six of ten go on writing of us, and ThirdPay doubles."""
    rng = np.random.default_rng(5)
    rows: list[Row] = []
    for product in ("Wallet", *RIVALS, "FourthPay"):
        for d in range(-365, 30):
            rate = 30.0 * ({"Wallet": 0.6, "ThirdPay": 2.0}.get(product, 1.0) if d >= 0 else 1.0)
            at = datetime(DAY.year, DAY.month, DAY.day, 9, tzinfo=UTC) + timedelta(days=d)
            rows += [(product, at, 4.0, "words")] * int(rng.poisson(rate))
    found = told(reviews_of(rows, "Wallet"), rivals=(*RIVALS, "FourthPay"))
    assert isinstance(found, Finding)
    assert "ThirdPay moved the other way (talk ×" in found.claim
    assert (
        "if the launch moved people between the two it is no control; without it ×0.6"
        in found.claim
    )
    table = next(e for e in found.evidence if isinstance(e, Table) and "left out" in e.title)
    assert [row[0] for row in table.rows] == ["FourthPay", "OtherPay", "ThirdPay"]
