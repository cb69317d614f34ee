"""A small product whose events come day by day, and everything that can happen to its files."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from octad.data.connect import connect
from octad.data.gather import gather
from octad.model.inputs import FilesRead, Inputs
from octad.model.needs import Needs
from octad.model.plan import Plan
from tests.data.alike import differences
from tests.data.small import START, World, plan_of, random_world, write_world

__all__ = ["CHARTER", "Product", "needs_of"]

DAY = timedelta(days=1)
_TIME = pa.timestamp("us", tz="UTC")
_COLUMNS: Mapping[str, pa.DataType] = {
    "user": pa.string(),
    "ts": _TIME,
    "name": pa.string(),
    "value": pa.float64(),
    "wait": pa.float64(),
    "kind": pa.string(),
}
CHARTER: dict[str, Any] = {
    "jobs": {
        "pay": {"events": ["pay", "cart"], "terms": ["pay"], "core": True},
        "look": {"events": ["open"], "terms": ["look"]},
    },
    "errors": ["crash"],
}


def needs_of(plan: Plan) -> Needs:
    """Everything that a review may ask of events."""
    every = frozenset(plan.project.metrics)
    counts = every & {"opens", "spend", "spend_cut", "either"}
    return Needs(
        totals=every,
        sliced=every,
        daily=every,
        tails=every,
        variants=every,
        retention=True,
        jobs=True,
        errors=True,
        walks=True,
        stories=5,
        exposure=True,
        volume=True,
        calendar=counts,
        kinds=counts,
        visits=True,
    )


@dataclass
class Product:
    """A product on disk.

    Attributes:
        root: Its folder.
        world: Its users and exposures; events are those of the files.
        days: What each file holds, by its name.
    """

    root: Path
    world: World
    days: dict[str, list[Any]] = field(default_factory=dict)
    launch: dict[str, Any] = field(default_factory=dict)
    kind: str = "parquet"

    @classmethod
    def make(cls, root: Path, seed: int = 0, users: int = 150, kind: str = "parquet") -> Product:
        """A product of which no day has come yet."""
        world = random_world(seed, users)
        known = [e for e in world.events if e[1] < START + 29 * DAY]
        product = cls(root, replace(world, events=sorted(known, key=lambda e: e[1])), kind=kind)
        write_world(replace(world, events=[]), root, 0)
        return product

    def name(self, day: int) -> str:
        return f"{(START + day * DAY).date()}"

    def rows(self, day: int) -> list[Any]:
        """The events of a day since the launch, as they come in time; before 0 all there were."""
        first = START + day * DAY
        if day == -1:
            return [e for e in self.world.events if e[1] < START]
        return [e for e in self.world.events if first <= e[1] < first + DAY]

    def write(self, name: str, rows: list[Any]) -> None:
        """One file of events; gone when there are no rows."""
        path = self.root / "data" / "events" / f"{name}.{self.kind}"
        self.days[name] = rows
        columns = [[row[n] for row in rows] for n in range(len(_COLUMNS))]
        arrays = [pa.array(c, t) for c, t in zip(columns, _COLUMNS.values(), strict=True)]
        table = pa.table(dict(zip(_COLUMNS, arrays, strict=True)))
        if self.kind == "csv":
            lines = [",".join(map(_cell, row.values())) for row in table.to_pylist()]
            path.write_text("\n".join([",".join(_COLUMNS), *lines, ""]), encoding="utf-8")
        else:
            pq.write_table(table, path)

    def come(self, *days: int) -> None:
        """Days arrive, each in its file."""
        for day in days:
            self.write(self.name(day), self.rows(day))

    def delete(self, name: str) -> None:
        del self.days[name]
        (self.root / "data" / "events" / f"{name}.{self.kind}").unlink()

    def tables(self) -> None:
        """Write the users and the exposures anew."""
        write_world(replace(self.world, events=[]), self.root, 0)

    @property
    def plan(self) -> Plan:
        plan = plan_of(self.world, **self.launch)
        table = f"data/events/*.{self.kind}"
        events = plan.project.sources.events
        assert events is not None
        sources = plan.project.sources.model_copy(
            update={"events": events.model_copy(update={"table": table})}
        )
        charter = type(plan.project.charter).model_validate(CHARTER)
        project = plan.project.model_copy(update={"sources": sources, "charter": charter})
        return plan.model_copy(update={"project": project})

    def look(self, root: Path | None = None, as_of: date | None = None) -> Inputs:
        plan = self.plan
        with connect(plan.project, root or self.root) as engine:
            return gather(engine, plan, needs_of(plan), as_of=as_of)

    def check(self, as_of: date | None = None) -> FilesRead:
        """Look, and hold it against a look that knows nothing; what it read."""
        ours = self.look(as_of=as_of)
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "copy"
            shutil.copytree(self.root, copy, ignore=shutil.ignore_patterns("rollup", "cache"))
            theirs = self.look(copy, as_of=as_of)
        found = differences(ours, theirs)
        assert not found, found[:5]
        assert ours.files_read is not None
        return ours.files_read


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    text = str(value)
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\n') else text
