"""What a review will read, asked of the files' own accounts: no row of events is read."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.parquet as pq

from octad.data.connect import HIDDEN, connect, literal
from octad.data.delimited import sniff_dialect
from octad.data.engines.open import resolved
from octad.data.explain_engine import explain_engine
from octad.data.files import find, kind_of
from octad.data.gather import gather
from octad.data.gathering import Locate
from octad.data.kept_store import Look, Slot
from octad.data.prints import Print, remembered
from octad.data.roles import resolve
from octad.data.sources import SOURCES
from octad.data.standin import Columns, stand_in
from octad.errors import DataError, OctadError, Where
from octad.model.explanation import Explanation, SourcePlan, StagePlan
from octad.model.needs import Needs
from octad.model.plan import Plan, Source
from octad.model.presets import load
from octad.model.review import QueryRecord
from octad.version import __version__

__all__ = ["explain"]

_OPENING = "opening the sources"
_READ_WHOLE = re.compile(r"^reading the events once$")


@dataclass(frozen=True, slots=True)
class _File:
    """One file: its rows and its bytes in the columns used; None where only reading tells."""

    path: Path
    rows: int | None
    bytes: int
    newest: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of a source without reading it."""

    columns: Columns
    used: tuple[str, ...]
    files: tuple[_File, ...]
    prints: tuple[Print | None, ...]


def explain(
    root: Path,
    plan: Plan,
    needs: Needs,
    *,
    as_of: date | None = None,
    where: Locate | None = None,
) -> Explanation:
    """Say what a review will read, and ask its own code for the queries.

    Of Parquet, only the account at the end of each file is read; of text, the first lines. What
    cannot be known from those is said in `notes`.

    Args:
        root: The project's folder.
        plan: The plan and its project.
        needs: The readings' needs, merged.
        as_of: The last day to be seen; everything when absent.
        where: For errors that point into the plan.

    Raises:
        OctadError: When a file that the project names is not there.
    """
    places = where or (lambda _key: Where("octad.yml"))
    if not resolved(plan.project.connection, places("connection")).startswith("duckdb"):
        return explain_engine(
            root,
            plan,
            needs,
            as_of=as_of,
            where=places,
            beside=partial(_beside, root, plan, places),
        )
    known: dict[str, _Known] = {}
    notes: list[str] = []
    others: list[SourcePlan] = []
    for name in SOURCES:
        source: Source | None = getattr(plan.project.sources, name)
        if source is None:
            continue
        found = _known(root, name, source, plan, places)
        if found is None:
            others.append(SourcePlan(name=name, table=source.table, kind="table", exact=False))
            notes.append(f"How many rows {source.table} holds, its engine tells once it is asked.")
        else:
            known[name] = found
    drawn = _drawn(root, plan, needs, known, as_of, where) if known and not others else None
    if isinstance(drawn, OctadError):
        notes.append(f"The queries are only known once the data are read: {drawn.what}")
        drawn = None
    look = None if drawn is None else drawn.look
    if look is not None:
        notes.append(
            "Of files that were read before, only users who are new since are read again; how "
            "many those are, the exposures tell."
        )
    sources = [*(_source(root, name, one, plan, look) for name, one in known.items()), *others]
    stages = () if drawn is None else _stages(drawn, {s.name: s for s in sources}, look, known)
    total = [stage.rows for stage in stages]
    unsaid = [s.table for s in sources if not s.exact and s.kind != "table"]
    if unsaid:
        notes.append(f"How many rows {' and '.join(unsaid)} hold is known once they are read.")
    unknown = not stages or any(not source.exact for source in sources)
    return Explanation(
        octad=__version__,
        launch=plan.launch.launch,
        engine="DuckDB",
        kept_from=None if look is None else str(look.day),
        rows=None if unknown else sum(rows or 0 for rows in total),
        sources=tuple(sources),
        stages=stages,
        queries={} if drawn is None else drawn.queries,
        notes=tuple(notes),
    )


def _beside(root: Path, plan: Plan, places: Locate, name: str) -> tuple[Columns, SourcePlan]:
    """A file beside `octad.yml` in a project whose events lie in another engine."""
    found = _known(root, name, getattr(plan.project.sources, name), plan, places)
    if found is None:
        raise DataError(f"sources.{name} is no file.", where=places(f"sources.{name}.table"))
    return found.columns, _source(root, name, found, plan, None)


def _known(root: Path, name: str, source: Source, plan: Plan, places: Any) -> _Known | None:
    """A source's columns and files, from their own accounts; None for a table of an engine."""
    place = places(f"sources.{name}.table")
    try:
        paths = find(root, source.table, place)
    except OctadError:
        if plan.project.connection.partition("://")[2]:
            return None  # a table of the database file that `connection` names
        raise
    kind = kind_of(paths[0]) or "csv"
    if kind == "duckdb":
        return None
    types = _types(kind, paths)
    preset = load(source.preset or "plain", where=places(f"sources.{name}.preset"))
    table = ibis.table(_schema(types), name=name)
    found = resolve(table, name, source, preset.tables.get(name), places, loose=kind != "parquet")
    roles = {role: one.columns[0] for role, one in found.items() if one.columns}
    used = _used(name, plan, types, roles)
    files = tuple(_file(path, kind, used, roles.get("time")) for path in paths)
    store = root / HIDDEN / "cache" / f"{name}.prints.json"
    return _Known(Columns(kind, types, roles), used, files, remembered(paths, store))


def _schema(types: Mapping[str, pa.DataType]) -> ibis.Schema:
    """The same columns as Ibis names them; what it does not know is text."""
    plain = {n: pa.string() if pa.types.is_nested(t) else t for n, t in types.items()}
    return ibis.Schema.from_pyarrow(pa.schema(list(plain.items())))


def _types(kind: str, paths: Sequence[Path]) -> dict[str, pa.DataType]:
    """Columns of all files together."""
    types: dict[str, pa.DataType] = {}
    for path in paths if kind == "parquet" else paths[:1]:
        if kind == "parquet":
            found = {f.name: f.type for f in pq.read_schema(path)}
        elif kind == "csv":
            found = dict.fromkeys(sniff_dialect(path, path.name).columns, pa.string())
        else:
            found = {}
        types |= {name: t for name, t in found.items() if name not in types}
    return types


def _used(
    name: str, plan: Plan, types: Mapping[str, pa.DataType], roles: Mapping[str, str]
) -> tuple[str, ...]:
    """The columns that a review reads of a source."""
    used = dict.fromkeys(roles.values())
    if name == "events":
        for metric in {n: plan.metric(n) for n in plan.launch.metrics}.values():
            words = [getattr(metric, key, None) for key in ("sum", "mean", "of")]
            words += re.findall(r"\w+", metric.where or "")
            used |= dict.fromkeys(w for w in words if isinstance(w, str) and w in types)
        value = roles.get("value")
        if value and not any(getattr(m, "sum", None) for m in plan.project.metrics.values()):
            used.pop(value, None)
    elif name in ("users", "units"):
        wanted = plan.launch.segments
        declared = getattr(getattr(plan.project.sources, name), "attributes", ()) or tuple(types)
        used |= dict.fromkeys(c for c in (wanted or declared) if c in types)
    return tuple(used)


def _file(path: Path, kind: str, used: Sequence[str], time: str | None) -> _File:
    if kind != "parquet":
        return _File(path, None, path.stat().st_size)
    meta = pq.read_metadata(path)
    size, newest = 0, None
    for group in range(meta.num_row_groups):
        for i in range(meta.num_columns):
            column = meta.row_group(group).column(i)
            head = column.path_in_schema.split(".", maxsplit=1)[0]
            if column.path_in_schema in used or head in used:
                size += column.total_compressed_size
            stats = column.statistics
            if head == time and stats is not None and stats.has_min_max:
                newest = _later(newest, stats.max)
    return _File(path, meta.num_rows, size, newest)


def _later(one: datetime | None, two: object) -> datetime | None:
    if not isinstance(two, datetime):
        return one
    two = two if two.tzinfo else two.replace(tzinfo=UTC)
    return two if one is None else max(one, two)


@dataclass(frozen=True, slots=True)
class _Drawn:
    """What the review's own code does on the stand-in."""

    stages: tuple[tuple[str, int | None], ...]
    counts: Mapping[str, int]
    queries: dict[str, QueryRecord]
    look: Look | None


def _drawn(
    root: Path,
    plan: Plan,
    needs: Needs,
    known: Mapping[str, _Known],
    as_of: date | None,
    where: Locate | None,
) -> _Drawn | OctadError:
    """Run the review's gathering on a stand-in; an error where that cannot be made."""
    newest = [f.newest for f in known["events"].files if f.newest] if "events" in known else []
    with tempfile.TemporaryDirectory(prefix="octad-") as name:
        folder = Path(name).resolve()
        own, counts = stand_in(
            folder, plan, {n: k.columns for n, k in known.items()}, max(newest, default=None)
        )
        try:
            with connect(own.project, folder) as engine:
                inputs = gather(engine, own, needs, as_of=as_of, where=where)
        except OctadError as error:
            return error
        slots = sorted((folder / HIDDEN / "rollup").glob("*"))
    look = Slot(root / HIDDEN / "rollup" / slots[0].name).look() if slots else None
    queries = {
        key: QueryRecord(what=what, sql=_named(sql, plan, folder))
        for key, (what, sql) in inputs.queries.items()
    }
    _, stages = inputs.cost
    return _Drawn(tuple((n, rows) for n, _, rows in stages), counts, queries, look)


def _named(sql: str, plan: Plan, folder: Path) -> str:
    """A query with the project's own files in the place of the stand-in's."""
    sql = sql.replace(f"'{folder}/", "'")
    for name in SOURCES:
        source: Source | None = getattr(plan.project.sources, name)
        if source is not None:
            # Split and join, for a table's name may hold what a pattern would take as its own.
            table = literal(source.table)
            sql = table.join(re.split(rf"\[?'{name}\.(?:parquet|csv)'\]?", sql))
            cached = literal(f"{HIDDEN}/cache/{name}-*/*.parquet")
            sql = cached.join(re.split(rf"\[?'{re.escape(HIDDEN)}/cache/{name}-[^']*'\]?", sql))
    return sql


def _source(root: Path, name: str, one: _Known, plan: Plan, look: Look | None) -> SourcePlan:
    """A source as it will be read."""
    kept = _read_before(root, one, look) if name == "events" else [False] * len(one.files)
    left = [f for f, was in zip(one.files, kept, strict=True) if not was]
    told = all(f.rows is not None for f in one.files)
    return SourcePlan(
        name=name,
        table=getattr(plan.project.sources, name).table,
        kind=one.columns.kind,
        files=len(one.files),
        files_kept=sum(kept),
        rows=sum(f.rows or 0 for f in left) if told else None,
        rows_all=sum(f.rows or 0 for f in one.files) if told else None,
        bytes=sum(f.bytes for f in left),
        columns=one.used,
        exact=told,
    )


def _read_before(root: Path, one: _Known, look: Look | None) -> list[bool]:
    """Which files the look that is kept has read; none where something else has changed."""
    if look is None:
        return [False] * len(one.files)
    keys = [None if p is None else p.key(root) for p in one.prints]
    if set(look.files) - set(keys):
        return [False] * len(keys)
    known = set(look.files)
    return [key in known for key in keys]


def _accounted(known: Mapping[str, _Known]) -> int:
    """Rows that are read for the account of files not read before; of text nobody knows."""
    return sum(
        f.rows or 0
        for one in known.values()
        for f, seen in zip(one.files, one.prints, strict=True)
        if seen is None
    )


def _stages(
    drawn: _Drawn,
    sources: Mapping[str, SourcePlan],
    look: Look | None,
    known: Mapping[str, _Known],
) -> tuple[StagePlan, ...]:
    """The stages with the real data's rows in the place of the stand-in's."""
    found = []
    for name, rows in drawn.stages:
        if name == _OPENING:
            found.append(StagePlan(name=name, rows=_accounted(known) or None))
            continue
        of = next((s for s, n in drawn.counts.items() if rows and rows % n == 0), "")
        if not rows or of not in sources:
            found.append(StagePlan(name=name))
            continue
        times = rows // drawn.counts[of]
        source = sources[of]
        if _READ_WHOLE.match(name) and look is not None and source.files_kept:
            new = source.files - source.files_kept
            if new:
                many = f"{new} new file" + "s" * (new > 1)
                what = f"reading {many} of {source.files}"
                found.append(StagePlan(name=what, rows=source.rows, of=of))
            found.append(StagePlan(name="adding to what was kept"))
            continue
        every = source.rows_all
        found.append(StagePlan(name=name, rows=None if every is None else times * every, of=of))
    return tuple(found)
