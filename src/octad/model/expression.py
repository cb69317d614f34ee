"""The small language of `where:`: comparisons, `and`, `or`, `not`, `in`, `is null`.

It is parsed into a frozen tree and never evaluated as Python or pasted into SQL. Names may be
dotted, to reach into nested properties; a name with spaces goes in backquotes.

    value > 10 and region == "north"
    properties.plan in ["pro", "team"] and not is_staff
    `Star Rating` <= 2 and text is not null
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

from octad.errors import FileError, Where

__all__ = [
    "And",
    "Comparison",
    "Constant",
    "Expression",
    "IsNull",
    "Membership",
    "Name",
    "Not",
    "Or",
    "caret",
    "names_in",
    "parse",
]

Value = str | float | int | bool


@dataclass(frozen=True, slots=True)
class Name:
    """A column, plain or dotted; `at` is its place in the text, from 0."""

    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Constant:
    """A text, a number, or true or false."""

    value: Value
    at: int


Operand = Name | Constant


@dataclass(frozen=True, slots=True)
class Comparison:
    """`left` compared with `right` by ``==``, ``!=``, ``<``, ``<=``, ``>`` or ``>=``."""

    op: str
    left: Operand
    right: Operand
    at: int


@dataclass(frozen=True, slots=True)
class Membership:
    """`left` is one of `values`, or with `negated` none of them."""

    left: Name
    values: tuple[Constant, ...]
    negated: bool
    at: int


@dataclass(frozen=True, slots=True)
class IsNull:
    """A column is empty, or with `negated` filled."""

    left: Name
    negated: bool


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    inner: Expression


@dataclass(frozen=True, slots=True)
class And:
    """All of them."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of them."""

    parts: tuple[Expression, ...]


Expression = Name | Comparison | Membership | IsNull | Not | And | Or
"""A bare `Name` is a column of true and false."""


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


_WORDS = {"and", "or", "not", "in", "is", "null", "none", "true", "false"}
_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<number>[+-]?(?:\d+(?:_\d+)*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))
      | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<ticked>`[^`]+`)
      | (?P<name>[^\W\d][\w$]*(?:\.[\w$\-]*[\w$])*|\$[\w$]+(?:\.[\w$\-]*[\w$])*)
      | (?P<op>==|!=|<>|<=|>=|=|<|>|≤|≥|≠)
      | (?P<mark>[()\[\],])""",
    re.VERBOSE,
)
_SAME = {"=": "==", "<>": "!=", "≠": "!=", "≤": "<=", "≥": ">="}
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_DEEPEST = 50


def caret(text: str, at: int) -> str:
    """The text with a caret under a place, to be shown on lines of their own.

    >>> print(caret("a > > 2", 4))
      a > > 2
          ^
    """
    line = text.replace("\n", " ").replace("\t", " ")
    return f"  {line}\n  {' ' * at}^"


def _tokens(text: str, where: Where | None) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            _fail(text, at, _strange(text[at:]), where)
        kind = match.lastgroup or ""
        if kind == "name" and match.group().lower() in _WORDS:
            tokens.append(_Token("word", match.group().lower(), at))
        elif kind == "op":
            tokens.append(_Token("op", _SAME.get(match.group(), match.group()), at))
        elif kind != "space":
            tokens.append(_Token(kind, match.group(), at))
        at = match.end()
    return [*tokens, _Token("end", "", len(text))]


def _strange(rest: str) -> str:
    if rest[0] in "\"'":
        return "this text has no closing quote"
    if rest[0] in "&|":
        return f"write '{'and' if rest[0] == '&' else 'or'}' for '{rest[0]}'"
    if rest[0] in "“”‘’":
        return 'use straight quotes: "north"'
    return f"'{rest[0]}' means nothing here"


def _fail(text: str, at: int, why: str, where: Where | None) -> NoReturn:
    raise FileError(
        f"This condition cannot be read: {why}.\n{caret(text, at)}\n",
        where=where,
        mend='Write it like: value > 10 and region == "north".',
    )


class _Parser:
    """Recursive descent; `or` binds least, then `and`, then `not`."""

    def __init__(self, text: str, where: Where | None) -> None:
        self.text = text
        self.where = where
        self.tokens = _tokens(text, where)
        self.place = 0
        self.depth = 0

    @property
    def now(self) -> _Token:
        return self.tokens[self.place]

    def take(self) -> _Token:
        token = self.now
        self.place += 1
        return token

    def took(self, kind: str, text: str) -> bool:
        if (self.now.kind, self.now.text) == (kind, text):
            self.place += 1
            return True
        return False

    def fail(self, why: str, at: int | None = None) -> NoReturn:
        _fail(self.text, self.now.at if at is None else at, why, self.where)

    def any_of(self) -> Expression:
        parts = [self.all_of()]
        while self.took("word", "or"):
            parts.append(self.all_of())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def all_of(self) -> Expression:
        parts = [self.one()]
        while self.took("word", "and"):
            parts.append(self.one())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def one(self) -> Expression:
        self.depth += 1
        if self.depth > _DEEPEST:
            self.fail("it is nested too deep")
        try:
            if self.took("word", "not"):
                return Not(self.one())
            if self.took("mark", "("):
                inner = self.any_of()
                if not self.took("mark", ")"):
                    self.fail("a closing ) is missing")
                return inner
            return self.comparison()
        finally:
            self.depth -= 1

    def comparison(self) -> Expression:
        at = self.now.at
        left = self.operand()
        if self.now.kind == "op":
            return self.compared(left, at)
        if not isinstance(left, Name):
            self.fail("a column must be compared with something; this stands alone", at)
        if self.took("word", "is"):
            negated = self.took("word", "not")
            if not (self.took("word", "null") or self.took("word", "none")):
                self.fail("'is' goes with 'null' or 'not null'; for values write ==")
            return IsNull(left, negated)
        negated = self.took("word", "not")
        if self.took("word", "in"):
            return Membership(left, self.values(), negated, at)
        if negated:
            self.fail("after a column, 'not' goes with 'in'")
        return left

    def compared(self, left: Operand, at: int) -> Expression:
        op = self.take().text
        if self.took("word", "null") or self.took("word", "none"):
            if not isinstance(left, Name) or op not in {"==", "!="}:
                self.fail("'null' can only be asked for: write 'is null' or 'is not null'", at)
            return IsNull(left, negated=op == "!=")
        right = self.operand()
        if isinstance(left, Constant) and isinstance(right, Constant):
            self.fail("neither side is a column", at)
        if self.now.kind == "op":
            self.fail("write two comparisons with 'and' between them")
        return Comparison(op, left, right, at)

    def values(self) -> tuple[Constant, ...]:
        close = {"[": "]", "(": ")"}.get(self.now.text)
        if close is None:
            self.fail('\'in\' goes with a list: in ["a", "b"]')
        self.take()
        values: list[Constant] = []
        while True:
            value = self.operand()
            if not isinstance(value, Constant):
                self.fail("put a text in quotes", value.at)
            values.append(value)
            if self.took("mark", close):
                return tuple(values)
            if not self.took("mark", ","):
                self.fail(f"a , or a closing {close} is missing")
            if self.took("mark", close):
                return tuple(values)

    def operand(self) -> Operand:
        token = self.take()
        if token.kind == "name":
            return Name(token.text, token.at)
        if token.kind == "ticked":
            return Name(token.text[1:-1], token.at)
        if token.kind == "text":
            return Constant(_ESCAPE.sub(r"\1", token.text[1:-1]), token.at)
        if token.kind == "number":
            return Constant(_number(token.text), token.at)
        if token.kind == "word" and token.text in {"true", "false"}:
            return Constant(token.text == "true", token.at)
        self.place -= 1
        if token.kind == "end":
            self.fail("something is missing at the end")
        return self.fail(f"a column or a value is missing before '{token.text}'")


def _number(text: str) -> int | float:
    bare = text.replace("_", "")
    return int(bare) if re.fullmatch(r"[+-]?\d+", bare) else float(bare)


def parse(text: str, *, where: Where | None = None) -> Expression:
    """Read a condition.

    Args:
        text: As it is written in `where:`.
        where: The file and line, for the error.

    Raises:
        FileError: With a caret under the place that cannot be read.

    >>> parse("value > 10")
    Comparison(op='>', left=Name(text='value', at=0), right=Constant(value=10, at=8), at=0)
    """
    if not text.strip():
        raise FileError(
            "This condition is empty.", where=where, mend="Take 'where' out, or write a condition."
        )
    parser = _Parser(text, where)
    tree = parser.any_of()
    if parser.now.kind != "end":
        parser.fail("an 'and' or 'or' is missing before this")
    return tree


def names_in(tree: Expression) -> tuple[str, ...]:
    """Every column a condition names, each once, in order.

    >>> names_in(parse("a > 1 and (b == 'x' or not a in [1])"))
    ('a', 'b')
    """
    found: list[str] = []

    def walk(node: Expression | Constant) -> None:
        match node:
            case Name(text=text):
                found.append(text)
            case Comparison(left=left, right=right):
                walk(left)
                walk(right)
            case Membership(left=left) | IsNull(left=left):
                walk(left)
            case Not(inner=inner):
                walk(inner)
            case And(parts=parts) | Or(parts=parts):
                for part in parts:
                    walk(part)
            case _:
                pass

    walk(tree)
    return tuple(dict.fromkeys(found))
