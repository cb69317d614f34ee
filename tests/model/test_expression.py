"""The small language of `where:`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from octad.errors import FileError, OctadError, Where
from octad.model.expression import (
    And,
    Comparison,
    Constant,
    IsNull,
    Membership,
    Name,
    Not,
    Or,
    names_in,
    parse,
)


def test_or_binds_less_than_and_and_not_most() -> None:
    tree = parse("a == 1 or b == 2 and not c == 3")
    assert isinstance(tree, Or)
    assert isinstance(tree.parts[1], And)
    assert isinstance(tree.parts[1].parts[1], Not)


def test_parentheses_bind() -> None:
    assert isinstance(parse("(a == 1 or b == 2) and c == 3"), And)


@pytest.mark.parametrize(
    ("text", "op"),
    [("=", "=="), ("==", "=="), ("<>", "!="), ("≠", "!="), ("≤", "<="), (">=", ">="), ("<", "<")],
)
def test_operators(text: str, op: str) -> None:
    tree = parse(f"a {text} 1")
    assert isinstance(tree, Comparison)
    assert tree.op == op


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10", 10),
        ("-1.5", -1.5),
        ("1e3", 1000.0),
        ("1_000", 1000),
        ('"north"', "north"),
        ("'it\\'s'", "it's"),
        ('"a \\"b\\""', 'a "b"'),
        ("true", True),
        ("False", False),
        ('"付款"', "付款"),
    ],
)
def test_values(text: str, value: object) -> None:
    tree = parse(f"a == {text}")
    assert isinstance(tree, Comparison)
    assert isinstance(tree.right, Constant)
    assert tree.right.value == value
    assert type(tree.right.value) is type(value)


def test_names_are_plain_dotted_or_in_backquotes() -> None:
    text = "properties.$app_version == '1' and `Star Rating` <= 2 and $x is null and 区域 == '北'"
    assert names_in(parse(text)) == ("properties.$app_version", "Star Rating", "$x", "区域")


def test_in_and_null() -> None:
    assert parse("a in ['x', 'y',]") == Membership(
        Name("a", 0), (Constant("x", 6), Constant("y", 11)), negated=False, at=0
    )
    assert isinstance(parse("a not in (1, 2)"), Membership)
    assert parse("a is not null") == IsNull(Name("a", 0), negated=True)
    assert parse("a == null") == IsNull(Name("a", 0), negated=False)
    assert parse("is_new") == Name("is_new", 0)


@pytest.mark.parametrize(
    ("text", "why", "at"),
    [
        ("a >", "missing at the end", 3),
        ("a > > 2", "missing before '>'", 4),
        ("a == 'x", "no closing quote", 5),
        ("a & b", "write 'and'", 2),
        ("a == “x”", "straight quotes", 5),
        ("a == 1 b == 2", "'and' or 'or' is missing", 7),
        ("(a == 1", "closing ) is missing", 7),
        ("a in [b]", "put a text in quotes", 6),
        ("a in 'x'", "goes with a list", 5),
        ("a > null", "can only be asked for", 0),
        ("1 == 1", "neither side is a column", 0),
        ("1 < a < 2", "two comparisons", 6),
        ("a is 1", "goes with 'null'", 5),
        ("a; drop table x", "means nothing here", 1),
        ("a not 1", "'not' goes with 'in'", 6),
        ("'x'", "stands alone", 0),
    ],
)
def test_what_cannot_be_read_is_pointed_at(text: str, why: str, at: int) -> None:
    with pytest.raises(FileError) as caught:
        parse(text, where=Where("octad.yml", 12))
    shown = str(caught.value)
    assert why in shown
    assert shown.startswith("octad.yml:12: ")
    assert f"\n  {text}\n  {' ' * at}^" in shown


def test_empty_and_bottomless() -> None:
    with pytest.raises(FileError, match="empty"):
        parse("  ")
    with pytest.raises(FileError, match="nested too deep"):
        parse("(" * 500 + "a" + ")" * 500)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse(text)
    except OctadError as error:
        assert error.mend  # noqa: PT017 - either outcome is right; a crash is not
