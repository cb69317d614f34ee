"""Engines that Ibis opens and that Octad's tests cannot: their SQL is written, never run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from octad.data.engines.base import Abilities, refuse, template

__all__ = ["UNTRIED", "known_of", "taught"]

UNTRIED: Mapping[str, Mapping[str, str]] = {
    "bigquery": {
        "epoch_us": "UNIX_MICROS(CAST(:a AS TIMESTAMP))",
        "make_timestamp": "DATETIME(TIMESTAMP_MICROS(:a))",
        "divide": "DIV(:a, :b)",
        "md5": "TO_HEX(MD5(:a))",
    },
    "snowflake": {
        "epoch_us": "DATE_PART(EPOCH_MICROSECOND, :a)",
        "make_timestamp": "TO_TIMESTAMP_NTZ(:a, 6)",
        "divide": "TRUNC(:a / :b)",
        "md5": "MD5_HEX(:a)",
    },
    "databricks": {
        "epoch_us": "UNIX_MICROS(CAST(:a AS TIMESTAMP))",
        "make_timestamp": "TIMESTAMP_MICROS(:a)",
        "divide": "CAST(FLOOR(CAST(:a AS DECIMAL(38, 0)) / :b) AS BIGINT)",
        "md5": "MD5(:a)",
    },
}
"""By scheme: the functions of `octad.data.functions`, as the engine's manual writes them."""

_REFUSED = {
    "try": "nested",
    "json_extract_string": "nested",
    "try_strptime": "times",
    "timezone": "zones",
}


def taught(compiler: Any, scheme: str) -> Any:
    """Ibis' compiler for an engine, with the functions that Octad needs beside it.

    Args:
        compiler: Of the Ibis backend.
        scheme: A key of `UNTRIED`.
    """
    made, spoken, plain = UNTRIED[scheme], scheme.capitalize(), type(compiler)

    def visit(self: Any, op: Any, **arguments: Any) -> Any:
        name = op.__func_name__
        if name in _REFUSED:
            refuse(spoken, _REFUSED[name])
        if name not in made:
            return plain.visit_ScalarUDF(self, op, **arguments)
        return template(made[name], self.dialect)(*arguments.values())

    def digest(self: Any, op: Any, *, arg: Any, how: str) -> Any:
        if how != "md5":
            return plain.visit_Undefined(self, op, arg=arg, how=how)
        return template(made["md5"], self.dialect)(arg)

    own = {"visit_ScalarUDF": visit, "visit_HexDigest": digest}
    return type(f"Octad{plain.__name__}", (plain,), own)()


def known_of(scheme: str) -> Abilities:
    """What is known of an engine that was not tried."""
    return Abilities(scheme, scheme.capitalize(), tried=False)
