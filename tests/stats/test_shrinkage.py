"""Random effects, shrinkage and the winner's curse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from scipy import optimize

from octad.stats.refusal import NotEstimable
from octad.stats.shrinkage import (
    _profile,
    james_stein,
    joint_random_effects,
    random_effects,
    winners_curse,
)
from tests.reference.rows_shrinkage import AVERAGES, berkey_data

FloatArray = NDArray[np.float64]
effects = hnp.arrays(np.float64, 6, elements=st.floats(-10, 10))
errors = hnp.arrays(np.float64, 6, elements=st.floats(0.05, 5))


@settings(max_examples=40)
@given(effects, errors, st.sampled_from(["ML", "REML"]))
def test_likelihood_is_highest_at_the_estimate(y: FloatArray, s: FloatArray, method: str) -> None:
    found = random_effects(y, s, method)  # type: ignore[arg-type]
    top = 10 * float(np.ptp(y)) ** 2 + 1.0
    brute = [_profile(y, s**2, t, method)[0] for t in np.append(0.0, np.geomspace(1e-6, top, 400))]
    assert found.log_likelihood >= max(brute) - 1e-9
    assert np.isfinite([found.mean, found.mean_se, found.tau2, found.i2]).all()
    assert ((found.weight >= 0) & (found.weight <= 1)).all()


@settings(max_examples=40)
@given(effects, errors, st.floats(-100, 100), st.floats(0.1, 10))
def test_shift_and_scale_carry_through(
    y: FloatArray, s: FloatArray, shift: float, scale: float
) -> None:
    here, there = random_effects(y, s), random_effects(shift + scale * y, scale * s)
    assert there.mean == pytest.approx(shift + scale * here.mean, rel=1e-6, abs=1e-5)
    assert there.tau2 == pytest.approx(scale**2 * here.tau2, rel=1e-5, abs=1e-6)


def test_equal_effects_have_no_spread_and_exact_ones_keep_theirs() -> None:
    same = random_effects([1.0, 1.0, 1.0], [0.1, 0.2, 0.3])
    assert same.tau2 == 0
    np.testing.assert_allclose(same.shrunk, 1)
    exact = random_effects([1.0, 2.0, 4.0], [0.0, 0.0, 0.0])
    assert exact.tau2 == pytest.approx(np.var([1, 2, 4], ddof=1))
    np.testing.assert_allclose(exact.shrunk, [1, 2, 4], atol=1e-9)
    assert random_effects([2.0, 2.0], [0.0, 0.0]).mean_se == 0


def test_joint_model_without_correlation_is_two_single_ones() -> None:
    rng = np.random.default_rng(1)
    y = rng.normal(size=(40, 2)) * [1.0, 0.5]
    s = np.broadcast_to(np.diag([0.1, 0.2]), (40, 2, 2)).copy()
    y -= y.mean(axis=0)
    # Take the sample correlation out, so that the likelihood factorises at its top.
    y[:, 1] -= y[:, 0] * (y[:, 0] @ y[:, 1]) / (y[:, 0] @ y[:, 0])
    joint = joint_random_effects(y, s)
    for j, v in enumerate((0.1, 0.2)):
        single = random_effects(y[:, j], np.full(40, np.sqrt(v)))
        # Two optimisers of one flat top.
        assert joint.between[j, j] == pytest.approx(single.tau2, rel=1e-4)
    assert abs(joint.correlation[0, 1]) < 1e-3


def test_joint_likelihood_is_highest_at_the_estimate() -> None:
    y, s = berkey_data()
    found = joint_random_effects(y, s, "ML")

    def loss(free: FloatArray) -> float:
        root = np.array([[free[0], 0.0], [free[1], free[2]]])
        v = s + root @ root.T
        mean = np.linalg.solve(np.linalg.inv(v).sum(0), np.einsum("kij,kj->i", np.linalg.inv(v), y))
        away = y - mean
        quad = np.einsum("ki,kij,kj->", away, np.linalg.inv(v), away)
        return float(0.5 * (10 * np.log(2 * np.pi) + np.linalg.slogdet(v)[1].sum() + quad))

    run = optimize.differential_evolution(
        loss, optimize.Bounds([-1.0] * 3, [1.0] * 3), rng=1, tol=1e-10, maxiter=150
    )
    assert found.log_likelihood == pytest.approx(-run.fun, abs=1e-6)


def test_efron_and_morris() -> None:
    x, truth = np.sqrt(45) * np.arcsin(2 * AVERAGES - 1)
    assert round(((x - truth) ** 2).sum(), 1) == 17.6
    assert round(((james_stein(x, 1.0) - truth) ** 2).sum(), 1) == 5.0
    np.testing.assert_allclose(james_stein([1.0] * 5, 1.0), 1.0)


def test_winners_promise_too_much_and_the_corrections_take_it_off() -> None:
    rng = np.random.default_rng(0)
    raw, corrected, shrunk = [], [], []
    for _ in range(1500):
        truth, s = rng.normal(0, 0.5, 50), np.full(50, 0.5)
        x = truth + s * rng.normal(size=50)
        found, won = winners_curse(x, s), x / s > 1.96
        truly = truth[won].sum()
        raw.append(found.claimed - truly)
        corrected.append(found.corrected - truly)
        shrunk.append(random_effects(x, s).shrunk[won].sum() - truly)
    assert np.mean(raw) > 2.0
    # Measured effects in place of the true ones overcorrect a little.
    assert abs(np.mean(corrected)) < 0.2 * np.mean(raw)
    # Normal effects fit the model of shrinkage exactly; what is left is the error of τ².
    assert abs(np.mean(shrunk)) < 0.1 * np.mean(raw)


def test_the_formula_is_exact_at_the_true_effects() -> None:
    rng = np.random.default_rng(2)
    truth, s = np.array([0.0, 0.5, 1.5, -0.4]), np.array([0.5, 0.3, 0.6, 0.4])
    x = truth + s * rng.normal(size=(200_000, 4))
    won = x / s > 1.96
    excess = ((x - truth) * won).sum(axis=1).mean()
    # The Monte-Carlo error is about .001.
    assert winners_curse(truth, s).bias == pytest.approx(excess, abs=0.005)


def test_refuses() -> None:
    with pytest.raises(NotEstimable, match="at least 2"):
        random_effects([1.0], [1.0])
    with pytest.raises(NotEstimable, match="finite"):
        random_effects([1.0, np.nan], [1.0, 1.0])
    with pytest.raises(NotEstimable, match="standard error"):
        random_effects([1.0, 2.0], [1.0])
    with pytest.raises(NotEstimable, match="at least 3"):
        joint_random_effects(np.zeros((2, 2)), np.tile(np.eye(2), (2, 1, 1)))
    with pytest.raises(NotEstimable, match="positive definite"):
        joint_random_effects(np.zeros((4, 2)), np.zeros((4, 2, 2)))
    with pytest.raises(NotEstimable, match="at least 4"):
        james_stein([1.0, 2.0, 3.0], 1.0)
    with pytest.raises(NotEstimable, match="without error"):
        winners_curse([1.0], [0.0])
    with pytest.raises(NotEstimable, match="whether it was launched"):
        winners_curse([1.0], [1.0], launched=[True, False])
    assert winners_curse([3.0, 0.0], [1.0, 1.0], launched=[False, True]).claimed == 0
