"""How much of what users do the team has done itself, and whose use the team's is like."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from octad.model.finding import Bars, Evidence, Finding, Grade, Number, Stance, Table
from octad.model.inputs import Ways
from octad.model.numbers import count, plain, share
from octad.stats.divergence import jensen_shannon
from octad.stats.refusal import NotEstimable
from octad.stats.unseen import Walked, walked_share

__all__ = ["checklist", "gone_by_team", "like_whom", "places", "walked"]

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

_TENTH = 0.1
_FEW = 50
_MOST_ROWS = 12
_PLAIN_SHARE = 0.02
_FAR = 0.05
ARROW = " → "


def gone_by_team(ways: Ways, logged: Iterable[tuple[str, ...]]) -> BoolArray:
    """(P,) whether the team has gone each way: as its events show, or as the ledger says.

    A walk that is logged covers every way that lies within it.

    Args:
        ways: The sample's journeys.
        logged: Walks from the ledger, event by event.
    """
    gone = np.asarray(ways.staff > 0)
    texts = ["\0" + "\0".join(steps) + "\0" for steps in logged]
    if texts:
        inside = [any("\0" + "\0".join(s) + "\0" in text for text in texts) for s in ways.steps]
        gone = gone | np.array(inside, dtype=bool)
    return gone


def checklist(
    ways: Ways, logged: Iterable[tuple[str, ...]], most: int = _MOST_ROWS
) -> list[tuple[tuple[str, ...], str, int, int]]:
    """Ways that users go and the team never has, where most users live first.

    A longer way stands in for the shorter ones within it when as many users go it (nine in ten).

    Returns:
        Steps, kind, users of the sample, and times, of each.
    """
    gone = gone_by_team(ways, logged)
    users = np.bincount(ways.way, minlength=len(ways.steps))
    times = np.bincount(ways.way, ways.often, minlength=len(ways.steps))
    order = np.lexsort((-times, -np.array([len(s) for s in ways.steps]), -users))
    listed: list[tuple[tuple[str, ...], str, int, int]] = []
    for i in order[~gone[order]]:
        steps = ways.steps[i]
        said = ARROW.join(steps)
        if any(said in ARROW.join(s) and users[i] <= u / 0.9 for s, _, u, _ in listed):
            continue
        listed = [
            row for row in listed if not (ARROW.join(row[0]) in said and row[2] <= users[i] / 0.9)
        ]
        listed.append((steps, ways.kind[i], int(users[i]), int(times[i])))
        if len(listed) >= 4 * most:
            break
    return sorted(listed, key=lambda row: (-row[2], -row[3]))[:most]


def walked(ways: Ways, arms: tuple[str, ...], logged: Iterable[tuple[str, ...]]) -> Finding | None:
    """The share of what users do that the team has done, by use and by users.

    Args:
        ways: The sample's journeys.
        arms: Names of the arms, control first.
        logged: Walks from the ledger, event by event.
    """
    logged = tuple(logged)
    gone = gone_by_team(ways, logged)
    try:
        by_use = _share(ways, gone, ways.STEP)
    except NotEstimable:
        return None
    step = np.array([k == ways.STEP for k in ways.kind])
    mine = step[ways.way]
    by_users = float(gone[ways.way[mine]].mean())
    claim = (
        f"The team has walked {by_use.share:.0%} of what users do step by step, weighed by how "
        f"often it is done; {by_users:.0%}, weighed by how many people do it."
    )
    claim += _by_arm(arms, ways, gone) + _to_jobs(ways, gone)
    rows = checklist(ways, logged)
    if rows:
        steps, _, users, _ = rows[0]
        claim += (
            f" Commonest of what it never did: {ARROW.join(steps)}, by "
            f"{plain(100 * users / max(1, len(ways.arm)), 0)}% of users."
        )
    evidence: tuple[Evidence, ...] = (
        Table(
            title="What users do and the team never did",
            columns=("way", "kind", "users of the sample", "times"),
            rows=tuple((ARROW.join(s), _kind(k), u, t) for s, k, u, t in rows),
        ),
    )
    gap = by_use.only_users + by_use.never_seen
    return Finding(
        id="user.walked",
        claim=claim,
        stance=Stance.MIXED if gap >= _TENTH else Stance.FOR,
        grade=Grade.T,
        estimate=Number(value=by_use.share, unit="share", low=by_use.low, high=by_use.high),
        n=len(ways.arm),
        method=f"events in a row within a visit, two and three at a time, and ways to core jobs, "
        f"in a sample of {len(ways.arm):,} users; the interval is of pairs, by user; what nobody "
        "in the sample did by Chao and Jost (2012)",
        assumes="Staff are marked, and their events are logged like everyone's.",
        breaks="Staff who test under other accounts; devices and languages the team does not have.",
        evidence=evidence,
        query_digest=ways.query,
    )


def _kind(kind: str) -> str:
    return kind if kind in (Ways.STEP, Ways.TURN) else f"a way to {kind}"


def _share(ways: Ways, gone: BoolArray, kind: str, arm: int | None = None) -> Walked:
    """The walked share of one kind, with an interval clustered by user."""
    places = np.flatnonzero([k == kind for k in ways.kind])
    number = np.full(len(ways.kind), -1, dtype=np.int64)
    number[places] = np.arange(len(places))
    mine = number[ways.way] >= 0
    if arm is not None:
        mine &= ways.arm[ways.who] == arm
    if not mine.any():
        raise NotEstimable("nobody went any way of this kind")
    who, way, often = ways.who[mine], number[ways.way[mine]], ways.often[mine]
    people, row = np.unique(who, return_inverse=True)
    hit = np.zeros((len(people), 2))  # gone by the team, and not: all that the error needs
    np.add.at(hit, (row, np.where(gone[places[way]], 0, 1)), often)
    times = np.bincount(way, often, minlength=len(places))
    found = walked_share(
        times, gone[places], once=float((times == 1).sum()), twice=float((times == 2).sum())
    )
    if len(people) < 2:
        return found
    ends = walked_share(hit.sum(axis=0), [True, False], once=0, twice=0, users=hit)
    return Walked(
        found.share, found.only_users, found.never_seen, ends.low, ends.high, found.not_walked
    )


def _by_arm(arms: tuple[str, ...], ways: Ways, gone: BoolArray) -> str:
    """With the launch against without, where the intervals part."""
    if len(arms) != 2:
        return ""
    try:
        without, with_it = (_share(ways, gone, ways.STEP, arm) for arm in (0, 1))
    except NotEstimable:
        return ""
    if None in (without.low, with_it.high) or not (with_it.high or 0) < (without.low or 0):
        return ""
    return (
        f" With the launch it is {with_it.share:.0%}, without {without.share:.0%}: the launch "
        "brought ways that the team has not gone."
    )


def _to_jobs(ways: Ways, gone: BoolArray) -> str:
    said = []
    for job in dict.fromkeys(k for k in ways.kind if k not in (ways.STEP, ways.TURN)):
        try:
            found = _share(ways, gone, job)
        except NotEstimable:
            continue
        said.append(f"{found.share:.0%} of the ways to {job}")
    return f" It has gone {' and '.join(said)}." if said else ""


def places(ways: Ways, logged: Iterable[tuple[str, ...]]) -> Finding | None:
    """Where users live and the team has hardly been: by device, language, age of the account."""
    step = np.array([k == ways.STEP for k in ways.kind], dtype=bool)
    by_ledger = gone_by_team(ways, logged) & (ways.staff == 0)
    rows: list[tuple[str, str, int, float]] = []
    mine = step[ways.way]
    for name, (values, codes, gone) in ways.places.items():
        for v, value in enumerate(values):
            here = mine & (codes[ways.who] == v)
            users = int((codes == v).sum())
            if users < _FEW or users < _PLAIN_SHARE * len(codes) or not here.any():
                continue
            been = gone[v] | by_ledger
            share_here = np.average(been[ways.way[here]], weights=ways.often[here])
            rows.append((name, value, users, float(share_here)))
    if not rows:
        return None
    rows.sort(key=lambda row: (row[3] - 1) * row[2])
    name, value, users, been = rows[0]
    total = len(ways.arm)
    hardly = been < 1 - _TENTH
    said = (
        f"Users with {name} {value} are {share(users / total)} of all; of what they do, team "
        f"members with {name} {value} have walked {been:.0%}."
    )
    if not hardly:
        said = f"The team has been wherever users are: at least {been:.0%} of each place's use."
    return Finding(
        id="user.places",
        claim=said,
        stance=Stance.MIXED if been < 0.5 else None,
        grade=Grade.T,
        n=total,
        method="pairs of events in a row, weighed by how often; a place counts as walked when a "
        "member of the team with the same value of the attribute did the same",
        assumes="The team's attributes are in the users table as everyone's are.",
        breaks="A team that tests on borrowed devices under its own accounts.",
        evidence=(
            Table(
                title="Where users live and the team has hardly been",
                columns=("attribute", "value", "users of the sample", "walked there"),
                rows=tuple((n, v, u, f"{b:.0%}") for n, v, u, b in rows[:_MOST_ROWS]),
            ),
        ),
        query_digest=ways.query,
    )


def like_whom(ways: Ways) -> Finding | None:
    """How far the team's mix of use lies from users', and whose it is nearest to."""
    if not ways.team_mix.sum() or not ways.mix.sum():
        return None
    everyone = ways.mix.sum(axis=0)
    far, parts = jensen_shannon(everyone, ways.team_mix)
    ours, theirs = ways.team_mix / ways.team_mix.sum(), everyone / everyone.sum()
    most = int(np.argmax(parts))
    groups = _by_value(ways)
    claim = (
        f"The team does {plain(100 * ours[most], 0)}% {_job(ways.jobs[most])}, users "
        f"{plain(100 * theirs[most], 0)}%."
    )
    if far < _FAR:
        claim = "The team uses the product much as users do, job by job."
    if groups:
        (near, near_far), (away, away_far) = groups[0], groups[-1]
        if away_far - near_far > _FAR / 2:
            claim += f" Its use is nearest to that of {near}, and farthest from {away}."
    return Finding(
        id="user.team",
        claim=claim,
        grade=Grade.T,
        n=len(ways.arm),
        method="events by job of the charter; Jensen–Shannon divergence of the team's mix from "
        f"users' (0 is the same mix, 1 nothing in common), {count(ways.team_events)} events of the "
        "team",
        assumes="What the team does in the product is logged, and is its own use.",
        breaks="Automated tests that run under the team's accounts.",
        evidence=(
            Bars(
                title="What the team does, and what users do",
                y_label="share of events",
                labels=ways.jobs,
                groups={
                    "users": tuple(float(v) for v in theirs),
                    "team": tuple(float(v) for v in ours),
                },
                percent=True,
            ),
        ),
        query_digest=ways.query,
    )


def _job(name: str) -> str:
    return "of what belongs to no job" if name.startswith("(") else f"'{name}'"


def _by_value(ways: Ways) -> list[tuple[str, float]]:
    """Segments by how far the team's mix lies from theirs, nearest first."""
    found = []
    for name, (values, codes, _) in ways.places.items():
        for v, value in enumerate(values):
            mine = codes == v
            mix: FloatArray = ways.mix[mine].sum(axis=0)
            if mine.sum() >= _FEW and mix.sum():
                found.append((f"{name} {value}", jensen_shannon(mix, ways.team_mix)[0]))
    return sorted(found, key=lambda pair: pair[1])
