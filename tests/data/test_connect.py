"""The engine: on this machine alone, and nothing left behind."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from octad.data.connect import Engine, connect, leave_room, listed, literal, quoted
from octad.errors import DataError, UsageError, Where
from tests.data import exports


def setting(root: Path, name: str) -> str:
    with exports.engine(root) as engine:
        row = engine.backend.raw_sql(f"SELECT current_setting({literal(name)})").fetchone()
        return str(row[0])


def test_no_network_utc_and_its_own_folder(tmp_path: Path) -> None:
    assert setting(tmp_path, "autoinstall_known_extensions") == "False"
    assert setting(tmp_path, "autoload_known_extensions") == "False"
    assert setting(tmp_path, "TimeZone") == "UTC"
    assert setting(tmp_path, "temp_directory") == str(tmp_path / ".octad" / "tmp")
    with exports.engine(tmp_path) as engine, pytest.raises(duckdb.Error):
        engine.backend.raw_sql("SELECT * FROM read_csv('https://example.test/a.csv')")
    assert not (tmp_path / ".octad").exists()


def test_a_database_is_read_and_not_written(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "it's.duckdb")) as con:
        con.execute("CREATE TABLE t AS SELECT 1 AS x")
    with exports.engine(tmp_path, connection="duckdb://it's.duckdb") as engine:
        assert engine.attached
        with pytest.raises(duckdb.Error, match="read-only"):
            engine.backend.raw_sql("CREATE TABLE project_db.y AS SELECT 1 AS x")


@pytest.mark.parametrize(
    ("connection", "error", "says"),
    [
        ("mongodb://host/db", UsageError, "does not know mongodb"),
        ("duckdb://absent.duckdb", DataError, "no database file 'absent.duckdb'"),
        ("duckdb://broken.duckdb", DataError, "cannot be opened as a DuckDB database"),
    ],
)
def test_connections_that_cannot_be(
    tmp_path: Path, connection: str, error: type[Exception], says: str
) -> None:
    exports.write(tmp_path / "broken.duckdb", "no database")
    with pytest.raises(error) as caught:
        connect(exports.project({}, connection=connection), tmp_path, where=Where("octad.yml", 2))
    assert says in str(caught.value)
    assert str(caught.value).startswith("octad.yml:2: ")


def test_quoting() -> None:
    assert literal("a'b") == "'a''b'"
    assert quoted('a"b') == '"a""b"'
    assert listed([Path("/a*'.csv")]) == "['/a[*]''.csv']"


def test_duckdb_leaves_room_for_what_is_held_beside_it(tmp_path: Path) -> None:
    def limit(engine: Engine) -> str:
        said = engine.backend.raw_sql("SELECT current_setting('memory_limit')").fetchone()
        return str(said[0])

    with exports.engine(tmp_path) as engine:
        whole = limit(engine)
        leave_room(engine.backend, 300 * 2**20)
        assert limit(engine) != whole
        leave_room(engine.backend, 10**15)
        assert limit(engine) == "512.0 MiB"
        leave_room(engine.backend, 0)
        assert limit(engine) == whole
