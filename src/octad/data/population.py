"""Who is compared: users at their first exposure, each in one arm, staff left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from octad.data.clock import DAY, micros, to_micros
from octad.data.tape import Tape
from octad.errors import DataError, Where, nearest
from octad.model.inputs import Exposure
from octad.model.plan import Everyone, Plan

__all__ = [
    "BUCKETS",
    "Chosen",
    "Frame",
    "Population",
    "bring_over",
    "choose_everyone",
    "choose_exposed",
    "frame_of",
]

BUCKETS = 512
NO_ARM = "(no arm)"
_LONG_AGO = -(2**62)
_HEX = 3  # 16**3 is a multiple of BUCKETS, so every bucket is equally likely


@dataclass(frozen=True, slots=True)
class Frame:
    """The time a review sees.

    Attributes:
        as_of: The review's today.
        until: First moment that is not observed, in microseconds.
        starts: First moment of the launch, in microseconds.
        enrol_until: First moment at which nobody enters any more.
        final: Whether the plan's last day has passed.
    """

    as_of: datetime
    until: int
    starts: int | None
    enrol_until: int
    final: bool


def _midnight(day: date) -> int:
    return to_micros(datetime.combine(day, time(), tzinfo=UTC))


Place = Callable[[str], Where | None]
"""From a dotted key of the plan to its file and line."""


def _nowhere(_: str) -> Where | None:
    return None


def frame_of(plan: Plan, newest: datetime, as_of: date | None, place: Place = _nowhere) -> Frame:
    """Lay out the time of a review.

    Args:
        plan: The plan, for its first and last day.
        newest: The newest row of the data, UTC.
        as_of: The last day to be seen, when the user names one.
        place: For errors that point into the plan.

    Raises:
        DataError: When the launch has not begun by then.
    """
    launch = plan.launch
    newest = newest if newest.tzinfo else newest.replace(tzinfo=UTC)
    if as_of is not None:
        newest = min(newest, datetime.combine(as_of, time.max, tzinfo=UTC))
    starts = launch.design.everyone if isinstance(launch.design, Everyone) else launch.starts
    if starts is not None and newest.date() < starts:
        raise DataError(
            f"the launch starts on {starts}, and the newest data are of {newest.date()}.",
            where=place("starts"),
            mend="Review it once there are data from after its start, or mend 'starts'.",
        )
    until = to_micros(newest) + 1
    final = launch.ends is not None and newest.date() >= launch.ends
    if launch.ends is not None and final:
        until = _midnight(launch.ends + timedelta(days=1))
    enrol = _midnight(launch.enrol_until + timedelta(days=1)) if launch.enrol_until else until
    return Frame(
        as_of=newest.replace(tzinfo=None),
        until=until,
        starts=None if starts is None else _midnight(starts),
        enrol_until=min(enrol, until),
        final=final,
    )


@dataclass(frozen=True, slots=True)
class Population:
    """The users compared. Arrays are of length n, indexed by `uid`.

    Attributes:
        table: In the engine: uid, user, arm (code), exposed (microseconds).
        arms: Names in the plan, control first.
        arm: Code of each user's arm.
        bucket: 0 to `BUCKETS` - 1, from the hash of the user.
        exposed: Microseconds since 1970.
        exposure: What was counted on the way.
        step: The name of the step that made the table.
    """

    table: ibis.Table
    arms: tuple[str, ...]
    arm: NDArray[np.int64]
    bucket: NDArray[np.int64]
    exposed: NDArray[np.int64]
    exposure: Exposure
    frame: Frame
    step: str = "population"

    @property
    def n(self) -> int:
        """How many users are compared."""
        return len(self.arm)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The users compared, of whom only counts have left the engine.

    Attributes:
        table: In the engine: uid, user, code (arm), exposed (microseconds).
        arms: Names in the plan, control first.
        exposure: What was counted on the way.
        frame: The time that is seen.
    """

    table: ibis.Table
    arms: tuple[str, ...]
    exposure: Exposure
    frame: Frame


def bucket_hex(user: Any) -> Any:
    """The first hex digits of MD5 of the user: the same on every engine."""
    return user.hexdigest("md5").substr(0, _HEX)


def buckets_from_hex(digits: pa.ChunkedArray) -> NDArray[np.int64]:
    """Turn those digits into bucket numbers."""
    coded = digits.combine_chunks().dictionary_encode()
    buckets = np.array([int(d, 16) % BUCKETS for d in coded.dictionary.to_pylist()], dtype=np.int64)
    return buckets[coded.indices.to_numpy()] if len(coded) else np.zeros(0, dtype=np.int64)


def _staff(users: ibis.Table | None) -> ibis.Table | None:
    if users is None or "staff" not in users.columns:
        return None
    return users.filter(users.staff).select("user").distinct()


def choose_exposed(
    tape: Tape,
    plan: Plan,
    frame: Frame,
    exposures: ibis.Table,
    users: ibis.Table | None,
    place: Place = _nowhere,
) -> Chosen:
    """Take each user's first exposure, and keep those in one arm, in time, and not staff.

    Raises:
        DataError: When an arm of the plan has nobody in it.
    """
    launch = plan.launch
    arms = dict(launch.arms or {})
    values = [arms["control"], *(arms[name] for name in plan.treatments)]
    names = ("control", *plan.treatments)
    t = exposures.filter(micros(exposures.time) < frame.until)
    if "launch" in t.columns:
        _check_launch(tape, t, launch.launch, place)
        t = t.filter(t.launch.isnull() | (t.launch == launch.launch))
    t = t.mutate(arm=t.arm.fill_null(NO_ARM))
    # Two extremes tell several arms from one at half the time of counting different ones.
    first = t.group_by("user").agg(
        exposed=micros(t.time.min()),
        arm=t.arm.argmin(t.time),
        several=(t.arm.min() != t.arm.max()).ifelse(2, 1),
    )
    staff = _staff(users)
    if staff is None:
        first = first.mutate(staff=ibis.literal(False))
    else:
        crew = staff.rename(crew="user")
        first = first.left_join(crew, first.user == crew.crew)
        first = first.mutate(staff=first.crew.notnull()).drop("crew")
    code = first.arm.cases(*[(value, i) for i, value in enumerate(values)], else_=-1)
    start = frame.starts if frame.starts is not None else _LONG_AGO
    first = first.mutate(
        code=code.cast("int32"),
        early=first.exposed < start,
        late=first.exposed >= frame.enrol_until,
    )
    seen = tape.step("exposed", first)
    _explain_strange(tape, seen, names, values, place)
    kept = seen.filter(
        (seen.several == 1) & (seen.code >= 0) & ~seen.staff & ~seen.early & ~seen.late
    )
    return _chosen(tape, frame, names, kept, seen)


def _check_launch(tape: Tape, exposures: ibis.Table, name: str, place: Place) -> None:
    """Refuse a launch that the exposures do not know, which would read as nobody exposed."""
    seen = tape.read("launches in the exposures", exposures.select("launch").distinct())[0]
    known = {str(v) for v in seen["launch"].to_pylist() if v is not None}
    if known and name not in known:
        raise DataError(
            f"the exposures hold no launch '{name}'.",
            where=place("launch"),
            mend=nearest(name, known) + " The launch is the name of the plan's file.",
        )


def choose_everyone(
    tape: Tape, frame: Frame, events: ibis.Table, users: ibis.Table | None
) -> Chosen:
    """Everyone seen around a launch for all; one arm, to be compared with itself.

    They are those seen as long before the launch as after it. Whoever was chosen for having been
    there before alone would only seem to leave, and whoever for being there after only to come.
    """
    if frame.starts is None:
        raise DataError(
            "a launch for everyone needs its day.", mend="Write design: {everyone: DATE}."
        )
    at = micros(events.time)
    seen = events.filter((at >= 2 * frame.starts - frame.until) & (at < frame.until))
    first = (
        seen.select("user")
        .distinct()
        .mutate(exposed=ibis.literal(frame.starts, "int64"), code=ibis.literal(0, "int32"))
    )
    staff = _staff(users)
    if staff is not None:
        first = first.anti_join(staff, "user")
    kept = tape.step("exposed", first)
    return _chosen(tape, frame, ("everyone",), kept, None)


def _explain_strange(
    tape: Tape, seen: ibis.Table, names: tuple[str, ...], values: list[str], place: Place
) -> None:
    table, _ = tape.read("users by arm", seen.group_by("arm", "code").agg(users=seen.count()))
    counts = {row["arm"]: row["users"] for row in table.to_pylist()}
    counts.pop(None, None)
    if not counts:
        raise DataError(
            "the exposures hold no row that can be used, so nobody knows who got the launch.",
            where=place("sources.exposures.table"),
            mend="Run `octad check` to see what was left out, and why.",
        )
    for name, value in zip(names, values, strict=True):
        if not counts.get(value):
            found = (
                ", ".join(f"'{arm}' ({n:,} users)" for arm, n in counts.items()) or "none at all"
            )
            raise DataError(
                f"nobody is in the arm {name} ('{value}'); the exposures hold {found}.",
                where=place(f"arms.{name}"),
                mend=nearest(value, counts) or "Look at 'starts' and the exposures' times.",
            )


def _chosen(
    tape: Tape,
    frame: Frame,
    names: tuple[str, ...],
    kept: ibis.Table,
    seen: ibis.Table | None,
) -> Chosen:
    numbered = kept.mutate(uid=ibis.row_number().over(order_by=kept.user).cast("int32")).select(
        "uid", "user", "code", "exposed"
    )
    table = tape.step("population", numbered)
    exposure = _exposure(tape, names, table, seen)
    for name, count in zip(names, exposure.counts, strict=True):
        if not count:
            raise DataError(
                f"nobody is left in the arm {name} once staff, users seen in several arms and "
                "exposures outside the launch's days are set aside."
                if seen is not None
                else "nobody was seen around the launch's day.",
                mend="Look at 'starts', 'enrol_until' and the exposures' times."
                if seen is not None
                else "Look at the launch's day and the events' times.",
            )
    return Chosen(table, names, exposure, frame)


def bring_over(tape: Tape, chosen: Chosen) -> Population:
    """One row a user, for engines whose users are added up here."""
    table = chosen.table
    rows, _ = tape.read(
        "who is compared",
        table.select("uid", "code", "exposed", hex=bucket_hex(table.user)).order_by("uid"),
    )
    return Population(
        table=table,
        arms=chosen.arms,
        arm=rows["code"].to_numpy().astype(np.int64),
        bucket=buckets_from_hex(rows["hex"]),
        exposed=rows["exposed"].to_numpy().astype(np.int64),
        exposure=chosen.exposure,
        frame=chosen.frame,
    )


def _exposure(
    tape: Tape, names: tuple[str, ...], table: ibis.Table, seen: ibis.Table | None
) -> Exposure:
    at = table.mutate(day=(table.exposed / float(DAY)).floor().cast("int32"))
    grouped, key = tape.read(
        "users compared, by arm and day of exposure",
        at.group_by("code", "day").agg(users=lambda t: t.count()),
    )
    days, index = np.unique(grouped["day"].to_numpy().astype(np.int64), return_inverse=True)
    by_day = np.zeros((len(days), len(names)), dtype=np.int64)
    by_day[index, grouped["code"].to_numpy()] = grouped["users"].to_numpy()
    both = staff = before = 0
    strange: dict[str, int] = {}
    if seen is not None:
        row = tape.read(
            "exposures set aside",
            seen.agg(
                both=seen.count(where=seen.several > 1),
                staff=seen.count(where=seen.staff),
                before=seen.count(where=seen.early),
            ),
        )[0].to_pylist()[0]
        both, staff, before = row["both"], row["staff"], row["before"]
        other = seen.filter((seen.code < 0) & (seen.several == 1))
        counted = other.group_by("arm").agg(n=other.count()).to_pyarrow().to_pylist()
        strange = {
            str(row["arm"]): row["n"] for row in sorted(counted, key=lambda r: str(r["arm"]))
        }
    return Exposure(
        counts=by_day.sum(axis=0),
        days=days.astype("datetime64[D]"),
        by_day=by_day,
        both=both,
        staff=staff,
        strange_arms=strange,
        before=before,
        query=key,
    )
