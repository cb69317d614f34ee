"""Several covariates, strata, clusters: least squares in statsmodels beside ours, from moments."""

from __future__ import annotations

import numpy as np
import statsmodels
import statsmodels.api as sm
from numpy.typing import NDArray

from octad.stats.adjustment import compare_adjusted
from octad.stats.clusters import compare_clusters
from octad.stats.effects import compare
from octad.stats.moments import Moments
from octad.stats.poststratification import compare_strata
from tests.reference.row import Row, worst

__all__ = ["clusters", "covariates", "lin", "strata"]

FloatArray = NDArray[np.float64]
PACKAGE = f"statsmodels {statsmodels.__version__}"
CASES = 12


def _rows(rng: np.random.Generator, n: int, k: int) -> FloatArray:
    x = rng.normal(2.0, 1.0, (n, k)) @ (np.eye(k) + 0.3)
    y = 4 + x @ np.linspace(0.5, 1.5, k) + rng.normal(size=n) * (1 + 0.3 * np.abs(x[:, 0]))
    return np.column_stack([y, np.ones(n), x])


def covariates() -> list[Row]:
    """One slope vector: equal arms are least squares; unequal ones, weighed by their error."""
    rng = np.random.default_rng(31)
    even: list[tuple[float, ...]] = []
    uneven: list[tuple[float, ...]] = []
    single = []
    for case in range(CASES):
        k = 2 + case % 4
        for first, second, kept in ((60, 60, even), (90, 35, uneven)):
            a, b = _rows(rng, first, k), _rows(rng, second, k)
            ours = compare_adjusted(Moments.from_rows(a), Moments.from_rows(b), relative=False)
            rows, arm = np.concatenate([a, b]), np.repeat([0.0, 1.0], [first, second])
            weights = np.where(arm == 0, 1 / (first * (first - 1)), 1 / (second * (second - 1)))
            design = np.column_stack([np.ones(len(arm)), arm, rows[:, 2:]])
            theirs = sm.WLS(rows[:, 0], design, weights=weights).fit()
            kept.append((ours.effect.value, theirs.params[1], ours.effect.se, theirs.bse[1]))
        a, b = _rows(rng, 90, 1), _rows(rng, 35, 1)
        four = [Moments.from_rows(np.column_stack([r[:, :3], np.ones(len(r))])) for r in (a, b)]
        three = [Moments.from_rows(r[:, :3]) for r in (a, b)]
        one, cuped = compare_adjusted(*three).effect, compare(*four)
        single.append((one.value, cuped.value, one.se, cuped.se, one.low, cuped.low))
    same, split, alone = (np.array(each).T for each in (even, uneven, single))
    ols = f"{PACKAGE}, OLS on arm and 2 to 5 covariates"
    wls = f"{PACKAGE}, WLS with weights 1/(n(n - 1)) by arm: the slope of least variance"
    cuped_by = "octad.stats.effects.compare (CUPED; itself held against tea-tasting)"
    return [
        worst("several covariates, equal arms, effect", same[0], same[1], source=ols),
        worst("several covariates, equal arms, error", same[2], same[3], source=ols),
        worst("several covariates, 90 and 35 users, effect", split[0], split[1], source=wls),
        worst("one covariate, relative effect", alone[0], alone[1], source=cuped_by),
        worst("one covariate, relative error", alone[2], alone[3], source=cuped_by),
        worst("one covariate, relative, low", alone[4], alone[5], source=cuped_by),
    ]


def lin() -> list[Row]:
    """Slopes by arm: the effect is Lin's; the error is that of two predictions at the mean."""
    rng = np.random.default_rng(32)
    effects, errors = [], []
    for case in range(CASES):
        k = 1 + case % 3
        a, b = _rows(rng, 40, k), _rows(rng, 25, k)
        b[:, 0] += 2 * b[:, 2]
        found = compare_adjusted(
            Moments.from_rows(a), Moments.from_rows(b), relative=False, interacted=True
        )
        rows, arm = np.concatenate([a, b]), np.repeat([0.0, 1.0], [40, 25])
        x = rows[:, 2:] - rows[:, 2:].mean(axis=0)
        design = np.column_stack([np.ones(65), arm, x, x * arm[:, None]])
        effects.append((found.effect.value, sm.OLS(rows[:, 0], design).fit().params[1]))
        at = np.concatenate([[1.0], rows[:, 2:].mean(axis=0)])
        fits = [sm.OLS(r[:, 0], sm.add_constant(r[:, 2:])).fit() for r in (a, b)]
        known = sum(float(fit.get_prediction(at).se_mean[0]) ** 2 for fit in fits)
        gap = fits[1].params[1:] - fits[0].params[1:]
        mean = sum(len(r) / 65**2 * np.atleast_2d(np.cov(r[:, 2:].T)) for r in (a, b))
        errors.append((found.effect.se, np.sqrt(known + gap @ mean @ gap)))
    value, error = np.array(effects).T, np.array(errors).T
    by = f"{PACKAGE}, OLS on arm × centred covariates (Lin 2013)"
    two = f"{PACKAGE}, each arm's prediction at the mean, and the mean's own error"
    return [
        worst("slopes by arm, effect", value[0], value[1], source=by),
        worst("slopes by arm, error", error[0], error[1], source=two),
    ]


def strata() -> list[Row]:
    """Post-stratification is saturated least squares, weighed by pooled sizes."""
    rng = np.random.default_rng(33)
    kept, sharper = [], []
    for _ in range(CASES):
        code, arm = rng.integers(0, 5, 240), rng.integers(0, 2, 240)
        x = rng.normal(size=240) + code
        y = 2.0 * code + x + arm + rng.normal(size=240) * (1 + code)
        rows = np.column_stack([y, np.ones(240), x])
        parts = [Moments.from_rows(rows[arm == a], code[arm == a], 5) for a in range(2)]
        cell, theirs = np.eye(10)[code + 5 * arm], np.bincount(code, minlength=5) / 240
        contrast = np.concatenate([-theirs, theirs])
        test = sm.OLS(y, cell).fit(cov_type="HC2").t_test(contrast)
        found = compare_strata(*(p.columns((0, 1)) for p in parts), relative=False, fewest=2)
        error = np.sqrt(found.conditional)
        kept.append((found.effect.value, float(test.effect[0]), error, float(test.sd[0, 0])))
        half = np.arange(240) % 10
        even = np.column_stack([np.eye(10)[half], x])
        fit = sm.OLS(y, even).fit().t_test(np.repeat([-0.2, 0.2, 0.0], [5, 5, 1]))
        both = [
            Moments.from_rows(rows[half // 5 == a], half[half // 5 == a] % 5, 5) for a in (0, 1)
        ]
        adjusted = compare_strata(*both, relative=False)
        error = np.sqrt(adjusted.effect.se**2 - adjusted.weights_variance)
        sharper.append((adjusted.effect.value, float(fit.effect[0]), error, float(fit.sd[0, 0])))
    plain, within = np.array(kept).T, np.array(sharper).T
    by = f"{PACKAGE}, OLS on 5 strata × arm, HC2 (Miratrix, Sekhon, Yu 2013)"
    more = f"{PACKAGE}, OLS on 5 strata × arm and a covariate, equal cells"
    return [
        worst("post-stratified, effect", plain[0], plain[1], source=by),
        worst("post-stratified, conditional error", plain[2], plain[3], source=by),
        worst("post-stratified with a covariate, effect", within[0], within[1], source=more),
        worst("post-stratified with a covariate, error", within[2], within[3], source=more),
    ]


def clusters() -> list[Row]:
    """Errors by cluster with the usual correction, and its interval."""
    rng = np.random.default_rng(34)
    kept = []
    for case in range(CASES):
        groups = 10 + 2 * case
        code = np.repeat(np.arange(groups), rng.integers(1, 40, groups))
        arm = code % 2
        y = 7 + rng.normal(size=groups)[code] + rng.normal(size=len(code))
        rows = np.column_stack([y, np.ones(len(y))])
        parts = [
            Moments.from_rows(rows[arm == a], code[arm == a] // 2, groups // 2) for a in (0, 1)
        ]
        found = compare_clusters(*parts, relative=False, errors="CR1").effect
        fit = sm.OLS(y, sm.add_constant(arm.astype(np.float64))).fit(
            cov_type="cluster", cov_kwds={"groups": code}, use_t=True
        )
        low = float(fit.conf_int()[1][0])
        kept.append(
            (found.value, fit.params[1], found.se, fit.bse[1], found.low, low,
             found.p, fit.pvalues[1])
        )  # fmt: skip
    columns = np.array(kept).T
    by = f"{PACKAGE}, OLS with cluster-robust errors (CR1), t with G - 1 degrees of freedom"
    return [
        worst(f"by cluster (CR1), {what}", columns[2 * i], columns[2 * i + 1], source=by)
        for i, what in enumerate(("effect", "error", "low", "p"))
    ]
