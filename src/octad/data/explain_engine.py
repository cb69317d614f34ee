"""What a review will read from tables of an engine: its catalogue's estimates, and its queries.

No row of a source is read. The review's own code runs on a stand-in, a handful of invented users in
temporary tables of the same columns and types, so that the queries are those that will be sent.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import pyarrow as pa

from octad.data.connect import Engine, connect
from octad.data.gather import gather
from octad.data.gathering import Locate
from octad.data.raw import Raw, read_raw
from octad.data.roles import resolve
from octad.data.sources import SOURCES
from octad.data.standin import Columns, rows_of, stand_in
from octad.errors import OctadError
from octad.model.explanation import Explanation, SourcePlan, StagePlan
from octad.model.needs import Needs
from octad.model.plan import Plan, Source
from octad.model.presets import load
from octad.model.review import QueryRecord
from octad.version import __version__

__all__ = ["explain_engine"]

_NAME = "octad_stand_in_"


@dataclass(frozen=True, slots=True)
class _There:
    """A source that lies in the engine."""

    table: ir.Table
    columns: Columns
    plan: SourcePlan


def explain_engine(
    root: Path,
    plan: Plan,
    needs: Needs,
    *,
    as_of: date | None,
    where: Locate,
    beside: Callable[[str], tuple[Columns, SourcePlan]],
) -> Explanation:
    """Say what a review will read where the project lives in another engine than DuckDB.

    Args:
        root: The project's folder.
        plan: The plan and its project.
        needs: The readings' needs, merged.
        as_of: The last day to be seen; everything when absent.
        where: For errors that point into the plan.
        beside: What is known of a source that is a file beside `octad.yml`, by its name.

    Raises:
        OctadError: When the engine does not answer, or has not what the project names.
    """
    notes: list[str] = []
    with connect(plan.project, root, where=where("connection")) as engine:
        raws = {
            name: read_raw(engine, name, source.table, where(f"sources.{name}.table"))
            for name in SOURCES
            if (source := getattr(plan.project.sources, name)) is not None
        }
        there = {
            name: _there(engine, raw, plan, where)
            for name, raw in raws.items()
            if raw.engine is engine
        }
        files = {name: beside(name) for name in raws if name not in there}
        local = {name: columns for name, (columns, _) in files.items()}
        drawn = _drawn(engine, plan, needs, there, local, as_of, where)
        spoken = engine.abilities.spoken
    if isinstance(drawn, OctadError):
        notes.append(f"The queries are only known once the data are read: {drawn.what}")
        drawn = _Drawn((), {}, {})
    sources = [one.plan for one in there.values()] + [told for _, told in files.values()]
    untold = [s.table for s in sources if s.rows is None]
    if untold:
        verb = "hold" if len(untold) > 1 else "holds"
        notes.append(f"How many rows {' and '.join(untold)} {verb} is known once they are read.")
    if any(one.plan.rows is not None for one in there.values()):
        notes.append(f"Rows and sizes are {spoken}'s own estimates, as of when it last looked.")
    stages = _stages(drawn, {s.name: s for s in sources})
    told = [stage.rows for stage in stages if stage.of]
    return Explanation(
        octad=__version__,
        launch=plan.launch.launch,
        engine=spoken,
        rows=None if untold or not stages else sum(rows or 0 for rows in told),
        sources=tuple(sources),
        stages=stages,
        queries=drawn.queries,
        notes=tuple(notes),
    )


def _there(engine: Engine, raw: Raw, plan: Plan, where: Locate) -> _There:
    """A source's columns, and how large the engine's catalogue says it is."""
    source: Source = getattr(plan.project.sources, raw.source)
    table = raw.read()
    preset = load(source.preset or "plain", where=where(f"sources.{raw.source}.preset"))
    found = resolve(table, raw.source, source, preset.tables.get(raw.source), where, loose=False)
    roles = {role: one.columns[0] for role, one in found.items() if one.columns}
    types = {f.name: f.type for f in table.schema().to_pyarrow()}
    rows, size = _size(engine, raw)
    told = SourcePlan(
        name=raw.source,
        table=source.table,
        kind="table" if raw.kind == "table" else "parquet",
        files=len(raw.paths),
        rows=rows,
        rows_all=rows,
        bytes=size,
        columns=tuple(dict.fromkeys(roles.values())),
        exact=False,
    )
    return _There(table, Columns("parquet", types, roles), told)


def _size(engine: Engine, raw: Raw) -> tuple[int | None, int | None]:
    """Rows and bytes as the engine's catalogue has them; None where it does not say."""
    ask = getattr(engine.backend, "size_of", None)
    if raw.paths:
        return None, sum(path.stat().st_size for path in raw.paths)
    if ask is None or raw.kind != "table":
        return None, None
    found: tuple[int | None, int | None] = ask(raw.named)
    return found


@dataclass(frozen=True, slots=True)
class _Drawn:
    """What the review's own code does on the stand-in."""

    stages: tuple[tuple[str, int | None], ...]
    counts: Mapping[str, int]
    queries: dict[str, QueryRecord]


def _drawn(
    engine: Engine,
    plan: Plan,
    needs: Needs,
    there: Mapping[str, _There],
    local: Mapping[str, Columns],
    as_of: date | None,
    where: Locate,
) -> _Drawn | OctadError:
    """Run the review's gathering on invented users in temporary tables of the engine."""
    with tempfile.TemporaryDirectory(prefix="octad-") as name:
        folder = Path(name).resolve()
        own, counts = stand_in(folder, plan, local, None)
        moved: dict[str, Source] = {}
        for source, one in there.items():
            rows = rows_of(source, plan, one.columns)
            counts[source] = rows.num_rows
            _lay(engine, _NAME + source, rows, one.table)
            was: Source = getattr(plan.project.sources, source)
            moved[source] = was.model_copy(update={"table": _NAME + source})
        sources = own.project.sources.model_copy(update=moved)
        own = own.model_copy(
            update={"project": own.project.model_copy(update={"sources": sources})}
        )
        beside = None if engine.beside is None else replace(engine.beside, root=folder)
        try:
            seated = replace(engine, root=folder, beside=beside)
            inputs = gather(seated, own, needs, as_of=as_of, where=where)
        except OctadError as error:
            return error
    queries = {
        key: QueryRecord(what=what, sql=_named(sql, plan))
        for key, (what, sql) in inputs.queries.items()
    }
    _, stages = inputs.cost
    return _Drawn(tuple((n, rows) for n, _, rows in stages), counts, queries)


def _lay(engine: Engine, name: str, rows: pa.Table, like: ir.Table) -> None:
    """Put rows into a temporary table whose columns are of the same types as another's."""
    typed = {n: kind for n, kind in like.schema().items() if isinstance(kind, dt.JSON)}
    first = f"{name}_words" if typed else name
    laid = engine.backend.create_table(first, rows, temp=True, overwrite=True)
    if typed:
        engine.backend.create_table(name, laid.cast(typed), temp=True, overwrite=True)


def _named(sql: str, plan: Plan) -> str:
    """A query with the project's own tables in the place of the stand-in's."""

    def own(found: re.Match[str]) -> str:
        mark, source = found.group(1), found.group(2)
        named: str = getattr(plan.project.sources, source).table
        return ".".join(f"{mark}{part}{mark}" for part in named.split("."))

    # The engine may say where a temporary table lies; the project's own table says so itself.
    return re.sub(rf"(?:[\"`]\w+[\"`]\.)*([\"`]?){_NAME}([a-z]+)\1", own, sql)


def _stages(drawn: _Drawn, sources: Mapping[str, SourcePlan]) -> tuple[StagePlan, ...]:
    """The stages with the catalogue's rows in the place of the stand-in's."""
    found = []
    for name, rows in drawn.stages:
        of = next((s for s, n in drawn.counts.items() if rows and rows % n == 0), "")
        if not rows or not of:
            found.append(StagePlan(name=name))
            continue
        every = sources[of].rows_all
        times = rows // drawn.counts[of]
        found.append(StagePlan(name=name, rows=None if every is None else times * every, of=of))
    return tuple(found)
