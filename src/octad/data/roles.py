"""Which column of a file plays which role: the source's own word first, else the preset's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from octad.data.columns import as_id, column, has_column, known_columns
from octad.data.raw import FILE
from octad.errors import UnknownNameError, Where
from octad.model.plan import Source
from octad.model.presets import Role, TablePreset

__all__ = ["FLAGS", "IDS", "NUMBERS", "REQUIRED", "ROLES", "TIMES", "Found", "Places", "resolve"]

Places = Callable[[str], Where]
"""Turns a dotted key of `octad.yml`, such as ``sources.events.user``, into its place."""

REQUIRED: Mapping[str, tuple[str, ...]] = {
    "events": ("user", "time", "event"),
    "users": ("user",),
    "exposures": ("user", "time", "arm"),
    "reviews": ("time",),
    "releases": ("time",),
    "units": ("user", "arm"),
    "links": ("user", "other"),
}
"""Roles without which a row says nothing."""

ROLES: Mapping[str, tuple[str, ...]] = {
    "events": ("user", "time", "event", "value"),
    "users": ("user", "staff", "known"),
    "exposures": ("user", "time", "launch", "arm"),
    "reviews": (
        "product",
        "time",
        "rating",
        "title",
        "text",
        "version",
        "author",
        "deleted",
    ),
    "releases": ("product", "time", "version", "notes"),
    "units": ("user", "arm", "time", "staff"),
    "links": ("user", "other", "time"),
}
"""Every source's roles, in the order of its columns."""

TIMES = frozenset({"time", "known"})
NUMBERS = frozenset({"value", "rating"})
FLAGS = frozenset({"staff", "deleted"})
IDS = frozenset({"user", "arm", "event", "launch", "product", "other"})


@dataclass(frozen=True, slots=True)
class Found:
    """A role that a table has.

    Attributes:
        named: Where it is, as the user knows it.
        value: Its values.
        columns: The table's columns it reads.
    """

    named: str
    value: ir.Value
    columns: tuple[str, ...] = ()


def resolve(
    table: ir.Table,
    name: str,
    source: Source,
    preset: TablePreset | None,
    places: Places,
    *,
    loose: bool,
) -> dict[str, Found]:
    """Find the column of every role that a table has.

    Args:
        table: The source as it lies on disk.
        name: Which source it is.
        source: What `octad.yml` says of it.
        preset: What the preset says of it, if it does.
        places: For errors.
        loose: Whether cells need trimming, as in text files.

    Raises:
        UnknownNameError: When a named column is not there, or a required role is nowhere.
    """
    found: dict[str, Found] = {}
    for role in ROLES[name]:
        named: str | None = getattr(source, role, None)
        if named is not None:
            found[role] = _named(table, named, places(f"sources.{name}.{role}"))
            continue
        guess = _from_preset(table, preset.roles.get(role) if preset else None, loose=loose)
        if guess is not None:
            found[role] = guess
        elif role in REQUIRED[name]:
            listed = ", ".join(known_columns(table)[:20])
            raise UnknownNameError(
                f"sources.{name}: which column of '{source.table}' is the {role}?",
                where=places(f"sources.{name}"),
                mend=f"Write {role}: COLUMN, one of: {listed}.",
            )
    return found


def _named(table: ir.Table, named: str, where: Where) -> Found:
    if named == "file" and not has_column(table, "file") and FILE in table.columns:
        return Found("file", table[FILE])
    return Found(named, column(table, named, where=where), (named,))


def _from_preset(table: ir.Table, role: Role | None, *, loose: bool) -> Found | None:
    if role is None:
        return None
    there = [name for name in role.any_of if has_column(table, name)]
    if not there:
        return None
    if not role.coalesce or len(there) == 1:
        return Found(there[0], column(table, there[0]), (there[0],))
    values = [as_id(column(table, name), loose=loose) for name in there]
    return Found(" or ".join(there), ibis.coalesce(*values), tuple(there))
