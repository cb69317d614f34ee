"""Hidden confounding, E-values, negative controls."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from octad.stats.refusal import NotEstimable
from octad.stats.sensitivity import (
    NegativeControls,
    adjusted_for_confounder,
    calibrate,
    e_value,
    negative_controls,
    ratio_from_standardised,
    robustness,
)

DARFUR = (0.0973158193, 0.0232565378, 783)


def test_e_values_of_the_paper() -> None:
    found = e_value(3.9, 1.8, 8.7)
    assert found.limit is not None
    assert (round(found.point, 2), round(found.limit, 1)) == (7.26, 3.0)
    assert e_value(1.2, 0.9, 1.6).limit == 1.0
    assert e_value(1.0).point == 1.0
    assert ratio_from_standardised(0) == 1


@given(st.floats(0.01, 100))
def test_e_value_is_the_same_turned_over(ratio: float) -> None:
    assert e_value(ratio).point == pytest.approx(e_value(1 / ratio).point)
    assert e_value(ratio).point >= max(ratio, 1 / ratio) - 1e-12


def test_a_confounder_of_the_e_values_strength_explains_it_all() -> None:
    # Bounding factor of Ding & VanderWeele: RR₁·RR₂/(RR₁ + RR₂ − 1).
    strength = e_value(2.5).point
    assert strength**2 / (2 * strength - 1) == pytest.approx(2.5)


def test_darfur() -> None:
    found = robustness(*DARFUR)
    assert round(found.partial_r2, 5) == 0.02187
    assert round(found.robustness, 5) == 0.13878
    assert round(found.robustness_significant, 5) == 0.07626


def test_a_confounder_as_strong_as_the_robustness_value_leaves_nothing() -> None:
    rv = robustness(*DARFUR)
    left = adjusted_for_confounder(
        *DARFUR, with_treatment=rv.robustness, with_outcome=rv.robustness
    )
    assert left.value == pytest.approx(0, abs=1e-12)
    edge = rv.robustness_significant
    left = adjusted_for_confounder(*DARFUR, with_treatment=edge, with_outcome=edge)
    assert left.low == pytest.approx(0, abs=1e-9)


def test_adjusting_equals_the_regression_with_the_confounder_in() -> None:
    rng = np.random.default_rng(1)
    u = rng.normal(size=300)
    d = 0.6 * u + rng.normal(size=300)
    y = 0.5 * d + 0.8 * u + rng.normal(size=300)
    short = sm.OLS(y, sm.add_constant(d)).fit()
    long = sm.OLS(y, sm.add_constant(np.column_stack([d, u]))).fit()
    with_outcome = long.tvalues[2] ** 2 / (long.tvalues[2] ** 2 + long.df_resid)
    first = sm.OLS(d, sm.add_constant(u)).fit()
    found = adjusted_for_confounder(
        short.params[1],
        short.bse[1],
        short.df_resid,
        with_treatment=first.rsquared,
        with_outcome=with_outcome,
    )
    assert found.value == pytest.approx(long.params[1])
    assert found.se == pytest.approx(long.bse[1])


@given(st.floats(-50, 50), st.floats(0.01, 10), st.integers(3, 10_000))
def test_robustness_is_a_share_and_knows_no_sign(estimate: float, se: float, df: int) -> None:
    there, back = robustness(estimate, se, df), robustness(-estimate, se, df)
    assert 0 <= there.robustness_significant <= there.robustness <= 1
    assert there.robustness == back.robustness
    assert 0 <= there.partial_r2 <= 1


def test_controls_of_the_reference_package() -> None:
    # OHDSI EmpiricalCalibration, tests/testthat: fitNull(c(1, 2), c(0, 0)), and calibrateP.
    assert negative_controls([1, 2], [0, 0]).mean == pytest.approx(1.5, abs=1e-3)
    nothing = NegativeControls(0.0, 0.0, 0.0, 2, 1.0, 1.0)
    # Their σ is a tiny number instead of 0; their own test allows 1.5e-8.
    assert calibrate(0.1, 0.05, nothing).p == pytest.approx(0.045500266, abs=1.5e-8)
    assert calibrate(0.3, 0.1, nothing).p == pytest.approx(0.002699796, abs=1.5e-8)


def test_planted_bias_is_found_and_calibrated_p_values_are_uniform() -> None:
    rng = np.random.default_rng(3)
    s = rng.uniform(0.05, 0.3, 3000)
    fit = negative_controls(rng.normal(0.2, np.hypot(0.1, s)), s)
    assert fit.mean == pytest.approx(0.2, abs=0.01)
    assert fit.sd == pytest.approx(0.1, abs=0.01)
    assert fit.p < 1e-6
    new = rng.uniform(0.05, 0.3, 4000)
    p = np.array(
        [
            calibrate(e, s, fit).p
            for e, s in zip(rng.normal(0.2, np.hypot(0.1, new)), new, strict=True)
        ]
    )
    for level in (0.01, 0.05, 0.5):
        room = 3 * math.sqrt(level * (1 - level) / 4000) + 0.01  # and the fit's own error
        assert (p < level).mean() == pytest.approx(level, abs=room)


def test_controls_that_hold_stay_quiet() -> None:
    rng = np.random.default_rng(4)
    runs = [negative_controls(rng.normal(0, 0.1, 3), np.full(3, 0.1)) for _ in range(2000)]
    assert np.mean([r.p < 0.05 for r in runs]) == pytest.approx(0.05, abs=3 * 0.0049)
    assert np.mean([r.smallest < 0.05 for r in runs]) == pytest.approx(0.05, abs=3 * 0.0049)


def test_refuses() -> None:
    for bad in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(NotEstimable):
            e_value(bad)
    with pytest.raises(NotEstimable, match="hold the ratio"):
        e_value(2.0, 3.0, 4.0)
    with pytest.raises(NotEstimable, match="positive error"):
        robustness(1.0, 0.0, 10)
    with pytest.raises(NotEstimable, match="partial R²"):
        adjusted_for_confounder(1.0, 1.0, 10, with_treatment=1.0, with_outcome=0.1)
    with pytest.raises(NotEstimable, match="at least 2"):
        negative_controls([0.1], [0.1])
    with pytest.raises(NotEstimable, match="judge by"):
        calibrate(1.0, 0.0, NegativeControls(0, 0, 0, 2, 1, 1))
