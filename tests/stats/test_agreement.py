"""Agreement of readers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from statsmodels.stats.inter_rater import cohens_kappa

from octad.stats.agreement import Level, cohen_kappa, krippendorff_alpha
from octad.stats.refusal import NotEstimable
from tests.reference.rows_readers import KRIPPENDORFF_C

FloatArray = NDArray[np.float64]
PUBLISHED: tuple[tuple[Level, float], ...] = (
    ("nominal", 0.743),
    ("ordinal", 0.815),
    ("interval", 0.849),
    ("ratio", 0.797),
)


@pytest.mark.parametrize(("scale", "published"), PUBLISHED)
def test_krippendorffs_own_example(scale: Level, published: float) -> None:
    found = krippendorff_alpha(KRIPPENDORFF_C, scale)
    assert round(found.value, 3) == published
    assert found.low < found.value < found.high
    assert found.n == 11  # one of the twelve was judged by one reader only


@given(hnp.arrays(np.float64, (3, 3), elements=st.integers(1, 30).map(float)))
def test_kappa_agrees_with_statsmodels(table: FloatArray) -> None:
    for ours, theirs in (("none", None), ("linear", "linear"), ("quadratic", "quadratic")):
        found = cohen_kappa(table, ours)  # type: ignore[arg-type]
        other = cohens_kappa(table, wt=theirs)
        assert found.value == pytest.approx(other.kappa, abs=1e-12)
        assert found.low == pytest.approx(other.kappa_low, abs=1e-9)


@given(
    hnp.arrays(np.float64, (8, 3), elements=st.integers(1, 4).map(float)), st.permutations(range(3))
)
def test_order_of_readers_and_names_of_categories_do_not_matter(
    ratings: FloatArray, order: list[int]
) -> None:
    if len(np.unique(ratings)) < 2:
        return
    here = krippendorff_alpha(ratings)
    assert krippendorff_alpha(ratings[:, order]).value == pytest.approx(here.value)
    assert krippendorff_alpha(10 - ratings).value == pytest.approx(here.value)
    assert here.value <= 1 + 1e-12


def test_perfect_and_chance() -> None:
    same = np.repeat([[1.0], [2.0], [3.0], [1.0]], 2, axis=1)
    assert krippendorff_alpha(same).value == 1
    assert cohen_kappa(np.diag([5, 7])).value == 1
    rng = np.random.default_rng(1)
    random = rng.integers(0, 3, (4000, 2)).astype(float)
    assert krippendorff_alpha(random[:300]).value == pytest.approx(0, abs=0.15)
    table = np.zeros((3, 3))
    np.add.at(table, tuple(random.astype(int).T), 1)
    assert cohen_kappa(table).value == pytest.approx(0, abs=0.04)


def test_intervals_cover() -> None:
    rng = np.random.default_rng(2)

    def read(n: int) -> FloatArray:
        truth = rng.integers(0, 3, n)
        return np.column_stack(
            [np.where(rng.random(n) < 0.8, truth, rng.integers(0, 3, n)) for _ in range(2)]
        ).astype(float)

    target = krippendorff_alpha(read(1500)).value  # .64, good to .02
    assert target == pytest.approx(0.64, abs=0.06)
    held = 0
    for _ in range(150):
        found = krippendorff_alpha(read(60))
        held += found.low <= 0.64 <= found.high
    assert held / 150 > 0.95 - 3 * 0.0178


def test_refuses() -> None:
    with pytest.raises(NotEstimable, match="same one thing"):
        cohen_kappa([[5, 0], [0, 0]])
    with pytest.raises(NotEstimable, match="read by both"):
        cohen_kappa(np.zeros((2, 2)))
    with pytest.raises(NotEstimable, match="both ways"):
        cohen_kappa([[1, 2]])
    with pytest.raises(NotEstimable, match="same one thing"):
        krippendorff_alpha([[1, 1], [1, 1]])
    with pytest.raises(NotEstimable, match="two readers"):
        krippendorff_alpha([[1, np.nan]])
    with pytest.raises(NotEstimable, match="negative"):
        krippendorff_alpha([[1, -1]], "ratio")
    two = krippendorff_alpha([[1.0, 2.0], [1.0, 1.0]])
    assert two.low == two.high == two.value
