"""PostgreSQL: what Ibis' own compiler leaves out or has otherwise, and how a review is kept whole.

Tried on PostgreSQL 15, Debian's.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any, ClassVar

import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import ibis.expr.types as ir
import psycopg
import pyarrow as pa
import sqlglot.expressions as sge
from ibis.backends.postgres import Backend
from ibis.backends.sql.compilers.postgres import PostgresCompiler
from pyarrow import csv

from octad.data.engines.base import Abilities, answered, quoted, refuse, template
from octad.data.engines.words import keys, number

__all__ = ["ABILITIES", "Postgres", "open_url"]

ABILITIES = Abilities("postgres", "PostgreSQL", json="typed")

_MADE = {
    # `extract` is exact (numeric) where `date_part` is a float.
    "epoch_us": "CAST(EXTRACT(EPOCH FROM :a) * 1000000 AS BIGINT)",
    "make_timestamp": "TIMESTAMP '1970-01-01 00:00:00' + :a * INTERVAL '1 microsecond'",
    "divide": "CAST(:a AS BIGINT) / CAST(:b AS BIGINT)",
    "timezone": "TIMEZONE(:a, :b)",
}


class _Compiler(PostgresCompiler):  # type: ignore[misc]
    """Ibis' compiler with what it has no rule for."""

    def visit_ScalarUDF(self, op: ops.ScalarUDF, **arguments: Any) -> Any:  # noqa: N802
        name = op.__func_name__
        if name in _MADE:
            return template(_MADE[name], self.dialect)(*arguments.values())
        if name == "try":  # what lies in a column of JSON is JSON
            return arguments["value_0"]
        if name == "json_extract_string":
            path = sge.Array(expressions=[sge.convert(k) for k in keys(arguments["value_1"])])
            sql = "CAST(:a AS JSON) #>> CAST(:b AS TEXT[])"
            return template(sql, self.dialect)(arguments["value_0"], path)
        if name == "try_strptime":
            refuse(ABILITIES.spoken, "times")
        return super().visit_ScalarUDF(op, **arguments)

    def visit_HexDigest(self, _op: ops.HexDigest, *, arg: Any, how: str) -> Any:  # noqa: N802
        if how != "md5":
            return super().visit_Undefined(_op, arg=arg, how=how)
        return self.f.md5(arg)

    def visit_First(  # noqa: N802
        self, _op: Any, *, arg: Any, where: Any, order_by: Any, include_null: bool
    ) -> Any:
        """PostgreSQL has no `first`; the first of them all is the same."""
        del include_null
        listed = self.agg.array_agg(arg, where=where, order_by=order_by)
        return sge.paren(listed, copy=False)[0]

    def visit_Cast(self, op: ops.Cast, *, arg: Any, to: Any) -> Any:  # noqa: N802
        """A flag is cast to no number but the plain integer."""
        if op.arg.dtype.is_boolean() and to.is_numeric() and not to.is_boolean():
            return self.cast(self.cast(arg, dt.int32), to)
        return super().visit_Cast(op, arg=arg, to=to)

    def visit_NonNullLiteral(self, op: Any, *, value: Any, dtype: Any) -> Any:  # noqa: N802
        """A bare 1.5 is a decimal to PostgreSQL, which is slow and has digits of its own."""
        if dtype.is_floating():
            return self.cast(repr(float(value)), dtype)
        return super().visit_NonNullLiteral(op, value=value, dtype=dtype)

    def visit_TryCast(self, op: ops.TryCast, *, arg: Any, to: Any) -> Any:  # noqa: N802
        if not (op.arg.dtype.is_string() and to.is_float64()):
            refuse(ABILITIES.spoken, "times" if to.is_temporal() else "numbers")
        return number("postgres", self.dialect, arg)


class Postgres(Backend):  # type: ignore[misc]
    """Ibis' backend, with Octad's compiler."""

    name = "postgres"
    compiler: ClassVar[Any] = _Compiler()
    abilities: ClassVar[Abilities] = ABILITIES

    def create_table(self, name: str, /, obj: Any = None, **options: Any) -> ir.Table:
        """As Ibis' own."""
        with answered(ABILITIES.spoken, psycopg.Error):
            return super().create_table(name, obj, **options)

    def to_pyarrow(self, expr: ir.Expr, /, **options: Any) -> Any:
        """By COPY where the types allow it, which is several times as fast as row by row."""
        with answered(ABILITIES.spoken, psycopg.Error):
            if all(map(_plain, expr.as_table().schema().to_pyarrow().types)):
                return self._copied(expr, options)
            return super().to_pyarrow(expr, **options)

    def _copied(self, expr: ir.Expr, options: dict[str, Any]) -> Any:
        table = expr.as_table()
        wanted = table.schema().to_pyarrow()
        chosen = {k: v for k, v in options.items() if k in {"params", "limit"}}
        self._run_pre_execute_hooks(table)
        sql = f"COPY ({self.compile(table, **chosen)}) TO STDOUT (FORMAT csv)"
        text = BytesIO()
        with self.con.cursor() as cursor, self.con.transaction(), cursor.copy(sql) as rows:
            for block in rows:
                text.write(block)
        text.seek(0)
        return expr.__pyarrow_result__(_parsed(text, wanted))

    def to_pyarrow_batches(self, expr: ir.Expr, /, **options: Any) -> Any:
        """The same, in pieces."""
        rows = self.to_pyarrow(expr.as_table(), **options)
        return pa.RecordBatchReader.from_batches(rows.schema, rows.to_batches())

    def size_of(self, named: str) -> tuple[int | None, int | None]:
        """A table's rows and bytes as the catalogue has them: what the last ANALYZE estimated."""
        name = ".".join(quoted(part) for part in named.split(".")[-2:])
        sql = (
            "SELECT reltuples::bigint, pg_total_relation_size(oid) FROM pg_class "
            "WHERE oid = to_regclass(%s)"
        )
        with answered(ABILITIES.spoken, psycopg.Error):
            found = self.con.execute(sql, (name,)).fetchone()
        rows, size = found or (-1, 0)
        return (int(rows) if rows >= 0 else None), int(size) or None


def _plain(kind: pa.DataType) -> bool:
    """Whether a type's text reads back as what it was."""
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_string(kind)
        or pa.types.is_date(kind)
        or (pa.types.is_timestamp(kind) and kind.tz is None)
    )


def _parsed(text: BytesIO, wanted: pa.Schema) -> pa.Table:
    schema = pa.schema([field.with_nullable(True) for field in wanted])
    if not text.getbuffer().nbytes:
        return schema.empty_table()
    return csv.read_csv(
        text,
        csv.ReadOptions(column_names=wanted.names),
        csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        csv.ConvertOptions(
            column_types=schema,
            null_values=[""],
            true_values=["t"],
            false_values=["f"],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    ).cast(schema)


def open_url(url: str) -> Postgres:
    """Connect, and hold one snapshot until the connection is closed.

    The warehouse goes on writing while a review runs; its queries must all see the same rows.

    Args:
        url: ``postgres://USER:PASSWORD@HOST:PORT/DATABASE/SCHEMA``, as Ibis takes it; what is
            missing comes from libpq's own variables and files (PGHOST, PGPASSWORD, .pgpass).
    """
    from urllib.parse import parse_qsl, urlsplit  # noqa: PLC0415

    parts = urlsplit(url)
    made: Postgres = Postgres()._from_url(parts, **dict(parse_qsl(parts.query)))  # noqa: SLF001
    made.con.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    made.con.autocommit = False
    return made
