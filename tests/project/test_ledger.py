from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from octad.errors import LedgerError, UsageError
from octad.model.records import Joined, Lesson, Look, Seal
from octad.project.ledger import Ledger

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX system")


def lesson(text: str = "Ask the payers.") -> Lesson:
    return Lesson(launch="circles", text=text)


def filled(root: Path, count: int = 5) -> Ledger:
    ledger = Ledger.open(root)
    for number in range(count):
        ledger.append(lesson(f"lesson {number}"), now=NOW)
    return ledger


def texts(ledger: Ledger) -> list[str]:
    return [entry.record.text for entry in ledger.entries() if isinstance(entry.record, Lesson)]


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


APPEND = """
    import sys
    from datetime import UTC, datetime
    from pathlib import Path
    from octad.model.records import Lesson
    from octad.project.ledger import Ledger

    ledger = Ledger.open(Path(sys.argv[1]))
    now = datetime(2026, 3, 1, tzinfo=UTC)
    for number in range(int(sys.argv[3])):
        record = Lesson(launch=sys.argv[2], text=f"{sys.argv[2]} {number} " + "x" * 500)
        ledger.append(record, now=now)
        print(number, flush=True)
"""


def test_no_ledger_is_an_empty_one(here: Path) -> None:
    ledger = Ledger.open(here)
    assert ledger.entries() == []
    assert ledger.verify().whole
    assert not ledger.path.exists()


def test_each_line_carries_the_hash_of_the_one_before(here: Path) -> None:
    ledger = filled(here)
    entries = ledger.entries()
    assert [entry.seq for entry in entries] == [1, 2, 3, 4, 5]
    assert [entry.prev for entry in entries[1:]] == [entry.digest for entry in entries[:-1]]
    assert texts(ledger) == [f"lesson {number}" for number in range(5)]
    first = json.loads(ledger.path.read_bytes().splitlines()[0])
    assert first["at"] == "2026-03-01T12:00:00.000000Z"
    assert ledger.verify().head == entries[-1].digest


def test_a_time_without_a_zone_is_refused_and_nothing_is_left(here: Path) -> None:
    ledger = Ledger.open(here)
    with pytest.raises(ValueError, match="have a zone"):
        ledger.append(lesson(), now=NOW.replace(tzinfo=None))
    assert not ledger.path.exists()


def test_two_writers_at_once_do_not_fork(here: Path) -> None:
    writers = [python(APPEND, here, name, 200) for name in ("one", "two")]
    for writer in writers:
        _, said = writer.communicate(timeout=60)
        assert writer.returncode == 0, said
    ledger = Ledger.open(here)
    assert ledger.verify().whole
    assert ledger.verify().records == 400
    for name in ("one", "two"):
        own = [text.split()[1] for text in texts(ledger) if text.startswith(name)]
        assert own == [str(number) for number in range(200)]


@POSIX
def test_a_kill_loses_nothing_that_was_promised(here: Path) -> None:
    ledger = filled(here, 1)
    promised = 0
    for round_ in range(4):
        writer = python(APPEND, here, f"w{round_}", 100_000)
        assert writer.stdout is not None
        for _ in range(20 + 7 * round_):
            assert writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        rest, _ = writer.communicate(timeout=10)
        done = 20 + 7 * round_ + rest.count("\n")
        promised += done
        ledger.append(lesson(f"after {round_}"), now=NOW)
        own = [text.split()[1] for text in texts(ledger) if text.startswith(f"w{round_} ")]
        assert own[:done] == [str(number) for number in range(done)]
    assert ledger.verify().whole
    assert not ledger.verify().torn
    assert ledger.verify().records >= 1 + promised + 4


KILLED = """
    import os, sys
    from datetime import UTC, datetime
    from pathlib import Path
    from octad.model.records import Lesson
    from octad.project.ledger import Ledger

    ledger = Ledger.open(Path(sys.argv[1]))
    now = datetime(2026, 3, 1, tzinfo=UTC)

    def write(name):
        for number in range(100_000):
            record = Lesson(launch=name, text=f"{name} {number} " + "x" * 3000)
            ledger.append(record, now=now)
            os.write(1, f"{name} {number}\\n".encode())

    # One warm process forks a writer for each line it is given, and answers with its number.
    for line in sys.stdin:
        child = os.fork()
        if not child:
            write(line.strip())
        os.write(1, f"pid {child}\\n".encode())
"""


def _kill_a_hundred(nursery: subprocess.Popen[str]) -> set[str]:
    """Keep two writers at work, and kill the older one a hundred times; what both had promised."""
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    promised: set[str] = set()
    random = np.random.default_rng(5)
    alive: list[int] = []
    killed = 0
    while killed < 100:
        nursery.stdin.write(f"w{killed}-{len(alive)}\n")
        wanted = len(promised) + int(random.integers(1, 5))
        born = len(alive) + 1
        while len(alive) < born or len(promised) < wanted:
            word, number = nursery.stdout.readline().split()
            if word == "pid":
                alive.append(int(number))
            else:
                promised.add(f"{word} {number}")
        if len(alive) > 2:
            os.kill(alive.pop(0), signal.SIGKILL)
            killed += 1
    for pid in alive:
        os.kill(pid, signal.SIGKILL)
    nursery.stdin.close()
    return promised | {line.strip() for line in nursery.stdout if not line.startswith("pid")}


@POSIX
def test_a_hundred_kills_lose_nothing_and_fork_nothing(here: Path) -> None:
    ledger = filled(here, 1)
    line = [sys.executable, "-c", textwrap.dedent(KILLED), str(here)]
    pipe = subprocess.PIPE
    with subprocess.Popen(line, stdin=pipe, stdout=pipe, text=True, bufsize=1) as nursery:
        promised = _kill_a_hundred(nursery)
    ledger.append(lesson("after"), now=NOW)
    written = [" ".join(text.split()[:2]) for text in texts(ledger)]
    assert promised <= set(written)
    assert len(written) == len(set(written))
    assert len(promised) > 200
    assert ledger.verify().whole
    assert not ledger.verify().torn


@pytest.mark.parametrize("keep", [1, 30, -2])
def test_a_torn_last_line_is_set_aside_and_the_chain_goes_on(here: Path, keep: int) -> None:
    ledger = filled(here, 3)
    *whole, last = ledger.path.read_bytes().splitlines(keepends=True)
    ledger.path.write_bytes(b"".join(whole) + last[:keep])
    assert ledger.verify().torn
    assert ledger.verify().whole
    assert texts(ledger) == ["lesson 0", "lesson 1"]
    ledger.append(lesson("next"), now=NOW)
    assert texts(ledger) == ["lesson 0", "lesson 1", "next"]
    assert ledger.verify().whole
    assert not ledger.verify().torn
    assert (here / "ledger.jsonl.torn").read_bytes() == last[:keep] + b"\n"


def test_a_last_line_without_its_newline_is_whole(here: Path) -> None:
    ledger = filled(here, 2)
    ledger.path.write_bytes(ledger.path.read_bytes().rstrip(b"\n"))
    assert texts(ledger) == ["lesson 0", "lesson 1"]
    ledger.append(lesson("next"), now=NOW)
    assert texts(ledger) == ["lesson 0", "lesson 1", "next"]
    assert not (here / "ledger.jsonl.torn").exists()


def test_carriage_returns_of_a_checkout_change_nothing(here: Path) -> None:
    ledger = filled(here, 2)
    ledger.path.write_bytes(ledger.path.read_bytes().replace(b"\n", b"\r\n"))
    assert ledger.verify().whole
    ledger.append(lesson("next"), now=NOW)
    assert ledger.verify().records == 3


def edited(ledger: Ledger, change: str) -> None:
    lines = ledger.path.read_bytes().splitlines(keepends=True)
    if change == "changed":
        lines[2] = lines[2].replace(b"lesson 2", b"lesson 9")
    elif change == "last changed":
        lines[4] = lines[4].replace(b"lesson 4", b"lesson 9")
    elif change == "gone":
        del lines[2]
    elif change == "swapped":
        lines[1], lines[2] = lines[2], lines[1]
    elif change == "repeated":
        lines.insert(3, lines[2])
    elif change == "merge mark":
        lines.insert(2, b"<<<<<<< HEAD\n")
    elif change == "not JSON":
        lines[2] = b"hello\n"
    elif change == "another file":
        lines[2] = b'{"a": 1}\n'
    elif change == "empty line":
        lines.insert(2, b"\n")
    ledger.path.write_bytes(b"".join(lines))


TAMPERED = {
    "changed": (3, "It was changed after it was written."),
    "last changed": (5, "It was changed after it was written."),
    "gone": (3, "1 line before it is gone."),
    "swapped": (2, "1 line before it is gone."),
    "repeated": (4, "It and an earlier line both follow the same line: two histories were merged."),
    "merge mark": (3, "Git has left the mark of a merge that was not resolved."),
    "not JSON": (3, "It is not JSON."),
    "another file": (3, "It is not a line of a ledger."),
    "empty line": (3, "It is not JSON."),
}


@pytest.mark.parametrize("change", TAMPERED)
def test_the_first_bad_line_is_named(here: Path, change: str) -> None:
    ledger = filled(here)
    edited(ledger, change)
    found = ledger.verify()
    assert (found.line, found.why) == TAMPERED[change]
    assert found.records == TAMPERED[change][0] - 1
    with pytest.raises(LedgerError) as caught:
        ledger.entries()
    line, why = TAMPERED[change]
    mend = (
        "Bring one branch's ledger back from git, and join the other's to it with "
        "'octad verify --join FILE'; nothing was added to it."
        if "merge" in why
        else "Bring the ledger back from git; nothing was added to it."
    )
    assert str(caught.value) == f"ledger.jsonl:{line}: The ledger is not whole. {why} {mend}"


def test_a_rewritten_line_breaks_the_next(here: Path) -> None:
    ledger = filled(here)
    lines = ledger.path.read_bytes().splitlines(keepends=True)
    forged = filled(here / "other", 0)
    forged.path.parent.mkdir()
    for number in range(5):
        forged.append(lesson(f"lesson {number}" if number != 2 else "forged"), now=NOW)
    lines[2] = forged.path.read_bytes().splitlines(keepends=True)[2]
    ledger.path.write_bytes(b"".join(lines))
    found = ledger.verify()
    assert (found.line, found.why) == (4, "The line before it was exchanged for another.")


def test_two_branches_that_both_added_are_seen(here: Path) -> None:
    ledger = filled(here, 2)
    base = ledger.path.read_bytes()
    ledger.append(lesson("mine"), now=NOW)
    mine = ledger.path.read_bytes()
    ledger.path.write_bytes(base)
    ledger.append(lesson("theirs"), now=NOW)
    ledger.path.write_bytes(mine + ledger.path.read_bytes()[len(base) :])
    assert ledger.verify().line == 4
    assert "two histories were merged" in ledger.verify().why


def test_a_bad_end_is_not_built_upon(here: Path) -> None:
    ledger = filled(here)
    edited(ledger, "last changed")
    before = ledger.path.read_bytes()
    with pytest.raises(LedgerError, match=r"ledger\.jsonl:5: The ledger is not whole"):
        ledger.append(lesson(), now=NOW)
    assert ledger.path.read_bytes() == before


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_single_byte_can_be_changed_unseen(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("ledger")
    ledger = filled(root, 3)
    content = bytearray(ledger.path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda b: b not in (content[place], 13)))
    content[place] = byte
    ledger.path.write_bytes(bytes(content))
    found = ledger.verify()
    assert not found.whole or found.torn


@POSIX
def test_a_full_disk_leaves_the_ledger_as_it_was(here: Path) -> None:
    ledger = filled(here, 3)
    before = ledger.path.read_bytes()
    # RLIMIT_FSIZE lets the first 60 bytes of the new line through and refuses the rest, as a
    # disk does that fills up in the middle of a write.
    full = python(
        """
        import resource, sys
        from datetime import UTC, datetime
        from pathlib import Path
        from octad.errors import LedgerError
        from octad.model.records import Lesson
        from octad.project.ledger import Ledger

        ledger = Ledger.open(Path(sys.argv[1]))
        size = int(sys.argv[2])
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        try:
            ledger.append(Lesson(launch="a", text="x"), now=datetime(2026, 3, 1, tzinfo=UTC))
        except LedgerError as error:
            print(error.what, error.mend)
        """,
        here,
        len(before) + 60,
    )
    said, fault = full.communicate(timeout=30)
    assert said.strip() == (
        "The ledger cannot be written (file too large); it is as it was. "
        "Make room on the disk, and run it again."
    ), fault
    assert ledger.path.read_bytes() == before
    ledger.append(lesson("next"), now=NOW)
    assert ledger.verify().records == 4


@pytest.mark.parametrize("partial", [0, 40])
def test_no_space_left_is_taken_back(
    here: Path, monkeypatch: pytest.MonkeyPatch, partial: int
) -> None:
    ledger = filled(here, 2)
    before = ledger.path.read_bytes()
    write = os.write
    calls: list[int] = []

    def full(descriptor: int, content: bytes) -> int:
        calls.append(len(content))
        if partial and len(calls) == 1:
            return write(descriptor, content[:partial])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(LedgerError) as caught:
        ledger.append(lesson(), now=NOW)
    assert str(caught.value) == (
        "ledger.jsonl: The ledger cannot be written (no space left on device); it is as it was. "
        "Make room on the disk, and run it again."
    )
    assert ledger.path.read_bytes() == before


def test_a_first_record_that_fails_leaves_no_file(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(LedgerError):
        Ledger.open(here).append(lesson(), now=NOW)
    assert list(here.iterdir()) == []


def test_a_read_only_folder_is_said(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> int:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(LedgerError) as caught:
        Ledger.open(here).append(lesson(), now=NOW)
    assert str(caught.value) == (
        "ledger.jsonl: The ledger cannot be written (read-only file system); it is as it was. "
        "Choose a folder you may write to, or change its permissions."
    )


def test_a_folder_in_its_place_is_said(here: Path) -> None:
    (here / "ledger.jsonl").mkdir()
    with pytest.raises(LedgerError, match="cannot be read"):
        Ledger.open(here).entries()
    with pytest.raises(LedgerError, match="cannot be written"):
        Ledger.open(here).append(lesson(), now=NOW)


def seal(digest: str) -> Seal:
    return Seal(launch="circles", plan_digest=digest, record={})


def look() -> Look:
    return Look(launch="circles", plan_digest="1", verdict="hold")


@pytest.mark.parametrize(
    ("records", "binding"),
    [
        ([], None),
        ([seal("1")], "1"),
        ([seal("1"), seal("2"), look()], "2"),
        ([seal("1"), look(), seal("2")], "1"),
        ([look(), seal("1"), seal("2")], "1"),
    ],
)
def test_the_last_seal_before_the_first_look_binds(
    here: Path, records: list[Seal | Look], binding: str | None
) -> None:
    ledger = Ledger.open(here)
    for record in records:
        ledger.append(record, now=NOW)
    found = ledger.seal_of("circles")
    assert (found[1].plan_digest if found else None) == binding
    assert ledger.seal_of("another") is None
    assert len(ledger.looks("circles")) == sum(isinstance(r, Look) for r in records)


def two_branches(root: Path) -> tuple[Ledger, Ledger]:
    """Ours and theirs: three shared lines, then two of ours and three of theirs."""
    ours = filled(root, 3)
    other = root / "theirs"
    other.mkdir()
    theirs = Ledger(other / "theirs.jsonl")
    theirs.path.write_bytes(ours.path.read_bytes())
    for hour in (13, 15):
        ours.append(lesson(f"ours at {hour}"), now=NOW.replace(hour=hour))
    for hour in (14, 12, 16):
        theirs.append(lesson(f"theirs at {hour}"), now=NOW.replace(hour=hour))
    return ours, theirs


def test_two_branches_are_joined_and_nothing_is_lost(here: Path) -> None:
    ours, theirs = two_branches(here)
    before = ours.path.read_bytes()
    head = theirs.verify().head
    joined = ours.join(theirs.path, now=NOW.replace(hour=18))
    assert ours.path.read_bytes().startswith(before)
    assert texts(ours) == [
        "lesson 0",
        "lesson 1",
        "lesson 2",
        "ours at 13",
        "theirs at 14",
        "theirs at 12",  # that branch's clock went back; its own order stands
        "ours at 15",
        "theirs at 16",
    ]
    found = ours.verify()
    assert (found.whole, found.records, found.joined) == (True, 6, 3)
    assert isinstance(joined.record, Joined)
    assert (joined.record.seq, joined.record.head) == (3, head)
    ours.append(lesson("next"), now=NOW.replace(hour=19))
    assert texts(ours)[-1] == "next"
    # Their own file can still be proved against what was joined, line by line.
    kept = [line.encode() for line in joined.record.lines]
    assert theirs.path.read_bytes().split(b"\n")[3:-1] == kept


def test_a_branch_that_went_on_is_joined_again_from_where_it_was(here: Path) -> None:
    ours, theirs = two_branches(here)
    ours.join(theirs.path, now=NOW)
    with pytest.raises(UsageError, match="holds nothing that this ledger does not"):
        ours.join(theirs.path, now=NOW)
    theirs.append(lesson("later"), now=NOW.replace(hour=20))
    again = ours.join(theirs.path, now=NOW.replace(hour=21))
    assert isinstance(again.record, Joined)
    assert len(again.record.lines) == 1
    assert texts(ours)[-1] == "later"
    assert (ours.verify().whole, ours.verify().joined) == (True, 4)


def test_a_joined_branch_may_hold_a_joined_branch(here: Path) -> None:
    ours, theirs = two_branches(here)
    third = Ledger(here / "theirs" / "third.jsonl")
    third.append(lesson("of a ledger of its own"), now=NOW)
    theirs.join(third.path, now=NOW.replace(hour=17))
    ours.join(theirs.path, now=NOW.replace(hour=18))
    assert sorted(texts(ours)) == sorted([*texts(theirs), "ours at 13", "ours at 15"])
    assert (ours.verify().whole, ours.verify().joined) == (True, 5)


def test_what_only_goes_on_from_here_is_not_joined(here: Path) -> None:
    ours, theirs = two_branches(here)
    lines = ours.path.read_bytes().splitlines(keepends=True)
    ours.path.write_bytes(b"".join(lines[:3]))
    with pytest.raises(UsageError, match="goes on from its end"):
        ours.join(theirs.path, now=NOW)
    with pytest.raises(LedgerError, match="no such ledger"):
        ours.join(here / "nowhere.jsonl", now=NOW)


def test_a_broken_branch_is_not_joined(here: Path) -> None:
    ours, theirs = two_branches(here)
    before = ours.path.read_bytes()
    theirs.path.write_bytes(theirs.path.read_bytes().replace(b"theirs at 14", b"theirs at 11"))
    with pytest.raises(LedgerError, match=r"theirs\.jsonl:4: The ledger is not whole"):
        ours.join(theirs.path, now=NOW)
    assert ours.path.read_bytes() == before


FORGED: dict[str, Callable[[Joined], dict[str, object]]] = {
    "a line changed": lambda r: {"lines": tuple(x.replace("at 14", "at 11") for x in r.lines)},
    "a line gone": lambda r: {"lines": r.lines[:1] + r.lines[2:]},
    "the last gone": lambda r: {"lines": r.lines[:-1]},
    "another base": lambda r: {"seq": 2},
    "an unknown base": lambda r: {"base": "1" * 64},
}


@pytest.mark.parametrize("change", FORGED)
def test_a_forged_branch_is_found(here: Path, change: str) -> None:
    ours, theirs = two_branches(here)
    before = ours.path.read_bytes()
    record = ours.join(theirs.path, now=NOW).record
    assert isinstance(record, Joined)
    ours.path.write_bytes(before)
    ours.append(record.model_copy(update=FORGED[change](record)), now=NOW)
    found = ours.verify()
    assert (found.whole, found.line) == (False, 6)
    assert "branch it joins" in found.why


def test_a_seal_on_the_other_branch_binds_by_its_time(here: Path) -> None:
    ours = filled(here, 1)
    theirs = Ledger(here / "theirs.jsonl")
    theirs.path.write_bytes(ours.path.read_bytes())
    theirs.append(seal("theirs"), now=NOW.replace(hour=13))
    ours.append(look(), now=NOW.replace(hour=14))
    ours.append(seal("ours"), now=NOW.replace(hour=15))
    assert (found := ours.seal_of("circles")) is not None
    assert found[1].plan_digest == "ours"
    ours.join(theirs.path, now=NOW.replace(hour=16))
    assert (found := ours.seal_of("circles")) is not None
    assert found[1].plan_digest == "theirs"
