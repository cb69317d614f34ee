"""Times of every spelling, one rule a column."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import ibis
import pyarrow as pa
import pytest

from octad.data.times import TimeRule, check_zone, time_rule, to_utc
from octad.errors import DataError, Where


def read(cells: Any, zone: str | None = "UTC", kind: Any = None) -> tuple[list[Any], TimeRule]:
    array = cells if isinstance(cells, pa.Array) else pa.array(cells, kind)
    table = ibis.memtable(pa.table({"t": array}))
    rule = time_rule(table, table["t"], "t", zone)
    found = table.select(t=to_utc(table["t"], rule)).to_pyarrow()["t"].to_pylist()
    return found, rule


def at(*parts: int) -> datetime:
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001


@pytest.mark.parametrize(
    ("cells", "times"),
    [
        (["2026-01-02T03:04:05Z"], [at(2026, 1, 2, 3, 4, 5)]),
        (["2026-01-02 03:04:05+07:00"], [at(2026, 1, 1, 20, 4, 5)]),
        (["2026-01-02T03:04:05.5-0330"], [at(2026, 1, 2, 6, 34, 5, 500000)]),
        (["2026-01-02"], [at(2026, 1, 2)]),
        (["2026/01/02 03:04"], [at(2026, 1, 2, 3, 4)]),
        (["Nov 06, 2024", "May 1, 2024"], [at(2024, 11, 6), at(2024, 5, 1)]),
        (["6 November 2024 14:05"], [at(2024, 11, 6, 14, 5)]),
        (["1/9/2025 23:41", "1/13/2025 0:02"], [at(2025, 1, 9, 23, 41), at(2025, 1, 13, 0, 2)]),
        (
            ["1/9/2025 11:41 PM", "1/13/2025 1:02 AM"],
            [at(2025, 1, 9, 23, 41), at(2025, 1, 13, 1, 2)],
        ),
        (["13/1/25", "9/1/25"], [at(2025, 1, 13), at(2025, 1, 9)]),
        (["1/13/13", "1/9/13"], [at(2013, 1, 13), at(2013, 1, 9)]),
        (["31.12.2024 08:00", "01.02.2025 09:00"], [at(2024, 12, 31, 8), at(2025, 2, 1, 9)]),
        (["2024年1月6日"], [at(2024, 1, 6)]),
        (["Wed, 06 Nov 2024 10:00:00 GMT"], [at(2024, 11, 6, 10)]),
        (["1767225768053"], [at(2026, 1, 1, 0, 2, 48, 53000)]),
        (["1767225768"], [at(2026, 1, 1, 0, 2, 48)]),
        (["1767225768.5"], [at(2026, 1, 1, 0, 2, 48, 500000)]),
        (["20260102"], [at(2026, 1, 2)]),
        (
            ["2026-01-02", "1/13/2026", "Jan 03, 2026"],
            [at(2026, 1, 2), at(2026, 1, 13), at(2026, 1, 3)],
        ),
        (["yesterday", "2026-01-02", None, ""], [None, at(2026, 1, 2), None, None]),
    ],
)
def test_text(cells: list[str | None], times: list[datetime | None]) -> None:
    assert read(cells)[0] == times


@pytest.mark.parametrize(
    ("number", "unit"),
    [
        (1_767_225_768, "s"),
        (1_767_225_768_053, "ms"),
        (1_767_225_768_053_123, "us"),
        (1_767_225_768_053_123_456, "ns"),
        (20_260_101, "day"),
    ],
)
def test_an_epochs_unit_is_its_size(number: int, unit: str) -> None:
    found, rule = read([number, number])
    assert rule.unit == unit
    assert found[0].date() == date(2026, 1, 1)


def test_an_epochs_unit_is_decided_once_for_the_column() -> None:
    found, rule = read([1_767_225_768_053] * 3 + [1_767_225_768, 9_000_000_000_000_000_000])
    assert rule.unit == "ms"
    assert found[3].year == 1970  # seconds among milliseconds: an absurd year, left out later
    assert found[4] is None


def test_a_zone_is_applied_to_times_without_one_only() -> None:
    found, rule = read(["2026-01-02 07:00", "2026-01-02T07:00:00Z"], "Asia/Jakarta")
    assert found == [at(2026, 1, 2, 0), at(2026, 1, 2, 7)]
    assert rule.notes == ()
    slashed, _ = read(["13/1/2026 07:00"], "Asia/Jakarta")
    assert slashed == [at(2026, 1, 13)]


def test_typed_columns() -> None:
    naive = pa.array([at(2026, 1, 2, 7)], pa.timestamp("ns"))
    assert read(naive, "Asia/Jakarta")[0] == [at(2026, 1, 2)]
    zoned = pa.array([at(2026, 1, 2, 7)], pa.timestamp("us", tz="Asia/Jakarta"))
    assert read(zoned, "Europe/Oslo")[0] == [at(2026, 1, 2, 7)]
    assert read([date(2026, 1, 2)])[0] == [at(2026, 1, 2)]


def test_what_was_assumed_is_said() -> None:
    assert read(["2026-01-02"], None)[1].notes == ("'t' carries no time zone; read as UTC",)
    assert read(["2026-01-02T00:00:00Z"], None)[1].notes == ()
    assert "month-first: the second number goes above 12 in 1 rows" in read(["1/13/25"])[1].notes[0]
    assert "may be day-first or month-first" in read(["1/2/25", "2/2/25"])[1].notes[0]
    mixed = read(["13/1/2025", "14/1/2025", "1/13/2025", "2/3/2025"])
    assert "mixes day-first and month-first" in mixed[1].notes[0]
    assert mixed[0][2:] == [at(2025, 1, 13), at(2025, 3, 2)]


def test_a_column_of_flags_holds_no_times() -> None:
    with pytest.raises(DataError, match="holds no times"):
        read([True])


def test_a_zone_that_is_none() -> None:
    check_zone("Asia/Jakarta", None)
    with pytest.raises(DataError, match="no time zone") as caught:
        check_zone("Asia/Djakarta", Where("octad.yml", 4))
    assert "Asia/Jakarta" in caught.value.mend
