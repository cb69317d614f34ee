"""The event log: what a product's tracking would have written of lived sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from octad.worlds.base import Bools, Categorical, Floats, Ints, Random, Table
from octad.worlds.faults import Faults
from octad.worlds.life import BALANCE, DAY, IDLE, LURED, PAY, TRANSFER, Sessions
from octad.worlds.people import People

__all__ = ["EVENTS", "Log", "Versions"]

EVENTS = (
    "open",
    "crash",
    "blank_feed",
    "feed_view",
    "like",
    "hide_me",
    "menu",
    "balance",
    "scan",
    "pay",
    "pay_ok",
    "pay_fail",
    "transfer",
    "post",
)


@dataclass(frozen=True, slots=True)
class Versions:
    """The product's versions and when each came out, in days since the launch's start.

    Attributes:
        names: Oldest first. `days`: the same length, rising.
        needed: The version that the launch is switched on in; nobody is exposed with an older one.
    """

    names: tuple[str, ...]
    days: tuple[int, ...]
    needed: str

    def held(self, day: int, lag: Floats) -> NDArray[np.int32]:
        """Which version people hold who update `lag` days after each release."""
        code = np.searchsorted(np.array(self.days), day - lag, side="right") - 1
        return np.maximum(code, 0).astype(np.int32)


class Log:
    """Collects events day by day.

    Args:
        random: The world's randomness.
        people: Who lives there.
        versions: The product's versions.
        since: (N,) moments of exposure, -1 before it; filled as the world is lived.
        faults: Which events are lost.
        treated: (N,) whose events are lost, once they are exposed; nobody's when absent.
    """

    def __init__(
        self,
        random: Random,
        people: People,
        versions: Versions,
        since: Ints,
        faults: Faults | None = None,
        treated: Bools | None = None,
    ) -> None:
        self.random = random
        self.people = people
        self.versions = versions
        self.since = since
        self.faults = faults or Faults()
        self.treated = np.zeros(len(people), dtype=np.bool_) if treated is None else treated
        who = np.arange(len(people))
        self._lag = -6.0 * np.log(random.uniform("update", who))  # exponential, six days on average
        self._days: list[tuple[NDArray[np.generic], ...]] = []

    def add(self, s: Sessions) -> None:
        """Write a day's sessions."""
        page = _Page(self, s)
        page.home()
        page.feed()
        page.errand()
        self._days.append(self._written(page.sorted(), s.day))

    def table(self) -> Table:
        """All events, in the order of time, under the log's column names."""
        columns = [np.concatenate(parts) for parts in zip(*self._days, strict=True)]
        order = np.argsort(columns[1], kind="stable")
        user, at, name, amount, wait, version = (column[order] for column in columns)
        start = np.datetime64("2026-03-01T00:00:00", "us")
        return {
            "user_id": self.people.uid[user],
            "ts": start + at.astype("timedelta64[us]"),
            "name": Categorical(name.astype(np.int32), EVENTS),
            "amount": amount,
            "wait_ms": wait,
            "app_version": Categorical(version, self.versions.names),
        }

    def _written(self, columns: tuple[NDArray[Any], ...], day: int) -> tuple[NDArray[Any], ...]:
        """A day's columns without what is lost on its way into the log."""
        first, last = self.faults.unlogged_days
        if not self.faults.unlogged or not first <= day < last:
            return columns
        user, at, name = columns[:3]
        names = self.faults.unlogged_events or EVENTS
        meant = np.isin(name, [EVENTS.index(each) for each in names])
        exposed = self.treated[user] & (self.since[user] >= 0) & (at >= self.since[user])
        u = self.random.uniform("unlogged", user, day, np.arange(len(user)))
        if self.faults.unlogged_devices:
            exposed &= np.isin(self.people.device[user], self.faults.unlogged_devices)
        hour = at % DAY // (DAY // 24)
        opens, closes = self.faults.unlogged_hours
        exposed &= (hour >= opens) & (hour < closes)
        kept = ~(meant & exposed & (u < self.faults.unlogged))
        return tuple(column[kept] for column in columns)

    def held(self, day: int, user: Ints) -> NDArray[np.int32]:
        """The version each user holds on a day, as codes into `versions.names`."""
        code = self.versions.held(day, self._lag[user])
        since = self.since[user]
        exposed = (since >= 0) & (since < (day + 1) * DAY)
        needed = self.versions.names.index(self.versions.needed)
        return np.where(exposed, np.maximum(code, needed), code).astype(np.int32)


class _Page:
    """One day of the log; a cursor moves through each session as it is written."""

    def __init__(self, log: Log, s: Sessions) -> None:
        self.log = log
        self.s = s
        self.unit = s.user * 5 + s.kind
        self.cursor = s.at.copy()
        self.rows: list[tuple[Ints, Ints, NDArray[np.int8], Floats, NDArray[np.float32]]] = []
        self.writes = 0

    def _u(self, name: str) -> Floats:
        return self.log.random.uniform(name, self.unit, self.s.day, self.s.turn)

    def write(
        self,
        mask: Bools,
        name: str,
        seconds: float,
        amount: Floats | None = None,
        wait: Floats | None = None,
    ) -> None:
        """Write an event where `mask` holds, about `seconds` after the one before it."""
        rows = np.flatnonzero(mask)
        self.writes += 1
        if not len(rows):
            return
        s = self.s
        u = self.log.random.uniform("pace", self.unit[rows], s.day, s.turn[rows] + 64 * self.writes)
        self.cursor[rows] += (seconds * 1e6 * (0.4 + 1.2 * u)).astype(np.int64)
        none = np.full(len(rows), np.nan)
        self.rows.append(
            (
                s.user[rows],
                self.cursor[rows],
                np.full(len(rows), EVENTS.index(name), dtype=np.int8),
                none if amount is None else amount[rows],
                (none if wait is None else np.round(wait[rows] * 1000)).astype(np.float32),
            )
        )

    def home(self) -> None:
        """Opening, crashing, opening again."""
        s = self.s
        self.write(np.ones(len(s), dtype=np.bool_), "open", 0.0, wait=s.home)
        self.write(s.crashed, "crash", 4.0)
        self.write(s.relaunched, "open", 9.0, wait=s.home)

    def feed(self) -> None:
        """What the feed shows: nothing, posts, one's own payments."""
        s = self.s
        social = self.log.people.social[s.user]
        self.write(s.blank, "blank_feed", 3.0, wait=s.wait + 6.0)
        shown = s.feed & ~s.blank
        # a view is logged after a second on screen: those with an errand often hurry past
        lingers = shown & ((s.kind >= IDLE) | (self._u("linger") < 0.55))
        self.write(lingers, "feed_view", 1.0, wait=s.wait)
        looks = lingers & ~s.gave_up
        eager = np.clip(0.22 * social * np.where(s.kind == LURED, 2.0, 1.0), 0, 0.8)
        more = looks & (self._u("scroll") < eager)
        self.write(more, "feed_view", 7.0, wait=s.wait)
        self.write(more & (self._u("scroll on") < eager), "feed_view", 8.0, wait=s.wait)
        self.write(looks & (self._u("like") < 0.6 * eager), "like", 5.0)
        self.write(s.hid, "hide_me", 25.0)

    def errand(self) -> None:
        """What the person came for."""
        s, p = self.s, self.log.people
        pay, done = s.kind == PAY, s.done
        typical = p.amount[s.user] + np.where(s.kind == TRANSFER, 1.1, 0.0)
        u = self.log.random.normal("amount", self.unit, s.day, s.turn)
        amount = np.maximum(np.round(np.exp(typical + 0.75 * u), 2), 0.01)
        self.write(s.menu & ~s.blank, "menu", 4.0)
        self.write(done & (s.kind == BALANCE), "balance", 3.0)
        self.write(s.scanned, "scan", 4.0)
        self.write(pay & done, "pay", 6.0, amount)
        self.write(pay & done & ~s.failed, "pay_ok", 1.2, amount)
        self.write(s.failed, "pay_fail", 2.5, amount)
        self.write(s.retried, "pay", 15.0, amount)
        self.write(s.retried, "pay_ok", 1.2, amount)
        self.write((done & (s.kind == TRANSFER)) | s.gift, "transfer", 9.0, amount)
        shares = s.feed & done & (self._u("post") < 0.02 * p.social[s.user])
        self.write(shares | s.noted, "post", 20.0)

    def sorted(self) -> tuple[NDArray[np.generic], ...]:
        """The day's columns in the order of time, with the version each user holds."""
        user, at, name, amount, wait = (np.concatenate(c) for c in zip(*self.rows, strict=True))
        order = np.argsort(at, kind="stable")
        user = user[order]
        version = self.log.held(self.s.day, user)
        return user.astype(np.int32), at[order], name[order], amount[order], wait[order], version
