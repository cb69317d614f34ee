"""On real data: Twitter's takeover among its rivals, and a site's broken bounce rate."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from octad.stats.breaks import steps_at
from octad.stats.placebo import in_time, matched_days
from octad.stats.timeseries import impact

FloatArray = NDArray[np.float64]

pytestmark = pytest.mark.real


def reviews(folder: Path) -> tuple[dict[str, FloatArray], list[str]]:
    """Reviews a day by app, and the days; a day without a row had no review."""
    counts: dict[str, dict[str, float]] = defaultdict(dict)
    with (folder / "twitter_takeover" / "panel_daily.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            counts[row["app"]][row["date"]] = float(row["n"])
    days = sorted({day for by_day in counts.values() for day in by_day})
    return {app: np.array([by.get(day, 0.0) for day in days]) for app, by in counts.items()}, days


def test_the_takeover_doubled_the_reviews_of_twitter(shared_data: Path) -> None:
    """Twitter was bought on 27 October 2022; its weekly reviews went from 2,313 to 4,153 and 5,740.

    Controls are apps that nobody fled to. On every earlier fortnight the method finds far less.
    """
    series, days = reviews(shared_data)
    launch = days.index("2022-10-27")
    y = series["com.twitter.android"]
    x = np.vstack([series["com.vkontakte.android"], series["com.mewe"]])

    def effect(day: int) -> tuple[float, float]:
        end = launch + 14 if day == launch else min(day + 14, launch)
        found = impact(y[:end], day, controls=x[:, :end], draws=500)
        return found.mean, found.p

    found = impact(y[: launch + 14], launch, controls=x[:, : launch + 14])
    weekly = (4153 + 5740) / 14 - 2313 / 7
    assert found.mean_low < weekly < found.mean_high
    assert found.p < 1e-5
    beside = in_time(effect, launch, matched_days(len(y), launch, length=14, history=42))
    assert np.abs(beside.placebos).max() < found.mean_low / 3
    # Seven fortnights, however clear the case: p cannot be below 1/8, and says so.
    assert beside.p == beside.resolution == 1 / 8
    assert not beside.can_show(0.05)


def test_a_bounce_rate_that_stopped_being_counted_is_a_step(shared_data: Path) -> None:
    """Upworthy's bounce rate falls from 87% to 0 in March 2013: tracking, not readers."""
    with (shared_data / "upworthy" / "site_daily.csv").open(encoding="utf-8-sig") as file:
        table = list(csv.DictReader(file))
    bounce = np.array([float(row["Bounce Rate"].rstrip("%")) for row in table[:90]])
    day = next(k for k, row in enumerate(table) if row["Day Index"] == "3/7/13")
    quiet = next(k for k, row in enumerate(table) if row["Day Index"] == "2/20/13")
    found = steps_at(bounce, day)
    assert found.broken.all()
    assert found.step[0] < -50
    assert not steps_at(bounce[:60], quiet).broken.any()
