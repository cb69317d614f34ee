"""What is summed up of a metric: leaving out those who have nothing changes no sum."""

from __future__ import annotations

import numpy as np
import pytest

from octad.data.cell_terms import BITS, terms_of, width


@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_who_has_nothing_adds_nothing(share: float) -> None:
    rng = np.random.default_rng(3)
    n = 2_000
    y = np.where(rng.random(n) < share, rng.gamma(1.0, 20.0, n), 0.0)
    x = (rng.random(n) < share / 2).astype(float)
    counted = rng.random(n) < 0.8
    order = rng.permutation(n)
    terms = terms_of([y, np.ones(n), x, np.ones(n)], counted, order)
    assert terms.varied == (0, 2)
    assert terms.alike == {(1, 1): 1}
    assert (terms.rows is None) == (share == 0.95)
    rows = np.arange(n) if terms.rows is None else terms.rows
    assert (np.diff(rows) > 0).all()
    for own, column in zip(terms.columns, (y, x), strict=True):
        whole = np.zeros(n)
        whole[rows] = own
        np.testing.assert_array_equal(whole, np.where(counted, column, 0.0)[order])
    np.testing.assert_array_equal(terms.products[0, 1], terms.columns[0] * terms.columns[1])


def test_a_value_that_cannot_be_reckoned_with_is_seen() -> None:
    y = np.zeros(100)
    y[7] = np.nan
    every = np.ones(100, dtype=bool)
    assert not terms_of([y], every, np.arange(100)).finite
    y[7] = 1e200
    assert not terms_of([y], every, np.arange(100)).finite
    every[7] = False
    assert terms_of([y], every, np.arange(100)).finite


def test_bits_hold_every_sum() -> None:
    column = np.array([0.0, 3.0, 5.0])
    assert 1 << width(column, np.array([8.0])) > 8
    assert width(column / 2, np.array([4.0])) == BITS
    assert width(-column, np.array([0.0])) == BITS
