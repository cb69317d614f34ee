"""Differences, ratios, CUPED: published numbers, and tea-tasting and statsmodels side by side."""

from __future__ import annotations

import numpy as np
import statsmodels.api as sm
import tea_tasting as tt
from numpy.typing import NDArray
from scipy import stats
from statsmodels.stats.proportion import proportions_ztest
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from octad.stats.effects import Effect, change, compare, compare_many, of_shares, of_sums
from octad.stats.moments import Moments
from tests.reference.row import Row, exact, row, worst

__all__ = ["cookie_cats", "fieller", "growthbook", "lalonde", "packages", "paired", "tea_tasting"]

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


def lalonde() -> list[Row]:
    """CUPED on the National Supported Work experiment, from sums alone.

    The sums are of `re78` and `re75` in `causaldata.nsw_mixtape` 0.1.5, control then treated:
    `g = d[d.treat == k][["re78", "re75"]]; len(g), g.mean(), (g - g.mean()).T @ (g - g.mean())`.
    """
    control = _two(
        260,
        (4554.801120215196, 1266.9090145404523),
        (7788766438.311632, 385951918.06797844, 2493780940.102212),
    )
    treated = _two(
        185,
        (6349.143502065298, 1532.0553130691117),
        (11388867146.722338, 347501708.6019867, 1906898024.991175),
    )
    source = "LaLonde (causaldata.nsw_mixtape), covariate re75; tea-tasting"
    # The published θ pools the whole sample; ours pools within arms (see best_theta).
    whole = (control + treated).covariance()
    theta = np.array([whole[0, 2] / whole[2, 2]])
    found = compare_many(control[None], treated[None], relative=False, theta=theta)
    plain = compare(control, treated, relative=False, adjust=False)
    return [
        row("CUPED, effect", found.value[0], 1747.134, tolerance=5.1e-4, source=source),
        row("CUPED, error", found.se[0], 668.962, tolerance=5.1e-4, source=source),
        row("no CUPED, effect", plain.value, 1794.34, tolerance=5.1e-3, source="LaLonde (1986)"),
        *_ancova(),
    ]


def _ancova() -> list[Row]:
    """With equal arms and equal spreads, CUPED is analysis of covariance to the last digit."""
    rng = np.random.default_rng(8)
    x = rng.exponential(2.0, 15)
    y = x + rng.normal(size=15)
    one = np.ones(15)
    # The treated are the controls moved: the same spread, another level before and after.
    arms = [np.stack([y + m, one, x + m / 3, one], axis=1) for m in (0.0, 1.2)]
    found = compare(Moments.from_rows(arms[0]), Moments.from_rows(arms[1]), relative=False)
    both = np.concatenate(arms)
    design = np.column_stack([np.ones(30), np.repeat([0.0, 1.0], 15), both[:, 2]])
    fit = sm.OLS(both[:, 0], design).fit()
    source = "statsmodels OLS of y on arm and x"
    return [
        exact("CUPED is ANCOVA, effect", found.value, float(fit.params[1]), source=source),
        exact("CUPED is ANCOVA, error", found.se, float(fit.bse[1]), source=source),
    ]


def _two(n: int, mean: tuple[float, float], squares: tuple[float, float, float]) -> Moments:
    comoment = np.zeros((4, 4))
    comoment[0, 0], comoment[2, 2] = squares[0], squares[2]
    comoment[0, 2] = comoment[2, 0] = squares[1]
    return Moments(np.array(float(n)), np.array([mean[0], 1.0, mean[1], 1.0]), comoment)


def _cases(count: int) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Random arms of unequal size, skewed, with a pre-period that predicts."""
    rng = np.random.default_rng(20260301)
    arms = []
    for _ in range(count):
        pair = []
        for _arm in range(2):
            n = int(rng.integers(8, 400))
            user = rng.gamma(2.0, 1.0, n)
            d, w = 1 + rng.poisson(5 * user), 1 + rng.poisson(4 * user)
            y, x = rng.gamma(2.0, 1.0, n) * d, rng.gamma(2.0, 1.0, n) * w
            pair.append(np.stack([y, d, x, w], axis=1).astype(float))
        arms.append((pair[0], pair[1]))
    return arms


def _aggregates(rows: NDArray[np.float64]) -> tt.aggr.Aggregates:
    names = ("y", "d", "x", "w")
    cov = np.cov(rows, rowvar=False)
    return tt.aggr.Aggregates(
        count_=len(rows),
        mean_={name: float(rows[:, i].mean()) for i, name in enumerate(names)},
        var_={name: float(cov[i, i]) for i, name in enumerate(names)},
        cov_={(names[i], names[j]): float(cov[i, j]) for i in range(4) for j in range(i + 1, 4)},
    )


def tea_tasting() -> list[Row]:
    """Means and ratios, with and without CUPED, on random arms."""
    source = "tea-tasting 1.14.0, random arms"
    metrics = {
        "mean": (tt.Mean("y"), (0,), False),
        "mean with CUPED": (tt.Mean("y", "x"), (0, 2), True),
        "ratio": (tt.RatioOfMeans("y", "d"), (0, 1), False),
        "ratio with CUPED": (tt.RatioOfMeans("y", "d", "x", "w"), (0, 1, 2, 3), True),
    }
    cases = _cases(25)
    rows: list[Row] = []
    for name, (metric, columns, cuped) in metrics.items():
        ours, theirs = [], []
        for control, treatment in cases:
            first, second = (_kept(arm, columns) for arm in (control, treatment))
            theta = _pooled_theta(first, second) if cuped else np.zeros(1)
            found = compare_many(first[None], second[None], relative=False, theta=theta)
            ours.append([found.value[0], found.low[0], found.high[0], found.p[0]])
            r = metric.analyze_aggregates(_aggregates(control), _aggregates(treatment))
            theirs.append([r.effect_size, r.effect_size_ci_lower, r.effect_size_ci_upper, r.pvalue])
        # Degrees of freedom are all that differs: theirs treat each arm's adjusted variance as
        # we do, so nothing but rounding is left.
        mine, other = np.array(ours), np.array(theirs)
        for at, what in enumerate(("effect", "low", "high", "p")):
            rows.append(worst(f"{name}, {what}", mine[:, at], other[:, at], source=source))
    return rows


def _kept(rows: NDArray[np.float64], columns: tuple[int, ...]) -> Moments:
    full = rows.copy()
    for column in {0, 1, 2, 3} - set(columns):
        full[:, column] = 0.0 if column == 2 else 1.0
    return Moments.from_rows(full)


def _pooled_theta(control: Moments, treatment: Moments) -> NDArray[np.float64]:
    """Their θ: Cov/Var of the linearised ratios over the whole sample."""
    both = control + treatment
    y, d, x, w = both.mean
    weights = np.array([[1 / d, -y / d**2, 0, 0], [0, 0, 1 / w, -x / w**2]])
    cov = both.linear(weights).covariance()
    return np.array([cov[0, 1] / cov[1, 1]])


def packages() -> list[Row]:
    """Welch's test, the score test and relative intervals, on random arms."""
    rng = np.random.default_rng(7)
    cases = _cases(60)
    ours, theirs, lows, low_theirs = [], [], [], []
    for control, treatment in cases:
        found = compare(_kept(control, (0,)), _kept(treatment, (0,)), relative=False)
        welch = stats.ttest_ind(treatment[:, 0], control[:, 0], equal_var=False)
        ours.append(found.p)
        theirs.append(welch.pvalue)
        pair = CompareMeans(DescrStatsW(treatment[:, 0]), DescrStatsW(control[:, 0]))
        lows.append(found.low)
        low_theirs.append(pair.tconfint_diff(usevar="unequal")[0])
    counts = [(int(a), int(b)) for a, b in rng.integers(1, 40, (60, 2))]
    shares = [compare(of_shares(a, 60), of_shares(b, 50), relative=False) for a, b in counts]
    pooled = [proportions_ztest([b, a], [50, 60]) for a, b in counts]
    return [
        worst("Welch's p", ours, theirs, source="scipy ttest_ind"),
        worst("Welch's low", lows, low_theirs, source="statsmodels CompareMeans"),
        worst("shares, z", [s.z for s in shares], [z for z, _ in pooled], source="statsmodels"),
        worst("shares, p", [s.p for s in shares], [p for _, p in pooled], source="statsmodels"),
    ]


def paired() -> list[Row]:
    """A change in the same users is the paired t test."""
    ours, theirs = [], []
    for rows, _ in _cases(60):
        one = np.ones(len(rows))
        moments = Moments.from_rows(np.stack([rows[:, 0], one, rows[:, 2], one], axis=1))
        ours.append(change(moments, relative=False).p)
        theirs.append(stats.ttest_rel(rows[:, 0], rows[:, 2]).pvalue)
    return [worst("change in the same users, p", ours, theirs, source="scipy ttest_rel")]


def fieller() -> list[Row]:
    """Fieller's interval against its definition, and GrowthBook's weak control with it."""
    a, b = of_sums(1396.87, 52377.9767, 3407), of_sums(2422.7, 134698.29, 3461)
    weak, absolute = compare(a, b), compare(a, b, relative=False)
    variances = [float(arm.covariance()[0, 0]) / float(arm.n) for arm in (a, b)]
    reach = float(stats.t.ppf(0.975, weak.df))
    means = 0.41, 0.7
    definition = [
        (means[1] - bound * means[0]) / np.sqrt(variances[1] + bound**2 * variances[0])
        for bound in (1 + weak.low, 1 + weak.high)
    ]
    source = "definition: treatment - bound x control is just significant"
    return [
        exact("Fieller's low, t at the bound", definition[0], reach, source=source),
        exact("Fieller's high, t at the bound", definition[1], -reach, source=source),
        exact("Fieller's p is the difference's", weak.p, absolute.p, source=source),
    ]
