"""Spark: a session of its own on a cluster, views that are kept for the length of a review.

Tried on Spark 4.0, on a standalone cluster of two workers.
"""

from __future__ import annotations

import re
import warnings
from contextlib import suppress
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa
import sqlglot.expressions as sge
from ibis.backends.pyspark import Backend
from ibis.backends.sql.compilers.pyspark import PySparkCompiler
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema
from pyspark.sql.types import TimestampType

from octad.data.engines.base import Abilities, answered, refuse, template
from octad.data.engines.words import keys, number
from octad.data.functions import INSTANT

__all__ = ["ABILITIES", "Spark", "open_url"]

ABILITIES = Abilities("pyspark", "Spark", files=True, json="text")

_TAKES_ARROW = hasattr(DataFrame, "toArrow")
"""Since Spark 4.0."""

_MADE = {
    "epoch_us": "UNIX_MICROS(CAST(:a AS TIMESTAMP))",
    "make_timestamp": "TIMESTAMP_MICROS(:a)",
}


class _Compiler(PySparkCompiler):  # type: ignore[misc]
    """Ibis' compiler with what it has no rule for."""

    def visit_ScalarUDF(self, op: ops.ScalarUDF, **arguments: Any) -> Any:  # noqa: N802
        name = op.__func_name__
        values = list(arguments.values())
        if name in _MADE:
            return template(_MADE[name], self.dialect)(*values)
        if name == "divide":
            return self.f.anon.div(*values)
        if name == "timezone":
            # The session's zone is UTC, so a moment and the clock of UTC are one to Spark.
            to = "from_utc_timestamp" if op.dtype.timezone is None else "to_utc_timestamp"
            return self.f.anon[to](values[1], values[0])
        if name == "try":  # get_json_object is null where the text is no JSON
            return values[0]
        if name == "json_extract_string":
            path = "$" + "".join(f"['{key}']" for key in keys(values[1]))
            return self.f.anon.get_json_object(values[0], path)
        if name == "try_strptime":
            refuse(ABILITIES.spoken, "times")
        return super().visit_ScalarUDF(op, **arguments)

    def visit_IsInf(self, op: Any, *, arg: Any) -> Any:  # noqa: N802
        """Ibis compares the expressions instead of writing a comparison, and always says no."""
        if not op.arg.dtype.is_floating():
            return sge.false()
        return sge.or_(*(arg.eq(self.cast(word, dt.float64)) for word in ("inf", "-inf")))

    def visit_NonNullLiteral(self, op: Any, *, value: Any, dtype: Any) -> Any:  # noqa: N802
        """A bare 1.5 is a decimal to Spark, which adds and divides by rules of its own."""
        if dtype.is_floating():
            return self.cast(repr(float(value)), dtype)
        return super().visit_NonNullLiteral(op, value=value, dtype=dtype)

    def visit_TryCast(self, op: ops.TryCast, *, arg: Any, to: Any) -> Any:  # noqa: N802
        if not (op.arg.dtype.is_string() and to.is_float64()):
            refuse(ABILITIES.spoken, "times" if to.is_temporal() else "numbers")
        return number("spark", self.dialect, arg)


class Spark(Backend):  # type: ignore[misc]
    """Ibis' backend, with Octad's compiler; kept tables are cached views of this session alone."""

    name = "pyspark"
    compiler: ClassVar[Any] = _Compiler()
    abilities: ClassVar[Abilities] = ABILITIES

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.owned = True
        self._kept: dict[str, DataFrame] = {}

    def create_table(self, name: str, /, obj: Any = None, **options: Any) -> ir.Table:
        """As Ibis' own; a temporary table is a view whose rows are kept on the workers."""
        if not options.pop("temp", False):
            return super().create_table(name, obj, **options)
        with answered(ABILITIES.spoken, PySparkException, Py4JError):
            return self._kept_view(name, obj)

    def _kept_view(self, name: str, obj: Any) -> ir.Table:
        if not isinstance(obj, ir.Expr):
            obj = ibis.memtable(obj)
        self._run_pre_execute_hooks(obj)
        if name in self._kept:
            self._kept.pop(name).unpersist()
        frame = self._session.sql(self.compile(obj)).cache()
        frame.count()  # now, so that a stage's time is its own
        frame.createOrReplaceTempView(name)
        self._kept[name] = frame
        return self.table(name)

    def to_pyarrow_batches(self, expr: ir.Expr, /, **options: Any) -> Any:
        """The same as `to_pyarrow`, in pieces."""
        rows = self.to_pyarrow(expr.as_table(), **options)
        return pa.RecordBatchReader.from_batches(rows.schema, rows.to_batches())

    def _register_in_memory_table(self, op: ops.InMemoryTable) -> None:
        rows = op.data.to_pyarrow(op.schema)
        _frame(self._session, rows).createOrReplaceTempView(op.name)

    def to_pyarrow(self, expr: ir.Expr, /, **options: Any) -> Any:
        """By way of Arrow; Ibis goes by way of pandas, which makes floats of whole numbers."""
        table = expr.as_table()
        chosen = {k: v for k, v in options.items() if k in {"params", "limit"}}
        with (
            answered(ABILITIES.spoken, PySparkException, Py4JError),
            warnings.catch_warnings(),
        ):
            # Spark leaves the socket it reads from to the garbage collector.
            warnings.simplefilter("ignore", ResourceWarning)
            self._run_pre_execute_hooks(table)
            rows = _arrow(self._session.sql(self.compile(table, **chosen)))
        wanted = table.schema().to_pyarrow()
        columns = [rows.column(i).cast(field.type) for i, field in enumerate(wanted)]
        return expr.__pyarrow_result__(pa.Table.from_arrays(columns, schema=_nullable(wanted)))

    def as_moments(self, table: ir.Table) -> ir.Table:
        """Times that Spark knows the moment of, told from those that only show a clock.

        Ibis gives both one type, and a source's `timezone:` would be applied to moments too.
        """
        kinds = self._session.sql(self.compile(table)).schema
        known = [field.name for field in kinds if isinstance(field.dataType, TimestampType)]
        return table.cast(dict.fromkeys(known, INSTANT)) if known else table

    def size_of(self, named: str) -> tuple[int | None, int | None]:
        """A table's rows and bytes as ANALYZE TABLE left them; None where it never ran."""
        name = ".".join(f"`{part}`" for part in named.split("."))
        with answered(ABILITIES.spoken, PySparkException, Py4JError):
            told = self._session.sql(f"DESCRIBE EXTENDED {name}").collect()
        said = next((str(row[1]) for row in told if row[0] == "Statistics"), "")
        found = {unit: int(n) for n, unit in re.findall(r"(\d+) (bytes|rows)", said)}
        return found.get("rows"), found.get("bytes")

    def read_files(self, paths: list[str], name: str) -> ir.Table:
        """Parquet that the cluster itself can reach, as a view of this session."""
        self._session.read.parquet(*paths).createOrReplaceTempView(name)
        return self.as_moments(self.table(name))

    def disconnect(self) -> None:
        """Let go of what was kept; the session too, when it is ours."""
        for name, frame in self._kept.items():
            self._session.catalog.dropTempView(name)
            frame.unpersist()
        self._kept.clear()
        if self.owned:
            self._session.stop()


def _arrow(frame: DataFrame) -> pa.Table:
    """A frame's rows. Spark 3.5 has no `toArrow`, only what lies below it since Spark 2.3."""
    if _TAKES_ARROW:
        return frame.toArrow()
    batches = frame._collect_as_arrow()  # type: ignore[operator]  # noqa: SLF001
    schema = to_arrow_schema(frame.schema)
    if not batches:
        return schema.empty_table()
    # Times come with the session's zone in their type, which the schema does not name.
    return pa.Table.from_batches(batches)


def _frame(session: SparkSession, rows: pa.Table) -> DataFrame:
    """Rows of ours as a frame.

    Spark 3.5 takes Arrow only by way of pandas, which makes floats of whole numbers with gaps; so
    it gets Python's own values, and times as numbers, for it reads those by this machine's zone.
    """
    if _TAKES_ARROW:
        return session.createDataFrame(rows)
    kinds = {f.name: f.type for f in rows.schema}
    times = [name for name, kind in kinds.items() if pa.types.is_timestamp(kind)]
    for name in times:
        place = rows.schema.get_field_index(name)
        whole = rows.column(place).cast(pa.timestamp("us")).cast(pa.int64())
        rows = rows.set_column(place, name, whole)
    values = list(zip(*(column.to_pylist() for column in rows.columns), strict=True))
    frame = session.createDataFrame(values, from_arrow_schema(rows.schema))
    shown = [
        f"CAST(TIMESTAMP_MICROS(`{name}`) AS TIMESTAMP{'' if kind.tz else '_NTZ'}) AS `{name}`"
        if name in times
        else f"`{name}`"
        for name, kind in kinds.items()
    ]
    return frame.selectExpr(*shown) if times else frame


def _nullable(schema: pa.Schema) -> pa.Schema:
    return pa.schema([field.with_nullable(True) for field in schema])


_SETTINGS = {
    "spark.app.name": "octad",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_LTZ",
    "spark.sql.ansi.enabled": "true",
}
_LOCAL = re.compile(r"^local(\[[\d*]+\])?$")


def open_url(url: str) -> Spark:
    """Connect to a cluster.

    A session that this process has already (a notebook's) is used as it is and left open.

    Args:
        url: ``spark://HOST:PORT/DATABASE?spark.executor.memory=2g`` for a standalone cluster,
            ``spark://local[4]`` for this machine. What stands behind the question mark is handed
            to Spark; a `spark-defaults.conf` is heeded as always.
    """
    parts = urlsplit(url.replace("[", "%5B").replace("]", "%5D"))
    host = parts.netloc.replace("%5B", "[").replace("%5D", "]")
    before = SparkSession.getActiveSession()
    builder = SparkSession.builder
    if before is None:
        builder = builder.master(host if _LOCAL.match(host) else f"spark://{host}")
        for key, value in {**_SETTINGS, **dict(parse_qsl(parts.query))}.items():
            builder = builder.config(key, value)
    session = before or builder.getOrCreate()
    Spark.register_options()
    made: Spark = Spark().connect(session)
    made.owned = before is None
    database = parts.path.strip("/")
    if database:
        with suppress(AttributeError):
            session.catalog.setCurrentDatabase(database)
    return made
