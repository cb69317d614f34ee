"""Readers and raters: Krippendorff's example, SciPy and statsmodels side by side."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from statsmodels.stats.inter_rater import cohens_kappa

from octad.stats.agreement import cohen_kappa, krippendorff_alpha
from octad.stats.stars import compare_stars
from tests.reference.row import Row, row, worst

__all__ = ["KRIPPENDORFF_C", "readers", "stars"]

_ = np.nan
KRIPPENDORFF_C: NDArray[np.float64] = np.array([
    (1, 1, _, 1), (2, 2, 3, 2), (3, 3, 3, 3), (3, 3, 3, 3), (2, 2, 2, 2), (1, 2, 3, 4),
    (4, 4, 4, 4), (1, 1, 2, 1), (2, 2, 2, 2), (_, 5, 5, 5), (_, _, 1, 1), (_, _, 3, _),
])  # fmt: skip
"""Twelve things judged by four readers, with gaps."""


def readers() -> list[Row]:
    """Alpha on all four scales, kappa with all three weights."""
    source = "Krippendorff's data C, R irr::kripp.alpha"
    printed = {"nominal": 0.743, "ordinal": 0.815, "interval": 0.849, "ratio": 0.797}
    rows = [
        row(f"alpha, {scale}", krippendorff_alpha(KRIPPENDORFF_C, scale).value, value,  # type: ignore[arg-type]
            tolerance=5e-4, source=source)
        for scale, value in printed.items()
    ]  # fmt: skip
    tables = np.random.default_rng(0).integers(1, 30, (30, 3, 3))
    for ours, theirs in (("none", None), ("linear", "linear"), ("quadratic", "quadratic")):
        mine = [cohen_kappa(t, ours) for t in tables]  # type: ignore[arg-type]
        other = [cohens_kappa(t, wt=theirs) for t in tables]
        name = f"kappa and its low end, weights {ours}"
        pairs = [[a.value for a in mine] + [a.low for a in mine],
                 [b.kappa for b in other] + [b.kappa_low for b in other]]  # fmt: skip
        rows.append(worst(name, *pairs, source="statsmodels cohens_kappa"))
    return rows


def stars() -> list[Row]:
    """Random histograms against tests on the rows behind them."""
    rng = np.random.default_rng(1)
    p, superior, alike = [], [], []
    for _ in range(20):
        before, after = rng.multinomial(50, rng.dirichlet(np.full(5, 2.0)), 2) + 1
        found = compare_stars(before, after)
        x, y = np.repeat(range(1, 6), before), np.repeat(range(1, 6), after)
        p.append((found.p, stats.ttest_ind(y, x, equal_var=False).pvalue))
        superior.append((found.superior_p, stats.brunnermunzel(x, y).pvalue))
        table = stats.chi2_contingency(np.stack([before, after]))
        alike.append((found.homogeneity_p, table.pvalue))
    return [
        worst("stars, Welch p", *zip(*p, strict=True), source="scipy ttest_ind"),
        worst("stars, superiority p", *zip(*superior, strict=True), source="scipy brunnermunzel"),
        worst("stars, histograms p", *zip(*alike, strict=True), source="scipy chi2_contingency"),
    ]
