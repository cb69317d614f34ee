"""What an engine cannot do is refused by name, with what to do instead; secrets are never said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import pytest
from ibis.backends.sql import compilers

from octad.data.clock import micros
from octad.data.connect import connect
from octad.data.engines.base import CANNOT, RefusedError, refuse
from octad.data.engines.open import masked, open_remote, resolved
from octad.data.engines.untried import UNTRIED, taught
from octad.data.functions import INSTANT, from_micros, on_clock, whole_part
from octad.data.population import bucket_hex
from octad.data.sources import open_sources
from octad.data.times import decide
from octad.errors import DataError, OctadError, UnknownNameError, UsageError
from octad.lifecycle.session import Session
from octad.model.plan import Project
from octad.project.load import load_plan
from tests.engines import shop
from tests.engines.conftest import Place, Places

# py4j and Spark leave the sockets they read from to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed.*socket:ResourceWarning")

SPOKEN = {"postgres": "PostgreSQL", "spark": "Spark", "clickhouse": "ClickHouse"}


def project(place: Place, **events: Any) -> Project:
    source = {"table": place.tables["events"], "user": "user", "time": "ts", "event": "name"}
    return Project.model_validate(
        {"product": "P", "connection": place.connection, "sources": {"events": source | events}}
    )


REFUSED = {
    "times": {"time": "kind"},
    "numbers": {"value": "kind"},
    "days": {"time": "id"},
    "nested": {"value": "kind.0"},  # a key, or a place in a list?
}


@pytest.mark.parametrize("gap", [gap for gap in REFUSED if gap != "days"])
def test_a_gap_is_refused_by_name(other: Place, gap: str, tmp_path: Path) -> None:
    plan = project(other, **REFUSED[gap])
    with connect(plan, tmp_path) as engine, pytest.raises(RefusedError) as caught:
        open_sources(engine, plan)
    said = str(caught.value)
    assert f"on {SPOKEN[other.kind]}, Octad cannot {CANNOT[gap].what}" in said
    assert caught.value.mend
    assert next(iter(REFUSED[gap].values())) in said


def test_every_gap_has_its_test() -> None:
    assert set(REFUSED) | {"zones"} == set(CANNOT)  # zones: no engine that is tried lacks them


def test_days_in_numbers_are_refused() -> None:
    with pytest.raises(RefusedError, match="days that are written as one number"):
        refuse("PostgreSQL", "days", what="day")
    assert decide(dt.int64, {"middle": 20260301}, "day", None).unit == "day"


def test_a_table_that_is_not_there(other: Place, tmp_path: Path) -> None:
    plan = project(other, table="shop.event")
    with (
        connect(plan, tmp_path) as engine,
        pytest.raises(UnknownNameError, match=r"no table 'shop.event'.*shop\.events"),
    ):
        open_sources(engine, plan)


def test_what_lies_in_two_places_is_not_joined(other: Place, tmp_path: Path) -> None:
    root = shop.write_project(tmp_path, other.connection, {**other.tables, "users": "users.csv"})
    (root / "users.csv").write_text("user,region,age,crew,known,rank\na,b,1,false,2026-01-01,1\n")
    loaded = load_plan(root, "x")
    with (
        connect(loaded.plan.project, root) as engine,
        pytest.raises(DataError, match=r"sources.users: 'users.csv' is a file beside octad.yml"),
    ):
        open_sources(engine, loaded.plan.project)


def test_spark_reads_parquet_beside_the_project(places: Places, tmp_path: Path) -> None:
    import pyarrow.parquet as pq  # noqa: PLC0415

    place = places["spark"]
    for name, rows in places.tables.items():
        pq.write_table(rows.slice(0, 50), tmp_path / f"{name}.parquet")
    plan = project(place, table="events.parquet")
    with connect(plan, tmp_path) as engine:
        assert open_sources(engine, plan).intake["events"].read == 50


def test_rows_that_are_out_can_be_read(places: Places, tmp_path: Path) -> None:
    plan = project(places["postgres"])
    with connect(plan, tmp_path) as engine:
        rejects = {r.reason: r for r in open_sources(engine, plan).intake["events"].rejects}
    assert rejects["a year that cannot be"].examples[0].raw.startswith("1970-01-01")


def test_the_tables_are_left_as_they_were(places: Places, tmp_path: Path) -> None:
    import psycopg  # noqa: PLC0415

    place = places["postgres"]

    def state() -> list[Any]:
        with psycopg.connect(place.connection) as con:
            listed = con.execute(
                "SELECT table_schema, table_name FROM information_schema.tables WHERE "
                "table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2"
            ).fetchall()
            rows = con.execute(
                "SELECT count(*), md5(string_agg(e::text, '' ORDER BY id, ts)) FROM shop.events e"
            ).fetchall()
            return [*listed, *rows]

    before = state()
    plan = project(place)
    with connect(plan, tmp_path) as engine:
        open_sources(engine, plan)
    assert state() == before


def test_rights_that_are_not_there(places: Places, tmp_path: Path) -> None:
    import psycopg  # noqa: PLC0415

    place = places["postgres"]
    with psycopg.connect(place.connection) as con:
        con.execute("CREATE ROLE guest LOGIN PASSWORD 'g'")
        con.execute("GRANT USAGE ON SCHEMA shop TO guest")
    _, _, rest = place.connection.partition("@")
    plan = project(Place("postgres", f"postgres://guest:g@{rest}", place.tables))
    with (
        connect(plan, tmp_path) as engine,
        pytest.raises(DataError, match="PostgreSQL refuses a query: permission denied"),
    ):
        open_sources(engine, plan)


# --- secrets -----------------------------------------------------------------------------------


def test_a_password_is_never_said(places: Places, tmp_path: Path) -> None:
    place = places["postgres"]
    secret = place.connection.split(":")[2].split("@")[0]
    wrong = place.connection.replace(secret, "an0ther-secret")
    with pytest.raises(DataError) as caught:
        connect(project(Place("postgres", wrong, place.tables)), tmp_path)
    assert "PostgreSQL does not answer" in str(caught.value)
    assert "***" in str(caught.value)
    assert "an0ther-secret" not in repr(caught.value) + str(caught.value)
    assert caught.value.__cause__ is None

    root = shop.write_project(tmp_path / "p", place.connection, place.tables)
    review = Session(root).review("x", log_look=True)
    assert secret not in review.model_dump_json()
    assert secret not in repr(load_plan(root, "x").plan)
    kept = [p for p in root.rglob("*") if p.is_file() and p.name != "octad.yml"]
    assert kept
    assert not [p for p in kept if secret.encode() in p.read_bytes()]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgres://a:b@h:1/d", "postgres://a:***@h:1/d"),
        ("postgres://h/d", "postgres://h/d"),
        ("clickhouse://u:p%40w@h/d?secure=True", "clickhouse://u:***@h/d?secure=True"),
        ("snowflake://u@h/d?private_key=x&role=r", "snowflake://u@h/d?private_key=***&role=r"),
        ("databricks://h?access_token=x", "databricks://h?access_token=***"),
        (
            "spark://h:7077/db?spark.executor.memory=2g",
            "spark://h:7077/db?spark.executor.memory=2g",
        ),
    ],
)
def test_what_of_a_url_is_shown(url: str, shown: str) -> None:
    assert masked(url) == shown


def test_the_url_may_lie_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCTAD_TEST_URL", "postgres://a@h/d")
    assert resolved("env:OCTAD_TEST_URL") == "postgres://a@h/d"
    monkeypatch.delenv("OCTAD_TEST_URL")
    with pytest.raises(UsageError, match="no variable 'OCTAD_TEST_URL'"):
        resolved("env:OCTAD_TEST_URL")


@pytest.mark.parametrize("scheme", ["bigquery", "snowflake", "databricks"])
def test_an_engine_without_its_package_says_which(scheme: str) -> None:
    with pytest.raises(OctadError) as caught:
        open_remote(f"{scheme}://somewhere/nowhere")
    assert f"ibis-framework[{scheme}]" in str(caught.value)


def test_an_unknown_scheme_says_what_there_is() -> None:
    with pytest.raises(UsageError, match=r"does not know redis://.*postgres://.*docs/engines\.md"):
        open_remote("redis://h")


WRITTEN = {
    "bigquery": ("UNIX_MICROS", "TIMESTAMP_MICROS", "TO_HEX(MD5"),
    "snowflake": ("EPOCH_MICROSECOND", "TO_TIMESTAMP(", "MD5"),
    "databricks": ("UNIX_MICROS", "TIMESTAMP_MICROS", "MD5"),
}


@pytest.mark.parametrize("scheme", sorted(UNTRIED))
def test_the_sql_of_engines_that_were_not_tried(scheme: str) -> None:
    # It is written, as far as that says anything; nothing here can run it.
    compiler = taught(getattr(compilers, scheme).compiler, scheme)
    t = ibis.table({"user": "string", "time": "timestamp", "n": "int64"}, name="t")
    shown = t.select(
        at=micros(t.time), back=from_micros(t.n), part=whole_part(t.n, 7), hex=bucket_hex(t.user)
    )
    sql = compiler.to_sqlglot(shown).sql(compiler.dialect)
    assert all(word in sql for word in WRITTEN[scheme])
    with pytest.raises(RefusedError, match=f"on {scheme.capitalize()}"):
        compiler.to_sqlglot(t.select(x=on_clock("Asia/Jakarta", t.time.cast(INSTANT))))


def test_who_is_tied_to_whom_is_not_read_there_and_that_is_said(
    places: Places, tmp_path: Path
) -> None:
    place = places["clickhouse"]
    root = shop.write_project(tmp_path, place.connection, place.tables)
    config = root / "octad.yml"
    links = (
        f"sources:\n  links: {{table: {place.tables['exposures']}, user: user, other: launch}}\n"
    )
    config.write_text(config.read_text().replace("sources:\n", links, 1))
    made = Session(root).review("x", log_look=False)
    said = " ".join(made.readings["doubt"].missing)
    assert "sources.links is not read with a connection to ClickHouse" in said
