"""Forecast scores and what is unseen: FiveThirtyEight's forecasts, iNEXT's examples."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from octad.stats.forecasts import brier_score, calibration
from octad.stats.unseen import chao1, sample_coverage
from tests.reference.row import Row, exact, row

__all__ = ["fivethirtyeight", "unseen"]

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "fivethirtyeight"


def fivethirtyeight() -> list[Row]:
    """Brier scores and their decomposition; none where the data do not lie beside us."""
    rows: list[Row] = []
    for sport, published in (("nba", 0.215), ("nfl", 0.220)):
        path = DATA / f"{sport}_games.csv"
        if not path.exists():
            continue
        p, y = np.genfromtxt(path, delimiter=",", skip_header=1, usecols=(4, 5)).T
        score, split = brier_score(p, y).value, calibration(p, y)
        whole = split.miscalibration - split.discrimination + split.uncertainty
        source = "fivethirtyeight/checking-our-work-data, by an independent reckoning"
        rows += [
            row(f"Brier, {sport}", score, published, tolerance=5.1e-4, source=source),
            exact(f"CORP adds up, {sport}", whole, score, source="MCB − DSC + UNC = S"),
        ]
    return rows


def unseen() -> list[Row]:
    """Spiders on girdled trees (abundance), ants at 500 m (Chao2 has the same form)."""
    source = "iNEXT 3.0.2, spider$Girdled"
    spiders, ants = chao1(26, 168, 12, 4), chao1(241, 230, 71, 34)
    later = sample_coverage(168, 12, 4, size=336)
    return [
        row("coverage", sample_coverage(168, 12, 4), 0.9288554, tolerance=5e-8, source=source),
        row("coverage at 336", later, 0.9635701, tolerance=5.1e-8, source=source),
        row("Chao1", spiders.estimate, 43.893, tolerance=5e-4, source=source),
        row("Chao1 standard error", spiders.se, 14.306, tolerance=5e-4, source=source),
        row("Chao1 low", spiders.low, 30.511, tolerance=5e-4, source=source),
        row("Chao1 high", spiders.high, 96.971, tolerance=5e-4, source=source),
        row("Chao2", ants.estimate, 314.81, tolerance=5e-3, source="iNEXT 3.0.2, ant$h500m"),
        row("Chao2 standard error", ants.se, 23.259, tolerance=5e-4, source="iNEXT, ant$h500m"),
    ]
