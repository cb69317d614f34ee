"""Who lives in a world: their needs, habits, patience, devices, friends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from octad.worlds.base import Bools, Floats, Ints, Random, pick

__all__ = ["AGE_BANDS", "DEVICES", "PLANS", "REGIONS", "TENURES", "People", "born"]

REGIONS = ("north", "south", "east", "west")
AGE_BANDS = ("under 30", "30 to 44", "45 to 59", "60 and over")
DEVICES = ("new", "mid", "old")
TENURES = ("under 1 year", "1 to 3 years", "over 3 years")
PLANS = ("basic", "plus")

_REGION_SHARES = (0.2, 0.34, 0.26, 0.2)
_AGE_SHARES = (  # by region: the north is older
    (0.20, 0.28, 0.27, 0.25),
    (0.29, 0.33, 0.24, 0.14),
    (0.31, 0.34, 0.23, 0.12),
    (0.27, 0.33, 0.25, 0.15),
)
_DEVICE_SHARES = (  # by age band
    (0.56, 0.38, 0.06),
    (0.50, 0.41, 0.09),
    (0.36, 0.48, 0.16),
    (0.20, 0.48, 0.32),
)
_NORTH_60_DEVICES = (0.05, 0.17, 0.78)
"""Older people in the north mostly carry phones handed down by their children."""


@dataclass(frozen=True, slots=True)
class People:
    """Everyone, as parallel arrays of length N.

    Attributes:
        uid: The id in the product's tables.
        region, age, device, tenure, plan: Codes into `REGIONS`, `AGE_BANDS` and so on.
        days: Days since signing up, at the launch's start.
        staff: Works for the product.
        pay, transfer, balance, idle: Daily rates at which the need arises.
        qr: The share of payments made by scanning.
        patience: Seconds of waiting and searching after which most people give up; above zero.
        privacy: How much being seen hurts, 0 to about 3, mean near 1.
        friends: How many friends and family are in the app.
        social: How much a feed draws the person, mean near 1.
        hour: The hour of the day around which the person is active.
        amount: Log of the typical payment.
        chinese: Writes in Chinese.
        voice: How readily the person writes reviews, mean near 1.
        arm: Uniform that decides the arm; `ramp` uniform that decides when the rollout reaches.
        scruple: Uniform; those with the least farm a reward, if there is one.
    """

    uid: Ints
    region: NDArray[np.int32]
    age: NDArray[np.int32]
    device: NDArray[np.int32]
    tenure: NDArray[np.int32]
    plan: NDArray[np.int32]
    days: Ints
    staff: Bools
    pay: Floats
    transfer: Floats
    balance: Floats
    idle: Floats
    qr: Floats
    patience: Floats
    privacy: Floats
    friends: Floats
    social: Floats
    hour: Floats
    amount: Floats
    chinese: Bools
    voice: Floats
    arm: Floats
    ramp: Floats
    scruple: Floats

    def __len__(self) -> int:
        return len(self.uid)

    @property
    def fragile(self) -> Bools:
        """People of 60 and over in the north: old phones on slow lines."""
        return np.asarray((self.region == 0) & (self.age == 3))

    def farms(self, share: float) -> Bools:
        """The accounts that a reward turns into farms: those of the fewest scruples."""
        return np.asarray((self.scruple < share) & ~self.staff)


def _ids(random: Random, n: int) -> Ints:
    """Distinct eight-digit ids in no telling order: a bijection of the unit's number."""
    span = 89_999_999  # a prime, so that any multiplier permutes
    multiplier = int(random.words("uid", 0)[0]) % (span - 2) + 1
    return 10_000_000 + (np.arange(n, dtype=np.int64) * multiplier + 12_345) % span


def born(random: Random, n: int) -> People:
    """Draw `n` people. The first `n` of a larger world are the same people."""
    who = np.arange(n)

    def spread(name: str, mean: float, sigma: float) -> Floats:
        return np.asarray(mean * np.exp(sigma * random.normal(name, who) - sigma**2 / 2))

    region = pick(random.uniform("region", who), _REGION_SHARES)
    age = pick(random.uniform("age", who), np.array(_AGE_SHARES)[region])
    fragile = (region == 0) & (age == 3)
    shares = np.where(fragile[:, None], np.array(_NORTH_60_DEVICES), np.array(_DEVICE_SHARES)[age])
    device = pick(random.uniform("device", who), shares)
    days = (40 + 1900 * random.uniform("days", who) ** (1.5 - 0.25 * age)).astype(np.int64)
    tenure = np.digitize(days, [365, 3 * 365]).astype(np.int32)
    plan = (random.uniform("plan", who) < 0.18).astype(np.int32)
    staff = random.chance("staff", 0.003, who)
    device = np.where(staff, 0, device).astype(np.int32)
    region = np.where(staff, 2, region).astype(np.int32)
    age = np.where(staff, np.minimum(age, 1), age).astype(np.int32)
    busy = spread("busy", 1.0, 0.55) * (1 + 0.5 * plan)  # one cause behind all of a person's needs
    return People(
        uid=_ids(random, n),
        region=region,
        age=age,
        device=device,
        tenure=tenure,
        plan=plan,
        days=days,
        staff=staff,
        pay=busy * spread("pay", 0.125, 0.5) * np.array([0.85, 1.0, 1.1])[tenure],
        transfer=busy * spread("transfer", 0.026, 0.7),
        balance=busy * spread("balance", 0.075, 0.5),
        idle=spread("idle", 0.06, 0.6),
        qr=random.uniform("qr", who) ** 0.8,
        patience=spread("patience", 1.0, 0.45) * np.array([1.1, 1.05, 0.95, 0.8])[age],
        privacy=spread("privacy", 1.0, 0.8) * np.array([0.7, 0.95, 1.15, 1.35])[age],
        friends=spread("friends", 1.0, 0.7) * np.array([0.6, 1.0, 1.3])[tenure],
        social=spread("social", 1.0, 0.7) * np.array([1.5, 1.05, 0.75, 0.5])[age],
        hour=np.clip(14.5 + 3.2 * random.normal("hour", who), 7, 22),
        amount=2.7 + 0.5 * random.normal("amount", who) + 0.25 * plan,
        chinese=random.chance("chinese", 0.22, who),
        voice=spread("voice", 1.0, 1.0) * ~staff,
        arm=random.uniform("arm", who),
        ramp=random.uniform("ramp", who),
        scruple=random.uniform("scruple", who),
    )
