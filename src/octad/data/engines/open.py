"""From the `connection` of a project to an open backend; secrets stay out of every word."""

from __future__ import annotations

import os
import re
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from octad.data.engines.base import Abilities, first_line
from octad.data.engines.untried import UNTRIED, known_of, taught
from octad.errors import DataError, UsageError, Where

__all__ = ["KNOWN", "masked", "open_remote", "resolved"]

KNOWN = {
    "postgres": ("postgres", "psycopg", "postgres"),
    "postgresql": ("postgres", "psycopg", "postgres"),
    "spark": ("spark", "pyspark", "spark"),
    "clickhouse": ("clickhouse", "clickhouse_connect", "clickhouse"),
    "chdb": ("clickhouse", "chdb", "clickhouse"),
}
"""Scheme to our module, the package it needs, and the extra that installs it."""

_SECRET = re.compile(r"pass|secret|token|key|credential", re.IGNORECASE)


def resolved(connection: str, where: Where | None = None) -> str:
    """The URL itself, out of the environment where the project only names a variable.

    Raises:
        UsageError: When ``env:NAME`` names a variable that is not set.
    """
    if not connection.startswith("env:"):
        return connection
    name = connection.removeprefix("env:").strip("/")
    found = os.environ.get(name, "").strip()
    if not found:
        raise UsageError(
            f"connection: the environment has no variable '{name}'.",
            where=where,
            mend=f"Set {name} to the engine's URL, such as postgres://USER:PASSWORD@HOST/DATABASE.",
        )
    return found


def masked(url: str) -> str:
    """A URL that may be shown: without its password and whatever else looks like a secret.

    >>> masked("postgres://ann:s3cret@host/db?token=abc&sslmode=require")
    'postgres://ann:***@host/db?token=***&sslmode=require'
    """
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    name, colon, _ = user.partition(":")
    query = "&".join(
        f"{key}=***" if _SECRET.search(key) else f"{key}={value}" if equals else key
        for key, equals, value in (word.partition("=") for word in parts.query.split("&") if word)
    )
    shown = f"{name}:***@{host}" if colon else f"{name}{at}{host}"
    return urlunsplit((parts.scheme, shown, parts.path, query, ""))


def _hidden(text: str, url: str) -> str:
    """An engine's own words without the URL's secrets in them."""
    parts = urlsplit(url)
    secrets = [parts.password or ""]
    secrets += [
        value
        for key, _, value in (word.partition("=") for word in parts.query.split("&"))
        if _SECRET.search(key)
    ]
    text = text.replace(url, masked(url))
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    return text


def open_remote(url: str, where: Where | None = None) -> tuple[Any, Abilities]:
    """Open an engine beside DuckDB.

    Args:
        url: From `resolved`.
        where: The place of `connection`.

    Returns:
        The Ibis backend and what it can do.

    Raises:
        UsageError: For an engine that nothing here opens, or whose package is not installed.
        DataError: When it does not answer, with what it says, its secrets taken out.
    """
    scheme = url.partition("://")[0].lower()
    if scheme in KNOWN:
        module, package, extra = KNOWN[scheme]
        if find_spec(package) is None:
            raise UsageError(
                f"connection: {scheme}:// needs the package '{package}', which is not installed.",
                where=where,
                mend=f'Install it: pip install "octad[{extra}]".',
            )
        opener = import_module(f"octad.data.engines.{module}")
        abilities: Abilities = opener.ABILITIES
        return _answered(opener.open_url, url, abilities.spoken, where), abilities
    if scheme not in UNTRIED:
        raise UsageError(
            f"connection: Octad does not know {scheme}://.",
            where=where,
            mend="It reads duckdb:// (files beside octad.yml), duckdb://FILE.duckdb, postgres://, "
            "spark://, clickhouse:// and chdb://; docs/engines.md says how.",
        )
    import ibis  # noqa: PLC0415

    known = known_of(scheme)
    try:
        backend = _answered(ibis.connect, url, known.spoken, where)
    except ImportError as error:
        raise UsageError(
            f"connection: {scheme}:// needs a package that is not installed.",
            where=where,
            mend=f'Install it: pip install "ibis-framework[{scheme}]".',
        ) from error
    backend.compiler = taught(backend.compiler, scheme)
    backend.abilities = known
    return backend, known


def _answered(opener: Any, url: str, spoken: str, where: Where | None) -> Any:
    try:
        return opener(url)
    except (ImportError, DataError):
        raise
    except Exception as error:  # noqa: BLE001 - every driver has errors of its own
        said = _hidden(first_line(error), url)
        # `from None`: the driver's own error may hold the password.
        raise DataError(
            f"connection: {spoken} does not answer at {masked(url)}: {said.rstrip('. ')}.",
            where=where,
            mend="Is it running, and may this user read it?",
        ) from None
