from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from octad.stats.refusal import NotEstimable
from octad.stats.serving import serving, unserved

FloatArray = NDArray[np.float64]
Stars = NDArray[np.floating]


def moments(cells: list[list[Stars]]) -> tuple[FloatArray, FloatArray, FloatArray]:
    return (
        np.array([[len(x) for x in row] for row in cells], dtype=float),
        np.array([[x.mean() for x in row] for row in cells]),
        np.array([[x.var() for x in row] for row in cells]),
    )


def test_with_many_voices_it_is_welchs_test() -> None:
    rng = np.random.default_rng(3)
    one, two = rng.integers(1, 6, 4000) * 1.0, rng.integers(2, 6, 3000) * 1.0
    found = serving(*moments([[one, two]]))
    peer = stats.ttest_ind(one, two, equal_var=False)
    assert found.value[0, 0] == pytest.approx(one.mean() - two.mean())
    # The two reviews added to the variance, and n for n − 1, are a part in a thousand here.
    assert found.value[0, 0] / found.se[0, 0] == pytest.approx(peer.statistic, rel=2e-3)
    assert found.p_adjusted[0, 0] == found.p[0, 0]


def test_a_few_reviews_that_all_agree_prove_little() -> None:
    ones, fives = np.ones(10), np.full(10, 5.0)
    found = serving(*moments([[ones, ones], [ones, fives]]))
    assert found.se[0, 0] > 0.5
    assert found.p[0, 0] == pytest.approx(1)
    assert found.p_adjusted[1, 0] < 0.01


def test_thin_cells_are_not_compared() -> None:
    found = serving(*moments([[np.ones(9), np.ones(50)], [np.ones(50), np.ones(50)]]))
    assert found.compared == 1
    assert np.isnan(found.value[0, 0])
    assert np.isnan(found.p_adjusted[0, 0])


def test_false_claims_over_a_family_of_demands_are_rare() -> None:
    rng = np.random.default_rng(11)
    shares = [0.4, 0.1, 0.1, 0.1, 0.3]
    wrong = nobody = 0
    for _ in range(300):
        cells = [[rng.choice(5, 25, p=shares) + 1.0 for _ in range(3)] for _ in range(8)]
        wrong += bool((serving(*moments(cells)).p_adjusted < 0.05).any())
        # The true mean is 2.8: at the ceiling itself nobody is below it.
        nobody += bool((unserved(*moments(cells), ceiling=2.8).p_adjusted < 0.05).any())
    # 300 rounds at a true 5% give 8.5% or less in 995 of 1,000 (binomial).
    assert wrong / 300 <= 0.085
    assert nobody / 300 <= 0.085


def test_what_nobody_serves_is_found_and_what_one_serves_is_not() -> None:
    rng = np.random.default_rng(5)
    bad = [rng.choice([1.0, 2.0], 60) for _ in range(3)]
    good = rng.choice([4.0, 5.0], 60)
    found = unserved(*moments([bad, [*bad[:2], good]]), ceiling=2.5)
    assert found.p_adjusted[0] < 0.001
    assert found.p_adjusted[1] > 0.5
    assert found.best[1] == pytest.approx(good.mean())


def test_one_product_cannot_speak_for_all() -> None:
    found = unserved(*moments([[np.ones(60), np.ones(3)]]), ceiling=2.5)
    assert np.isnan(found.p[0])


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(NotEstimable, match="demands by products"):
        serving([1.0], [1.0], [1.0])
