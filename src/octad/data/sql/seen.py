"""The one read: events joined to who is compared, coded, and kept in the engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import ibis

from octad.data.clock import DAY, micros
from octad.data.sql.layout import UNNAMED, Kind, Layout
from octad.data.sql.people import People
from octad.data.tape import Tape

__all__ = ["Seen", "read_events"]

_OURS = "_octad_"


@dataclass(slots=True)
class Seen:
    """What the one read left in the engine.

    Attributes:
        table: One row an event: uid, code, bucket, since (microseconds), day (since exposure), `on`
            (days since 1970), name, masks and numbers (`Layout`), label (the event's name, for
            users of the sample only). The team's events have code -1.
        layout: What the columns mean.
        days: One row a user, day and kind, with the layout's sums.
        kinds: Kinds that there are.
    """

    table: ibis.Table
    people: People
    layout: Layout
    days: ibis.Table
    kinds: tuple[Kind, ...] = field(default_factory=tuple)

    @property
    def compared(self) -> ibis.Table:
        """The events of users compared."""
        return self.table.filter(self.table.code >= 0)


def read_events(
    tape: Tape,
    people: People,
    events: ibis.Table,
    layout: Layout,
    *,
    back: int,
    deep: int | None = None,
    team: ibis.Table | None = None,
    few: int = 0,
) -> Seen:
    """Read the events, once.

    Args:
        tape: Runs the queries.
        people: Who is compared.
        events: user, time, event, and whatever the layout names.
        layout: What is kept.
        back: Days before exposure that are added up.
        deep: Microseconds before exposure from which events are kept, when more than those.
        team: Members of staff to be followed from a moment on: uid (below 0), user, exposed.
        few: Users in buckets under this one are followed too.
    """
    who = people.table.select("user", "uid", "code", "bucket", "exposed")
    if team is not None:
        crew = team.mutate(code=ibis.literal(-1, "int32"), bucket=ibis.literal(-1, "int32"))
        who = ibis.union(who, crew.select(*who.columns).cast(who.schema()))
    # Renamed, so that no column of the events hides one of ours.
    who = who.rename({_OURS + name: name for name in who.columns if name != "user"})
    t = events.join(who, "user")
    at = micros(t.time)
    since = at - t[_OURS + "exposed"]
    start = -max(back * DAY, deep or 0)
    t = t.filter((since >= start) & (at < people.frame.until))
    t = t.filter((t[_OURS + "code"] >= 0) | (micros(t.time) >= t[_OURS + "exposed"]))
    table = tape.step("seen", _coded(tape, t, layout, few))
    days = table.filter((table.code >= 0) & (table.since >= -back * DAY))
    grouped = days.group_by("uid", "code", "bucket", "day", *layout.keys)
    kept = tape.step("days", grouped.agg(**layout.added(days)))
    return Seen(table, people, layout, kept, _kinds(tape, kept, layout))


def _coded(tape: Tape, t: ibis.Table, layout: Layout, few: int) -> ibis.Table:
    at = micros(t.time)
    since = at - t[_OURS + "exposed"]
    follow = (t[_OURS + "code"] < 0) | (t[_OURS + "bucket"] < few)
    columns: dict[str, Any] = {
        "uid": t[_OURS + "uid"],
        "code": t[_OURS + "code"],
        "bucket": t[_OURS + "bucket"],
        "since": since,
        "day": (since / float(DAY)).floor().cast("int32"),
        "on": (at / float(DAY)).floor().cast("int32"),
        "told": t.event,
        "label": ibis.ifelse(follow, t.event, ibis.null("string")),
        **layout.masked(t, since),
        **layout.values(t),
    }
    rows = t.select(**columns)
    if not layout.names:
        return rows.mutate(name=ibis.literal(UNNAMED, "int32")).drop("told")
    names = tape.place("event_names", layout.named())
    rows = rows.left_join(names, rows.told == names.word)
    kept = [name for name in columns if name not in ("told", "label")]
    return rows.select(*kept, label=rows.label, name=rows.name.fill_null(UNNAMED).cast("int32"))


def _kinds(tape: Tape, days: ibis.Table, layout: Layout) -> tuple[Kind, ...]:
    if not layout.masks:
        return layout.kinds()
    rows, _ = tape.read("kinds of events", days.select(*layout.keys).distinct())
    found = [Kind(row["name"], tuple(row[m] for m in layout.masks)) for row in rows.to_pylist()]
    return tuple(sorted(found))
