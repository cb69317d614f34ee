"""The largest users: where they are cut, and how much they hold, worked out in the engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from octad.data.cells import TOP
from octad.data.sql.cells import Cut
from octad.data.sql.layout import Key
from octad.data.sql.people import IntArray
from octad.data.sql.ranks import inverted_rank, values_at
from octad.data.sql.units import Units
from octad.data.tape import Tape
from octad.model.inputs import Tail

__all__ = ["cuts_of", "tails_of"]

FloatArray = NDArray[np.float64]


def cuts_of(
    tape: Tape, units: Units, asked: Iterable[tuple[Key, float]]
) -> Mapping[tuple[Key, float], Cut]:
    """Where metrics are cut, by the quantile of all users together, those with 0 included.

    As `octad.data.cells.winsorized`: where the quantile is 0, nothing is cut.
    """
    wanted = tuple(dict.fromkeys(asked))
    if not wanted:
        return {}
    keys = tuple(dict.fromkeys(key for key, _ in wanted))
    n = {key: int(units.ended[units.units[units.number(key)].reach].sum()) for key in keys}
    table = units.of(keys)
    counted = [
        table.group_by(group=table.metric * 2 + side, value=table[column]).agg(times=table.count())
        for side, column in enumerate(("y", "x"))
    ]
    counted.append(_zeros(tape, units, keys, n))
    ranks = {(key, level): inverted_rank(n[key], level) for key, level in wanted if n[key]}
    found = values_at(
        tape,
        "values above which users are cut",
        ibis.union(*[_typed(part) for part in counted]),
        [
            (units.number(key) * 2 + side, rank)
            for (key, _), rank in ranks.items()
            for side in (0, 1)
        ],
    )

    def edge(key: Key, level: float, side: int) -> float | None:
        cut = found.get((units.number(key) * 2 + side, ranks.get((key, level), -1)), 0.0)
        return cut if cut > 0 else None

    return {(k, level): Cut(edge(k, level, 0), edge(k, level, 1)) for k, level in wanted}


def _typed(part: ibis.Table) -> ibis.Table:
    return part.select(
        group=part.group.cast("int32"), value=part.value, times=part.times.cast("int64")
    )


def _zeros(tape: Tape, units: Units, keys: Iterable[Key], n: Mapping[Key, int]) -> ibis.Table:
    """Users without rows, whose value is 0."""
    rows, _ = tape.read("users with rows", units.of(keys).group_by("metric").agg(n=ibis._.count()))
    there = dict(zip(rows["metric"].to_pylist(), rows["n"].to_pylist(), strict=True))
    listed = [(units.number(key), n[key] - there.get(units.number(key), 0)) for key in keys]
    return tape.place(
        "zeros",
        pa.table(
            {
                "group": pa.array([m * 2 + side for m, _ in listed for side in (0, 1)], pa.int32()),
                "value": pa.array([0.0] * (2 * len(listed)), pa.float64()),
                "times": pa.array([k for _, k in listed for _ in (0, 1)], pa.int64()),
            }
        ),
    )


def tails_of(tape: Tape, units: Units, keys: Iterable[Key]) -> dict[Key, Tail]:
    """The largest users of each arm, without their names; nothing cut."""
    wanted = tuple(keys)
    if not wanted:
        return {}
    n = {key: units.ended[units.units[units.number(key)].reach].sum(axis=1) for key in wanted}
    t = units.of(wanted)
    sums, _ = tape.read(
        "sums by arm", t.group_by("metric", "code").agg(n=t.count(), total=t.y.sum())
    )
    there = {(r["metric"], r["code"]): (r["n"], r["total"]) for r in sums.to_pylist()}
    ranked = t.mutate(rank=ibis.row_number().over(group_by=["metric", "code"], order_by=t.y.desc()))
    top, _ = tape.read(
        "the largest users of each arm",
        ranked.filter(ranked.rank < TOP).select("metric", "code", "y"),
    )
    shares = _shares(tape, units, ranked, n, there)
    metric, code, y = (top[c].to_numpy() for c in ("metric", "code", "y"))
    found = {}
    for key in wanted:
        number, users = units.number(key), n[key]
        arms = len(users)
        tail = Tail(
            metric=key[1],
            top=np.full((arms, TOP), np.nan),
            total=np.zeros(arms),
            n=users.astype(np.int64),
            top_share=np.zeros(arms),
        )
        for a in range(arms):
            rows, total = there.get((number, a), (0, 0.0))
            zeros = np.zeros(min(TOP, int(users[a]) - rows))
            largest = -np.sort(-np.concatenate([y[(metric == number) & (code == a)], zeros]))[:TOP]
            tail.top[a, : len(largest)] = largest
            tail.total[a] = total
            tail.top_share[a] = shares.get((number, a), 0.0) / total if total > 0 else 0.0
        found[key] = tail
    return found


def _shares(
    tape: Tape,
    units: Units,
    ranked: ibis.Table,
    n: Mapping[Key, IntArray],
    there: Mapping[tuple[int, int], tuple[int, float]],
) -> dict[tuple[int, int], float]:
    """What the largest hundredth of each arm's users hold.

    Users without rows stand between those above and those below 0.
    """
    rows: list[tuple[int, int, int, int]] = []
    for key, users in n.items():
        number = units.number(key)
        for a, total in enumerate(users.tolist()):
            absent = total - there.get((number, a), (0, 0.0))[0]
            rows.append((number, a, max(1, total // 100), absent))
    columns: Any = zip(*rows, strict=True)
    names = ("metric", "code", "first", "absent")
    kinds = (pa.int32(), pa.int32(), pa.int64(), pa.int64())
    listed = tape.place(
        "hundredths",
        pa.table({n: pa.array(c, k) for n, c, k in zip(names, columns, kinds, strict=True)}),
    )
    t = ranked.join(listed, ["metric", "code"])
    rank = t["rank"] + ibis.ifelse(t.y < 0, t.absent, 0)
    held = t.filter(rank < t["first"])
    got, _ = tape.read(
        "what the largest hundredth of users hold",
        held.group_by("metric", "code").agg(held=held.y.sum()),
    )
    return {(r["metric"], r["code"]): float(r["held"]) for r in got.to_pylist()}
