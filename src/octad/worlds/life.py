"""A day in the life of everyone: needs arise, sessions follow, and what is met in them is felt.

The order of a day: needs are drawn (the same in every arm); a need is brought to the product if
the person has not left and is not too sore; each need opens a session, idle curiosity and the
launch's pull open more; a session may crash, wait, stay blank, be given up, shame; what was met
makes people sore, and soreness makes them bring fewer needs, and leave.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from octad.worlds.base import Bools, Floats, Ints, Random, poisson
from octad.worlds.change import Change, Rollout
from octad.worlds.crowd import demand
from octad.worlds.faults import Faults
from octad.worlds.people import People

__all__ = [
    "BALANCE",
    "DAY",
    "IDLE",
    "LURED",
    "PAY",
    "SCRIPTED",
    "TRANSFER",
    "Life",
    "Sessions",
    "State",
]

DAY = 86_400_000_000
"""A day in microseconds."""

PAY, TRANSFER, BALANCE, IDLE, LURED = range(5)

NETWORK = np.array([2.8, 1.0, 0.95, 1.05])  # by region: the north's lines are slow
HOME = np.array([0.35, 0.7, 1.5])  # seconds until the home page stands, by device
CRASH = np.array([0.014, 0.03, 0.07])  # a session on a new, mid, old device
DEMAND = np.array([0.94, 0.95, 0.97, 1.02, 1.14, 1.12, 0.86])  # Monday to Sunday

CASH = 0.1  # of needs, met without the product by people who are content with it
LEAVE, RETURN = 0.0011, 0.012  # a day, for people who are not sore
GIVE_UP = 0.0032  # per second of needless effort, at patience 1
HEALS = 0.93  # soreness left after a day
HURTS = {"crash": 0.06, "fail": 0.12, "blank": 0.3, "give_up": 0.3, "shame": 1.7, "drag": 0.008}
NAGGED = 0.1  # soreness from one note that calls a person back for nothing
LONG = 2.0  # times the mean's payments, from which a history is long
SCRIPTED = 100  # the first turn of a script's transfers, so that they draw nobody else's draws


@dataclass(slots=True)
class State:
    """What changes from day to day, one value a person.

    Attributes:
        sore: How badly the product has treated the person lately; 0 is not at all.
        gone: Has left. `bitter`: left sore, and is slower to come back.
        seen: Sessions with the changed home page so far.
        hidden: Has found the switch that hides one's payments from others.
        since: The moment of exposure in microseconds since the launch's start; -1 before it.
    """

    sore: Floats
    gone: Bools
    bitter: Bools
    seen: Floats
    hidden: Bools
    since: Ints

    def copy(self) -> State:
        """An independent copy, from which another future can be lived."""
        return State(**{f.name: getattr(self, f.name).copy() for f in fields(self)})


@dataclass(slots=True)
class Sessions:
    """A day's sessions, as parallel arrays of length S.

    Attributes:
        day: Days since the launch's start.
        user: Index of the person. `kind`: why it was opened. `turn`: which one of its kind.
        at: Microseconds since the launch's start.
        treated: Whether the change was there. `feed`: whether a feed was met.
        handy: A payment that would have been made in cash without the change.
        home, wait: Seconds until the home page and until the feed stood.
        crashed, relaunched, blank, menu: What was met.
        gave_up: Came for something and left without it.
        done: Came for something and did it. `scanned`: by QR code.
        failed, retried: The payment failed; was tried again.
        shamed: Family saw, and spoke of it. `hid`: looked for the switch that hides one's payments.
        gift: A transfer to a friend that the feed gave the idea for.
        noted: Came to send money, and only noted down who owes it.
        left: Filled for the last session of somebody who left for good after it.
        sore: The person's soreness after the day.
    """

    day: int
    user: Ints
    kind: NDArray[np.int8]
    turn: Ints
    at: Ints
    treated: Bools
    handy: Bools
    feed: Bools
    home: Floats
    wait: Floats
    crashed: Bools
    relaunched: Bools
    blank: Bools
    menu: Bools
    gave_up: Bools
    done: Bools
    scanned: Bools
    failed: Bools
    retried: Bools
    shamed: Bools
    hid: Bools
    gift: Bools
    noted: Bools
    left: Bools
    sore: Floats

    def __len__(self) -> int:
        return len(self.user)


@dataclass(frozen=True, slots=True)
class _Opened:
    """Sessions when they begin; as in `Sessions`."""

    day: int
    user: Ints
    kind: NDArray[np.int8]
    turn: Ints
    at: Ints
    treated: Bools
    handy: Bools


class Life:
    """Lives a world day by day.

    Args:
        random: The world's randomness.
        people: Who lives there.
        change: What the launch changes.
        rollout: Who gets it when.
        arm: (N,) whether each person is meant to get it.
        faults: What comes over everyone, or from one to another.
    """

    def __init__(
        self,
        random: Random,
        people: People,
        change: Change,
        rollout: Rollout,
        arm: Bools,
        faults: Faults | None = None,
    ) -> None:
        self.random = random
        self.people = people
        self.change = change
        self.rollout = rollout
        self.arm = arm
        self.faults = faults or Faults()
        n = len(people)
        who = np.arange(n)
        away = random.uniform("away", who) < LEAVE / (LEAVE + RETURN)
        self.state = State(
            sore=np.zeros(n),
            gone=away & ~people.staff,
            bitter=np.zeros(n, dtype=np.bool_),
            seen=np.zeros(n),
            hidden=np.zeros(n, dtype=np.bool_),
            since=np.full(n, -1, dtype=np.int64),
        )
        self._who = who
        waves = self.faults.waves
        self._from = np.array(waves)[people.region] if waves else np.zeros(n, dtype=np.int64)
        self._intensity = np.clip(people.pay / 0.125, 0, 6)
        often = people.pay + people.balance + people.idle
        self._pull = people.social * often / 0.26  # who seldom opens it seldom sees its notes
        self._used_to = np.array([0.5, 1.0, 1.7])[people.tenure] * np.where(people.age == 3, 1.4, 1)

    def branch(self, arm: Bools) -> Life:
        """The same world from here on, with other arms."""
        other = Life(self.random, self.people, self.change, self.rollout, arm, self.faults)
        other.state = self.state.copy()
        return other

    def day(self, day: int) -> Sessions:
        """Live one day.

        Args:
            day: Days since the launch's start; below zero before it.
        """
        user, kind, turn, handy = self._openings(day)
        u = self.random.uniform("hour", user * 5 + kind, day, turn)
        hour = self.people.hour[user] + 2.3 * np.log(u / (1 - u))  # logistic around one's own hour
        hour = np.where((hour < 0) | (hour >= 23.9), 6 + 17 * u, hour)
        at = day * DAY + (hour * 3.6e9).astype(np.int64)
        self._expose(day, user, at)
        treated = self.arm[user] & (self.state.since[user] >= 0)
        s = self._lived(_Opened(day, user, kind, turn, at, treated, handy))
        self._felt(s)
        return s

    def _rate(self, day: int) -> float:
        """How many needs the day brings: weekday, payday and the slow swing of the year."""
        date = np.datetime64("2026-03-01") + day
        weekday = (int(date.astype(np.int64)) + 3) % 7
        month_day = int((date - date.astype("datetime64[M]")).astype(np.int64)) + 1
        payday = 1.1 if month_day >= 26 or month_day <= 2 else 1.0
        return float(DEMAND[weekday] * payday * (1 + 0.03 * np.sin(2 * np.pi * (day + 60) / 365)))

    def _openings(self, day: int) -> tuple[NDArray[Any], ...]:
        """Who opens the product today, why, for which time, and whether only as it is handy."""
        p, state, r = self.people, self.state, self.random
        has_it = self.arm & (state.since >= 0)
        season = self._rate(day) * demand(p, self.faults, has_it, day)
        since_days = day - state.since // DAY
        stays = np.where(state.gone, 0.0, np.exp(-0.05 * state.sore))
        if self.change.strange:
            lost = self.change.strange * np.exp(-since_days / self.change.strange_days)
            stays = stays * np.where(has_it, 1 - lost, 1.0)
        cash = np.where(has_it, CASH * (1 - self.change.handy), CASH)
        user, kind, turn, handy = [], [], [], []
        for code, rate in ((PAY, p.pay), (TRANSFER, p.transfer), (BALANCE, p.balance)):
            needs = poisson(r.of_all(f"need{code}", len(p), day), rate * season / (1 - CASH))
            whose = np.repeat(self._who, needs)
            which = np.arange(len(whose)) - np.repeat(np.cumsum(needs) - needs, needs)
            u = r.uniform(f"bring{code}", whose, day, which)
            kept = u < stays[whose] * (1 - (cash[whose] if code == PAY else CASH))
            user.append(whose[kept])
            turn.append(which[kept])
            kind.append(np.full(int(kept.sum()), code, dtype=np.int8))
            handy.append(u[kept] >= stays[whose[kept]] * (1 - CASH))
        fades = np.exp(-since_days / self.change.lure_days)
        pull = (
            self.change.lure
            * self._pull
            * (self.change.lure_stays + (1 - self.change.lure_stays) * fades)
        )
        pull = np.where(has_it, pull, 0.0)
        for code, rate in ((IDLE, p.idle * season), (LURED, pull)):
            if not np.any(rate):
                continue
            times = poisson(r.of_all(f"open{code}", len(p), day), rate * stays)
            whose = np.repeat(self._who, times)
            user.append(whose)
            turn.append(np.arange(len(whose)) - np.repeat(np.cumsum(times) - times, times))
            kind.append(np.full(len(whose), code, dtype=np.int8))
            handy.append(np.zeros(len(whose), dtype=np.bool_))
        if self.change.farms:
            whose = self._scripted(day, has_it)
            user.append(whose)
            turn.append(np.arange(len(whose)) + SCRIPTED)
            kind.append(np.full(len(whose), TRANSFER, dtype=np.int8))
            handy.append(np.zeros(len(whose), dtype=np.bool_))
        return tuple(np.concatenate(parts) for parts in (user, kind, turn, handy))

    def _scripted(self, day: int, has_it: Bools) -> Ints:
        """Whose scripts transfer money to and fro today, once for each transfer."""
        farms = np.flatnonzero(has_it & ~self.state.gone & self.people.farms(self.change.farms))
        u = self.random.uniform("farm", farms, day)
        return np.repeat(farms, poisson(u, np.full(len(farms), self.change.farmed), most=60))

    def _expose(self, day: int, user: Ints, at: Ints) -> None:
        """Enrol people at their first opening, once the rollout has reached them."""
        if not 0 <= day < self.rollout.closes:
            return
        reach = self.rollout.reach[min(day, len(self.rollout.reach) - 1)]
        first = np.full(len(self.people), np.iinfo(np.int64).max)
        np.minimum.at(first, user, at)
        new = (self.state.since < 0) & (self.people.ramp < reach) & (first < (day + 1) * DAY)
        new &= self._from <= day
        self.state.since[new] = first[new]

    def _lived(self, o: _Opened) -> Sessions:
        """What each session meets."""
        day, user, kind, turn, treated = o.day, o.user, o.kind, o.turn, o.treated
        p, c, r = self.people, self.change, self.random
        unit = user * 5 + kind

        def chance(name: str, probability: Floats | float) -> Bools:
            return r.chance(name, probability, unit, day, turn)

        device, plain = p.device[user], ~p.staff[user]
        network = NETWORK[p.region[user]]
        swing = np.exp(0.4 * r.normal("wait", unit, day, turn))
        errand, pay = kind <= TRANSFER, kind == PAY
        crashed = plain & chance("crash", CRASH[device] * np.where(errand, 1.3, 0.55))
        relaunched = crashed & chance("relaunch", 0.7)
        alive = ~crashed | relaunched
        feed = treated & alive if c.feed else np.zeros(len(user), dtype=np.bool_)
        wait = np.where(treated, np.array(c.slow)[device] * network * swing, 0.0)
        blank = feed & plain & chance("blank", c.blank * self._intensity[user] ** 1.5)
        if c.tangle:
            long = np.maximum(self._intensity[user] - LONG, 0.0) ** 2
            blank |= treated & alive & plain & chance("tangle", c.tangle * long)
        search = c.hidden * self._used_to[user] * np.exp(-self.state.seen[user] / c.practice)
        effort = np.where(treated, c.steps + search + wait + 6.0 * blank, 0.0)
        tired = 1 - np.exp(-GIVE_UP * effort / p.patience[user])
        gave_up = errand & alive & plain & chance("give up", tired)
        done = (kind <= BALANCE) & alive & ~gave_up
        noted = done & treated & (kind == TRANSFER)
        noted = noted & chance("note", c.instead) if c.instead else np.zeros_like(done)
        done = done & ~noted
        failed = pay & done & plain & chance("fail", 0.013)
        open_to = c.shame * p.privacy[user] * p.friends[user]
        seen_by = np.where(self.state.hidden[user], 0.0, open_to)
        shamed = feed & (kind <= TRANSFER) & done & plain & chance("shame", seen_by)
        return Sessions(
            day=day,
            user=user,
            kind=kind,
            turn=turn,
            at=o.at,
            treated=treated,
            handy=o.handy,
            feed=feed,
            home=HOME[device] * network * swing + 0.15 * wait,
            wait=wait,
            crashed=crashed,
            relaunched=relaunched,
            blank=blank,
            menu=alive & np.where(treated & pay & c.feed, chance("menu", 0.75), kind == TRANSFER),
            gave_up=gave_up,
            done=done,
            scanned=pay & done & chance("scan", p.qr[user]),
            failed=failed,
            retried=failed & chance("retry", 0.7),
            shamed=shamed,
            hid=shamed & chance("hide", 0.5),
            gift=feed & (kind == LURED) & chance("gift", 0.035 * p.social[user]),
            noted=noted,
            left=np.zeros(len(user), dtype=np.bool_),
            sore=np.zeros(len(user)),
        )

    def _felt(self, s: Sessions) -> None:
        """What was met makes sore; soreness makes leave; time heals."""
        p, state, r, n = self.people, self.state, self.random, len(self.people)
        pain = (
            HURTS["crash"] * s.crashed
            + HURTS["fail"] * s.failed
            + HURTS["blank"] * s.blank
            + HURTS["give_up"] * s.gave_up
            + HURTS["shame"] * s.shamed * np.minimum(p.privacy[s.user], 2.5)
            + HURTS["drag"] * np.where(s.treated, s.wait + self.change.steps, 0.0)
        )
        if self.change.nag:
            nagged = poisson(r.of_all("nag", n, s.day), np.full(n, self.change.nag))
            state.sore += NAGGED * np.where(self.arm & (state.since >= 0), nagged, 0)
        state.sore *= HEALS
        state.sore += np.bincount(s.user, weights=pain, minlength=n)
        state.seen += np.bincount(s.user, weights=s.feed, minlength=n)
        state.hidden[s.user[s.hid]] = True
        u = r.of_all("stay", n, s.day)
        leaves = ~state.gone & ~p.staff & (u < LEAVE * np.exp(1.5 * np.minimum(state.sore, 3.0)))
        returns = state.gone & (u < RETURN * np.where(state.bitter, 0.3, 1.0))
        state.bitter = np.where(leaves, state.sore > 0.5, state.bitter & ~returns)
        state.gone = (state.gone | leaves) & ~returns
        s.sore = state.sore[s.user]
        s.left = leaves[s.user]
