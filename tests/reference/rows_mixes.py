"""Mixes and strata: the Berkeley admissions, SciPy and statsmodels."""

from __future__ import annotations

import numpy as np
from scipy.spatial import distance
from statsmodels.stats.contingency_tables import StratifiedTable

from octad.stats.divergence import jensen_shannon, kitagawa
from octad.stats.strata import mantel_haenszel
from tests.reference.row import Row, row, worst

__all__ = ["admissions", "divergences", "random_strata"]

MEN = np.array([[512, 825], [353, 560], [120, 325], [138, 417], [53, 191], [22, 373]])
WOMEN = np.array([[89, 108], [17, 25], [202, 593], [131, 375], [94, 393], [24, 341]])
BERKELEY = "UCBAdmissions (Bickel, Hammel & O'Connell 1975)"


def admissions() -> list[Row]:
    """The gap split into rates and mix, and the common odds ratio."""
    split = kitagawa(MEN[:, 0], MEN[:, 1], WOMEN[:, 0], WOMEN[:, 1])
    tables = np.array([[[m, n - m], [w, k - w]] for (m, n), (w, k) in zip(MEN, WOMEN, strict=True)])
    found = mantel_haenszel(tables)
    kita = f"{BERKELEY}, Kitagawa split by hand"
    r = f"{BERKELEY}, R's example(mantelhaen.test)"
    return [
        row("Kitagawa gap, points", 100 * split.gap, 14.16, tolerance=5e-3, source=kita),
        row("Kitagawa rate, points", 100 * split.rate, -3.60, tolerance=5e-3, source=kita),
        row("Kitagawa mix, points", 100 * split.mix, 17.77, tolerance=5e-3, source=kita),
        row("Mantel–Haenszel χ²", found.statistic, 1.4269, tolerance=5e-5, source=r),
        row("Mantel–Haenszel p", found.p, 0.2323, tolerance=5e-5, source=r),
        row("Mantel–Haenszel odds ratio", found.odds_ratio, 0.9046968, tolerance=5e-8, source=r),
        row("Mantel–Haenszel low", found.low, 0.7719074, tolerance=5e-8, source=r),
        row("Mantel–Haenszel high", found.high, 1.0603298, tolerance=5e-8, source=r),
    ]


def divergences() -> list[Row]:
    """Random mixes with empty parts."""
    rng = np.random.default_rng(1)
    pairs = rng.poisson(2.0, (200, 2, 6)) + np.eye(6)[0]
    ours = [jensen_shannon(a, b)[0] for a, b in pairs]
    theirs = [float(distance.jensenshannon(a, b, base=2)) ** 2 for a, b in pairs]
    return [worst("Jensen–Shannon divergence", ours, theirs, source="scipy jensenshannon², base 2")]


def random_strata() -> list[Row]:
    """Random tables of two by two by four."""
    rng = np.random.default_rng(2)
    tables = rng.poisson(20.0, (50, 4, 2, 2)) + 1.0
    ours = [mantel_haenszel(t, continuity=False) for t in tables]
    theirs = [StratifiedTable(t.transpose(1, 2, 0)) for t in tables]
    source = "statsmodels StratifiedTable"
    limits = [t.oddsratio_pooled_confint() for t in theirs]
    return [
        worst("Mantel–Haenszel odds ratio", [o.odds_ratio for o in ours],
              [t.oddsratio_pooled for t in theirs], source=source),
        worst("Mantel–Haenszel χ²", [o.statistic for o in ours],
              [t.test_null_odds().statistic for t in theirs], source=source),
        worst("Mantel–Haenszel interval", [[o.low, o.high] for o in ours], limits, source=source),
        # Both solve a quadratic whose terms cancel when the odds ratio is near 1.
        worst("Breslow–Day", [o.homogeneity for o in ours],
              [t.test_equal_odds().statistic for t in theirs], source=source, relative=1e-7),
    ]  # fmt: skip
