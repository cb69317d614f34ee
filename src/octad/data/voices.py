"""Reviews and releases as arrays."""

from __future__ import annotations

import hashlib
from datetime import datetime

import ibis
import numpy as np
import pyarrow as pa

from octad.data.tape import Tape
from octad.model.inputs import Releases, Reviews, TextArray

__all__ = ["products_of", "read_releases", "read_reviews"]

_LONGEST = 20_000
"""Characters of a review that are read; a longer one is cut, since nobody's point needs more."""


def _text(column: pa.ChunkedArray) -> TextArray:
    return np.array([v if v is not None else "" for v in column.to_pylist()], dtype=object)


def _author(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:16] if name else ""


def read_reviews(tape: Tape, table: ibis.Table, product: str, until: datetime | None) -> Reviews:
    """Read reviews up to the review's today.

    Args:
        tape: Runs the query.
        table: With the columns of the contract: product, time, rating, title, text, version,
            author, deleted.
        product: Our product's name.
        until: First moment that is not read; all when None.
    """
    t = table if until is None else table.filter(table.time < ibis.timestamp(until))
    title = t.title.fill_null("")
    body = t.text.fill_null("")
    glue = ibis.cases((title == "", ""), (body == "", ""), else_="\n")
    rows, _ = tape.read(
        "reviews",
        t.select(
            product=t.product.fill_null(product),
            time=t.time,
            rating=t.rating.cast("float64"),
            text=(title + glue + body).substr(0, _LONGEST),
            version=t.version.fill_null(""),
            author=t.author.fill_null(""),
            deleted=t.deleted.fill_null(False),
        ).order_by("time", "product", "text"),
    )
    names = _text(rows["product"])
    return Reviews(
        product=names,
        ours=np.asarray(names == product, dtype=bool),
        time=rows["time"].to_numpy().astype("datetime64[s]"),
        rating=rows["rating"].to_numpy().astype(np.float64),
        text=_text(rows["text"]),
        version=_text(rows["version"]),
        author=np.array([_author(v) for v in _text(rows["author"])], dtype=object),
        deleted=rows["deleted"].to_numpy().astype(bool),
    )


def products_of(table: ibis.Table) -> list[str]:
    """The products that reviews are of; none when the source does not say."""
    names = table.select("product").distinct().limit(1_000).to_pyarrow()["product"].to_pylist()
    return [str(name) for name in names if name is not None]


def read_releases(tape: Tape, table: ibis.Table, product: str, until: datetime | None) -> Releases:
    """Read releases of our product and its rivals, up to the review's today.

    Args:
        tape: Runs the query.
        table: With the columns of the contract: product, time, version, notes.
        product: Our product's name.
        until: First moment that is not read; all when None.
    """
    t = table if until is None else table.filter(table.time < ibis.timestamp(until))
    rows, _ = tape.read(
        "releases",
        t.select(
            product=t.product.fill_null(product),
            time=t.time,
            version=t.version.fill_null(""),
            notes=t.notes.fill_null(""),
        ).order_by("time", "product"),
    )
    names = _text(rows["product"])
    return Releases(
        product=names,
        ours=np.asarray(names == product, dtype=bool),
        time=rows["time"].to_numpy().astype("datetime64[s]"),
        version=_text(rows["version"]),
        notes=_text(rows["notes"]),
    )
