"""Sources under our names: what readings may rely on, and an account of what was left out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import duckdb
import ibis.expr.types as ir

from octad.data.by_file import Filed, Opened, open_files, open_table
from octad.data.columns import column, has_column
from octad.data.connect import Engine
from octad.data.expression import condition
from octad.data.intake import Days, Intake, gaps
from octad.data.looks import Look
from octad.data.raw import Raw, read_raw
from octad.data.roles import NUMBERS, Found, Places, resolve
from octad.data.shape import Shaped, Stage, shape
from octad.data.times import check_zone
from octad.errors import DataError, UnknownNameError, Where
from octad.model.plan import Project, Source
from octad.model.presets import TablePreset, load

__all__ = ["SOURCES", "Tables", "open_sources"]

SOURCES = ("events", "users", "exposures", "reviews", "releases", "units", "links")
"""Every source there may be, in the order they are opened."""


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
        links: user, other, time.
        intake: What was read of each, by source.
        files: The files of those that are files, by source.
    """

    events: ir.Table | None = None
    users: ir.Table | None = None
    exposures: ir.Table | None = None
    reviews: ir.Table | None = None
    releases: ir.Table | None = None
    units: ir.Table | None = None
    links: ir.Table | None = None
    intake: dict[str, Intake] = field(default_factory=dict)
    files: dict[str, Filed] = field(default_factory=dict)


def open_sources(
    engine: Engine,
    project: Project,
    *,
    only: set[str] | None = None,
    where: Places | None = None,
) -> Tables:
    """Open the sources of a project; of files, those that were not read before.

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
    files: dict[str, Filed] = {}
    for name in SOURCES:
        source: Source | None = getattr(project.sources, name)
        if source is None or (only is not None and name not in only):
            continue
        with _engine_errors(source, places(f"sources.{name}.table")):
            opened, intake[name] = _Opening(engine, project, name, source, places).open()
            tables[name] = opened.table
            if opened.files is not None:
                files[name] = opened.files
    return Tables(**tables, intake=intake, files=files)


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

    def open(self) -> tuple[Opened, Intake]:
        preset = self.preset
        check_zone(self.source.timezone, self.place("timezone"))
        raw = read_raw(self.engine, self.name, self.source.table, self.place("table"))
        found: dict[str, Found] = {}

        def shaper(table: ir.Table, stage: Stage | None, look: Look) -> Shaped:
            shaped, roles = self.shape(table, preset, stage, look)
            found.update(roles)
            return shaped

        if raw.text or raw.kind == "parquet":
            said = (self.source.model_dump_json(), repr(preset), self.project.product)
            opened = open_files(raw.engine, raw, said, shaper, text=raw.text)
        else:
            opened = open_table(self.name, raw.read(), shaper)
        return opened, self.account(raw, opened, found)

    def shape(
        self, table: ir.Table, preset: TablePreset, stage: Stage | None, look: Look
    ) -> tuple[Shaped, dict[str, Found]]:
        """The table under our names, narrowed to its `where`."""
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
            look=look,
        )
        return shaped, roles

    def keys(self, table: ir.Table, preset: TablePreset) -> tuple[str, ...]:
        """The columns that name a row once; a preset's only as far as the file has them."""
        if self.source.dedupe:
            for key in self.source.dedupe:
                column(table, key, where=self.place("dedupe"))
            return self.source.dedupe
        return tuple(key for key in preset.dedupe if has_column(table, key))

    def account(self, raw: Raw, opened: Opened, roles: dict[str, Found]) -> Intake:
        """What was read, and how much of it cannot be used."""
        days = opened.days
        return Intake(
            source=self.name,
            table=self.source.table,
            read=days.rows + sum(days.out.values()) + opened.broken,
            kept=days.rows - opened.copies - opened.torn,
            rejects=opened.rejects,
            duplicates=opened.copies,
            first=days.first,
            last=days.last,
            gaps=gaps(days.by_day),
            columns=opened.columns,
            roles={role: found.named for role, found in roles.items()},
            warnings=tuple(dict.fromkeys((*opened.notes, *self.odd(days, roles)))),
            files=max(len(raw.paths), 1),
        )

    def odd(self, days: Days, roles: dict[str, Found]) -> list[str]:
        """What looks odd in rows that are kept."""
        odd: list[str] = []
        engine = self.engine.abilities
        if not engine.tried:
            odd.append(
                f"Octad was never tried on {engine.spoken}: hold some of its counts against a "
                "query of your own before you believe it"
            )
        named = next((roles[role].named for role in sorted(NUMBERS) if role in roles), "")
        if days.endless:
            odd.append(
                f"'{named}' is infinite or undefined in {days.endless} rows; they are kept "
                "without it"
            )
        if days.rows == 0:
            odd.append("no row can be used")
        return odd
