"""Launches that were not randomised: simulated ones with a planted effect, and California's tax."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["LAUNCH", "california", "panel", "series", "staged", "truth", "world"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
LAUNCH = 90


def staged(
    seed: int, n: int = 300, periods: int = 6, tilt: float = 0.0
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Outcome, first treated, times, covariate: effects grow by group and by time since launch.

    With `tilt`, the covariate drives both who is treated and the trend.
    """
    rng = np.random.default_rng(seed)
    times = np.arange(1, periods + 1, dtype=np.float64)
    x = rng.normal(size=n)
    lean = np.column_stack([np.zeros(n), tilt * x, 2 * tilt * x])
    first = np.array([np.inf, 3.0, 5.0])[np.argmax(lean + rng.gumbel(size=(n, 3)), axis=1)]
    y = (
        rng.normal(size=(n, 1))
        + 0.3 * times
        + tilt * x[:, None] * times
        + rng.normal(size=(n, periods))
    )
    since = times - first[:, None]
    return y + np.where(since >= 0, truth(first[:, None], since), 0.0), first, times, x


def truth(first: FloatArray, since: FloatArray) -> FloatArray:
    """The planted effect."""
    with np.errstate(invalid="ignore"):
        return np.nan_to_num(0.2 * first) + 0.5 * np.maximum(since, 0)


def panel(seed: int, effect: float, treated: int = 1) -> tuple[FloatArray, BoolArray]:
    """Two common factors that units feel differently, so parallel trends fail."""
    rng = np.random.default_rng(seed)
    factors = np.cumsum(rng.normal(size=(2, 40)), axis=1)
    loads = rng.dirichlet(np.ones(3), size=25)[:, :2]
    y = 10 * loads @ factors + rng.normal(size=(25, 1)) * 5 + rng.normal(size=(25, 40))
    flag = np.arange(25) < treated
    y[flag, 30:] += effect
    return y, flag


def world(
    seed: int, effect: float = 2.0, drift: float = 0.1, days: int = 14
) -> tuple[FloatArray, FloatArray]:
    """A product's daily series, led by two controls, with a weekly pattern and a planted step."""
    rng = np.random.default_rng(seed)
    whole = LAUNCH + days
    x = 100 + np.cumsum(rng.normal(size=(2, whole)), axis=1) + rng.normal(size=(2, whole))
    pattern = np.resize([3.0, 1, 0, 0, -1, -2, -1], whole)
    y = 50 + pattern + np.array([0.5, 0.3]) @ x + rng.normal(size=whole)
    y += drift * np.cumsum(rng.normal(size=whole))
    y[LAUNCH:] += effect
    return y, x


def series(seed: int, days: int = 130) -> tuple[FloatArray, FloatArray]:
    """A drifting series with a weekly pattern, two controls, and three missing days."""
    rng = np.random.default_rng(seed)
    x = np.cumsum(rng.normal(size=(days, 2)), axis=0)
    pattern = np.resize([0.0, 1, 2, 1, 0, -2, -2], days)
    y = np.cumsum(0.3 * rng.normal(size=days)) + x @ [1, 0.5] + pattern + rng.normal(size=days)
    y[20:23] = np.nan
    return y, x


def california(folder: Path) -> tuple[FloatArray, BoolArray, int]:
    """Packs per head by state and year, which state is California, and the years before 1989."""
    with (folder / "panels" / "california_prop99.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    states = sorted({row["State"] for row in rows})
    years = sorted({int(row["Year"]) for row in rows})
    y = np.full((len(states), len(years)), np.nan)
    for row in rows:
        y[states.index(row["State"]), years.index(int(row["Year"]))] = float(row["PacksPerCapita"])
    return y, np.array([state == "California" for state in states]), years.index(1989)
