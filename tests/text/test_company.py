"""Counts of shared documents, beside the product of tables that says the same."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from octad.text import company as module
from octad.text.company import company


@pytest.mark.parametrize("most", [1, 50, 4_000_000])
def test_counts_are_those_of_the_product_of_tables(
    monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(module, "_MOST_PAIRS", most)
    rng = np.random.default_rng(3)
    dense = (rng.random((80, 12)) < 0.3).astype(np.int32)
    table = sparse.csr_matrix(dense)
    weights = rng.integers(0, 9, (4, 80)).astype(np.float64)
    for weight, both in zip(weights, company(table, weights), strict=True):
        np.testing.assert_array_equal(both, dense.T @ (weight[:, None] * dense))


def test_empty_documents_and_no_documents_count_nothing() -> None:
    empty = sparse.csr_matrix(np.zeros((5, 3), dtype=np.int32))
    assert not company(empty, np.ones((2, 5))).any()
    assert not company(empty[:0], np.ones((2, 0))).any()
