"""Bounds on diverging trends: against a linear program, published numbers, and planted drifts."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import optimize

from octad.stats import trends
from octad.stats.aggregation import aggregate
from octad.stats.did import group_time
from octad.stats.refusal import NotEstimable
from octad.stats.trends import (
    EventStudy,
    _tests,
    breakdown,
    event_study,
    relative_magnitudes,
)
from tests.reference.quasi_numbers import EHEC
from tests.reference.quasi_worlds import staged
from tests.reference.rows_quasi import on_their_grid

FloatArray = NDArray[np.float64]


@pytest.mark.parametrize(("m_bar", "low", "high"), [(0.5, 0.0241, 0.0673), (1.0, 0.0171, 0.0720)])
def test_published_bounds(m_bar: float, low: float, high: float) -> None:
    found = on_their_grid(m_bar, np.array([1.0, 0.0]))
    assert found == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("m_bar", "low", "high"),
    # moderndid 0.2.0, create_sensitivity_results_rm(..., l_vec=[.5, .5]). It leaves out the drift
    # between the first two periods, which is not the largest here and binds only at small M̄.
    [(1.0, 0.019767, 0.090149), (1.5, 0.005824, 0.103501), (2.0, -0.008538, 0.117249)],
)
def test_mean_of_two_periods_as_moderndid(m_bar: float, low: float, high: float) -> None:
    assert on_their_grid(m_bar, np.array([0.5, 0.5])) == pytest.approx((low, high), abs=5e-7)


def test_zero_is_the_usual_interval() -> None:
    found = relative_magnitudes(EHEC, 0.0)
    assert (found.low, found.high) == pytest.approx((0.0285095, 0.0643842), abs=5e-8)


def test_breakdown_is_where_zero_enters() -> None:
    at = breakdown(EHEC)
    assert relative_magnitudes(EHEC, at).low <= 0 < relative_magnitudes(EHEC, at - 0.02).low
    assert breakdown(EventStudy(EHEC.estimates * 0.1, EHEC.covariance, 5)) == 0.0
    assert breakdown(EHEC, highest=1.0) == np.inf


def test_wider_with_every_step() -> None:
    found = [relative_magnitudes(EHEC, m) for m in (0.25, 0.5, 1.0, 2.0, 4.0)]
    assert (np.diff([b.low for b in found]) < 0).all()
    assert (np.diff([b.high for b in found]) > 0).all()
    assert all(b.low < b.set_low <= b.set_high < b.high for b in found)


def test_turning_the_effect_round_turns_the_interval() -> None:
    one = relative_magnitudes(EHEC, 1.0)
    other = relative_magnitudes(EventStudy(-EHEC.estimates, EHEC.covariance, 5), 1.0)
    # The first stage's critical value is simulated: 2e-5 is its noise at 50,000 draws.
    assert (other.low, other.high) == pytest.approx((-one.high, -one.low), abs=1e-4)


def moments(study: EventStudy, m_bar: float, s: int, sign: float) -> FloatArray:
    """Rows ±(change into each period after) − M̄·sign·(change at s), of all coefficients."""
    size, post = len(study.estimates), len(study.estimates) - study.pre
    path = np.insert(np.eye(size), study.pre, 0.0, axis=0)  # with the reference period put back
    steps = np.diff(path, axis=0)
    v = sign * steps[s]
    after = steps[study.pre : study.pre + post]
    return np.vstack([after - m_bar * v, -after - m_bar * v])


def program(rows: FloatArray, y: FloatArray, free: FloatArray, sd: FloatArray) -> float:
    """min η such that some nuisance effects make every studentised moment at most η."""
    columns = np.column_stack([-sd, -rows @ free])
    found = optimize.linprog(
        np.eye(columns.shape[1])[0], columns, -y, bounds=[(None, None)] * columns.shape[1]
    )
    assert found.x is not None
    return float(found.x[0])


@pytest.mark.parametrize("seed", range(6))
def test_vertices_solve_the_linear_program(seed: int) -> None:
    """The statistic that is tested, against scipy's linear programming."""
    rng = np.random.default_rng(seed)
    pre, post, m_bar = 3, 4, float(rng.uniform(0.2, 2))
    root = rng.normal(size=(pre + post, pre + post))
    study = EventStudy(rng.normal(size=pre + post), root @ root.T, pre)
    mix = rng.normal(size=post)
    theta = float(rng.normal())
    # Nuisance directions: effects after the launch that leave l'τ alone.
    free = np.zeros((pre + post, post - 1))
    free[pre:] = np.linalg.svd(mix[None, :])[2][1:].T
    fixed = np.concatenate([np.zeros(pre), mix * theta / (mix @ mix)])
    tests = _tests(study, mix, m_bar, 0.05)
    for s in range(pre):
        for k, sign in enumerate((1.0, -1.0)):
            ours = tests[2 * s + k]
            rows = moments(study, m_bar, s, sign)
            covariance = rows @ study.covariance @ rows.T
            sd = np.sqrt(np.diag(covariance))
            y = rows @ (study.estimates - fixed)
            values = ours.statistic - ours.slope * theta
            assert values.max() == pytest.approx(program(rows, y, free, sd), abs=1e-7)


def test_planted_drift_is_covered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trends drift after the launch exactly as much as before it: M̄ = 1 covers, M̄ = 0 does not."""
    rng = np.random.default_rng(3)
    few = rng.normal(size=(4000, 3))  # of the 50,000 draws: the first stage matters little
    monkeypatch.setattr(trends, "_normal", lambda: few)
    pre, post = 3, 2
    drift = np.array([0.3, -0.1, 0.1])
    path = np.concatenate([[0.0], np.cumsum(drift)])
    before = path[:-1] - path[-1]
    after = 0.3 * np.arange(1, post + 1)  # as steep as the steepest step before
    sigma = 0.15**2 * (0.5 * np.eye(pre + post) + 0.5)
    covered = {0.0: 0, 1.0: 0}
    repetitions = 200
    for _ in range(repetitions):
        noise = rng.multivariate_normal(np.zeros(pre + post), sigma)
        study = EventStudy(np.concatenate([before, 1.0 + after]) + noise, sigma, pre)
        flat = relative_magnitudes(study, 0.0, weights=[0.5, 0.5])
        covered[0.0] += flat.low <= 1.0 <= flat.high
        tests = _tests(study, np.array([0.5, 0.5]), 1.0, 0.05)
        covered[1.0] += any(bool(test.accepts(np.array([1.0]))[0]) for test in tests)
    # At least 95%, less three Monte-Carlo standard errors; the drift is the worst one allowed.
    assert covered[1.0] / repetitions >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / repetitions)
    assert covered[0.0] / repetitions < 0.5


def test_takes_a_curve_from_staged_launches() -> None:
    y, first, times, _ = staged(0)
    curve = aggregate(group_time(y, first, times, base="universal"), "dynamic", balance=1)
    study = event_study(curve.at, curve.att, curve.covariance)
    assert study.pre == int((curve.at < -1).sum())
    assert relative_magnitudes(study, 0.0).value == curve.att[curve.at == 0][0]


def test_refusals_say_why() -> None:
    with pytest.raises(NotEstimable, match="two periods before"):
        event_study([-1, 0, 1], [0, 1, 1], np.eye(3))
    with pytest.raises(NotEstimable, match="period is missing"):
        event_study([-4, -2, 0, 1], [0, 1, 1, 1], np.eye(4))
    with pytest.raises(NotEstimable, match="no standard error"):
        relative_magnitudes(EventStudy(np.ones(4), np.zeros((4, 4)), 2), 1.0)
    with pytest.raises(ValueError, match="below zero"):
        relative_magnitudes(EHEC, -1.0)
    with pytest.raises(ValueError, match="one entry for each of 2"):
        relative_magnitudes(EHEC, 1.0, weights=[1.0])
