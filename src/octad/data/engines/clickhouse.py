"""ClickHouse, a server's or chDB's: what Ibis' own compiler has only approximately, made exact.

Tried on chDB 26.9, which is ClickHouse inside the process; a server takes the same queries.
"""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import parse_qsl, unquote, urlsplit

import clickhouse_connect
import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa
import sqlglot.expressions as sge
from clickhouse_connect.driver.exceptions import ClickHouseError
from ibis.backends.clickhouse import Backend
from ibis.backends.sql.compilers.clickhouse import ClickHouseCompiler
from ibis.backends.sql.datatypes import ClickHouseType

from octad.data.engines.base import Abilities, answered, quoted, refuse, template
from octad.data.engines.words import keys, number

__all__ = ["ABILITIES", "ClickHouse", "open_url"]

ABILITIES = Abilities("clickhouse", "ClickHouse", moments=True, json="text")

_MADE = {
    "epoch_us": "toUnixTimestamp64Micro(toDateTime64(:a, 6, 'UTC'))",
    "make_timestamp": "fromUnixTimestamp64Micro(:a, 'UTC')",
    "divide": "intDiv(:a, :b)",
    # Its times are moments whatever zone they are shown in.
    "timezone": "toTimeZone(:b, :a)",
}

_BY_CLOCK = "toDateTime64OrNull(formatDateTime(:b, '%F %T.%f', 'UTC'), 6, :a)"
"""The moment at which the clock of a zone shows what a time shows in UTC."""


class _Types(ClickHouseType):  # type: ignore[misc]
    @classmethod
    def _from_ibis_Timestamp(cls, dtype: dt.Timestamp) -> sge.DataType:  # noqa: N802
        """To the microsecond: Ibis' own plain timestamp is DateTime, which has whole seconds."""
        if dtype.scale is None:
            dtype = dtype.copy(scale=6)
        made: sge.DataType = super()._from_ibis_Timestamp(dtype)
        return made


class _Compiler(ClickHouseCompiler):  # type: ignore[misc]
    """Ibis' compiler, exact where it is approximate, and with what it has no rule for."""

    type_mapper = _Types

    def visit_ScalarUDF(self, op: ops.ScalarUDF, **arguments: Any) -> Any:  # noqa: N802
        name = op.__func_name__
        if name == "timezone" and op.dtype.timezone is not None:
            return template(_BY_CLOCK, self.dialect)(*arguments.values())
        if name in _MADE:
            return template(_MADE[name], self.dialect)(*arguments.values())
        if name == "try":  # its JSON functions find nothing where the text is no JSON
            return arguments["value_0"]
        if name == "json_extract_string":
            return self._opened(arguments["value_0"], keys(arguments["value_1"]))
        if name == "try_strptime":
            refuse(ABILITIES.spoken, "times")
        return super().visit_ScalarUDF(op, **arguments)

    def visit_HexDigest(self, _op: ops.HexDigest, *, arg: Any, how: str) -> Any:  # noqa: N802
        if how != "md5":
            return super().visit_Undefined(_op, arg=arg, how=how)
        return self.f.lower(self.f.hex(self.f.MD5(arg)))

    def _opened(self, text: Any, path: list[str]) -> Any:
        """A word without its quotes; null for null; all else as it is written."""
        kind, word, raw = (
            self.f.anon[f"JSON{what}"](text, *map(sge.convert, path))
            for what in ("Type", "ExtractString", "ExtractRaw")
        )
        null = sge.Null()
        return self.f.anon.multiIf(kind.eq("String"), word, kind.eq("Null"), null, raw)

    def visit_TryCast(self, op: ops.TryCast, *, arg: Any, to: Any) -> Any:  # noqa: N802
        if not (op.arg.dtype.is_string() and to.is_float64()):
            refuse(ABILITIES.spoken, "times" if to.is_temporal() else "numbers")
        return number("clickhouse", self.dialect, arg)

    def visit_CountDistinct(self, _op: Any, *, arg: Any, where: Any) -> Any:  # noqa: N802
        """Exact: Ibis writes uniq, which estimates."""
        return self.f.toInt64(self.agg.uniqExact(arg, where=where))

    # Counts are unsigned in ClickHouse, and what is unsigned does not go together with what is not.
    def visit_Count(self, op: Any, **parts: Any) -> Any:  # noqa: N802
        return self.f.toInt64(super().visit_Count(op, **parts))

    def visit_CountStar(self, op: Any, **parts: Any) -> Any:  # noqa: N802
        return self.f.toInt64(super().visit_CountStar(op, **parts))

    def visit_WindowFunction(self, op: Any, *, func: Any, **parts: Any) -> Any:  # noqa: N802
        counted = isinstance(func, sge.Anonymous) and func.name == "toInt64"
        inner = func.expressions[0] if counted else func
        made = super().visit_WindowFunction(op, func=inner, **parts)
        return self.f.toInt64(made) if counted else made

    def visit_Quantile(  # noqa: N802
        self, _op: Any, *, arg: Any, quantile: Any, where: Any
    ) -> Any:
        """Exact, and interpolated as numpy does; Ibis writes quantile, which samples."""
        return self._visit_quantile("quantileExactInclusive", arg, quantile, where)

    def visit_Variance(  # noqa: N802
        self, _op: Any, *, arg: Any, how: str, where: Any
    ) -> Any:
        """In two numbers that are updated, not from raw squares, which cancel."""
        suffix = {"pop": "Pop", "sample": "Samp"}[how]
        return self.agg[f"var{suffix}Stable"](arg, where=where)

    def visit_Covariance(  # noqa: N802
        self, _op: Any, *, left: Any, right: Any, how: str, where: Any
    ) -> Any:
        suffix = {"pop": "Pop", "sample": "Samp"}[how]
        return self.agg[f"covar{suffix}Stable"](left, right, where=where)


class ClickHouse(Backend):  # type: ignore[misc]
    """Ibis' backend, with Octad's compiler and temporary tables that can be made anew."""

    name = "clickhouse"
    compiler: ClassVar[Any] = _Compiler()
    abilities: ClassVar[Abilities] = ABILITIES

    def create_table(self, name: str, /, obj: Any = None, **options: Any) -> ir.Table:
        """As Ibis' own; a temporary table that is there is made anew, in memory."""
        with answered(ABILITIES.spoken, ClickHouseError):
            return self._made(name, obj, options)

    def _made(self, name: str, obj: Any, options: dict[str, Any]) -> ir.Table:
        if options.get("temp"):
            options.setdefault("engine", "Memory")
            if options.pop("overwrite", False):
                self.con.command(f"DROP TEMPORARY TABLE IF EXISTS {quoted(name)}")
        if isinstance(obj, pa.Table):
            # Ibis would send the rows beside the query, which chDB does not take.
            made = super().create_table(name, schema=ibis.schema(obj.schema), **options)
            self.con.insert_arrow(name, obj)
            return made
        if obj is not None:
            self._run_pre_execute_hooks(obj)
        return super().create_table(name, obj, **options)

    def _register_in_memory_table(self, op: ops.InMemoryTable) -> None:
        """As a temporary table: Ibis would send the rows beside each query."""
        self.create_table(op.name, op.data.to_pyarrow(op.schema), temp=True, overwrite=True)

    def _collect_in_memory_tables(self, *_: Any, **__: Any) -> dict[str, Any]:
        return {}

    def to_pyarrow(self, expr: ir.Expr, /, **options: Any) -> Any:
        """By way of Arrow; Ibis goes by way of Python's own objects, one by one."""
        table = expr.as_table()
        chosen = {k: v for k, v in options.items() if k in {"params", "limit"}}
        with answered(ABILITIES.spoken, ClickHouseError):
            self._run_pre_execute_hooks(table)
            rows = self.con.query_arrow(self.compile(table, **chosen), settings=dict(_ARROW))
        wanted = table.schema().to_pyarrow()
        schema = pa.schema([field.with_nullable(True) for field in wanted])
        columns = [_as(rows.column(i), field.type) for i, field in enumerate(schema)]
        return expr.__pyarrow_result__(pa.Table.from_arrays(columns, schema=schema))

    def to_pyarrow_batches(self, expr: ir.Expr, /, **options: Any) -> Any:
        """The same, in pieces."""
        rows = self.to_pyarrow(expr.as_table(), **options)
        return pa.RecordBatchReader.from_batches(rows.schema, rows.to_batches())

    def size_of(self, named: str) -> tuple[int | None, int | None]:
        """A table's rows and bytes as `system.tables` has them; a view has none."""
        *folders, name = named.split(".")
        sql = (
            "SELECT total_rows, total_bytes FROM system.tables WHERE name = {name:String} AND "
            "database = if(empty({place:String}), currentDatabase(), {place:String})"
        )
        asked = {"name": name, "place": folders[-1] if folders else ""}
        with answered(ABILITIES.spoken, ClickHouseError):
            found = self.con.query(sql, parameters=asked).result_rows
        rows, size = found[0] if found else (None, None)
        return rows, size


def _as(column: pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray:
    """A column in the type it should have: whole seconds come as bare numbers."""
    if pa.types.is_timestamp(wanted) and pa.types.is_integer(column.type):
        return column.cast(pa.int64()).cast(pa.timestamp("s")).cast(wanted)
    if pa.types.is_date(wanted) and pa.types.is_integer(column.type):
        return column.cast(pa.int32()).cast(pa.date32()).cast(wanted)
    return column.cast(wanted)


_ARROW = {
    "output_format_arrow_string_as_string": 1,
    "output_format_arrow_low_cardinality_as_dictionary": 0,
}

_SETTINGS = {
    # What has no zone is UTC here, as everywhere in Octad.
    "session_timezone": "UTC",
    # A number in GROUP BY is a number, and not the place of a column.
    "enable_positional_arguments": 0,
    # An outer join leaves nulls and not zeros where it finds nothing, as SQL has it.
    "join_use_nulls": 1,
    # A sum over no rows is null and not zero, as SQL has it.
    "aggregate_functions_null_for_empty": 1,
}


def open_url(url: str) -> ClickHouse:
    """Connect to a server, or to chDB.

    Args:
        url: ``clickhouse://USER:PASSWORD@HOST:PORT/DATABASE?secure=True``, or ``chdb://memory``,
            ``chdb:///PATH`` for ClickHouse inside the process.
    """
    parts = urlsplit(url)
    if parts.scheme == "chdb":
        client = clickhouse_connect.get_client(dsn=url, settings=dict(_SETTINGS))
    else:
        more = dict(parse_qsl(parts.query))
        client = clickhouse_connect.get_client(
            host=parts.hostname or "localhost",
            port=parts.port or 0,
            username=unquote(parts.username or "default"),
            password=unquote(parts.password or ""),
            database=parts.path.strip("/") or "default",
            secure=more.get("secure", "").lower() in {"1", "true", "yes"},
            settings=dict(_SETTINGS),
            query_limit=0,
        )
    made: ClickHouse = ClickHouse.from_connection(client)
    return made
