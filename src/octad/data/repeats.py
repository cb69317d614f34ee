"""Rows that are there twice: which copy stays, found without sorting what is not repeated."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import ibis
import ibis.expr.types as ir

from octad.data.columns import known_columns
from octad.data.engines.base import abilities_of
from octad.data.raw import FILE, ROW, TRACE
from octad.data.shape import KEY

__all__ = ["TWO_ARMS", "drop_repeats"]

TWO_ARMS = "one user in two arms"


def drop_repeats(name: str, table: ir.Table) -> tuple[ir.Table, int, Mapping[str, int]]:
    """Leave one copy of every row.

    Of users the copy known last stays, of reviews the one written last (an edited review comes
    again), of everything else the first. A user who is in two arms of a `units` source is out
    altogether. The rows to drop are few, so they are looked up in a small table and the scan of
    the others stays a plain scan.

    Args:
        name: Which source it is.
        table: Its sound rows.

    Returns:
        The table, how many copies were dropped, and rows that are out by reason.
    """
    out: dict[str, int] = {}
    if not abilities_of(table).words:
        return _ranked(name, table)
    if name in {"users", "units"}:
        if name == "units":
            by_user = table.group_by("user").aggregate(arms=table["arm"].nunique(), n=table.count())
            torn = _fetched(by_user.filter(by_user["arms"] > 1))
            if torn is not None:
                out[TWO_ARMS] = int(torn["n"].sum().to_pyarrow().as_py())
                table = table.anti_join(torn, "user")
        return *_first_of_each(table, "user", _order(name, table)), out
    if KEY not in table.columns:
        return table, 0, out
    return *_first_of_each(table, KEY, _order(name, table)), out


def _ranked(name: str, table: ir.Table) -> tuple[ir.Table, int, Mapping[str, int]]:
    """The same on engines beside DuckDB: copies are ranked in the engine.

    A table there has no order of its own, so equal copies are told apart by all their columns:
    whichever stays, it stays every time.
    """
    out: dict[str, int] = {}
    key = "user" if name in {"users", "units"} else KEY
    if key not in table.columns:
        return table, 0, out
    if name == "units":
        by_user = table.group_by("user").aggregate(arms=table["arm"].nunique(), n=table.count())
        torn = by_user.filter(by_user["arms"] > 1)
        lost = torn.aggregate(n=torn["n"].sum()).to_pyarrow()["n"][0].as_py()
        if lost:
            out[TWO_ARMS] = int(lost)
            table = table.anti_join(torn, "user")
    counts = table.group_by(key).aggregate(n=table.count())
    more = counts.filter((counts["n"] > 1) & counts[key].notnull())
    copies = more.aggregate(n=(more["n"] - 1).sum()).to_pyarrow()["n"][0].as_py()
    if not copies:
        return table, 0, out
    # Ibis keeps the last word on a column that is named twice in an order.
    order = [*_order(name, table), *_tie_breakers(table, but={"known", "time", key})]
    window = ibis.window(group_by=table[key], order_by=order)
    ranked = table.mutate(_copy=ibis.row_number().over(window))
    kept = ranked.filter((ranked["_copy"] == 0) | ranked[key].isnull()).drop("_copy")
    return kept, int(copies), out


def _tie_breakers(table: ir.Table, but: Collection[str]) -> list[ir.Value]:
    """All columns in an order that no engine's collation changes: texts by their digest."""
    plain = [c for c in known_columns(table) if c not in but and not table[c].type().is_nested()]
    return [
        ibis.asc(
            table[c].hexdigest("md5") if table[c].type().is_string() else table[c],
            nulls_first=False,
        )
        for c in plain
    ]


def _order(name: str, table: ir.Table) -> list[ir.Value]:
    trace = [table[c] for c in TRACE if c in table.columns]
    if name == "users":
        return [ibis.desc(table["known"], nulls_first=False), *trace]
    if name == "units":
        return trace
    return [ibis.desc(table["time"]) if name == "reviews" else table["time"], *trace]


def _fetched(table: ir.Table) -> ir.Table | None:
    """A small table brought over, so that it is worked out once; None when it is empty."""
    rows = table.to_pyarrow()
    return ibis.memtable(rows) if rows.num_rows else None


def _first_of_each(table: ir.Table, key: str, order: list[ir.Value]) -> tuple[ir.Table, int]:
    counts = table.group_by(key).aggregate(n=table.count())
    twice = _fetched(counts.filter((counts["n"] > 1) & counts[key].notnull()).select(key))
    if twice is None:
        return table, 0
    suspects = table.semi_join(twice, key)
    window = ibis.window(group_by=suspects[key], order_by=[_on(suspects, o) for o in order])
    copies = suspects.mutate(_copy=ibis.row_number().over(window))
    later = copies.filter(copies["_copy"] > 0)
    if FILE in table.columns and ROW in table.columns:
        rows = _fetched(later.select(FILE, ROW))
        if rows is None:
            return table, 0
        return table.anti_join(rows, [FILE, ROW]), int(rows.count().to_pyarrow().as_py())
    place = ibis.row_number().over(ibis.window(group_by=table[key], order_by=order))
    ranked = table.mutate(_copy=place)
    kept = ranked.filter((ranked["_copy"] == 0) | ranked[key].isnull()).drop("_copy")
    return kept, int(later.count().to_pyarrow().as_py())


def _on(table: ir.Table, order: ir.Value) -> ir.Value:
    """The same order, over another table with the same columns."""
    name = order.get_name()
    op = order.op()
    if type(op).__name__ == "SortKey":
        wrap = ibis.asc if op.ascending else ibis.desc
        return wrap(table[name], nulls_first=op.nulls_first)
    return table[name]
