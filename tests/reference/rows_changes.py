"""Changes of level: statsmodels' CUSUM, and every way to cut a short series."""

from __future__ import annotations

import itertools

import numpy as np
from scipy import special
from statsmodels.stats.diagnostic import breaks_cusumolsresid

from octad.stats.changes import change_points, cusum
from tests.reference.row import Row, worst

__all__ = ["cuts", "running_sums"]


def running_sums() -> list[Row]:
    """OLS-CUSUM of 30 random series."""
    series = np.random.default_rng(0).normal(size=(30, 60))
    ours = [cusum(y) for y in series]
    theirs = [breaks_cusumolsresid(y - y.mean(), ddof=0) for y in series]
    source = "statsmodels breaks_cusumolsresid"
    statistics = [[o.statistic for o in ours], [t[0] for t in theirs]]
    return [
        worst("CUSUM statistic", *statistics, source=source),
        worst("CUSUM p", [o.p for o in ours], [t[1] for t in theirs], source=source),
    ]


def cuts() -> list[Row]:
    """The optimal cost of 20 short series, spans of at least two days, penalty 4."""
    rng = np.random.default_rng(1)
    ours, brute = [], []
    for _ in range(20):
        y = rng.poisson(np.repeat(rng.uniform(1, 20, 3), 4)).astype(float)

        def cost(edges: list[int], y: np.ndarray = y) -> float:
            spans = [y[a:b] for a, b in itertools.pairwise(edges)]
            fit = sum(-2 * (special.xlogy(s.sum(), s.mean()) - s.sum()) for s in spans)
            return float(fit) + 4 * (len(spans) - 1)

        found = change_points(y, least=2, dispersion=1, penalty=4)
        ours.append(cost([0, *found.points, 12]))
        brute.append(
            min(
                cost([0, *cut, 12])
                for k in range(6)
                for cut in itertools.combinations(range(2, 11), k)
                if all(b - a >= 2 for a, b in itertools.pairwise(cut))
            )
        )
    return [worst("PELT cost", ours, brute, source="every way to cut the series")]
