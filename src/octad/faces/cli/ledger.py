"""`octad seal` and `octad verify`: what was promised, and that nobody has bent it since."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from rich.text import Text

from octad.errors import OctadError, UsageError, Where
from octad.faces.numbers import day
from octad.faces.safe import clean
from octad.faces.terminal import hanging, make_console
from octad.lifecycle.sealing import Vouched
from octad.lifecycle.session import Session
from octad.model.records import Witness

__all__ = ["seal", "verify", "witness"]


def _now() -> datetime:
    return datetime.now(UTC)


def _out(text: str = "", style: str = "") -> None:
    make_console().print(Text(text, style), soft_wrap=True)


def _moment(at: datetime) -> str:
    at = at.astimezone(UTC)
    return f"{day(at.date())}, {at:%H:%M} UTC"


def seal(folder: Path, launch: str, request: Path | None) -> None:
    """Freeze a plan into the ledger, and write a time stamp's request if one is wanted."""
    session = Session.open(folder)
    try:
        record = session.seal(launch, now=_now())
    except UsageError:
        if request is None:
            raise
    else:
        _out(f"Sealed {clean(launch)}: {record.plan_digest[:12]}.", "bold")
        _out("The plan is in ledger.jsonl. Commit that file, and the day is on record.")
        if record.before_data is False:
            _out(
                "Mind this: outcomes of this launch could have been seen already, and reviews "
                "say so."
            )
        own = [one for one in session.seals() if one.seal.launch == launch]
        if own and not own[-1].binds:
            _out(
                "Mind this: its numbers have been looked at, so the earlier seal binds, and this "
                "one only records what you would have wished."
            )
    if request is not None:
        session.request_stamp(launch, request)
        _out(f"Written: {clean(request)}. Send it to a time-stamping authority (RFC 3161), then:")
        _out(f"  octad seal {clean(launch)} --witness ANSWER.tsr --authority ROOT.pem")


def witness(folder: Path, launch: str, how: str, authority: Path | None) -> None:
    """Record who vouches for a seal."""
    answer = None if how == "git" else Path(how)
    found = Session.open(folder).witness(launch, answer=answer, authority=authority, now=_now())
    _out(f"Recorded: {_vouching(found)}.", "bold")


def _vouching(said: Witness) -> str:
    if said.how == "git":
        return f"commit {clean(said.by[:10])} of {_moment(said.at)} holds the seal"
    return f"stamped on {_moment(said.at)} by {clean(said.by, limit=120)}"


def verify(folder: Path, join: Path | None) -> int:
    """Check the ledger and its seals, after joining another branch's if one is given.

    Returns:
        0 when it is whole and every witness holds; 2 when not.
    """
    session = Session.open(folder)
    if join is not None:
        entry = session.join(join, now=_now())
        _out(f"Joined {clean(join.name)}: record {entry.seq} holds its lines as they were.")
    found = session.verify()
    if found.torn:
        raise OctadError(
            f"The ledger's last line is not complete; the {found.records:,} before it are whole.",
            where=Where("ledger.jsonl", found.records + 1),
            mend="If a run was killed while it wrote, the next one sets that line aside, and "
            "nothing else is lost. If not, bring ledger.jsonl back from git.",
        )
    if not found.whole:
        merged = "merge" in found.why
        raise OctadError(
            f"The ledger is not whole: line {found.line}. {found.why}",
            mend="Bring one branch's ledger.jsonl back from git, and join the other's to it with "
            "'octad verify --join FILE'."
            if merged
            else "Bring ledger.jsonl back from git.",
        )
    if not found.records:
        _out("There is no ledger yet: nothing was sealed, looked at or decided.")
        return 0
    more = f", and {found.joined:,} of joined branches" if found.joined else ""
    lines = "1 record" if found.records == 1 else f"{found.records:,} records"
    _out(f"The ledger is whole: {lines}{more}.", "bold")
    _out(f"Its last fingerprint is {found.head}.")
    _out("Keep that somewhere else, and no line can be taken off the end unseen.")
    seals = session.seals()
    for one in seals:
        _seal(one)
    return 2 if any(c.holds is False for one in seals for c in one.recorded) else 0


def _seal(one: Vouched) -> None:
    console = make_console()
    console.print()
    binds = "" if one.binds else "; another seal of it binds"
    _out(f"{clean(one.seal.launch)}: sealed on {_moment(one.entry.at)}{binds}", "bold")
    if one.late:
        _out("  Its numbers had been looked at before.")
    elif one.seal.before_data is False:
        _out("  Outcomes of it could have been seen already.")
    elif one.seal.before_data:
        _out("  No outcome of it was there yet.")
    for checked in one.recorded:
        head = Text("  ")
        words = _vouching(checked.witness)
        words = f"{words[:1].upper()}{words[1:]}: "
        words += {True: "checked, it holds.", False: "it does not hold. ", None: "not checked. "}[
            checked.holds
        ]
        hanging(console, head, words + clean(checked.why), 2)
    if one.commit is not None:
        hanging(console, Text("  "), f"Git: {_vouching(one.commit)}.", 2)
    elif not one.recorded:
        words = "Only this machine's clock says when. Commit ledger.jsonl, or have it stamped."
        hanging(console, Text("  "), words, 2)
