"""Both ways of every claim about DuckDB give the same numbers, and can be timed."""

from __future__ import annotations

import ibis
import pyarrow as pa
import pytest

from octad.data.dialect import CLAIMS, measure


@pytest.mark.parametrize("name", sorted(CLAIMS))
def test_both_ways_give_the_same(name: str) -> None:
    backend = ibis.duckdb.connect()
    rows = pa.table(
        {
            "word": [f"event number {i % 29}" for i in range(2_000)],
            "code": pa.array([i % 29 for i in range(2_000)], pa.int8()),
            "user": pa.array([i * 7 % 13 for i in range(2_000)], pa.int32()),
            "whole": pa.array(range(2_000), pa.int64()),
        }
    )
    table, claim = backend.create_table("t", rows), CLAIMS[name]
    one, two = (
        sorted(
            tuple(float(value or 0) for value in row.values())
            for row in way(table).to_pyarrow().to_pylist()
        )
        for way in (claim.slow, claim.fast)
    )
    assert one == two
    cost = measure(backend, name, rows=1_000, users=10, times=1)
    assert cost.ratio > 0
    assert backend.raw_sql("SHOW TABLES").fetchall() == [("t",)]
    backend.disconnect()
