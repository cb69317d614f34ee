"""Users and effects a test can see: G*Power, statsmodels, tea-tasting."""

from __future__ import annotations

import numpy as np
import tea_tasting as tt
from statsmodels.stats.power import TTestIndPower
from statsmodels.tsa.stattools import acf

from octad.stats.power import (
    autocorrelation,
    power,
    sample_size,
    sample_size_shares,
    smallest_visible,
)
from tests.reference.row import Row, row, worst

__all__ = ["g_power", "packages"]

G_POWER = "G*Power, in Spotify confidence tests/samplesize, power .85"


def g_power() -> list[Row]:
    """Sample sizes; a user more or less would show."""
    big = sample_size_shares(0.34, 0.343, wanted=0.85)
    known = {
        "means, effect .3, variance 100": (sample_size(0.3, 100, wanted=0.85), 39906),
        ".34 against .343": (big, 897348),
        ".34 against .44": (sample_size_shares(0.34, 0.44, wanted=0.85), 852),
        ".34 against .24": (sample_size_shares(0.34, 0.24, wanted=0.85), 738),
        ".34 against .343, α .14": (
            sample_size_shares(0.34, 0.343, error=0.14, wanted=0.85),
            630710,
        ),
        "the same, power .67": (sample_size_shares(0.34, 0.343, error=0.14, wanted=0.67), 366424),
    }
    return [
        row(f"sample size, {name}", ours, theirs, tolerance=0.5, source=G_POWER)
        for name, (ours, theirs) in known.items()
    ]


def packages() -> list[Row]:
    """Power, sample size and the smallest visible effect on random designs."""
    rng = np.random.default_rng(9)
    designs = []
    for n, share in zip(rng.integers(20, 3000, 30), rng.uniform(0.2, 0.8, 30), strict=True):
        designs.append((rng.uniform(1.0, 4.0) / np.sqrt(n * share * (1 - share)), int(n), share))
    theirs = TTestIndPower()
    reference, ours, back, effects = [], [], [], []
    for d, n, share in designs:
        first = n * (1 - share)
        reference.append(theirs.power(d, first, 0.05, ratio=share / (1 - share)))
        ours.append(power(d, 1.0, n, share=share))
        effects.append(d)
        back.append(smallest_visible(1.0, n, share=share, wanted=ours[-1]))
    solved = tt.Mean("y", n_obs=5000, power=0.8).solve_power_from_aggregates(
        tt.aggr.Aggregates(count_=5000, mean_={"y": 3.0}, var_={"y": 4.0}), "effect_size"
    )
    series = rng.normal(size=60).cumsum()
    rho = autocorrelation(series)
    return [
        worst("power, t test", ours, reference, source="statsmodels TTestIndPower"),
        # Found by root finding to twelve digits of the standard error, then back through power.
        worst("smallest visible effect", back, effects, source="power inverted", relative=1e-8),
        row(
            "smallest visible effect, 5,000 users",
            smallest_visible(4.0, 5000),
            solved[0].effect_size,
            tolerance=1e-9,
            source="tea-tasting solve_power",
        ),
        worst(
            "autocorrelation of a daily series",
            rho,
            acf(series, nlags=len(rho), fft=False)[1:],
            source="statsmodels acf",
        ),
    ]
