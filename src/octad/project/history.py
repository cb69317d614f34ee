"""The ledger as readings need it: past launches, scored forecasts, looks, the seal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import takewhile
from typing import Any

from octad.model.inputs import History, PastForecast, PastLaunch
from octad.model.records import Decision, Look, Outcome, Seal, Tagged, Unlocked, Walked
from octad.project.chain import Entry
from octad.project.digest import canonical, differences, sha256
from octad.project.ledger import binding_seal

__all__ = ["OPENED_UNREAD", "history"]

OPENED_UNREAD = "the numbers were opened before the timelines were read"


def history(
    entries: Sequence[Entry],
    launch: str,
    *,
    record: dict[str, Any] | None = None,
    digest: str | None = None,
    as_of: datetime | None = None,
) -> History:
    """What the project knows of its past, as it stands before this look is logged.

    Args:
        entries: The whole ledger.
        launch: The launch under review, left out of the past launches.
        record: `plan_record` of today's files, to name what was changed since the seal.
        digest: The fingerprint of the plan that this look judges by; the record's when absent.
        as_of: The review's today, to count this look.
    """
    own = [entry for entry in entries if entry.record.launch == launch]
    found = binding_seal(own)
    judged_by = digest or (sha256(canonical(record)) if record else None)
    return History(
        launches=_past(entries, launch),
        forecasts=_forecasts(entries),
        looks=_looks(own, judged_by, as_of),
        early_looks=len(_early(own, judged_by)),
        sealed=None if found is None else found[0].at.date(),
        sealed_before_data=None if found is None else _before_data(found, own),
        deviations=_deviations(found, own, record),
        tags=_tags(own),
        walked=tuple(e.record.step for e in entries if isinstance(e.record, Walked)),
    )


def _tags(own: Sequence[Entry]) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """Each reader's last word on each user."""
    said = {
        (e.record.user, e.record.reader): e.record.tags for e in own if isinstance(e.record, Tagged)
    }
    return tuple((user, reader, tags) for (user, reader), tags in said.items())


def _past(entries: Sequence[Entry], launch: str) -> tuple[PastLaunch, ...]:
    """The last look at each other launch, a final one before any other, and what was decided."""
    looks: dict[str, tuple[Entry, Look]] = {}
    decided: dict[str, str] = {}
    for entry in entries:
        said = entry.record
        if said.launch == launch:
            continue
        if isinstance(said, Look):
            before = looks.get(said.launch)
            if before is None or said.final or not before[1].final:
                looks[said.launch] = entry, said
        elif isinstance(said, Decision):
            decided[said.launch] = said.what
    return tuple(
        PastLaunch(
            launch=name,
            at=(look.as_of or entry.at).date(),
            verdict=look.verdict,
            decided=decided.get(name, ""),
            kpi=look.kpi,
            effects=look.effects,
            with_kpi=_with_kpi(look),
            joint={(one, two): shared for one, two, shared in look.joint},
        )
        for name, (entry, look) in looks.items()
    )


def _with_kpi(look: Look) -> dict[str, float]:
    """Metric to the covariance of its error with the KPI's."""
    return {
        two if one == look.kpi else one: shared
        for one, two, shared in look.joint
        if look.kpi in (one, two)
    }


def _forecasts(entries: Sequence[Entry]) -> tuple[PastForecast, ...]:
    """Each forecast once: scoring it again, with later data, replaces the earlier score."""
    scored: dict[tuple[str, str, str], PastForecast] = {}
    for entry in entries:
        said = entry.record
        if isinstance(said, Outcome):
            scored[said.launch, said.metric, said.change] = PastForecast(
                launch=said.launch, metric=said.metric, sure=said.sure, happened=said.happened
            )
    return tuple(scored.values())


def _looks(own: Sequence[Entry], digest: str | None, as_of: datetime | None) -> int:
    """Looks at different data or under a different plan, this one included."""
    seen = _logged(own)
    if as_of is None or digest is None:
        return len(seen) + 1
    return len(seen | {(as_of, digest)})


def _logged(own: Sequence[Entry]) -> set[tuple[datetime, str]]:
    """Looks that are in the ledger, each data and plan once."""
    return _once((e, e.record) for e in own if isinstance(e.record, Look))


def _early(own: Sequence[Entry], digest: str | None) -> set[tuple[datetime, str]]:
    """Looks at the launch before its last day, taken before that day was looked at by this plan.

    A look at earlier data that is taken afterwards cannot have moved what the last day showed by
    the plan's one look; if it counted, anybody could turn a verdict that was shown into none.
    """
    looks = [(e, e.record) for e in own if isinstance(e.record, Look)]
    before = takewhile(lambda look: not (look[1].final and look[1].plan_digest == digest), looks)
    return _once(look for look in before if not look[1].final)


def _once(looks: Iterable[tuple[Entry, Look]]) -> set[tuple[datetime, str]]:
    return {(look.as_of or entry.at, look.plan_digest) for entry, look in looks}


def _before_data(found: tuple[Entry, Seal], own: Sequence[Entry]) -> bool | None:
    entry, seal = found
    before = own[: next(i for i, other in enumerate(own) if other.digest == entry.digest)]
    looked = any(isinstance(other.record, Look) for other in before)
    return False if looked else seal.before_data


def _deviations(
    found: tuple[Entry, Seal] | None, own: Sequence[Entry], record: dict[str, Any] | None
) -> tuple[str, ...]:
    said: list[str] = []
    if found is not None and record is not None:
        said += [deviation.what for deviation in differences(found[1].record, record)]
    if any(isinstance(entry.record, Look | Unlocked) and entry.record.unread for entry in own):
        said.append(OPENED_UNREAD)
    return tuple(said)
