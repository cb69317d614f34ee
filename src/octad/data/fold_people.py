"""Whose events are folded: the users compared, and some of the team, by number."""

from __future__ import annotations

from typing import Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import numpy as np
from numpy.typing import NDArray

from octad.data.fold_rows import People
from octad.data.population import BUCKETS, Chosen, Population
from octad.data.samples import MOST_STAFF
from octad.data.tape import Tape

__all__ = ["people_of", "population_of", "team_ids", "team_of"]


@ibis.udf.scalar.builtin(  # type: ignore[untyped-decorator]
    name="md5_number_upper", signature=((dt.string,), dt.uint64)
)
def _half(_user: Any) -> Any: ...


def _bucket(half: Any) -> Any:
    """The first three hex digits of MD5, modulo 512; its bytes come lowest first."""
    return ((half & 255) * 16 + ((half >> 12) & 15)) % BUCKETS


def team_of(users: ir.Table | None) -> ir.Table | None:
    """Some of the staff, in the order of their ids: user and number from 0."""
    if users is None or "staff" not in users.columns:
        return None
    team = users.filter(users.staff).select("user").distinct()
    team = team.mutate(number=ibis.row_number().over(order_by=team.user).cast("int32"))
    return team.filter(team.number < MOST_STAFF)


def team_ids(tape: Tape, team: ir.Table | None, staff: NDArray[np.uint64]) -> dict[int, str]:
    """The ids of the team as `Sample` numbers them: -1 - i for the i-th of a state's staff."""
    if team is None or not len(staff):
        return {}
    rows, _ = tape.read("the team's ids", team.select(user=team.user, half=_half(team.user)))
    place = {int(half): i for i, half in enumerate(staff)}
    halves = rows["half"].to_numpy().astype(np.uint64)
    return {
        -1 - place[int(half)]: str(user)
        for half, user in zip(halves, rows["user"].to_pylist(), strict=True)
        if int(half) in place
    }


def people_of(
    tape: Tape, who: ir.Table, team: ir.Table | None, sampled: int
) -> tuple[ir.Table, People, NDArray[np.int64]]:
    """Number the people in the engine, and bring over what is kept of them here.

    Args:
        tape: Runs the queries.
        who: user, uid (int32, from 0), code and exposed of the users compared.
        team: From `team_of`.
        sampled: Users of buckets below this one are followed event by event, and all the team.

    Returns:
        user, uid and marked in the engine; the people by uid; and their codes.
    """
    users = who.select("uid", "user", "code", "exposed", half=_half(who.user))
    if sampled or team is not None:
        shown = users.select("uid", "user", marked=_bucket(users.half) < sampled)
        if team is not None:
            crew = team.select(
                uid=(-2 - team.number).cast("int32"),
                user=team.user,
                marked=ibis.literal(value=True),
            )
            shown = ibis.union(shown, crew)
        table = tape.step("people", shown)
    else:
        table = who.select("uid", "user", marked=ibis.literal(value=False))
    rows, _ = tape.read("who is compared", users.drop("user"))
    # Their numbers are places, so putting each there is sorting them.
    uid = rows["uid"].to_numpy()

    def placed(column: str, kind: type[np.generic]) -> NDArray[Any]:
        out = np.empty(len(uid), dtype=kind)
        out[uid] = rows[column].to_numpy()
        return out

    half = placed("half", np.uint64)
    staff = np.zeros(0, dtype=np.uint64)
    if team is not None:
        ranked = team.order_by("number").select(half=_half(team.user))
        staff = tape.read("the team", ranked)[0]["half"].to_numpy().astype(np.uint64)
    people = People(
        user=half,
        exposed=placed("exposed", np.int64),
        bucket=_bucket(half).astype(np.int16),
        staff=staff,
    )
    return table, people, placed("code", np.int64)


def population_of(chosen: Chosen, people: People, arm: NDArray[np.int64]) -> Population:
    """The users compared, from what was brought over."""
    return Population(
        table=chosen.table,
        arms=chosen.arms,
        arm=arm,
        bucket=people.bucket.astype(np.int64),
        exposed=people.exposed,
        exposure=chosen.exposure,
        frame=chosen.frame,
    )
