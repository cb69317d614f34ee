"""Opening a source: each file read once, and what is common to all of them decided together."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import ibis
import ibis.expr.types as ir

from octad.data.book import Book, Page
from octad.data.columns import known_columns
from octad.data.connect import Engine
from octad.data.filed import Files, ParquetFiles, TextFiles
from octad.data.intake import Days, Example, Reject, merge_rejects, plausible_end, shorten
from octad.data.looks import WHOLE as AS_IT_IS
from octad.data.looks import Look
from octad.data.prints import Print, prints
from octad.data.raw import FILE, LINE, Raw
from octad.data.receipts import Receipt, days_in, receipts
from octad.data.rejects import cells_of, piece, write_rejects
from octad.data.repeats import drop_repeats
from octad.data.shape import KEY, REASON, WHOLE, Shaped, Stage
from octad.data.store import sweep
from octad.errors import DataError

__all__ = ["AHEAD", "Filed", "Opened", "open_files", "open_table"]

AHEAD = "a time later than the data can be (a clock that runs ahead)"

_FORM = "2"
"""Raised when what is kept changes its form, so that older files are read anew."""

Shaper = Callable[[ir.Table, Stage | None, Look], Shaped]
"""Puts a table under our names; see `shape.shape`."""


@dataclass(frozen=True, slots=True)
class Filed:
    """The files of a source, so that a later look may read only the new ones.

    Attributes:
        prints: What each file holds; `keys` tell a file with its name by that.
        receipts: The account of each, in the same order.
        fresh: Which of them were read in this look, for their account at least.
        end: The first moment that is too late to be true; None when there is none.
        together: Why the files' rows depend on one another, in words; empty when they do not.
        rules: How their rows are read.
        hidden: The folder in which looks may be kept; None when nothing can be.
        only: The rows of some files, by their numbers, that can be used.
    """

    prints: tuple[Print, ...]
    keys: tuple[str, ...]
    receipts: tuple[Receipt, ...]
    fresh: tuple[bool, ...]
    end: datetime | None
    together: str
    rules: str
    hidden: Path | None
    only: Callable[[Sequence[int]], ir.Table]


@dataclass(frozen=True, slots=True)
class Opened:
    """A source that was read.

    Attributes:
        table: Its rows that can be used, under our names.
        days: Its rows by reason and day.
        rejects: Rows left out, by reason.
        copies: Copies that were dropped.
        torn: Rows that are out because they contradict one another.
        broken: Lines that are no rows.
        columns: The columns found.
        notes: What was assumed, in words.
        files: Its files; None for a table.
    """

    table: ir.Table
    days: Days
    rejects: tuple[Reject, ...]
    copies: int
    torn: int
    broken: int
    columns: tuple[str, ...]
    notes: tuple[str, ...]
    files: Filed | None = field(default=None)


def _hash(*words: str) -> str:
    return hashlib.blake2b("\0".join(words).encode(), digest_size=10).hexdigest()


def open_table(name: str, raw: ir.Table, shaper: Shaper) -> Opened:
    """Open a table of a database: everything is looked at, and nothing kept."""
    shaped = shaper(raw, None, AS_IT_IS)
    own = receipts(shaped.table, None).get(None, Receipt())
    sound = shaped.table.filter(shaped.table[REASON].isnull())
    settled = _settle(name, sound, [own], {})
    return _opened(settled, raw, [own], shaped, None)


def open_files(
    engine: Engine, raw: Raw, said: Sequence[str], shaper: Shaper, *, text: bool
) -> Opened:
    """Open a source of files.

    A file whose bytes were read before costs its print; a new or changed one is read, and a file
    that is gone is forgotten. What is common to all files (columns, how times and numbers are
    written) is decided from what is known of each; where a new file changes it, the others are
    read anew.

    Args:
        engine: Where the rows are made readable.
        raw: The files.
        said: Whatever else decides how they are read.
        shaper: Puts their rows under our names.
        text: Whether they are CSV or JSON, and not Parquet.

    Raises:
        DataError: When a file cannot be read, or there is no room to unpack it.
    """
    base = engine.hidden / "cache" if engine.writable else None
    folder = None if base is None else base / f"{raw.source}-{_hash(_FORM, raw.kind, *said)}"
    found = prints(raw.paths, None if base is None else base / f"{raw.source}.prints.json")
    pages = [Page(n, one, one.key(engine.root)) for n, one in enumerate(found)]
    kind = TextFiles if text else ParquetFiles
    files: Files = kind(engine, raw, folder, pages)
    book = Book(pages, folder, prepare=files.prepare, spot=files.spot, column=files.column)
    book.load()
    try:
        book.under(files.open())
        shaped = shaper(files.table, files.stage if text else None, book)
        rules = _hash(files.rules(shaped))
        files.read(book, shaped, [p for p in pages if not files.kept(p, rules)], rules)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DataError(
                "the disk is full, so what was read cannot be unpacked.",
                where=raw.where,
                mend="Make room on the disk, and run it again; the file itself is sound.",
            ) from error
        raise
    finally:
        files.release()
    book.save()
    if base is not None and folder is not None:
        _sweep(base, folder, raw.source, {p.key: p.rules for p in pages})
    sound = files.rows(shaped)
    own = [page.receipt or Receipt() for page in pages]
    settled = _settle(raw.source, sound, own, files.origin())
    if settled.rejects:
        pieces = [] if folder is None else [piece(folder, p.key, p.rules) for p in pages]
        write_rejects(engine, raw.source, pieces, settled.ahead)
    whole = sound if settled.end is None else sound.filter(~_late(sound, settled.end))

    def only(numbers: Sequence[int]) -> ir.Table:
        spots = [files.row_file(pages[n]) for n in numbers]
        rows = whole.filter(whole[FILE].isin(spots) if spots else ibis.literal(value=False))
        return _ours(rows)

    together = "rows name themselves (dedupe), and a copy may be in any file"
    filed = Filed(
        prints=found,
        keys=tuple(page.key for page in pages),
        receipts=tuple(own),
        fresh=tuple(page.fresh for page in pages),
        end=settled.end,
        together=together if KEY in sound.columns or settled.copies else "",
        rules=_hash(rules, *said),
        hidden=engine.hidden if engine.writable else None,
        only=only,
    )
    return _opened(settled, files.table, own, shaped, filed)


@dataclass(frozen=True, slots=True)
class _Settled:
    """What all files together say of each row."""

    table: ir.Table
    days: Days
    rejects: tuple[Reject, ...]
    copies: int
    torn: int
    end: datetime | None
    ahead: list[list[object]]


def _late(table: ir.Table, end: datetime) -> ir.BooleanValue:
    late: ir.BooleanValue = (table["time"] >= end).fill_null(False)
    return late


def _settle(name: str, sound: ir.Table, own: Sequence[Receipt], origin: dict[str, str]) -> _Settled:
    """Take out rows of clocks that run ahead, and copies."""
    days = days_in(own, None, AHEAD)
    end = plausible_end(days.by_day, dense=name == "events")
    rejects = [reject for receipt in own for reject in receipt.rejects]
    ahead: list[list[object]] = []
    if end is not None:
        days = days_in(own, end, AHEAD)
        if AHEAD not in days.out:  # a thin last day, all of it within the hours of grace
            end = None
    if end is not None:
        late = sound.filter(_late(sound, end))
        sound = sound.filter(~_late(sound, end))
        ahead = _cells_ahead(late, origin)
        examples = [
            Example(int(str(line)) if line else None, shorten(str(time)), str(file))
            for file, line, time in _times_ahead(late, origin)
        ]
        rejects.append(Reject(AHEAD, days.out[AHEAD], tuple(examples)))
    sound, copies, torn = drop_repeats(name, sound)
    rejects += [Reject(reason, n) for reason, n in torn.items()]
    lost = sum(torn.values())
    return _Settled(sound, days, merge_rejects(rejects), copies, lost, end, ahead)


def _times_ahead(late: ir.Table, origin: dict[str, str]) -> list[tuple[str, object, object]]:
    trace = [c for c in (FILE, LINE) if c in late.columns]
    rows = late.select(*trace, cell=late["time"].cast("string")).limit(3).to_pyarrow().to_pylist()
    return [(_origin(row.get(FILE), origin), row.get(LINE), row["cell"]) for row in rows]


def _cells_ahead(late: ir.Table, origin: dict[str, str]) -> list[list[object]]:
    if WHOLE not in late.columns:
        row = ibis.struct({c: late[c] for c in known_columns(late)})
        late = late.mutate(**{WHOLE: row.cast("json").cast("string")})
    cells = cells_of(late.mutate(**{REASON: ibis.literal(AHEAD)}))
    return [[_origin(file, origin), *rest] for file, *rest in cells]


def _origin(file: object, origin: dict[str, str]) -> str:
    """The name of the file that rows were read from at first."""
    name = str(file or "").rsplit("/", 1)[-1]
    return origin.get(name, name)


def _ours(table: ir.Table) -> ir.Table:
    return table.drop(*(c for c in table.columns if c.startswith("_octad")))


def _opened(
    settled: _Settled, raw: ir.Table, own: Sequence[Receipt], shaped: Shaped, files: Filed | None
) -> Opened:
    said = (note for receipt in own for note in receipt.notes)
    return Opened(
        table=_ours(settled.table),
        days=settled.days,
        rejects=settled.rejects,
        copies=settled.copies,
        torn=settled.torn,
        broken=sum(receipt.broken for receipt in own),
        columns=tuple(known_columns(raw)),
        notes=tuple(dict.fromkeys((*said, *shaped.notes))),
        files=files,
    )


def _sweep(base: Path, folder: Path, source: str, pages: dict[str, str]) -> None:
    """Touch what is in use, and remove what is not, once nobody can be using it."""
    now = None
    for key, rules in pages.items():
        for name in (f"{key}.json", f"{key}-{rules}.parquet", f"{key}-{rules}.csv"):
            if (folder / name).exists():
                os.utime(folder / name, now)

    def wanted(entry: Path) -> bool:
        key, _, rules = entry.stem.partition("-")
        return key in pages and rules in {"", pages[key]}

    if folder.is_dir():
        os.utime(folder, now)
        sweep(folder, wanted)
    sweep(base, lambda e: e == folder or not e.name.startswith(f"{source}-"))
