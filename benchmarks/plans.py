"""``python -m benchmarks.plans``: the ways there are to add events up, and what each costs.

Each is one statement on the benchmark's data (`BENCH_EVENTS`, 20 million by default). Seconds
alone say little on another machine; what lasts is how the ways compare, so each group is shown
beside its own first line.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

import duckdb
import numpy as np

from benchmarks.world import HOME, NAMES, World, make

__all__ = ["PLANS", "Group", "measure"]

DAY = 86_400_000_000
_SPANS = ((-28, 0), (0, 14), (0, 28))


@dataclass(frozen=True, slots=True)
class Group:
    """Ways to do one thing; the first is what the others are held against.

    Attributes:
        title: The thing.
        ways: Name to statement; `{events}` stands for the files.
    """

    title: str
    ways: tuple[tuple[str, str], ...]


def _codes(how: str) -> str:
    if how == "case":
        when = " ".join(f"WHEN '{name}' THEN {i}" for i, name in enumerate(NAMES))
        return f"(CASE name {when} ELSE 99 END)::TINYINT"
    if how == "list":
        return f"(list_position({list(NAMES)}, name) - 1)::TINYINT"
    return "enum_code(name::event_name)"


def _coded(code: str, before: str | None = None) -> str:
    """The tape, with a name's code worked out after the join, or before it."""
    rows = "{events}" if before is None else f"(SELECT *, {before} AS code FROM {{events}})"
    return (
        f"CREATE OR REPLACE TEMP TABLE coded AS SELECT uid, {code} AS code, "
        f"epoch_us(ts) - met AS since, amount FROM {rows} JOIN people USING (user_id)"
    )


def _wide(term: str) -> str:
    """A column for each of 30 names and 3 windows, from a term over the condition."""
    return ", ".join(
        f"{term.format(when=f'code = {i} AND since >= {a} * {DAY} AND since < {b} * {DAY}')} "
        f"AS c{i}_{k}"
        for i in range(len(NAMES))
        for k, (a, b) in enumerate(_SPANS)
    )


def _named(term: str, column: str) -> str:
    values = NAMES if column == "name" else range(len(NAMES))
    return ", ".join(
        f"{term.format(when=f'{column} = {value!r}')} AS c{i}" for i, value in enumerate(values)
    )


_SPAN_COUNTS = ", ".join(f"count(*) FILTER (span = {i})::INT AS n{i}" for i in range(7))
_SINCE = (-28, -7, 0, 7, 14, 21, 28, 99)
_MOMENT_COUNTS = ", ".join(
    f"count(*) FILTER (since >= {a} * {DAY} AND since < {b} * {DAY})::INT AS n{i}"
    for i, (a, b) in enumerate(pairwise(_SINCE))
)
_CELL = (
    "metric, cell, {}, sum(y) AS y, sum(x) AS x, sum(y * y) AS yy, sum(x * x) AS xx, "
    "sum(y * x) AS yx"
)


def _by_user(term: str, column: str = "code", table: str = "tape") -> str:
    return f"SELECT uid, {_named(term, column)} FROM {table} GROUP BY uid"


_PAIRS = [(i, j) for i in range(3) for j in range(3, 6)]

PLANS = (
    Group(
        "Reading the files",
        (
            ("count rows by day", "SELECT ts::DATE, count(*) FROM {events} GROUP BY 1"),
            (
                "count rows by day and name",
                "SELECT ts::DATE, name, count(*) FROM {events} GROUP BY ALL",
            ),
            (
                "join to the users compared, and count",
                "SELECT count(*) FROM {events} JOIN people USING (user_id)",
            ),
        ),
    ),
    Group(
        "From names to codes, joined, into a table in memory",
        (
            ("CASE, after the join", _coded(_codes("case"))),
            ("ENUM, after the join", _coded(_codes("enum"))),
            ("a place in a list, before the join", _coded("code", _codes("list"))),
        ),
    ),
    Group(
        "Thirty sums over names, one group a user",
        (
            ("count(*) FILTER over codes", _by_user("count(*) FILTER ({when})")),
            (
                "count(*) FILTER over strings",
                _by_user("count(*) FILTER ({when})", "name", "spoken"),
            ),
            (
                "sum(CASE) over codes, as (condition).sum() becomes",
                _by_user("sum(CASE WHEN {when} THEN 1 ELSE 0 END)"),
            ),
            ("the same as doubles", _by_user("sum(CASE WHEN {when} THEN 1.0::DOUBLE ELSE 0 END)")),
        ),
    ),
    Group(
        "Users, names and windows",
        (
            (
                "long: by user and name, spans as FILTERs over a byte",
                f"SELECT key, {_SPAN_COUNTS} FROM tape GROUP BY key",
            ),
            (
                "long: the same FILTERs over moments",
                f"SELECT key, {_MOMENT_COUNTS} FROM tape GROUP BY key",
            ),
            (
                "long: by user, name and day",
                "SELECT uid, code, day, count(*) FROM tape GROUP BY ALL",
            ),
            (
                "wide: a column for each name and window",
                f"SELECT uid, {_wide('count(*) FILTER ({when})')} FROM tape GROUP BY uid",
            ),
        ),
    ),
    Group(
        "Nine pairs of attributes by arm and bucket",
        (
            (
                "GROUPING SETS",
                "SELECT "
                + _CELL.format(", ".join(f"a{i}" for i in range(6)))
                + " FROM long GROUP BY GROUPING SETS ("
                + ", ".join(f"(metric, cell, a{i}, a{j})" for i, j in _PAIRS)
                + ")",
            ),
            (
                "one query a pair",
                ";".join(
                    "CREATE OR REPLACE TEMP TABLE one AS SELECT "
                    + _CELL.format(f"a{i}, a{j}")
                    + " FROM long GROUP BY ALL"
                    for i, j in _PAIRS
                ),
            ),
        ),
    ),
)


def _prepare(con: Any, world: World) -> None:
    """Everything that the statements start from."""
    folder = world.folder / "data"
    con.execute("SET preserve_insertion_order = false")
    con.execute(f"CREATE TYPE event_name AS ENUM {tuple(NAMES)}")
    con.execute(
        "CREATE TEMP TABLE people AS SELECT (row_number() OVER (ORDER BY b, arm) - 1)::INT AS uid, "
        "user_id, met, ((arm = 'on')::INT * 512 + b)::SMALLINT AS cell, "
        + ", ".join(f"substr(a{i}, 2)::TINYINT AS a{i}" for i in range(6))
        + " FROM (SELECT *, epoch_us(ts) AS met, "
        "(('0x' || substr(md5(user_id), 1, 3))::INT % 512)::SMALLINT AS b "
        f"FROM '{folder}/exposures.parquet') JOIN '{folder}/users.parquet' USING (user_id)"
    )
    spans = " ".join(f"WHEN since < {d} * {DAY} THEN {i}" for i, d in enumerate(_SINCE[1:-1]))
    con.execute(
        f"CREATE TEMP TABLE tape AS SELECT uid, code, uid * 32 + code AS key, since, amount, "
        f"(CASE {spans} ELSE 6 END)::TINYINT AS span, (since // {DAY})::SMALLINT AS day FROM ("
        f"SELECT uid, code, epoch_us(ts) - met AS since, amount FROM (SELECT *, {_codes('list')} "
        f"AS code FROM '{folder}/events/*.parquet') JOIN people USING (user_id))"
    )
    con.execute(
        f"CREATE TEMP TABLE spoken AS SELECT uid, {list(NAMES)}[code + 1] AS name FROM tape"
    )
    con.execute(
        "CREATE TEMP TABLE long AS SELECT code AS metric, cell, y, x, COLUMNS('^a[0-5]$') FROM ("
        "SELECT uid, code, count(*) FILTER (span > 1)::DOUBLE AS y, "
        "count(*) FILTER (span < 2)::DOUBLE AS x FROM tape GROUP BY ALL) JOIN people USING (uid)"
    )


def measure(world: World, repeats: int = 3) -> list[tuple[str, list[tuple[str, float]]]]:
    """Seconds of every way, the ways of a group in turn, median of `repeats`."""
    con = duckdb.connect()
    con.execute(f"SET temp_directory = '{world.folder / '.spill'}'")
    _prepare(con, world)
    events = f"'{world.folder}/data/events/*.parquet'"
    found = []
    for group in PLANS:
        taken: dict[str, list[float]] = {name: [] for name, _ in group.ways}
        for _ in range(repeats):
            for name, sql in group.ways:
                taken[name].append(_timed(con, sql.replace("{events}", events)))
        found.append((group.title, [(name, median(times)) for name, times in taken.items()]))
    found.append(("What leaves the engine, added up in numpy", _folded(con)))
    con.close()
    return found


def _timed(con: Any, sql: str) -> float:
    start = time.perf_counter()
    for statement in sql.split(";"):
        # A count over the result makes the engine finish it, and brings nothing over.
        made = statement.startswith("CREATE")
        con.execute(statement if made else f"CREATE OR REPLACE TEMP TABLE made AS {statement}")
    return time.perf_counter() - start


def _folded(con: Any) -> list[tuple[str, float]]:
    """The tape as Arrow, and one sum over it by user and name."""
    start = time.perf_counter()
    rows = con.execute("SELECT key, span FROM tape").to_arrow_table()
    brought = time.perf_counter() - start
    start = time.perf_counter()
    key, span = rows["key"].to_numpy(), rows["span"].to_numpy()
    np.bincount(key.astype(np.int64) * 8 + span)
    return [
        ("the tape, brought over as Arrow", brought),
        ("counts by user, name and span, in numpy", time.perf_counter() - start),
    ]


def main(words: Sequence[str] | None = None) -> int:
    """Print the table.

    Returns:
        0.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plans", description=__doc__)
    events = int(os.environ.get("BENCH_EVENTS", "20000000"))
    parser.add_argument("--events", type=int, default=events)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args(words)
    for title, ways in measure(make(asked.events, home=HOME), asked.repeats):
        print(f"\n{title}")
        first = ways[0][1]
        for name, seconds in ways:
            print(f"  {name:<58} {seconds:8.2f} s  {seconds / first:6.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
