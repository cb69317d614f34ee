"""Sources under our names: what readings may rely on, and an account of what was left out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import duckdb
import ibis
import ibis.expr.types as ir

from octad.data.columns import column, has_column, known_columns
from octad.data.connect import Engine
from octad.data.expression import condition
from octad.data.intake import (
    Days,
    Intake,
    Reject,
    days_of,
    gaps,
    merge_rejects,
    plausible_end,
    rejects_of,
)
from octad.data.keep import Shelf
from octad.data.raw import Content, Raw, read_raw
from octad.data.rejects import broken_rejects, write_rejects
from octad.data.repeats import drop_repeats
from octad.data.roles import NUMBERS, Found, Places, resolve
from octad.data.shape import CELL, REASON, Shaped, Stage, shape
from octad.data.times import check_zone
from octad.errors import DataError, UnknownNameError, Where
from octad.model.plan import Project, Source
from octad.model.presets import TablePreset, load

__all__ = ["SOURCES", "Tables", "open_sources"]

SOURCES = ("events", "users", "exposures", "reviews", "releases", "units")
"""Every source there may be, in the order they are opened."""

AHEAD = "a time later than the data can be (a clock that runs ahead)"


@dataclass(frozen=True)
class Tables:
    """The sources of a project, under our names; None where a project has none.

    Ids are text, times UTC without a zone, values and ratings 64-bit floats or null.

    Attributes:
        events: user, time, event, value; then every column of the file under its own name.
        users: user, staff, known; then the attributes, each text or number; one row a user.
        exposures: user, time, launch, arm.
        reviews: product, time, rating, title, text, version, author, deleted.
        releases: product, time, version, notes.
        units: user, arm, time, staff; then every column of the file, typed; one row a user.
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

    Rows that cannot be used (no user, no time, a year that cannot be, a number that is none, a
    broken line, a later copy) are out, and counted in `intake`. Parquet and database tables stay
    where they are and are only looked at; text files are read once and kept, typed, in
    `.octad/cache` until they change, for reading text costs twenty times what Parquet costs.

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
        with _engine_errors(source, places(f"sources.{name}.table")):
            opening = _Opening(engine, project, name, source, places)
            tables[name], intake[name] = opening.open()
    return Tables(**tables, intake=intake)


@contextmanager
def _engine_errors(source: Source, where: Where) -> Iterator[None]:
    """Turn what an engine says of a damaged file into an error a user can mend."""
    try:
        yield
    except duckdb.Error as error:
        first = str(error).splitlines()[0][:300]
        if "No space left" in first:
            raise DataError(
                "the disk is full, so what was read cannot be kept in .octad.",
                where=where,
                mend="Make room on the disk, and run it again; the file itself is sound.",
            ) from error
        raise DataError(
            f"'{source.table}' cannot be read: {first}",
            where=where,
            mend="The file may be damaged; export it again.",
        ) from error


@dataclass(frozen=True, slots=True)
class _Opening:
    """One source being opened."""

    engine: Engine
    project: Project
    name: str
    source: Source
    places: Places

    def place(self, key: str) -> Where:
        return self.places(f"sources.{self.name}.{key}")

    @property
    def preset(self) -> TablePreset:
        preset = load(self.source.preset or "plain", where=self.place("preset"))
        if self.name not in preset.tables:
            raise UnknownNameError(
                f"The preset '{preset.name}' has no {self.name}.",
                where=self.place("preset"),
                mend=f"It has {', '.join(preset.tables)}; take preset out to name the columns.",
            )
        return preset.tables[self.name]

    def open(self) -> tuple[ir.Table, Intake]:
        preset = self.preset
        check_zone(self.source.timezone, self.place("timezone"))
        raw = read_raw(self.engine, self.name, self.source.table, self.place("table"))
        said = (self.source.model_dump_json(), repr(preset), self.project.product)
        shelf = Shelf.of(self.engine, self.name, raw.digest, *said)
        if raw.text and (kept := shelf.find()) is not None:
            return kept
        content = raw.read()
        shaped, roles = self.shape(content, preset, shelf.stage if raw.text else None)
        table, intake = self.account(raw, content, shaped, roles)
        if raw.text:
            table = shelf.keep(table, intake)
            shelf.unstage()
            content.release()
        return table, intake

    def shape(
        self, content: Content, preset: TablePreset, stage: Stage | None
    ) -> tuple[Shaped, dict[str, Found]]:
        """The table under our names, narrowed to its `where`."""
        table = content.table
        test = self.source.where or preset.where
        if test is not None:
            key = "where" if self.source.where else "preset"
            table = table.filter(condition(table, test, where=self.place(key)))
        loose = stage is not None
        roles = resolve(table, self.name, self.source, preset, self.places, loose=loose)
        shaped = shape(
            table,
            self.name,
            self.source,
            roles,
            zone=self.source.timezone or preset.timezone,
            product=self.project.product,
            stage=stage,
            keys=self.keys(table, preset),
            places=self.places,
        )
        return shaped, roles

    def keys(self, table: ir.Table, preset: TablePreset) -> tuple[str, ...]:
        """The columns that name a row once; a preset's only as far as the file has them."""
        if self.source.dedupe:
            for key in self.source.dedupe:
                column(table, key, where=self.place("dedupe"))
            return self.source.dedupe
        return tuple(key for key in preset.dedupe if has_column(table, key))

    def account(
        self, raw: Raw, content: Content, shaped: Shaped, roles: dict[str, Found]
    ) -> tuple[ir.Table, Intake]:
        """Take out what cannot be used, and say how much that was."""
        table = shaped.table
        days = days_of(table)
        end = plausible_end(days.by_day, dense=self.name == "events")
        if end is not None:
            late = table["time"] >= end
            reason = ibis.coalesce(table[REASON], late.ifelse(AHEAD, ibis.null("string")))
            table = table.mutate(
                **{REASON: reason, CELL: late.ifelse(table["time"].cast("string"), table[CELL])}
            )
            days = days_of(table)
        sound = table.filter(table[REASON].isnull())
        sound, copies, torn = drop_repeats(self.name, sound)
        rejects = merge_rejects(
            [
                *broken_rejects(content.broken),
                *rejects_of(table, days.out),
                *(Reject(reason, n) for reason, n in torn.items()),
            ]
        )
        if rejects:
            write_rejects(self.engine, self.name, table, content.broken)
        intake = Intake(
            source=self.name,
            table=self.source.table,
            read=days.rows + sum(days.out.values()) + len(content.broken),
            kept=days.rows - copies - sum(torn.values()),
            rejects=rejects,
            duplicates=copies,
            first=days.first,
            last=days.last,
            gaps=gaps(days.by_day),
            columns=tuple(known_columns(content.table)),
            roles={role: found.named for role, found in roles.items()},
            warnings=tuple(dict.fromkeys((*content.notes, *shaped.notes, *self.odd(days, roles)))),
            files=max(len(raw.paths), 1),
        )
        return sound.drop(*(c for c in sound.columns if c.startswith("_octad"))), intake

    def odd(self, days: Days, roles: dict[str, Found]) -> list[str]:
        """What looks odd in rows that are kept."""
        odd: list[str] = []
        named = next((roles[role].named for role in sorted(NUMBERS) if role in roles), "")
        if days.endless:
            odd.append(
                f"'{named}' is infinite or undefined in {days.endless} rows; they are kept "
                "without it"
            )
        if days.rows == 0:
            odd.append("no row can be used")
        return odd
