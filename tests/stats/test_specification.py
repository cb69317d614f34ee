"""The specification curve."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from octad.stats.refusal import NotEstimable
from octad.stats.specification import specification_curve

FloatArray = NDArray[np.float64]


def _reckon(y: FloatArray, x: FloatArray, arm: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Six specifications: winsorised or not, three ways to use a covariate."""
    estimates, errors = [], []
    for cut in (1.0, 0.95):
        capped = np.minimum(y, np.quantile(y, cut))
        for slope in (0.0, 0.3, float(np.polyfit(x, capped, 1)[0])):
            r = capped - slope * x
            a, b = r[arm == 1], r[arm == 0]
            estimates.append(a.mean() - b.mean())
            errors.append(np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b)))
    return np.array(estimates), np.array(errors)


def _experiment(rng: np.random.Generator, effect: float) -> list[float]:
    x = rng.normal(size=80)
    arm = rng.permutation(np.repeat([0.0, 1.0], 40))
    y = np.exp(0.5 * x + 0.5 * rng.normal(size=80)) + effect * arm
    dealt = [_reckon(y, x, rng.permutation(arm)) for _ in range(40)]
    found = specification_curve(
        *_reckon(y, x, arm),
        permuted=(np.array([e for e, _ in dealt]), np.array([s for _, s in dealt])),
    )
    assert found.p_median is not None
    assert found.p_clear is not None
    assert found.p_agree is not None
    return [found.p_median, found.p_agree, found.p_clear]


def test_joint_test_keeps_its_level_and_sees_an_effect() -> None:
    rng = np.random.default_rng(1)
    null = np.array([_experiment(rng, 0.0) for _ in range(100)])
    # Three Monte-Carlo errors; ties make the counting tests conservative.
    assert ((null < 0.05).mean(axis=0) < 0.05 + 3 * 0.022).all()
    real = np.array([_experiment(rng, 1.0) for _ in range(20)])
    assert (real[:, 0] < 0.05).mean() > 0.8


def test_the_lalonde_contrast_is_flagged() -> None:
    # The experiment says +1794, the naive comparison with the CPS says −8498.
    found = specification_curve([1794.34, 886.30, -8497.52], [632.85, 488.20, 712.02])
    assert found.spans_zero
    assert found.contested
    assert (found.lowest, found.highest) == (-8497.52, 1794.34)


@given(hnp.arrays(np.float64, 7, elements=st.floats(-5, 5)))
def test_turning_all_signs_turns_the_summary(estimates: FloatArray) -> None:
    here = specification_curve(estimates, np.ones(7))
    there = specification_curve(-estimates, np.ones(7))
    assert there.median == -here.median
    assert (there.lowest, there.highest) == (-here.highest, -here.lowest)
    if here.median != 0:
        assert (there.agree, there.clear, there.against) == (here.agree, here.clear, here.against)


def test_refuses() -> None:
    with pytest.raises(NotEstimable, match="at least one"):
        specification_curve([], [])
    with pytest.raises(NotEstimable, match="finite estimate"):
        specification_curve([np.nan], [1.0])
    with pytest.raises(NotEstimable, match="every specification"):
        specification_curve([1.0], [1.0], permuted=(np.ones((3, 2)), np.ones((3, 2))))
