"""Sources under our names, from files good and bad."""

from __future__ import annotations

import csv
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import ibis
import pyarrow as pa
import pytest

from octad.data.intake import Intake
from octad.data.sources import Tables, open_sources
from octad.errors import DataError, OctadError, UnknownNameError, Where
from tests.data import exports

EVENTS = "user_id,ts,name,amount\n"


def read(root: Path, name: str, table: str, **roles: Any) -> tuple[list[dict[str, Any]], Intake]:
    """One source's rows and its account."""
    project = exports.project({name: {"table": table, **roles}})
    with exports.engine(root) as engine:
        tables = open_sources(engine, project)
        rows = getattr(tables, name).to_pyarrow().to_pylist()
    return rows, tables.intake[name]


def reasons(intake: Intake) -> dict[str, int]:
    return {reject.reason: reject.rows for reject in intake.rejects}


def lines(*rows: str, header: str = EVENTS) -> str:
    return header + "".join(row + "\n" for row in rows)


def test_our_columns_come_first_and_the_files_own_follow(tmp_path: Path) -> None:
    exports.write(
        tmp_path / "e.csv",
        "user_id,ts,name,amount,wait_ms,beta,zip\n007,2026-03-01,open,1.5,20,true,01\n",
    )
    rows, _ = read(tmp_path, "events", "e.csv", value="amount")
    assert list(rows[0]) == [
        *("user", "time", "event", "value"),
        *("user_id", "ts", "name", "amount", "wait_ms", "beta", "zip"),
    ]
    assert rows[0]["user"] == "007"
    assert rows[0]["time"] == datetime(2026, 3, 1)  # noqa: DTZ001
    assert (rows[0]["value"], rows[0]["wait_ms"], rows[0]["beta"]) == (1.5, 20, True)
    assert rows[0]["zip"] == "01"


def test_a_column_whose_name_is_taken_is_kept_under_another(tmp_path: Path) -> None:
    exports.write(tmp_path / "e.csv", "User,uid,time,event\nBob,u1,2026-03-01,open\n")
    rows, _ = read(tmp_path, "events", "e.csv", user="uid")
    assert (rows[0]["user"], rows[0]["User_original"]) == ("u1", "Bob")


def test_rows_that_cannot_be_used_are_out_and_counted(tmp_path: Path) -> None:
    text = lines(
        "u1,2026-03-01,open,1",
        ",2026-03-01,open,1",
        "NULL,2026-03-01,open,1",
        "u2,,open,1",
        "u3,soon,open,1",
        "u4,1970-01-01,open,1",
        "u5,2126-01-01,open,1",
        "u6,2026-03-01,,1",
        "u7,2026-03-01,open,much",
        "u8,2026-03-02,open,inf",
        "u9,2026-03-02,open,N/A",
    )
    exports.write(tmp_path / "e.csv", text)
    rows, intake = read(tmp_path, "events", "e.csv", value="amount")
    assert [row["user"] for row in rows] == ["u1", "u8", "u9"]
    assert [row["value"] for row in rows] == [1.0, None, None]
    assert reasons(intake) == {
        "no user": 2,
        "a year that cannot be": 2,
        "no time": 1,
        "a time that cannot be read": 1,
        "no event": 1,
        "the value is no number": 1,
    }
    assert (intake.read, intake.kept) == (11, 3)
    assert "infinite or undefined in 1 rows" in " ".join(intake.warnings)
    bad = next(r for r in intake.rejects if r.reason == "a time that cannot be read")
    assert (bad.examples[0].line, bad.examples[0].raw, bad.examples[0].file) == (6, "soon", "e")
    with (tmp_path / ".octad/rejects/events.csv").open(encoding="utf-8") as file:
        written = list(csv.DictReader(file))
    assert len(written) == 8
    soon = next(row for row in written if row["reason"] == "a time that cannot be read")
    assert soon["line"] == "6"
    assert '"u3"' in soon["row"]


def test_a_broken_quote_costs_its_own_row_only(tmp_path: Path) -> None:
    text = lines(
        'u1,2026-03-01,"open\nwide",1',
        'u2,2026-03-01,"open,1',
        "=cmd(),2026-03-01,open,1,more",
        "u4,2026-03-01",
        'u5,2026-03-01,"a ""b""",1',
        "u6,2026-03-01,open,1",
        'u7,2026-03-01,5" open,1',
        "u8,2026-03-01,open,1",
    )
    exports.write(tmp_path / "e.csv", text)
    rows, intake = read(tmp_path, "events", "e.csv")
    assert [row["user"] for row in rows] == ["u1", "u5", "u6", "u7", "u8"]
    assert rows[0]["event"] == "open\nwide"
    assert rows[3]["event"] == '5" open'
    found = {r.reason: [e.line for e in r.examples] for r in intake.rejects}
    assert found["too many columns"] == [5]
    assert found["too few columns"] == [6]
    assert found["a quote that never closes"] == [4]
    assert intake.read == 8
    rejects = (tmp_path / ".octad/rejects/events.csv").read_text(encoding="utf-8")
    assert "'=cmd()" in rejects


def test_lines_are_those_of_the_file_where_texts_span_lines(tmp_path: Path) -> None:
    text = lines('u1,2026-03-01,"a\nb\nc",1', "u2,soon,open,1")
    exports.write(tmp_path / "e.csv", text)
    _, intake = read(tmp_path, "events", "e.csv")
    assert intake.rejects[0].examples[0].line == 5
    exports.write(tmp_path / "f.csv", lines("u1,2026-03-01,a,1", "", "", "u2,soon,open,1"))
    _, intake = read(tmp_path, "events", "f.csv")
    assert intake.rejects[0].examples[0].line in {None, 5}


@pytest.mark.parametrize(
    ("encoding", "mark", "said"),
    [
        ("utf-8", b"", None),
        ("utf-8-sig", b"", None),
        ("utf-16-le", b"\xff\xfe", "UTF-16"),
        ("utf-16-be", b"\xfe\xff", "UTF-16"),
        ("gb18030", b"", "GB 18030"),
    ],
)
def test_encodings(tmp_path: Path, encoding: str, mark: bytes, said: str | None) -> None:
    text = "time,rating,text\n" + '2026-03-01,1,"付款很慢，\n闪退"\n' * 3
    exports.write(tmp_path / "r.csv", mark + text.encode(encoding))
    rows, intake = read(tmp_path, "reviews", "r.csv", timezone="Asia/Shanghai")
    assert [row["text"] for row in rows] == ["付款很慢，\n闪退"] * 3
    assert rows[0]["product"] == "Wallet"
    assert said is None or said in " ".join(intake.warnings)
    assert not list((tmp_path / ".octad" / "tmp").iterdir())


def test_a_latin_byte_in_a_utf8_file_and_a_latin_file(tmp_path: Path) -> None:
    mixed = "time,rating,text\n2026-03-01,1,naïve – très\n".encode() * 4 + b"2026-03-02,2,caf\xe9\n"
    mixed = mixed.replace(b"2026-03-01,1,na", b"2026-03-01,1,na", 1)
    body = mixed.split(b"time,rating,text\n")
    exports.write(tmp_path / "m.csv", b"time,rating,text\n" + b"".join(body))
    rows, intake = read(tmp_path, "reviews", "m.csv")
    assert rows[-1]["text"] == "café"
    assert rows[0]["text"] == "naïve – très"
    assert "UTF-8 but for 1 bytes" in " ".join(intake.warnings)
    exports.write(
        tmp_path / "l.csv", b"time,rating,text\n2026-03-02,2,caf\xe9 tr\xe8s d\xe9j\xe0\n"
    )
    rows, intake = read(tmp_path, "reviews", "l.csv")
    assert rows[0]["text"] == "café très déjà"
    assert "Windows Latin" in " ".join(intake.warnings)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators(tmp_path: Path, separator: str) -> None:
    text = separator.join(["user", "time", "event", "value"]) + "\n"
    text += separator.join(["u1", "2026-03-01", '"a,b;c|d"', "3"]) + "\n"
    exports.write(tmp_path / "e.csv", text)
    rows, _ = read(tmp_path, "events", "e.csv")
    assert (rows[0]["event"], rows[0]["value"]) == ("a,b;c|d", 3.0)


def test_a_thousand_columns(tmp_path: Path) -> None:
    names = [f"c{n}" for n in range(1000)]
    text = "user,arm," + ",".join(names) + "\n"
    text += "".join(f"u{row},a," + ",".join(str(n) for n in range(1000)) + "\n" for row in range(3))
    exports.write(tmp_path / "u.csv", text)
    rows, intake = read(tmp_path, "units", "u.csv")
    assert len(intake.columns) == 1002
    assert rows[2]["c999"] == 999


def test_header_only_empty_and_headless(tmp_path: Path) -> None:
    exports.write(tmp_path / "h.csv", EVENTS)
    rows, intake = read(tmp_path, "events", "h.csv")
    assert rows == []
    assert "no row can be used" in intake.warnings
    exports.write(tmp_path / "e.csv", "")
    with pytest.raises(DataError, match=r"e\.csv is empty"):
        read(tmp_path, "events", "e.csv")
    exports.write(tmp_path / "b.csv", "\n\n")
    with pytest.raises(DataError, match=r"b\.csv is empty"):
        read(tmp_path, "events", "b.csv")
    exports.write(tmp_path / "n.csv", "u1,2026-03-01,open\nu2,2026-03-02,pay\n")
    roles = {"user": "column_1", "time": "column_2", "event": "column_3"}
    rows, intake = read(tmp_path, "events", "n.csv", **roles)
    assert [row["event"] for row in rows] == ["open", "pay"]
    assert "no header" in intake.warnings[0]
    with pytest.raises(UnknownNameError, match=r"which column of 'n\.csv' is the user"):
        read(tmp_path, "events", "n.csv")


def test_two_columns_of_one_name(tmp_path: Path) -> None:
    exports.write(tmp_path / "e.csv", "user,time,event,x,x\nu1,2026-03-01,open,1,2\n")
    rows, intake = read(tmp_path, "events", "e.csv")
    assert (rows[0]["x"], rows[0]["x_2"]) == (1, 2)
    assert "two columns are called 'x'" in " ".join(intake.warnings)


def test_hostile_names_and_texts_reach_no_sql(tmp_path: Path) -> None:
    name = 'it\'s "odd"; DROP TABLE x; -- [1]*.csv'
    text = 'user,time,event,"a""; drop table b; --","\'c"\n'
    text += '"\'; drop table d; --",2026-03-01,"<script>alert(1)</script>\x1b[31m",1,2\n'
    exports.write(tmp_path / name, text)
    rows, _ = read(tmp_path, "events", name)
    assert rows[0]["user"] == "'; drop table d; --"
    assert rows[0]['a"; drop table b; --'] == 1
    assert rows[0]["'c"] == 2


def test_a_text_of_a_megabyte(tmp_path: Path) -> None:
    exports.write(tmp_path / "r.csv", 'time,rating,text\n2026-03-01,1,"' + "x\n" * 2**20 + '"\n')
    rows, intake = read(tmp_path, "reviews", "r.csv")
    assert len(rows[0]["text"]) == 2**21
    assert intake.rejects == ()


def test_many_files_of_differing_columns(tmp_path: Path) -> None:
    exports.write(tmp_path / "d/a.csv", "user,time,event\nu1,2026-03-01,open\n")
    exports.write(tmp_path / "d/b.csv", "time;user;event;plan\n2026-03-02;u2;pay;pro\n")
    rows, intake = read(tmp_path, "events", "d/*.csv")
    assert [(row["user"], row["plan"]) for row in rows] == [("u1", None), ("u2", "pro")]
    assert intake.files == 2
    exports.parquet(
        tmp_path / "p/a.parquet", {"user": ["u1"], "time": ["2026-03-01"], "event": ["a"]}
    )
    exports.parquet(
        tmp_path / "p/b.parquet",
        {"user": ["u2"], "time": ["2026-03-01"], "event": ["a"], "x": [1]},
    )
    rows, _ = read(tmp_path, "events", "p/*.parquet")
    assert sorted((row["user"], row["x"]) for row in rows) == [("u1", None), ("u2", 1)]


def test_a_parquet_file_cut_in_half_is_named(tmp_path: Path) -> None:
    whole = exports.parquet(
        tmp_path / "p/whole.parquet", {"user": ["u1"] * 1000, "time": ["x"] * 1000}
    )
    exports.write(tmp_path / "p/half.parquet", whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(DataError, match=r"half\.parquet cannot be read as Parquet"):
        read(tmp_path, "events", "p/*.parquet")


def test_something_else_under_the_name_of_parquet_or_csv(tmp_path: Path) -> None:
    exports.write(tmp_path / "a.parquet", "user,time\n")
    with pytest.raises(DataError, match=r"a.parquet cannot be read as Parquet"):
        read(tmp_path, "events", "a.parquet")
    exports.write(tmp_path / "a.csv", b"PK\x03\x04\x00\x00\x00\x00" * 100)
    with pytest.raises(DataError, match="zero bytes"):
        read(tmp_path, "events", "a.csv")
    exports.write(tmp_path / "a.json", "not json at all\n")
    with pytest.raises(DataError, match="JSON lines"):
        read(tmp_path, "events", "a.json")


def test_json_lines_with_broken_ones(tmp_path: Path) -> None:
    text = (
        '{"user": 1, "time": "2026-03-01T00:00:00Z", "event": "open", "p": {"plan": "pro"}}\n'
        '{"user": 2, "time": "2026-03-0\n\n[1, 2]\n'
        '{"user": 3, "time": "2026-03-02T00:00:00Z", "event": "pay", "p": {}, "value": 2.5}\n'
    )
    exports.write(tmp_path / "e.jsonl", text)
    rows, intake = read(tmp_path, "events", "e.jsonl")
    assert [(row["user"], row["value"]) for row in rows] == [("1", None), ("3", 2.5)]
    assert reasons(intake) == {"a line that is no JSON object": 2}
    assert [e.line for e in intake.rejects[0].examples] == [2, 4]


def test_duckdb_files_and_tables(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "app.duckdb")) as con:
        con.execute(
            "CREATE TABLE log AS SELECT 'u' || i AS user, TIMESTAMP '2026-03-01' AS time, "
            "'open' AS event FROM range(3) t(i)"
        )
        con.execute("CREATE SCHEMA s; CREATE VIEW s.v AS SELECT * FROM log WHERE user = 'u1'")
    rows, _ = read(tmp_path, "events", "app.duckdb")
    assert len(rows) == 3
    for table, n in (("log", 3), ("s.v", 1)):
        project = exports.project({"events": {"table": table}}, connection="duckdb://app.duckdb")
        with exports.engine(tmp_path, connection="duckdb://app.duckdb") as engine:
            events = open_sources(engine, project).events
            assert events is not None
            assert events.count().to_pyarrow().as_py() == n
    project = exports.project({"events": {"table": "lgo"}}, connection="duckdb://app.duckdb")
    with (
        exports.engine(tmp_path, connection="duckdb://app.duckdb") as engine,
        pytest.raises(UnknownNameError, match="no table 'lgo'") as caught,
    ):
        open_sources(engine, project)
    assert "Did you mean 'log'?" in caught.value.mend


def test_what_is_missing_is_said_with_its_place(tmp_path: Path) -> None:
    exports.write(tmp_path / "data/events.csv", lines("u1,2026-03-01,open,1"))
    places = {"sources.events.table": 5, "sources.events.user": 6, "sources.events.where": 8}

    def fails(**source: Any) -> OctadError:
        with exports.engine(tmp_path) as engine, pytest.raises(OctadError) as caught:
            open_sources(
                engine,
                exports.project({"events": source}),
                where=lambda key: Where("octad.yml", places.get(key)),
            )
        return caught.value

    error = fails(table="data/evnets.csv")
    assert str(error) == (
        "octad.yml:5: There is no file 'data/evnets.csv'. Did you mean 'data/events.csv'?"
    )
    error = fails(table="data/events.csv", user="user_di")
    assert str(error).startswith("octad.yml:6: There is no column 'user_di'.")
    assert "Did you mean 'user_id'?" in str(error)
    assert "octad.yml:8" in str(fails(table="data/events.csv", where="nme == 'x'"))
    assert "no preset 'plian'" in str(fails(table="data/events.csv", preset="plian"))
    assert "no time zone" in str(fails(table="data/events.csv", timezone="Mars/Base"))
    assert "has no events" in str(fails(table="data/events.csv", preset="github_releases"))
    assert "nothing/*.csv" in str(fails(table="nothing/*.csv"))


def test_where_and_dedupe(tmp_path: Path) -> None:
    text = lines(
        "u1,2026-03-01,open,1", "u1,2026-03-01,open,1", "u1,2026-03-02,pay,3", "u2,2026-03-02,pay,"
    )
    exports.write(tmp_path / "e.csv", text)
    keys = ["user_id", "ts", "name"]
    rows, intake = read(tmp_path, "events", "e.csv", value="amount", dedupe=keys)
    assert (len(rows), intake.duplicates, intake.kept) == (3, 1, 3)
    rows, intake = read(tmp_path, "events", "e.csv", where="name == 'pay' and amount is not null")
    assert (len(rows), intake.read) == (1, 1)
    with pytest.raises(UnknownNameError, match="no column 'uuid'"):
        read(tmp_path, "events", "e.csv", dedupe="uuid")


def test_dedupe_in_parquet_leaves_rows_without_a_key(tmp_path: Path) -> None:
    for place in (0, 1):
        exports.parquet(
            tmp_path / f"p/{place}.parquet",
            {
                "user": ["a", "b", "c", "d"],
                "time": [datetime(2026, 3, 1 + place, tzinfo=UTC)] * 4,
                "event": ["open"] * 4,
                "id": pa.array(["1", "2", None, f"x{place}"], pa.string()),
            },
        )
    rows, intake = read(tmp_path, "events", "p/*.parquet", dedupe="id")
    assert (intake.read, intake.kept, intake.duplicates) == (8, 6, 2)
    first = datetime(2026, 3, 1)  # noqa: DTZ001
    assert [row["time"] for row in rows if row["user"] == "a"] == [first]
    assert len([row for row in rows if row["user"] == "c"]) == 2


def test_users_are_one_row_each_the_last_known(tmp_path: Path) -> None:
    text = (
        "user_id,region,age,is_staff,known_at,beta,joined\n"
        "u1,north,30,no,2026-01-01,true,2025-01-01\n"
        "u1,south,31,no,2026-02-01,true,2025-01-01\n"
        "u2,north,,yes,2026-01-01,false,2025-01-02\n"
        ",north,1,no,2026-01-01,true,2025-01-03\n"
    )
    exports.write(tmp_path / "u.csv", text)
    rows, intake = read(tmp_path, "users", "u.csv", attributes=["region", "age", "beta"])
    assert list(rows[0]) == ["user", "staff", "known", "region", "age", "beta"]
    found = {row["user"]: (row["region"], row["age"], row["staff"], row["beta"]) for row in rows}
    assert found == {"u1": ("south", 31, False, "true"), "u2": ("north", None, True, "false")}
    assert (intake.duplicates, reasons(intake)) == (1, {"no user": 1})
    rows, _ = read(tmp_path, "users", "u.csv")
    assert list(rows[0]) == ["user", "staff", "known", "region", "age", "beta", "joined"]


def test_units_in_two_arms_are_out(tmp_path: Path) -> None:
    text = "user,arm,rounds\nu1,a,1\nu1,a,2\nu2,a,3\nu2,b,3\nu3,b,4\nu4,,4\n"
    exports.write(tmp_path / "u.csv", text)
    rows, intake = read(tmp_path, "units", "u.csv")
    assert sorted((row["user"], row["arm"], row["rounds"]) for row in rows) == [
        ("u1", "a", 1),
        ("u3", "b", 4),
    ]
    assert (intake.duplicates, intake.kept) == (1, 2)
    assert reasons(intake) == {"one user in two arms": 2, "no arm": 1}


def test_a_few_clocks_that_run_ahead(tmp_path: Path) -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    times = [start + timedelta(minutes=20 * n) for n in range(2000)]
    ahead = datetime(2031, 1, 1, tzinfo=UTC)
    exports.parquet(
        tmp_path / "e.parquet",
        {"user": ["a"] * 2001, "time": [*times, ahead], "event": ["open"] * 2001},
    )
    rows, intake = read(tmp_path, "events", "e.parquet")
    assert len(rows) == 2000
    assert intake.last == times[-1].replace(tzinfo=None)
    assert "clock that runs ahead" in intake.rejects[0].reason
    assert intake.rejects[0].examples[0].raw.startswith("2031-01-01")


def test_text_is_kept_as_parquet_until_the_file_changes(tmp_path: Path) -> None:
    file = exports.write(tmp_path / "e.csv", lines("u1,2026-03-01,open,1"))
    first, account = read(tmp_path, "events", "e.csv")
    assert len(list((tmp_path / ".octad/cache").glob("events-*/*.parquet"))) == 1
    again, same = read(tmp_path, "events", "e.csv")
    assert (first, account) == (again, same)
    file.write_text(lines("u1,2026-03-01,open,1", "u2,2026-03-01,open,1"))
    changed, _ = read(tmp_path, "events", "e.csv")
    assert len(changed) == 2
    files = list((tmp_path / ".octad/cache").glob("events-*/*.parquet"))
    # A review under way may still read the older one; it goes when an hour has passed.
    assert len(files) == 2
    for one in files:
        one.write_bytes(b"cut")
    assert len(read(tmp_path, "events", "e.csv")[0]) == 2


def test_parquet_stays_a_plain_scan(tmp_path: Path) -> None:
    exports.parquet(
        tmp_path / "e.parquet",
        {
            "user": [1, 2],
            "time": [1_767_225_768_053] * 2,
            "event": ["a", "b"],
            "x": [1.0, math.nan],
        },
    )
    project = exports.project({"events": {"table": "e.parquet", "value": "x"}})
    with exports.engine(tmp_path) as engine:
        events = open_sources(engine, project).events
        assert events is not None
        assert not list((tmp_path / ".octad" / "cache").rglob("*.parquet"))
        # Where no row is out, a count or a maximum would come from the file's footer.
        some = ibis.to_sql(events.x.var())
        plan = engine.backend.raw_sql(f"EXPLAIN {some}").fetchall()[0][1]
        assert "PARQUET" in plan.upper()
        assert "WINDOW" not in plan.upper()


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exports.write(tmp_path / "e.csv", lines("u1,2026-03-01,open,1", ",2026-03-01,open,1"))
    monkeypatch.setattr("octad.data.connect._can_write", lambda _root: False)
    rows, intake = read(tmp_path, "events", "e.csv")
    assert (len(rows), intake.kept) == (1, 1)
    assert not (tmp_path / ".octad").exists()


def test_only_what_is_asked_for_is_opened(tmp_path: Path) -> None:
    exports.write(tmp_path / "e.csv", lines("u1,2026-03-01,open,1"))
    project = exports.project({"events": {"table": "e.csv"}, "users": {"table": "absent.csv"}})
    with exports.engine(tmp_path) as engine:
        tables = open_sources(engine, project, only={"events"})
    assert isinstance(tables, Tables)
    assert tables.users is None
    assert set(tables.intake) == {"events"}
