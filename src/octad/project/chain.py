"""A ledger's lines: each carries the hash of the one before it, and a sum of its own.

A line is the canonical JSON of ``{at, body, kind, prev, seq, sum}``: `prev` is the SHA-256 of the
line before (64 zeros for the first), `sum` that of this line without `sum`. `prev` binds the order
and the past; `sum` names the very line that was changed, the last one included.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any

from pydantic import ValidationError

from octad.model.records import Joined, Record, read_record, record_body
from octad.project.digest import canonical, sha256

__all__ = ["GENESIS", "BadLine", "Entry", "read_line", "read_lines", "weave", "write_line"]

GENESIS = "0" * 64
_KEYS = {"at", "body", "kind", "prev", "seq", "sum"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A record in its place.

    Attributes:
        seq: Its number, from 1.
        at: When it was written, UTC.
        prev: SHA-256 of the line before.
        digest: SHA-256 of its own line.
        line: Its line in the file, from 1; for a joined branch's, the line that joined it.
        sum: The line's own sum, as it is written in it.
        branch: Of a `Joined` record, the other branch's entries.
    """

    seq: int
    at: datetime
    record: Record
    prev: str
    digest: str
    line: int
    sum: str = ""
    branch: tuple[Entry, ...] = ()


class BadLine(Exception):  # noqa: N818 - a place, turned into a LedgerError by who knows the file
    """A line that does not belong to the chain.

    Attributes:
        line: Its number in the file, from 1.
        why: As a sentence.
    """

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line
        self.why = why


def write_line(record: Record, *, seq: int, prev: str, at: datetime) -> bytes:
    """A line, with its newline.

    Raises:
        ValueError: When the record holds what JSON cannot carry, or `at` has no time zone.
    """
    if at.tzinfo is None:
        msg = "a ledger's times have a zone"
        raise ValueError(msg)
    said = {
        "seq": seq,
        "prev": prev,
        "at": at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "kind": record.kind,
        "body": record_body(record),
    }
    return canonical({**said, "sum": sha256(canonical(said))}) + b"\n"


def read_lines(lines: list[bytes]) -> list[Entry]:
    """Read a whole chain.

    Args:
        lines: Without their newlines.

    Raises:
        BadLine: At the first line that does not belong.
    """
    entries: list[Entry] = []
    known = {GENESIS: 0}
    prev = GENESIS
    for number, raw in enumerate(lines, start=1):
        entry = read_line(raw, number)
        if entry.seq != number or entry.prev != prev:
            raise BadLine(number, _broken(entry, number, entries))
        entry = _with_branch(entry, known)
        entries.append(entry)
        known[entry.digest] = entry.seq
        prev = entry.digest
    return entries


def _with_branch(entry: Entry, known: dict[str, int]) -> Entry:
    """A joined branch's entries, each held to its place; `known` learns their digests.

    Raises:
        BadLine: When the branch is not a chain from its base to its head.
    """
    said = entry.record
    if not isinstance(said, Joined):
        return entry
    if known.get(said.base) != said.seq:
        raise BadLine(entry.line, "The branch it joins does not begin at a line of this ledger.")
    found: list[Entry] = []
    prev, seq = said.base, said.seq
    for raw in said.lines:
        try:
            one = read_line(raw.encode("utf-8", "surrogatepass"), entry.line)
        except BadLine as bad:
            raise BadLine(entry.line, f"Of the branch it joins, line {seq + 1}: {bad.why}") from bad
        if one.prev != prev or one.seq != seq + 1:
            raise BadLine(
                entry.line, f"Of the branch it joins, line {seq + 1} is not in its place."
            )
        one = _with_branch(one, known)
        found.append(one)
        prev, seq = one.digest, one.seq
        known[prev] = seq
    if prev != said.head:
        raise BadLine(entry.line, "The branch it joins does not end where it says.")
    return replace(entry, branch=tuple(found))


def weave(entries: Sequence[Entry]) -> list[Entry]:
    """One story of a ledger and the branches joined to it, in the order of their times.

    Each branch keeps its own order, even where its clock went back; up to a branch's base
    nothing moves.
    """
    woven: list[Entry] = []
    for entry in entries:
        if isinstance(entry.record, Joined):
            place = next(
                (i + 1 for i, one in enumerate(woven) if one.digest == entry.record.base), 0
            )
            ours, theirs = _timed(woven[place:]), _timed(weave(entry.branch))
            merged = heapq.merge(ours, theirs, key=lambda pair: pair[0])
            woven[place:] = [one for _, one in merged]
        woven.append(entry)
    return woven


def _timed(entries: Sequence[Entry]) -> list[tuple[datetime, Entry]]:
    """Each with the latest time so far, which never goes back."""
    times = accumulate((entry.at for entry in entries), max)
    return list(zip(times, entries, strict=True))


def _broken(entry: Entry, number: int, before: list[Entry]) -> str:
    if any(entry.prev == other.prev for other in before):
        return "It and an earlier line both follow the same line: two histories were merged."
    if entry.seq > number:
        gone = entry.seq - number
        return f"{gone} line{'s' if gone > 1 else ''} before it {'are' if gone > 1 else 'is'} gone."
    if entry.seq < number:
        return f"It says it is number {entry.seq}: a line was added or moved before it."
    return "The line before it was exchanged for another."


def read_line(raw: bytes, number: int) -> Entry:
    """Read one line, and check its own sum; not its place in the chain.

    Raises:
        BadLine: When it is not a whole line of a ledger.
    """
    if raw.startswith((b"<<<<<<<", b"=======", b">>>>>>>", b"|||||||")):
        raise BadLine(number, "Git has left the mark of a merge that was not resolved.")
    try:
        said: Any = json.loads(raw)
    except (ValueError, RecursionError):
        raise BadLine(number, "It is not JSON.") from None
    if not isinstance(said, dict) or not _KEYS.issubset(said):
        raise BadLine(number, "It is not a line of a ledger.")
    claimed = str(said["sum"])
    try:
        # Not one blank may be added either: the line's hash is taken over its very bytes.
        untouched = canonical(said) == raw
        del said["sum"]
        honest = untouched and sha256(canonical(said)) == claimed
    except (ValueError, RecursionError):
        honest = False
    if not honest:
        raise BadLine(number, "It was changed after it was written.")
    try:
        record = read_record(said["kind"], said["body"])
        at = datetime.fromisoformat(said["at"])
        seq, prev = int(said["seq"]), str(said["prev"])
        return Entry(seq, at, record, prev, sha256(raw), number, claimed)
    except (ValidationError, ValueError, TypeError) as error:
        raise BadLine(number, f"It lacks what a {said['kind']} needs.") from error
