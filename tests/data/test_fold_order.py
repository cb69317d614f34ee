"""Rows of a funnel are put in order the fast way and the slow way alike."""

from __future__ import annotations

import numpy as np
import pytest

from octad.data.fold_order import ordered


@pytest.mark.parametrize("apart", [1, 10**6, 10**12, 10**17])
def test_rows_lie_by_group_moment_and_step(apart: int) -> None:
    rng = np.random.default_rng(apart % 97)
    group = rng.integers(0, 50, 2_000) * 3
    # Moments as far apart as this do not fit into one number with the rest, the last time.
    since = rng.integers(-20, 20, 2_000) * apart
    kind = rng.integers(0, 4, 2_000)
    step = np.array([2, 0, 1, 0])
    order = np.lexsort((np.argsort(np.argsort(step, kind="stable"))[kind], since, group))
    found = ordered(group, since, kind, step)
    for column, expected in zip(found, (group, since, kind), strict=True):
        assert column.tolist() == expected[order].tolist()


def test_nobody_is_put_in_order() -> None:
    none = np.zeros(0, dtype=np.int64)
    assert [len(c) for c in ordered(none, none, none, np.array([0, 1]))] == [0, 0, 0]
