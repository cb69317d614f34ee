"""What is known of each file of a source, and asking for what is not known yet."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
from pydantic import TypeAdapter, ValidationError

from octad.data.looks import merged
from octad.data.prints import Print
from octad.data.receipts import Receipt
from octad.data.store import put_bytes

__all__ = ["Book", "Page"]

_RECEIPT = TypeAdapter(Receipt)


@dataclass(slots=True)
class Page:
    """One file: what decides how it is read, and the account of it once it was.

    Attributes:
        place: Its number among the files of the source, from 0.
        print: What it holds.
        key: What is kept of it lies under this name.
        facts: Answers to questions about its columns.
        receipt: Its account under the rules in force; None until it is read.
        rules: The rules under which `receipt` was made.
        held: How many bytes its kept rows take; 0 when none are kept.
        fresh: Whether anything of it was read in this look.
    """

    place: int
    print: Print
    key: str
    facts: dict[str, Any] = field(default_factory=dict)
    receipt: Receipt | None = None
    rules: str = ""
    held: int = 0
    fresh: bool = False

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.print.path


class Book:
    """The pages of a source's files. It looks at columns file by file, and each file once.

    Args:
        pages: In the order of the files.
        folder: Where they are kept; None when nothing can be.
        prepare: Makes the rows of some files readable through the source's raw table.
        spot: The column that tells a row's file, and its value for a page.
    """

    def __init__(
        self,
        pages: Sequence[Page],
        folder: Path | None,
        *,
        prepare: Callable[[Sequence[Page]], None],
        spot: Callable[[Page], object],
        column: str,
    ) -> None:
        self.pages = tuple(pages)
        self._folder = folder
        self._prepare = prepare
        self._spot = spot
        self._column = column
        self._context = ""

    def under(self, context: str) -> None:
        """Set what all answers depend on; those given under another are forgotten."""
        self._context = context
        for page in self.pages:
            if page.facts.get("") != context:
                kept = {k: v for k, v in page.facts.items() if k.startswith("file.")}
                page.facts = kept | {"": context}

    def rows_of(self, table: ir.Table, pages: Sequence[Page]) -> ir.Table:
        """A table's rows that come from some files."""
        if len(pages) == len(self.pages):
            return table
        spots = [self._spot(page) for page in pages]
        column = table[self._column]
        return table.filter(column == spots[0] if len(spots) == 1 else column.isin(spots))

    def sums(self, table: ir.Table, what: str, sums: Mapping[str, ir.Value]) -> dict[str, Any]:
        """Aggregates, from memory for files that were asked before; see `looks.Look`."""
        if not sums:
            return {}
        names = {name: f"{what}.{name}" for name in sums}
        missing = self._missing(names.values())
        if missing:
            self._prepare(missing)
            rows = self.rows_of(table, missing)
            keyed = rows.group_by(_spot=rows[self._column]).aggregate(**sums)
            answers = {row.pop("_spot"): row for row in keyed.to_pyarrow().to_pylist()}
            for page in missing:
                row = answers.get(self._spot(page), {})
                page.facts |= {names[name]: _plain(row.get(name)) for name in sums}
        return merged(
            [{name: page.facts[key] for name, key in names.items()} for page in self.pages]
        )

    def each(
        self, table: ir.Table, what: str, find: Callable[[ir.Table], Mapping[str, Any]]
    ) -> dict[str, Any]:
        """What `find` makes of every file, from memory for those that were asked before."""
        missing = self._missing([what])
        if missing:
            self._prepare(missing)
        for page in missing:
            found = find(self.rows_of(table, [page]))
            page.facts[what] = {name: _plain(value) for name, value in found.items()}
        return merged([page.facts[what] for page in self.pages])

    def _missing(self, names: Iterable[str]) -> list[Page]:
        wanted = list(names)
        missing = [page for page in self.pages if any(n not in page.facts for n in wanted)]
        for page in missing:
            page.fresh = True
        return missing

    def load(self) -> None:
        """Read what is kept of every file; what cannot be read is not known."""
        if self._folder is None:
            return
        for page in self.pages:
            try:
                kept = json.loads((self._folder / f"{page.key}.json").read_bytes())
                receipt = kept["receipt"]
                page.facts = dict(kept["facts"])
                page.rules, page.held = str(kept["rules"]), int(kept["held"])
                page.receipt = (
                    None if receipt is None else _RECEIPT.validate_python(receipt, strict=False)
                )
            except (OSError, ValueError, KeyError, TypeError, ValidationError):
                page.facts, page.receipt, page.rules, page.held = {}, None, "", 0

    def save(self) -> None:
        """Keep the pages of files that were read in this look."""
        if self._folder is None:
            return
        for page in self.pages:
            if page.fresh:
                receipt = (
                    None
                    if page.receipt is None
                    else _RECEIPT.dump_python(page.receipt, mode="json")
                )
                content = {
                    "facts": page.facts,
                    "rules": page.rules,
                    "held": page.held,
                    "receipt": receipt,
                }
                put_bytes(self._folder / f"{page.key}.json", json.dumps(content).encode())


def _plain(value: Any) -> Any:
    """A value as JSON keeps it; a sum of flags comes back from DuckDB as a decimal."""
    return int(value) if isinstance(value, Decimal) else value
