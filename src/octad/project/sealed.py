"""The plan that a seal holds, put back in the place of the file that may have changed since.

One rule: once a launch is sealed, the sealed plan is what a review judges by, whichever way the
files were changed afterwards. What was changed is shown, and decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pydantic import ValidationError

from octad.errors import LedgerError, Where
from octad.model.plan import Plan, Project
from octad.model.records import Seal, Witness
from octad.model.review import Deviation
from octad.project.chain import Entry
from octad.project.digest import canonical, differences, plan_digest, plan_record, sha256
from octad.project.ledger import LEDGER_FILE, Ledger
from octad.project.load import LoadedPlan

__all__ = ["Judged", "judged", "sealed_plan"]


@dataclass(frozen=True, slots=True)
class Judged:
    """The plan that a review judges by.

    Attributes:
        loaded: The sealed plan, or the files' where nothing is sealed.
        digest: Its fingerprint: the seal's, or that of the files.
        seal: The seal that binds, in its place in the ledger; None when there is none.
        changed: What the files say otherwise than the seal.
        witness: The earliest that vouches for the seal, by what the ledger holds.
    """

    loaded: LoadedPlan
    digest: str
    seal: Entry | None = None
    changed: tuple[Deviation, ...] = ()
    witness: Witness | None = None

    @property
    def plan(self) -> Plan:
        """The plan itself."""
        return self.loaded.plan


def judged(loaded: LoadedPlan, ledger: Ledger) -> Judged:
    """Which plan a launch is judged by.

    Args:
        loaded: The files as they are now.
        ledger: The project's ledger.

    Raises:
        LedgerError: When the ledger is not whole, or the sealed plan cannot be read.
    """
    bound = ledger.seal_of(loaded.plan.launch.launch)
    if bound is None:
        return Judged(loaded, plan_digest(loaded.plan))
    entry, seal = bound
    changed = tuple(differences(seal.record, plan_record(loaded.plan)))
    plan = sealed_plan(loaded.plan, entry, seal)
    said = [e.record for e in ledger.of(seal.launch)]
    heard = [r for r in said if isinstance(r, Witness) and r.of == entry.digest]
    witness = min(heard, key=lambda one: one.at, default=None)
    return Judged(replace(loaded, plan=plan), seal.plan_digest, entry, changed, witness)


def sealed_plan(plan: Plan, entry: Entry, seal: Seal) -> Plan:
    """The sealed launch, charter and metrics, with the sources as they lie now.

    Where the data lie is not sealed, because tables move; what is measured in them is.

    Args:
        plan: The files as they are now.
        entry: The seal's place in the ledger.
        seal: The seal.

    Raises:
        LedgerError: When the record is not what its digest says, or this version of Octad cannot
            read it.
    """
    where = Where(LEDGER_FILE, entry.line)
    if sha256(canonical(seal.record)) != seal.plan_digest:
        raise LedgerError(
            f"the plan sealed for '{seal.launch}' is not the one its fingerprint names.",
            where=where,
            mend="It was not written by 'octad seal'. Bring the ledger back from git.",
        )
    project = plan.project.model_dump()
    project["charter"] = seal.record.get("charter", {})
    project["metrics"] = {**project["metrics"], **seal.record.get("metrics", {})}
    try:
        home = Project.model_validate(project)
        return Plan.model_validate({"project": home, "launch": seal.record.get("launch", {})})
    except ValidationError as error:
        raise LedgerError(
            f"the plan sealed for '{seal.launch}' cannot be read by this version of Octad.",
            where=where,
            mend="Use the version it was sealed with, or a newer one.",
        ) from error
