"""Order statistics read off running counts are numpy's quantiles."""

from __future__ import annotations

import ibis
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from octad.data.sql.ranks import inverted_rank, linear_ranks, values_at
from octad.data.tape import Tape

levels = st.one_of(st.floats(0.001, 0.9999), st.sampled_from([0.25, 0.5, 0.75, 0.9, 0.99, 0.999]))


@given(st.integers(1, 5_000), levels)
def test_a_cut_has_numpys_rank(n: int, level: float) -> None:
    assert inverted_rank(n, level) == np.quantile(np.arange(n), level, method="inverted_cdf")


@given(st.integers(1, 5_000), levels)
def test_a_quantile_lies_between_numpys_ranks(n: int, level: float) -> None:
    low, high, part = linear_ranks(n, level)
    values = np.arange(n, dtype=float) ** 1.5
    assert np.quantile(values[[low, high]], part) == np.quantile(values, level)


def test_ranks_within_groups() -> None:
    rng = np.random.default_rng(4)
    group = rng.integers(0, 3, 500)
    value = rng.integers(-4, 9, 500).astype(float)
    rows = pa.table({"group": group.astype("int32"), "value": value, "times": [1] * 500})
    table = ibis.memtable(rows)
    tape = Tape(ibis.duckdb.connect())
    asked = [(g, r) for g in range(3) for r in (0, 7, 80, 10_000)]
    found = values_at(tape, "some ranks", table, asked)
    assert (0, 10_000) not in found
    for g in range(3):
        ordered = np.sort(value[group == g])
        for rank in (0, 7, 80):
            assert found[g, rank] == ordered[rank]
    tape.backend.disconnect()


def test_nothing_asked_runs_nothing() -> None:
    assert values_at(Tape(None), "nothing", ibis.table({"group": "int32"}, name="t"), []) == {}


@pytest.mark.parametrize("n", [1, 2, 10])
def test_ranks_stay_within_what_there_is(n: int) -> None:
    assert 0 <= inverted_rank(n, 0.999) < n
    assert 0 <= linear_ranks(n, 1.0)[1] < n
