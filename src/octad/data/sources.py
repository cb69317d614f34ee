"""Sources under our names: what readings may rely on, and an account of what was left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import duckdb
import ibis
import ibis.expr.types as ir

from octad.data.columns import (
    NumberRule,
    as_flag,
    as_id,
    as_number,
    as_text,
    blank_as_null,
    column,
    decide_number,
    has_column,
    known_columns,
    number_counts,
    typed,
)
from octad.data.connect import Engine
from octad.data.intake import Example, Intake, Reject
from octad.data.raw import FILE, LINE, Raw, read_raw
from octad.data.times import EARLIEST, LATEST, check_zone, decide, time_counts, to_utc
from octad.errors import DataError, UnknownNameError, Where, nearest
from octad.model.plan import Project, Source
from octad.model.presets import Role, TablePreset, load

__all__ = ["SOURCES", "Tables", "open_sources"]

SOURCES = ("events", "users", "exposures", "reviews", "releases", "units")

_REQUIRED = {
    "events": ("user", "time", "event"),
    "users": ("user",),
    "exposures": ("user", "time", "arm"),
    "reviews": ("time",),
    "releases": ("time",),
    "units": ("user", "arm"),
}
_OPTIONAL = {
    "events": ("value",),
    "users": ("staff", "known"),
    "exposures": ("launch",),
    "reviews": ("product", "rating", "title", "text", "version", "author", "deleted"),
    "releases": ("product", "version", "notes"),
    "units": ("time", "staff"),
}
_TIMES = {"time", "known"}
_NUMBERS = {"value", "rating"}
_FLAGS = {"staff", "deleted"}
_IDS = {"user", "arm", "event"}
_REASON = "_octad_reason"
Places = Callable[[str], Where]


@dataclass(frozen=True)
class Tables:
    """The sources of a project, under our names; None where a project has none.

    Attributes:
        events: user, time, event, value; then every column of the file under its own name.
        users: user, staff, known; then the attributes.
        exposures: user, time, launch, arm.
        reviews: product, time, rating, title, text, version, author, deleted.
        releases: product, time, version, notes.
        units: user, arm, time, staff; then every other column, typed.
        intake: What was read of each, by source.
    """

    events: ir.Table | None = None
    users: ir.Table | None = None
    exposures: ir.Table | None = None
    reviews: ir.Table | None = None
    releases: ir.Table | None = None
    units: ir.Table | None = None
    intake: dict[str, Intake] = field(default_factory=dict)


def open_sources(
    engine: Engine,
    project: Project,
    *,
    only: set[str] | None = None,
    where: Places | None = None,
) -> Tables:
    """Open the sources of a project, each with one cheap pass over its rows.

    Times are UTC without a zone, ids are text, and rows that cannot be used (no user, no time,
    a year that cannot be, a number that is none, a broken line) are out and counted in `intake`.

    Args:
        engine: From `connect`.
        project: Names the files and their columns.
        only: The sources to open; all when absent.
        where: Turns a dotted key of `octad.yml`, such as ``sources.events.user``, into its place.

    Raises:
        UnknownNameError: When a file or column is not there; says what is near.
        DataError: When a file cannot be read.
    """
    places: Places = where or (lambda _key: Where("octad.yml"))
    tables: dict[str, ir.Table] = {}
    intake: dict[str, Intake] = {}
    for name in SOURCES:
        source: Source | None = getattr(project.sources, name)
        if source is None or (only is not None and name not in only):
            continue
        try:
            tables[name], intake[name] = _open(engine, project, name, source, places)
        except duckdb.Error as error:
            raise DataError(
                f"'{source.table}' cannot be read: {str(error).splitlines()[0][:300]}",
                where=places(f"sources.{name}.table"),
                mend="The file may be damaged; export it again.",
            ) from error
    return Tables(**tables, intake=intake)  # type: ignore[arg-type]


def _open(
    engine: Engine, project: Project, name: str, source: Source, places: Places
) -> tuple[ir.Table, Intake]:
    key = f"sources.{name}"
    raw = read_raw(engine, name, source.table, places(f"{key}.table"))
    preset = load(source.preset or "plain", where=places(f"{key}.preset")).tables.get(name)
    check_zone(source.timezone, places(f"{key}.timezone"))
    roles = _roles(raw, name, source, preset, places)
    zone = source.timezone or (preset.timezone if preset else None)
    shaped, notes = _shape(raw, name, source, roles, zone, project)
    return _account(shaped, raw, name, source, roles, notes)


@dataclass(frozen=True, slots=True)
class _Found:
    """A role that the table has: where it is, and its values."""

    named: str
    value: ir.Value


def _roles(
    raw: Raw, name: str, source: Source, preset: TablePreset | None, places: Places
) -> dict[str, _Found]:
    """Which column fills which role: the source's own word first, else the preset's."""
    table = raw.table
    found: dict[str, _Found] = {}
    for role in _REQUIRED[name] + _OPTIONAL[name]:
        named: str | None = getattr(source, role, None)
        place = places(f"sources.{name}.{role}")
        if named is not None:
            if named == "file" and not has_column(table, "file") and FILE in table.columns:
                found[role] = _Found("file", table[FILE])
            else:
                found[role] = _Found(named, column(table, named, where=place))
            continue
        value = _preset_role(table, preset.roles.get(role) if preset else None)
        if value is not None:
            found[role] = value
        elif role in _REQUIRED[name]:
            raise UnknownNameError(
                f"sources.{name}: which column of '{source.table}' is the {role}?",
                where=places(f"sources.{name}"),
                mend=f"Write {role}: COLUMN. {nearest('', known_columns(table))}",
            )
    return found


def _preset_role(table: ir.Table, role: Role | None) -> _Found | None:
    if role is None:
        return None
    there = [name for name in role.any_of if has_column(table, name)]
    if not there:
        return None
    if not role.coalesce or len(there) == 1:
        return _Found(there[0], column(table, there[0]))
    values = [as_id(column(table, name)) for name in there]
    return _Found(" or ".join(there), ibis.coalesce(*values))


def _shape(
    raw: Raw,
    name: str,
    source: Source,
    roles: dict[str, _Found],
    zone: str | None,
    project: Project,
) -> tuple[ir.Table, list[str]]:
    """Our columns first, then the file's own; and the reason why a row is out, if it is."""
    table = raw.table
    sums: dict[str, ir.Scalar] = {}
    for role, found in roles.items():
        if role in _TIMES:
            sums |= time_counts(found.value, role)
        elif role in _NUMBERS:
            sums |= number_counts(found.value, role)
    counts: dict[str, Any] = table.aggregate(**sums).to_pyarrow().to_pylist()[0] if sums else {}
    notes: list[str] = []
    ours: dict[str, ir.Value] = {}
    faults: list[tuple[ir.BooleanValue, str]] = []
    for role in _REQUIRED[name] + _OPTIONAL[name]:
        found_role = roles.get(role)
        if found_role is None:
            ours[role] = _absent(role, project)
            continue
        value, named = found_role.value, found_role.named
        if role in _TIMES:
            rule = decide(value.type(), counts, role, named, zone)
            notes += rule.notes
            ours[role] = to_utc(value, rule)
        elif role in _NUMBERS:
            numbers = decide_number(counts, role, named)
            notes += numbers.notes
            ours[role], bad = _number(value, numbers)
            faults.append((bad, f"the {role} is no number"))
        else:
            read = as_flag if role in _FLAGS else as_id if role in _IDS else as_text
            ours[role] = read(value)
    given = {role: roles[role].value for role in _TIMES & set(roles)}
    faults = _row_faults(name, ours, given) + faults
    reason = ibis.cases(*faults, else_=ibis.null("string")) if faults else ibis.null("string")
    own, said = _own_columns(raw, name, source, ours, set(_texts(roles)))
    notes += said
    columns = ours | own | {_REASON: reason}
    return table.select(**columns), notes


def _texts(roles: dict[str, _Found]) -> list[str]:
    """The columns that are read as text whatever they look like: ids, names and versions."""
    return [found.named for role, found in roles.items() if role not in _NUMBERS]


def _own_columns(
    raw: Raw, name: str, source: Source, ours: dict[str, ir.Value], texts: set[str]
) -> tuple[dict[str, ir.Value], list[str]]:
    """The file's columns under their own names; those whose name is taken get ``_original``."""
    table = raw.table
    if name not in {"events", "units", "users"}:
        own: dict[str, ir.Value] = {}
        notes: list[str] = []
    elif name == "users" and source.attributes:
        plain = [a for a in source.attributes if a in table.columns]
        own, notes = typed(table, plain, keep=texts) if raw.text else ({}, [])
        own = {a: own.get(a, column(table, a)) for a in source.attributes}
    else:
        plain = [c for c in known_columns(table) if c not in {FILE, LINE}]
        own, notes = typed(table, plain, keep=texts) if raw.text else ({}, [])
        own = {c: own.get(c, table[c]) for c in plain}
    kept = {(f"{c}_original" if c in ours else c): v for c, v in own.items() if c not in ours}
    if LINE in table.columns:
        kept[LINE] = table[LINE]
    return kept, notes


def _absent(role: str, project: Project) -> ir.Value:
    if role in _TIMES:
        return ibis.null("timestamp")
    if role in _NUMBERS:
        return ibis.null("float64")
    if role in _FLAGS:
        return ibis.literal(False)
    if role == "product":
        return ibis.literal(project.product)
    return ibis.null("string")


def _number(value: ir.Value, rule: NumberRule) -> tuple[ir.Value, ir.BooleanValue]:
    """A finite number or null, and whether something was there that is none."""
    parsed = as_number(value, rule)
    finite = (parsed.isnan() | parsed.isinf()).ifelse(ibis.null("float64"), parsed)
    if rule.numeric:
        return finite, ibis.literal(False)
    return finite, blank_as_null(as_text(value)).notnull() & parsed.isnull()


def _row_faults(
    name: str, ours: dict[str, ir.Value], given: dict[str, ir.Value]
) -> list[tuple[ir.BooleanValue, str]]:
    faults: list[tuple[ir.BooleanValue, str]] = []
    for role in _REQUIRED[name]:
        if role not in _TIMES:
            faults.append((ours[role].isnull(), f"no {role}"))
            continue
        time = cast("ir.TimestampValue", ours[role])
        there = given[role].isnull()
        if given[role].type().is_string():
            there = blank_as_null(cast("ir.StringValue", given[role])).isnull()
        faults += [
            (there, "no time"),
            (time.isnull(), "a time that cannot be read"),
            ((time < EARLIEST) | (time >= LATEST), "a year that cannot be"),
        ]
    return faults


def _account(
    shaped: ir.Table,
    raw: Raw,
    name: str,
    source: Source,
    roles: dict[str, _Found],
    notes: list[str],
) -> tuple[ir.Table, Intake]:
    """One pass: rows by reason, the range, and how many users."""
    sums: dict[str, ir.Scalar] = {"n": shaped.count()}
    if "time" in shaped.columns:
        sums |= {"first": shaped.time.min(), "last": shaped.time.max()}
    if "user" in shaped.columns:
        sums["users"] = shaped.user.approx_nunique()
    rows = shaped.group_by(_REASON).aggregate(**sums).to_pyarrow().to_pylist()
    kept = next((row for row in rows if row[_REASON] is None), {"n": 0})
    rejects = [Reject(row[_REASON], row["n"]) for row in rows if row[_REASON] is not None]
    for reason in dict.fromkeys(broken.reason for broken in raw.broken):
        these = [broken for broken in raw.broken if broken.reason == reason]
        examples = tuple(Example(b.line or None, b.raw[:500]) for b in these[:3])
        rejects.append(Reject(reason, len(these), examples))
    intake = Intake(
        source=name,
        table=source.table,
        read=sum(row["n"] for row in rows) + len(raw.broken),
        kept=kept["n"],
        rejects=tuple(sorted(rejects, key=lambda r: -r.rows)),
        first=kept.get("first"),
        last=kept.get("last"),
        users=kept.get("users"),
        columns=tuple(known_columns(raw.table)),
        roles={role: found.named for role, found in roles.items()},
        warnings=tuple(dict.fromkeys((*raw.notes, *notes))),
        files=max(len(raw.paths), 1),
    )
    clean = shaped.filter(shaped[_REASON].isnull()).drop(_REASON)
    return (clean.drop(LINE) if LINE in clean.columns else clean), intake
