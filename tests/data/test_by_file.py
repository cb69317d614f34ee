"""Sources of many files: each is read once, and the whole is as if read afresh."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from octad.data import filed, store
from octad.data.by_file import AHEAD
from octad.data.sources import Tables, open_sources
from octad.errors import DataError
from tests.data import exports

START = datetime(2026, 3, 1, tzinfo=UTC)


def opened(root: Path, table: str, **roles: Any) -> tuple[Any, ...]:
    """Everything a source of events comes out as: rows, columns, types, account, rejects file."""
    project = exports.project({"events": {"table": table, "value": "value", **roles}})
    with exports.engine(root) as engine:
        tables = open_sources(engine, project)
        assert tables.events is not None
        rows = tables.events.to_pyarrow()
    rejects = root / ".octad/rejects/events.csv"
    intake = tables.intake["events"]
    written = rejects.read_text(encoding="utf-8") if intake.rejects else ""
    cells = [tuple(map(str, row.values())) for row in rows.to_pylist()]
    return sorted(cells), str(rows.schema), intake, written


def fresh(root: Path, table: str, **roles: Any) -> tuple[Any, ...]:
    """The same from a copy that nothing is kept of."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        shutil.copytree(root, copy, ignore=shutil.ignore_patterns(".octad"))
        return opened(copy, table, **roles)


@contextmanager
def reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The text files that are parsed meanwhile."""
    seen: list[str] = []
    for name in ("read_delimited", "read_json"):
        reader: Callable[..., Any] = getattr(filed, name)

        def noted(*words: Any, _reader: Callable[..., Any] = reader) -> Any:
            seen.append(words[2].name)
            return _reader(*words)

        monkeypatch.setattr(filed, name, noted)
    yield seen
    monkeypatch.undo()


def day(n: int, *rows: str, header: str = "user,time,event,value,zip") -> str:
    """One day's file; a row is what follows the time."""
    at = (START + timedelta(days=n)).date()
    lines = [f"u{n},{at}T10:00:00Z,{row}" for row in rows or ("open,1,01",)]
    return "\n".join([header, *lines]) + "\n"


def test_a_new_file_costs_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(3):
        exports.write(tmp_path / f"d/{n}.csv", day(n))
    opened(tmp_path, "d/*.csv")
    exports.write(tmp_path / "d/3.csv", day(3))
    with reads(monkeypatch) as seen:
        found = opened(tmp_path, "d/*.csv")
    assert seen == ["3.csv"]
    assert found == fresh(tmp_path, "d/*.csv")
    exports.write(tmp_path / "d/1.csv", day(1, "pay,2,02"))
    with reads(monkeypatch) as seen:
        found = opened(tmp_path, "d/*.csv")
    assert seen == ["1.csv"]
    assert found == fresh(tmp_path, "d/*.csv")
    (tmp_path / "d/2.csv").unlink()
    with reads(monkeypatch) as seen:
        found = opened(tmp_path, "d/*.csv")
    assert seen == []
    assert found == fresh(tmp_path, "d/*.csv")
    assert len(found[0]) == 3


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("pay,2.5,03", "whole numbers have become fractions"),
        ("pay,2,x3", "a column of numbers holds a word"),
        ('pay,"1.234,5",03', "a decimal comma"),
        ("pay,80%,03", "per cent"),
    ],
)
def test_a_file_that_changes_how_all_are_read(tmp_path: Path, line: str, why: str) -> None:
    for n in range(3):
        exports.write(tmp_path / f"d/{n}.csv", day(n, "open,1,1", 'pay,"3",4'))
    opened(tmp_path, "d/*.csv")
    exports.write(tmp_path / "d/3.csv", day(3, line))
    assert opened(tmp_path, "d/*.csv") == fresh(tmp_path, "d/*.csv"), why
    (tmp_path / "d/3.csv").unlink()
    assert opened(tmp_path, "d/*.csv") == fresh(tmp_path, "d/*.csv"), why


def test_days_and_months_are_told_apart_over_all_files(tmp_path: Path) -> None:
    for n in range(1, 4):
        text = f"user,time,event,value\nu1,0{n}/04/2026,open,1\n"
        exports.write(tmp_path / f"d/{n}.csv", text)
    found = opened(tmp_path, "d/*.csv")
    assert found == fresh(tmp_path, "d/*.csv")
    assert "day-first" in " ".join(found[2].warnings)
    exports.write(tmp_path / "d/4.csv", "user,time,event,value\nu1,03/25/2026,open,1\n")
    found = opened(tmp_path, "d/*.csv")
    assert found == fresh(tmp_path, "d/*.csv")
    assert found[2].first.date() == date(2026, 1, 4)


def test_a_new_column_is_empty_where_it_was_not(tmp_path: Path) -> None:
    exports.write(tmp_path / "d/0.csv", day(0))
    opened(tmp_path, "d/*.csv")
    more = "user,time,event,value,zip,Plan"
    exports.write(tmp_path / "d/1.csv", day(1, "open,1,01,pro", header=more))
    exports.write(tmp_path / "d/2.csv", day(2, "open,1,01,free", header=more.lower()))
    found = opened(tmp_path, "d/*.csv")
    assert found == fresh(tmp_path, "d/*.csv")
    assert found[2].columns == ("user", "time", "event", "value", "zip", "Plan")
    assert [row[-1] for row in found[0]] == ["None", "pro", "free"]


def test_json_kinds_are_those_of_all_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = '{{"user": "u{n}", "time": "2026-03-0{n}T10:00:00Z", "event": "e", "value": {v}}}\n'
    exports.write(tmp_path / "d/1.jsonl", row.format(n=1, v=1) + "[1]\n")
    exports.write(tmp_path / "d/2.jsonl", row.format(n=2, v=2))
    first = opened(tmp_path, "d/*.jsonl")
    assert first == fresh(tmp_path, "d/*.jsonl")
    assert first[2].rejects[0].examples[0].line == 2
    exports.write(tmp_path / "d/3.jsonl", row.format(n=3, v=3))
    with reads(monkeypatch) as seen:
        opened(tmp_path, "d/*.jsonl")
    assert seen == ["3.jsonl"]
    exports.write(tmp_path / "d/4.jsonl", row.format(n=4, v='"1,5"') + row.format(n=4, v=0.5))
    found = opened(tmp_path, "d/*.jsonl")
    assert found == fresh(tmp_path, "d/*.jsonl")
    exports.write(tmp_path / "d/5.jsonl", "[1]\n")
    assert opened(tmp_path, "d/*.jsonl") == fresh(tmp_path, "d/*.jsonl")


_ROWS = st.sampled_from(
    [
        *("open,1,01", "open,2,7", "pay,2.5,7", "pay,,x", 'pay,"1,5",7', 'pay,"1,234",7', "n,3%,7"),
        *(",1,1", "open,much,1", "open", 'open,"5,1', "open,inf,1"),
    ]
)
_TIMES = st.sampled_from(
    ["2026-03-0{d} 10:00:00", "2026-03-0{d}T10:00:00Z", "0{d}/02/2026", "02/1{d}/2026", "never", ""]
)
_FILES = st.lists(st.tuples(_TIMES, _ROWS), min_size=1, max_size=5)
_STEPS = st.lists(
    st.tuples(st.integers(1, 5), st.one_of(st.none(), _FILES)), min_size=1, max_size=4
)


@settings(max_examples=8)
@given(steps=_STEPS)
def test_any_files_that_come_change_and_go(steps: list[tuple[int, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        exports.write(root / "d/0.csv", day(0))
        for place, rows in steps:
            path = root / f"d/{place}.csv"
            if rows is None:
                path.unlink(missing_ok=True)
            else:
                lines = [f"u{place},{at.format(d=place)},{row}" for at, row in rows]
                exports.write(path, "\n".join(["user,time,event,value,zip", *lines]) + "\n")
            assert opened(root, "d/*.csv") == fresh(root, "d/*.csv")


def parquet(path: Path, times: list[datetime], user: str = "a", **more: Any) -> None:
    n = len(times)
    exports.parquet(
        path,
        {"user": [user] * n, "time": times, "event": ["open"] * n, "value": [1.0] * n, **more},
    )


def test_the_account_of_parquet_is_kept_by_file(tmp_path: Path) -> None:
    hours = [START + timedelta(hours=n) for n in range(30)]
    parquet(tmp_path / "d/0.parquet", hours)
    first = opened(tmp_path, "d/*.parquet")
    assert first == fresh(tmp_path, "d/*.parquet")
    parquet(tmp_path / "d/1.parquet", [h + timedelta(days=1) for h in hours], user="")
    second = opened(tmp_path, "d/*.parquet")
    assert second == fresh(tmp_path, "d/*.parquet")
    assert [(r.reason, r.rows) for r in second[2].rejects] == [("no user", 30)]
    assert second[3].count("1.parquet,") == 30
    (tmp_path / "d/0.parquet").replace(tmp_path / "d/1.parquet")
    assert opened(tmp_path, "d/*.parquet") == fresh(tmp_path, "d/*.parquet")


def test_a_thin_last_day_within_the_hours_of_grace_is_in(tmp_path: Path) -> None:
    """Three events after midnight end most exports: no clock runs ahead, and nothing is out."""
    lines = [
        f"u{k},{START + timedelta(days=day, minutes=k % 700)},open,1\n"
        for day, rows in ((0, 4000), (1, 4000), (2, 3))
        for k in range(rows)
    ]
    exports.write(tmp_path / "d/0.csv", "user,time,event,value\n" + "".join(lines))
    rows, _, intake, _ = opened(tmp_path, "d/*.csv")
    assert intake.rejects == ()
    assert len(rows) == 8003


def test_a_clock_that_runs_ahead_is_seen_by_all_files_together(tmp_path: Path) -> None:
    """A row counts as ahead until other files catch up with it."""
    table = "d/*.csv"

    def write(n: int, at: datetime, rows: int) -> None:
        lines = [f"u{k},{at + timedelta(seconds=k)},open,1\n" for k in range(rows)]
        exports.write(tmp_path / f"d/{n}.csv", "user,time,event,value\n" + "".join(lines))

    write(0, START, 2000)
    write(1, START + timedelta(days=60), 1)
    first = opened(tmp_path, table)
    assert first == fresh(tmp_path, table)
    assert [(r.reason, r.rows) for r in first[2].rejects] == [(AHEAD, 1)]
    assert first[2].rejects[0].examples[0].file == "1"
    assert "u0" in first[3]
    for n in range(1, 59):
        write(n + 1, START + timedelta(days=n), 50)
    write(60, START + timedelta(days=60), 50)
    second = opened(tmp_path, table)
    assert second == fresh(tmp_path, table)
    assert not second[2].rejects


def test_the_rows_of_some_files(tmp_path: Path) -> None:
    for n in range(4):
        exports.write(tmp_path / f"d/{n}.csv", day(n))
        parquet(tmp_path / f"p/{n}.parquet", [START + timedelta(days=n)], user=f"u{n}")
    for table in ("d/*.csv", "p/*.parquet"):
        project = exports.project({"events": {"table": table}})
        with exports.engine(tmp_path) as engine:
            tables: Tables = open_sources(engine, project)
            found = tables.files["events"]
            assert tables.events is not None
            assert found.only([1, 3]).columns == tables.events.columns
            users = found.only([1, 3])["user"].to_pyarrow().to_pylist()
            assert sorted(users) == ["u1", "u3"]
            assert not found.only([])["user"].to_pyarrow().to_pylist()
            assert not found.together


def test_copies_tie_files_together(tmp_path: Path) -> None:
    for n in range(2):
        exports.write(tmp_path / f"d/{n}.csv", day(n, "open,1,7"))
    project = exports.project({"events": {"table": "d/*.csv", "dedupe": ["zip"]}})
    for _ in range(2):
        with exports.engine(tmp_path) as engine:
            tables = open_sources(engine, project)
            assert tables.intake["events"].duplicates == 1
            assert "copy" in tables.files["events"].together
            assert tables.events is not None
            assert tables.events["user"].to_pyarrow().to_pylist() == ["u0"]


def test_a_full_disk_costs_the_next_look_and_not_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(2):
        exports.write(tmp_path / f"d/{n}.csv", day(n, "open,1,01", ",1,1"))
    expected = fresh(tmp_path, "d/*.csv")
    opened(tmp_path, "d/*.csv")
    exports.write(tmp_path / "d/2.csv", day(2))
    full = OSError(28, "No space left on device")

    def refused(_self: Path, _target: Path) -> None:
        raise full

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", refused)
        found = opened(tmp_path, "d/*.csv")
    assert len(found[0]) == 3
    assert not list((tmp_path / ".octad").rglob(f"{store.PARTIAL}*"))
    assert found[:3] == fresh(tmp_path, "d/*.csv")[:3]
    (tmp_path / "d/2.csv").unlink()
    assert opened(tmp_path, "d/*.csv") == expected


def test_what_is_kept_may_be_damaged(tmp_path: Path) -> None:
    for n in range(3):
        exports.write(tmp_path / f"d/{n}.csv", day(n))
    expected = opened(tmp_path, "d/*.csv")
    for kept in (tmp_path / ".octad").rglob("*.*"):
        if kept.is_file():
            kept.write_bytes(b"{}")
    assert opened(tmp_path, "d/*.csv") == expected
    for kept in list((tmp_path / ".octad").rglob("*.parquet")):
        kept.unlink()
    assert opened(tmp_path, "d/*.csv") == expected


def test_old_copies_go_when_nobody_can_be_reading_them(tmp_path: Path) -> None:
    file = exports.write(tmp_path / "e.csv", day(0))
    opened(tmp_path, "e.csv")
    (old,) = (tmp_path / ".octad/cache").rglob("*.parquet")
    half = exports.write(old.with_name(f"{store.PARTIAL}1"), "half")
    exports.write(file, day(1))
    opened(tmp_path, "e.csv")
    assert old.exists()
    past = datetime.now(UTC).timestamp() - 7200
    for one in (half, *old.parent.glob(f"{old.stem.split('-')[0]}*")):
        os.utime(one, (past, past))
    opened(tmp_path, "e.csv")
    assert not old.exists()
    assert not half.exists()
    assert len(list(old.parent.iterdir())) == 2


def test_one_empty_file_is_named(tmp_path: Path) -> None:
    exports.write(tmp_path / "d/0.csv", day(0))
    exports.write(tmp_path / "d/1.csv", "")
    with pytest.raises(DataError, match=r"1\.csv is empty"):
        opened(tmp_path, "d/*.csv")


def test_a_parquet_type_that_widens(tmp_path: Path) -> None:
    times = [START + timedelta(hours=n) for n in range(3)]
    parquet(tmp_path / "d/0.parquet", times, wait=pa.array([1, 2, 3], pa.int32()))
    opened(tmp_path, "d/*.parquet")
    parquet(tmp_path / "d/1.parquet", times, wait=pa.array([1, 2, 2**40], pa.int64()))
    assert opened(tmp_path, "d/*.parquet") == fresh(tmp_path, "d/*.parquet")
    assert pq.read_metadata(tmp_path / "d/1.parquet").num_rows == 3
