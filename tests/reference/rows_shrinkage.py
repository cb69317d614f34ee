"""Random effects, shrinkage: metafor's examples, Berkey 1998, Efron & Morris, statsmodels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from statsmodels.stats.meta_analysis import combine_effects

from octad.stats.shrinkage import (
    james_stein,
    joint_random_effects,
    random_effects,
    winners_curse,
)
from tests.reference.row import Row, row, worst

__all__ = [
    "AVERAGES",
    "bcg",
    "bcg_data",
    "berkey",
    "berkey_data",
    "curse",
    "efron_morris",
    "packages",
]

FloatArray = NDArray[np.float64]

# Hits in the first 45 at-bats of 1970 and the average over the rest of the season.
HITS = (18, 17, 16, 15, 14, 14, 13, 12, 11, 11, 10, 10, 10, 10, 10, 9, 8, 7)
REST = (346, 298, 276, 222, 273, 270, 263, 210, 269, 230, 264, 256, 303, 264, 226, 285, 316, 200)
AVERAGES: FloatArray = np.array([HITS, REST], dtype=np.float64) / np.array([[45.0], [1000.0]])


def bcg_data() -> tuple[FloatArray, FloatArray]:
    """Log relative risks of 13 trials of the BCG vaccine (Colditz et al. 1994), and variances."""
    table = np.array([
        (4, 119, 11, 128), (6, 300, 29, 274), (3, 228, 11, 209), (62, 13536, 248, 12619),
        (33, 5036, 47, 5761), (180, 1361, 372, 1079), (8, 2537, 10, 619), (505, 87886, 499, 87892),
        (29, 7470, 45, 7232), (17, 1699, 65, 1600), (186, 50448, 141, 27197), (5, 2493, 3, 2338),
        (27, 16886, 29, 17825),
    ], dtype=np.float64)  # fmt: skip
    a, b, c, d = table.T
    return np.log(a / (a + b) / (c / (c + d))), 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d)


def bcg() -> list[Row]:
    """The univariate model."""
    y, v = bcg_data()
    reml, ml = random_effects(y, np.sqrt(v)), random_effects(y, np.sqrt(v), "ML")
    kh = random_effects(y, np.sqrt(v), knapp_hartung=True)
    source = "metafor, rma(yi, vi, data=dat.bcg)"
    printed = [
        ("REML mean", reml.mean, -0.7145), ("REML mean's error", reml.mean_se, 0.1798),
        ("REML τ²", reml.tau2, 0.3132), ("REML log-likelihood", reml.log_likelihood, -12.2024),
        ("ML mean", ml.mean, -0.7112), ("ML mean's error", ml.mean_se, 0.1719),
        ("ML τ²", ml.tau2, 0.2800), ("ML log-likelihood", ml.log_likelihood, -12.6651),
        ("Knapp–Hartung error", kh.mean_se, 0.1808), ("Cochran's Q", reml.q, 152.2330),
    ]  # fmt: skip
    return [row(f"BCG {n}", o, r, tolerance=5.1e-5, source=source) for n, o, r in printed]


def berkey_data() -> tuple[FloatArray, FloatArray]:
    """Five trials, two outcomes (Berkey et al. 1998): effects and their covariances."""
    y = np.array([(-0.32, 0.47), (-0.60, 0.20), (-0.12, 0.40), (-0.31, 0.26), (-0.39, 0.56)])
    v = [(0.0077, 0.0030, 0.0075), (0.0008, 0.0009, 0.0057), (0.0014, 0.0007, 0.0021),
         (0.0015, 0.0009, 0.0029), (0.0304, 0.0072, 0.0148)]  # fmt: skip
    return y, np.array([[[a, c], [c, d]] for a, c, d in v])


def berkey() -> list[Row]:
    """The bivariate model by both methods."""
    rows = []
    printed = {
        "ML": ((-0.3379, 0.3448), (0.0798, 0.0495), (0.0261, 0.0070), 0.6992),
        "REML": ((-0.3392, 0.3534), (0.0879, 0.0588), (0.0327, 0.0117), 0.6088),
    }
    for method, (means, errors, variances, rho) in printed.items():
        found = joint_random_effects(*berkey_data(), "ML" if method == "ML" else "REML")
        source = f"Berkey et al. (1998) data, metafor rma.mv, {method}"
        ours = [*found.mean, *np.sqrt(np.diag(found.mean_cov)), *np.diag(found.between)]
        names = ("mean 1", "mean 2", "error 1", "error 2", "τ² 1", "τ² 2", "ρ")
        for name, mine, theirs in zip(
            names,
            [*ours, found.correlation[0, 1]],
            [*means, *errors, *variances, rho],
            strict=True,
        ):
            rows.append(
                row(f"Berkey {method} {name}", mine, theirs, tolerance=5.1e-5, source=source)
            )
    return rows


def efron_morris() -> list[Row]:
    """Eighteen batters on the arcsine scale."""
    x, truth = np.sqrt(45) * np.arcsin(2 * AVERAGES - 1)
    source = "Efron & Morris (1975), batting averages, arcsine scale"
    before, after = ((x - truth) ** 2).sum(), ((james_stein(x, 1.0) - truth) ** 2).sum()
    return [
        row("squared error before", before, 17.6, tolerance=0.05, source=source),
        row("squared error after James–Stein", after, 5.0, tolerance=0.05, source=source),
    ]


def packages() -> list[Row]:
    """Closed forms and the parts that statsmodels has too (it fits τ² by moments, not REML)."""
    spread, q = [], []
    rng = np.random.default_rng(0)
    for _ in range(30):
        y, v = rng.normal(0.2, 1.0, 12), rng.uniform(0.1, 1.0, 12)
        even = random_effects(y, np.full(12, 0.5))
        spread.append((even.tau2, max(0.0, y.var(ddof=1) - 0.25)))
        q.append((random_effects(y, np.sqrt(v)).q, combine_effects(y, v).q))
    source = "closed form of REML at equal errors, s² − v"
    return [
        worst("random effects τ²", *zip(*spread, strict=True), source=source),
        worst("Cochran's Q", *zip(*q, strict=True), source="statsmodels combine_effects"),
    ]


def curse() -> list[Row]:
    """What winners promise too much, at the true effects and on average over tests."""
    rng = np.random.default_rng(2)
    truth, s = np.array([0.0, 0.5, 1.5, -0.4]), np.array([0.5, 0.3, 0.6, 0.4])
    x = truth + s * rng.normal(size=(400_000, 4))
    excess = float(((x - truth) * (x / s > 1.96)).sum(axis=1).mean())
    left, launched = 0.0, 0
    for _ in range(1000):
        true = rng.normal(0, 0.5, 50)
        seen = true + 0.5 * rng.normal(size=50)
        fit = random_effects(seen, np.full(50, 0.5))
        won = seen / 0.5 > 1.96
        left += float((fit.shrunk - true)[won].sum())
        launched += int(won.sum())
    source = "simulated, after Lee & Shen (2018)"
    return [
        # Three Monte-Carlo errors of 400,000 draws.
        row("winner's curse, bias", winners_curse(truth, s, threshold=1.96).bias, excess,
            tolerance=0.003, source=source),
        # Per launch, where the plain estimates promise .65 too much. The Monte-Carlo error is .006;
        # the rest is that of τ², which 50 tests leave uncertain.
        row("launch bias after shrinkage", left / launched, 0.0, tolerance=0.02, source=source),
    ]  # fmt: skip
