"""Who writes a review, of which product, about what, and with how many stars.

Nobody writes from a script: a session that delighted or hurt may move its person to write, the
more so the stronger it was; the stars are what is left of the person's satisfaction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from octad.worlds.base import Bools, Floats, Ints, Random
from octad.worlds.change import FEED, Change
from octad.worlds.faults import Faults
from octad.worlds.life import BALANCE, DAY, LURED, PAY, SCRIPTED, TRANSFER, Sessions
from octad.worlds.people import People

__all__ = ["BITES", "TOPICS", "Rival", "Said", "Voices"]


@dataclass(frozen=True, slots=True)
class _Topic:
    """What a review can be about.

    Attributes:
        name: The key of its sentences.
        bite: Stars that such an experience takes away.
        moved: The chance that a person of mean readiness writes after it.
    """

    name: str
    bite: float
    moved: float = 0.0


_TOPICS = (
    _Topic("quick", 0.0, 0.00052),
    _Topic("scan", 0.0, 0.0003),
    _Topic("transfer", 0.1, 0.0003),
    _Topic("balance", 0.2, 0.0001),
    _Topic("trust", 0.0, 0.0002),
    _Topic("meh", 1.0, 0.0001),
    _Topic("crash", 2.0, 0.0008),
    _Topic("fail", 2.3, 0.0045),
    _Topic("feed_noise", 2.1, 0.0008),
    _Topic("feed_hidden", 2.6, 0.022),
    _Topic("feed_slow", 2.8, 0.02),
    _Topic("feed_blank", 3.2, 0.02),
    _Topic("feed_shame", 3.6, 0.05),
    _Topic("feed_fun", 0.2, 0.0025),
    _Topic("handy", 0.0, 0.015),
    _Topic("nagged", 2.2, 0.0012),
    _Topic("slow", 2.8, 0.02),
    _Topic("hidden", 2.4, 0.022),
    _Topic("blank", 3.2, 0.02),
    _Topic("farmed", 0.2, 0.0001),
    _Topic("owed", 0.8, 0.002),
    _Topic("leaving_sore", 3.4, 0.2),
    _Topic("leaving", 3.7, 0.3),
    _Topic("leaving_plain", 1.6, 0.012),
    _Topic("r_quick", 0.3),
    _Topic("r_cash", 0.3),
    _Topic("r_fee", 2.2),
    _Topic("r_support", 2.4),
    _Topic("r_social", 2.9),
    _Topic("r_social_ok", 0.6),
    _Topic("r_crash", 2.4),
    _Topic("r_from", 0.2),
    _Topic("r_beside", 0.4),
    _Topic("r_from_sore", 0.2),
    _Topic("r_beside_sore", 0.4),
)
TOPICS = tuple(topic.name for topic in _TOPICS)
BITES = np.array([topic.bite for topic in _TOPICS])
_MOVED = np.array([topic.moved for topic in _TOPICS])
_CODE = {name: code for code, name in enumerate(TOPICS)}


@dataclass(frozen=True, slots=True)
class Said:
    """Reviews before they have words, as parallel arrays of length R.

    Attributes:
        user: Index of the person; -1 for people who only know the rival.
        at: Microseconds since the launch's start.
        topic: Code into `TOPICS`; `also` a second one.
        stars: 1 to 5.
        rival: Whether it is of the rival's product.
        pasted: Which text it is a copy of, with hardly a word changed; -1 for words of its own.
        deleted: Whether the store takes it down later.
    """

    user: Ints
    at: Ints
    topic: NDArray[np.int64]
    also: NDArray[np.int64]
    stars: NDArray[np.int64]
    rival: Bools
    pasted: NDArray[np.int64]
    deleted: Bools


@dataclass(frozen=True, slots=True)
class Rival:
    """A rival product, as far as its reviews need it.

    Attributes:
        daily: Reviews a day by people who only know the rival.
        social: Spans of days, first and last excluded, in which a social page was in the way.
    """

    daily: float
    social: tuple[tuple[int, int], ...]

    def bothers(self, day: int) -> bool:
        """Whether the social page is in the way on a day."""
        return any(first <= day < last for first, last in self.social)


_GIVEN = 6
"""Texts that those who are paid are given to paste."""
_CALM = {"r_quick": 0.5, "r_cash": 0.2, "r_fee": 0.12, "r_support": 0.1, "r_crash": 0.05}
_BOTHERED = {**_CALM, "r_social": 0.75, "r_social_ok": 0.1}


class Voices:
    """Collects reviews as the world is lived.

    Args:
        random: The world's randomness.
        people: Who lives there.
        rival: The rival product.
        faults: What praise is bought.
        change: What the launch changes, for that is what is written about; the feed when absent.
    """

    def __init__(
        self,
        random: Random,
        people: People,
        rival: Rival,
        faults: Faults | None = None,
        change: Change = FEED,
    ) -> None:
        self.random = random
        self.people = people
        self.rival = rival
        self.faults = faults or Faults()
        self.change = change
        self._ashamed = np.zeros(len(people), dtype=np.bool_)
        self._said: list[Said] = []

    def hear(self, s: Sessions) -> None:
        """Let the people of a day's sessions, and the rival's own users, write."""
        self._ashamed[s.user[s.shamed]] = True
        topic = self._about(s)
        unit = s.user * 5 + s.kind
        u = self.random.uniform("review", unit, s.day, s.turn)
        writes = np.flatnonzero((topic >= 0) & (u < _MOVED[topic] * self.people.voice[s.user]))
        later = self.random.uniform("review later", unit[writes], s.day, s.turn[writes])
        self._keep(s, writes, topic[writes], 3.6e9 * 5 * later**3, rival=False)
        self._tell_rival(s, unit)
        self._outsiders(s.day)
        first, last = self.faults.praise_days
        if self.faults.praise and first <= s.day < last:
            self._bought(s.day)

    def _about(self, s: Sessions) -> NDArray[np.int64]:
        """What each session would be written about: the strongest thing that was met; or -1."""
        topic = np.full(len(s), -1, dtype=np.int64)
        unit = s.user * 5 + s.kind
        u = self.random.uniform("about", unit, s.day, s.turn)
        smooth = s.done & ~s.failed
        clumsy = s.feed & (s.kind <= BALANCE) & (self.people.social[s.user] < 1.3)
        fed = np.full(len(s), self.change.feed)
        called = s.treated & (s.kind == LURED) & ~s.feed & (self.change.nag > 0)
        slow = s.wait > 3.0
        bitter = s.left & s.treated & (s.sore > 0.4)
        for name, where in (  # from weak to strong: the last that holds is what one writes about
            ("balance", smooth & (s.kind == BALANCE)),
            ("transfer", smooth & (s.kind == TRANSFER)),
            ("quick", smooth & (s.kind == PAY)),
            ("scan", smooth & s.scanned & (u < 0.4)),
            ("trust", smooth & (u > 0.86)),
            ("meh", smooth & (u > 0.93)),
            ("handy", smooth & s.handy),
            ("feed_noise", clumsy & (u < 0.75)),
            ("feed_fun", s.feed & (s.kind == LURED)),
            ("crash", s.crashed),
            ("fail", s.failed),
            ("nagged", called),
            ("farmed", s.treated & s.done & (s.turn >= SCRIPTED)),
            ("owed", s.noted),
            ("hidden", s.gave_up),
            ("feed_hidden", s.gave_up & fed),
            ("slow", s.gave_up & slow),
            ("feed_slow", s.gave_up & slow & fed),
            ("blank", s.blank),
            ("feed_blank", s.blank & fed),
            ("feed_shame", s.shamed),
            ("leaving_plain", s.left & ~bitter),
            ("leaving_sore", bitter),
            ("leaving", bitter & fed),
        ):
            topic[where] = _CODE[name]
        return topic

    def _tell_rival(self, s: Sessions, unit: Ints) -> None:
        """People who took a payment, or all of them, to the rival write of the rival too."""
        voice = self.people.voice[s.user]
        u = self.random.uniform("review rival", unit, s.day, s.turn)
        bitter = s.left & s.treated & (s.sore > 0.4)
        for name, where, moved, days in (
            ("r_from" if self.change.feed else "r_from_sore", bitter, 0.2, 6.0),
            (
                "r_beside" if self.change.feed else "r_beside_sore",
                s.gave_up & ~bitter,
                0.012,
                1.0,
            ),
        ):
            writes = np.flatnonzero(where & (u < moved * voice))
            later = self.random.uniform("tried rival", unit[writes], s.day, s.turn[writes])
            topic = np.full(len(writes), _CODE[name])
            self._keep(s, writes, topic, DAY * (0.05 + days * later), rival=True)

    def _outsiders(self, day: int) -> None:
        """The rival's own users: what they write depends on what the rival has done to them."""
        r = self.random
        mix = _BOTHERED if self.rival.bothers(day) else _CALM
        daily = self.rival.daily * (1.25 if mix is _BOTHERED else 1.0)
        rng = np.random.default_rng(int(r.words("outsiders", 0, day + 400)[0]))
        n = int(rng.poisson(daily))
        names, shares = list(mix), np.array(list(mix.values()))
        topic = np.array([_CODE[name] for name in names])[
            rng.choice(len(names), size=n, p=shares / shares.sum())
        ]
        hour = np.clip(rng.normal(15, 4, size=n), 0, 23.9)
        stars = _stars(topic, np.zeros(n), rng.normal(size=n))
        self._said.append(
            Said(
                user=np.full(n, -1),
                at=day * DAY + (hour * 3.6e9).astype(np.int64),
                topic=topic,
                also=topic,
                stars=stars,
                rival=np.ones(n, dtype=np.bool_),
                pasted=np.full(n, -1),
                deleted=np.zeros(n, dtype=np.bool_),
            )
        )

    def _bought(self, day: int) -> None:
        """Five stars by people who were paid for them, and never used the product.

        Many paste what they were given, with a word or a mark of their own; and the store finds
        some of them out. Neither is drawn from the stream that says when they come.
        """
        rng = np.random.default_rng(int(self.random.words("praise", 0, day + 400)[0]))
        n = int(rng.poisson(self.faults.praise))
        topic = np.array([_CODE["quick"], _CODE["trust"]])[rng.integers(0, 2, size=n)]
        unit = (day + 400) * 10_000 + np.arange(n)
        u = self.random.uniform("praise pasted", unit)
        which = (self.random.uniform("praise text", unit) * _GIVEN).astype(np.int64)
        found = self.random.chance("praise deleted", self.faults.praise_deleted, unit)
        self._said.append(
            Said(
                user=np.full(n, -1),
                at=day * DAY + (rng.uniform(9, 18, size=n) * 3.6e9).astype(np.int64),
                topic=topic,
                also=topic,
                stars=np.full(n, 5),
                rival=np.zeros(n, dtype=np.bool_),
                pasted=np.where(u < self.faults.praise_copied, which, -1),
                deleted=found,
            )
        )

    def _keep(
        self, s: Sessions, rows: Ints, topic: NDArray[np.int64], later: Floats, *, rival: bool
    ) -> None:
        noise = self.random.normal("stars", s.user[rows], s.day, s.turn[rows])
        sore = np.zeros(len(rows)) if rival else s.sore[rows]
        self._said.append(
            Said(
                user=s.user[rows],
                at=s.at[rows] + later.astype(np.int64) + 40_000_000,
                topic=topic,
                also=self._also(s, rows, topic),
                stars=_stars(topic, sore, noise),
                rival=np.full(len(rows), rival),
                pasted=np.full(len(rows), -1),
                deleted=np.zeros(len(rows), dtype=np.bool_),
            )
        )

    def _also(self, s: Sessions, rows: Ints, topic: NDArray[np.int64]) -> NDArray[np.int64]:
        """A second thing to write about: for those who leave, what drove them away."""
        user = s.user[rows]
        slow = s.wait[rows] > 3.0
        why = np.where(
            self._ashamed[user],
            _CODE["feed_shame"],
            np.where(slow, _CODE["feed_slow"], _CODE["feed_noise"]),
        )
        also = np.where(topic == _CODE["leaving"], why, topic)
        sore = topic == _CODE["leaving_sore"]
        if self.change.nag:
            also = np.where(sore, _CODE["nagged"], also)
        elif self.change.tangle:
            also = np.where(sore, _CODE["blank"], also)
        also = np.where(sore & slow, _CODE["slow"], also)
        also = np.where(topic == _CODE["feed_hidden"], _CODE["feed_noise"], also)
        u = self.random.uniform("also", user, s.day, s.turn[rows])
        happy = (topic <= _CODE["trust"]) & (u < 0.4)
        return np.where(happy, _CODE["quick"], also)

    def said(self, until: int) -> Said:
        """All reviews written before a moment, in the order of time."""
        one = [np.concatenate([getattr(part, name) for part in self._said]) for name in _FIELDS]
        at = one[1]
        order = np.argsort(at, kind="stable")
        order = order[at[order] < until]
        return Said(*(column[order] for column in one))


_FIELDS = ("user", "at", "topic", "also", "stars", "rival", "pasted", "deleted")


def _stars(topic: NDArray[np.int64], sore: Floats, noise: Floats) -> NDArray[np.int64]:
    left = 4.75 - BITES[topic] - 0.25 * np.minimum(sore, 3.0) + 0.7 * noise
    return np.clip(np.round(left), 1, 5).astype(np.int64)
