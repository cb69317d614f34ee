"""JSON answers with the rows inside: a page of a review API, saved as it came."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from octad.data.files import open_bytes

__all__ = ["unwrapped"]

_LISTS = ("data", "reviews", "results", "items")
_BESIDE_WORDS = """
links meta included paging pages page this_page total total_count count per_page next previous
nextPaginationToken tokenPagination pageInfo next_cursor cursor status success ok request_id
"""
_BESIDE = frozenset(_BESIDE_WORDS.split())
"""What stands beside the rows in such an answer; any other key, and the object is a row itself."""

_LARGEST = 1 << 28


def _rows_of(answer: object) -> list[Any] | None:
    """The rows in an answer; None when it is none."""
    if not isinstance(answer, dict):
        return None
    if set(answer) == {"feed"} and isinstance(answer["feed"], dict):
        # Apple's feed has no entry when it is empty, and a bare one when there is one.
        entry = answer["feed"].get("entry", [])
        return entry if isinstance(entry, list) else [entry]
    held = [key for key in _LISTS if isinstance(answer.get(key), list)]
    if len(held) != 1 or not set(answer) - {held[0]} <= _BESIDE:
        return None
    rows = answer[held[0]]
    return rows if all(isinstance(row, Mapping) for row in rows) else None


def _answers(path: Path) -> Iterator[object]:
    """The file's JSON documents: one a line, or one over all lines."""
    with open_bytes(path) as file:
        first = file.readline(_LARGEST)
        while first and not first.strip(b"\xef\xbb\xbf \r\n\t"):
            first = file.readline(_LARGEST)
        try:
            answer = json.loads(first.decode("utf-8-sig"))
        except ValueError:
            if not first.lstrip(b"\xef\xbb\xbf \t").startswith(b"{"):
                return
            # Laid out over many lines, an answer is read whole. A file of rows whose first line
            # is broken comes here too, and turns out to be none.
            rest = file.read(_LARGEST)
            if len(rest) >= _LARGEST:
                return
            yield json.loads((first + rest).decode("utf-8-sig"))
            return
        yield answer
        if _rows_of(answer) is not None:
            for line in file:
                if line.strip():
                    yield json.loads(line)


def unwrapped(path: Path, target: Path) -> bool:
    """Write the rows of a file of answers as JSON lines.

    Args:
        path: The file: one answer, or one a line. UTF-8, perhaps packed.
        target: Where the rows go.

    Returns:
        Whether it is such a file, and holds a row; if not, nothing was written.
    """
    rows: list[Any] = []
    try:
        for answer in _answers(path):
            found = _rows_of(answer)
            if found is None:
                return False
            rows += found
    except (ValueError, OSError):
        return False
    if not rows:
        return False
    target.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return True
