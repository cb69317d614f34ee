"""Columns of users that are put away come back as they were, to the last digit."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from octad.data.fold_sums import _Packed

RNG = np.random.default_rng(5)
COLUMNS = {
    "few counts": np.where(RNG.random(5_000) < 0.02, RNG.poisson(3, 5_000), 0).astype(float),
    "counts": RNG.poisson(4, 5_000).astype(float),
    "large counts": RNG.integers(0, 60_000, 5_000).astype(float),
    "huge counts": RNG.integers(0, 2**40, 5_000).astype(float),
    "few sums": np.where(RNG.random(5_000) < 0.02, RNG.gamma(0.5, 40.0, 5_000), 0.0),
    "sums": RNG.gamma(0.5, 40.0, 5_000),
    "below zero": -RNG.poisson(4, 5_000).astype(float),
    "one unknown": np.where(np.arange(5_000) == 17, np.nan, 1.0),
    "nobody": np.zeros(0),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_comes_back(name: str) -> None:
    column: NDArray[np.float64] = COLUMNS[name]
    packed = _Packed.of(column)
    np.testing.assert_array_equal(packed.unpacked(len(column)), column)
    assert packed.size <= column.nbytes


def test_little_takes_little_room() -> None:
    assert _Packed.of(COLUMNS["few counts"]).size < 1_000
    assert _Packed.of(COLUMNS["counts"]).size == 5_000
