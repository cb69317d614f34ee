"""The text kept beside a number makes that number again, by itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import ibis
import pyarrow as pa

from octad.data.tape import Tape, digest
from octad.model.needs import Needs
from tests.data.small import gathered, plan_of, random_world, write_world

AGAIN = """
import sys, duckdb
sql = sys.stdin.read()
print(len(duckdb.connect().execute(sql).fetchall()))
"""


def test_every_query_runs_again_by_itself_in_the_projects_folder(tmp_path: Path) -> None:
    world = random_world(2, users=60)
    root = write_world(world, tmp_path / "project")
    metrics = frozenset({"opens", "through", "wait"})
    needs = Needs(totals=metrics, daily=metrics, walks=True, volume=True, stories=2)
    queries = gathered(root, plan_of(world), needs).queries
    said = {what for what, _ in queries.values()}
    assert {"events of those compared", "who is compared", "the sampled users"} <= said
    for key, (_, sql) in queries.items():
        assert key == digest(sql)
        assert str(root) not in sql
    for what in ("events of those compared", "who is compared"):
        sql = next(sql for said, sql in queries.values() if said == what)
        again = subprocess.run(
            [sys.executable, "-c", AGAIN],
            input=sql,
            cwd=root,
            env={**os.environ, "PYTHONWARNINGS": "error"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert int(again.stdout) > 10


def test_a_stream_may_lean_on_a_small_table_of_ours() -> None:
    backend = ibis.duckdb.connect()
    rows = backend.create_table("t", pa.table({"a": [1, 2, 3]}))
    few = ibis.memtable(pa.table({"a": [2]}))
    pieces, _ = Tape(backend).stream("some", rows.anti_join(few, "a"))
    assert sorted(v for piece in pieces for v in piece["a"].to_pylist()) == [1, 3]
    backend.disconnect()
