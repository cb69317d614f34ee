"""What `octad check` says: every source read in full, and looked at column by column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from octad.data.columns import known_columns
from octad.data.connect import Engine
from octad.data.intake import Intake
from octad.data.roles import Places
from octad.data.rows import row_digest
from octad.data.sources import Tables, open_sources
from octad.data.store import size_of
from octad.errors import OctadError
from octad.model.plan import Project

__all__ = ["CheckReport", "ColumnNote", "check"]

_CHUNK = 40
_MANGLED = r"^\d(\.\d+)?E\+\d+$"
_ZEROS = r"^[0-]+$"


@dataclass(frozen=True, slots=True)
class ColumnNote:
    """One column as it was read.

    Attributes:
        name: Ours, or the file's own.
        kind: ``text``, ``number``, ``time``, ``flag`` or ``nested``.
        empty: The share of rows without it, from 0 to 1.
        kinds: How many different values, approximately; None for nested ones.
    """

    name: str
    kind: str
    empty: float
    kinds: int | None


@dataclass(frozen=True, slots=True)
class CheckReport:
    """Every source as it was read.

    Attributes:
        intake: By source; with users counted and whole-row copies noted.
        columns: By source.
        rejects: By source, the file that holds its rejected rows, from the project's folder.
        doubts: Names in `octad.yml` that are probably misspelt.
        kept: Bytes that `.octad` takes; it can be deleted at any time.
    """

    intake: Mapping[str, Intake]
    columns: Mapping[str, tuple[ColumnNote, ...]]
    rejects: Mapping[str, str]
    doubts: tuple[OctadError, ...] = ()
    kept: int = 0

    @property
    def sound(self) -> bool:
        """Whether no row was rejected and no source is empty."""
        return all(i.kept and not i.rejects for i in self.intake.values())


def check(engine: Engine, project: Project, *, where: Places | None = None) -> CheckReport:
    """Read every source in full.

    Beside what `open_sources` finds, users are counted exactly, whole rows that are there twice
    are counted (and kept: two equal events may be two events), and ids that a spreadsheet has
    mangled are pointed out.

    Raises:
        UnknownNameError: As `open_sources`.
        DataError: As `open_sources`.
    """
    tables = open_sources(engine, project, where=where)
    intake: dict[str, Intake] = {}
    columns: dict[str, tuple[ColumnNote, ...]] = {}
    rejects: dict[str, str] = {}
    for name, was in tables.intake.items():
        table: ir.Table = getattr(tables, name)
        intake[name] = _closer(name, table, was, tables)
        columns[name] = tuple(_columns(table))
        written = engine.hidden / "rejects" / f"{name}.csv"
        if was.rejects and written.is_file():
            rejects[name] = str(written.relative_to(engine.root))
    return CheckReport(intake, columns, rejects, kept=size_of(engine.hidden))


def _one(table: ir.Table, **sums: ir.Value) -> dict[str, int]:
    row = table.aggregate(**sums).to_pyarrow().to_pylist()[0]
    return {name: int(value or 0) for name, value in row.items()}


def _closer(name: str, table: ir.Table, intake: Intake, tables: Tables) -> Intake:
    warnings: list[str] = []
    copies = _copies(table)
    if copies:
        warnings.append(
            f"{copies:,} rows are exact copies of another; they are kept. If they are errors, "
            "write dedupe: and the columns that name a row once"
        )
    if "user" not in table.columns:
        return intake.with_warnings(*warnings)
    user = table["user"]
    counts = _one(
        table,
        users=user.nunique(),
        mangled=user.re_search(_MANGLED).sum(),
        zeros=user.re_search(_ZEROS).sum(),
        most=table.count(),
    )
    if counts["mangled"]:
        warnings.append(
            f"{counts['mangled']:,} user ids look like 1.23E+18: a spreadsheet has rounded them, "
            "and different users may share one. Export again without it"
        )
    if counts["zeros"]:
        warnings.append(
            f"{counts['zeros']:,} rows have a user id of zeros, which is likely nobody's"
        )
    if name == "links":
        warnings += _ties(table, tables)
    if name in {"users", "exposures", "events"}:
        warnings += _strangers(name, table, tables)
    return replace(intake, users=counts["users"]).with_warnings(*warnings)


def _strangers(name: str, table: ir.Table, tables: Tables) -> list[str]:
    """Users of one source that another does not know: ids of two kinds fail to join."""
    if name == "events" or tables.events is None:
        return []
    known = tables.events.select("user").distinct()
    mine = table.select("user").distinct()
    counts = _one(mine, n=mine.count())
    lost = _one(mine.anti_join(known, "user"), n=ibis._.count())
    if not counts["n"] or lost["n"] < counts["n"]:
        return []
    return [f"no user of {name} is in events: are the ids of one kind (device, account, hash)?"]


def _ties(links: ir.Table, tables: Tables) -> list[str]:
    """What is odd in who is tied to whom, in counts: no id is said."""
    loops = _one(links.filter(links.user == links.other), n=ibis._.count())["n"]
    apart = links.filter(links.user != links.other)
    pairs = apart.select(
        one=ibis.least(apart.user, apart.other), two=ibis.greatest(apart.user, apart.other)
    )
    counts = _one(pairs, n=pairs.count())
    twice = counts["n"] - _one(pairs.distinct(), n=ibis._.count())["n"]
    said = []
    if loops:
        said.append(f"{loops:,} rows tie a user to themselves; they are not used")
    if twice:
        said.append(f"{twice:,} rows are a tie that another row has too; each counts once")
    known = [t for t in (tables.users, tables.exposures, tables.events) if t is not None]
    if known:
        ours = ibis.union(*(t.select("user") for t in known)) if known[1:] else known[0]
        ends = ibis.union(links.select("user"), links.select(user="other")).distinct()
        lost = _one(ends.anti_join(ours.select("user"), "user"), n=ibis._.count())["n"]
        every = _one(ends, n=ends.count())["n"]
        if every and lost == every:
            said.append("none of its users is in another source: are the ids of one kind?")
        elif lost:
            said.append(f"{lost:,} of its {every:,} users are in no other source")
    return said


def _copies(table: ir.Table) -> int:
    """How many rows are exact copies of another, by a 64-bit digest of the whole row."""
    columns = [table[c] for c in known_columns(table)]
    keyed = table.select(key=row_digest(table, columns))
    counts = _one(keyed, n=keyed.count(), kinds=keyed["key"].nunique())
    return counts["n"] - counts["kinds"]


def _columns(table: ir.Table) -> list[ColumnNote]:
    notes: list[ColumnNote] = []
    names = known_columns(table)
    for start in range(0, len(names), _CHUNK):
        chunk = names[start : start + _CHUNK]
        sums: dict[str, ir.Value] = {"rows": table.count()}
        for place, name in enumerate(chunk):
            sums[f"filled_{place}"] = table[name].count()
            if not _nested(table[name]):
                sums[f"kinds_{place}"] = table[name].approx_nunique()
        counts = _one(table, **sums)
        rows = counts["rows"]
        for place, name in enumerate(chunk):
            empty = 1 - counts[f"filled_{place}"] / rows if rows else 1.0
            kinds = counts.get(f"kinds_{place}")
            notes.append(ColumnNote(name, _kind(table[name]), empty, kinds))
    return notes


def _nested(value: ir.Value) -> bool:
    kind = value.type()
    return bool(kind.is_nested() or isinstance(kind, dt.JSON))


def _kind(value: ir.Value) -> str:
    kind = value.type()
    if _nested(value):
        return "nested"
    if isinstance(kind, dt.Boolean):
        return "flag"
    if isinstance(kind, dt.Numeric):
        return "number"
    return "time" if isinstance(kind, dt.Timestamp | dt.Date | dt.Time) else "text"
