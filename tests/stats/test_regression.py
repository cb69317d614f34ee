"""Least squares: cells and buckets give the row-level fit; errors agree with other packages."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from octad.stats.moments import Moments
from octad.stats.refusal import NotEstimable
from octad.stats.regression import Cells, Errors, compress, ols, ols_cells, ols_moments

FloatArray = NDArray[np.float64]
Case = tuple[FloatArray, FloatArray, NDArray[np.int64]]


def case(seed: int, n: int = 400, clusters: int = 12) -> Case:
    """Few distinct regressor rows, errors that depend on them and are shared by clusters."""
    rng = np.random.default_rng(seed)
    arm = rng.integers(0, 2, n)
    band = rng.integers(0, 4, n)
    cluster = rng.integers(0, clusters, n)
    x = np.column_stack([np.ones(n), arm, band, arm * band]).astype(np.float64)
    shock = rng.normal(size=clusters)[cluster]
    return x, 2 + arm - 0.5 * band + shock + rng.normal(size=n) * (1 + band), cluster


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["classical", "HC0", "HC1", "CR0", "CR1"]))
def test_cells_equal_rows(seed: int, errors: Errors) -> None:
    x, y, cluster = case(seed)
    by = cluster if errors.startswith("CR") else None
    rows = ols(x, y, errors=errors, cluster=by)
    packed = compress(x, y, by)
    cells = ols_cells(packed, errors=errors)
    assert len(packed.n) < len(y)
    np.testing.assert_allclose(cells.coefficients, rows.coefficients, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(cells.covariance, rows.covariance, rtol=1e-8, atol=1e-12)
    assert cells.df == rows.df
    assert cells.n == rows.n


@pytest.mark.parametrize(
    ("errors", "kind"),
    [("classical", "nonrobust"), ("HC0", "HC0"), ("HC1", "HC1"), ("CR1", "cluster")],
)
@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_statsmodels(errors: Errors, kind: str, seed: int) -> None:
    x, y, cluster = case(seed)
    options: dict[str, Any] = {"cov_kwds": {"groups": cluster}} if kind == "cluster" else {}
    theirs = sm.OLS(y, x).fit(cov_type=kind, **options)
    ours = ols(x, y, errors=errors, cluster=cluster)
    np.testing.assert_allclose(ours.coefficients, theirs.params, rtol=1e-9)
    np.testing.assert_allclose(ours.covariance, theirs.cov_params(), rtol=1e-8, atol=1e-12)


def test_weighted_rows_agree_with_statsmodels() -> None:
    x, y, _ = case(5)
    weights = np.random.default_rng(5).uniform(0.2, 3.0, len(y))
    theirs = sm.WLS(y, x, weights=weights).fit(cov_type="HC1")
    ours = ols(x, y, weights=weights)
    np.testing.assert_allclose(ours.covariance, theirs.cov_params(), rtol=1e-8, atol=1e-12)


@pytest.mark.filterwarnings("ignore")  # theirs, about the next pandas
@pytest.mark.parametrize("errors", ["CRV1", "HC1"])
def test_agrees_with_pyfixest(errors: str) -> None:
    pd = pytest.importorskip("pandas")
    pf = pytest.importorskip("pyfixest")
    x, y, cluster = case(7)
    frame = pd.DataFrame({"y": y, "arm": x[:, 1], "band": x[:, 2], "g": cluster})
    clustered = errors == "CRV1"
    theirs = pf.feols("y ~ arm * band", frame, vcov={"CRV1": "g"} if clustered else "HC1")
    ours = ols(x, y, errors="CR1" if clustered else "HC1", cluster=cluster if clustered else None)
    np.testing.assert_allclose(ours.se, theirs.se().to_numpy(), rtol=1e-8)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["classical", "CR0", "CR1"]))
def test_buckets_equal_rows(seed: int, errors: Literal["classical", "CR0", "CR1"]) -> None:
    x, y, cluster = case(seed)
    moments = Moments.from_rows(np.column_stack([x[:, 1:], y]), cluster, 14)
    ours = ols_moments(moments, 3, (0, 1, 2), errors=errors)
    rows = ols(x, y, errors=errors, cluster=cluster)
    np.testing.assert_allclose(ours.coefficients, rows.coefficients, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(ours.covariance, rows.covariance, rtol=1e-7, atol=1e-11)
    assert ours.df == rows.df


def test_a_mean_by_cluster_is_the_textbook_one() -> None:
    """One constant: CR1 is G/(G−1)·Σ(cluster sum of residuals)²/n²."""
    x, y, cluster = case(3)
    fit = ols(x[:, :1], y, errors="CR1", cluster=cluster)
    sums = np.bincount(cluster, y - y.mean())
    assert fit.se[0] == pytest.approx(np.sqrt(12 / 11 * (sums**2).sum()) / len(y))


def test_large_values_with_small_differences() -> None:
    """1e9 with differences of 1e-6: doubles near 1e9 are 1.2e-7 apart."""
    rng = np.random.default_rng(0)
    arm = np.repeat([0.0, 1.0], 50_000)
    y = 1e9 + 1e-6 * arm + 1e-6 * rng.normal(size=len(arm))
    exact = (y[50_000:] - 1e9).mean() - (y[:50_000] - 1e9).mean()
    x = np.column_stack([np.ones_like(arm), arm])
    for fit in (ols(x, y), ols_cells(compress(x, y))):
        assert fit.coefficients[1] == pytest.approx(exact, abs=1.2e-7)
        assert fit.se[1] == pytest.approx(1e-6 * np.sqrt(2 / 50_000), rel=0.02)


def test_coverage_of_cluster_errors() -> None:
    """Planted slope 1, shocks shared by 40 clusters: CR1 covers, HC1 does not."""
    rng = np.random.default_rng(11)
    inside = {"CR1": 0, "HC1": 0}
    repetitions = 300
    cluster = np.repeat(np.arange(40), 10)
    for _ in range(repetitions):
        arm = rng.permutation(np.arange(40) % 2)[cluster]
        y = arm + rng.normal(size=40)[cluster] + rng.normal(size=400)
        x = np.column_stack([np.ones(400), arm])
        for errors in ("CR1", "HC1"):
            fit = ols(x, y, errors=errors, cluster=cluster)
            low, high = fit.interval(1)
            inside[errors] += low <= 1 <= high
    # Four Monte-Carlo standard errors about 95%.
    assert abs(inside["CR1"] / repetitions - 0.95) < 4 * np.sqrt(0.95 * 0.05 / repetitions)
    assert inside["HC1"] / repetitions < 0.8


def test_refusals_say_why() -> None:
    x, y, cluster = case(0)
    with pytest.raises(NotEstimable, match="cannot be told apart"):
        ols(np.column_stack([x, x[:, 1] + x[:, 2]]), y)
    with pytest.raises(NotEstimable, match="zero in every row"):
        ols(np.column_stack([x, np.zeros(len(y))]), y)
    with pytest.raises(NotEstimable, match="One cluster"):
        ols(x, y, errors="CR1", cluster=np.zeros(len(y)))
    with pytest.raises(NotEstimable, match="each row's cluster"):
        ols(x, y, errors="CR1")
    with pytest.raises(NotEstimable, match="cannot carry"):
        ols(np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([1.0, 2.0]))
    with pytest.raises(NotEstimable, match="missing or infinite"):
        ols(x, np.where(cluster == 0, np.nan, y))
    with pytest.raises(NotEstimable, match="no rows"):
        ols(np.empty((0, 2)), np.empty(0))
    with pytest.raises(NotEstimable, match="weight"):
        ols(x, y, weights=np.zeros(len(y)))
    with pytest.raises(NotEstimable, match="no rows"):
        ols_moments(Moments.empty((4,), 2), 1, (0,))
    with pytest.raises(NotEstimable, match="cannot be told apart"):
        ols_moments(Moments.from_rows(np.column_stack([x[:, 0], y]), cluster), 1, (0,))


def test_outcomes_all_equal_have_no_error_and_no_effect() -> None:
    x, y, _ = case(0)
    fit = ols(x, np.full(len(y), 7.0))
    np.testing.assert_allclose(fit.coefficients, [7, 0, 0, 0], atol=1e-12)
    assert fit.p_value(1) == 1.0
    assert fit.contrast([0, 1, 0, 1])[1] == 0.0


def test_empty_cells_change_nothing() -> None:
    x, y, cluster = case(1)
    packed = compress(x, y, cluster)
    assert packed.cluster is not None
    padded = Cells(
        np.vstack([packed.design, [[9, 9, 9, 9]]]),
        np.append(packed.n, 0),
        np.append(packed.mean, np.nan),
        np.append(packed.spread, 0),
        np.append(packed.cluster, 99),
    )
    np.testing.assert_array_equal(
        ols_cells(padded, errors="CR1").covariance, ols_cells(packed, errors="CR1").covariance
    )
