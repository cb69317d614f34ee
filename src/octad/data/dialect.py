"""Where the SQL that Ibis writes loses time or exactness, and what is written instead.

What DuckDB is given. `measure` holds each claim against the machine; the figures are of a million
events on one thread of a busy machine, DuckDB 1.5, so two digits are too many:

========  ==========================================  =======================================
claim     the plain way                               at 1,000; 100,000; 500,000 users
========  ==========================================  =======================================
filter    ``(test).sum()``: SUM(CAST(test AS INT))    0.5; 2.0; 2.1 times as long as COUNT FILTER
huge      ``sum`` of whole numbers, 128-bit states    0.9; 0.9; 1.2 times as long as of floats
codes     texts compared                              1.6; 1.4; 1.2 times as long as whole numbers
lists     IN with fifteen words, a join               1.4; 1.3; 1.2 times as long as a list
========  ==========================================  =======================================

So FILTER pays where groups are many, as users and days are, and costs where they are few; the sums
of whole numbers were not worth a rule of their own.

What the other engines are given is in `octad.data.engines`, one compiler each, with the reason at
each rule: Ibis writes ``uniq`` and ``quantile`` for ClickHouse, which estimate, and whole seconds
for its plain times; a bare 1.5 is a decimal to Spark and PostgreSQL; ``avg`` of whole numbers is a
decimal to PostgreSQL; counts are unsigned in ClickHouse. The functions that Ibis has no name for
are in `octad.data.functions` and `octad.data.clock`, by the names that DuckDB knows them by.
"""

# ruff: noqa: S608 - the SQL holds whole numbers of ours alone
from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import ibis

__all__ = ["CLAIMS", "Claim", "Cost", "measure"]

_WORDS = 29


@dataclass(frozen=True, slots=True)
class Claim:
    """Two ways to ask DuckDB for the same.

    Attributes:
        says: What is claimed, in words.
        slow: From a table of events (word, code, user, whole), the plain way in Ibis.
        fast: The same numbers, the way they are asked for here.
    """

    says: str
    slow: Callable[[Any], Any]
    fast: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of the two ways, the least of some runs."""

    slow: float
    fast: float

    @property
    def ratio(self) -> float:
        """How many times as long the slow one takes."""
        return self.slow / self.fast


def _each(t: Any, of: Callable[[Any, int], Any]) -> Any:
    """One number for every kind of event, by user."""
    return t.group_by("user").agg(**{f"n{k}": of(t, k) for k in range(_WORDS)})


_SOME = [f"event number {k}" for k in range(0, _WORDS, 2)]


CLAIMS: Mapping[str, Claim] = {
    "filter": Claim(
        "over many groups count(where=test), a FILTER, is faster than (test).sum(), a sum of casts",
        lambda t: _each(t, lambda t, k: (t.code == k).sum()),
        lambda t: _each(t, lambda t, k: t.count(where=t.code == k)),
    ),
    "huge": Claim(
        "over very many groups whole numbers are summed faster as floats than in 128 bits",
        lambda t: _each(t, lambda t, k: t.whole.sum(where=t.code == k)),
        lambda t: _each(t, lambda t, k: t.whole.cast("float64").sum(where=t.code == k)),
    ),
    "codes": Claim(
        "small whole numbers are compared faster than the texts they stand for",
        lambda t: _each(t, lambda t, k: t.count(where=t.word == f"event number {k}")),
        lambda t: _each(t, lambda t, k: t.count(where=t.code == k)),
    ),
    "lists": Claim(
        "a look into a list is no join, where IN with many words is one",
        lambda t: t.agg(n=t.count(where=t.word.isin(_SOME))),
        lambda t: t.agg(n=t.count(where=ibis.array(_SOME).contains(t.word))),
    ),
}
"""By a short name."""


def measure(
    backend: Any, name: str, *, rows: int = 2_000_000, users: int = 100_000, times: int = 3
) -> Cost:
    """Hold a claim against the machine.

    Args:
        backend: An Ibis DuckDB backend, in which a temporary table is made.
        name: A key of `CLAIMS`.
        rows: How many events to make; no data are read.
        users: How many groups they fall into, which decides some of the claims.
        times: Runs of each way; the least counts, for the others were disturbed.
    """
    code = f"i * 7919 % {_WORDS}"
    backend.raw_sql(
        f"CREATE OR REPLACE TEMP TABLE octad_claim AS SELECT 'event number ' || ({code}) AS word, "
        f"({code})::TINYINT AS code, (i * 104729 % {int(users)})::INTEGER AS user, "
        f"(i % 997)::BIGINT AS whole FROM range({int(rows)}) r(i)"
    )
    table, claim = backend.table("octad_claim"), CLAIMS[name]
    spent: dict[bool, list[float]] = {True: [], False: []}
    try:
        for _ in range(times):
            for fast in (False, True):
                asked = (claim.fast if fast else claim.slow)(table)
                start = time.perf_counter()
                backend.to_pyarrow(asked)
                spent[fast].append(time.perf_counter() - start)
    finally:
        backend.raw_sql("DROP TABLE IF EXISTS octad_claim")
    return Cost(min(spent[False]), min(spent[True]))
