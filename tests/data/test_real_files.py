"""The real files that lie beside the project, read as a user would name them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from octad.data.intake import Intake
from octad.data.sources import open_sources
from tests.data import exports

pytestmark = pytest.mark.real


def read(root: Path, name: str, table: Path, **roles: Any) -> tuple[Any, Intake]:
    project = exports.project({name: {"table": str(table), **roles}})
    with exports.engine(root) as engine:
        tables = open_sources(engine, project)
        return getattr(tables, name).to_pyarrow(), tables.intake[name]


def test_cookie_cats(tmp_path: Path, shared_data: Path) -> None:
    file = shared_data / "cookie_cats" / "players.csv"
    rows, intake = read(tmp_path, "units", file, user="userid", arm="version")
    assert (intake.read, intake.kept, intake.rejects) == (90_189, 90_189, ())
    frame = rows.group_by("arm").aggregate([("user", "count"), ("retention_7", "sum")])
    found = {row["arm"]: row for row in frame.to_pylist()}
    assert (found["gate_30"]["user_count"], found["gate_40"]["user_count"]) == (44_700, 45_489)
    assert (found["gate_30"]["retention_7_sum"], found["gate_40"]["retention_7_sum"]) == (
        8502,
        8279,
    )
    assert max(rows["sum_game_rounds"].to_pylist()) == 49_854


def test_smart_home_reviews(tmp_path: Path, shared_data: Path) -> None:
    file = shared_data / "smarthome_cn" / "reviews.csv"
    rows, intake = read(tmp_path, "reviews", file, timezone="Asia/Shanghai")
    assert (intake.read, intake.kept) == (16_137, 16_137)
    assert intake.last == datetime(2019, 10, 5, 2, 57, 33)  # noqa: DTZ001
    assert len(set(rows["product"].to_pylist())) >= 5
    assert sum(rows["deleted"].to_pylist()) > 0
    assert set(rows["rating"].to_pylist()) <= {1.0, 2.0, 3.0, 4.0, 5.0}


def test_two_files_that_write_their_dates_differently(tmp_path: Path, shared_data: Path) -> None:
    folder = shared_data / "bni_wondr"
    rows, intake = read(
        tmp_path, "reviews", folder / "*.csv", product="file", timezone="Asia/Jakarta"
    )
    assert (intake.read, intake.kept, intake.files) == (29_000, 29_000, 2)
    assert "read month-first: the second number goes above 12" in intake.warnings[0]
    count = dict.fromkeys(("wondr_reviews", "bni_mobile_reviews"), 0)
    for product in rows["product"].to_pylist():
        count[product] += 1
    assert count == {"wondr_reviews": 19_111, "bni_mobile_reviews": 9_889}
    assert intake.first == datetime(2024, 7, 4, 17, 5, 40)  # noqa: DTZ001
    assert intake.last == datetime(2025, 1, 9, 16, 44, 42)  # noqa: DTZ001


def test_dates_in_words(tmp_path: Path, shared_data: Path) -> None:
    file = shared_data / "messaging_2024" / "reviews.csv"
    _, intake = read(tmp_path, "reviews", file)
    assert (intake.read, intake.kept) == (44_286, 44_286)
    assert intake.first == datetime(2024, 10, 8)  # noqa: DTZ001
    assert intake.last == datetime(2024, 11, 6)  # noqa: DTZ001
    assert intake.roles["product"] == "app_name"


def test_thousands_separators_and_blanks(tmp_path: Path, shared_data: Path) -> None:
    file = shared_data / "upworthy" / "site_daily.csv"
    roles = {"user": "Day Index", "time": "Day Index", "event": "Day Index", "value": "Users"}
    rows, intake = read(tmp_path, "events", file, **roles)
    assert (intake.read, intake.kept) == (850, 850)
    assert rows["value"][0].as_py() == 67_283.0
    assert rows["Sessions"].null_count == 304
    assert rows["Pageviews"].null_count == 304
    assert (intake.first, intake.last) == (
        datetime(2013, 1, 1),  # noqa: DTZ001
        datetime(2015, 4, 30),  # noqa: DTZ001
    )
    assert any("thousands separators" in warning for warning in intake.warnings)


def test_semicolons(tmp_path: Path, shared_data: Path) -> None:
    file = shared_data / "panels" / "california_prop99.csv"
    rows, intake = read(
        tmp_path, "units", file, user="State", arm="treated", where="Year == '2000'"
    )
    assert intake.kept == 39
    assert rows["PacksPerCapita"][0].as_py() > 0
