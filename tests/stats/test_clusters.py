"""Clusters: statsmodels' CR1, Bell and McCaffrey's CR2 written out, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from octad.stats.clusters import compare_clusters
from octad.stats.effects import compare
from octad.stats.moments import Moments
from octad.stats.refusal import NotEstimable

Rows = NDArray[np.float64]
Codes = NDArray[np.int64]


def _arm(
    rng: np.random.Generator, clusters: int, *, alike: float = 1.0, ratio: bool = False
) -> tuple[Rows, Codes]:
    code = np.repeat(np.arange(clusters), rng.integers(1, 30, clusters))
    d = 1.0 + rng.poisson(2.0, len(code)) if ratio else np.ones(len(code))
    y = (10 + alike * rng.normal(size=clusters)[code]) * d + rng.normal(size=len(code))
    return np.column_stack([y, d]), code


def _moments(arm: tuple[Rows, Codes]) -> Moments:
    return Moments.from_rows(*arm)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(5, 30), st.integers(5, 30))
def test_cr1_is_statsmodels(seed: int, left: int, right: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = _arm(rng, left), _arm(rng, right)
    found = compare_clusters(_moments(first), _moments(second), relative=False, errors="CR1")
    rows = np.concatenate([first[0], second[0]])
    arm = np.repeat([0.0, 1.0], [len(first[0]), len(second[0])])
    groups = np.concatenate([first[1], second[1] + left])
    fit = sm.OLS(rows[:, 0], sm.add_constant(arm)).fit(
        cov_type="cluster", cov_kwds={"groups": groups}, use_t=True
    )
    assert found.effect.value == pytest.approx(fit.params[1], rel=1e-9)
    assert found.effect.se == pytest.approx(fit.bse[1], rel=1e-9)
    assert (found.effect.low, found.effect.high) == pytest.approx(tuple(fit.conf_int()[1]))
    assert found.effect.df == pytest.approx(left + right - 1)
    assert found.effect.p == pytest.approx(fit.pvalues[1], rel=1e-7)


@pytest.mark.parametrize("clusters", [5, 9, 20])
def test_cr2_and_its_degrees_of_freedom_written_out(clusters: int) -> None:
    rng = np.random.default_rng(clusters)
    arms = [_arm(rng, clusters), _arm(rng, clusters)]
    found = compare_clusters(*map(_moments, arms), relative=False)
    parts = []
    for rows, code in arms:
        y, n = rows[:, 0], len(rows)
        hat = np.full((n, n), 1 / n)
        vectors, variance = [], 0.0
        for c in range(clusters):
            inside = np.flatnonzero(code == c)
            values, axes = np.linalg.eigh(np.eye(len(inside)) - hat[np.ix_(inside, inside)])
            root = (axes / np.sqrt(values)) @ axes.T
            variance += float((root @ (y[inside] - y.mean())).sum() / n) ** 2
            vectors.append((np.eye(n) - hat)[:, inside] @ root.sum(axis=1) / n)
        freedom = []
        for users in (np.eye(n), (code[:, None] == code).astype(np.float64)):
            gram = np.array(vectors) @ users @ np.array(vectors).T
            freedom.append(float(np.trace(gram) ** 2 / (gram**2).sum()))
        parts.append((variance, min(freedom)))
    total = sum(v for v, _ in parts)
    assert found.effect.se == pytest.approx(np.sqrt(total), rel=1e-9)
    assert found.effect.df == pytest.approx(total**2 / sum(v**2 / df for v, df in parts), rel=1e-9)


def test_equal_clusters_are_welchs_test_of_their_means() -> None:
    rng = np.random.default_rng(1)
    code = np.repeat(np.arange(8), 6)
    arms = [rng.normal(size=8)[code] + rng.normal(5, 1, 48) for _ in range(2)]
    found = compare_clusters(
        *(Moments.from_rows(np.column_stack([y, np.ones(48)]), code) for y in arms)
    ).effect
    means = [y.reshape(8, 6).mean(axis=1) for y in arms]
    theirs = compare(*(Moments.from_rows(np.column_stack([m, np.ones(8), np.zeros(8), np.ones(8)]))
                       for m in means))  # fmt: skip
    for name in ("value", "se", "low", "high", "p", "df"):
        assert getattr(found, name) == pytest.approx(getattr(theirs, name), rel=1e-9)


def test_users_alone_in_their_cluster_are_users() -> None:
    rng = np.random.default_rng(2)
    rows = [np.column_stack([rng.gamma(2.0, 2.0, 60), np.ones(60)]) for _ in range(2)]
    found = compare_clusters(*(Moments.from_rows(r, np.arange(60)) for r in rows))
    four = [np.column_stack([r, 0 * r[:, :1], r[:, 1:]]) for r in rows]
    theirs = compare(*(Moments.from_rows(r) for r in four))
    for name in ("value", "se", "low", "high", "p", "df", "n_control"):
        assert getattr(found.effect, name) == pytest.approx(getattr(theirs, name), rel=1e-9)
    assert found.design_effect == pytest.approx(1.0)
    assert found.effect.anytime_low == pytest.approx(theirs.anytime_low)


def test_ratios_are_the_jackknife_over_clusters() -> None:
    rng = np.random.default_rng(3)
    arms = [_arm(rng, 60, ratio=True), _arm(rng, 60, ratio=True)]
    one, two = map(_moments, arms)
    found = compare_clusters(one, two)
    keep = [[i for i in range(60) if i != j] for j in range(60)]
    left = [compare_clusters(one[k], two).effect.value for k in keep]
    right = [compare_clusters(one, two[k]).effect.value for k in keep]
    jackknife = np.sqrt(59**2 / 60 * (np.var(left, ddof=1) + np.var(right, ddof=1)))
    # First order beside second: 60 unequal clusters, terms of order 1/60.
    assert found.effect.se == pytest.approx(jackknife, rel=0.03)
    assert "Ratio of sums, by cluster (60 and 60 clusters" in found.effect.method


def test_the_design_effect_is_that_of_its_formula() -> None:
    rng = np.random.default_rng(4)
    code = np.repeat(np.arange(3000), 5)
    arms = [
        Moments.from_rows(
            np.stack([rng.normal(size=3000)[code] + rng.normal(0, 1, 15000), 0 * code + 1], 1),
            code,
        )
        for _ in range(2)
    ]  # fmt: skip
    found = compare_clusters(*arms, relative=False)
    # 1 + (m - 1) * correlation, with five users and half the variance shared; 6,000 clusters
    # know it to some 2%.
    assert found.design_effect == pytest.approx(1 + 4 * 0.5, rel=0.06)
    naive = [m.total(0).covariance()[0, 0] / 15000 for m in arms]
    assert found.naive_se == pytest.approx(np.sqrt(sum(naive)))


def test_one_large_cluster_leaves_few_degrees_of_freedom() -> None:
    rng = np.random.default_rng(5)
    code = np.concatenate([np.repeat(np.arange(19), 3), np.full(200, 19)])
    arms = [
        Moments.from_rows(np.column_stack([rng.normal(size=257), np.ones(257)]), code)
        for _ in range(2)
    ]
    found = compare_clusters(*arms, relative=False)
    assert found.largest == pytest.approx(200 / 257)
    assert found.effect.df < 10


def test_odd_inputs_are_answered_or_refused() -> None:
    rng = np.random.default_rng(6)
    good = _moments(_arm(rng, 12))
    with pytest.raises(NotEstimable, match="4 clusters"):
        compare_clusters(good, good[:4])
    for shape in (0, 6):
        with pytest.raises(NotEstimable, match="0 clusters"):
            compare_clusters(good, Moments.empty((shape,), 2))
    empty = compare_clusters(good + Moments.empty((12,), 2), good)
    assert empty.effect.value == 0
    with pytest.raises(NotEstimable, match="not finite"):
        compare_clusters(good, Moments(good.n, good.mean * np.nan, good.comoment))
    still = Moments.from_rows(np.tile([1e9, 1.0], (60, 1)), np.arange(60) % 7)
    same = compare_clusters(still, still)
    assert (same.effect.value, same.effect.se, same.effect.p) == (0.0, 0.0, 1.0)
    assert same.design_effect == 1.0
    rows = np.tile([0.0, 0.0], (60, 1))
    rows[:10, 1] = 1.0
    with pytest.raises(NotEstimable):
        compare_clusters(Moments.from_rows(rows, np.repeat(np.arange(6), 10)), good)
    below = Moments(good.n, good.mean * [1, -1], good.comoment)
    with pytest.raises(NotEstimable, match="below zero"):
        compare_clusters(below, good)


def test_small_differences_on_large_values_survive() -> None:
    rng = np.random.default_rng(7)
    arms = [_arm(rng, 40), _arm(rng, 40)]
    plain = compare_clusters(*map(_moments, arms), relative=False).effect
    scale, base = np.array([1e-6, 1.0]), np.array([1e9, 0.0])
    far = compare_clusters(
        *(Moments.from_rows(rows * scale + base, code) for rows, code in arms), relative=False
    ).effect
    # At 1e9 the last binary digit is 1.2e-7, a tenth of what differs: that much is lost.
    assert far.se == pytest.approx(plain.se * 1e-6, rel=0.1)
    assert abs(far.value - plain.value * 1e-6) < 3e-7
