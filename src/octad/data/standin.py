"""A project just like one at hand, with a few made-up rows: what it asks of its engine is the same.

The queries of a review are written by the code that runs them. To show them before anything is
read, that code runs on a stand-in: the same plan, the same columns of the same types, and a
handful of invented users. So nothing is written twice, and what is shown is what will be sent.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from octad.data.event_names import events_of
from octad.model.plan import Everyone, Plan, Project, Staged

__all__ = ["Columns", "rows_of", "stand_in"]

EACH = 20
"""Users in every arm."""

_COUNTS = {"reviews": 31, "releases": 7}
_TIES = 37


@dataclass(frozen=True, slots=True)
class Columns:
    """A source's columns: their types, and which play which part.

    Attributes:
        kind: ``parquet``, ``csv`` or ``json``.
        types: Column to its type.
        roles: Our name to the column it is read from.
    """

    kind: str
    types: Mapping[str, pa.DataType]
    roles: Mapping[str, str]


def stand_in(
    folder: Path, plan: Plan, sources: Mapping[str, Columns], newest: datetime | None
) -> tuple[Plan, dict[str, int]]:
    """Write the stand-in's files.

    Args:
        folder: An empty folder.
        plan: The plan that is to be explained.
        sources: Of every source that the stand-in can have.
        newest: The newest moment of the real data, where its files tell.

    Returns:
        The plan over the stand-in's files, and how many rows each source has.
    """
    rows = {name: list(_rows(name, plan, newest)) for name in sources}
    moved: dict[str, Any] = {}
    for name, columns in sources.items():
        file = f"{name}.{'parquet' if columns.kind == 'parquet' else 'csv'}"
        _write(folder / file, columns, rows[name], _keys(name, plan))
        moved[name] = getattr(plan.project.sources, name).model_copy(update={"table": file})
    absent = {n: None for n in type(plan.project.sources).model_fields if n not in moved}
    project: Project = plan.project.model_copy(
        update={
            "sources": plan.project.sources.model_copy(update=moved | absent),
            "connection": "duckdb://",
        }
    )
    return plan.model_copy(update={"project": project}), {n: len(r) for n, r in rows.items()}


def rows_of(name: str, plan: Plan, columns: Columns) -> pa.Table:
    """A source's invented rows, for an engine that keeps tables and no files."""
    return _typed(columns, list(_rows(name, plan, None)), _keys(name, plan))


def _keys(name: str, plan: Plan) -> tuple[str, ...]:
    """The columns that tell a source's rows apart: each row has a value of its own there."""
    return tuple(getattr(getattr(plan.project.sources, name), "dedupe", None) or ())


def _starts(plan: Plan) -> datetime:
    design = plan.launch.design
    day = plan.launch.starts or date(2026, 1, 1)
    if isinstance(design, Everyone):
        day = design.everyone
    elif isinstance(design, Staged):
        day = min(design.dates.values())
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _people(plan: Plan) -> list[tuple[str, str]]:
    """Every user and the value of their arm."""
    arms = list((plan.launch.arms or {"control": "control", "treatment": "treatment"}).values())
    return [(f"{1000 + i}", arms[i % len(arms)]) for i in range(EACH * len(arms))]


def _rows(name: str, plan: Plan, newest: datetime | None) -> Iterator[dict[str, Any]]:
    """Rows by role; what no role names is filled in by type."""
    start = _starts(plan)
    entered = start + timedelta(hours=1)
    end = max(newest or start + timedelta(days=120), start + timedelta(hours=3))
    people = _people(plan)
    if name == "events":
        names = _event_names(plan)
        moments = (start - timedelta(days=2), entered + timedelta(hours=1), end)
        for user, _ in people:
            for event in names:
                for moment in moments:
                    yield {"user": user, "time": moment, "event": event}
    elif name == "exposures":
        for user, arm in people:
            yield {"user": user, "time": entered, "launch": plan.launch.launch, "arm": arm}
    elif name in ("users", "units"):
        for user, arm in people:
            yield {"user": user, "arm": arm, "known": start - timedelta(days=9), "time": entered}
    elif name == "links":
        for i in range(_TIES):
            one, other = (people[(i + step) % len(people)][0] for step in (0, 1))
            yield {"user": one, "other": other, "time": start - timedelta(days=9)}
    else:
        for i in range(_COUNTS[name]):
            yield {
                "product": plan.project.product,
                "time": start + timedelta(days=i % 9 - 4),
                "rating": 1 + i % 5,
                "text": f"word{i} is fine",
                "version": f"{i}",
            }


def _event_names(plan: Plan) -> list[str]:
    charter = plan.project.charter
    named = [e for m in plan.project.metrics.values() for e, _ in events_of(m)]
    named += [e for job in charter.jobs.values() for e in job.events]
    return list(dict.fromkeys([*named, *charter.errors])) or ["open"]


_Rows = Sequence[dict[str, Any]]


def _filled(columns: Columns, rows: _Rows, keys: Sequence[str]) -> dict[str, list[Any]]:
    meaning = {column: role for role, column in columns.roles.items()}

    def cell(column: str, kind: pa.DataType, row: dict[str, Any], place: int) -> Any:
        role = meaning.get(column, "")
        own = f"{1000 + place}" if column in keys and not role else None
        return _cell(kind, row.get(role, own), place, role)

    return {
        column: [cell(column, kind, row, i) for i, row in enumerate(rows)]
        for column, kind in columns.types.items()
    }


def _typed(columns: Columns, rows: _Rows, keys: Sequence[str]) -> pa.Table:
    schema = pa.schema(list(columns.types.items()))
    return pa.table(_filled(columns, rows, keys), schema=schema)


def _write(path: Path, columns: Columns, rows: _Rows, keys: Sequence[str]) -> None:
    if columns.kind == "parquet":
        pq.write_table(_typed(columns, rows, keys), path)
        return
    filled = _filled(columns, rows, keys)
    with path.open("w", encoding="utf-8", newline="") as sink:
        writer = csv.writer(sink)
        writer.writerow(filled)
        writer.writerows(zip(*filled.values(), strict=True))


def _cell(kind: pa.DataType, value: Any, place: int, role: str) -> Any:
    """A value that a column of this type can hold, and that means what its role says."""
    if pa.types.is_dictionary(kind):
        return _cell(kind.value_type, value, place, role)
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        moment = value if isinstance(value, datetime) else datetime(2026, 1, 1, tzinfo=UTC)
        plain = moment if getattr(kind, "tz", None) else moment.replace(tzinfo=None)
        return plain.date() if pa.types.is_date(kind) else plain
    if pa.types.is_boolean(kind):
        return False if role == "staff" else bool(place % 2)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return _number(kind, value, place, role)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        if isinstance(value, datetime):
            return value.strftime("%Y-%m-%d %H:%M:%S")
        if value is None:
            return "" if role == "staff" else ("1" if place % 2 else "2")
        return str(value)
    return None


def _number(kind: pa.DataType, value: Any, place: int, role: str) -> Any:
    if isinstance(value, datetime):
        number: Any = int(value.timestamp())
    elif role == "staff":
        number = 0
    else:
        text = str(value) if value is not None else ""
        number = int(text) if text.lstrip("-").isdigit() else 1 + place % 2
    return float(number) if pa.types.is_floating(kind) else number
