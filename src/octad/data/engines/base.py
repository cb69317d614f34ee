"""What an engine can do and what it cannot, by name; and the words in which it is refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn

import sqlglot as sg
import sqlglot.expressions as sge
from ibis.common.exceptions import OperationNotDefinedError, UnsupportedOperationError

from octad.errors import DataError, Where

__all__ = [
    "CANNOT",
    "DUCKDB",
    "Abilities",
    "RefusedError",
    "abilities_of",
    "answered",
    "first_line",
    "quoted",
    "refuse",
    "template",
]


class RefusedError(DataError):
    """An engine was asked for what it cannot do, and nothing was computed instead."""


@dataclass(frozen=True, slots=True)
class Abilities:
    """One engine, as Octad knows it.

    Attributes:
        name: As Ibis calls it.
        spoken: As people call it.
        tried: Whether Octad's tests run a whole review on it.
        files: Whether it reads Parquet by path or address, beside its tables.
        words: Whether it types text: times, numbers, JSON and key/value lists written as words.
        moments: Whether its plain times are moments already, so that no zone need be assumed.
        json: Which JSON it opens: ``typed``, columns of that type; ``text``, words that hold it.
        fold: Whether its events are streamed and added up here; else up to the cells in the engine.
    """

    name: str
    spoken: str
    tried: bool = True
    files: bool = False
    words: bool = False
    moments: bool = False
    json: str = ""
    fold: bool = False


DUCKDB = Abilities("duckdb", "DuckDB", files=True, words=True, fold=True)


def abilities_of(table: Any) -> Abilities:
    """What the engine behind an Ibis table can do."""
    backend = table.get_backend()
    if backend.name == "duckdb":
        return DUCKDB
    known: Abilities | None = getattr(backend, "abilities", None)
    return known or Abilities(backend.name, backend.name.capitalize(), tried=False)


@dataclass(frozen=True, slots=True)
class Cannot:
    """What some engines cannot do: its name, why, and what to do instead."""

    what: str
    instead: str
    why: str = ""


CANNOT: Mapping[str, Cannot] = {
    "times": Cannot(
        "read times that are written in other words than 2026-03-01 12:00:05 (ISO 8601)",
        "make the column a timestamp (a view in the engine will do), or an epoch",
        "there are too many ways of writing them, and each engine reads them in its own",
    ),
    "days": Cannot(
        "read days that are written as one number, such as 20260301",
        "make the column a date (a view in the engine will do)",
    ),
    "zones": Cannot(
        "read times in a zone other than UTC",
        "make the column a timestamp in UTC, and take timezone: out",
    ),
    "numbers": Cannot(
        "read numbers that are written with signs or commas, such as 1,234 or 80%",
        "make the column a number (a view in the engine will do)",
    ),
    "nested": Cannot(
        "look into a column that holds several things",
        "make what you need a column of its own (a view in the engine will do)",
    ),
}
"""What the engines beside DuckDB are refused, by a short name that tests use."""


def refuse(spoken: str, gap: str, *, what: str = "", where: Where | None = None) -> NoReturn:
    """Refuse by name what an engine cannot do.

    Args:
        spoken: The engine, as people call it.
        gap: A name in `CANNOT`.
        what: The column or the key that asks for it.
        where: The file and line.

    Raises:
        RefusedError: Always.
    """
    found = CANNOT[gap]
    named = f"'{what}': " if what else ""
    because = f": {found.why}" if found.why else ""
    raise RefusedError(
        f"{named}on {spoken}, Octad cannot {found.what}{because}.",
        where=where,
        mend=f"{found.instead[0].upper()}{found.instead[1:]}.",
    )


@dataclass(frozen=True, slots=True)
class _Template:
    """A piece of SQL with ``:a``, ``:b`` and so on in the places of its arguments."""

    text: str
    dialect: Any
    parsed: dict[str, Any] = field(default_factory=dict)

    def __call__(self, *arguments: Any) -> Any:
        tree = sg.parse_one(self.text, read=self.dialect)
        places = dict(zip("abcdefgh", arguments, strict=False))

        def put(node: sge.Expression) -> sge.Expression:
            if isinstance(node, sge.Placeholder) and node.name in places:
                return sge.Paren(this=sge.convert(places[node.name], copy=True))
            return node

        return tree.transform(put)


def template(text: str, dialect: Any) -> _Template:
    """A function of SQL expressions, written as the SQL it makes.

    >>> template("f(:a + 1)", "postgres")(sge.column("x")).sql("postgres")
    'F((x) + 1)'
    """
    return _Template(text, dialect)


@contextmanager
def answered(spoken: str, *faults: type[Exception]) -> Iterator[None]:
    """Turn what an engine refuses into an error that a user can mend.

    Args:
        spoken: The engine, as people call it.
        faults: Its driver's errors; any other is a fault of ours, and passes.

    Raises:
        RefusedError: When Ibis knows no way to say it in this engine's SQL.
        DataError: When the engine turns the query down, with its own words.
    """
    try:
        yield
    except (OperationNotDefinedError, UnsupportedOperationError) as error:
        raise RefusedError(
            f"{spoken} cannot do what this plan asks: {first_line(error)}",
            mend="docs/engines.md says what each engine can do.",
        ) from error
    except faults as error:
        raise DataError(
            f"{spoken} refuses a query: {first_line(error)}",
            mend="docs/engines.md says which rights are needed.",
        ) from error


def first_line(error: BaseException) -> str:
    """What an engine says first, at bearable length."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300]


def quoted(name: str) -> str:
    """A name as a SQL identifier, whatever it holds.

    >>> quoted('a"b')
    '"a""b"'
    """
    return '"' + name.replace('"', '""') + '"'
