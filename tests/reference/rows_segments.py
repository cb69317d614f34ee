"""Max-T where the answer is known, and quantiles against a bootstrap of users."""

from __future__ import annotations

import numpy as np
from scipy import stats

from octad.stats.concentration import (
    leave_top_out,
    skewness,
    users_for_normality,
    winsor_threshold,
)
from octad.stats.quantiles import from_histogram, quantile
from octad.stats.segments import step_down_max_t
from tests.reference.row import Row, exact, row

__all__ = ["max_t", "quantiles", "tails"]


def max_t() -> list[Row]:
    """Independent slices give Šidák's step-down; one slice many times gives its own p."""
    rng = np.random.default_rng(1)
    z = np.array([2.8, 2.2, 1.9, 0.3])
    draws = 200_000
    independent, _ = step_down_max_t(z, np.eye(4), rng, draws=draws)
    raw = stats.norm.sf(z)
    sidak = np.maximum.accumulate(1 - (1 - raw) ** np.array([4, 3, 2, 1]))
    # Three Monte-Carlo errors of a share of 200,000 draws.
    room = 3 * np.sqrt(sidak * (1 - sidak) / draws)
    rows = [
        row(
            f"max-T, independent slice {k + 1}",
            independent[k],
            sidak[k],
            tolerance=float(room[k]),
            source="Šidák step-down, closed form",
        )
        for k in range(4)
    ]
    same, _ = step_down_max_t(np.full(5, 1.7), np.ones((5, 1)), rng, draws=draws)
    alone = float(stats.norm.sf(1.7))
    room_alone = 3 * float(np.sqrt(alone * (1 - alone) / draws))
    return [
        *rows,
        row(
            "max-T, one slice five times",
            same[0],
            alone,
            tolerance=room_alone,
            source="its own p: nothing to correct",
        ),
    ]


def quantiles() -> list[Row]:
    """The 90th percentile of events whose users differ."""
    rng = np.random.default_rng(4)
    users, each = 600, rng.integers(1, 30, 600)
    owner = np.repeat(np.arange(users), each)
    values = rng.lognormal(0, 0.6, users)[owner] * rng.lognormal(0, 0.4, len(owner))
    found = quantile(values, owner, p=0.9)
    pieces = np.split(values, np.cumsum(each)[:-1])
    boot = []
    for _ in range(600):
        chosen = rng.integers(0, users, users)
        boot.append(np.quantile(np.concatenate([pieces[c] for c in chosen]), 0.9))
    edges = np.linspace(0, values.max(), 2001)
    table = np.stack([np.histogram(values[owner % 64 == b], bins=edges)[0] for b in range(64)])
    binned = from_histogram(edges, table, p=0.9, users=users)
    theirs = float(np.quantile(values, 0.9, method="inverted_cdf"))
    bootstrap = float(np.std(boot, ddof=1))
    source = "bootstrap of whole users, 600 draws"
    return [
        exact("p90, an order statistic", found.value, theirs, source="numpy inverted_cdf"),
        # 600 bootstrap draws know their spread to 3%; the two methods agree to first order only.
        row("p90, error by user", found.se, bootstrap, tolerance=0.12 * bootstrap, source=source),
        # 64 buckets know a spread to 9%, on top of the above.
        row(
            "p90, error from a histogram by bucket",
            binned.se,
            bootstrap,
            tolerance=0.25 * bootstrap,
            source=source,
        ),
        # A bin's width, which is what the histogram can know.
        row(
            "p90 from a histogram",
            binned.value,
            theirs,
            tolerance=float(edges[1] - edges[0]),
            source="numpy inverted_cdf",
        ),
    ]


def tails() -> list[Row]:
    """Cookie Cats' one player, skewness, a common winsorising threshold."""
    cookie = "Cookie Cats: without the player of 49,854 rounds"
    # Sums of rounds: 44,700 players of gate 30 (mean 52.4563) and 45,489 of gate 40 (51.2988).
    total = np.array([2_344_795.0, 2_333_530.0])
    left = leave_top_out([[49_854.0, 2_961.0], [2_640.0, 2_294.0]], total, [44700, 45489], 1)
    rng = np.random.default_rng(2)
    values = rng.lognormal(0, 1, 5000)
    return [
        row("gate 30 without its largest player", left[0], 51.34, tolerance=5e-3, source=cookie),
        row("gate 40, nobody left out", left[1], 51.30, tolerance=5e-3, source=cookie),
        exact("skewness", skewness(values), float(stats.skew(values)), source="scipy skew"),
        exact("users needed at skewness 10", users_for_normality(10), 35500, source="Kohavi 2014"),
        exact(
            "winsorising threshold",
            winsor_threshold(values, 0.999),
            float(np.sort(values)[4994]),
            source="4,995th of 5,000",
        ),
    ]
