"""Small exports shaped like those of real tools, written from their documentation."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from octad.data.connect import Engine, connect
from octad.model.plan import Project

START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def project(sources: Mapping[str, Any], **more: Any) -> Project:
    """A project with these sources and nothing else."""
    return Project.model_validate({"product": "Wallet", "sources": dict(sources), **more})


def engine(root: Path, **more: Any) -> Engine:
    """An engine in a folder."""
    return connect(project({}, **more), root)


def write(path: Path, text: str | bytes) -> Path:
    """A file with this content; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def parquet(path: Path, columns: Mapping[str, Any]) -> Path:
    """A Parquet file of these columns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(dict(columns)), path)
    return path


def posthog_events() -> list[dict[str, Any]]:
    """Three people: one identified late, two flag calls, one event exported twice."""

    def row(
        place: int, event: str, distinct: str, person: str | None, **more: Any
    ) -> dict[str, Any]:
        properties = {"$app_version": "1.2.2", "plan": "pro" if place % 2 else "free", **more}
        return {
            "uuid": f"0190-{place:04d}",
            "event": event,
            "distinct_id": distinct,
            "person_id": person,
            "properties": properties,
            "timestamp": START + timedelta(minutes=place),
        }

    flag = {"$feature_flag": "circles", "$feature_flag_response": "test"}
    rows = [
        row(0, "open", "anon-1", "p1"),
        row(1, "$feature_flag_called", "anon-1", "p1", **flag),
        row(2, "pay", "ann", "p1", amount=12.5, deep={"city": "Oslo"}),
        row(3, "open", "bob", "p2", amount="7"),
        row(4, "$feature_flag_called", "bob", "p2", **{**flag, "$feature_flag_response": False}),
        row(5, "$feature_flag_called", "eve", None, **{**flag, "$feature_flag_response": None}),
        row(6, "open", "eve", None, is_new=True),
    ]
    return [*rows, rows[2]]


def write_posthog_parquet(path: Path) -> Path:
    """The S3 export as Parquet: properties are JSON in a text, times are UTC."""
    rows = posthog_events()
    columns: dict[str, Any] = {key: [row[key] for row in rows] for key in rows[0]}
    columns["properties"] = [json.dumps(row["properties"]) for row in rows]
    columns["timestamp"] = pa.array(columns["timestamp"], pa.timestamp("us", tz="UTC"))
    return parquet(path, columns)


def write_posthog_jsonl(path: Path) -> Path:
    """The S3 export as gzipped JSON lines: properties are nested, times are ISO texts."""
    rows = [{**row, "timestamp": row["timestamp"].isoformat()} for row in posthog_events()]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress("\n".join(json.dumps(row) for row in rows).encode()))
    return path


_VALUE = pa.struct(
    [
        ("string_value", pa.string()),
        ("int_value", pa.int64()),
        ("float_value", pa.float64()),
        ("double_value", pa.float64()),
    ]
)
_PARAMS = pa.list_(pa.struct([("key", pa.string()), ("value", _VALUE)]))


def _param(key: str, **value: Any) -> dict[str, Any]:
    empty = {"string_value": None, "int_value": None, "float_value": None, "double_value": None}
    return {"key": key, "value": {**empty, **value}}


def ga4_events() -> list[dict[str, Any]]:
    """Two devices and one without consent; one parameter changes its type between days."""
    micros = int(START.timestamp() * 1_000_000)
    page = _param("page", string_value="/pay")
    return [
        _ga4("page_view", "d1", micros, [page, _param("engaged", int_value=1)]),
        _ga4("page_view", "d1", micros, [page, _param("engaged", int_value=1)]),
        _ga4("purchase", "d1", micros + 5_000_000, [_param("engaged", string_value="0")], 9.5),
        _ga4("page_view", "d2", micros + 9_000_000, [_param("wait", double_value=0.25)]),
        _ga4("page_view", None, micros + 9_500_000, []),
    ]


def _ga4(
    name: str, device: str | None, micros: int, params: Sequence[Any], worth: float | None = None
) -> dict[str, Any]:
    return {
        "event_date": "20260301",
        "event_timestamp": micros,
        "event_name": name,
        "user_pseudo_id": device,
        "event_params": list(params),
        "event_value_in_usd": worth,
        "app_info": {"version": "3.1", "id": "com.example.wallet"},
        "user_properties": [_param("firebase_exp_3", string_value="1")] if device == "d1" else [],
    }


def write_ga4_parquet(path: Path) -> Path:
    """BigQuery's Parquet: nested and repeated columns as they are."""
    rows = ga4_events()
    columns: dict[str, Any] = {key: [row[key] for row in rows] for key in rows[0]}
    columns["event_params"] = pa.array(columns["event_params"], _PARAMS)
    columns["user_properties"] = pa.array(columns["user_properties"], _PARAMS)
    return parquet(path, columns)


def write_ga4_jsonl(path: Path) -> Path:
    """BigQuery's JSON: 64-bit integers are texts, empty fields are left out."""

    def lean(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: lean(v) for k, v in value.items() if v is not None}
        if isinstance(value, list):
            return [lean(v) for v in value]
        return str(value) if isinstance(value, int) else value

    return write(path, "\n".join(json.dumps(lean(row)) for row in ga4_events()))


PLAY_COLUMNS = (
    "Package Name,App Version Code,App Version Name,Reviewer Language,Device,"
    "Review Submit Date and Time,Review Submit Millis Since Epoch,"
    "Review Last Update Date and Time,Review Last Update Millis Since Epoch,Star Rating,"
    "Review Title,Review Text,Developer Reply Date and Time,Developer Reply Millis Since Epoch,"
    "Developer Reply Text,Review Link"
)


def write_google_play(path: Path) -> Path:
    """A month of the Play Console: UTF-16 with its mark, blank versions, texts over lines."""
    rows = [
        (
            "com.example.wallet,,,ko,flame,2026-01-01T00:02:48Z,1767225768053,"
            "2026-01-01T00:02:48Z,1767225768053,5,,,,,,"
        ),
        (
            "com.example.wallet,312,3.1.2,pt,star2qltechn,2026-01-02T10:00:00Z,1767348000000,"
            '2026-01-02T10:00:00Z,1767348000000,1,,"Não abre,\r\n""nada"" funciona",,,,'
            "https://example.test/?reviewId=gp%3AAOq1"
        ),
        (
            "com.example.wallet,313,3.1.3,pt,star2qltechn,2026-01-02T10:00:00Z,1767348000000,"
            '2026-01-05T10:00:00Z,1767607200000,4,,"Agora abre",,,,'
            "https://example.test/?reviewId=gp%3AAOq1"
        ),
    ]
    text = "\r\n".join([PLAY_COLUMNS, *rows]) + "\r\n"
    return write(path, b"\xff\xfe" + text.encode("utf-16-le"))
