"""Differences, ratios, CUPED: published numbers, and tea-tasting and statsmodels side by side."""

from __future__ import annotations

from octad.stats.effects import Effect, compare, of_shares, of_sums
from octad.stats.moments import Moments
from tests.reference.row import Row, row

__all__ = ["cookie_cats", "growthbook"]

GROWTHBOOK = "GrowthBook gbstats, tests/frequentist/test_tests.py (two-sided t-test)"
COOKIE = "Cookie Cats (public A/B test, 90,189 players)"
LAST_DIGIT = 5.1e-6
"""Numbers printed to five places, plus a hair for their own rounding."""


def _five(name: str, effect: Effect, reference: tuple[float, ...], source: str) -> list[Row]:
    ours = (effect.value, effect.low, effect.high, effect.p)
    what = ("value", "low", "high", "p")
    return [
        row(f"{name}, {w}", o, r, tolerance=LAST_DIGIT, source=source)
        for w, o, r in zip(what, ours, reference, strict=True)
    ]


def growthbook() -> list[Row]:
    """Means from sums, and two shares with GrowthBook's variance p(1 − p)/n."""
    a, b = of_sums(1396.87, 52377.9767, 3407), of_sums(2422.7, 134698.29, 3461)
    relative = compare(a, b, interval="delta")
    rows = _five("relative effect", relative, (0.70732, -0.03526, 1.44989, 0.06191), GROWTHBOOK)
    absolute = compare(a, b, relative=False)
    rows += _five("absolute effect", absolute, (0.29, 0.04538, 0.53462, 0.02016), GROWTHBOOK)
    # GrowthBook divides a share's variance by n, we by n - 1; theirs is put in to compare the rest.
    share = compare(_over_n(14, 28), _over_n(16, 30), interval="delta")
    return rows + _five("14/28, 16/30", share, (0.06667, -0.47767, 0.61101, 0.80707), GROWTHBOOK)


def _over_n(hits: int, n: int) -> Moments:
    arm = of_shares(hits, n)
    return Moments(arm.n, arm.mean, arm.comoment * (n - 1) / n)


def cookie_cats() -> list[Row]:
    """Retention on day 1 and day 7, gate 30 against gate 40."""
    one = compare(of_shares(20034, 44700), of_shares(20119, 45489), relative=False)
    week = compare(of_shares(8502, 44700), of_shares(8279, 45489), relative=False)
    return [
        row("share, day 1, z", one.z, -1.784, tolerance=5e-4, source=COOKIE),
        row("share, day 1, p", one.p, 0.0744, tolerance=5e-5, source=COOKIE),
        row("share, day 7, z", week.z, -3.164, tolerance=5e-4, source=COOKIE),
        row("share, day 7, p", week.p, 0.00155, tolerance=5e-6, source=COOKIE),
        row("share, day 7, points", 100 * week.value, -0.82, tolerance=5e-3, source=COOKIE),
        row("share, day 7, low", 100 * week.low, -1.33, tolerance=5e-3, source=COOKIE),
        row("share, day 7, high", 100 * week.high, -0.31, tolerance=5e-3, source=COOKIE),
    ]
