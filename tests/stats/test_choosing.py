"""Whom to read: held against every possible choice on a small set."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from octad.stats.choosing import gaussian_kernel, mmd_squared, prototypes_and_criticisms
from octad.stats.refusal import NotEstimable


def _clusters(seed: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centres = np.array([[0.0, 0.0], [6.0, 0.0], [0.0, 6.0]])
    return np.concatenate([c + rng.normal(0, 0.3, (30, 2)) for c in centres])


def test_the_greedy_choice_reaches_its_bound_of_the_best_of_all() -> None:
    rng = np.random.default_rng(5)
    for _ in range(20):
        kernel = gaussian_kernel(rng.normal(size=(9, 2)))
        found = prototypes_and_criticisms(kernel, 3, 0)
        empty = kernel.mean()
        best = max(empty - mmd_squared(kernel, c) for c in combinations(range(9), 3))
        assert empty - found.mmd2 >= (1 - 1 / np.e) * best


def test_one_prototype_is_the_medoid_of_similarity() -> None:
    kernel = gaussian_kernel(np.random.default_rng(1).normal(size=(40, 3)))
    assert prototypes_and_criticisms(kernel, 1, 0).prototypes == (
        int(kernel.mean(axis=1).argmax()),
    )


def test_prototypes_take_one_of_each_kind_and_criticisms_those_left_out() -> None:
    kernel = gaussian_kernel(_clusters())
    assert {p // 30 for p in prototypes_and_criticisms(kernel, 3, 0).prototypes} == {0, 1, 2}
    two = prototypes_and_criticisms(kernel, 2, 1)
    assert {p // 30 for p in (*two.prototypes, *two.criticisms)} == {0, 1, 2}


def test_more_prototypes_stand_for_the_rest_better() -> None:
    kernel = gaussian_kernel(_clusters())
    sizes = [prototypes_and_criticisms(kernel, k, 0).mmd2 for k in (1, 3, 9)]
    assert sizes[0] > sizes[1] > sizes[2]


def test_copies_are_never_criticised_twice() -> None:
    rows = np.repeat(np.array([[0.0], [1.0], [5.0]]), 4, axis=0)
    found = prototypes_and_criticisms(gaussian_kernel(rows), 1, 11)
    assert len(found.criticisms) == len({rows[i, 0] for i in found.criticisms})


def test_only_those_allowed_are_chosen() -> None:
    rows = _clusters()
    among = np.zeros(90, dtype=bool)
    among[[2, 33, 64]] = True
    found = prototypes_and_criticisms(gaussian_kernel(rows), 5, 5, among)
    assert sorted(found.prototypes + found.criticisms) == [2, 33, 64]


def test_nothing_to_choose_from_is_said() -> None:
    with pytest.raises(NotEstimable, match="nothing to choose"):
        gaussian_kernel(np.zeros((0, 2)))
    with pytest.raises(NotEstimable, match="finite"):
        gaussian_kernel([[np.nan]])
    with pytest.raises(NotEstimable, match="at least one"):
        prototypes_and_criticisms(np.eye(2), 1, 0, [False, False])
    with pytest.raises(NotEstimable, match="nothing has been chosen"):
        mmd_squared(np.eye(2), [])
    with pytest.raises(NotEstimable, match="draw a sample"):
        gaussian_kernel(np.zeros((5001, 1)))
