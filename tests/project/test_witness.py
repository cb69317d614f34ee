"""A seal's witnesses: a real git repository, and a time-stamping authority made with openssl."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from octad.errors import FileError
from octad.model.records import Lesson, Seal, Witness
from octad.project.chain import Entry
from octad.project.ledger import Ledger
from octad.project.witness import check, find_commit, read_stamp, request

NOW = datetime(2026, 2, 27, 9, tzinfo=UTC)
CONFIG = """
[req]
distinguished_name = dn
prompt = no
[dn]
CN = A root of our own
[ca]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[tsa]
basicConstraints = critical,CA:false
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
authorityKeyIdentifier = keyid
subjectKeyIdentifier = hash
[stamping]
serial = serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
"""


def ran(folder: Path, *line: str, **env: str) -> str:
    done = subprocess.run(
        line, cwd=folder, check=True, capture_output=True, text=True, env={**os.environ, **env}
    )
    return done.stdout


def sealed(root: Path) -> Entry:
    ledger = Ledger.open(root)
    ledger.append(Lesson(launch="other", text="Earlier."), now=NOW)
    return ledger.append(Seal(launch="circles", plan_digest="1", record={}), now=NOW)


def committed(root: Path, at: str, *line: str) -> None:
    who = {"GIT_AUTHOR_NAME": "Mei", "GIT_AUTHOR_EMAIL": "m@x", "GIT_AUTHOR_DATE": at}
    who |= {"GIT_COMMITTER_NAME": "Mei", "GIT_COMMITTER_EMAIL": "m@x", "GIT_COMMITTER_DATE": at}
    ran(root, "git", "add", "ledger.jsonl")
    ran(root, "git", "commit", "-q", "-m", "x", *line, **who)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    ran(tmp_path, "git", "init", "-q", ".")
    return tmp_path


def test_the_first_commit_that_holds_the_seal_is_found(repository: Path) -> None:
    entry = sealed(repository)
    assert find_commit(repository, entry) is None
    committed(repository, "2026-02-27T18:02:00+08:00")
    Ledger.open(repository).append(Lesson(launch="circles", text="Later."), now=NOW)
    committed(repository, "2026-04-01T00:00:00+00:00")
    found = find_commit(repository, entry)
    assert found is not None
    assert (found.how, found.of) == ("git", entry.digest)
    assert found.at == datetime(2026, 2, 27, 10, 2, tzinfo=UTC)
    assert check(repository, entry, found).holds is True


def test_a_commit_that_is_not_there_or_not_of_then_is_said(repository: Path) -> None:
    entry = sealed(repository)
    committed(repository, "2026-02-27T18:02:00+00:00")
    found = find_commit(repository, entry)
    assert found is not None
    for other in ("f" * 40, "--output=/tmp/x", "HEAD"):
        checked = check(repository, entry, found.model_copy(update={"by": other}))
        assert checked.holds is False
        assert "no commit" in checked.why
    earlier = found.model_copy(update={"at": datetime(2026, 2, 1, tzinfo=UTC)})
    assert check(repository, entry, earlier).holds is False


def test_outside_a_repository_nothing_can_be_said(tmp_path: Path) -> None:
    entry = sealed(tmp_path)
    assert find_commit(tmp_path, entry) is None
    witness = Witness(launch="circles", of=entry.digest, how="git", at=NOW, by="a" * 40)
    assert check(tmp_path, entry, witness).holds is None


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("openssl") is None:
        if os.environ.get("CI"):
            pytest.fail("there is no openssl")
        pytest.skip("there is no openssl")
    folder = tmp_path_factory.mktemp("authority")
    (folder / "c.cnf").write_text(CONFIG, encoding="ascii")
    new = ("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-config", "c.cnf")
    own = ("-x509", "-days", "30", "-extensions", "ca", "-keyout", "ca.key", "-out", "ca.pem")
    ran(folder, *new, *own)
    ran(folder, *new, "-subj", "/CN=Stamper", "-keyout", "tsa.key", "-out", "tsa.csr")
    issue = ("openssl", "x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key")
    rest = ("-CAcreateserial", "-days", "30", "-extfile", "c.cnf", "-extensions", "tsa")
    ran(folder, *issue, *rest, "-out", "tsa.pem")
    (folder / "serial").write_text("01", encoding="ascii")
    return folder


def answered(authority: Path, entry: Entry, name: str = "a") -> Path:
    (authority / f"{name}.tsq").write_bytes(request(entry))
    line = ("openssl", "ts", "-reply", "-config", "c.cnf", "-section", "stamping")
    keys = ("-signer", "tsa.pem", "-inkey", "tsa.key")
    ran(authority, *line, "-queryfile", f"{name}.tsq", *keys, "-out", f"{name}.tsr")
    return authority / f"{name}.tsr"


def test_the_request_is_what_openssl_would_send(authority: Path, tmp_path: Path) -> None:
    entry = sealed(tmp_path)
    ours = request(entry)
    line = ("openssl", "ts", "-query", "-digest", entry.digest, "-sha256", "-cert", "-no_nonce")
    ran(authority, *line, "-out", "theirs.tsq")
    assert ours == (authority / "theirs.tsq").read_bytes()


def test_a_time_stamp_vouches_for_the_seal(authority: Path, tmp_path: Path) -> None:
    entry = sealed(tmp_path)
    witness = read_stamp(entry, answered(authority, entry), authority / "ca.pem")
    assert (witness.how, witness.of) == ("rfc3161", entry.digest)
    assert "A root of our own" in witness.by
    assert abs((datetime.now(UTC) - witness.at).total_seconds()) < 600
    assert check(tmp_path, entry, witness).holds is True
    # It outlives the ledger's own round trip, and is held against its signature again.
    back = Ledger.open(tmp_path).append(witness, now=NOW).record
    assert back == witness


def test_a_time_stamp_of_something_else_does_not(authority: Path, tmp_path: Path) -> None:
    entry = sealed(tmp_path)
    other = Ledger.open(tmp_path).append(Lesson(launch="x", text="x"), now=NOW)
    answer = answered(authority, other, "b")
    with pytest.raises(FileError, match="stamps something else"):
        read_stamp(entry, answer, authority / "ca.pem")
    good = read_stamp(other, answer, authority / "ca.pem")
    assert check(tmp_path, entry, good.model_copy(update={"of": entry.digest})).holds is False
    backdated = good.model_copy(update={"at": NOW})
    assert check(tmp_path, other, backdated).holds is False


@pytest.mark.parametrize("content", [b"", b"hello", bytes(range(256))])
def test_what_is_no_answer_is_said(authority: Path, tmp_path: Path, content: bytes) -> None:
    entry = sealed(tmp_path)
    (tmp_path / "x.tsr").write_bytes(content)
    with pytest.raises(FileError, match="no granted answer"):
        read_stamp(entry, tmp_path / "x.tsr", authority / "ca.pem")


def test_another_root_is_not_trusted(authority: Path, tmp_path: Path) -> None:
    entry = sealed(tmp_path)
    answer = answered(authority, entry, "c")
    with pytest.raises(FileError, match="does not hold under that certificate"):
        read_stamp(entry, answer, authority / "tsa.csr")
    with pytest.raises(FileError, match="cannot be read"):
        read_stamp(entry, answer, tmp_path / "nowhere.pem")


def test_without_openssl_it_is_said(
    authority: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = sealed(tmp_path)
    witness = read_stamp(entry, answered(authority, entry, "d"), authority / "ca.pem")
    monkeypatch.setattr(shutil, "which", lambda _: None)
    checked = check(tmp_path, entry, witness)
    assert checked.holds is None
    assert "openssl" in checked.why
