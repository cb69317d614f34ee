"""A product with known truth and everything that real tables hold, laid into any engine."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString as Quoted

from tests.data.small import METRICS, START, random_world

__all__ = ["TABLES", "load", "make", "write_project"]

TABLES = ("events", "users", "exposures")
ARMS = {"control": "off", "treatment": "on", "second": "loud"}
_TIME = pa.timestamp("us", tz="UTC")


def make(seed: int = 7, users: int = 1_900) -> dict[str, pa.Table]:
    """About 60,000 events of 1,900 users in three arms, odd rows among them."""
    world = random_world(seed, users)
    rng = np.random.default_rng(seed)
    events: list[tuple[Any, ...]] = [(i, *event) for i, event in enumerate(world.events)]
    shuffled = rng.permutation(len(events))
    events = [events[i] for i in shuffled]
    # The same event sent again, later by a day: the first counts.
    again = [(*e[:2], e[2] + timedelta(days=1), *e[3:]) for e in events[:300]]
    odd = [
        (-1, None, START, "open", 1.0, 1.0, None),
        (-2, "u'1-é付", None, "open", 1.0, 1.0, None),
        (-3, "u'1-é付", datetime(1970, 1, 1, tzinfo=UTC), "open", 1.0, 1.0, None),
        (-4, "u'1-é付", START, None, 1.0, 1.0, None),
        (-5, "u'4-é付", START + timedelta(days=3), "pay", math.nan, 1.0, "it's"),
        (-6, "u'4-é付", START + timedelta(days=3), "pay", math.inf, 1.0, "it's"),
        (-7, "", START, "open", 1.0, 1.0, None),
        (-8, "NULL", START, "open", 1.0, 1.0, None),
        # A clock that runs ahead by half a year.
        (-9, "u'3-é付", START + timedelta(days=200), "open", 1.0, 1.0, None),
        (None, "u'4-é付", START + timedelta(hours=1), "open", 1.0, 1.0, None),
        (None, "u'4-é付", START + timedelta(hours=1), "open", 1.0, 1.0, None),
    ]
    kinds = {
        "id": pa.int64(),
        "user": pa.string(),
        "ts": _TIME,
        "name": pa.string(),
        "value": pa.float64(),
        "wait": pa.float64(),
        "kind": pa.string(),
    }
    exposures = [(user, at, arm, "x") for user, at, arm in world.exposures]
    exposures += [
        (user, at - timedelta(days=9), "off", "before") for user, at, *_ in exposures[:99]
    ]
    people = [
        (user, region, age, crew, START - timedelta(days=40), i)
        for i, (user, region, age, crew) in enumerate(world.users)
    ]
    # Users that are there twice: what was known last counts.
    people += [(u, "south", 33.0, c, k + timedelta(days=2), i) for u, _, _, c, k, i in people[:50]]
    return {
        "events": _table(events + again + odd, kinds),
        "exposures": _table(
            exposures,
            {
                "user": pa.string(),
                "ts": pa.timestamp("us"),
                "arm": pa.string(),
                "launch": pa.string(),
            },
        ),
        "users": _table(
            people,
            {
                "user": pa.string(),
                "region": pa.string(),
                "age": pa.float64(),
                "crew": pa.bool_(),
                "known": _TIME,
                "rank": pa.int64(),
            },
        ),
    }


def _table(rows: list[tuple[Any, ...]], kinds: Mapping[str, pa.DataType]) -> pa.Table:
    def plain(value: Any, kind: pa.DataType) -> Any:
        if isinstance(value, datetime) and kind.tz is None:
            return value.replace(tzinfo=None)
        return value

    return pa.table(
        {
            name: pa.array(
                [plain(row[i], kind) if pa.types.is_timestamp(kind) else row[i] for row in rows],
                kind,
            )
            for i, (name, kind) in enumerate(kinds.items())
        }
    )


REVIEWS = """app,at,score,content
P,2026-02-20,5,Paying is quick
P,2026-02-21,4,Good payments
P,2026-03-05,2,The feed hides my payments
P,2026-03-06,1,"Crashes, again and again"
Rival,2026-03-05,5,Quick and quiet
Rival,2026-03-07,4,Came from P
"""
RELEASES = "app,at,version,notes\nP,2026-03-01,2.0,A feed on the home page\n"


def write_project(root: Path, connection: str, tables: Mapping[str, str], **launch: Any) -> Path:
    """A project's folder over tables that lie in an engine, its small files beside it."""
    events = {"user": "user", "time": "ts", "event": "name", "value": "value", "dedupe": ["id"]}
    project = {
        "product": "P",
        "connection": connection,
        "charter": {
            "purpose": "Pay in seconds.",
            "jobs": {
                "pay": {"events": ["pay"], "terms": ["pay", "payments"], "core": True},
                "look": {"events": ["open", "cart"]},
            },
            "errors": ["crash"],
        },
        "sources": {
            "events": {"table": tables["events"], **events},
            "users": {
                "table": tables["users"],
                "user": "user",
                "attributes": ["region", "age", "rank"],
                "staff": "crew",
                "known": "known",
            },
            "exposures": {
                "table": tables["exposures"],
                "user": "user",
                "time": "ts",
                "arm": "arm",
                "launch": "launch",
            },
            "reviews": {
                "table": "reviews.csv",
                "product": "app",
                "time": "at",
                "rating": "score",
                "text": "content",
            },
            "releases": {
                "table": "releases.csv",
                "product": "app",
                "time": "at",
                "version": "version",
                "notes": "notes",
            },
        },
        "rivals": ["Rival"],
        "metrics": METRICS,
    }
    plan: dict[str, Any] = {
        "launch": "x",
        "arms": {arm: Quoted(value) for arm, value in ARMS.items()},
        "starts": "2026-03-01",
        "ends": "2026-03-29",
        "kpi": "opens",
        "results": {"spend": "2%", "paid": "1%", "back": "1%", "through": "2%"},
        "guardrails": {"crash_rate": "5%", "wait": "5%", "basket": "5%", "spend_cut": "5%"},
        "controls": ["big"],
        "expects": [{"metric": "opens", "change": "at least 1%", "sure": "70%"}],
        **launch,
    }
    root.mkdir(parents=True, exist_ok=True)
    (root / "launches").mkdir(exist_ok=True)
    writer = YAML()
    for path, content in ((root / "octad.yml", project), (root / "launches" / "x.yml", plan)):
        with path.open("w", encoding="utf-8") as sink:
            writer.dump(content, sink)
    (root / "reviews.csv").write_text(REVIEWS, encoding="utf-8")
    (root / "releases.csv").write_text(RELEASES, encoding="utf-8")
    return root


def load(
    kind: str, connection: str, shop: Mapping[str, pa.Table], folder: Path, schema: str = "shop"
) -> dict[str, str]:
    """Lay the tables into an engine.

    Returns:
        What `table:` calls each of them.
    """
    if kind == "duckdb":
        folder.mkdir(parents=True, exist_ok=True)
        for name, rows in shop.items():
            pq.write_table(rows, folder / f"{name}.parquet")
        return {name: str(folder / f"{name}.parquet") for name in shop}
    {"postgres": _to_postgres, "spark": _to_spark, "clickhouse": _to_clickhouse}[kind](
        connection, shop, folder, schema
    )
    return {name: f"{schema}.{name}" for name in shop}


_POSTGRES = {"int64": "bigint", "string": "text", "double": "double precision", "bool": "boolean"}


def _to_postgres(connection: str, shop: Mapping[str, pa.Table], _: Path, schema: str) -> None:
    import psycopg  # noqa: PLC0415

    with psycopg.connect(connection) as con:
        con.execute(f"CREATE SCHEMA {schema}".encode())
        for name, rows in shop.items():
            columns = ", ".join(
                f'"{f.name}" '
                + (
                    ("timestamptz" if f.type.tz else "timestamp")
                    if pa.types.is_timestamp(f.type)
                    else _POSTGRES[str(f.type)]
                )
                for f in rows.schema
            )
            con.execute(f'CREATE TABLE {schema}."{name}" ({columns})'.encode())
            with (
                con.cursor() as cursor,
                cursor.copy(f'COPY {schema}."{name}" FROM STDIN'.encode()) as sink,
            ):
                for row in zip(*(column.to_pylist() for column in rows.columns), strict=True):
                    sink.write_row(row)


def _to_spark(connection: str, shop: Mapping[str, pa.Table], folder: Path, schema: str) -> None:
    from octad.data.engines.spark import open_url  # noqa: PLC0415

    session = open_url(connection.replace("/shop?", "?"))._session
    session.sql(f"CREATE DATABASE {schema}")
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in shop.items():
        pq.write_table(rows, folder / f"{name}.parquet")
        session.read.parquet(str(folder / f"{name}.parquet")).write.saveAsTable(f"{schema}.{name}")


_CLICKHOUSE = {"int64": "Int64", "string": "String", "double": "Float64", "bool": "Bool"}


def _to_clickhouse(connection: str, shop: Mapping[str, pa.Table], _: Path, schema: str) -> None:
    import clickhouse_connect  # noqa: PLC0415

    client = clickhouse_connect.get_client(dsn=connection)
    client.command(f"CREATE DATABASE {schema}")
    for name, rows in shop.items():
        columns = ", ".join(
            f"`{f.name}` Nullable("
            + (
                "DateTime64(6, 'UTC')"
                if pa.types.is_timestamp(f.type)
                else _CLICKHOUSE[str(f.type)]
            )
            + ")"
            for f in rows.schema
        )
        client.command(
            f"CREATE TABLE {schema}.`{name}` ({columns}) ENGINE = MergeTree ORDER BY tuple()"
        )
        client.insert_arrow(f"{schema}.{name}", rows)
    client.close()
