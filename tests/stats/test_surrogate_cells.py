"""A surrogate index from moments alone, against the same from rows, and against planted truths."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from octad.stats.moments import Moments
from octad.stats.refusal import NotEstimable
from octad.stats.surrogate_cells import backcast, drift, forecast, index_from_cells, try_on
from octad.stats.surrogates import fit_index

FloatArray = NDArray[np.float64]
BUCKETS = 256


def people(rng: np.random.Generator, n: int, lift: float = 0.0) -> tuple[FloatArray, FloatArray]:
    """Early use in two weeks, and what came of it; a lift acts through early use alone."""
    keen = rng.gamma(2.0, 1.0, n)
    one = rng.poisson(2 * keen * (1 + lift))
    two = rng.poisson(2 * keen * (1 + lift))
    later = rng.poisson(0.5 + 0.6 * one + 0.9 * two)
    return np.stack([one, two], axis=1).astype(np.float64), later.astype(np.float64)


def cells(rows: FloatArray) -> Moments:
    return Moments.from_rows(rows, np.arange(len(rows)) % BUCKETS, BUCKETS)


def cohort(seed: int, n: int = 4000) -> Moments:
    s, y = people(np.random.default_rng(seed), n)
    return cells(np.column_stack([s, y]))


def test_the_rule_is_that_of_the_rows() -> None:
    s, y = people(np.random.default_rng(1), 4000)
    ours = index_from_cells(cells(np.column_stack([s, y])), 2, 0)
    rows = fit_index(s, y)
    assert ours.coefficients == pytest.approx(rows.coefficients, rel=1e-5)  # the ridge's share
    assert ours.intercept == pytest.approx(rows.intercept, rel=1e-4)
    assert ours.r2 == pytest.approx(rows.r2, rel=1e-5)
    # Jackknife over 256 buckets against HC1 over rows: both estimate; 256 groups know it to 9%.
    assert np.sqrt(np.diag(ours.covariance)[1:]) == pytest.approx(
        np.sqrt(np.diag(rows.covariance)), rel=0.3
    )


def test_a_figure_that_never_varies_is_left_out() -> None:
    s, y = people(np.random.default_rng(2), 4000)
    dull = np.column_stack([s[:, :1], np.zeros(len(y)), s[:, 1:], y])
    index = index_from_cells(cells(dull), 3, 0)
    assert index.coefficients[1] == 0
    assert index.covariance[2].tolist() == [0.0] * 4


def test_figures_that_explain_one_another_share_their_weight() -> None:
    s, y = people(np.random.default_rng(3), 4000)
    twice = index_from_cells(cells(np.column_stack([s, s[:, :1], y])), 3, 0)
    once = index_from_cells(cells(np.column_stack([s, y])), 2, 0)
    assert twice.coefficients[0] + twice.coefficients[2] == pytest.approx(
        once.coefficients[0], 1e-3
    )


def test_it_holds_on_users_it_was_not_learnt_from() -> None:
    tried = try_on(index_from_cells(cohort(4), 2, 0), cohort(5), 0)
    assert tried.slope_low < 1 < tried.slope_high
    assert abs(tried.miss) < 4 * tried.miss_se


def test_it_is_seen_when_later_users_are_others() -> None:
    s, y = people(np.random.default_rng(6), 4000)
    other = cells(np.column_stack([s, 0.3 * y + 8]))
    tried = try_on(index_from_cells(cohort(4), 2, 0), other, 0)
    assert tried.slope_high < 0.75


def test_a_lift_through_early_use_is_foretold() -> None:
    rng = np.random.default_rng(7)
    index = index_from_cells(cohort(8, 20_000), 2, 0)
    (c, later_c), (t, later_t) = people(rng, 20_000), people(rng, 20_000, 0.1)
    found = forecast(index, Moments.from_rows(c), Moments.from_rows(t))
    # All comes through early use but the constant 0.5 of 6.5: 10% becomes 9.2%.
    assert found.low < 0.092 < found.high
    assert found.value == pytest.approx(later_t.mean() / later_c.mean() - 1, abs=4 * found.se)
    assert found.from_effects + found.from_index + found.from_drift == pytest.approx(1)
    wide = forecast(index, Moments.from_rows(c), Moments.from_rows(t), drift_sd=0.05)
    assert wide.se > found.se


def test_a_rule_that_moves_with_the_seasons_has_a_drift() -> None:
    rng = np.random.default_rng(9)
    steady, moving = [], []
    for weight in (0.5, 1.0, 1.5, 0.2):
        s, y = people(rng, 4000)
        steady.append(cells(np.column_stack([s, weight * y])))  # the level moves, not the effect
        moving.append(cells(np.column_stack([s, y + 2 * weight * s[:, 0]])))
    control = Moments.from_rows(people(rng, 4000)[0])
    treatment = Moments(control.n, control.mean + np.array([0.4, 0.0]), control.comoment)
    assert drift(_stack(moving), 2, 0, control, treatment) > 0.005
    assert drift(_stack(steady), 2, 0, control, treatment) < 0.003
    assert drift(_stack(steady[:1]), 2, 0, control, treatment) == 0


def test_the_launchs_own_later_days_try_the_rule() -> None:
    """What is foretold and what came, against 400 launches drawn anew: se known to 3.5%."""
    rng = np.random.default_rng(10)
    teachers = cells(people(rng, 20_000)[0])
    gaps, errors = [], []
    for _ in range(400):
        control, treatment = (Moments.from_rows(people(rng, 800, more)[0]) for more in (0, 0.2))
        found = backcast(teachers, control, treatment, early=(0,), late=(1,))
        gaps.append(found.gap)
        errors.append(found.gap_se)
    # 8/(8 + 4) of a user's distance from the mean stays from week to week, so of 20% about 13%.
    assert np.mean(gaps) == pytest.approx(0.2 * 4 / 12, abs=0.01)
    assert np.mean(errors) == pytest.approx(np.std(gaps), rel=0.12)


def _stack(parts: list[Moments]) -> Moments:
    return Moments(
        np.stack([p.n for p in parts]),
        np.stack([p.mean for p in parts]),
        np.stack([p.comoment for p in parts]),
    )


def test_too_little_is_refused() -> None:
    with pytest.raises(NotEstimable, match="more users"):
        index_from_cells(cohort(1, 30), 2, 0)
    still = cells(np.column_stack([people(np.random.default_rng(1), 4000)[0], np.ones(4000)]))
    with pytest.raises(NotEstimable, match="same for all"):
        index_from_cells(still, 2, 0)
    alone = Moments.from_rows([[1.0, 2.0]])
    with pytest.raises(NotEstimable, match="too few"):
        forecast(index_from_cells(cohort(1), 2, 0), alone, alone)
