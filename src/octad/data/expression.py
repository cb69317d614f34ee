"""Conditions on tables: the parsed language of `where:`, compiled to an Ibis expression."""

from __future__ import annotations

from datetime import datetime
from functools import reduce
from operator import and_, eq, ge, gt, le, lt, ne, or_
from typing import NoReturn, cast

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from octad.data.columns import as_text, column, is_nested, known_columns, number
from octad.errors import DataError, UnknownNameError, Where, nearest
from octad.model.expression import (
    And,
    Comparison,
    Constant,
    Expression,
    IsNull,
    Membership,
    Name,
    Not,
    Or,
    caret,
    parse,
)

__all__ = ["condition"]

_OPS = {"==": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}
_FLIPPED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def condition(table: ir.Table, text: str, *, where: Where | None = None) -> ir.BooleanValue:
    """Compile a condition against a table.

    An empty cell fails every comparison, ``!=`` and ``not in`` too; ``is null`` asks for it.

    Args:
        table: Whose columns the names are, nested ones as in `columns.column`.
        text: The condition, in the language of `octad.model.expression`.
        where: The file and line, for errors.

    Returns:
        A boolean that is never null.

    Raises:
        FileError: When the text cannot be read.
        UnknownNameError: When it names a column the table has not; says the nearest.
        DataError: When it compares what cannot be compared, such as numbers with a text.
    """
    compiler = _Compiler(table, text, where)
    found = compiler.build(parse(text, where=where))
    return cast("ir.BooleanValue", found.fill_null(False))


class _Compiler:
    def __init__(self, table: ir.Table, text: str, where: Where | None) -> None:
        self.table = table
        self.text = text
        self.where = where

    def fail(self, why: str, at: int, mend: str) -> NoReturn:
        raise DataError(f"{why}.\n{caret(self.text, at)}\n", where=self.where, mend=mend)

    def build(self, tree: Expression) -> ir.BooleanValue:
        match tree:
            case And(parts=parts):
                return reduce(and_, [self.build(part) for part in parts])
            case Or(parts=parts):
                return reduce(or_, [self.build(part) for part in parts])
            case Not(inner=inner):
                return ~self.build(inner)
            case IsNull(left=left, negated=negated):
                value = self.column(left)
                return value.notnull() if negated else value.isnull()
            case Membership(left=left, values=values, negated=negated):
                hits = reduce(or_, [self.compare("==", left, value) for value in values])
                return ~hits if negated else hits
            case Comparison(op=op, left=Name() as left, right=right):
                return self.compare(op, left, right)
            case Comparison(op=op, left=left, right=Name() as right):
                return self.compare(_FLIPPED[op], right, left)
            case Name() as name:
                return self.flag(name)
        msg = f"no such node: {tree}"
        raise AssertionError(msg)

    def column(self, name: Name) -> ir.Value:
        try:
            return column(self.table, name.text)
        except UnknownNameError as error:
            known = known_columns(self.table)
            close = nearest(name.text, known)
            mend = error.mend if "." in name.text else f"{close} A text goes in quotes."
            raise UnknownNameError(
                f"{error.what}\n{caret(self.text, name.at)}\n", where=self.where, mend=mend
            ) from error

    def flag(self, name: Name) -> ir.BooleanValue:
        value = self.column(name)
        if isinstance(value.type(), dt.Boolean):
            return value
        if is_nested(value):
            return as_text(value).lower() == "true"
        return self.fail(
            f"'{name.text}' does not hold true and false, so it cannot stand alone",
            name.at,
            f"Compare it with something: {name.text} == …",
        )

    def compare(self, op: str, left: Name, right: Name | Constant) -> ir.BooleanValue:
        value = self.column(left)
        if isinstance(right, Name):
            return self.columns(op, left, value, right)
        other = right.value
        kind = value.type()
        if isinstance(other, bool):
            return self.with_flag(op, left, value, right)
        if isinstance(other, int | float):
            if isinstance(kind, dt.Numeric) and not isinstance(kind, dt.Boolean):
                return _OPS[op](value, other)
            if is_nested(value):
                return _OPS[op](number(value), other)
            return self.fail(
                f"'{left.text}' holds {_spoken(kind)}, and {other} is a number",
                right.at,
                f'For a text, write "{other}" in quotes.',
            )
        if isinstance(kind, dt.Timestamp | dt.Date):
            return self.with_time(op, value, right)
        if isinstance(kind, dt.String) or is_nested(value):
            return _OPS[op](as_text(value), other)
        return self.fail(
            f"'{left.text}' holds {_spoken(kind)}, and '{other}' is a text",
            right.at,
            "Compare it with a value of its own kind.",
        )

    def with_flag(self, op: str, left: Name, value: ir.Value, right: Constant) -> ir.BooleanValue:
        if op not in {"==", "!="}:
            self.fail("true and false have no order", right.at, "Use == or !=.")
        if isinstance(value.type(), dt.Boolean):
            return _OPS[op](value, ibis.literal(right.value))
        if is_nested(value):
            return _OPS[op](as_text(value).lower(), str(right.value).lower())
        return self.fail(
            f"'{left.text}' holds {_spoken(value.type())}, not true and false",
            right.at,
            f'For a text, write "{str(right.value).lower()}" in quotes.',
        )

    def with_time(self, op: str, value: ir.Value, right: Constant) -> ir.BooleanValue:
        try:
            moment = datetime.fromisoformat(str(right.value))
        except ValueError:
            self.fail(
                f"'{right.value}' is no time", right.at, 'Write "2026-03-01" or "2026-03-01 12:00".'
            )
        return _OPS[op](value, ibis.literal(moment.replace(tzinfo=None)))

    def columns(self, op: str, left: Name, value: ir.Value, right: Name) -> ir.BooleanValue:
        other = self.column(right)
        if is_nested(value) or is_nested(other):
            if _family(value.type()) == "number" or _family(other.type()) == "number":
                return _OPS[op](number(value), number(other))
            return _OPS[op](as_text(value), as_text(other))
        if _family(value.type()) != _family(other.type()):
            self.fail(
                f"'{left.text}' holds {_spoken(value.type())}, and '{right.text}' "
                f"{_spoken(other.type())}",
                right.at,
                "Compare columns of one kind.",
            )
        return _OPS[op](value, other)


def _family(kind: dt.DataType) -> str:
    if isinstance(kind, dt.Boolean):
        return "flag"
    if isinstance(kind, dt.Numeric):
        return "number"
    if isinstance(kind, dt.Timestamp | dt.Date):
        return "time"
    return "text"


def _spoken(kind: dt.DataType) -> str:
    if kind.is_nested():
        return "several things"
    return {"flag": "true and false", "number": "numbers", "time": "times", "text": "text"}[
        _family(kind)
    ]
