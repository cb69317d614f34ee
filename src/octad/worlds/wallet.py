"""The wallet: a product that pays in seconds, its rival, and its winter with one launch in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from octad.worlds.base import Bools, Categorical, Random, Table, World
from octad.worlds.crowd import ties, unrecorded
from octad.worlds.launches import Launched
from octad.worlds.life import DAY, Life
from octad.worlds.log import Log, Versions
from octad.worlds.people import AGE_BANDS, DEVICES, PLANS, REGIONS, TENURES, People, born
from octad.worlds.truth import read
from octad.worlds.voices import Rival, Voices
from octad.worlds.wallet_files import AUTHOR, DELETED, LINKS, OCTAD, readme
from octad.worlds.writing import authors, write

__all__ = ["simulate"]

Progress = Callable[[str, float], None]
Releases = tuple[tuple[int, str, str], ...]

REVIEWS_FROM, EVENTS_FROM, LAST = -120, -28, 39
"""Days since the launch's start: first reviews, first events, the day after the last."""

START = np.datetime64("2026-03-01T00:00:00", "us")

OURS = (
    (-131, "8.0", "Scanning works in the dark now."),
    (-87, "8.1", "Send money to a phone number."),
    (-58, "8.2", "Faster start, clearer receipts."),
    (-31, "8.3", "Stronger protection when you sign in on a new phone."),
)
LAUNCHED_IN = ((-3, "8.4"), (16, "8.4.1"))
"""When the launch's version comes out, and the one that mends it; notes are the launch's."""
THEIRS = (
    (-127, "5.0", "More shops, more cashback."),
    (-98, "5.1", "New: Moments, a social tab with your friends' activity."),
    (-84, "5.2", "Moments is quieter, and off unless you want it."),
    (-70, "5.3", "Your friends' feed is now on the home page. Like and comment!"),
    (-57, "5.4", "You can hide the feed."),
    (-52, "5.5", "Social stickers: send one with a payment to a friend."),
    (-40, "5.6", "Moments, the social feed with stories, is back on the home page."),
    (-19, "5.7", "We listened: the feed is gone. Pay opens first."),
    (11, "5.8", "Bring your payees over from other wallets in one step."),
)
RIVAL = Rival(daily=7.5, social=((-98, -84), (-70, -57), (-40, -19)))


def simulate(launched: Launched, *, seed: int, users: int, progress: Progress) -> World:
    """Live the wallet's winter and its launch.

    Args:
        launched: What is launched.
        seed: Which world.
        users: How many people; a hundred thousand make about six million events.
        progress: Told what is being done and the share that is done.

    Returns:
        The world; its truth is read off by living on under either arm with the same draws.
    """
    random = Random(seed)
    people = born(random, users)
    rollout, faults = launched.rollout, launched.faults
    by_chance = (people.arm < rollout.treated) | people.staff
    chosen = by_chance if faults.randomised else np.ones(users, dtype=np.bool_)
    life = Life(random, people, launched.change, rollout, chosen, faults)
    ours = _ours(launched)
    versions = Versions(tuple(r[1] for r in ours), tuple(r[0] for r in ours), needed="8.4")
    log = Log(random, people, versions, life.state.since, faults, chosen)
    rival = Rival(RIVAL.daily * users / 100_000, RIVAL.social)
    praised = replace(faults, praise=faults.praise * users / 100_000)
    voices = Voices(random, people, rival, praised, launched.change)
    start: Life | None = None
    for day in range(REVIEWS_FROM, LAST):
        if day == 0:
            start = life.branch(chosen)
        sessions = life.day(day)
        voices.hear(sessions)
        if day >= EVENTS_FROM:
            log.add(sessions)
        progress("living", 0.55 * (day - REVIEWS_FROM + 1) / (LAST - REVIEWS_FROM))
    assert start is not None  # noqa: S101 - the launch lies between the first and the last day
    progress("writing", 0.6)
    lost = unrecorded(random, people, faults, chosen & (life.state.since >= 0))
    recorded = np.where(lost, -1, life.state.since)
    tables: dict[str, Table] = {
        "events": log.table(),
        "users": _users(people),
        "exposures": _exposures(people, recorded, chosen, launched.launch),
        "reviews": _reviews(random, people, voices, log),
        "releases": _releases(ours),
    }
    if faults.friends:
        one, other = ties(users)
        tables["links"] = {"user_id": people.uid[one], "other_id": people.uid[other]}
    progress("reading off the truth", 0.8)
    truth = read(start, launched, LAST)
    progress("done", 1.0)
    sources = OCTAD.replace("\nrivals:", f"{LINKS}\nrivals:") if faults.friends else OCTAD
    if faults.praise:
        sources = sources.replace(AUTHOR, AUTHOR + DELETED)
    files = {
        "octad.yml": sources,
        f"launches/{launched.launch}.yml": launched.plan,
        "README.md": readme(launched.launch, launched.about),
    }
    return World(tables, files, truth)


def _ours(launched: Launched) -> Releases:
    brings = ((*out, note) for out, note in zip(LAUNCHED_IN, launched.notes, strict=True))
    return (*OURS, *brings)


def _users(people: People) -> Table:
    signup = np.datetime64("2026-03-01", "D") - people.days
    return {
        "user_id": people.uid,
        "region": Categorical(people.region, REGIONS),
        "age_band": Categorical(people.age, AGE_BANDS),
        "device_class": Categorical(people.device, DEVICES),
        "tenure": Categorical(people.tenure, TENURES),
        "plan": Categorical(people.plan, PLANS),
        "signup": signup,
        "is_staff": people.staff,
    }


def _exposures(people: People, since: NDArray[np.int64], chosen: Bools, launch: str) -> Table:
    rows = np.flatnonzero(since >= 0)
    rows = rows[np.argsort(since[rows], kind="stable")]
    return {
        "user_id": people.uid[rows],
        "ts": START + since[rows].astype("timedelta64[us]"),
        "launch": Categorical(np.zeros(len(rows), dtype=np.int32), (launch,)),
        "arm": Categorical(chosen[rows].astype(np.int32), ("off", "on")),
    }


def _reviews(random: Random, people: People, voices: Voices, log: Log) -> Table:
    said = voices.said(LAST * DAY)
    text = write(random, people, said)
    day = said.at // DAY
    ours = np.array(log.versions.names, dtype=object)
    theirs = np.array([r[1] for r in THEIRS], dtype=object)
    out = np.searchsorted([r[0] for r in THEIRS], day, side="right") - 1
    version = theirs[np.maximum(out, 0)]
    for d in np.unique(day[~said.rival]):
        rows = np.flatnonzero((day == d) & ~said.rival)
        version[rows] = ours[log.held(int(d), said.user[rows])]
    return {
        "app": Categorical(said.rival.astype(np.int32), ("Wallet", "OtherPay")),
        "at": (START + said.at.astype("timedelta64[us]")).astype("datetime64[s]"),
        "score": said.stars,
        "content": text,
        "version": version,
        "author": authors(random, said),
        **({"is_deleted": said.deleted} if log.faults.praise else {}),
    }


def _releases(ours: Releases) -> Table:
    rows = sorted([("Wallet", *r) for r in ours] + [("OtherPay", *r) for r in THEIRS],
                  key=lambda r: r[1])  # fmt: skip
    day = np.array([r[1] for r in rows])
    return {
        "app": np.array([r[0] for r in rows], dtype=object),
        "at": (START + (day * DAY + 9 * DAY // 24).astype("timedelta64[us]")).astype(
            "datetime64[s]"
        ),
        "version": np.array([r[2] for r in rows], dtype=object),
        "notes": np.array([r[3] for r in rows], dtype=object),
    }
