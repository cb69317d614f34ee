from __future__ import annotations

import csv
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest

from octad.text.bursts import find_praise


def stream(
    days: int, a_day: int, burst: dict[int, int], seed: int = 1
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Ordinary reviews of one to five stars, and five-star bursts on some days."""
    rng = np.random.default_rng(seed)
    rows = []
    for day in range(days):
        for _ in range(int(rng.poisson(a_day))):
            stars = float(rng.choice([1, 2, 3, 4, 5], p=[0.3, 0.1, 0.1, 0.1, 0.4]))
            number = int(rng.integers(10**9))
            text = f"I used it for case {number} and {'it failed' if stars < 3 else 'it worked'}"
            rows.append((day, stars, text))
        rows += [(day, 5.0, "great")] * burst.get(day, 0)
    time = np.datetime64("2026-01-01", "s") + np.array([r[0] for r in rows]) * 86_400
    return (
        time,
        np.array([r[1] for r in rows]),
        np.array([r[2] for r in rows], dtype=object),
        np.zeros(len(rows), dtype=bool),
    )


def test_planted_bursts_are_found_and_nothing_else() -> None:
    time, rating, text, deleted = stream(200, 5, {60: 80, 61: 70, 150: 50})
    found = find_praise(time, rating, text, deleted)
    assert [(b.first, b.last) for b in found.bursts] == [
        (date(2026, 3, 2), date(2026, 3, 3)),
        (date(2026, 5, 31), date(2026, 5, 31)),
    ]
    assert "gave five stars" in found.bursts[0].reasons[0]
    assert found.bursts[0].n >= 150
    planted = text == "great"
    assert found.aside[planted].all()
    assert found.aside[~planted].sum() < 15  # the few true ones of those three days


@pytest.mark.parametrize("seed", range(5))
def test_a_calm_product_has_none(seed: int) -> None:
    found = find_praise(*stream(300, 6, {}, seed))
    assert found.bursts == ()
    assert not found.aside.any()


def test_a_product_that_grows_has_none() -> None:
    parts = [stream(60, rate, {}, rate) for rate in (2, 4, 8, 16, 32)]
    time = np.concatenate([p[0] + i * 60 * 86_400 for i, p in enumerate(parts)])
    found = find_praise(time, *(np.concatenate([p[k] for p in parts]) for k in (1, 2, 3)))
    assert found.bursts == ()


def test_a_burst_of_anger_is_not_praise() -> None:
    time, rating, text, deleted = stream(200, 5, {60: 80})
    rating[text == "great"] = 1.0
    assert find_praise(time, rating, text, deleted).bursts == ()


def test_missing_times_and_stars() -> None:
    time, rating, text, deleted = stream(100, 5, {50: 60})
    time[::7], rating[::5] = np.datetime64("NaT"), np.nan
    assert len(find_praise(time, rating, text, deleted).bursts) == 1
    empty = find_praise(time[:0], rating[:0], text[:0], deleted[:0])
    assert empty.bursts == ()


SMART_HOME = {
    "海尔智家": [("2018-07-13", "2018-07-18"), ("2018-12-17", "2018-12-18")],
    "美居": [("2018-12-18", "2018-12-19"), ("2019-05-07", "2019-05-17")],
    "华为智能家居": [],
}


@pytest.mark.real
@pytest.mark.parametrize("app", SMART_HOME)
def test_padded_bursts_of_the_smart_home_apps(shared_data: Path, app: str) -> None:
    with (shared_data / "smarthome_cn" / "reviews.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["app"] == app]
    found = find_praise(
        np.array([row["t"] for row in rows], dtype="datetime64[s]"),
        np.array([float(row["rating"]) for row in rows]),
        np.array([row["title"] + "\n" + row["text"] for row in rows], dtype=object),
        np.array([row["deleted"] == "True" for row in rows]),
    )
    named = {(str(b.first), str(b.last)) for b in found.bursts}
    assert set(SMART_HOME[app]) <= named
    if not SMART_HOME[app]:
        assert not named  # November 2018 was a wave of anger


@pytest.mark.real
def test_wondr_september_2024(shared_data: Path) -> None:
    with (shared_data / "bni_wondr" / "wondr_reviews.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    found = find_praise(
        np.array([datetime.fromisoformat(row["at"]) for row in rows], dtype="datetime64[s]"),
        np.array([float(row["score"]) for row in rows]),
        np.array([row["content"] for row in rows], dtype=object),
        np.zeros(len(rows), dtype=bool),
    )
    burst = max(found.bursts, key=lambda b: b.n)
    assert burst.first <= date(2024, 9, 3) <= burst.last
    assert burst.n > 3_000
    assert burst.expected < 200
