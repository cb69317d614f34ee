"""Retention: the two segments of Fader & Hardie (2007)."""

from __future__ import annotations

import numpy as np

from octad.stats.retention import churn_from_survival, fit_sbg
from tests.reference.row import Row, row

__all__ = ["fader_hardie"]

REGULAR = (100, 63.1, 46.8, 38.2, 32.6, 28.9, 26.2, 24.1)
HIGH_END = (100, 86.9, 74.3, 65.3, 59.3, 55.1, 51.7, 49.1)


def fader_hardie() -> list[Row]:
    """Parameters, likelihood of 1,000 people, and the forecast for year 12."""
    rows = []
    source = "Fader & Hardie (2007), How to project customer retention"
    published = {
        "Regular": (REGULAR, 0.704, 1.182, -1680.27, 5e-3),
        # The paper prints this likelihood to one place.
        "High End": (HIGH_END, 0.668, 3.806, -1611.2, 5e-2),
    }
    for name, (curve, alpha, beta, likelihood, room) in published.items():
        found = fit_sbg(*churn_from_survival(10 * np.array(curve)))
        rows += [
            row(f"sBG α, {name}", found.alpha, alpha, tolerance=5e-4, source=source),
            row(f"sBG β, {name}", found.beta, beta, tolerance=5e-4, source=source),
            row(f"sBG log-likelihood, {name}", found.log_likelihood, likelihood, tolerance=room,
                source=source),
        ]  # fmt: skip
        if name == "Regular":
            year = 100 * float(found.survival(12))
            rows.append(row("sBG year 12, percent", year, 17.0, tolerance=5e-2, source=source))
    return rows
