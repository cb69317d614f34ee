"""`ledger.jsonl`: what was promised, seen, decided and learnt; added to, never rewritten.

It lies beside `octad.yml` and belongs in git. A line that was torn by a kill is set aside in
`ledger.jsonl.torn`; a write that fails half way is taken back. The clock is always handed in.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from octad.errors import FileError, LedgerError, UsageError, Where
from octad.model.records import Joined, Look, Record, Seal
from octad.project.atomic import mend, reason, sync_folder
from octad.project.chain import (
    GENESIS,
    BadLine,
    Entry,
    read_line,
    read_lines,
    weave,
    write_line,
)
from octad.project.lock import locked
from octad.project.problems import shown

if TYPE_CHECKING:
    from octad.model.inputs import History

__all__ = ["LEDGER_FILE", "Ledger", "Verification", "binding_seal"]

LEDGER_FILE = "ledger.jsonl"
_RESTORE = "Bring the ledger back from git; nothing was added to it."
_MERGED = (
    "Bring one branch's ledger back from git, and join the other's to it with "
    "'octad verify --join FILE'; nothing was added to it."
)


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether a ledger is whole.

    Attributes:
        records: Lines that are sound, up to the first bad one.
        line: The first bad line, from 1; None when there is none.
        why: What is wrong with it, as a sentence.
        head: SHA-256 of the last sound line: note it elsewhere, and nobody can shorten the
            ledger without being seen.
        torn: Whether an unfinished last line is there, which the next record will set aside.
        joined: Lines of other branches that were joined to it, each sound and in its place.
    """

    records: int
    line: int | None = None
    why: str = ""
    head: str = GENESIS
    torn: bool = False
    joined: int = 0

    @property
    def whole(self) -> bool:
        """Whether every line is as it was written, in its place."""
        return self.line is None


@dataclass(frozen=True, slots=True)
class Ledger:
    """A project's ledger. It holds no file open and no state: every call reads what is there."""

    path: Path

    @classmethod
    def open(cls, root: Path) -> Ledger:
        """The ledger of the project in a folder; it need not exist yet."""
        return cls(root / LEDGER_FILE)

    def must_be_writable(self) -> None:
        """Refuse what has to be logged before it is done, and not after.

        Raises:
            FileError: When nothing could be added here.
        """
        if not os.access(self.path if self.path.exists() else self.path.parent, os.W_OK):
            raise FileError(
                "this folder cannot be written to, and a look at the numbers must be logged.",
                where=Where(str(self.path.name)),
                mend="Give yourself the right to write here, or copy the project somewhere else.",
            )

    def append(self, record: Record, *, now: datetime) -> Entry:
        """Add a record at the end.

        Args:
            record: What to add.
            now: The moment, with a time zone.

        Returns:
            The record in its place, safe on the disk.

        Raises:
            LedgerError: When the ledger's end is not sound, or it cannot be written; then it is
                byte for byte as it was.
        """
        try:
            with locked(self.path) as (descriptor, fresh):
                try:
                    content = self._mend_tail(descriptor, _all(descriptor))
                    return self._add(descriptor, content, record, now)
                except BaseException:
                    if fresh and os.fstat(descriptor).st_size == 0:
                        self.path.unlink(missing_ok=True)
                    raise
        except OSError as error:
            what = f"The ledger cannot be written ({reason(error)}); it is as it was."
            raise LedgerError(what, where=Where(shown(self.path)), mend=mend(error)) from error

    def _add(self, descriptor: int, content: bytes, record: Record, now: datetime) -> Entry:
        lines = _lines(content)
        seq, prev = 1, GENESIS
        if lines:
            try:
                last = read_line(lines[-1], len(lines))
            except BadLine as bad:
                raise self._broken(bad) from bad
            if last.seq != len(lines):
                why = f"It says it is number {last.seq}."
                raise self._broken(BadLine(len(lines), why))
            seq, prev = last.seq + 1, last.digest
        line = write_line(record, seq=seq, prev=prev, at=now)
        _write(descriptor, line, len(content))
        sync_folder(self.path.parent)
        return read_line(line[:-1], seq)

    def _mend_tail(self, descriptor: int, content: bytes) -> bytes:
        """Set a torn last line aside; give one that only lacks its newline its newline."""
        end = content.rfind(b"\n") + 1
        tail = content[end:]
        if not tail:
            return content
        try:
            read_line(tail.rstrip(b"\r"), 0)
        except BadLine:
            aside = self.path.with_name(f"{LEDGER_FILE}.torn")
            with aside.open("ab") as handle:
                handle.write(tail + b"\n")
                handle.flush()
                os.fsync(handle.fileno())
            sync_folder(self.path.parent)
            os.ftruncate(descriptor, end)
            os.fsync(descriptor)
            return content[:end]
        _write(descriptor, b"\n", len(content))
        return content + b"\n"

    def _broken(self, bad: BadLine) -> LedgerError:
        what = f"The ledger is not whole. {bad.why}"
        merged = "merge" in bad.why
        where = Where(shown(self.path), bad.line)
        return LedgerError(what, where=where, mend=_MERGED if merged else _RESTORE)

    def entries(self) -> list[Entry]:
        """All records, those of joined branches among them by their times.

        An unfinished last line is passed over.

        Raises:
            LedgerError: When a line does not belong to the chain, or the file cannot be read.
        """
        return weave(self._chain())

    def _chain(self) -> list[Entry]:
        lines, _ = self._read()
        try:
            return read_lines(lines)
        except BadLine as bad:
            raise self._broken(bad) from bad

    def join(self, other: Path, *, now: datetime) -> Entry:
        """Join what another branch's ledger holds and this one does not.

        Its lines are kept as they were written, in one record whose hash covers both heads, so
        that nothing is lost and either branch can still be proved from its first line to its last.

        Args:
            other: The other branch's ledger, as a file.
            now: The moment, with a time zone.

        Raises:
            UsageError: When it holds nothing that is not here, or only goes on from here.
            LedgerError: When either ledger is not whole, or this one cannot be written.
        """
        if not other.is_file():
            raise LedgerError(
                "There is no such ledger.",
                where=Where(shown(other)),
                mend="Write it out first: git show BRANCH:ledger.jsonl > theirs.jsonl",
            )
        theirs = Ledger(other)
        own, their = self._chain(), theirs._chain()
        known = _digests(own)
        shared = max((i + 1 for i, e in enumerate(their) if e.digest in known), default=0)
        if shared == len(their):
            raise UsageError(
                f"{shown(other)} holds nothing that this ledger does not.",
                mend="Nothing needs to be done.",
            )
        if own and own[-1].digest in _digests(their):
            raise UsageError(
                f"{shown(other)} holds all of this ledger and goes on from its end.",
                mend=f"There is nothing to join: put it in the place of {LEDGER_FILE}.",
            )
        lines, _ = theirs._read()
        record = Joined(
            base=their[shared - 1].digest if shared else GENESIS,
            seq=shared,
            head=their[-1].digest,
            lines=tuple(line.decode("utf-8") for line in lines[shared:]),
            name=other.name,
        )
        return self.append(record, now=now)

    def verify(self) -> Verification:
        """Prove the ledger whole, or name the first bad line and why.

        Raises:
            LedgerError: When the file cannot be read.
        """
        lines, torn = self._read()
        try:
            entries = read_lines(lines)
        except BadLine as bad:
            sound = read_lines(lines[: bad.line - 1])
            head = sound[-1].digest if sound else GENESIS
            return Verification(len(sound), bad.line, bad.why, head, torn)
        head = entries[-1].digest if entries else GENESIS
        joined = len(_digests(entries)) - len(entries)
        return Verification(len(entries), head=head, torn=torn, joined=joined)

    def _read(self) -> tuple[list[bytes], bool]:
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return [], False
        except OSError as error:
            what = f"The ledger cannot be read ({reason(error)})."
            raise LedgerError(what, where=Where(shown(self.path)), mend=mend(error)) from error
        end = content.rfind(b"\n") + 1
        tail = content[end:].rstrip(b"\r")
        lines = _lines(content[:end])
        if not tail:
            return lines, False
        try:
            read_line(tail, len(lines) + 1)
        except BadLine:
            return lines, True
        return [*lines, tail], False

    def of(self, launch: str) -> list[Entry]:
        """A launch's records, in their order."""
        return [entry for entry in self.entries() if entry.record.launch == launch]

    def looks(self, launch: str) -> list[Entry]:
        """Every time a launch's numbers were looked at."""
        return [entry for entry in self.of(launch) if isinstance(entry.record, Look)]

    def seal_of(self, launch: str) -> tuple[Entry, Seal] | None:
        """The seal that binds a launch.

        Sealing again before anybody has looked renews the promise; sealing again afterwards does
        not, so the last seal before the first look binds, or else the first after it.

        Returns:
            The entry (with its moment and place) and the seal; None when it was never sealed.
        """
        return binding_seal(self.of(launch))

    def history(
        self,
        launch: str,
        *,
        record: dict[str, Any] | None = None,
        digest: str | None = None,
        as_of: datetime | None = None,
    ) -> History:
        """What the project knows of its past, as readings need it.

        Args:
            launch: The launch under review, left out of the past launches.
            record: `plan_record` of today's files, to name what was changed since the seal.
            digest: The fingerprint of the plan that this look judges by; the record's when absent.
            as_of: The review's today, to count this look; one at the same data is no new look.

        Raises:
            LedgerError: When the ledger is not whole.
        """
        from octad.project.history import history  # noqa: PLC0415 - brings numpy along

        return history(self.entries(), launch, record=record, digest=digest, as_of=as_of)


def binding_seal(entries: Iterable[Entry]) -> tuple[Entry, Seal] | None:
    """The last seal before the first look, or else the first after it; of one launch's records."""
    found: tuple[Entry, Seal] | None = None
    looked = False
    for entry in entries:
        if isinstance(entry.record, Look):
            looked = True
        elif isinstance(entry.record, Seal) and (found is None or not looked):
            found = entry, entry.record
    return found


def _digests(entries: Iterable[Entry]) -> set[str]:
    """The digests of all lines, those of joined branches too."""
    found: set[str] = set()
    for entry in entries:
        found |= {entry.digest, *_digests(entry.branch)}
    return found


def _all(descriptor: int) -> bytes:
    os.lseek(descriptor, 0, os.SEEK_SET)
    chunks: list[bytes] = []
    while chunk := os.read(descriptor, 1 << 20):
        chunks.append(chunk)
    return b"".join(chunks)


def _lines(content: bytes) -> list[bytes]:
    """Lines without their newlines; an editor's or git's carriage returns are no change."""
    return [line.rstrip(b"\r") for line in content.split(b"\n")[:-1]]


def _write(descriptor: int, content: bytes, size: int) -> None:
    """Append in one write, and onto the disk; or leave the file `size` bytes long, as it was.

    Raises:
        OSError: When the disk is full, or the system refuses otherwise.
    """
    try:
        written = os.write(descriptor, content)
        # A disk that fills up takes the first part; asking for the rest makes it say why.
        while written < len(content):
            written += os.write(descriptor, content[written:])
        os.fsync(descriptor)
    except BaseException:
        os.ftruncate(descriptor, size)
        os.fsync(descriptor)
        raise
