"""From a file's columns to ours: one select, with the reason why a row is out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from octad.data.columns import as_flag, as_id, as_text, column, given, known_columns
from octad.data.footers import Proof, proof_of
from octad.data.looks import WHOLE as AS_IT_IS
from octad.data.looks import Look
from octad.data.numbers import as_number, number_rule, typed
from octad.data.ratings import bare_stars
from octad.data.raw import TRACE
from octad.data.roles import FLAGS, IDS, NUMBERS, REQUIRED, ROLES, TIMES, Found, Places
from octad.data.rows import row_digest, row_text
from octad.data.textfiles import PLACE
from octad.data.times import EARLIEST, LATEST, time_rule, to_utc
from octad.errors import Where
from octad.model.plan import Source, UnitSource, UserSource

__all__ = ["CELL", "ENDLESS", "KEY", "REASON", "WHOLE", "Shaped", "Stage", "shape"]

REASON = "_octad_reason"
"""Why a row is out; null for rows that are in."""

CELL = "_octad_cell"
"""The cell that put a row out, as text."""

WHOLE = "_octad_whole"
"""A row that is out, as JSON."""

ENDLESS = "_octad_endless"
"""Whether the row's number is infinite or undefined; it is kept without the number."""

_CELL = "_octad_cell_"
_PLAIN = "_octad_plain_"
Stage = Callable[[ir.Table], ir.Table]

KEY = "_octad_key"
"""A digest of the columns that name a row once."""


@dataclass(frozen=True, slots=True)
class Shaped:
    """A source under our names.

    Attributes:
        table: Our columns, the file's own, and `REASON`, `CELL` and where the row is from.
        notes: What was assumed, in words.
        sound: The same for rows of which it is known that all are in: no cell is tried. None for
            text files, whose cells must be parsed in any case.
        proof: What must hold of a Parquet file's columns so that all of its rows are in; None
            where its account could not tell.
    """

    table: ir.Table
    notes: tuple[str, ...]
    sound: ir.Table | None = None
    proof: Proof | None = None


def shape(
    table: ir.Table,
    name: str,
    source: Source,
    roles: Mapping[str, Found],
    *,
    zone: str | None,
    product: str,
    stage: Stage | None,
    keys: Sequence[str],
    places: Places,
    look: Look = AS_IT_IS,
) -> Shaped:
    """Put a table under our names.

    Args:
        table: The source as it lies on disk, narrowed to its `where:`.
        name: Which source it is.
        source: What `octad.yml` says of it.
        roles: From `roles.resolve` on the same table.
        zone: Of times that carry none.
        product: What a review or release without a product is of.
        stage: For text files, whose cells need trimming and typing: works a table out once, so
            that no cell is parsed twice. None for typed files, which are only looked at.
        keys: Columns that together name a row once; `KEY` is made of them.
        places: For errors.
        look: Looks at the cells that decide how a column is read.
    """
    loose = stage is not None
    notes: list[str] = []
    ours: dict[str, ir.Value] = {}
    endless: ir.Value = ibis.literal(value=False)
    for role in ROLES[name]:
        found = roles.get(role)
        if found is None:
            ours[role] = _absent(role, product)
        elif role in TIMES:
            where = places(f"sources.{name}.{role}")
            times = time_rule(table, found.value, found.named, zone, where=where, look=look)
            notes += times.notes
            ours[role] = to_utc(found.value, times)
        elif role in NUMBERS:
            plain = bare_stars(table, found.value) if role == "rating" else found.value
            numbers = number_rule(table, plain, found.named, look=look)
            notes += numbers.notes
            parsed = as_number(plain, numbers)
            endless = (parsed.isnan() | parsed.isinf()).fill_null(False)
            ours[role] = endless.ifelse(ibis.null("float64"), parsed)
        elif role in FLAGS:
            ours[role] = as_flag(found.value)
        elif role in IDS:
            ours[role] = as_id(found.value, loose=loose)
        else:
            ours[role] = as_text(found.value)
    attributes = places(f"sources.{name}.attributes")
    own, said = _own(table, name, source, roles, ours, loose=loose, place=attributes, look=look)
    traced = {c: table[c] for c in (*TRACE, PLACE) if c in table.columns}
    if keys:
        traced[KEY] = _key(table, keys)
    cells = {_CELL + role: found.value for role, found in roles.items()}
    columns = known_columns(table)
    plain = {f"{_PLAIN}{place}": table[c] for place, c in enumerate(columns)}
    rest = {**own, **traced, **cells, **plain, ENDLESS: endless}
    inner = table.select(**ours, **rest)
    told = (*notes, *said)
    if stage is not None:
        inner = stage(inner)
        return Shaped(_told(inner, _faults(inner, name, roles), columns), told)
    # An id that is there is its cell; whether it is one of the words for nothing is not asked.
    named = {role: as_text(roles[role].value) for role in IDS & {*REQUIRED[name]} & {*roles}}
    sound = table.select(**(ours | named), **rest)
    return Shaped(
        _told(inner, _faults(inner, name, roles), columns),
        told,
        _told(sound, [], columns),
        proof_of(table, {role: roles.get(role) for role in REQUIRED[name]}, roles),
    )


_Faults = list[tuple[ir.BooleanValue, str, ir.Value]]


def _faults(inner: ir.Table, name: str, roles: Mapping[str, Found]) -> _Faults:
    """What puts a row out: the test, the reason in words, and the cell."""
    faults: _Faults = []
    for role in REQUIRED[name]:
        value, cell = inner[role], inner[_CELL + role]
        if role not in TIMES:
            faults.append((value.isnull(), f"no {role}", cell))
            continue
        faults += [
            (value.isnull() & ~given(cell), "no time", cell),
            (value.isnull(), "a time that cannot be read", cell),
            ((value < EARLIEST) | (value >= LATEST), "a year that cannot be", cell),
        ]
    for role in NUMBERS & set(roles):
        cell = inner[_CELL + role]
        if isinstance(cell.type(), dt.String):
            lost = inner[role].isnull() & ~inner[ENDLESS] & given(cell)
            faults.append((lost, f"the {role} is no number", cell))
    return faults


def _told(inner: ir.Table, faults: _Faults, columns: Sequence[str]) -> ir.Table:
    """Add why a row is out, the cell that put it out, and the row as it was."""
    reason: ir.Value = ibis.null("string")
    cell: ir.Value = ibis.null("string")
    if faults:
        reason = ibis.cases(*((test, why) for test, why, _ in faults))
        cell = ibis.cases(*((test, value.cast("string")) for test, _, value in faults))
    # Only asked for where a row is out, so engines make it for those alone.
    whole = row_text(inner, {c: inner[f"{_PLAIN}{place}"] for place, c in enumerate(columns)})
    kept = [c for c in inner.columns if not c.startswith((_CELL, _PLAIN))]
    return inner.select(*kept, **{REASON: reason, CELL: cell, WHOLE: whole})


def _key(table: ir.Table, keys: Sequence[str]) -> ir.Value:
    """A digest of a row's key; null where the whole key is empty, for that names nothing."""
    return row_digest(table, [column(table, key) for key in keys])


def _absent(role: str, product: str) -> ir.Value:
    if role in TIMES:
        return ibis.null("timestamp")
    if role in NUMBERS:
        return ibis.null("float64")
    if role in FLAGS:
        return ibis.literal(value=False)
    return ibis.literal(product) if role == "product" else ibis.null("string")


def _own(
    table: ir.Table,
    name: str,
    source: Source,
    roles: Mapping[str, Found],
    ours: Mapping[str, ir.Value],
    *,
    loose: bool,
    place: Where | None = None,
    look: Look = AS_IT_IS,
) -> tuple[dict[str, ir.Value], list[str]]:
    """The file's columns under their own names; those whose name is taken get ``_original``.

    In text files, numbers and flags are typed, but ids, names and versions stay text.
    """
    if name not in {"events", "users", "units"}:
        return {}, []
    texts = {c for role, found in roles.items() if role not in NUMBERS for c in found.columns}
    plain = known_columns(table)
    attributes: tuple[str, ...] = ()
    if isinstance(source, UserSource | UnitSource):
        attributes = source.attributes
    if name == "users":
        plain = [a for a in attributes or plain if a in table.columns and a not in texts]
    own: dict[str, ir.Value] = {c: table[c] for c in plain}
    notes: list[str] = []
    if loose:
        own, notes = typed(table, plain, keep=texts, look=look)
    own |= {a: column(table, a, where=place) for a in attributes if a not in own}
    if name == "users":
        own = {c: _attribute(v) for c, v in own.items() if not v.type().is_nested()}
    kept: dict[str, ir.Value] = {}
    for c, value in own.items():
        if c.lower() not in ours:
            kept[c] = value
        elif c not in roles or roles[c].columns != (c,):
            kept[f"{c}_original"] = value
    return kept, notes


def _attribute(value: ir.Value) -> ir.Value:
    """An attribute as text or number: flags and dates are words."""
    kind = value.type()
    if isinstance(kind, dt.Numeric) and not isinstance(kind, dt.Boolean):
        return value.cast("float64") if isinstance(kind, dt.Decimal) else value
    return as_text(value)
