"""Late minus early, curves, and bands: SciPy on the users, closed forms, planted values."""

from __future__ import annotations

import numpy as np
from scipy import special, stats

from octad.stats.moments import Moments
from octad.stats.novelty import (
    daily_covariance,
    late_minus_early,
    learning_curve,
    simultaneous_band,
)
from tests.reference.row import Row, row, worst

__all__ = ["bands", "late_and_early", "planted_curve"]


def late_and_early() -> list[Row]:
    """From joint moments, against Welch's test on each user's own difference."""
    rng = np.random.default_rng(0)
    pairs = []
    for _ in range(20):
        taste = rng.exponential(1, (2, 60))
        early, late = taste + rng.normal(size=(2, 60)), taste + rng.normal(size=(2, 60))
        rows = np.stack([early.ravel(), late.ravel()], axis=1)
        found = late_minus_early(Moments.from_rows(rows, np.repeat([0, 1], 60), 2))
        change = late - early
        theirs = stats.ttest_ind(change[1], change[0], equal_var=False)
        pairs.append((found.change / found.se, theirs.statistic))
    source = "scipy ttest_ind on user-level differences"
    return [worst("late minus early, z", *zip(*pairs, strict=True), source=source)]


def planted_curve() -> list[Row]:
    """A curve with a half-life of six days, without noise, and its limit and day 90."""
    days, tau = np.arange(28.0), 6 / np.log(2)
    curve = 0.01 + 0.05 * np.exp(-days / tau)
    found = learning_curve(days, curve, daily_covariance(np.full(28, 1e-4), 0.3), horizon=90)
    there = 0.01 + 0.05 * np.exp(-90 / tau)
    source = "planted: U∞ .01, U₀ .06, half-life 6 days, no noise"
    # τ lies on a grid whose steps here are about one in a thousand.
    return [
        row("decay, half-life", found.half_life or 0.0, 6.0, tolerance=0.01, source=source),
        row("decay, limit", found.limit, 0.01, tolerance=1e-4, source=source),
        row("decay, start", found.start, 0.06, tolerance=1e-4, source=source),
        row("decay, day 90", found.level_there, there, tolerance=1e-4, source=source),
    ]


def bands() -> list[Row]:
    """Critical values of independent days, which are Šidák's."""
    # 20,000 draws leave an error of about .01 in a 95% quantile.
    return [
        row(f"sup-t critical value, {d} days", simultaneous_band(np.zeros(d), np.ones(d)).critical,
            float(special.ndtri((1 + 0.95 ** (1 / d)) / 2)), tolerance=0.03,
            source="Šidák (1967), closed form")
        for d in (1, 7, 28)
    ]  # fmt: skip
