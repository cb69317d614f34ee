"""The full look at every source."""

from __future__ import annotations

from pathlib import Path

import pytest

from octad.data.check import check
from tests.data import exports


def test_a_sound_project(tmp_path: Path) -> None:
    exports.write(
        tmp_path / "e.csv",
        "user,time,event,value\nu1,2026-03-01,open,1\nu2,2026-03-04,open,\nu2,2026-03-04,open,\n",
    )
    exports.write(tmp_path / "u.csv", "user,region\nu1,north\nu2,south\n")
    project = exports.project({"events": {"table": "e.csv"}, "users": {"table": "u.csv"}})
    with exports.engine(tmp_path) as engine:
        report = check(engine, project)
    assert report.sound
    events = report.intake["events"]
    assert (events.users, events.kept, len(events.gaps)) == (2, 3, 1)
    assert any("1 rows are exact copies" in warning for warning in events.warnings)
    found = {note.name: note for note in report.columns["events"]}
    assert (found["value"].kind, found["time"].kind, found["event"].kind) == (
        "number",
        "time",
        "text",
    )
    assert found["value"].empty == pytest.approx(2 / 3)  # a share, made by division
    assert found["event"].kinds == 1
    assert report.rejects == {}


def test_rejects_and_ids_that_do_not_fit(tmp_path: Path) -> None:
    exports.write(
        tmp_path / "e.csv",
        "user,time,event\n1.23E+18,2026-03-01,open\n000,2026-03-01,open\nu1,soon,open\n",
    )
    exports.write(tmp_path / "x.csv", "user,time,arm\nhash9,2026-03-01,on\n")
    project = exports.project({"events": {"table": "e.csv"}, "exposures": {"table": "x.csv"}})
    with exports.engine(tmp_path) as engine:
        report = check(engine, project)
    assert not report.sound
    assert report.rejects == {"events": str(Path(".octad/rejects/events.csv"))}
    said = " ".join(report.intake["events"].warnings)
    assert "a spreadsheet has rounded them" in said
    assert "user id of zeros" in said
    assert "no user of exposures is in events" in " ".join(report.intake["exposures"].warnings)


def test_nested_columns_and_parquet(tmp_path: Path) -> None:
    exports.write_ga4_parquet(tmp_path / "g.parquet")
    project = exports.project({"events": {"table": "g.parquet", "preset": "ga4"}})
    with exports.engine(tmp_path) as engine:
        report = check(engine, project)
    kinds = {note.name: note.kind for note in report.columns["events"]}
    assert kinds["event_params"] == "nested"
    assert kinds["user"] == "text"


def test_ties_are_counted_and_no_id_is_said(tmp_path: Path) -> None:
    exports.write(tmp_path / "e.csv", "user,time,event\nanna,2026-03-01,open\nben,2026-03-01,open")
    rows = "anna,ben\nben,anna\nanna,anna\nanna,nobody\nanna,\n"
    exports.write(tmp_path / "l.csv", f"user_id,other_id\n{rows}")
    project = exports.project({"events": {"table": "e.csv"}, "links": {"table": "l.csv"}})
    with exports.engine(tmp_path) as engine:
        report = check(engine, project)
    links = report.intake["links"]
    assert (links.read, links.kept) == (5, 4)
    assert [r.reason for r in links.rejects] == ["no other"]
    said = " · ".join(links.warnings)
    assert "1 rows tie a user to themselves" in said
    assert "1 rows are a tie that another row has too" in said
    assert "1 of its 3 users are in no other source" in said
    assert not any(name in said for name in ("anna", "ben", "nobody"))


def test_ties_among_ids_of_another_kind_are_told(tmp_path: Path) -> None:
    exports.write(tmp_path / "e.csv", "user,time,event\nu1,2026-03-01,open\n")
    exports.write(tmp_path / "l.csv", "sender,receiver\na@b,c@d\n")
    project = exports.project({"events": {"table": "e.csv"}, "links": {"table": "l.csv"}})
    with exports.engine(tmp_path) as engine:
        report = check(engine, project)
    assert "are the ids of one kind?" in " ".join(report.intake["links"].warnings)
