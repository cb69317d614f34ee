"""Somebody else's word that a seal was there: a git commit, or a time stamp by RFC 3161.

Our own clock proves nothing to a stranger. A commit is as good as the place it was pushed to; a
time-stamping authority signs that it saw the seal's hash at a moment. What is stamped is the
SHA-256 of the seal's line, which carries the hash of the line before, and so the whole past.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from octad.errors import FileError, OctadError, UsageError, Where
from octad.model.records import Witness
from octad.project.chain import Entry
from octad.project.ledger import LEDGER_FILE
from octad.project.problems import shown

__all__ = ["Checked", "check", "find_commit", "read_stamp", "request"]

_PATIENCE = 30.0


def request(entry: Entry) -> bytes:
    """What to send to a time-stamping authority: a TimeStampReq (RFC 3161, section 2.4.1), DER.

    It holds the SHA-256 of the seal's line and asks for the authority's certificates; there is no
    nonce, since the hash itself was never seen before.

    Args:
        entry: The seal in its place in the ledger.
    """
    sha256 = bytes.fromhex("300d06096086480165030402010500")  # AlgorithmIdentifier, 2.16.840…2.1
    imprint = _der(0x30, sha256 + _der(0x04, bytes.fromhex(entry.digest)))
    return _der(0x30, _der(0x02, b"\x01") + imprint + _der(0x01, b"\xff"))


def _der(tag: int, content: bytes) -> bytes:
    """A tag, a length and the content; everything here is shorter than 128 bytes."""
    return bytes([tag, len(content)]) + content


def read_stamp(entry: Entry, answer: Path, roots: Path) -> Witness:
    """Read and verify an authority's answer.

    Args:
        entry: The seal in its place in the ledger.
        answer: The TimeStampResp, as the authority sent it (``.tsr``).
        roots: The certificate to trust, as PEM: the authority's root, from a source of your own.

    Raises:
        FileError: When a file cannot be read, or is not what it should be.
        UsageError: When there is no openssl to check it with.
    """
    token, pem = _bytes(answer), _bytes(roots)
    try:
        at, by = _verified(token, pem, entry.digest)
    except _NotVerifiedError as error:
        raise FileError(
            f"The answer does not vouch for this seal: {error}.",
            where=Where(shown(answer)),
            mend="Ask the authority again with the request of this very seal, and give its root "
            "certificate.",
        ) from error
    return Witness(
        launch=entry.record.launch,
        of=entry.digest,
        how="rfc3161",
        at=at,
        by=by,
        token=base64.b64encode(token).decode(),
        root=pem.decode("ascii", "replace"),
    )


class _NotVerifiedError(Exception):
    """Why an answer vouches for nothing, as half a sentence."""


def _verified(token: bytes, pem: bytes, digest: str) -> tuple[datetime, str]:
    """The moment and the authority of a token that holds.

    The certificates are judged as of the stamped moment: what was stamped while they were good
    stays stamped.

    Raises:
        _NotVerifiedError: When it does not hold.
        UsageError: When there is no openssl.
    """
    with tempfile.TemporaryDirectory() as folder:
        answer, roots = Path(folder) / "answer.tsr", Path(folder) / "roots.pem"
        answer.write_bytes(token)
        roots.write_bytes(pem)
        said = _openssl("ts", "-reply", "-in", str(answer), "-text")
        stamped = re.search(r"^Time stamp: (.+?)(?:\.\d+)? (\d{4}) GMT$", said or "", re.MULTILINE)
        if stamped is None:
            msg = "it is no granted answer of a time-stamping authority"
            raise _NotVerifiedError(msg)
        words = f"{' '.join(stamped[1].split())} {stamped[2]}"
        at = datetime.strptime(words, "%b %d %H:%M:%S %Y").replace(tzinfo=UTC)
        held = ["-digest", digest, "-in", str(answer), "-CAfile", str(roots)]
        sure = _openssl("ts", "-verify", *held, "-attime", str(int(at.timestamp())))
        if sure is None:
            msg = "it stamps something else, or its signature does not hold under that certificate"
            raise _NotVerifiedError(msg)
        subject = _openssl("x509", "-in", str(roots), "-noout", "-subject") or ""
    name = subject.partition("=")[2].strip() if subject.startswith("subject") else ""
    return at, name or "an authority without a name"


def _openssl(*arguments: str) -> str | None:
    """What openssl says; None when it refuses.

    Raises:
        UsageError: When there is no openssl.
    """
    found = shutil.which("openssl")
    if found is None:
        what = "A time stamp is checked with openssl, and there is none on this machine."
        raise UsageError(what, mend="Install it, or have the stamp checked elsewhere.")
    ran = subprocess.run(  # noqa: S603 - a fixed command; the arguments are ours
        [found, *arguments], capture_output=True, check=False, timeout=_PATIENCE
    )
    return ran.stdout.decode("utf-8", "replace") if ran.returncode == 0 else None


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileError(
            "The file cannot be read.", where=Where(shown(path)), mend="Check how it is spelt."
        ) from error


def find_commit(root: Path, entry: Entry) -> Witness | None:
    """The first commit of the history that holds a seal's line.

    Args:
        root: The project's folder, inside a git repository.
        entry: The seal in its place in the ledger.

    Returns:
        The commit and its committer's time; None when no commit holds it, or there is no git.
    """
    said = _git(
        root, "log", "--reverse", "--format=%H %cI", "-S", f'"sum":"{entry.sum}"', "--", LEDGER_FILE
    )
    if not said:
        return None
    commit, _, at = said.splitlines()[0].partition(" ")
    return Witness(
        launch=entry.record.launch,
        of=entry.digest,
        how="git",
        at=datetime.fromisoformat(at),
        by=commit,
    )


def _git(root: Path, *arguments: str) -> str:
    """What git says; empty when there is none, or it refuses."""
    line = ["git", "-C", str(root), "--no-pager", *arguments]
    try:
        ran = subprocess.run(  # noqa: S603 - a fixed command; the arguments are ours
            line,
            capture_output=True,
            check=False,
            timeout=_PATIENCE,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ran.stdout.decode("utf-8", "replace") if ran.returncode == 0 else ""


@dataclass(frozen=True, slots=True)
class Checked:
    """A seal's witness, held against the world once more.

    Attributes:
        holds: Whether it does; None when that cannot be said here.
        why: As a sentence, when it does not hold or cannot be said.
    """

    witness: Witness
    holds: bool | None
    why: str = ""


def check(root: Path, entry: Entry, witness: Witness) -> Checked:
    """Hold a recorded witness against git, or against its authority's signature, once more.

    Args:
        root: The project's folder.
        entry: The seal it speaks of.
        witness: The record.
    """
    if witness.how == "git":
        return _check_commit(root, entry, witness)
    try:
        token = base64.b64decode(witness.token, validate=True)
        at, _ = _verified(token, witness.root.encode(), entry.digest)
    except (_NotVerifiedError, binascii.Error) as error:
        return Checked(witness, holds=False, why=f"The time stamp does not hold: {error}.")
    except OctadError as error:
        return Checked(witness, holds=None, why=f"{error.what} {error.mend}")
    if at != witness.at:
        return Checked(witness, holds=False, why=f"The time stamp is of {at:%Y-%m-%d %H:%M} UTC.")
    return Checked(witness, holds=True)


def _check_commit(root: Path, entry: Entry, witness: Witness) -> Checked:
    if not _git(root, "rev-parse", "--git-dir"):
        return Checked(witness, holds=None, why="This folder is in no git repository here.")
    # A ledger may come from anywhere, and git must not take what it says for an option.
    commit = witness.by if re.fullmatch(r"[0-9a-f]{40,64}", witness.by) else "none"
    held = _git(root, "show", f"{commit}:./{LEDGER_FILE}")
    if f'"sum":"{entry.sum}"' not in held:
        why = (
            f"This repository has no commit {commit[:10]} that holds the seal; a shallow clone "
            "may lack it."
        )
        return Checked(witness, holds=False, why=why)
    said = _git(root, "show", "-s", "--format=%cI", commit).strip()
    if datetime.fromisoformat(said) != witness.at:
        return Checked(witness, holds=False, why=f"The commit is of {said}.")
    return Checked(witness, holds=True)
