"""Looking more than once: confseq's boundary, and group-sequential boundaries."""

from __future__ import annotations

import numpy as np
from scipy import stats

from octad.stats.sequential import (
    anytime_p,
    anytime_radius,
    best_rho,
    group_sequential,
    mixture_bound,
    pocock_spending,
)
from tests.reference.row import Row, exact, row, worst

__all__ = ["anytime", "group"]


def anytime() -> list[Row]:
    """The normal mixture."""
    confseq = "confseq tests, two-sided normal mixture, v_opt 100, α .05"
    rho = best_rho(100, 0.05)
    # At its own p, the interval just touches zero: radius of level 1 - p with rho held.
    z, n = np.linspace(2.0, 6.0, 9), 5000.0
    p = anytime_p(z, n, planned_n=8000.0)
    rho_planned = best_rho(8000.0, 0.05)
    touch = [
        float(mixture_bound(n, rho=rho_planned, error=float(e))) / np.sqrt(n) for e in p if e < 1
    ]
    waudby = _waudby_smith(n=5000.0, planned=8000.0, se=0.1)
    return [
        row("mixture ρ", rho, 12.60056, tolerance=5e-6, source=confseq),
        row(
            "mixture bound",
            float(mixture_bound(100, rho=rho, error=0.05)),
            30.35209,
            tolerance=5e-6,
            source=confseq,
        ),
        exact(
            "anytime radius",
            float(anytime_radius(0.1, 5000.0, planned_n=8000.0)),
            waudby,
            source="Waudby-Smith et al. 2024, theorem 2.2, in its own notation",
        ),
        worst(
            "anytime p touches its interval",
            z[p < 1],
            touch,
            source="definition: the interval of level 1 - p ends at zero",
        ),
    ]


def _waudby_smith(n: float, planned: float, se: float) -> float:
    """Their form: σ·√(2(tρ² + 1)/(t²ρ²)·log(√(tρ² + 1)/α)), with ρ² one over ours."""
    rho_squared = 1 / best_rho(planned, 0.05)
    sigma = se * np.sqrt(n)
    grow = n * rho_squared + 1
    return float(sigma * np.sqrt(2 * grow / (n**2 * rho_squared) * np.log(np.sqrt(grow) / 0.05)))


def group() -> list[Row]:
    """Lan and DeMets."""
    gs = "gsDesign/ldbounds, O'Brien-Fleming spending, one-sided .025"
    three = group_sequential([1 / 3, 2 / 3, 1])
    rows = [
        row(f"O'Brien-Fleming, K=3, look {k + 1}", three[k], z, tolerance=5e-5, source=gs)
        for k, z in enumerate((3.7103, 2.5114, 1.9930))
    ]
    looks = np.arange(1, 6) / 5
    five = group_sequential(list(looks))
    joint = np.sqrt(np.minimum.outer(looks, looks) / np.maximum.outer(looks, looks))
    normal = stats.multivariate_normal(np.zeros(5), joint, seed=0)
    spent = 1 - float(normal.cdf(five))
    rows.append(
        # Genz's quasi-Monte-Carlo integral, at scipy's own setting, is good to about 1e-5.
        row("O'Brien-Fleming, K=5, error spent", spent, 0.025, tolerance=2e-5, source="scipy mvn")
    )
    one = group_sequential([1.0])
    two = group_sequential([0.5, 1.0], spending=pocock_spending)
    # Crossing at either of two looks must cost the whole error: 1 - P(below both).
    pair = np.array([[1, np.sqrt(0.5)], [np.sqrt(0.5), 1]])
    below = float(stats.multivariate_normal(np.zeros(2), pair).cdf(two))
    return [
        *rows,
        exact("one look is the fixed test", one[0], stats.norm.ppf(0.975), source="scipy norm"),
        # scipy integrates the bivariate normal to about 1e-8.
        row("Pocock, two looks, error spent", 1 - below, 0.025, tolerance=1e-7, source="scipy"),
    ]
