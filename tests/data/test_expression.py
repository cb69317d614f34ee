"""Conditions on tables."""

from __future__ import annotations

from datetime import datetime

import ibis
import pyarrow as pa
import pytest

from octad.data.expression import condition
from octad.errors import DataError, UnknownNameError, Where

TABLE = ibis.memtable(
    pa.table(
        {
            "id": [1, 2, 3, 4],
            "value": [5.0, 15.0, None, 25.0],
            "region": ["north", "south", "north", None],
            "is_new": [True, False, None, True],
            "at": [datetime(2026, 3, day) for day in (1, 2, 3, 4)],  # noqa: DTZ001
            "p": ['{"plan": "pro", "n": 3, "ok": true}', '{"plan": "free", "n": "10"}', "{", None],
            "Star Rating": [1, 2, 3, 4],
            'odd"; drop table x; --': ["a", "b", "c", "d"],
        }
    )
)


def kept(text: str) -> list[int]:
    rows = TABLE.filter(condition(TABLE, text)).order_by("id").to_pyarrow()
    return list(rows["id"].to_pylist())


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("value > 10", [2, 4]),
        ("10 < value", [2, 4]),
        ('value > 10 and region == "south"', [2]),
        ('region != "north"', [2]),
        ('not region == "north"', [2]),
        ('region == "south" or region is null', [2, 4]),
        ("region in ['north', 'east']", [1, 3]),
        ("region not in ['north']", [2]),
        ("value is not null and not is_new", [2]),
        ("is_new", [1, 4]),
        ("is_new == false", [2]),
        ("id in [1, 4]", [1, 4]),
        ('at >= "2026-03-03"', [3, 4]),
        ("at < '2026-03-01T12:00'", [1]),
        ('p.plan == "pro"', [1]),
        ("p.n > 4", [2]),
        ("p.n in [3, 10]", [1, 2]),
        ("p.ok == true", [1]),
        ("p.ok", [1]),
        ("p.plan is null", [3, 4]),
        ("`Star Rating` <= 2", [1, 2]),
        ('`odd"; drop table x; --` == "a"', [1]),
        ("value > id", [1, 2, 4]),
        ('region == "x\'; drop table y; --"', []),
    ],
)
def test_conditions(text: str, ids: list[int]) -> None:
    assert kept(text) == ids


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("regoin == 'x'", UnknownNameError, "Did you mean 'region'?"),
        ("region == north", UnknownNameError, "A text goes in quotes"),
        ("value == 'ten'", DataError, "'value' holds numbers, and 'ten' is a text"),
        ("region > 3", DataError, 'write "3" in quotes'),
        ("region", DataError, "cannot stand alone"),
        ("value == true", DataError, "holds numbers, not true and false"),
        ("is_new > true", DataError, "no order"),
        ("at > 'soon'", DataError, "'soon' is no time"),
        ("value == region", DataError, "Compare columns of one kind"),
    ],
)
def test_what_cannot_be_compared(text: str, error: type[Exception], says: str) -> None:
    with pytest.raises(error) as caught:
        condition(TABLE, text, where=Where("octad.yml", 9))
    assert says in str(caught.value)
    assert str(caught.value).startswith("octad.yml:9: ")
    assert "^" in str(caught.value)
