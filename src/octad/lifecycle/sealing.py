"""A plan is frozen before its numbers are seen, and others may vouch for the moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from octad.data.connect import connect
from octad.data.sources import open_sources
from octad.errors import UsageError
from octad.lifecycle.names import refuse_doubtful
from octad.model.plan import Launch
from octad.model.records import Look, Seal, Witness
from octad.project import witness as witnesses
from octad.project.atomic import write_bytes
from octad.project.chain import Entry
from octad.project.digest import plan_digest, plan_record
from octad.project.ledger import LEDGER_FILE, Ledger
from octad.project.load import LoadedPlan, load_plan

__all__ = ["Vouched", "add_witness", "seal", "vouched", "write_request"]


def seal(root: Path, launch: str, *, now: datetime, newest: datetime | None = None) -> Seal:
    """Freeze a plan and its charter in the ledger.

    Args:
        root: The project's folder.
        launch: The plan's name.
        now: The moment of sealing.
        newest: The newest event there is; looked up when absent.

    Raises:
        UsageError: When the very same plan is sealed already.
        LedgerError: When the ledger cannot be added to.
    """
    loaded = load_plan(root, launch)
    ledger = Ledger.open(root)
    digest = plan_digest(loaded.plan)
    before = ledger.seal_of(launch)
    if before is not None and before[1].plan_digest == digest:
        raise UsageError(
            f"'{launch}' is sealed already, on {before[0].at.date()}, exactly as it is now.",
            mend="Nothing needs to be done.",
        )
    newest = newest or _newest(loaded)
    record = Seal(
        launch=launch,
        plan_digest=digest,
        record=plan_record(loaded.plan),
        before_data=_before(loaded.plan.launch, newest, now),
        newest=newest,
        signed=dict(loaded.plan.launch.signed),
    )
    ledger.append(record, now=now)
    return record


def _before(launch: Launch, newest: datetime | None, now: datetime) -> bool | None:
    """Whether no outcome of a launch was there yet when its plan was sealed.

    Two things must hold: no event here is of its first day or later, and by the clock it had not
    begun before that day either; data that end early do not show that nobody had seen more.
    """
    if newest is None or launch.starts is None:
        return None
    return newest.date() < launch.starts and now.date() <= launch.starts


def _newest(loaded: LoadedPlan) -> datetime | None:
    """The newest event there is, to say whether the plan was sealed before the data."""
    project = loaded.plan.project
    names = {"events", "units"} & {
        name for name in type(project.sources).model_fields if getattr(project.sources, name)
    }
    if not names:
        return None
    with connect(project, loaded.root) as engine:
        refuse_doubtful(loaded, engine)
        tables = open_sources(engine, project, only=names, where=loaded.home.where)
        moments = [i.last for i in tables.intake.values() if i.last is not None]
    return max(moments, default=None)


def _bound(root: Path, launch: str) -> Entry:
    found = Ledger.open(root).seal_of(launch)
    if found is None:
        raise UsageError(
            f"'{launch}' is not sealed, so there is nothing to vouch for.",
            mend=f"Seal it first: octad seal {launch}",
        )
    return found[0]


def write_request(root: Path, launch: str, path: Path) -> Entry:
    """Write what a time-stamping authority is sent, for the seal that binds a launch.

    Raises:
        UsageError: When the launch is not sealed.
        FileError: When the file cannot be written.
    """
    entry = _bound(root, launch)
    write_bytes(path, witnesses.request(entry))
    return entry


def add_witness(
    root: Path,
    launch: str,
    *,
    now: datetime,
    answer: Path | None = None,
    authority: Path | None = None,
) -> Witness:
    """Record that somebody else vouches for the seal that binds a launch.

    Args:
        root: The project's folder.
        launch: The launch.
        now: The moment of recording it.
        answer: A time-stamping authority's answer; the git history is asked when absent.
        authority: The certificate to trust for that answer, as PEM.

    Raises:
        UsageError: When it is not sealed, no commit holds the seal, or it is recorded already.
        FileError: When the answer does not vouch for it.
    """
    entry = _bound(root, launch)
    if answer is not None:
        if authority is None:
            raise UsageError(
                "a time stamp is only as good as the certificate it is checked with.",
                mend="Give the authority's root certificate: --authority FILE.pem",
            )
        found = witnesses.read_stamp(entry, answer, authority)
    else:
        commit = witnesses.find_commit(root, entry)
        if commit is None:
            raise UsageError(
                f"no commit of this folder's git history holds the seal of '{launch}'.",
                mend=f"Commit {LEDGER_FILE} first, and run this again.",
            )
        found = commit
    ledger = Ledger.open(root)
    if any(e.record == found for e in ledger.of(launch)):
        raise UsageError("this witness is recorded already.", mend="Nothing needs to be done.")
    ledger.append(found, now=now)
    return found


@dataclass(frozen=True, slots=True)
class Vouched:
    """A seal, and who vouches for its moment.

    Attributes:
        entry: The seal in its place in the ledger.
        seal: The seal itself; `binds` whether it is the one that binds its launch.
        late: Whether numbers of the launch had been looked at before it.
        recorded: The witnesses in the ledger, each held against the world once more.
        commit: A commit that holds it, where no recorded witness is one.
    """

    entry: Entry
    seal: Seal
    binds: bool
    late: bool
    recorded: tuple[witnesses.Checked, ...] = ()
    commit: Witness | None = None


def vouched(root: Path) -> tuple[Vouched, ...]:
    """Every seal of the ledger, with who vouches for it.

    Raises:
        LedgerError: When the ledger is not whole.
    """
    ledger = Ledger.open(root)
    entries = ledger.entries()
    found = []
    for place, entry in enumerate(entries):
        said = entry.record
        if not isinstance(said, Seal):
            continue
        own = [e for e in entries if e.record.launch == said.launch]
        bound = ledger.seal_of(said.launch)
        looked = [e.record for e in entries[:place] if e.record.launch == said.launch]
        recorded = tuple(
            witnesses.check(root, entry, e.record)
            for e in own
            if isinstance(e.record, Witness) and e.record.of == entry.digest
        )
        named = any(c.witness.how == "git" for c in recorded)
        found.append(
            Vouched(
                entry=entry,
                seal=said,
                binds=bound is not None and bound[0].digest == entry.digest,
                late=any(isinstance(record, Look) for record in looked),
                recorded=recorded,
                commit=None if named else witnesses.find_commit(root, entry),
            )
        )
    return tuple(found)
